import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { SgxClaims, TdxClaims } from '../../../src/attestation/claims.ts'
import type { Tee } from '../../../src/attestation/dcap/model.ts'
import { kindOf } from '../../../src/attestation/registry.ts'
import { decodeSgxQuote } from '../../../src/attestation/sgx/index.ts'
import { decodeTdxQuote } from '../../../src/attestation/tdx/index.ts'
import { copyOf } from '../../../src/core/bytes.ts'
import { createVerificationCache } from '../../../src/core/context.ts'
import { toHex } from '../../../src/core/encodings.ts'
import { PINNED_ANCHORS } from '../../../src/core/trust-anchors.ts'
import { describeEvidence, evidence, evidenceJson, evidencePath, hasEvidence } from '../../support/evidence.ts'
import { faultCodes, judge, judgeReal, PROVED, refusalsOf, refusedWith } from './support.ts'

interface Case {
  readonly verificationTime?: number
  readonly quoteFacts?: {
    readonly version: number
    readonly fmspc?: string
    readonly pceid?: string
    readonly pcesvn?: number
    readonly sgxComponents?: readonly number[]
    readonly pckCa?: string
  }
  readonly parsed?: Readonly<Record<string, string | number | readonly string[]>>
}

/** Of cases that state no time: when the youngest certificate among them was a few months old. */
const UNSTATED = 1785542400

/** What is refused, and why: appended text, and a PCK certificate that nobody has. */
const REFUSED: Readonly<Record<string, ReturnType<typeof refusedWith>>> = {
  'tdx-v4-gotdx-spr-e4-outofdate': refusedWith('TDX_TRAILING_BYTES'),
  'sgx-v3-oasis-eppid-cert3': refusedWith('SGX_PCK_CERT_MISSING'),
}

const teeOf = (bytes: Uint8Array): Tee => (kindOf(bytes) === 'intel/tdx-quote' ? 'TDX' : 'SGX')
const decode = (bytes: Uint8Array) =>
  teeOf(bytes) === 'TDX' ? decodeTdxQuote(bytes, 'quote') : decodeSgxQuote(bytes, 'quote')

const casesIn = (folder: string): string[] =>
  readdirSync(evidencePath(folder))
    .filter((name) => hasEvidence(`${folder}/${name}/quote.bin`) && hasEvidence(`${folder}/${name}/case.json`))
    .sort()

describeEvidence('intel', () => {
  const cases = casesIn('intel')

  it('holds quotes of versions 3, 4 and 5', () => {
    expect(cases.length).toBeGreaterThan(50)
    expect(new Set(cases.map((c) => evidence(`intel/${c}/quote.bin`)[0]))).toEqual(new Set([3, 4, 5]))
  })

  it.each(cases)('%s is proved under the pinned root, and says what the case says', async (name) => {
    const about = evidenceJson<Case>(`intel/${name}/case.json`)
    const bytes = evidence(`intel/${name}/quote.bin`)
    const judgement = await judgeReal(bytes, teeOf(bytes), about.verificationTime ?? UNSTATED)
    expect(refusalsOf(judgement), JSON.stringify(judgement.faults)).toEqual(REFUSED[name] ?? PROVED)
    if (judgement.claims === undefined) return
    const claims = judgement.claims.value as TdxClaims | SgxClaims
    expect(judgement.hardwareId).toMatch(/^intel-platform:[0-9a-f]{64}$/)
    expect(judgement.injectedAnchors).toEqual([])
    const { quoteFacts: facts, parsed } = about
    if (facts !== undefined) {
      expect(claims).toMatchObject({
        quoteVersion: facts.version,
        pck: {
          fmspc: facts.fmspc?.toLowerCase(),
          pceId: facts.pceid?.toLowerCase(),
          pceSvn: facts.pcesvn,
          sgxTcbComponents: facts.sgxComponents,
          ca: facts.pckCa,
        },
      })
    }
    for (const [field, value] of Object.entries(parsed ?? {})) {
      const ours: Readonly<Record<string, unknown>> = { ...claims, ...renamed(claims) }
      if (field !== 'header' && field !== 'bodyType') expect([field, ours[field]]).toEqual([field, value])
    }
  })
})

/** Fields that the cases name or write otherwise. */
function renamed(claims: TdxClaims | SgxClaims): Readonly<Record<string, unknown>> {
  return claims.kind === 'intel/tdx-quote'
    ? { rtmr: claims.rtmrs, tdAttributes: claims.tdAttributesRaw }
    : { attributes: claims.flags + claims.xfrm, miscSelect: Number.parseInt(claims.miscSelect, 16) }
}

describeEvidence('tpm-and-clouds/azure-tdx-evidence-v0', () => {
  it.each(['azure-tdx-evidence-v0', 'azure-hcl-tdx-trustee'])('%s has a quote that decodes', (name) => {
    const bytes = evidence(`tpm-and-clouds/${name}/td-quote.bin`)
    expect(kindOf(bytes)).toBe('intel/tdx-quote')
    expect(faultCodes(decode(bytes))).toEqual([])
  })
})

const V4 = 'intel/derived-tdx-v4-149ed840-b0c06f000000-ev17'
const V5 = 'intel/tdx-v5-automata-trustee-0625'
const V3 = 'intel/sgx-v3-oasis-2022'

describeEvidence(V4, () => {
  it.each([
    [V4, 'TDX_SIZE_MISMATCH'],
    [V5, 'TDX_SIZE_MISMATCH'],
    [V3, 'SGX_FORMAT_INVALID'],
  ])('%s is refused cut at every byte', (path, code) => {
    const quote = evidence(`${path}/quote.bin`)
    const tee = teeOf(quote)
    const cut = (n: number) =>
      tee === 'TDX' ? decodeTdxQuote(quote.subarray(0, n), 'quote') : decodeSgxQuote(quote.subarray(0, n), 'quote')
    const codes = new Set(Array.from({ length: quote.length }, (_, n) => faultCodes(cut(n)).join()))
    expect([...codes]).toEqual([code])
    expect(cut(quote.length).ok).toBe(true)
  })

  it.each([V4, V5, V3])('%s decodes or is refused with any byte of its header, lengths and types changed', (path) => {
    const quote = evidence(`${path}/quote.bin`)
    const start = path === V4 ? 632 : path === V5 ? 702 : 432
    const qeAuthAt = start + 4 + 128 + (path === V3 ? 0 : 6) + 448
    const places = [
      ...Array.from({ length: 54 }, (_, at) => at),
      ...Array.from({ length: 4 }, (_, i) => start + i),
      ...Array.from({ length: 6 }, (_, i) => start + 132 + i),
      qeAuthAt,
      qeAuthAt + 1,
      ...Array.from({ length: 6 }, (_, i) => qeAuthAt + 34 + i),
    ]
    for (const at of places) {
      for (const value of [0, 1, 2, 3, 5, 6, 7, 0x7f, 0x80, 0xff])
        expect(typeof decode(quote.with(at, value)).ok).toBe('boolean')
    }
  })
})

/** How often each code came back when every bit from `from` to `to` was flipped, one at a time. */
async function flips(path: string, from: number, to: number): Promise<Record<string, number>> {
  const quote = evidence(`${path}/quote.bin`)
  const tee = teeOf(quote)
  const { verificationTime: at = UNSTATED } = evidenceJson<Case>(`${path}/case.json`)
  const cache = createVerificationCache()
  const how = { tee, at, anchors: PINNED_ANCHORS, cache }
  expect(refusalsOf(await judge(quote, how))).toEqual(PROVED)
  const counts: Record<string, number> = {}
  for (let offset = from; offset < to; offset++) {
    const bits = Array.from({ length: 8 }, (_, bit) => quote.with(offset, (quote[offset] ?? 0) ^ (1 << bit)))
    for (const judgement of await Promise.all(bits.map((bytes) => judge(copyOf(bytes), how)))) {
      const { codes, proved } = refusalsOf(judgement)
      const told = proved ? `proved with bit of ${toHex(Uint8Array.of(offset >> 8, offset))}` : codes.join()
      counts[told] = (counts[told] ?? 0) + 1
    }
  }
  return counts
}

describe('a genuine quote with one bit flipped', () => {
  describeEvidence(V4, () => {
    it('is refused wherever the bit lies in what the attestation key signed', { timeout: 120_000 }, async () => {
      expect(await flips(V4, 0, 632)).toEqual({
        TDX_SIGNATURE_INVALID: 4760,
        TDX_QE_VENDOR_UNKNOWN: 128,
        TDX_ATTRIBUTE_RESERVED_BIT: 104,
        ENV_KIND_MISMATCH: 32,
        TDX_KEY_TYPE_UNSUPPORTED: 16,
        TDX_VERSION_UNSUPPORTED: 15,
        TDX_BODY_TYPE_INVALID: 1,
      })
    })
    it('is refused wherever the bit lies in signature, key and quoting enclave', { timeout: 120_000 }, async () => {
      expect(await flips(V4, 632, 1258)).toEqual({
        TDX_QE_SIGNATURE_INVALID: 2640,
        TDX_CERT_DATA_INVALID: 1056,
        TDX_QE_BINDING_INVALID: 768,
        TDX_SIGNATURE_INVALID: 512,
        TDX_SIZE_MISMATCH: 27,
        TDX_TRAILING_BYTES: 5,
      })
    })
  })
  describeEvidence(V3, () => {
    it('is refused wherever the bit lies in what the attestation key signed', { timeout: 120_000 }, async () => {
      expect(await flips(V3, 0, 432)).toEqual({
        SGX_RESERVED_NOT_ZERO: 1784,
        SGX_SIGNATURE_INVALID: 1479,
        SGX_FORMAT_INVALID: 161,
        ENV_KIND_MISMATCH: 32,
      })
    })
  })
})
