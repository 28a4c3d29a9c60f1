import type { NonEmpty } from '../../core/outcome.ts'
import type { DeviceIdentity } from '../nvidia/chain.ts'
import type { RimSlot } from '../nvidia/reference-values.ts'
import type { GpuReport } from './decode.ts'

/** What of a GPU's identity decides which manifests it needs. */
export type RimSubject = Pick<DeviceIdentity, 'facts' | 'chip'>

/**
 * The two manifests of a GPU, driver and VBIOS, by the ids under which NVIDIA publishes them. Of a report that is not proved
 * yet the ids say what to look for, and nothing else.
 * @see ../shared/spec/nvidia-gpu.md §4
 */
export function gpuRimSlots(report: GpuReport, { facts, chip }: RimSubject): NonEmpty<RimSlot> {
  const blackwell = facts.architecture === 'BLACKWELL'
  // Under its Hopper spelling the service also has a manifest for Blackwell's driver version: a Hopper one.
  const product = blackwell ? (report.chipInfo ?? chip) : facts.product(chip)
  const vbios = report.vbiosVersion.replaceAll('.', '')
  return [
    {
      source: 'driver',
      id: `NV_GPU_${blackwell ? 'CC_DRIVER' : 'DRIVER'}_${product}_${report.driverVersion}`,
      product,
      edition: facts.edition,
      version: report.driverVersion,
    },
    {
      source: 'vbios',
      id: `NV_GPU_VBIOS_${report.project}_${report.projectSku}_${report.chipSku}_${vbios}`.toUpperCase(),
      product,
      edition: facts.edition,
      version: report.vbiosVersion,
    },
  ]
}
