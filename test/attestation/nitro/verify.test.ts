import { describe, expect, it } from 'vitest'
import type { Code } from '../../../src/core/codes.ts'
import { toHex } from '../../../src/core/encodings.ts'
import {
  crl,
  NITRO_FAULTS,
  type NitroChain,
  type NitroFault,
  type NitroRole,
  nitroDocument,
} from '../../../src/testing/index.ts'
import { codesIn, judge, judgeBytes, NOW, SEED } from './support.ts'

describe('verifyNitroDocument', () => {
  it('proves a document and says what it says', async () => {
    const [nonce, userData, publicKey] = [1, 2, 3].map((n) => new Uint8Array(64).fill(n))
    const made = nitroDocument(SEED, { nonce: nonce ?? null, userData: userData ?? null, publicKey: publicKey ?? null })
    const judgement = await judgeBytes(made.document)
    expect(judgement).toMatchObject({
      id: 'cpu',
      kind: 'aws/nitro',
      faults: [],
      hardwareId: undefined,
      injectedAnchors: ['injected/aws.nitro-enclaves'],
      revocation: [{ chain: 'aws-nitro', status: 'notGiven', stapled: false, faults: [] }],
    })
    expect(judgement.claims?.value).toEqual({
      kind: 'aws/nitro',
      moduleId: 'i-0123456789abcdef0-enc0123456789abcdef',
      digest: 'SHA384',
      timestamp: NOW * 1000,
      pcrs: made.pcrs.map((value, index) => ({ index, value: toHex(value) })),
      publicKey: '03'.repeat(64),
      userData: '02'.repeat(64),
      nonce: '01'.repeat(64),
    })
    expect(judgement.collateral.map((u) => u.kind)).toEqual(new Array(4).fill('x509-certificate'))
  })

  it('takes tag 18 around a document, and no data of the caller', async () => {
    const judgement = await judge({ plan: (plan) => ({ ...plan, sign1: { ...plan.sign1, isTagged: true } }) })
    expect(codesIn(judgement)).toEqual([])
    expect(judgement.claims?.value).toMatchObject({ nonce: undefined, userData: undefined, publicKey: undefined })
  })

  it('proves a document of debug mode and refuses it beside its claims', async () => {
    const judgement = await judge({ wrong: 'pcrs-zero' })
    expect(codesIn(judgement)).toEqual(['NITRO_DEBUG'])
    expect(judgement.claims?.value.kind).toBe('aws/nitro')
  })

  // Those of a row are judged end to end in the catalogue.
  const CODES: Partial<Record<NitroFault, Code>> = {
    'array-of-three': 'COSE_MALFORMED',
    'wrong-tag': 'CBOR_UNEXPECTED_ITEM',
    'signature-other-key': 'COSE_SIGNATURE_INVALID',
    'signature-swapped': 'COSE_SIGNATURE_INVALID',
    'signature-short': 'COSE_SIGNATURE_INVALID',
    'module-id-empty': 'NITRO_DOCUMENT_INVALID',
    'user-data-too-long': 'NITRO_DOCUMENT_INVALID',
    'public-key-empty': 'NITRO_DOCUMENT_INVALID',
    'foreign-root': 'X509_ROOT_UNTRUSTED',
    'bundle-reversed': 'X509_ROOT_UNTRUSTED',
    'bundle-without-root': 'X509_ROOT_UNTRUSTED',
    'bundle-without-zone': 'X509_NAME_CHAIN',
    'bundle-extra': 'X509_NAME_CHAIN',
    'bundle-empty': 'NITRO_DOCUMENT_INVALID',
    'bundle-too-long': 'LIMIT_CERT_COUNT',
    'bundle-other-root': 'X509_ROOT_UNTRUSTED',
    'zone-expired': 'X509_VALIDITY',
    'zone-elsewhere': 'ENV_FETCH_FROM_INPUT',
  }
  it.each(Object.entries(CODES) as [NitroFault, Code][])('refuses %s with %s', async (wrong, code) => {
    const judgement = await judge({ wrong })
    expect(codesIn(judgement)).toEqual([code])
    expect(judgement.claims).toBeUndefined()
  })

  it('knows each fault of the kit: by a row, by the table above, or by the challenge', () => {
    const others = ['nonce-missing', 'nonce-in-user-data']
    const loose = Object.entries(NITRO_FAULTS).filter(
      ([name, fault]) => !('row' in fault) && !(name in CODES) && !others.includes(name),
    )
    expect(loose.map(([name]) => name)).toEqual([])
  })

  it.each(['nonce-missing', 'nonce-in-user-data'] as const)(
    'proves %s: the set judges what it answers',
    async (wrong) => {
      expect(codesIn(await judge({ nonce: new Uint8Array(64).fill(1), wrong }))).toEqual([])
    },
  )

  it('judges by the second: the whole life of the key, and a minute of clock before it', async () => {
    const { document } = nitroDocument(SEED)
    const at = async (now: number) => codesIn(await judgeBytes(document, { now }))
    expect(await at(NOW)).toEqual([])
    // The key is born three seconds before the document.
    expect(await at(NOW - 3)).toEqual([])
    expect(await at(NOW - 4)).toEqual(['NITRO_TIMESTAMP'])
    expect(await at(NOW + 3 * 3600)).toEqual([])
    expect(await at(NOW + 3 * 3600 + 1)).toEqual(['NITRO_TIMESTAMP'])
  })

  it('allows the module a minute of clock, to the millisecond', async () => {
    const stamped = async (ms: number) =>
      codesIn(
        await judge({
          plan: (plan) => ({
            ...plan,
            payload: plan.payload.map(([key, value], i) => [key, i === 2 ? integerOf(NOW * 1000 + ms) : value]),
          }),
        }),
      )
    expect(await stamped(60_999)).toEqual([])
    expect(await stamped(61_000)).toEqual(['NITRO_TIMESTAMP'])
    expect(await stamped(-3000)).toEqual([])
    expect(await stamped(-3001)).toEqual(['NITRO_TIMESTAMP'])
  })
})

const integerOf = (value: number): Uint8Array => {
  const out = new Uint8Array(9)
  out[0] = 0x1b
  new DataView(out.buffer).setBigUint64(1, BigInt(value))
  return out
}

describe('revocation', () => {
  const { chain } = nitroDocument(SEED)
  const list = (issuer: NitroRole, revoked: readonly NitroRole[] = [], more: Partial<Parameters<typeof crl>[0]> = {}) =>
    crl({
      issuer: chain[issuer].subject,
      signer: chain[issuer].key,
      thisUpdate: '2026-07-31T00:00:00Z',
      nextUpdate: '2026-08-02T00:00:00Z',
      revoked: revoked.map((role: keyof NitroChain) => ({ serial: chain[role].serial, date: '2026-07-31T00:00:00Z' })),
      ...more,
    })
  const judged = (crls: readonly Uint8Array[], origin: 'verifier' | 'evidence' = 'verifier') =>
    judge({}, { crls, origin })
  const statusOf = async (crls: readonly Uint8Array[], origin?: 'verifier' | 'evidence') => {
    const { faults, revocation } = await judged(crls, origin)
    expect(faults).toEqual([])
    return revocation.map((r) => [r.chain, r.status, r.stapled, ...r.faults.map((f) => f.code)])
  }

  it('is good where root and region answer', async () => {
    expect(await statusOf([list('root'), list('region')])).toEqual([['aws-nitro', 'good', false]])
    expect(await statusOf([list('root'), list('region')], 'evidence')).toEqual([['aws-nitro', 'good', true]])
    const { collateral } = await judged([list('root'), list('region')])
    expect(collateral.filter((u) => u.kind === 'x509-crl')).toHaveLength(2)
  })

  it('is unknown where one of them does not', async () => {
    expect(await statusOf([list('root')])).toEqual([['aws-nitro', 'unknown', false, 'CRL_MISSING']])
    const stale = list('region', [], { nextUpdate: '2026-07-31T12:00:00Z' })
    expect(await statusOf([list('root'), stale])).toEqual([['aws-nitro', 'unknown', false, 'CRL_STALE']])
    const future = list('region', [], { thisUpdate: '2026-08-01T12:00:00Z' })
    expect(await statusOf([list('root'), future])).toEqual([['aws-nitro', 'unknown', false, 'CRL_TIME_INVALID']])
  })

  it('does not listen to a list under the right name and another key', async () => {
    const forged = list('region', ['zone'], { signer: chain.zone.key })
    expect(await statusOf([list('root'), forged])).toEqual([['aws-nitro', 'unknown', false, 'CRL_MISSING']])
    expect(await statusOf([list('root'), list('region'), forged])).toEqual([['aws-nitro', 'good', false]])
  })

  it.each<readonly [NitroRole, NitroRole]>([
    ['root', 'region'],
    ['region', 'zone'],
  ])('refuses where the list of the %s names the %s', async (issuer, revoked) => {
    expect(codesIn(await judged([list(issuer, [revoked])]))).toEqual(['X509_REVOKED'])
    const stale = list(issuer, [revoked], { nextUpdate: '2026-07-31T12:00:00Z' })
    expect(codesIn(await judged([stale]))).toEqual(['X509_REVOKED'])
  })

  it('refuses a list by an authority that may not sign one', async () => {
    expect(await statusOf([list('root'), list('region'), list('instance', ['leaf'])])).toEqual([
      ['aws-nitro', 'good', false],
    ])
  })
})
