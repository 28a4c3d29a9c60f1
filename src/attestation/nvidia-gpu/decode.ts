import { LIMITS } from '../../core/limits.ts'
import { attempt, fail, type Outcome, refuse, take } from '../../core/outcome.ts'
import { type Decoded, decoded } from '../kind.ts'
import type { DeviceReport } from '../nvidia/device.ts'
import { pdisOf } from '../nvidia/pdi.ts'
import { claimedBlocks, decodeSpdm } from '../nvidia/spdm.ts'
import { DRIVER_VERSION, ID_PART, packedVbiosVersion } from '../nvidia/versions.ts'

/** Blocks of every GPU report; a switch has fewer than half of them. */
const GPU_BLOCKS = 64

const NEWEST_OPAQUE_VERSION = 1

const FEATURES = ['SPT', 'MPT', 'PPCIE'] as const
export type FeatureFlag = (typeof FEATURES)[number]

const ON = 0xaa
const OFF = 0x55

/** A GPU's report as a structure. Nothing in it is proved. */
export interface GpuReport extends DeviceReport {
  readonly driverVersion: string
  /** e.g. `96.00.74.00.20`, capitals */
  readonly vbiosVersion: string
  readonly project: string
  readonly projectSku: string
  readonly chipSku: string
  /** CHIP_INFO, e.g. `GB100`; undefined where the report has none */
  readonly chipInfo: string | undefined
  readonly featureFlag: FeatureFlag | undefined
  readonly protectedPcie: boolean | undefined
  /** hex, in the switches' own byte order, each once */
  readonly switchPdis: readonly string[]
}

/** Whether the bytes are a measurements exchange with more blocks than a switch has; no proof of anything. */
export const looksLikeGpuReport = (bytes: Uint8Array): boolean => (claimedBlocks(bytes) ?? 0) > GPU_BLOCKS / 2

/**
 * Decodes a GPU's report.
 * @returns the report, or LIMIT_EVIDENCE_BYTES · those of `decodeSpdm` · GPU_MEASUREMENT_INDEX (other than 64 blocks) ·
 * GPU_OPAQUE_MALFORMED · GPU_VERSION_MALFORMED · GPU_NVDEC0_INVALID · GPU_REPORT_UNSUPPORTED
 * @see ../shared/spec/nvidia-gpu.md §§1, 2
 */
export function decodeGpuReport(bytes: Uint8Array, path: string): Outcome<Decoded<GpuReport>> {
  if (bytes.length > LIMITS.evidenceBytes) {
    return fail('LIMIT_EVIDENCE_BYTES', path, { expected: `at most ${LIMITS.evidenceBytes}`, actual: bytes.length })
  }
  return attempt(() => {
    const spdm = take(decodeSpdm('gpu', bytes, path))
    const { opaque, measurements } = spdm
    if (measurements.size !== GPU_BLOCKS) {
      refuse('GPU_MEASUREMENT_INDEX', `${path}.numberOfBlocks`, { expected: GPU_BLOCKS, actual: measurements.size })
    }
    const version = opaque.optionalU16('OPAQUE_DATA_VERSION') ?? 0
    if (version > NEWEST_OPAQUE_VERSION) {
      refuse('GPU_REPORT_UNSUPPORTED', opaque.path('OPAQUE_DATA_VERSION'), { expected: '0 or 1', actual: version })
    }
    const switchPdi = opaque.optional('SWITCH_PDI')
    opaque.required('NVDEC0_STATUS')
    return decoded<GpuReport>({
      spdm,
      driverVersion: opaque.text('DRIVER_VERSION', DRIVER_VERSION, 'GPU_VERSION_MALFORMED'),
      vbiosVersion: packedVbiosVersion(opaque.required('VBIOS_VERSION'), opaque.path('VBIOS_VERSION')),
      project: opaque.text('PROJECT', ID_PART, 'GPU_VERSION_MALFORMED'),
      projectSku: opaque.text('PROJECT_SKU', ID_PART, 'GPU_VERSION_MALFORMED'),
      chipSku: opaque.text('CHIP_SKU', ID_PART, 'GPU_VERSION_MALFORMED'),
      nvdec0Disabled: opaque.optionalSwitch('NVDEC0_STATUS', OFF, ON, 'GPU_NVDEC0_INVALID') === true,
      protectedPcie: opaque.optionalSwitch('PROTECTED_PCIE_STATUS', ON, OFF, 'GPU_REPORT_UNSUPPORTED'),
      switchPdis: switchPdi === undefined ? [] : pdisOf(switchPdi, 'little-endian'),
      // Both fields have a meaning from opaque data version 1 on; before, whatever stands there says nothing.
      chipInfo:
        version === 0 || opaque.optional('CHIP_INFO') === undefined
          ? undefined
          : opaque.text('CHIP_INFO', ID_PART, 'GPU_VERSION_MALFORMED'),
      featureFlag:
        version === 0 ? undefined : featureFlag(opaque.optionalU16('FEATURE_FLAG'), opaque.path('FEATURE_FLAG')),
    })
  })
}

function featureFlag(value: number | undefined, path: string): FeatureFlag | undefined {
  if (value === undefined) return undefined
  return FEATURES[value] ?? refuse('GPU_REPORT_UNSUPPORTED', path, { expected: '0, 1 or 2', actual: value })
}
