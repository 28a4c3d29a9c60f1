import { afterEach, expect, it } from 'vitest'
import { derivedGpuNonce } from '../../../src/attestation/evidence-set/binding.ts'
import { collectEvidence, nvmlCollector, type Question, tsmCollector } from '../../../src/collect/index.ts'
import { nvmlFault, nvmlReturnName } from '../../../src/collect/nvml/returns.ts'
import { utf8 } from '../../../src/core/bytes.ts'
import type { Code } from '../../../src/core/codes.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { amdMachine } from '../../../src/testing/index.ts'
import { codesOf, valueIn } from '../../core/support.ts'
import {
  AT,
  amdAnchors,
  amdCollateral,
  cpu,
  gpuPolicy,
  gpus,
  judged,
  LEASE,
  NONCE,
  nvidiaAnchors,
  nvidiaCollateral,
  SEED,
} from '../../reject/stage.ts'
import { describeWith } from '../../support/tools.ts'
import { TsmKernel } from '../tsm-kernel.ts'
import {
  type Answers,
  answersOf,
  certificateStructure,
  forgetRecordings,
  GCC,
  record,
  recordedLibrary,
  reportStructure,
  u32s,
} from './recording.ts'

const RAW: Question = { nonce: NONCE, key: undefined, binding: 'raw' }

describeWith([GCC], 'nvmlCollector on recorded answers', () => {
  const library = recordedLibrary()
  const oldLibrary = recordedLibrary('old')
  const collector = nvmlCollector({ library })
  const machine = gpus()
  const [gpu] = machine.gpus
  if (gpu === undefined) throw new TypeError('the machine has a GPU')
  afterEach(forgetRecordings)

  it('brings report and chain through the real call interface, and says what it saw', async () => {
    record(answersOf(machine.gpus))
    const { evidence, faults } = valueIn(await collector.collect(RAW, []))
    expect(faults).toEqual([])
    expect(evidence).toEqual({
      kind: 'parts',
      parts: [{ id: 'gpu-0', format: 'nvidia/gpu-report', data: gpu.report, certs: [utf8(gpu.chainPem)] }],
    })
    expect(await collector.probe()).toEqual({
      faults: [],
      facts: {
        driver: '580.159.03',
        environment: 'production',
        confidential: 'true',
        devtools: 'false',
        multiGpu: 'none',
        cpu: 'AMD SEV-SNP',
        capable: 'true',
        ready: 'true',
        'gpu-0.name': 'NVIDIA H100 80GB HBM3',
        'gpu-0.uuid': 'GPU-00000000-0000-0000-0000-000000000000',
        'gpu-0.vbios': '96.00.FE.00.01',
        'gpu-0.architecture': 'Hopper',
      },
    })
  })

  it.each(['raw', 'composite'] as const)(
    'makes one bundle with the CPU report, bound as %s, that verify accepts',
    async (binding) => {
      const nonce =
        binding === 'raw' ? NONCE.subarray(0, 32) : await derivedGpuNonce(nodeCrypto.digest, NONCE, undefined)
      const nvidia = gpus({ nonce })
      record(answersOf(nvidia.gpus))
      const tsm = new TsmKernel({
        name: 'sev_guest',
        report: (reportData) => amdMachine(SEED, { at: AT, report: { reportData } }).report,
        auxblob: () => cpu().table,
      })
      // The CPU's report covers those of the GPUs whatever the order in which the sources are named.
      const sources = [tsmCollector({ files: tsm }), collector] as const
      const { bytes } = valueIn(await collectEvidence(sources, { ...RAW, binding }))
      const decision = await judged(
        {
          evidence: bytes,
          collateral: [...amdCollateral(cpu()), ...nvidiaCollateral(nvidia)],
          anchors: [...amdAnchors(cpu()), ...nvidiaAnchors(nvidia)],
        },
        { policy: gpuPolicy({ nonce: binding }), lease: LEASE },
      )
      expect(decision.findings).toEqual([])
      expect(decision.verdict).toBe('accept')
    },
  )

  it('asks a driver before 550 the older question', async () => {
    record({ ...answersOf(machine.gpus), nvmlSystemGetConfComputeState: { returns: 0, bytes: u32s(2, 1, 0) } })
    const old = nvmlCollector({ library: oldLibrary })
    expect((await old.probe()).facts).toMatchObject({ confidential: 'true', multiGpu: 'not said' })
    expect((await old.collect(RAW, [])).ok).toBe(true)
  })

  const settings = (...values: readonly number[]): Answers => ({
    nvmlSystemGetConfComputeSettings: { returns: 0, bytes: u32s(0, ...values) },
  })

  it('collects in protected PCIe mode, where confidential mode is off', async () => {
    record({ ...answersOf(machine.gpus), ...settings(2, 0, 0, 1) })
    expect((await collector.collect(RAW, [])).ok).toBe(true)
  })

  it.each<[string, Answers, Code]>([
    ['DevTools mode', settings(2, 1, 1, 0), 'COLLECT_GPU_DEVTOOLS'],
    ['a simulation', settings(1, 1, 0, 0), 'COLLECT_GPU_SIMULATED'],
  ])('collects in %s and says so', async (_, answers, code) => {
    record({ ...answersOf(machine.gpus), ...answers })
    expect(valueIn(await collector.collect(RAW, [])).faults.map((f) => f.code)).toEqual([code])
  })

  const REPORT = 'nvmlDeviceGetConfComputeGpuAttestationReport.0'
  const CHAIN = 'nvmlDeviceGetConfComputeGpuCertificate.0'
  it.each<[string, Answers, Code, string]>([
    [
      'the driver is not loaded',
      { nvmlInit_v2: { returns: 9 } },
      'COLLECT_NVML_DRIVER_NOT_LOADED',
      'NVML_ERROR_DRIVER_NOT_LOADED',
    ],
    [
      'library and driver differ',
      { nvmlInit_v2: { returns: 18 } },
      'COLLECT_NVML_VERSION_MISMATCH',
      'NVML_ERROR_LIB_RM_VERSION_MISMATCH',
    ],
    ['permission is missing', { nvmlInit_v2: { returns: 4 } }, 'COLLECT_NVML_PERMISSION', 'NVML_ERROR_NO_PERMISSION'],
    ['there is no GPU', { nvmlDeviceGetCount_v2: { returns: 0, bytes: u32s(0) } }, 'COLLECT_NVML_NO_GPU', '0'],
    ['confidential mode is off', settings(2, 0, 0, 0), 'COLLECT_GPU_CC_OFF', 'off'],
    ['the GPU is lost', { [REPORT]: { returns: 15 } }, 'COLLECT_GPU_UNUSABLE', 'NVML_ERROR_GPU_IS_LOST'],
    ['a reset is needed', { [REPORT]: { returns: 16 } }, 'COLLECT_GPU_RESET_NEEDED', 'NVML_ERROR_RESET_REQUIRED'],
    ['the GPU cannot report', { [REPORT]: { returns: 3 } }, 'COLLECT_NVML_NOT_SUPPORTED', 'NVML_ERROR_NOT_SUPPORTED'],
    ['the GPU is busy', { [REPORT]: { returns: 10 } }, 'COLLECT_NVML_BUSY', 'NVML_ERROR_TIMEOUT'],
    ['nobody knows', { [REPORT]: { returns: 999 } }, 'COLLECT_NVML_FAILED', 'NVML_ERROR_UNKNOWN'],
    ['a value is new', { [REPORT]: { returns: 1234 } }, 'COLLECT_NVML_FAILED', 'nvmlReturn_t 1234'],
    [
      'a report is longer than its field',
      { [REPORT]: { returns: 0, bytes: reportStructure(gpu.report, 0x2001) } },
      'COLLECT_NVML_ANSWER_INVALID',
      '8193',
    ],
    [
      'a report is empty',
      { [REPORT]: { returns: 0, bytes: reportStructure(gpu.report, 0) } },
      'COLLECT_NVML_ANSWER_INVALID',
      '0',
    ],
    [
      'a report is none',
      { [REPORT]: { returns: 0, bytes: reportStructure(gpu.report.with(0, 0x7f)) } },
      'COLLECT_NVML_ANSWER_INVALID',
      'unknown',
    ],
    [
      'a chain is longer than its field',
      { [CHAIN]: { returns: 0, bytes: certificateStructure(utf8(gpu.chainPem), 0x1401) } },
      'COLLECT_NVML_ANSWER_INVALID',
      '5121',
    ],
  ])('where %s', async (_, answers, code, actual) => {
    record({ ...answersOf(machine.gpus), ...answers })
    const outcome = await collector.collect(RAW, [])
    expect(codesOf(outcome)).toEqual([code])
    expect(outcome.ok ? undefined : outcome.faults[0].actual).toBe(actual)
  })

  it('brings all GPUs or none', async () => {
    const two = gpus({ gpuCount: 2 })
    record(answersOf(two.gpus))
    expect(valueIn(await collector.collect(RAW, [])).evidence).toMatchObject({
      parts: [{ id: 'gpu-0' }, { id: 'gpu-1' }],
    })
    record({ ...answersOf(two.gpus), 'nvmlDeviceGetConfComputeGpuAttestationReport.1': { returns: 15 } })
    expect(codesOf(await collector.collect(RAW, []))).toEqual(['COLLECT_GPU_UNUSABLE'])
  })

  it('reads on where a single reading is refused', async () => {
    record({ ...answersOf(machine.gpus), 'nvmlDeviceGetUUID.0': { returns: 3 } })
    const { faults, facts } = await collector.probe()
    expect(faults).toMatchObject([{ code: 'COLLECT_NVML_NOT_SUPPORTED', path: 'gpu-0.nvmlDeviceGetUUID' }])
    expect(facts).toMatchObject({ 'gpu-0.uuid': 'not said', 'gpu-0.vbios': '96.00.FE.00.01' })
  })
})

it('names the package where the library is not there', async () => {
  const absent = nvmlCollector({ library: '/nowhere/libnvidia-ml.so.1' })
  expect((await absent.probe()).faults).toMatchObject([
    { code: 'COLLECT_NVML_LIBRARY_ABSENT', path: '/nowhere/libnvidia-ml.so.1' },
  ])
  expect(codesOf(await absent.collect(RAW, []))).toEqual(['COLLECT_NVML_LIBRARY_ABSENT'])
})

it('has a name and a finding for every value of nvmlReturn_t', () => {
  for (const value of [...Array(31).keys(), 999]) {
    expect(nvmlReturnName(value)).toMatch(/^NVML_(SUCCESS|ERROR_[A-Z_]+)$/)
    if (value !== 0) expect(nvmlFault(value, 'x').actual).toBe(nvmlReturnName(value))
  }
  expect(nvmlFault(13, 'x').code).toBe('COLLECT_NVML_OUTDATED')
})
