import { type Fault, fault } from '../../core/outcome.ts'
import { compareVersions } from '../../policy/versions.ts'
import { readGpuSystem } from '../nvml/collector.ts'
import type { GpuSystem } from '../nvml/system.ts'
import { type Check, good, skipped, wrong } from './check.ts'
import type { HostFiles } from './files.ts'

/** Versions that tenants refuse. */
export interface GpuLimits {
  readonly minDriver: string
  readonly denyDrivers: readonly string[]
  readonly denyVbios: readonly string[]
}

/**
 * Where no policy says otherwise: the oldest driver of the preset h100-confidential, and the VBIOS whose measurements do not
 * match under any driver (nvtrust 132, 90).
 */
export const GPU_LIMITS: GpuLimits = { minDriver: '550.90.07', denyDrivers: [], denyVbios: ['96.00.74.00.1C'] }

const NVIDIA = '0x10de'
/** PCI classes of GPUs: VGA and 3D controller. */
const GPU_CLASS = /^0x030[02]/

/** NVIDIA GPUs on the bus by the driver that holds them. */
async function gpusOnBus(files: HostFiles): Promise<ReadonlyMap<string, number>> {
  const drivers = new Map<string, number>()
  const folder = '/sys/bus/pci/devices'
  for (const device of await files.names(folder)) {
    if ((await files.text(`${folder}/${device}/vendor`)) !== NVIDIA) continue
    if (!GPU_CLASS.test((await files.text(`${folder}/${device}/class`)) ?? '')) continue
    const driver = (await files.linkName(`${folder}/${device}/driver`)) ?? 'no driver'
    drivers.set(driver, (drivers.get(driver) ?? 0) + 1)
  }
  return drivers
}

/** @param library path of NVML, where the operator names one; it is asked whatever the bus shows */
export async function checkGpus(files: HostFiles, limits: GpuLimits, library: string | undefined): Promise<Check[]> {
  const bus = await gpusOnBus(files)
  if (library === undefined) {
    if (bus.size === 0) return [skipped('gpu', 'no NVIDIA GPU on the PCI bus of this machine')]
    const passed = bus.get('vfio-pci')
    if (passed !== undefined && bus.size === 1)
      return [good('gpu', `${passed} on vfio-pci: passed through, so ask inside the VM that has them`)]
    if (files.root !== '/') return [skipped('gpu', 'the driver of another root cannot be asked')]
  }
  const system = await readGpuSystem(library === undefined ? {} : { library })
  if (!system.ok) return system.faults.map((f) => wrong('gpu', f))
  return [...modeChecks(system.value), ...versionChecks(system.value, limits)]
}

function modeChecks({ state, faults, gpus, cpu }: GpuSystem): Check[] {
  const mode =
    state === undefined
      ? 'mode not said'
      : `confidential ${state.confidential ? 'on' : 'off'}, DevTools ${state.devtools ? 'on' : 'off'}, multi-GPU ${state.multiGpu ?? 'not said'}`
  const seen = good(
    'gpu',
    `${gpus.map(({ name, uuid }) => `${name ?? 'GPU'} ${uuid ?? ''}`.trim()).join(', ')}; ${mode}; CPU ${cpu ?? 'not said'}`,
  )
  return [seen, ...faults.map((f) => wrong('gpu.mode', f))]
}

function versionChecks({ driver, gpus }: GpuSystem, limits: GpuLimits): Check[] {
  const driverFault = driver === undefined ? undefined : faultOfDriver(driver, limits)
  return [
    ...(driver === undefined
      ? []
      : [driverFault === undefined ? good('gpu.driver', driver) : wrong('gpu.driver', driverFault)]),
    ...gpus.flatMap(({ id, vbios }) => {
      if (vbios === undefined) return []
      const denied = limits.denyVbios.find((one) => compareVersions(vbios, one, 16) === 0)
      return denied === undefined
        ? [good(`${id}.vbios`, vbios)]
        : [
            wrong(
              `${id}.vbios`,
              fault('DOCTOR_VBIOS_DENIED', `${id}.vbios`, { expected: `not ${denied}`, actual: vbios }),
            ),
          ]
    }),
  ]
}

function faultOfDriver(driver: string, { minDriver, denyDrivers }: GpuLimits): Fault | undefined {
  const isOld = (compareVersions(driver, minDriver) ?? -1) < 0
  if (isOld) return fault('DOCTOR_DRIVER_DENIED', 'gpu.driver', { expected: `${minDriver} or later`, actual: driver })
  const denied = denyDrivers.find((one) => compareVersions(driver, one) === 0)
  return denied === undefined
    ? undefined
    : fault('DOCTOR_DRIVER_DENIED', 'gpu.driver', { expected: `not ${denied}`, actual: driver })
}
