import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  concatBytes,
  constantTimeEqual,
  equalBytes,
  indexOfBytes,
  isZero,
  latin1,
  reversed,
  utf8,
} from '../../src/core/bytes.ts'

const bytes = fc.uint8Array({ maxLength: 64 })

describe('concatBytes', () => {
  it('joins in order into a new array', () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 6 }), (parts) => {
        expect([...concatBytes(...parts)]).toEqual(parts.flatMap((p) => [...p]))
      }),
    )
    const one = Uint8Array.of(1, 2)
    const joined = concatBytes(one)
    one[0] = 9
    expect([...joined]).toEqual([1, 2])
  })
})

describe('equality', () => {
  it.each([
    ['equalBytes', equalBytes],
    ['constantTimeEqual', constantTimeEqual],
  ])('%s is equality of content and length', (_name, equal) => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(equal(a, a.slice())).toBe(true)
        expect(equal(a, b)).toBe(Buffer.from(a).equals(Buffer.from(b)))
        expect(equal(a, concatBytes(a, Uint8Array.of(0)))).toBe(false)
      }),
    )
    for (const bit of [0, 7, 8, 15]) {
      const flipped = Uint8Array.of(0, 0)
      flipped[bit >> 3] = 1 << (bit & 7)
      expect(equal(Uint8Array.of(0, 0), flipped)).toBe(false)
    }
  })
})

describe('isZero', () => {
  it('is true for nothing but zeros, and for no bytes', () => {
    expect([isZero(new Uint8Array()), isZero(new Uint8Array(9)), isZero(Uint8Array.of(0, 0, 1))]).toEqual([
      true,
      true,
      false,
    ])
  })
})

describe('reversed', () => {
  it('leaves its argument alone', () => {
    const given = Uint8Array.of(1, 2, 3)
    expect([...reversed(given)]).toEqual([3, 2, 1])
    expect([...given]).toEqual([1, 2, 3])
  })
})

describe('indexOfBytes', () => {
  it('finds what Buffer finds, at any start', () => {
    const few = fc.uint8Array({ max: 2, maxLength: 24 })
    const needle = fc.uint8Array({ max: 2, minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(few, needle, fc.nat(26), (haystack, wanted, from) => {
        expect(indexOfBytes(haystack, wanted, from)).toBe(Buffer.from(haystack).indexOf(Buffer.from(wanted), from))
      }),
    )
  })

  it('has no answer to an empty question', () => {
    expect(() => indexOfBytes(Uint8Array.of(1), new Uint8Array())).toThrow(TypeError)
  })
})

describe('latin1 and utf8', () => {
  it('gives one character per byte, beyond any argument limit of the engine', () => {
    const every = Uint8Array.from({ length: 300_000 }, (_, i) => i & 0xff)
    expect(latin1(every)).toBe(Buffer.from(every).toString('latin1'))
  })

  it('encodes as TextEncoder does', () => {
    expect([...utf8('aé€')]).toEqual([0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac])
  })
})
