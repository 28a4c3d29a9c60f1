import { describe, expect, it } from 'vitest'
import { amdMachine } from '../../../src/testing/index.ts'
import { judgeMachine, verdictOf } from './support.ts'

describe('two intermediates of one issuer and serial', () => {
  const machine = amdMachine('serials')
  // The same authority, issued once more under its own number with other dates: signed as well as the first.
  const again = amdMachine('serials', { pki: { ask: { certificate: { notAfter: '2044-01-01T00:00:00Z' } } } })
  const judged = (second: Uint8Array) => judgeMachine(machine, { collateral: [machine.crl, second] })

  it('the same certificate twice is one certificate', async () => {
    expect(verdictOf(await judged(machine.intermediate))).toEqual({ codes: [], proved: true })
  })

  it('one that the root did not sign says nothing against the genuine one', async () => {
    const forged = amdMachine('serials', { pki: { rogue: true } }).intermediate
    expect(forged).not.toEqual(machine.intermediate)
    expect(verdictOf(await judged(forged))).toEqual({ codes: [], proved: true })
    const held = (...authorities: readonly Uint8Array[]) =>
      judgeMachine(machine, { endorsements: [machine.vek], collateral: [machine.crl, ...authorities] })
    expect(verdictOf(await held(forged, machine.intermediate))).toEqual({ codes: [], proved: true })
    expect(verdictOf(await held(forged))).toEqual({ codes: ['X509_SIGNATURE_INVALID'], proved: false })
  })

  it('X509_SERIAL_REUSED where they differ', async () => {
    expect(again.intermediate).not.toEqual(machine.intermediate)
    expect(verdictOf(await judged(again.intermediate))).toEqual({ codes: ['X509_SERIAL_REUSED'], proved: false })
  })
})
