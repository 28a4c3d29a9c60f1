import { describe, expect, it } from 'vitest'
import { sevSnp } from '../../../src/attestation/sev-snp/index.ts'
import { Context, createVerificationCache } from '../../../src/core/context.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { amdMachine } from '../../../src/testing/amd/index.ts'
import { anchorFromCertificate } from '../../support/anchors.ts'
import { ACCEPTED, collateralOf, contextAt, verdictOf } from './support.ts'

describe('a report with one bit flipped', () => {
  it('is refused wherever the bit lies: in the 672 signed bytes and in the signature', async () => {
    const machine = amdMachine('bit flips')
    const anchors = [anchorFromCertificate(machine.trustedArk, 'amd/ark')]
    const { now } = contextAt(machine.at)
    const cache = createVerificationCache()
    const collateral = await collateralOf(contextAt(machine.at), machine.crl)
    const judge = (bytes: Uint8Array) => {
      const context = new Context({ now, anchors, crypto: nodeCrypto, cache })
      return sevSnp.verify(
        { id: 'cpu', kind: 'amd/snp-report', bytes, endorsements: [machine.table] },
        collateral,
        context,
      )
    }
    expect(verdictOf(await judge(machine.report))).toEqual(ACCEPTED)
    const codes = new Map<string, number>()
    for (let at = 0; at < machine.report.length; at++) {
      const flips = Array.from({ length: 8 }, (_, bit) =>
        machine.report.with(at, (machine.report[at] ?? 0) ^ (1 << bit)),
      )
      for (const judgement of await Promise.all(flips.map(judge))) {
        expect(judgement.claims).toBeUndefined()
        const code = judgement.faults[0]?.code ?? 'accepted'
        codes.set(code, (codes.get(code) ?? 0) + 1)
      }
    }
    expect([...codes.values()].reduce((a, b) => a + b)).toBe(1184 * 8)
    expect([...codes.keys()].sort()).toEqual([
      'SNP_POLICY_RESERVED_BIT',
      'SNP_PRODUCT_MISMATCH',
      'SNP_REPORT_MALFORMED',
      'SNP_RESERVED_NOT_ZERO',
      'SNP_SIGNATURE_ALGORITHM',
      'SNP_SIGNATURE_INVALID',
      'SNP_SIGNATURE_NOT_CANONICAL',
      'SNP_SIGNER_KIND_MISMATCH',
      'SNP_SIGNER_UNSUPPORTED',
      'SNP_VCEK_CHIP_MISMATCH',
      'SNP_VCEK_TCB_MISMATCH',
      'SNP_VERSION_UNSUPPORTED',
      'SNP_VMPL_MISMATCH',
    ])
  })
})
