import { type Fault, fault, type Outcome } from '../../core/outcome.ts'
import { SYSTEM_CAPABILITIES, SYSTEM_SETTINGS, SYSTEM_SETTINGS_VERSION, SYSTEM_STATE } from './layouts.ts'
import type { Device, NvmlSession } from './session.ts'

/** What one GPU says of itself; a reading that NVML refuses is undefined, and why is among the faults. */
export interface GpuFacts {
  readonly id: string
  readonly name: string | undefined
  readonly uuid: string | undefined
  readonly vbios: string | undefined
  /** `Hopper`, or NVML's number where it has no name here */
  readonly architecture: string | undefined
}

/** The mode of all GPUs of the system together, as the driver sees it. */
export interface ConfidentialState {
  readonly environment: 'unavailable' | 'simulation' | 'production' | 'unknown'
  readonly confidential: boolean
  readonly devtools: boolean
  /** undefined where the driver is too old to say */
  readonly multiGpu: 'none' | 'protected-pcie' | 'nvle' | 'unknown' | undefined
}

export interface GpuSystem {
  readonly driver: string | undefined
  readonly state: ConfidentialState | undefined
  /** whether the CPU that the driver sees is a confidential one, in NVML's words */
  readonly cpu: string | undefined
  /** whether the GPUs may be confidential at all */
  readonly capable: boolean | undefined
  /** whether work is accepted: after attestation, in confidential mode */
  readonly ready: boolean | undefined
  readonly gpus: readonly GpuFacts[]
  /** readings that NVML refused, and what tenants would refuse */
  readonly faults: readonly Fault[]
}

const ENVIRONMENTS = ['unavailable', 'simulation', 'production'] as const
const MULTI_GPU = ['none', 'protected-pcie', 'nvle'] as const
const CPU_CAPABILITIES = ['none', 'AMD SEV', 'Intel TDX', 'AMD SEV-SNP', 'AMD SNP with vTOM'] as const
const ARCHITECTURES: ReadonlyMap<number, string> = new Map([
  [2, 'Kepler'],
  [3, 'Maxwell'],
  [4, 'Pascal'],
  [5, 'Volta'],
  [6, 'Turing'],
  [7, 'Ampere'],
  [8, 'Ada'],
  [9, 'Hopper'],
  [10, 'Blackwell'],
  [13, 'Rubin'],
])

/** Reads everything that says whether these GPUs can be attested; one refusal does not end the reading of the rest. */
export async function readSystem(nvml: NvmlSession, devices: readonly Device[]): Promise<GpuSystem> {
  const faults: Fault[] = []
  const read = async <T>(reading: Promise<Outcome<T>>): Promise<T | undefined> => {
    const outcome = await reading
    if (outcome.ok) return outcome.value
    faults.push(...outcome.faults)
    return undefined
  }
  const driver = await read(nvml.systemText('nvmlSystemGetDriverVersion', 80))
  const state = await read(readState(nvml))
  const capabilities = await read(nvml.structure('nvmlSystemGetConfComputeCapabilities', SYSTEM_CAPABILITIES))
  const ready = await read(nvml.number('nvmlSystemGetConfComputeGpusReadyState'))
  const gpus: GpuFacts[] = []
  for (const device of devices) {
    const architecture = await read(nvml.number('nvmlDeviceGetArchitecture', device))
    gpus.push({
      id: device.id,
      name: await read(nvml.deviceText('nvmlDeviceGetName', device, 96)),
      uuid: await read(nvml.deviceText('nvmlDeviceGetUUID', device, 96)),
      vbios: await read(nvml.deviceText('nvmlDeviceGetVbiosVersion', device, 32)),
      architecture: architecture === undefined ? undefined : (ARCHITECTURES.get(architecture) ?? String(architecture)),
    })
  }
  return {
    driver,
    state,
    cpu: capabilities === undefined ? undefined : (CPU_CAPABILITIES[capabilities.cpuCaps] ?? 'unknown'),
    capable: capabilities === undefined ? undefined : capabilities.gpusCaps === 1,
    ready: ready === undefined ? undefined : ready === 1,
    gpus,
    faults: [...faults, ...(state === undefined ? [] : modeFaults(state))],
  }
}

/** The newer question says more; drivers before 550 know the older one alone. */
async function readState(nvml: NvmlSession): Promise<Outcome<ConfidentialState>> {
  const settings = await nvml.structure('nvmlSystemGetConfComputeSettings', SYSTEM_SETTINGS, (view) =>
    view.setUint32(0, SYSTEM_SETTINGS_VERSION, true),
  )
  if (settings.ok) {
    const multiGpu = MULTI_GPU[settings.value.multiGpuMode] ?? 'unknown'
    return { ok: true, value: { ...stateOf(settings.value), multiGpu } }
  }
  const state = await nvml.structure('nvmlSystemGetConfComputeState', SYSTEM_STATE)
  return state.ok ? { ok: true, value: { ...stateOf(state.value), multiGpu: undefined } } : state
}

const stateOf = (read: { environment: number; ccFeature: number; devToolsMode: number }) => ({
  environment: ENVIRONMENTS[read.environment] ?? ('unknown' as const),
  confidential: read.ccFeature === 1,
  devtools: read.devToolsMode !== 0,
})

/** Protected PCIe is a mode of its own, beside confidential mode. Everything that is not said counts as off. */
export const isProtected = (state: ConfidentialState): boolean =>
  state.confidential || state.multiGpu === 'protected-pcie'

function modeFaults(state: ConfidentialState): Fault[] {
  const at = 'nvml.nvmlSystemGetConfComputeSettings'
  if (!isProtected(state)) return [fault('COLLECT_GPU_CC_OFF', at, { expected: 'confidential mode on', actual: 'off' })]
  if (state.devtools) return [fault('COLLECT_GPU_DEVTOOLS', at, { expected: 'DevTools mode off', actual: 'on' })]
  return state.environment === 'simulation'
    ? [fault('COLLECT_GPU_SIMULATED', at, { expected: 'production', actual: state.environment })]
    : []
}
