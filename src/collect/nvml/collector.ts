import { attemptAsync, type Outcome, refuse, take } from '../../core/outcome.ts'
import { deviceNonceFor } from '../answers.ts'
import type { Collected, Collector, EvidencePart, Probed, Question } from '../collector.ts'
import { readEvidence } from './evidence.ts'
import { NvmlSession } from './session.ts'
import { type GpuSystem, isProtected, readSystem } from './system.ts'

export interface NvmlOptions {
  /** path of the library, instead of the places of the system */
  readonly library?: string
}

/** What NVML says of the system and its GPUs, without asking for evidence. */
export const readGpuSystem = ({ library }: NvmlOptions = {}): Promise<Outcome<GpuSystem>> =>
  NvmlSession.with(library, (nvml) => attemptAsync(async () => readSystem(nvml, take(await nvml.devices()))))

/** Reports of every NVIDIA GPU that the driver shows, with their certificate chains. */
export function nvmlCollector(options: NvmlOptions = {}): Collector {
  return {
    name: 'nvml',
    makes: 'devices',
    async probe(): Promise<Probed> {
      const system = await readGpuSystem(options)
      return system.ok
        ? { faults: system.value.faults, facts: factsOf(system.value) }
        : { faults: system.faults, facts: {} }
    },
    collect: (question: Question): Promise<Outcome<Collected>> =>
      NvmlSession.with(options.library, (nvml) =>
        attemptAsync(async () => {
          const devices = take(await nvml.devices())
          const { state, faults } = await readSystem(nvml, devices)
          const seen = faults.find(({ code }) => code === 'COLLECT_GPU_CC_OFF')
          if (state !== undefined && !isProtected(state) && seen !== undefined)
            return refuse(seen.code, seen.path, seen)
          const nonce = await deviceNonceFor(question)
          const [first, ...rest] = devices
          const parts: [EvidencePart, ...EvidencePart[]] = [take(await readEvidence(nvml, first, nonce))]
          for (const device of rest) parts.push(take(await readEvidence(nvml, device, nonce)))
          return {
            evidence: { kind: 'parts' as const, parts },
            faults: faults.filter(({ code }) => code.startsWith('COLLECT_GPU_')),
          }
        }),
      ),
  }
}

function factsOf({ driver, state, cpu, capable, ready, gpus }: GpuSystem): Record<string, string> {
  const said = (value: string | boolean | undefined): string => (value === undefined ? 'not said' : String(value))
  return {
    driver: said(driver),
    environment: said(state?.environment),
    confidential: said(state?.confidential),
    devtools: said(state?.devtools),
    multiGpu: said(state?.multiGpu),
    cpu: said(cpu),
    capable: said(capable),
    ready: said(ready),
    ...Object.fromEntries(
      gpus.flatMap(({ id, name, uuid, vbios, architecture }) => [
        [`${id}.name`, said(name)],
        [`${id}.uuid`, said(uuid)],
        [`${id}.vbios`, said(vbios)],
        [`${id}.architecture`, said(architecture)],
      ]),
    ),
  }
}
