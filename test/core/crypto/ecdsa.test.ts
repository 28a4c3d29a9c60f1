import { p256, p384 } from '@noble/curves/nist.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../src/core/bytes.ts'
import {
  type Curve,
  coordinateBytes,
  ecdsaComponentsInRange,
  ecdsaDerFromRaw,
  ecdsaRawFromDer,
  isUncompressedPoint,
  spkiOfPoint,
} from '../../../src/core/crypto/ecdsa.ts'
import { integer, nul, raw, seq } from '../../../src/testing/pki/der.ts'
import { ecKey } from '../../../src/testing/pki/keys.ts'

const NOBLE = { 'P-256': p256, 'P-384': p384 } as const

const bigEndian = (n: bigint, size: number) =>
  new Uint8Array(Buffer.from(n.toString(16).padStart(2 * size, '0'), 'hex'))

describe.each(['P-256', 'P-384'] as const)('%s', (curve: Curve) => {
  const size = coordinateBytes(curve)
  const order = NOBLE[curve].Point.Fn.ORDER
  const field = NOBLE[curve].Point.Fp.ORDER
  const pair = (r: bigint, s: bigint) => concatBytes(bigEndian(r, size), bigEndian(s, size))

  it('writes the key of a point as the kit does', () => {
    const { publicPoint = new Uint8Array(), spki } = ecKey(curve, 'spki')
    expect(spkiOfPoint(curve, publicPoint)).toEqual(spki)
    expect(() => spkiOfPoint(curve, publicPoint.subarray(1))).toThrow(TypeError)
  })

  it('has components from 1 to n - 1', () => {
    const ends = [1n, 2n, order / 2n, order - 1n]
    const beyond = [0n, order, order + 1n, (1n << BigInt(8 * size)) - 1n]
    for (const r of ends) for (const s of ends) expect(ecdsaComponentsInRange(curve, pair(r, s))).toBe(true)
    for (const bad of beyond) {
      expect([ecdsaComponentsInRange(curve, pair(bad, 1n)), ecdsaComponentsInRange(curve, pair(1n, bad))]).toEqual([
        false,
        false,
      ])
    }
    for (const length of [0, 2 * size - 1, 2 * size + 1]) {
      expect(ecdsaComponentsInRange(curve, new Uint8Array(length).fill(1))).toBe(false)
    }
  })

  it('has components in range exactly where their numbers are', () => {
    // Near the ends, since a number drawn from all of them is hardly ever beyond the order.
    const near = fc.tuple(fc.constantFrom(0n, order), fc.bigInt(-300n, 300n)).map(([end, d]) => end + d)
    const component = fc.oneof(near, fc.bigInt(0n, (1n << BigInt(8 * size)) - 1n)).filter((n) => n >= 0n)
    fc.assert(
      fc.property(component, component, (r, s) => {
        const inRange = (n: bigint) => n > 0n && n < order
        expect(ecdsaComponentsInRange(curve, pair(r, s))).toBe(inRange(r) && inRange(s))
      }),
      { numRuns: 2000 },
    )
  })

  it('knows the points that noble makes, and no others', () => {
    for (let i = 0; i < 20; i++) {
      const point = ecKey(curve, `point ${i}`).publicPoint ?? new Uint8Array()
      expect(isUncompressedPoint(curve, point)).toBe(true)
      for (const at of [1, size, size + 1, 2 * size]) {
        const bent = point.slice()
        bent[at] = (bent[at] ?? 0) ^ 1
        expect(isUncompressedPoint(curve, bent)).toBe(false)
      }
    }
  })

  it('does not take the neutral element, compressed, hybrid or unreduced points', () => {
    const key = NOBLE[curve].Point.BASE
    const good = new Uint8Array(key.toBytes(false))
    expect(isUncompressedPoint(curve, good)).toBe(true)
    expect(isUncompressedPoint(curve, Uint8Array.of(0))).toBe(false)
    expect(isUncompressedPoint(curve, new Uint8Array(key.toBytes(true)))).toBe(false)
    for (const form of [2, 3, 6, 7]) {
      const hybrid = good.slice()
      hybrid[0] = form
      expect(isUncompressedPoint(curve, hybrid)).toBe(false)
    }
    expect(isUncompressedPoint(curve, concatBytes(good, Uint8Array.of(0)))).toBe(false)
    expect(isUncompressedPoint(curve, new Uint8Array(2 * size + 1))).toBe(false)
    expect(isUncompressedPoint(curve, concatBytes(Uint8Array.of(4), new Uint8Array(2 * size)))).toBe(false)
    // x = 0 has a root of b on both curves; x = p is the same residue in another spelling.
    const b = NOBLE[curve].Point.CURVE().b
    const y = NOBLE[curve].Point.Fp.sqrt(b)
    const at = (x: bigint, yy: bigint) => concatBytes(Uint8Array.of(4), bigEndian(x, size), bigEndian(yy, size))
    expect(isUncompressedPoint(curve, at(0n, y))).toBe(true)
    expect(isUncompressedPoint(curve, at(field, y))).toBe(false)
  })

  it('turns DER into fixed length and back', () => {
    const component = fc.bigInt({ min: 1n, max: order - 1n })
    fc.assert(
      fc.property(component, component, (r, s) => {
        expect(ecdsaRawFromDer(curve, seq(integer(r), integer(s)))).toEqual(pair(r, s))
      }),
    )
  })

  it('turns fixed length into DER, also of numbers that no signature has', () => {
    const most = (1n << BigInt(8 * size)) - 1n
    const small = fc.constantFrom(0n, 1n, 0x7fn, 0x80n, 0xffn, 0x100n, most)
    const component = fc.oneof(small, fc.bigInt(0n, most))
    fc.assert(
      fc.property(component, component, (r, s) => {
        expect(ecdsaDerFromRaw(pair(r, s))).toEqual(seq(integer(r), integer(s)))
      }),
    )
  })

  it.each([
    ['r = 0', seq(integer(0), integer(1))],
    ['s = 0', seq(integer(1), integer(0))],
    ['r = n', seq(integer(order), integer(1))],
    ['s = n', seq(integer(1), integer(order))],
    ['a negative r', seq(integer(-1), integer(1))],
    ['r of one byte too many', seq(integer(1n << BigInt(8 * size)), integer(1))],
    ['a zero octet too many', seq(raw(2, Uint8Array.of(0, 1)), integer(1))],
    ['one component', seq(integer(1))],
    ['three components', seq(integer(1), integer(1), integer(1))],
    ['another type', seq(integer(1), nul())],
    ['a SET', raw(0x31, concatBytes(integer(1), integer(1)))],
    ['bytes after it', concatBytes(seq(integer(1), integer(1)), Uint8Array.of(0))],
    ['an empty component', seq(raw(2, new Uint8Array()), integer(1))],
    ['a long form length', concatBytes(Uint8Array.of(0x30, 0x81, 6), integer(1), integer(1))],
    ['nothing', new Uint8Array()],
  ])('has no signature in DER with %s', (_what, der) => {
    expect(ecdsaRawFromDer(curve, der)).toBeUndefined()
  })
})
