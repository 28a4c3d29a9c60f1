import type { GpuRule } from './policy.ts'
import { HOPPER_MODELS, PPCIE_BOARD_GPUS } from './rules-gpu.ts'

/** Whether a GPU in protected PCIe mode may be among them. */
export const allowsPpcie = ({ modes }: GpuRule): boolean => modes === 'any' || modes.includes('PPCIE')

/** Whether a GPU in another mode may be. */
export const allowsOtherModes = ({ modes }: GpuRule): boolean => modes === 'any' || modes.some((m) => m !== 'PPCIE')

/** Whether a whole board in protected PCIe mode meets the rule. */
export const allowsBoard = (rule: GpuRule): boolean =>
  allowsPpcie(rule) && (rule.count === 'lease' || rule.count === PPCIE_BOARD_GPUS)

/** Whether Hopper GPUs, whose NVLink is plain text outside such a board, meet the rule. */
export const allowsHopper = ({ models }: GpuRule): boolean =>
  models === 'any' || models.some((model) => HOPPER_MODELS.includes(model))

export const allowsHopperOnly = ({ models }: GpuRule): boolean =>
  models !== 'any' && models.every((model) => HOPPER_MODELS.includes(model))
