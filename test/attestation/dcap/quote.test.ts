import { describe, expect, it } from 'vitest'
import type { Tee } from '../../../src/attestation/dcap/model.ts'
import { kindOf } from '../../../src/attestation/registry.ts'
import { decodeSgxQuote } from '../../../src/attestation/sgx/index.ts'
import { decodeTdxQuote } from '../../../src/attestation/tdx/index.ts'
import { concatBytes } from '../../../src/core/bytes.ts'
import { faultCodes, goodChain, type QuotePlan, quoteOf, TOLD } from './support.ts'

const decodeAs = (tee: Tee, bytes: Uint8Array) =>
  tee === 'TDX' ? decodeTdxQuote(bytes, 'quote') : decodeSgxQuote(bytes, 'quote')
const codes = (tee: Tee, bytes: Uint8Array) => faultCodes(decodeAs(tee, bytes))

const SHAPES: readonly (readonly [name: string, QuotePlan & { tee: Tee }, authLengthAt: number])[] = [
  ['SGX 3', { tee: 'SGX', version: 3 }, 432],
  ['SGX 4', { tee: 'SGX', version: 4 }, 432],
  ['SGX 5', { tee: 'SGX', version: 5 }, 438],
  ['TDX 4', { tee: 'TDX', version: 4 }, 632],
  ['TDX 5, TD 1.0', { tee: 'TDX', version: 5, bodyType: 2 }, 638],
  ['TDX 5, TD 1.5', { tee: 'TDX', version: 5, bodyType: 3 }, 702],
]

const edited = (bytes: Uint8Array, edit: (view: DataView) => void): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  edit(new DataView(copy.buffer))
  return copy
}
const inWords = (tee: Tee, tdx: string): string[] => [tee === 'TDX' ? tdx : 'SGX_FORMAT_INVALID']

describe.each(SHAPES)('a quote of %s', (_, plan, authLengthAt) => {
  const { tee } = plan
  const quote = quoteOf(plan)
  const other: Tee = tee === 'TDX' ? 'SGX' : 'TDX'

  it('decodes, and is recognised as what it is', () => {
    expect(codes(tee, quote)).toEqual([])
    expect(kindOf(quote)).toBe(tee === 'TDX' ? 'intel/tdx-quote' : 'intel/sgx-quote')
  })

  it('decodes with zeros behind it, up to 8,192 bytes in all', () => {
    for (const sizeBytes of [quote.length + 1, 5006, 8000, 8192]) {
      expect(codes(tee, concatBytes(quote, new Uint8Array(Math.max(0, sizeBytes - quote.length))))).toEqual([])
    }
    expect(codes(tee, concatBytes(quote, new Uint8Array(8193 - quote.length)))).toEqual(
      inWords(tee, 'TDX_TRAILING_BYTES'),
    )
    for (const tail of [Uint8Array.of(1), Uint8Array.of(...new Array(40).fill(0), 1)]) {
      expect(codes(tee, concatBytes(quote, tail))).toEqual(inWords(tee, 'TDX_TRAILING_BYTES'))
    }
  })

  it('is refused by the decoder of the other TEE', () => {
    expect(codes(other, quote)).toEqual([
      other === 'TDX' && plan.version === 3 ? 'TDX_VERSION_UNSUPPORTED' : 'ENV_KIND_MISMATCH',
    ])
  })

  it.each([0, 1, 2, 6, 255, 0xffff])('is refused with version %i', (version) => {
    expect(
      codes(
        tee,
        edited(quote, (v) => v.setUint16(0, version, true)),
      ),
    ).toEqual(inWords(tee, 'TDX_VERSION_UNSUPPORTED'))
  })

  it.each([0, 1, 3, 255])('is refused with attestation key type %i', (type) => {
    expect(
      codes(
        tee,
        edited(quote, (v) => v.setUint16(2, type, true)),
      ),
    ).toEqual(inWords(tee, 'TDX_KEY_TYPE_UNSUPPORTED'))
  })

  it('is refused with any other QE vendor', () => {
    for (let at = 12; at < 28; at++) {
      const found = codes(
        tee,
        edited(quote, (v) => v.setUint8(at, v.getUint8(at) ^ 0x10)),
      )
      expect(found).toEqual(inWords(tee, 'TDX_QE_VENDOR_UNKNOWN'))
    }
  })

  it('is refused with a length that is not its own, whatever it is', () => {
    const rest = quote.length - authLengthAt - 4
    const behind = (n: number) =>
      codes(
        tee,
        edited(quote, (v) => v.setUint32(authLengthAt, n, true)),
      )
    for (const n of [rest + 1, 0x7fffffff, 0xffffffff]) expect(behind(n)).toEqual(inWords(tee, 'TDX_SIZE_MISMATCH'))
    for (const n of [0, 1, 64, 127, 500]) expect(behind(n)).toEqual(inWords(tee, 'TDX_TRAILING_BYTES'))
    // The last byte is the NUL behind the PEM: without it the quote is one byte of padding longer than its contents say.
    expect(behind(rest - 1)).toEqual([TOLD[tee].certData])
  })

  it('is refused where certification data do not fill what holds them', () => {
    const outer = plan.version === 3 ? [] : [authLengthAt + 4 + 128 + 2]
    const chainBytes = goodChain().length + 1
    const lengthAt = quote.length - chainBytes - 4
    for (const at of [...outer, lengthAt]) {
      for (const by of [-1, 1, -chainBytes]) {
        const found = codes(
          tee,
          edited(quote, (v) => v.setUint32(at, v.getUint32(at, true) + by, true)),
        )
        expect(found).toEqual([TOLD[tee].certData])
      }
    }
    const qeAuthAt = authLengthAt + 4 + 128 + (plan.version === 3 ? 0 : 6) + 448
    for (const n of [0, 31, 33, 0xffff]) {
      expect(
        codes(
          tee,
          edited(quote, (v) => v.setUint16(qeAuthAt, n, true)),
        ),
      ).toEqual([TOLD[tee].certData])
    }
  })

  it.each([0, 4, 6, 7, 8, 0xffff])('is refused with certification data of type %i', (type) => {
    expect(codes(tee, quoteOf({ ...plan, certification: { type, data: goodChain() } }))).toEqual([TOLD[tee].certData])
  })

  it.each([
    [1, 36],
    [2, 276],
    [3, 404],
  ])('takes certification data of type %i with exactly %i bytes', (type, sizeBytes) => {
    const withData = (n: number) => codes(tee, quoteOf({ ...plan, certification: { type, data: new Uint8Array(n) } }))
    expect(withData(sizeBytes)).toEqual([])
    for (const n of [0, sizeBytes - 1, sizeBytes + 1]) expect(withData(n)).toEqual([TOLD[tee].certData])
  })

  it('is refused where the QE report has a reserved byte set', () => {
    expect(
      codes(
        tee,
        quoteOf({
          ...plan,
          editQe: (report) => {
            report[100] = 1
          },
        }),
      ),
    ).toEqual([TOLD[tee].certData])
  })

  it('is told to be too large beyond the limit of evidence', () => {
    expect(codes(tee, concatBytes(quote, new Uint8Array(64 * 1024)))).toEqual(['LIMIT_EVIDENCE_BYTES'])
  })

  it('is decoded from a copy', () => {
    const mine = Uint8Array.from(quote)
    const decoded = decodeAs(tee, mine)
    mine.fill(0)
    expect(decoded.ok && decoded.value.value.quote.signedBytes).toEqual(quote.subarray(0, authLengthAt))
  })
})

describe('version 4 and 5', () => {
  it.each(SHAPES.filter(([, { version }]) => version !== 3))('%s keeps the QE report in type 6 only', (_, plan) => {
    for (const outerType of [0, 5, 7]) {
      expect(codes(plan.tee, quoteOf({ ...plan, outerType }))).toEqual([TOLD[plan.tee].certData])
    }
  })

  it.each(SHAPES.filter(([, { version }]) => version === 5))(
    '%s has a body of the type and size that its descriptor names',
    (_, plan) => {
      const quote = quoteOf(plan)
      const own = plan.tee === 'TDX' ? plan.bodyType : 1
      for (const type of [0, 1, 2, 3, 4, 9].filter((t) => t !== own)) {
        const found = codes(
          plan.tee,
          edited(quote, (v) => v.setUint16(48, type, true)),
        )
        expect(found).toEqual(inWords(plan.tee, 'TDX_BODY_TYPE_INVALID'))
      }
      for (const sizeBytes of [0, 383, 585, 0xffffffff]) {
        const found = codes(
          plan.tee,
          edited(quote, (v) => v.setUint32(50, sizeBytes, true)),
        )
        expect(found).toEqual(inWords(plan.tee, 'TDX_BODY_TYPE_INVALID'))
      }
    },
  )
})

describe('recognition', () => {
  it('names a quote that was cut, or of another version, as what it claims to be', () => {
    const quote = quoteOf()
    expect(kindOf(quote.subarray(0, 28))).toBe('intel/tdx-quote')
    expect(kindOf(quote.subarray(0, 27))).toBe('unknown')
    expect(kindOf(edited(quote, (v) => v.setUint16(0, 6, true)))).toBe('intel/tdx-quote')
    expect(kindOf(edited(quote, (v) => v.setUint8(12, 0)))).toBe('intel/tdx-quote')
    expect(kindOf(edited(quote, (v) => v.setUint32(4, 0x82, true)))).toBe('unknown')
    expect(kindOf(quoteOf({ tee: 'SGX' }).subarray(0, 436))).toBe('intel/sgx-quote')
  })

  it('leaves an SEV-SNP report whose guest SVN is that of a TEE type alone', () => {
    const report = new Uint8Array(1184)
    report.set([4, 0, 0, 0, 0x81])
    expect(kindOf(report)).toBe('amd/snp-report')
  })
})
