import { describe, expect, it } from 'vitest'
import { nvidiaSwitch } from '../../../src/attestation/nvidia-switch/index.ts'
import type { Code } from '../../../src/core/codes.ts'
import { toHex } from '../../../src/core/encodings.ts'
import { type CommonReportFault, OPAQUE, type OpaqueEdit, setOpaque } from '../../../src/testing/nvidia/index.ts'
import {
  ACCEPTED,
  acceptedFlips,
  codesOf,
  faultyMachine,
  judgeSwitch,
  last,
  machineOf,
  measurementsOf,
  refusedWith,
  SMALL_BOARD,
  switchClaimsOf,
  verdictOf,
} from '../nvidia/support.ts'

/** The last switch with other opaque fields, validly signed. */
const withOpaque = (opaque: OpaqueEdit) => machineOf({ ...SMALL_BOARD, switch: (report) => ({ ...report, opaque }) })

const OUTCOMES = [
  ['request-version-1.2', 'GPU_SPDM_VERSION'],
  ['response-error', 'GPU_SPDM_VERSION'],
  ['record-length-plus-one', 'GPU_SPDM_MALFORMED'],
  ['opaque-length-minus-one', 'GPU_SPDM_MALFORMED'],
  ['index-duplicate', 'GPU_MEASUREMENT_INDEX'],
  ['index-skipped', 'GPU_MEASUREMENT_INDEX'],
  ['block-count-high', 'GPU_MEASUREMENT_INDEX'],
  ['opaque-invalid-type', 'GPU_REPORT_UNSUPPORTED'],
  ['vbios-version-missing', 'GPU_OPAQUE_MALFORMED'],
  ['signature-bit', 'GPU_SIGNATURE_INVALID'],
  ['signature-swapped', 'GPU_SIGNATURE_INVALID'],
  ['signer-stranger', 'GPU_SIGNATURE_INVALID'],
  ['trailing-byte', 'GPU_TRAILING_BYTES'],
] as const satisfies readonly (readonly [CommonReportFault, Code])[]

describe('a switch of the test kit', () => {
  it('is accepted with all its measurements, and says whom it is wired to', async () => {
    const machine = machineOf(SMALL_BOARD)
    const { device } = last(machine.switches)
    const judgement = await judgeSwitch(machine)
    expect(verdictOf(judgement)).toEqual(ACCEPTED)
    expect(switchClaimsOf(judgement)).toMatchObject({
      kind: 'nvidia/switch-report',
      architecture: 'LS10',
      hwModel: 'LS_10 A01 FSP BROM',
      pdi: toHex(device.pdi),
      devicePdi: toHex(device.pdi),
      ikSerial: device.identitySerial.toLowerCase(),
      fwidMatch: 'absent-in-report',
      biosVersion: '96.10.73.00.01',
      locked: true,
      positionId: 1,
      gpuPdis: machine.gpus.map((g) => toHex(g.device.pdi)),
    })
    const measurements = measurementsOf(judgement)
    expect(
      measurements.status === 'unavailable' ? [] : [measurements.matched.length, measurements.rims.map((r) => r.id)],
    ).toEqual([31, ['NV_SWITCH_BIOS_5612_0002_890_9610730001']])
    expect(judgement.hardwareId).toMatch(/^nvidia-switch:[0-9a-f]{64}$/)
    expect(judgement.notChecked.map((n) => n.what)).toContain('firmware id of the NVIDIA device')
  })

  it.each(OUTCOMES)('report fault %s: %s', async (wrong, code) => {
    expect(verdictOf(await judgeSwitch(faultyMachine(`switch-report/${wrong}`, SMALL_BOARD)))).toEqual(
      refusedWith(code),
    )
  })

  it('reports a measurement that differs', async () => {
    const judgement = await judgeSwitch(faultyMachine('switch-report/measurement-mismatch', SMALL_BOARD))
    expect(judgement.faults.map((f) => [f.code, f.path, f.source])).toEqual([
      ['GPU_MEASUREMENT_MISMATCH', 'measurements[9]', 'bios'],
    ])
    expect(judgement.claims).toBeDefined()
  })

  it('says that it is not locked', async () => {
    const judgement = await judgeSwitch(faultyMachine('switch-unlocked', SMALL_BOARD))
    expect(codesOf(judgement)).toEqual([])
    expect(switchClaimsOf(judgement).locked).toBe(false)
  })

  it('takes the GPU table under the id of early firmware, and not under both', async () => {
    const early: OpaqueEdit = (fields) =>
      fields.map((f) => (f.type === OPAQUE.gpuPdis ? { ...f, type: OPAQUE.gpuInfo } : f))
    const both: OpaqueEdit = (fields) =>
      fields.flatMap((f) => (f.type === OPAQUE.gpuPdis ? [f, { ...f, type: OPAQUE.gpuInfo }] : [f]))
    expect(switchClaimsOf(await judgeSwitch(withOpaque(early))).gpuPdis).toEqual(
      switchClaimsOf(await judgeSwitch(machineOf(SMALL_BOARD))).gpuPdis,
    )
    expect(verdictOf(await judgeSwitch(withOpaque(both)))).toEqual(refusedWith('GPU_OPAQUE_DUPLICATE'))
  })

  it('refuses a BIOS version that would not be one', async () => {
    const edit = setOpaque(OPAQUE.vbiosVersion, new TextEncoder().encode('96.10/../00.01'))
    expect(verdictOf(await judgeSwitch(withOpaque(edit)))).toEqual(refusedWith('GPU_VERSION_MALFORMED'))
  })

  it('is not a GPU, and a GPU is not a switch, by their certificates', async () => {
    const machine = machineOf(SMALL_BOARD)
    const [gpu, one] = [last(machine.gpus), last(machine.switches)]
    // The GPU's own chain and key under a switch's report.
    const borrowed = { ...one, chainPem: gpu.chainPem, chainDer: gpu.chainDer }
    expect(verdictOf(await judgeSwitch({ ...machine, switches: [borrowed] }))).toEqual(refusedWith('GPU_ARCH_MISMATCH'))
    expect(verdictOf(await judgeSwitch(machine, { architectureLabel: 'HOPPER' }))).toEqual(
      refusedWith('GPU_ARCH_MISMATCH'),
    )
    expect(verdictOf(await judgeSwitch(machine, { architectureLabel: 'LS10' }))).toEqual(ACCEPTED)
  })

  it('refuses every single flipped bit of a report', { timeout: 300_000 }, async () => {
    const machine = machineOf(SMALL_BOARD)
    const { report, chainPem } = last(machine.switches)
    const bits = Array.from({ length: report.length * 8 }, (_, bit) => bit)
    expect(await acceptedFlips(nvidiaSwitch, machine, report, chainPem, bits)).toEqual([])
  })
})
