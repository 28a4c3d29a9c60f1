import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nearestName } from '../../src/policy/nearest.ts'
import { compareVersions } from '../../src/policy/versions.ts'

describe('compareVersions', () => {
  it('orders by number, not by text', () => {
    const ordered = ['535.86.09', '545.00', '550.9', '550.54.14', '550.90.07', '550.90.12', '550.144', '580', '1000']
    for (const [i, a] of ordered.entries()) {
      for (const [j, b] of ordered.entries())
        expect(Math.sign(compareVersions(a, b) ?? Number.NaN)).toBe(Math.sign(i - j))
    }
  })

  it('reads VBIOS versions as hexadecimal, in either case', () => {
    expect(compareVersions('96.00.9F.00.01', '96.00.cf.00.01', 16)).toBeLessThan(0)
    expect(compareVersions('96.00.CF.00.01', '96.00.cf.00.01', 16)).toBe(0)
  })

  it('counts parts that are not written as zero', () => {
    expect(compareVersions('550', '550.0.0')).toBe(0)
    expect(compareVersions('550.90.7', '550.90.07')).toBe(0)
  })

  it('compares nothing that is no version', () => {
    for (const bad of ['', 'x', '550.', '.550', '550..1', '5e2', '-1', '550.90.07 ', '1.2.3.4.5.6.7', '123456']) {
      expect(compareVersions(bad, '1')).toBeUndefined()
      expect(compareVersions('1', bad)).toBeUndefined()
    }
  })

  it('is a total order', () => {
    const version = fc.array(fc.integer({ min: 0, max: 999 }), { minLength: 1, maxLength: 4 }).map((n) => n.join('.'))
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(Math.sign(compareVersions(a, b) ?? Number.NaN) + Math.sign(compareVersions(b, a) ?? Number.NaN)).toBe(0)
      }),
    )
  })
})

describe('nearestName', () => {
  const known = ['measurements', 'minTcb', 'minLaunchTcb', 'guestPolicy', 'revocation']

  it.each([
    ['measurment', 'measurements'],
    ['Measurements', 'measurements'],
    ['mintcb', 'minTcb'],
    ['guest_policy', 'guestPolicy'],
    ['revokation', 'revocation'],
  ])('%s → %s', (typed, meant) => expect(nearestName(typed, known)).toBe(meant))

  it('finds nothing near to what is far, or very long', () => {
    expect(nearestName('zebra', known)).toBeUndefined()
    expect(nearestName('x'.repeat(60_000), known)).toBeUndefined()
    expect(nearestName('', known)).toBeUndefined()
  })
})
