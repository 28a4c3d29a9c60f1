import type { OpaqueFieldName } from '../../attestation/nvidia/opaque-fields.ts'
import type { GpuReport } from '../../attestation/nvidia-gpu/index.ts'
import type { SwitchReport } from '../../attestation/nvidia-switch/decode.ts'

/** Decoded values of opaque fields; a field that is not here is shown with its bytes and what the table says of it. */
export type OpaqueMeanings<R> = { readonly [N in OpaqueFieldName]?: (report: R, data: Uint8Array) => string }

const list = (values: readonly string[]): string => (values.length === 0 ? 'none' : values.join(', '))
const yesNo = (value: boolean | undefined, yes: string, no: string): string =>
  value === undefined ? 'not reported' : value ? yes : no

function u32(data: Uint8Array): string {
  return `0x${(new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(0, true) >>> 0).toString(16)}`
}

/** How many measurements had contributions, and whether any had more than one. */
function counts(data: Uint8Array): string {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const values = Array.from({ length: Math.floor(data.length / 4) }, (_, i) => view.getUint32(4 * i, true))
  return `${values.filter((n) => n > 0).length} of ${values.length} measurements have contributions, at most ${Math.max(0, ...values)}`
}

const COMMON: OpaqueMeanings<unknown> = { MSRSCNT: (_, data) => counts(data) }

export const GPU_OPAQUE: OpaqueMeanings<GpuReport> = {
  ...COMMON,
  DRIVER_VERSION: (r) => r.driverVersion,
  VBIOS_VERSION: (r) => r.vbiosVersion,
  NVDEC0_STATUS: (r) => (r.nvdec0Disabled ? 'disabled' : 'enabled'),
  CPRINFO: (_, data) => u32(data),
  BOARD_ID: (_, data) => u32(data),
  CHIP_SKU: (r) => r.chipSku,
  PROJECT: (r) => r.project,
  PROJECT_SKU: (r) => r.projectSku,
  PROTECTED_PCIE_STATUS: (r) => yesNo(r.protectedPcie, 'on', 'off'),
  SWITCH_PDI: (r) => list(r.switchPdis),
  OPAQUE_DATA_VERSION: (r) => `${r.spdm.opaque.optionalU16('OPAQUE_DATA_VERSION')}`,
  CHIP_INFO: (r) => r.chipInfo ?? 'without meaning in this version',
  FEATURE_FLAG: (r) => r.featureFlag ?? 'without meaning in this version',
}

export const SWITCH_OPAQUE: OpaqueMeanings<SwitchReport> = {
  ...COMMON,
  BIOS_VERSION: (r) => r.biosVersion,
  DEVICE_PDI: (r) => r.devicePdi ?? 'not reported',
  GPU_PDIS: (r) => list(r.gpuPdis),
  GPU_PDIS_EARLY: (r) => list(r.gpuPdis),
  POSITION_ID: (r) => `${r.positionId}`,
  LOCK_STATUS: (r) => yesNo(r.locked, 'locked', 'not locked'),
}
