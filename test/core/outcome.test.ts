import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CODES } from '../../src/core/codes.ts'
import {
  attempt,
  attemptAsync,
  fail,
  fault,
  finding,
  ok,
  printable,
  refuse,
  take,
  verdictOf,
} from '../../src/core/outcome.ts'

describe('printable', () => {
  it('lets nothing through but printable ASCII, and at most a line of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const shown = printable(text)
        expect(shown.replace(/… \(\d+ characters\)$/, '')).toMatch(/^[\x20-\x7e]*$/)
        expect(shown.length).toBeLessThanOrEqual(600 * 6 + 30)
      }),
    )
  })

  it('escapes terminal control, direction marks and line ends', () => {
    expect(printable('\x1b[31m\u202e\n\0é')).toBe('\\u001b[31m\\u202e\\u000a\\u0000\\u00e9')
    expect(printable('a'.repeat(601))).toBe(`${'a'.repeat(600)}… (601 characters)`)
    expect(printable('a'.repeat(600))).toBe('a'.repeat(600))
  })
})

describe('fault and finding', () => {
  it('carry only what was given, escaped, with the verdict and hint of the code', () => {
    const f = fault('CRL_STALE', 'a\nb', { expected: 1n, actual: 2 })
    expect(f).toEqual({ code: 'CRL_STALE', path: 'a\\u000ab', expected: '1', actual: '2' })
    expect(finding(f, 'cpu')).toEqual({ ...f, item: 'cpu', verdict: 'inconclusive', hint: CODES.CRL_STALE.hint })
    expect(Object.keys(fault('CRL_STALE', 'p'))).toEqual(['code', 'path'])
    expect(fault('CRL_STALE', 'p', { source: 's\n' }).source).toBe('s\\u000a')
    expect(verdictOf(fault('DER_TRUNCATED', 'p'))).toBe('reject')
  })
})

describe('attempt', () => {
  it('turns a refusal into its faults', async () => {
    const expected = { ok: false, faults: [{ code: 'DER_TRUNCATED', path: 'p' }] }
    expect(attempt(() => refuse('DER_TRUNCATED', 'p'))).toEqual(expected)
    expect(attempt(() => take(fail('DER_TRUNCATED', 'p')))).toEqual(expected)
    expect(await attemptAsync(async () => refuse('DER_TRUNCATED', 'p'))).toEqual(expected)
    expect(attempt(() => take(ok(7)))).toEqual({ ok: true, value: 7 })
    expect(await attemptAsync(async () => 7)).toEqual({ ok: true, value: 7 })
  })

  it('rethrows what is our own error', async () => {
    const broken = () => {
      throw new RangeError('ours')
    }
    expect(() => attempt(broken)).toThrow(RangeError)
    await expect(attemptAsync(async () => broken())).rejects.toThrow(RangeError)
  })
})
