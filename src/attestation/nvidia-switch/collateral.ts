import type { NonEmpty } from '../../core/outcome.ts'
import type { DeviceIdentity } from '../nvidia/chain.ts'
import type { RimSlot } from '../nvidia/reference-values.ts'
import type { SwitchReport } from './decode.ts'

/** PROJECT, PROJECT_SKU and CHIP_SKU of LS10 in its manifests' ids; its reports do not carry them. */
const LS10_BOARD = '5612_0002_890'

/**
 * The one manifest of a switch, its BIOS, by the id under which NVIDIA publishes it.
 * @see ../shared/spec/nvidia-gpu.md §4
 */
export function switchRimSlots(
  report: SwitchReport,
  { facts, chip }: Pick<DeviceIdentity, 'facts' | 'chip'>,
): NonEmpty<RimSlot> {
  return [
    {
      source: 'bios',
      id: `NV_SWITCH_BIOS_${LS10_BOARD}_${report.biosVersion.replaceAll('.', '')}`,
      product: facts.product(chip),
      edition: facts.edition,
      version: report.biosVersion,
    },
  ]
}
