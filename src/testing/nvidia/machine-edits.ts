import { must, seededBytes } from './bytes.ts'
import type { DevicePlan, GpuEdits, MachinePlan, SwitchEdits } from './machine-plan.ts'

export type GpuPlan = DevicePlan<GpuEdits>
export type SwitchPlan = DevicePlan<SwitchEdits>

/** Faults touch the last device of a kind, so that whatever was found about the earlier ones must not cover for it. */
export function changeLast<T>(list: readonly T[], change: (last: T) => T): readonly T[] {
  const last = must(list.at(-1), 'device of the kind the fault is about')
  return list.with(list.length - 1, change(last))
}

export const lastGpu =
  (change: (plan: GpuPlan, all: MachinePlan) => GpuPlan) =>
  (plan: MachinePlan): MachinePlan => ({
    ...plan,
    gpus: changeLast(plan.gpus, (gpu) => change(gpu, plan)),
  })

export const lastSwitch =
  (change: (plan: SwitchPlan, all: MachinePlan) => SwitchPlan) =>
  (plan: MachinePlan): MachinePlan => ({
    ...plan,
    switches: changeLast(plan.switches, (device) => change(device, plan)),
  })

export const gpuReport = (change: (report: GpuEdits, all: MachinePlan) => Partial<GpuEdits>) =>
  lastGpu((gpu, all) => ({ ...gpu, report: { ...gpu.report, ...change(gpu.report, all) } }))

export const switchReport = (change: (report: SwitchEdits, all: MachinePlan) => Partial<SwitchEdits>) =>
  lastSwitch((device, all) => ({ ...device, report: { ...device.report, ...change(device.report, all) } }))

/** The PDI of a device that is not in the machine. */
export const otherPdi = (plan: MachinePlan, label: string): Uint8Array =>
  seededBytes(plan.pki.seed, `pdi/other/${label}`, 8)
