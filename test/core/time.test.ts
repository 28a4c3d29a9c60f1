import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LAST_SECOND, parseRfc3339, toRfc3339, unixSeconds } from '../../src/core/time.ts'

const FIRST_SECOND = -62_167_219_200 // 0000-01-01T00:00:00Z

describe('RFC 3339', () => {
  it('comes back from its spelling in every year from 0 to 9999', () => {
    fc.assert(
      fc.property(fc.integer({ min: FIRST_SECOND, max: LAST_SECOND }), (at) => {
        const text = toRfc3339(at)
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
        expect(parseRfc3339(text)).toBe(at)
        expect(Date.parse(text) / 1000).toBe(at)
      }),
    )
    expect(parseRfc3339('9999-12-31T23:59:59Z')).toBe(LAST_SECOND)
    expect(parseRfc3339('0000-01-01T00:00:00Z')).toBe(FIRST_SECOND)
    expect(parseRfc3339('1970-01-01T00:00:00Z')).toBe(0)
  })

  it.each([
    ...['2026-02-29T00:00:00Z', '2100-02-29T00:00:00Z', '2026-04-31T00:00:00Z', '2026-00-01T00:00:00Z'],
    ...['2026-13-01T00:00:00Z', '2026-01-00T00:00:00Z', '2026-01-32T00:00:00Z', '2026-01-01T24:00:00Z'],
    ...['2026-01-01T00:60:00Z', '2026-06-30T23:59:60Z', '2026-01-01T00:00:00', '2026-01-01T00:00:00z'],
    ...['2026-01-01t00:00:00Z', '2026-01-01 00:00:00Z', '2026-01-01T00:00:00.0Z', '2026-01-01T00:00:00+00:00'],
    ...['2026-1-01T00:00:00Z', '26-01-01T00:00:00Z', '+2026-01-01T00:00:00Z', ' 2026-01-01T00:00:00Z'],
    ...['2026-01-01T00:00:00Z\n', '٢٠٢٦-01-01T00:00:00Z', '2026-01-01', '', '10000-01-01T00:00:00Z'],
  ])('refuses %j', (text) => {
    expect(parseRfc3339(text)).toBeUndefined()
  })

  it('knows leap years', () => {
    expect(['2000', '2024', '0000', '0400'].map((y) => parseRfc3339(`${y}-02-29T00:00:00Z`) !== undefined)).toEqual([
      true,
      true,
      true,
      true,
    ])
  })

  it('writes years past 9999 so that nothing reads them as another date', () => {
    expect(toRfc3339(LAST_SECOND + 1)).toBe('+010000-01-01T00:00:00Z')
    expect(parseRfc3339(toRfc3339(LAST_SECOND + 1))).toBeUndefined()
  })
})

describe('unixSeconds', () => {
  it('has no day that a whole year away would be one', () => {
    expect(unixSeconds(2026, 1, 366, 0, 0, 0)).toBeUndefined()
  })

  it('agrees with Date for years that Date.UTC would map to 1900', () => {
    expect(unixSeconds(0, 1, 1, 0, 0, 0)).toBe(FIRST_SECOND)
    expect(unixSeconds(99, 12, 31, 23, 59, 59)).toBe(Date.parse('0099-12-31T23:59:59Z') / 1000)
  })
})
