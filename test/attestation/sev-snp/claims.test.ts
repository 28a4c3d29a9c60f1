import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { SnpClaims } from '../../../src/attestation/claims.ts'
import { contradictions } from '../../../src/attestation/sev-snp/claims.ts'
import { toHex } from '../../../src/core/encodings.ts'
import { type AmdMachineOptions, amdMachine } from '../../../src/testing/amd/index.ts'
import { codesOf, judgeMachine } from './support.ts'

async function judged(options: AmdMachineOptions = {}) {
  const machine = amdMachine('claims', options)
  const judgement = await judgeMachine(machine)
  const claims = judgement.claims?.value
  if (claims?.kind !== 'amd/snp-report') throw new TypeError(`refused: ${codesOf(judgement)}`)
  return { machine, judgement, claims }
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('claims of a proved report', () => {
  it('say what the report says, in the common vocabulary', async () => {
    const report = { launchMitVector: 0x0b, currentMitVector: 0x3f, guestSvn: 7, platformInfo: 0x165, vmpl: 1 }
    const { machine, claims } = await judged({ report })
    expect(claims).toMatchObject({
      kind: 'amd/snp-report',
      product: 'Genoa',
      reportVersion: 5,
      cpuid: { family: 0x19, model: 0x11, stepping: 1 },
      guestSvn: 7,
      vmpl: 1,
      signingKey: 'vcek',
      maskChipKey: false,
      authorKeyEnabled: false,
      reportData: toHex(machine.expected.reportData),
      measurement: toHex(machine.expected.measurement),
      hostData: toHex(machine.expected.hostData),
      idKeyDigest: '00'.repeat(48),
      reportIdMa: 'ff'.repeat(32),
      chipId: toHex(machine.chipId),
      cspId: undefined,
      reportedTcb: { fmc: undefined, bootloader: 11, tee: 1, snp: 28, microcode: 88 },
      platformInfo: { iommuWriteSafe: true, unknownBits: '100' },
    })
    expect([claims.launchMitVector, claims.currentMitVector]).toEqual(['000000000000000b', '000000000000003f'])
  })

  it('leave out what a version does not have', async () => {
    const { claims } = await judged({ report: { version: 2 } })
    expect([claims.cpuid, claims.launchMitVector, claims.currentMitVector]).toEqual([undefined, undefined, undefined])
    expect([claims.reportVersion, claims.product]).toEqual([2, 'Genoa'])
  })

  it('identify the chip of a VCEK', async () => {
    const { machine, judgement } = await judged()
    expect(judgement.hardwareId).toBe(`amd-chip:${sha256(machine.chipId)}`)
    expect(judgement.notChecked).toEqual([])
    const turin = await judged({ product: 'Turin' })
    expect(turin.judgement.hardwareId).toBe(`amd-chip:${sha256(turin.machine.chipId)}`)
    expect(turin.claims.chipId).toMatch(/^[0-9a-f]{16}0{112}$/)
  })

  it('name no chip where it is masked, and say so', async () => {
    const { judgement, claims } = await judged({ report: { chipId: new Uint8Array(64) } })
    expect([claims.chipId, judgement.hardwareId]).toEqual([undefined, undefined])
    expect(judgement.notChecked.map((n) => n.what)).toEqual(['which chip made the report'])
  })

  it('name the provider of a VLEK and no chip, even if the report shows one', async () => {
    const { judgement, claims } = await judged({ kind: 'VLEK', cspId: 'CN=cc-us-1.example' })
    expect([claims.signingKey, claims.cspId, claims.chipId]).toEqual(['vlek', 'CN=cc-us-1.example', undefined])
    expect([judgement.hardwareId, judgement.notChecked.length]).toEqual([undefined, 1])
    const chipId = new Uint8Array(64).fill(5)
    const shown = await judged({ kind: 'VLEK', report: { chipId } })
    expect([shown.claims.chipId, shown.judgement.hardwareId]).toEqual([toHex(chipId), undefined])
  })

  it('pass MASK_CHIP_KEY on', async () => {
    expect((await judged({ report: { maskChipKey: true } })).claims.maskChipKey).toBe(true)
  })
})

describe('contradictions', () => {
  const told = async (change: (claims: SnpClaims) => Partial<SnpClaims>) => {
    const { claims } = await judged()
    return contradictions({ ...claims, ...change(claims) }).map((f) => `${f.code} ${f.path}`)
  }

  it('are none in a report in order, nor where firmware is provisional or the launch older', async () => {
    expect(await told(() => ({}))).toEqual([])
    const low = (c: SnpClaims) => ({ ...c.currentTcb, snp: 1, microcode: 1 })
    expect(await told((c) => ({ reportedTcb: low(c), committedTcb: low(c), launchTcb: low(c) }))).toEqual([])
  })

  it('are told for every component above the running level', async () => {
    for (const component of ['bootloader', 'tee', 'snp', 'microcode'] as const) {
      for (const which of ['reportedTcb', 'committedTcb'] as const) {
        const raised = (c: SnpClaims) => ({ [which]: { ...c.currentTcb, [component]: c.currentTcb[component] + 1 } })
        expect(await told(raised)).toEqual([`SNP_TCB_INCONSISTENT report.${which}.${component}`])
      }
    }
    const fmc = (c: SnpClaims) => ({
      currentTcb: { ...c.currentTcb, fmc: 1 },
      reportedTcb: { ...c.reportedTcb, fmc: 2 },
    })
    expect(await told(fmc)).toEqual(['SNP_TCB_INCONSISTENT report.reportedTcb.fmc'])
  })

  it('are told for a platform on which the guest’s policy forbids to launch', async () => {
    const cases = [
      [{ smtAllowed: false }, 'smtEnabled'],
      [{ raplDisabledRequired: true }, 'raplDisabled'],
      [{ ciphertextHidingRequired: true }, 'ciphertextHidingDramEnabled'],
    ] as const
    for (const [bits, setting] of cases) {
      const contradicting = (c: SnpClaims) => ({ policy: { ...c.policy, ...bits } })
      expect(await told(contradicting)).toEqual([`SNP_PLATFORM_CONTRADICTS_POLICY report.platformInfo.${setting}`])
      const agreeing = (c: SnpClaims) => ({
        policy: { ...c.policy, ...bits },
        platformInfo: { ...c.platformInfo, [setting]: setting !== 'smtEnabled' },
      })
      expect(await told(agreeing)).toEqual([])
    }
  })
})
