import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CollateralFile } from '../../../src/attestation/collateral.ts'
import type { Inspection } from '../../../src/cli/inspect/model.ts'
import { inspect } from '../../../src/cli/inspect/read.ts'
import { renderInspection } from '../../../src/cli/inspect/render.ts'
import { toBase64 } from '../../../src/core/encodings.ts'
import { take } from '../../../src/core/outcome.ts'
import { amdMachine, hclReport, pem, sgxMachine, tdxMachine, tpmQuote } from '../../../src/testing/index.ts'
import { fixture, widest } from '../run.ts'

const file = (name: string, bytes: Uint8Array): CollateralFile => ({ name, bytes })
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const fromFixture = (path: string): CollateralFile => file(basename(path), new Uint8Array(readFileSync(fixture(path))))
const seen = async (...files: readonly CollateralFile[]): Promise<Inspection> => take(await inspect(files))
const refusal = async (...files: readonly CollateralFile[]) => {
  const outcome = await inspect(files)
  return outcome.ok ? [] : outcome.faults.map((f) => f.code)
}

const machine = amdMachine('inspect')
const report = file('report.bin', machine.report)

describe('evidence in every carrier', () => {
  test('raw', async () => {
    expect(await seen(report)).toMatchObject({
      schema: 'vouchsafe/inspection/1',
      verified: false,
      envelope: { carrier: 'raw', binding: 'raw' },
      items: [{ id: 'cpu', kind: 'amd/snp-report', sizeBytes: 1184, problems: [], certificates: [] }],
      collateral: [],
      unread: [],
      ignored: [],
    })
  })

  test('Akash quote response: what it says of itself, its items, their certificates', async () => {
    const { envelope, items } = await seen(fromFixture('evidence/accepted.json'))
    expect(envelope).toEqual({ carrier: 'akash/aep-83', binding: 'raw', platformLabel: 'snp-gpu', tlsBound: false })
    expect(items.map((i) => [i.id, i.kind, i.certificates.length])).toEqual([
      ['cpu', 'amd/snp-report', 3],
      ['gpu-0', 'nvidia/gpu-report', 5],
    ])
  })

  test('the generic bundle, with its key', async () => {
    const items = [
      { id: 'cpu', format: 'amd/snp-report', data: toBase64(machine.report), certs: [toBase64(machine.vek)] },
    ]
    const key = { spki: toBase64(Uint8Array.of(1, 2, 3)), domain: 'vouchsafe/1' }
    const { envelope, items: shown } = await seen(
      file('bundle', json({ kind: 'vouchsafe/1', items, binding: 'composite', key })),
    )
    expect(envelope).toEqual({
      carrier: 'vouchsafe/bundle',
      binding: 'composite',
      key: { domain: 'vouchsafe/1', spkiSha256: '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81' },
    })
    expect(shown[0]?.certificates.map((c) => c.commonName)).toEqual(['SEV-VCEK'])
  })

  test('a folder: reports, collateral, and what is neither', async () => {
    const list = file('amd.crl', machine.crl)
    const chain = file('chain.pem', new TextEncoder().encode(machine.chainPem))
    const { items, collateral, ignored } = await seen(report, list, chain, file('notes.txt', json('…').subarray(1)))
    expect(items.map((i) => i.id)).toEqual(['cpu'])
    expect(collateral.map((c) => c.kind)).toEqual(['certificates', 'crl'])
    expect(ignored).toEqual(['notes.txt'])
  })

  test('endorsements that cannot be read are told beside the report', async () => {
    const bundle = {
      kind: 'vouchsafe/1',
      items: [{ id: 'cpu', format: 'amd/snp-report', data: toBase64(machine.report), certs: ['AAAA'] }],
    }
    const [item] = (await seen(file('bundle', json(bundle)))).items
    expect(item?.problems.map((p) => p.code)).toEqual(['SNP_CERT_TABLE_INVALID'])
    expect(item?.sections).toHaveLength(1)
  })

  test('Azure’s carrier: the report in it, and what its report data cover', async () => {
    const [item] = (await seen(file('hcl', hclReport(machine.report)))).items
    expect(item?.kind).toBe('amd/snp-report')
    expect(item?.sections.at(-1)?.title).toContain('Azure runtime data')
    // A TDREPORT is no evidence; it is shown all the same.
    const [tdx] = (await seen(file('hcl', hclReport(new Uint8Array(1024), { hardware: 'tdx' })))).items
    expect(tdx?.sections.map((section) => section.title)[0]).toBe('Azure HCL report of TDX')
  })

  test('a TPM quote, and its parts by themselves', async () => {
    const { quote, attest, akPublic, certificates } = tpmQuote('inspect')
    const certs = certificates.map(toBase64)
    const [item] = (await seen(file('quote', json({ ...quote, certs })))).items
    expect(item?.sections.map((section) => section.title)).toEqual([
      'TPMS_ATTEST of a quote over sha256:0,1,2,3,4,5,6,7,8,9,11, ECDSA sha256',
      'TPMT_PUBLIC, P-256, named under sha256, ECDSA sha256',
      'PCR values of the bank sha256, as they were shown',
    ])
    expect(item?.certificates).toHaveLength(2)
    const titleOf = async (bytes: Uint8Array) => (await seen(file('part', bytes))).items[0]?.sections[0]?.title
    expect(await titleOf(attest)).toContain('TPMS_ATTEST')
    expect(await titleOf(akPublic)).toContain('TPMT_PUBLIC')
    const [wrong] = (await seen(file('part', attest.subarray(0, -1)))).items
    expect(wrong?.problems.map((p) => p.code)).toEqual(['TPM_SIZE_MISMATCH'])
  })
})

describe('collateral by itself', () => {
  test('certificates in PEM and in DER', async () => {
    for (const bytes of [machine.vek, new TextEncoder().encode(pem(machine.vek))]) {
      const { envelope, items, collateral } = await seen(file('vcek', bytes))
      expect(envelope).toBeUndefined()
      expect(items).toEqual([])
      expect(collateral).toMatchObject([{ kind: 'certificates', certificates: [{ commonName: 'SEV-VCEK' }] }])
    }
  })

  test('a revocation list', async () => {
    const { collateral } = await seen(fromFixture('collateral/amd/vcek-genoa.crl'))
    expect(collateral).toMatchObject([
      {
        kind: 'crl',
        issuer: expect.stringContaining('CN=ARK-Genoa'),
        algorithm: 'PS384',
        thisUpdate: '2026-07-02T00:00:00Z',
        nextUpdate: '2027-07-02T00:00:00Z',
        revoked: [{ serial: '020001', at: '2022-10-31T12:00:00Z' }],
      },
    ])
  })

  test('an OCSP answer', async () => {
    const { collateral } = await seen(fromFixture('collateral/nvidia/ocsp-gpu-0-identity.der'))
    expect(collateral).toMatchObject([
      {
        kind: 'ocsp',
        algorithm: 'ES384',
        producedAt: '2026-07-31T23:00:00Z',
        responses: [
          { status: 'good', hash: 'sha384', thisUpdate: '2026-07-31T23:00:00Z', nextUpdate: '2026-08-02T00:00:00Z' },
        ],
        certificates: [{ commonName: 'NVIDIA OCSP Responder' }],
      },
    ])
  })

  test('a manifest, and who signed it', async () => {
    const { collateral } = await seen(fromFixture('collateral/nvidia/NV_GPU_DRIVER_GH100_580.159.03.xml'))
    const [rim] = collateral
    if (rim?.kind !== 'rim') throw new TypeError('not a manifest')
    expect(rim).toMatchObject({ product: 'GH100', edition: 'GPU', version: '580.159.03' })
    expect(rim.values).toHaveLength(64)
    expect(rim.values.filter((v) => v.active).every((v) => v.alternatives.every((a) => /^[0-9a-f]{96}$/.test(a)))).toBe(
      true,
    )
    expect(rim.certificates.some((c) => c.imitates === 'nvidia/NVIDIA CoRIM signing Root CA')).toBe(true)
  })

  test('what cannot be read beside what can is told', async () => {
    const { collateral, unread } = await seen(
      file('a.der', machine.vek),
      file('b.xml', new TextEncoder().encode('<a></b>')),
    )
    expect(collateral).toHaveLength(1)
    expect(unread.map((p) => p.code)).toEqual(['XML_SYNTAX'])
  })

  test('a broken carrier among collateral is not hidden by it', async () => {
    const mock = { tee_platform: 'snp', report: toBase64(new TextEncoder().encode('MOCK report')) }
    const { collateral, unread } = await seen(file('a.json', json(mock)), file('vcek.der', machine.vek))
    expect(collateral).toHaveLength(1)
    expect(unread.map((p) => p.code)).toContain('ENV_MOCK_EVIDENCE')
  })
})

describe('what is neither', () => {
  test.each([
    ['nothing', new Uint8Array(), 'ENV_EVIDENCE_EMPTY'],
    ['noise', new Uint8Array(100).fill(7), 'ENV_UNREADABLE'],
    ['JSON of no carrier', json({ hello: 1 }), 'ENV_UNREADABLE'],
    ['a cut certificate', machine.vek.subarray(0, 500), 'DER_TRUNCATED'],
    ['a cut PEM block', new TextEncoder().encode('-----BEGIN CERTIFICATE-----\nAAAA\n'), 'PEM_INVALID'],
    ['XML that is no manifest', new TextEncoder().encode('<html/>'), 'RIM_SIGNATURE_COUNT'],
    ['mock evidence', new TextEncoder().encode('MOCK and so on'), 'ENV_MOCK_EVIDENCE'],
  ])('%s', async (_, bytes, code) => {
    const outcome = await inspect([file('x', bytes)])
    const codes = outcome.ok ? outcome.value.unread.map((p) => p.code) : outcome.faults.map((f) => f.code)
    expect(codes).toEqual([code])
  })

  test('no files', async () => {
    expect(await refusal()).toEqual(['ENV_NOTHING_TO_JUDGE'])
  })

  test('any bytes give a picture or faults, and never a throw', async () => {
    const starts = [
      machine.report,
      machine.vek,
      machine.crl,
      machine.table,
      tdxMachine('inspect').quote,
      sgxMachine('inspect').quote,
      fromFixture('evidence/accepted.json').bytes,
    ]
    const mutated = fc
      .tuple(fc.constantFrom(...starts), fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 }))
      .map(([bytes, at, noise]) => {
        const copy = bytes.slice()
        copy.set(noise.subarray(0, copy.length - (at % copy.length)), at % copy.length)
        return copy
      })
    const property = fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), async (bytes) => {
      const outcome = await inspect([file('x', bytes)])
      if (outcome.ok) expect(renderInspection(outcome.value, true)).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
    })
    await fc.assert(property, { numRuns: 300, seed: 1 })
  })
})

describe('the picture for people', () => {
  test('says first that nothing is verified, and fits 100 columns', async () => {
    const folders = ['collateral/nvidia', 'collateral/amd']
    const beside = folders.flatMap((folder) => readdirSync(fixture(folder)).map((name) => join(folder, name)))
    const files = ['evidence/accepted.json', ...beside].map(fromFixture)
    const text = renderInspection(await seen(...files), false)
    expect(text.split('\n')[0]).toBe(
      'Nothing here is verified: these are bytes and what they say. `vouchsafe verify` judges them.',
    )
    expect(widest(text)).toBeLessThanOrEqual(100)
    for (const title of ['Opaque data', 'OCSP answer', 'Certificate revocation list', 'reference manifest'])
      expect(text).toContain(title)
  })

  test.each(readdirSync(fixture('evidence')))('%s fits 100 columns', async (name) => {
    const inspection = await seen(fromFixture(join('evidence', name)))
    for (const full of [false, true]) expect(widest(renderInspection(inspection, full))).toBeLessThanOrEqual(100)
  })

  test('long values are shortened unless they are asked for', async () => {
    const inspection = await seen(report)
    const whole = Buffer.from(machine.report.subarray(0x90, 0xc0)).toString('hex')
    expect(renderInspection(inspection, false)).toContain(`${whole.slice(0, 16)}…`)
    expect(renderInspection(inspection, false)).not.toContain(whole.slice(0, 17))
    expect(renderInspection(inspection, true).replace(/\n\s+/g, '')).toContain(whole)
  })
})
