import { describe, expect, it } from 'vitest'
import { nvidiaGpu } from '../../../src/attestation/nvidia-gpu/index.ts'
import type { Code } from '../../../src/core/codes.ts'
import { toHex } from '../../../src/core/encodings.ts'
import { OPAQUE, REPORT_FAULTS, type ReportFault, setOpaque } from '../../../src/testing/nvidia/index.ts'
import {
  ACCEPTED,
  acceptedFlips,
  codesOf,
  faultyMachine,
  gpuClaimsOf,
  judgeGpu,
  last,
  machineOf,
  measurementsOf,
  NONCE,
  ONE_BLACKWELL,
  ONE_GPU,
  refusedWith,
  SMALL_BOARD,
  verdictOf,
} from '../nvidia/support.ts'

/** What one GPU's judgement makes of each fault of its report. `undefined`: proved, since the fault is another layer's to judge. */
const OUTCOMES: Readonly<Record<ReportFault, Code | undefined>> = {
  'request-version-1.0': 'GPU_SPDM_VERSION',
  'request-version-1.2': 'GPU_SPDM_VERSION',
  'request-code': 'GPU_SPDM_VERSION',
  'response-version': 'GPU_SPDM_VERSION',
  'response-code': 'GPU_SPDM_VERSION',
  'response-error': 'GPU_SPDM_VERSION',
  'signature-not-requested': 'GPU_SPDM_VERSION',
  'operation-one-block': 'GPU_SPDM_VERSION',

  'record-length-plus-one': 'GPU_SPDM_MALFORMED',
  'record-length-minus-one': 'GPU_SPDM_MALFORMED',
  'record-length-zero': 'GPU_SPDM_MALFORMED',
  'record-length-past-end': 'GPU_SPDM_MALFORMED',
  'opaque-length-plus-one': 'GPU_SPDM_MALFORMED',
  'opaque-length-minus-one': 'GPU_SPDM_MALFORMED',
  'opaque-length-past-end': 'GPU_SPDM_MALFORMED',
  'opaque-rest': 'GPU_SPDM_MALFORMED',
  'measurement-size': 'GPU_SPDM_MALFORMED',
  'value-size': 'GPU_SPDM_MALFORMED',
  specification: 'GPU_SPDM_MALFORMED',
  'value-type': 'GPU_REPORT_UNSUPPORTED',
  'value-short': 'GPU_MEASUREMENT_MISMATCH',

  'index-duplicate': 'GPU_MEASUREMENT_INDEX',
  'index-skipped': 'GPU_MEASUREMENT_INDEX',
  'index-zero': 'GPU_MEASUREMENT_INDEX',
  'block-count-high': 'GPU_MEASUREMENT_INDEX',
  'block-count-low': 'GPU_MEASUREMENT_INDEX',

  'opaque-duplicate': 'GPU_OPAQUE_DUPLICATE',
  'driver-version-twice': 'GPU_OPAQUE_DUPLICATE',
  'opaque-invalid-type': 'GPU_REPORT_UNSUPPORTED',
  'opaque-size-past-end': 'GPU_SPDM_MALFORMED',
  'opaque-version-2': 'GPU_REPORT_UNSUPPORTED',
  'feature-flag-3': 'GPU_REPORT_UNSUPPORTED',
  'feature-flag-missing': undefined,
  'nvdec0-status': 'GPU_NVDEC0_INVALID',
  'nvdec0-missing': 'GPU_OPAQUE_MALFORMED',
  'vbios-version-long': 'GPU_VERSION_MALFORMED',
  'vbios-version-missing': 'GPU_OPAQUE_MALFORMED',
  'driver-version-missing': 'GPU_OPAQUE_MALFORMED',
  'project-missing': 'GPU_OPAQUE_MALFORMED',
  'chip-sku-missing': 'GPU_OPAQUE_MALFORMED',
  'fwid-missing': 'GPU_FWID_MISSING',
  'fwid-mismatch': 'GPU_FWID_MISMATCH',

  'driver-version-slash': 'GPU_VERSION_MALFORMED',
  'driver-version-dots': 'GPU_VERSION_MALFORMED',
  'driver-version-newline': 'GPU_VERSION_MALFORMED',
  'driver-version-no-nul': 'GPU_VERSION_MALFORMED',
  'driver-version-inner-nul': 'GPU_VERSION_MALFORMED',
  'driver-version-empty': 'GPU_VERSION_MALFORMED',
  'driver-version-not-ascii': 'GPU_VERSION_MALFORMED',
  'project-slash': 'GPU_VERSION_MALFORMED',
  'chip-sku-slash': 'GPU_VERSION_MALFORMED',

  'nonce-differs': undefined,
  'nonce-in-response-only': undefined,
  'measurement-mismatch': 'GPU_MEASUREMENT_MISMATCH',
  'nvdec0-measurement': 'GPU_MEASUREMENT_MISMATCH',

  'signature-bit': 'GPU_SIGNATURE_INVALID',
  'signed-byte': 'GPU_SIGNATURE_INVALID',
  'signature-swapped': 'GPU_SIGNATURE_INVALID',
  'signature-r-zero': 'GPU_SIGNATURE_INVALID',
  'signature-s-zero': 'GPU_SIGNATURE_INVALID',
  'signature-zero': 'GPU_SIGNATURE_INVALID',
  'signature-r-order': 'GPU_SIGNATURE_INVALID',
  'signature-s-order': 'GPU_SIGNATURE_INVALID',
  'signature-all-ones': 'GPU_SIGNATURE_INVALID',
  // Its place follows from the structure, and DER is longer than r ‖ s.
  'signature-der': 'GPU_TRAILING_BYTES',
  'signature-short': 'GPU_SPDM_MALFORMED',
  'signature-long': 'GPU_TRAILING_BYTES',
  'signer-stranger': 'GPU_SIGNATURE_INVALID',

  'trailing-byte': 'GPU_TRAILING_BYTES',
  'cut-one-byte': 'GPU_SPDM_MALFORMED',
  'cut-signature': 'GPU_SPDM_MALFORMED',
  'cut-in-record': 'GPU_SPDM_MALFORMED',
  empty: 'GPU_SPDM_MALFORMED',
}

const PROVED_THOUGH: readonly (Code | undefined)[] = ['GPU_MEASUREMENT_MISMATCH', undefined]

describe('a GPU of the test kit', () => {
  it('is accepted, and its claims are what the report and the certificates say', async () => {
    const machine = machineOf()
    const { device } = last(machine.gpus)
    const judgement = await judgeGpu(machine)
    expect(verdictOf(judgement)).toEqual(ACCEPTED)
    expect(gpuClaimsOf(judgement)).toMatchObject({
      kind: 'nvidia/gpu-report',
      architecture: 'HOPPER',
      model: 'H100',
      akSerial: device.attestationSerial.toLowerCase(),
      ikSerial: device.identitySerial.toLowerCase(),
      pdi: toHex(device.pdi),
      hwModel: 'GH100 A01 GSP BROM',
      ueid: BigInt(`0x${device.attestationSerial}`).toString(),
      nonce: toHex(NONCE),
      fwidMatch: 'match',
      driverVersion: '580.159.03',
      vbiosVersion: '96.00.74.00.20',
      project: '1010',
      projectSku: '0200',
      chipSku: '882',
      featureFlag: 'SPT',
      protectedPcie: false,
      nvdec0Disabled: true,
      switchPdis: [],
    })
    expect(judgement.revocation.map((r) => [r.chain, r.status])).toEqual([
      ['nvidia-device', 'good'],
      ['nvidia-rim', 'good'],
      ['nvidia-rim', 'good'],
    ])
    expect(judgement.hardwareId).toMatch(/^nvidia-gpu:[0-9a-f]{64}$/)
    expect(judgement.injectedAnchors).toEqual([
      'injected/NVIDIA Device Identity CA',
      'injected/NVIDIA CoRIM signing Root CA',
    ])
    expect(judgement.notChecked.map((n) => n.what).join()).toContain('devtools')
  })

  it.each(Object.entries(OUTCOMES) as [ReportFault, Code | undefined][])('report fault %s: %s', async (wrong, code) => {
    const judgement = await judgeGpu(faultyMachine(`report/${wrong}`))
    expect(new Set(codesOf(judgement)), REPORT_FAULTS[wrong].what).toEqual(new Set(code === undefined ? [] : [code]))
    expect(judgement.claims !== undefined).toBe(PROVED_THOUGH.includes(code))
    expect(judgement.hardwareId !== undefined).toBe(judgement.claims !== undefined)
  })

  it('says the mode only where the report does', async () => {
    const [with_, without] = [await judgeGpu(machineOf()), await judgeGpu(faultyMachine('report/feature-flag-missing'))]
    expect(gpuClaimsOf(with_).featureFlag).toBe('SPT')
    expect(gpuClaimsOf(without).featureFlag).toBeUndefined()
  })

  it.each([
    ['spt', 'SPT', false],
    ['mpt', 'MPT', false],
    ['ppcie', 'PPCIE', true],
  ] as const)('reads mode %s', async (featureFlag, expected, protectedPcie) => {
    const claims = gpuClaimsOf(await judgeGpu(machineOf({ ...ONE_GPU, featureFlag })))
    expect([claims.featureFlag, claims.protectedPcie]).toEqual([expected, protectedPcie])
  })

  it('takes no mode from opaque data version 0', async () => {
    const machine = machineOf({
      ...ONE_GPU,
      gpu: (report) => ({ ...report, opaque: setOpaque(OPAQUE.opaqueDataVersion, Uint8Array.of(0, 0)) }),
    })
    expect(gpuClaimsOf(await judgeGpu(machine)).featureFlag).toBeUndefined()
  })

  it('accepts (r, n − s), the other spelling of the same signature', async () => {
    const machine = machineOf({ ...ONE_GPU, gpu: (report) => ({ ...report, spdm: { signatureForm: 'negated' } }) })
    expect(verdictOf(await judgeGpu(machine))).toEqual(ACCEPTED)
  })

  it('accepts Blackwell, whose driver manifest is named after the chip of the report', async () => {
    const judgement = await judgeGpu(machineOf(ONE_BLACKWELL))
    expect(verdictOf(judgement)).toEqual(ACCEPTED)
    const measurements = measurementsOf(judgement)
    expect(measurements.status === 'unavailable' ? [] : measurements.rims.map((r) => r.id)).toEqual([
      'NV_GPU_CC_DRIVER_GB100_580.159.03',
      'NV_GPU_VBIOS_G525_0220_886_970088000F',
    ])
    expect(gpuClaimsOf(judgement)).toMatchObject({ architecture: 'BLACKWELL', model: 'B200' })
  })

  it('asks for the driver manifest of the chip that the report names', async () => {
    const machine = machineOf({
      ...ONE_BLACKWELL,
      gpu: (report) => ({ ...report, opaque: setOpaque(OPAQUE.chipInfo, new TextEncoder().encode('GB102\0')) }),
    })
    const judgement = await judgeGpu(machine)
    expect(judgement.faults.map((f) => [f.code, f.expected])).toEqual([
      ['GPU_RIM_UNAVAILABLE', 'NV_GPU_CC_DRIVER_GB102_580.159.03'],
      ['GPU_RIM_UNAVAILABLE', 'NV_GPU_VBIOS_G525_0220_886_970088000F'],
    ])
  })

  it('has 64 measurements, no fewer', async () => {
    const machine = machineOf({ ...ONE_GPU, gpu: (report) => ({ ...report, blocks: (blocks) => blocks.slice(0, -1) }) })
    expect(verdictOf(await judgeGpu(machine))).toEqual(refusedWith('GPU_MEASUREMENT_INDEX'))
  })

  it('reads the PDIs of its switches in their own byte order', async () => {
    const machine = machineOf(SMALL_BOARD)
    const pdis = machine.switches.map((s) => toHex(s.device.pdi))
    expect([...gpuClaimsOf(await judgeGpu(machine)).switchPdis].sort()).toEqual([...pdis].sort())
  })

  it('reports which measurement differs, between what and what, against which manifest', async () => {
    const judgement = await judgeGpu(faultyMachine('report/measurement-mismatch'))
    expect(judgement.faults).toEqual([
      {
        code: 'GPU_MEASUREMENT_MISMATCH',
        path: 'measurements[9]',
        expected: expect.stringMatching(/^[0-9a-f]{96}/),
        actual: expect.stringMatching(/^[0-9a-f]{96}$/),
        source: 'vbios',
      },
    ])
    const measurements = measurementsOf(judgement)
    expect(
      measurements.status === 'unavailable' ? [] : measurements.mismatched.map((m) => [m.index, m.source]),
    ).toEqual([[9, 'vbios']])
  })

  it('compares index 35 exactly where NVDEC0 is enabled', async () => {
    const enabled = machineOf({ ...ONE_GPU, gpu: (report) => ({ ...report, nvdec0Status: 0xaa }) })
    const [on, off] = [measurementsOf(await judgeGpu(enabled)), measurementsOf(await judgeGpu(machineOf()))]
    if (on.status === 'unavailable' || off.status === 'unavailable') throw new TypeError('not compared')
    expect([on.matched.includes(35), on.skipped]).toEqual([true, []])
    expect([off.matched.includes(35), off.skipped.map((s) => s.index)]).toEqual([false, [35]])
    expect(codesOf(await judgeGpu(faultyMachine('report/nvdec0-measurement')))).toEqual(['GPU_MEASUREMENT_MISMATCH'])
  })

  it('refuses a report larger than the limit before reading it', async () => {
    const [gpu] = machineOf().gpus
    if (gpu === undefined) throw new TypeError('no GPU')
    const judgement = await judgeGpu({ ...machineOf(), gpus: [{ ...gpu, report: new Uint8Array(64 * 1024 + 1) }] })
    expect(verdictOf(judgement)).toEqual(refusedWith('LIMIT_EVIDENCE_BYTES'))
  })

  it('gives the same answer cold and warm, whatever was judged before', async () => {
    const good = await judgeGpu(machineOf())
    await judgeGpu(faultyMachine('report/signature-bit'))
    expect(await judgeGpu(machineOf())).toEqual(good)
  })

  it('refuses a flipped bit in every byte of a report', { timeout: 300_000 }, async () => {
    const machine = machineOf()
    const { report, chainPem } = last(machine.gpus)
    const bits = Array.from(report, (_, at) => at * 8 + (at % 8))
    expect(await acceptedFlips(nvidiaGpu, machine, report, chainPem, bits)).toEqual([])
  })
})
