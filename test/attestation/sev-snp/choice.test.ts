import { describe, expect, it } from 'vitest'
import { type AmdMachine, amdMachine, createAmdTestPki, testChipId } from '../../../src/testing/amd/index.ts'
import { ACCEPTED, codesOf, judgeMachine, refusedWith, verdictOf } from './support.ts'

const machine = amdMachine('choice')
const pki = createAmdTestPki('choice')
const { product, chipId, tcb } = machine
const older = pki.vcek({ product, chipId, tcb: { ...tcb, snp: tcb.snp - 1 } }).certificate
const elsewhere = pki.vcek({ product, chipId: testChipId(product, 'another'), tcb }).certificate
const elsewhereToo = pki.vcek({ product, chipId: testChipId(product, 'a third'), tcb }).certificate

const withCollateral = (m: AmdMachine, ...collateral: readonly Uint8Array[]) =>
  judgeMachine(m, { endorsements: [], collateral: [m.intermediate, ...collateral] })

const unavailable = { codes: ['SNP_VCEK_UNAVAILABLE'], proved: false }

describe('the certificate of the signing key', () => {
  it('is missing where nothing offers one, and what is missing is named', async () => {
    const judgement = await withCollateral(machine)
    expect(verdictOf(judgement)).toEqual(unavailable)
    expect(judgement.faults[0]?.expected).toMatch(/^VCEK of chip [0-9a-f]{128} at TCB bootloader=11 tee=1 snp=28 /)
  })

  it('comes from the collateral by chip and TCB, among those of other chips and levels', async () => {
    const judgement = await withCollateral(machine, elsewhere, older, machine.vek, elsewhereToo)
    expect(verdictOf(judgement)).toEqual(ACCEPTED)
  })

  it('is the one of the chip before the one of another: its level is then told', async () => {
    expect(verdictOf(await withCollateral(machine, elsewhere, older))).toEqual(refusedWith('SNP_VCEK_TCB_MISMATCH'))
  })

  it('is the only one there is, which is then told as another chip’s', async () => {
    expect(verdictOf(await withCollateral(machine, elsewhere))).toEqual(refusedWith('SNP_VCEK_CHIP_MISMATCH'))
  })

  it('is missing where several are there and none is this chip’s', async () => {
    expect(verdictOf(await withCollateral(machine, elsewhere, elsewhereToo))).toEqual(unavailable)
  })

  it('is the one in date where AMD has issued the same one twice', async () => {
    const expired = { notBefore: '2020-01-01T00:00:00Z', notAfter: '2026-07-31T23:59:59Z' }
    const past = pki.vcek({ product, chipId, tcb, certificate: expired }).certificate
    expect(verdictOf(await withCollateral(machine, past, machine.vek))).toEqual(ACCEPTED)
    expect(verdictOf(await withCollateral(machine, past))).toEqual(refusedWith('X509_VALIDITY'))
  })

  describe('among several for this chip and level', () => {
    const forged = amdMachine('choice', { pki: { rogue: true } }).vek
    // Of the same key: the last to end is taken, whichever stands first.
    const again = pki.vcek({ product, chipId, tcb, certificate: { notAfter: '2026-08-01T01:00:00Z' } }).certificate

    it('is the one that AMD certified, in any order', async () => {
      expect(forged).not.toEqual(machine.vek)
      for (const keys of [
        [machine.vek, forged],
        [forged, machine.vek],
      ]) {
        expect(verdictOf(await withCollateral(machine, ...keys))).toEqual(ACCEPTED)
      }
      expect(verdictOf(await withCollateral(machine, forged))).toEqual(refusedWith('X509_SIGNATURE_INVALID'))
    })

    it('is the same of two re-issued ones, in any order', async () => {
      const [one, other] = [
        await withCollateral(machine, machine.vek, again),
        await withCollateral(machine, again, machine.vek),
      ]
      expect(verdictOf(one)).toEqual(ACCEPTED)
      expect(one.collateral).toEqual(other.collateral)
      expect(verdictOf(await withCollateral(machine, again))).toEqual(ACCEPTED)
    })

    it('is sought among four', async () => {
      const later = (year: number) =>
        amdMachine('choice', {
          pki: { rogue: true },
          leaf: { certificate: { notAfter: `${year}-01-01T00:00:00Z` } },
        }).vek
      const forgeries = [2046, 2047, 2048, 2049].map(later)
      expect(verdictOf(await withCollateral(machine, machine.vek, ...forgeries.slice(1)))).toEqual(ACCEPTED)
      expect(verdictOf(await withCollateral(machine, machine.vek, ...forgeries))).toEqual(
        refusedWith('X509_SIGNATURE_INVALID'),
      )
    })
  })

  it('is what came with the report before what the collateral holds', async () => {
    const judgement = await judgeMachine(machine, {
      endorsements: [older],
      collateral: [machine.vek, machine.intermediate],
    })
    expect(verdictOf(judgement)).toEqual(refusedWith('SNP_VCEK_TCB_MISMATCH'))
    const both = await judgeMachine(machine, { endorsements: [older, machine.vek], collateral: [machine.intermediate] })
    expect(verdictOf(both)).toEqual(ACCEPTED)
  })

  it('does not come from the collateral if it is of another kind, unless it is certified for this very chip', async () => {
    const vlek = amdMachine('choice', { kind: 'VLEK' })
    const vcekOfMasked = vlek.chipId
    const vcek = pki.vcek({ product, chipId: vcekOfMasked, tcb }).certificate
    expect(verdictOf(await withCollateral(vlek, vcek))).toEqual(unavailable)
    expect(verdictOf(await withCollateral(vlek, vcek, vlek.vek))).toEqual(ACCEPTED)
    const shown = amdMachine('choice', { kind: 'VLEK', report: { chipId: vcekOfMasked } })
    expect(verdictOf(await withCollateral(shown, vcek, machine.intermediate))).toEqual(
      refusedWith('SNP_SIGNER_KIND_MISMATCH'),
    )
  })

  it('of a masked chip is told by its TCB, or is the only one', async () => {
    const masked = amdMachine('choice', { report: { chipId: new Uint8Array(64) } })
    expect(verdictOf(await withCollateral(masked, masked.vek))).toEqual(ACCEPTED)
    expect(verdictOf(await withCollateral(masked, older, masked.vek))).toEqual(ACCEPTED)
    expect(verdictOf(await withCollateral(masked, elsewhere, masked.vek))).toEqual(unavailable)
  })

  it('of a cloud provider is told by its TCB', async () => {
    const vlek = amdMachine('choice', { kind: 'VLEK' })
    const low = pki.vlek({ product, cspId: 'CN=cc-test-1.cloud.example', tcb: { ...tcb, snp: 3 } }).certificate
    const other = pki.vlek({ product, cspId: 'CN=cc-test-2.cloud.example', tcb }).certificate
    expect(verdictOf(await withCollateral(vlek, low, vlek.vek))).toEqual(ACCEPTED)
    expect(verdictOf(await withCollateral(vlek, other, vlek.vek))).toEqual(unavailable)
  })

  it('is told as badly encoded where it is the only one, and passed over beside a good one', async () => {
    const broken = pki.vcek({ product, chipId, tcb, extensions: { drop: ['blSPL'] } }).certificate
    expect(codesOf(await withCollateral(machine, broken))).toEqual(['SNP_VCEK_EXTENSION_INVALID'])
    expect(verdictOf(await withCollateral(machine, broken, machine.vek))).toEqual(ACCEPTED)
  })
})
