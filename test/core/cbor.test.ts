import { Decoder, decode as decodeWithCborX } from 'cbor-x'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, utf8 } from '../../src/core/bytes.ts'
import {
  AS_WRITTEN,
  type Cbor,
  CborFields,
  type CborProfile,
  CborTag,
  cborByteString,
  DETERMINISTIC,
  decodeCbor,
} from '../../src/core/cbor.ts'
import { LIMITS } from '../../src/core/limits.ts'
import { attempt } from '../../src/core/outcome.ts'
import { cbor } from '../../src/testing/index.ts'
import { codesOf, hex, valueIn } from './support.ts'

const read = (bytes: Uint8Array, profile: CborProfile = DETERMINISTIC) => decodeCbor(bytes, 'cbor', profile)
const value = (text: string, profile?: CborProfile) => valueIn(read(hex(text), profile))
const refused = (text: string, profile?: CborProfile) => codesOf(read(hex(text), profile))

describe('decodeCbor', () => {
  // RFC 8949, appendix A, as far as the profile goes.
  it.each<readonly [string, Cbor]>([
    ['00', 0],
    ['17', 23],
    ['1818', 24],
    ['1903e8', 1000],
    ['1a000f4240', 1_000_000],
    ['1b000000e8d4a51000', 1_000_000_000_000],
    ['1b001fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['1b0020000000000000', 2n ** 53n],
    ['1bffffffffffffffff', 2n ** 64n - 1n],
    ['20', -1],
    ['3863', -100],
    ['3b001ffffffffffffe', -Number.MAX_SAFE_INTEGER],
    ['3bffffffffffffffff', -(2n ** 64n)],
    ['40', new Uint8Array()],
    ['4401020304', Uint8Array.of(1, 2, 3, 4)],
    ['60', ''],
    ['62c3bc', '\u00fc'],
    ['64f0908591', '\u{10151}'],
    ['80', []],
    ['8301820203820405', [1, [2, 3], [4, 5]]],
    ['a0', new Map()],
    [
      'a201020304',
      new Map([
        [1, 2],
        [3, 4],
      ]),
    ],
    [
      'a26161016162820203',
      new Map<string, Cbor>([
        ['a', 1],
        ['b', [2, 3]],
      ]),
    ],
    ['f4', false],
    ['f5', true],
    ['f6', null],
  ])('reads %s', (text, expected) => {
    expect(value(text)).toEqual(expected)
  })

  it('reads the tags of the profile and no others', () => {
    expect(value('d28101', { ...DETERMINISTIC, tags: [18] })).toEqual(new CborTag(18, [1]))
    expect(refused('d28101')).toEqual(['CBOR_UNEXPECTED_ITEM'])
    expect(refused('d18101', { ...DETERMINISTIC, tags: [18] })).toEqual(['CBOR_UNEXPECTED_ITEM'])
    expect(refused('db000000000000001201', { ...DETERMINISTIC, tags: [18] })).toEqual(['CBOR_NOT_DETERMINISTIC'])
  })

  it.each([
    ['an integer in one byte more', '1817'],
    ['in two', '1900ff'],
    ['in four', '1a0000ffff'],
    ['in eight', '1b00000000ffffffff'],
    ['a negative one', '3817'],
    ['a length', '580141'],
    ['the length of a text', '7800'],
    ['the length of an array', '9800'],
    ['the length of a map', 'b800'],
    ['a tag', 'd81201'],
    ['bytes in chunks', '5f4101ff'],
    ['text in chunks', '7f6161ff'],
    ['an array without length', '9f01ff'],
    ['a map without length', 'bf0102ff'],
    ['a break alone', 'ff'],
    ['a break in an array', '81ff'],
    ['keys out of order', 'a203040102'],
    ['a longer key before a shorter one', 'a2181800' + '0000'],
    ['text before an integer', 'a261610101' + '02'],
  ])('refuses %s as not deterministic', (_, text) => {
    expect(refused(text)).toEqual(['CBOR_NOT_DETERMINISTIC'])
  })

  it('lets keys stand as they were written where the profile says so, and nothing else', () => {
    expect([...(value('a203040102', AS_WRITTEN) as ReadonlyMap<number, number>)]).toEqual([
      [3, 4],
      [1, 2],
    ])
    expect(refused('bf0102ff', AS_WRITTEN)).toEqual(['CBOR_NOT_DETERMINISTIC'])
    expect(refused('a2031817' + '0102', AS_WRITTEN)).toEqual(['CBOR_NOT_DETERMINISTIC'])
  })

  it.each([
    ['an integer', 'a201020103'],
    ['a text', 'a2616101616101'],
    ['not side by side', 'a30102030401' + '02'],
  ])('refuses a key twice: %s', (_, text) => {
    expect(refused(text, AS_WRITTEN)).toEqual(['CBOR_DUPLICATE_KEY'])
  })

  it.each([
    ['undefined', 'f7'],
    ['an unassigned simple value', 'e0'],
    ['one in two bytes', 'f8ff'],
    ['false in two bytes', 'f814'],
    ['a half float', 'f93c00'],
    ['a float', 'fa47c35000'],
    ['a double', 'fb3ff199999999999a'],
    ['a reserved head', '1c'],
    ['a reserved length', '5d'],
    ['a byte string as key', 'a1410101'],
    ['an array as key', 'a18001'],
    ['null as key', 'a1f601'],
    ['a date', 'c11a514b67b0'],
    ['a bignum', 'c249010000000000000000'],
    ['a record of cbor-x', 'd869830081616101'],
  ])('refuses %s', (_, text) => {
    expect(refused(text)).toEqual(['CBOR_UNEXPECTED_ITEM'])
  })

  it('takes a key called __proto__ for a key', () => {
    const map = value('a1695f5f70726f746f5f5fa1616101')
    expect(map).toBeInstanceOf(Map)
    expect(({} as Record<string, unknown>).a).toBeUndefined()
    expect((map as ReadonlyMap<string, Cbor>).get('__proto__')).toEqual(new Map([['a', 1]]))
  })

  it.each([
    ['nothing', ''],
    ['a head cut short', '19'],
    ['bytes cut short', '4401'],
    ['an array cut short', '8201'],
    ['a map cut short', 'a101'],
    ['2^31 - 1 entries', '9a7fffffff00'],
    ['2^63 entries', '9b800000000000000000'],
    ['2^32 - 1 pairs', 'baffffffff0000'],
    ['2^40 bytes', '5b0000010000000000'],
    ['2^64 - 1 bytes', '5bffffffffffffffff'],
    ['2^64 - 1 bytes of text', '7bffffffffffffffff'],
  ])('refuses what declares more than there is: %s', (_, text) => {
    expect(refused(text)).toEqual(['LIMIT_CBOR'])
  })

  it('goes as deep as the limit', () => {
    const nested = (depth: number, head: number) => new Uint8Array([...new Array(depth - 1).fill(head), 0x80])
    expect(read(nested(LIMITS.cborDepth, 0x81)).ok).toBe(true)
    expect(codesOf(read(nested(LIMITS.cborDepth + 1, 0x81)))).toEqual(['LIMIT_CBOR'])
    expect(codesOf(read(nested(1_000_000, 0x81)))).toEqual(['LIMIT_CBOR'])
    expect(codesOf(read(nested(1_000_000, 0xd2), { ...DETERMINISTIC, tags: [18] }))).toEqual(['LIMIT_CBOR'])
  })

  it.each(['61ff', '62c080', '63eda080', '63efbbbf'])('refuses text that is not UTF-8: %s', (text) => {
    expect(refused(text)).toEqual(['UTF8_INVALID'])
  })

  it.each(['0000', 'f6f6', '8000', 'a000'])('refuses bytes after the item: %s', (text) => {
    expect(refused(text)).toEqual(['CBOR_TRAILING_BYTES'])
  })

  it('gives byte strings as views, without copying', () => {
    const bytes = hex('4401020304')
    expect((valueIn(read(bytes)) as Uint8Array).buffer).toBe(bytes.buffer)
  })
})

type Key = number | bigint | string
/** Integers of all sizes of head, on both sides of each boundary. */
const integer = fc.oneof(
  fc.integer({ min: -30, max: 300 }),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }).map((n) => (Number.isSafeInteger(Number(n)) ? Number(n) : n)),
)
const text = fc.string({ unit: 'grapheme', maxLength: 30 })
const { item } = fc.letrec<{ item: Cbor }>((tie) => ({
  item: fc.oneof(
    { depthSize: 'small' },
    integer,
    text,
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom(true, false, null),
    fc.array(tie('item'), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(fc.oneof(integer, text), tie('item')), { maxLength: 4, selector: ([key]) => key })
      .map((entries) => new Map<Key, Cbor>(entries)),
  ),
}))

/** An encoder of this test's own, as slow and plain as the RFC. */
function encode(item: Cbor): Uint8Array {
  if (typeof item === 'number' || typeof item === 'bigint') {
    const n = BigInt(item)
    return n < 0n ? head(1, -1n - n) : head(0, n)
  }
  if (typeof item === 'string') return concatBytes(head(3, BigInt(utf8(item).length)), utf8(item))
  if (item instanceof Uint8Array) return concatBytes(head(2, BigInt(item.length)), item)
  if (item === null || typeof item === 'boolean') return Uint8Array.of(item === null ? 0xf6 : item ? 0xf5 : 0xf4)
  if (item instanceof CborTag) throw new TypeError('not made here')
  if (item instanceof Map) {
    const entries = [...item].map(([k, v]) => [encode(k), encode(v)] as const)
    entries.sort(([a], [b]) => Buffer.compare(a, b))
    return concatBytes(head(5, BigInt(entries.length)), ...entries.flat())
  }
  const list = item as readonly Cbor[]
  return concatBytes(head(4, BigInt(list.length)), ...list.map(encode))
}

function head(major: number, n: bigint): Uint8Array {
  const size = n < 24n ? 0 : n < 0x100n ? 1 : n < 0x10000n ? 2 : n < 2n ** 32n ? 4 : 8
  const info = size === 0 ? Number(n) : 24 + Math.log2(size)
  const digits = size === 0 ? '' : n.toString(16).padStart(2 * size, '0')
  return concatBytes(Uint8Array.of((major << 5) | info), hex(digits))
}

/** cbor-x as an independent reader; integers as bigint, so that both say the same. */
const peer = new Decoder({ mapsAsObjects: false, useRecords: false, int64AsType: 'bigint' } as object)
function same(item: unknown): unknown {
  if (typeof item === 'number') return BigInt(item)
  if (item instanceof Uint8Array) return [...item]
  if (item instanceof Map) return new Map([...item].map(([k, v]) => [same(k), same(v)]))
  return Array.isArray(item) ? item.map(same) : item
}

describe('any deterministic encoding', () => {
  it('is read as what was written, and as cbor-x reads it', () => {
    fc.assert(
      fc.property(item, (written) => {
        const bytes = encode(written)
        const ours = valueIn(read(bytes))
        expect(same(ours)).toEqual(same(written))
        expect(same(peer.decode(bytes))).toEqual(same(ours))
      }),
      { numRuns: 500 },
    )
  })

  it('is refused when cut anywhere, and with a byte more', () => {
    fc.assert(
      fc.property(item, (written) => {
        const bytes = encode(written)
        for (let n = 0; n < bytes.length; n++) expect(codesOf(read(bytes.subarray(0, n)))).toEqual(['LIMIT_CBOR'])
        expect(codesOf(read(concatBytes(bytes, Uint8Array.of(0))))).toEqual(['CBOR_TRAILING_BYTES'])
      }),
      { numRuns: 100 },
    )
  })

  it('is the only spelling of its value: what is read encodes to the bytes that were read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const outcome = read(bytes)
        if (outcome.ok) expect(encode(outcome.value)).toEqual(bytes)
      }),
      { numRuns: 5000 },
    )
    fc.assert(
      fc.property(item, fc.nat(), fc.integer({ min: 0, max: 7 }), (written, at, bit) => {
        const bytes = Uint8Array.from(encode(written))
        const index = at % bytes.length
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit)
        const outcome = read(bytes)
        if (outcome.ok) expect(encode(outcome.value)).toEqual(bytes)
      }),
      { numRuns: 1000 },
    )
  })

  // Why the strictness is ours and not cbor-x's: a guard around it would have to walk every byte anyway.
  it.each(['a201020103', '1b0000000000000001', 'bf0102ff', '61ff', 'd869830081616101'])(
    'cbor-x reads %s, which is refused here',
    (text) => {
      expect(() => decodeWithCborX(hex(text))).not.toThrow()
      expect(read(hex(text), AS_WRITTEN).ok).toBe(false)
    },
  )
})

describe('the kit’s writer', () => {
  it('writes what the reader takes', () => {
    const entries: cbor.CborEntry[] = [
      [cbor.cborInt(1), cbor.cborArray(cbor.cborText('a'), cbor.cborBytes(Uint8Array.of(7)), cbor.cborNull)],
      [cbor.cborInt(-1), cbor.cborInt(70_000)],
    ]
    expect(valueIn(read(cbor.cborMap(entries)))).toEqual(
      new Map<number, Cbor>([
        [1, ['a', Uint8Array.of(7), null]],
        [-1, 70_000],
      ]),
    )
  })
})

describe('cborByteString', () => {
  it.each([0, 23, 24, 255, 256, 65_535])('writes %i bytes in the shortest form', (length) => {
    const content = new Uint8Array(length).fill(1)
    const written = cborByteString(content)
    expect(valueIn(read(written))).toEqual(content)
    expect(written).toEqual(cbor.cborBytes(content))
  })

  it('does not write more than it can', () => {
    expect(() => cborByteString(new Uint8Array(65_536))).toThrow(TypeError)
  })
})

describe('CborFields', () => {
  const fields = (text: string, ask: (of: CborFields) => unknown) =>
    attempt(() => {
      const of = new CborFields(value(text), 'map', 'NITRO_DOCUMENT_INVALID')
      ask(of)
      of.end()
    })
  const INVALID = ['NITRO_DOCUMENT_INVALID']

  it('reads entries by key and name', () => {
    const asked = fields('a4014103026161030204' + '8101', (of) => {
      expect(of.bytes(1, 'one', [1])).toEqual(Uint8Array.of(3))
      expect(of.text(2, 'two')).toBe('a')
      expect(of.unsigned(3, 'three')).toBe(2)
      expect(of.array(4, 'four')).toEqual([1])
      expect(of.optionalText(5, 'five')).toBeUndefined()
    })
    expect(asked.ok).toBe(true)
  })

  it.each<readonly [string, string, (of: CborFields) => unknown]>([
    ['an absent key', 'a0', (of) => of.text(1, 'one')],
    ['null', 'a101f6', (of) => of.text(1, 'one')],
    ['another type for text', 'a10102', (of) => of.text(1, 'one')],
    ['another type for bytes', 'a10102', (of) => of.bytes(1, 'one', [1])],
    ['another length', 'a1014102', (of) => of.bytes(1, 'one', [2, 3])],
    ['a length below the range', 'a1014102', (of) => of.bytes(1, 'one', { least: 2, most: 3 })],
    ['a negative integer', 'a10120', (of) => of.unsigned(1, 'one')],
    ['an integer past 2^53', 'a1011bffffffffffffffff', (of) => of.unsigned(1, 'one')],
    ['a map for an array', 'a101a0', (of) => of.array(1, 'one')],
  ])('refuses %s with the code of the structure', (_, text, ask) => {
    expect(codesOf(fields(text, ask))).toEqual(INVALID)
  })

  it('refuses what is no map, and a key that nobody asked for', () => {
    expect(codesOf(fields('80', () => {}))).toEqual(INVALID)
    expect(codesOf(fields('a10102', () => {}))).toEqual(['CBOR_UNEXPECTED_ITEM'])
  })
})
