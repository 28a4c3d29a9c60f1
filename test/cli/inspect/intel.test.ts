import { describe, expect, test } from 'vitest'
import type { CollateralFile } from '../../../src/attestation/collateral.ts'
import { inspect } from '../../../src/cli/inspect/read.ts'
import { renderInspection } from '../../../src/cli/inspect/render.ts'
import { utf8 } from '../../../src/core/bytes.ts'
import { take } from '../../../src/core/outcome.ts'
import {
  answer,
  chainPem,
  FMSPC,
  qeIdentityOf,
  quoteCollateral,
  tcbInfoOf,
} from '../../attestation/dcap/intel-authority.ts'
import { describeEvidence, evidence } from '../../support/evidence.ts'
import { widest } from '../run.ts'

const file = (name: string, content: string | Uint8Array): CollateralFile => ({
  name,
  bytes: typeof content === 'string' ? utf8(content) : content,
})
const seen = async (...files: readonly CollateralFile[]) => take(await inspect(files))

describe('Intel’s documents', () => {
  test('a TCB info: what it is about, its dates, every level, and who may have signed it', async () => {
    const { collateral, unread } = await seen(file('tcb.json', answer(tcbInfoOf('TDX'))), file('chain', chainPem()))
    expect(unread).toEqual([])
    expect(collateral.map((c) => c.kind)).toEqual(['certificates', 'intel-document'])
    expect(collateral[1]).toMatchObject({
      ...{ document: 'tcb-info', id: 'TDX', version: 3, fmspc: FMSPC, pceId: '0000', tcbEvaluationDataNumber: 20 },
      ...{ issueDate: '2026-07-20T00:00:00Z', nextUpdate: '2026-08-19T00:00:00Z' },
      groups: [
        {
          of: 'platform',
          levels: [
            { status: 'UpToDate', pceSvn: 13, advisoryIds: [] },
            { status: 'OutOfDate', tcbDate: '2024-03-13T00:00:00Z', advisoryIds: ['INTEL-SA-01036'] },
          ],
        },
        { of: 'module TDX_01', levels: [{ isvSvn: 7 }, { isvSvn: 4, status: 'OutOfDate' }] },
      ],
      certificates: [{ commonName: 'Intel SGX TCB Signing' }, { commonName: 'Intel SGX Root CA' }],
    })
  })

  test('an identity, and that its signer is not here', async () => {
    const inspection = await seen(file('qe.json', answer(qeIdentityOf('SGX'))))
    expect(inspection.collateral).toMatchObject([
      { document: 'qe-identity', id: 'QE', mrSigner: 'dc'.repeat(32), isvProdId: 2, certificates: [] },
    ])
    expect(renderInspection(inspection, false)).toContain('the document cannot be proved')
  })

  test('one that cannot be read is told in words of its own technology', async () => {
    const bad = { ...tcbInfoOf('SGX'), tcbType: 1 }
    const { collateral, unread } = await seen(file('a', answer(bad)), file('b', answer(qeIdentityOf('TDX'))))
    expect(collateral.map((c) => c.kind)).toEqual(['intel-document'])
    expect(unread.map((p) => [p.code, p.path])).toEqual([['SGX_COLLATERAL_MALFORMED', 'tcbInfo/tcbType']])
  })

  test('the collateral of a quote fits 100 columns', async () => {
    const text = renderInspection(await seen(file('collateral.json', JSON.stringify(quoteCollateral()))), false)
    expect(widest(text)).toBeLessThanOrEqual(100)
    for (const said of [
      'Intel TCB info',
      'identity of a quoting enclave',
      'levels of the module TDX_01',
      'INTEL-SA-01099',
    ])
      expect(text).toContain(said)
  })
})

describeEvidence('intel/derived-tdx-v4-f51db4d1-00806f050000-ev19', () => {
  test('real collateral is shown whole', async () => {
    const bytes = evidence('intel/derived-tdx-v4-f51db4d1-00806f050000-ev19/collateral.json')
    const inspection = await seen(file('collateral.json', bytes))
    expect(inspection.unread).toEqual([])
    expect(inspection.collateral.map((c) => c.kind)).toEqual([
      ...['certificates', 'crl', 'crl', 'intel-document', 'intel-document'],
    ])
    expect(widest(renderInspection(inspection, true))).toBeLessThanOrEqual(100)
  })
})
