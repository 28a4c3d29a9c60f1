import { toHex } from '../../core/encodings.ts'
import { LIMITS } from '../../core/limits.ts'
import { attempt, fail, type Outcome, refuse, take } from '../../core/outcome.ts'
import { type Decoded, decoded } from '../kind.ts'
import type { DeviceReport } from '../nvidia/device.ts'
import type { OpaqueData } from '../nvidia/opaque.ts'
import { pdisOf } from '../nvidia/pdi.ts'
import { claimedBlocks, decodeSpdm } from '../nvidia/spdm.ts'
import { asciiBiosVersion } from '../nvidia/versions.ts'

/** LS10 has 31; a GPU has 64. */
const MOST_BLOCKS = 32

/** Eight PDIs of 8 bytes; 64 port bytes follow. */
const GPU_PDI_BYTES = 64

const LOCKED = 1

/** An NVSwitch's report as a structure. Nothing in it is proved. */
export interface SwitchReport extends DeviceReport {
  /** e.g. `96.10.55.00.01`, capitals */
  readonly biosVersion: string
  /** DEVICE_PDI, hex of 8 bytes; undefined where the report has none */
  readonly devicePdi: string | undefined
  /** hex, each once */
  readonly gpuPdis: readonly string[]
  readonly locked: boolean | undefined
  readonly positionId: number | undefined
}

/** Whether the bytes are a measurements exchange with as few blocks as a switch has; no proof of anything. */
export function looksLikeSwitchReport(bytes: Uint8Array): boolean {
  const blocks = claimedBlocks(bytes)
  return blocks !== undefined && blocks <= MOST_BLOCKS
}

/**
 * Decodes an NVSwitch's report.
 * @returns the report, or LIMIT_EVIDENCE_BYTES · those of `decodeSpdm` · GPU_OPAQUE_MALFORMED · GPU_VERSION_MALFORMED
 * @see ../shared/spec/nvidia-gpu.md §§1, 2
 */
export function decodeSwitchReport(bytes: Uint8Array, path: string): Outcome<Decoded<SwitchReport>> {
  if (bytes.length > LIMITS.evidenceBytes) {
    return fail('LIMIT_EVIDENCE_BYTES', path, { expected: `at most ${LIMITS.evidenceBytes}`, actual: bytes.length })
  }
  return attempt(() => {
    const spdm = take(decodeSpdm('switch', bytes, path))
    const { opaque } = spdm
    const devicePdi = opaque.optional('DEVICE_PDI')
    const lockStatus = opaque.optionalU16('LOCK_STATUS')
    return decoded<SwitchReport>({
      spdm,
      nvdec0Disabled: false,
      biosVersion: asciiBiosVersion(opaque.required('BIOS_VERSION'), opaque.path('BIOS_VERSION')),
      devicePdi: devicePdi === undefined ? undefined : toHex(devicePdi),
      gpuPdis: gpuPdis(opaque),
      locked: lockStatus === undefined ? undefined : lockStatus === LOCKED,
      positionId: opaque.optionalU16('POSITION_ID'),
    })
  })
}

/** Early firmware has the same table under another id; no report can mean two. */
function gpuPdis(opaque: OpaqueData): readonly string[] {
  const table = opaque.optional('GPU_PDIS')
  const early = opaque.optional('GPU_PDIS_EARLY')
  if (table !== undefined && early !== undefined) {
    refuse('GPU_OPAQUE_DUPLICATE', opaque.path('GPU_PDIS'), { actual: 'GPU_PDIS under two ids' })
  }
  const present = table ?? early
  return present === undefined ? [] : pdisOf(present.subarray(0, GPU_PDI_BYTES), 'big-endian')
}
