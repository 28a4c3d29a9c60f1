import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Cursor } from '../../src/core/cursor.ts'
import { attempt } from '../../src/core/outcome.ts'
import { codesOf, hex, valueIn } from './support.ts'

const over = (bytes: Uint8Array) => new Cursor(bytes, 'x', 'GPU_SPDM_MALFORMED')

describe('Cursor', () => {
  it('reads front to back, little-endian', () => {
    const c = over(hex('01 0302 060504 0a090807 ff'))
    expect([c.u8('a'), c.u16('b'), c.u24('c'), c.u32('d'), c.offset, c.remaining]).toEqual([
      ...[1, 0x0203, 0x040506, 0x0708090a, 10, 1],
    ])
    expect([...c.take(1, 'e')]).toEqual([0xff])
    expect(attempt(() => c.end())).toEqual({ ok: true, value: undefined })
  })

  it('has no sign at the top bit', () => {
    const c = over(hex('ffff ffffff ffffffff'))
    expect([c.u16('a'), c.u24('b'), c.u32('c')]).toEqual([0xffff, 0xffffff, 0xffffffff])
  })

  it('cannot read past the end, by any method', () => {
    const short = (read: (c: Cursor) => unknown) => codesOf(attempt(() => read(over(new Uint8Array(0)))))
    for (const read of [
      ...[(c: Cursor) => c.u8('f'), (c: Cursor) => c.u16('f'), (c: Cursor) => c.u24('f'), (c: Cursor) => c.u32('f')],
      (c: Cursor) => c.take(1, 'f'),
    ]) {
      expect(short(read)).toEqual(['GPU_SPDM_MALFORMED'])
    }
    expect(attempt(() => over(new Uint8Array(3)).u32('length'))).toMatchObject({
      faults: [{ path: 'x.length', expected: '4 bytes at offset 0', actual: '3 bytes' }],
    })
  })

  it('does not move when a read is refused', () => {
    const c = over(Uint8Array.of(7))
    attempt(() => c.u32('f'))
    expect([c.offset, c.u8('g')]).toEqual([0, 7])
  })

  it('refuses leftovers, under its own code or another', () => {
    expect(codesOf(attempt(() => over(Uint8Array.of(1)).end()))).toEqual(['GPU_SPDM_MALFORMED'])
    expect(codesOf(attempt(() => over(Uint8Array.of(1)).end('ENV_UNREADABLE')))).toEqual(['ENV_UNREADABLE'])
  })

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('throws for %s bytes: that is an error of ours', (size) => {
    expect(() => over(new Uint8Array(4)).take(size, 'f')).toThrow(TypeError)
  })

  it('gives back the input, cut anywhere', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(fc.nat(9)), (bytes, sizes) => {
        const outcome = attempt(() => {
          const c = over(bytes)
          const parts = sizes
            .filter((n) => n <= c.remaining)
            .map((n) => (n <= c.remaining ? c.take(n, 'f') : new Uint8Array()))
          return [...parts.flatMap((p) => [...p]), ...c.take(c.remaining, 'rest')]
        })
        expect(valueIn(outcome)).toEqual([...bytes])
      }),
    )
  })
})
