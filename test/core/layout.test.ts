import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytes, decodeLayout, layout, u8, u16, u32, u64, zero } from '../../src/core/layout.ts'
import { codesOf, hex, valueIn } from './support.ts'

const CODES = { size: 'ENV_UNREADABLE', reserved: 'SNP_RESERVED_NOT_ZERO' } as const

const SAMPLE = layout('SAMPLE', 24, {
  wide: u64(8),
  tag: bytes(18, 3),
  small: u8(0),
  reservedA: zero(1, 3),
  word: u32(4),
  half: u16(16),
  reservedB: zero(21, 3),
})

const WELL = hex('01 000000 04030201 0807060504030201 2211 aabbcc 000000')

describe('layout', () => {
  it('orders the fields by offset whatever the order in the table', () => {
    expect(SAMPLE.ordered.map(([name]) => name)).toEqual([
      ...['small', 'reservedA', 'word', 'wide', 'half', 'tag', 'reservedB'],
    ])
  })

  it.each([
    ['a gap', () => layout('X', 8, { a: u32(0), b: u16(6) })],
    ['an overlap', () => layout('X', 8, { a: u32(0), b: u32(3), c: u8(7) })],
    ['two fields at one place', () => layout('X', 4, { a: u32(0), b: u32(0) })],
    ['a first field past the start', () => layout('X', 8, { a: u32(4) })],
    ['fields short of the end', () => layout('X', 8, { a: u32(0) })],
    ['fields past the end', () => layout('X', 3, { a: u32(0) })],
    ['a field of no size', () => layout('X', 4, { a: bytes(0, 0), b: u32(0) })],
    ['a field past the end whose size fills a gap', () => layout('X', 8, { a: u32(0), b: u32(8) })],
    ['a negative size that makes the sum right', () => layout('X', 4, { a: bytes(0, 8), b: bytes(8, -4) })],
    ['a broken size', () => layout('X', 4, { a: bytes(0, 1.5), b: bytes(1.5, 2.5) })],
    ['no field', () => layout('X', 1, {})],
  ])('throws for %s', (_what, make) => {
    expect(make).toThrow(TypeError)
  })
})

describe('decodeLayout', () => {
  it('reads every kind of field little-endian', () => {
    const value = valueIn(decodeLayout(SAMPLE, WELL, 'x', CODES))
    expect({ ...value }).toEqual({
      ...{ small: 1, word: 0x01020304, wide: 0x0102030405060708n, half: 0x1122, tag: hex('aabbcc') },
    })
    expect(Object.getPrototypeOf(value)).toBeNull()
  })

  it('reads a view that does not start at its buffer', () => {
    const shifted = new Uint8Array(40)
    shifted.set(WELL, 5)
    expect({ ...valueIn(decodeLayout(SAMPLE, shifted.subarray(5, 29), 'x', CODES)) }).toEqual({
      ...valueIn(decodeLayout(SAMPLE, WELL, 'x', CODES)),
    })
  })

  it('refuses every other length', () => {
    for (let n = 0; n < 48; n++) {
      const outcome = decodeLayout(SAMPLE, new Uint8Array(n), 'x', CODES)
      if (n === 24) expect(outcome.ok).toBe(true)
      else expect(codesOf(outcome)).toEqual(['ENV_UNREADABLE'])
    }
  })

  it('refuses every set bit of every reserved byte and names the byte', () => {
    for (const at of [1, 2, 3, 21, 22, 23]) {
      for (let bit = 0; bit < 8; bit++) {
        const bent = WELL.slice()
        bent[at] = 1 << bit
        const outcome = decodeLayout(SAMPLE, bent, 'x', CODES)
        expect(codesOf(outcome)).toEqual(['SNP_RESERVED_NOT_ZERO'])
        expect(outcome).toMatchObject({ faults: [{ path: `x[0x${at.toString(16)}]` }] })
      }
    }
  })

  it('gives an outcome for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (b) => typeof decodeLayout(SAMPLE, b, 'x', CODES).ok === 'boolean'),
    )
  })

  it('has no value for a reserved field', () => {
    expect(() => zero(0, 1).read(new DataView(new ArrayBuffer(1)), new Uint8Array(1))).toThrow(TypeError)
  })
})
