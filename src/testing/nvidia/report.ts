import { ARCHITECTURES, type GpuArchitecture } from './architectures.ts'
import { seededBytes } from './bytes.ts'
import type { NvidiaDevice } from './device-pki.ts'
import { reportedMeasurements } from './golden.ts'
import { type FeatureFlag, gpuOpaque, OFF, type OpaqueEdit, type OpaqueGeneration, switchOpaque } from './opaque.ts'
import { type ReportFault, reportFault } from './report-faults.ts'
import { encodeReport, type MeasurementBlock, type SpdmFields } from './spdm.ts'

/** Changes every kind of report takes; in this order: values, blocks, opaque fields, `spdm`, `wrong`. */
export interface ReportEdits {
  /** Measurement values by the manifest's index (counted from 0; the block is index + 1), 48 bytes each. */
  readonly measurements?: Readonly<Record<number, Uint8Array>>
  readonly blocks?: (blocks: readonly MeasurementBlock[]) => readonly MeasurementBlock[]
  readonly opaque?: OpaqueEdit
  /** Any field of the two messages, the signer and the form of the signature. */
  readonly spdm?: Partial<SpdmFields>
  readonly wrong?: ReportFault | undefined
}

export interface GpuReportSpec extends ReportEdits {
  /** Seed of the manifests the measurements have to match. */
  readonly seed: string
  readonly device: NvidiaDevice & { readonly architecture: GpuArchitecture }
  /** The challenge, 32 bytes; any other length is written as it is. */
  readonly nonce: Uint8Array
  /** 32 bytes; drawn from the device and the nonce unless given. */
  readonly responderNonce?: Uint8Array
  readonly driverVersion: string
  readonly vbiosVersion: string
  readonly featureFlag?: FeatureFlag
  readonly generation?: OpaqueGeneration
  readonly project?: string
  readonly projectSku?: string
  readonly chipSku?: string
  /** 0x55 (disabled) unless given; 0xAA makes index 35 count. */
  readonly nvdec0Status?: number
  readonly switchPdis?: readonly Uint8Array[]
}

export interface SwitchReportSpec extends ReportEdits {
  readonly seed: string
  readonly device: NvidiaDevice & { readonly architecture: 'ls10' }
  readonly nonce: Uint8Array
  readonly responderNonce?: Uint8Array
  readonly biosVersion: string
  /** PDIs of the GPUs it sees, at most eight of 8 bytes. */
  readonly gpuPdis: readonly Uint8Array[]
  /** PDI it reports; the device's own unless given. */
  readonly pdi?: Uint8Array
  readonly position?: number
  /** 1 (locked) unless given. */
  readonly lockStatus?: number
}

/** Board facts behind the VBIOS manifest's id, as real boards of the architecture report them. */
export const BOARDS = {
  hopper: { project: '1010', projectSku: '0200', chipSku: '882', boardId: 0x03b1 },
  blackwell: { project: 'G525', projectSku: '0220', chipSku: '886', boardId: 0x066f },
} as const

/** SPDM report of a GPU, signed by its attestation key. */
export function gpuReport(spec: GpuReportSpec): Uint8Array {
  const { architecture } = spec.device
  const versions = { driver: spec.driverVersion, vbios: spec.vbiosVersion }
  const { blockCount } = ARCHITECTURES[architecture]
  const values = reportedMeasurements(spec.seed, architecture, versions, blockCount)
  const opaque = gpuOpaque({
    ...BOARDS[architecture],
    ...(spec.project !== undefined && { project: spec.project }),
    ...(spec.projectSku !== undefined && { projectSku: spec.projectSku }),
    ...(spec.chipSku !== undefined && { chipSku: spec.chipSku }),
    architecture,
    generation: spec.generation ?? 'r580',
    driverVersion: spec.driverVersion,
    vbiosVersion: spec.vbiosVersion,
    nvdec0Status: spec.nvdec0Status ?? OFF,
    fwid: spec.device.fwid,
    featureFlag: spec.featureFlag ?? 'spt',
    switchPdis: spec.switchPdis,
    measurementCounts: countsOf(values),
  })
  return signedReport(spec, values, opaque)
}

/** SPDM report of an LS10 switch, signed by its attestation key. */
export function switchReport(spec: SwitchReportSpec): Uint8Array {
  const { blockCount } = ARCHITECTURES.ls10
  const values = reportedMeasurements(spec.seed, 'ls10', { 'switch-bios': spec.biosVersion }, blockCount)
  const opaque = switchOpaque({
    biosVersion: spec.biosVersion,
    pdi: spec.pdi ?? spec.device.pdi,
    gpuPdis: spec.gpuPdis,
    position: spec.position ?? 0,
    lockStatus: spec.lockStatus ?? 1,
    // Switch firmware counts only its first 26 measurements.
    measurementCounts: countsOf(values).slice(0, 26),
  })
  return signedReport(spec, values, opaque)
}

/** Contributions per measurement: none where the value is zero. */
const countsOf = (values: readonly Uint8Array[]): number[] =>
  values.map((value) => (value.some((b) => b !== 0) ? 1 : 0))

function signedReport(
  spec: GpuReportSpec | SwitchReportSpec,
  values: readonly Uint8Array[],
  opaque: Parameters<OpaqueEdit>[0],
): Uint8Array {
  const blocks = values.map((value, i) => ({ index: i + 1, value: spec.measurements?.[i] ?? value }))
  const responderNonce = seededBytes(spec.seed, `responder/${spec.device.attestationSerial}/${spec.nonce.join()}`, 32)
  const fields: SpdmFields = {
    requestVersion: 0x11,
    requestCode: 0xe0,
    requestParam1: 0x01,
    requestParam2: 0xff,
    nonce: spec.nonce,
    slot: 0,
    responseVersion: 0x11,
    responseCode: 0x60,
    responseParam1: 0,
    responseParam2: 0,
    blocks: spec.blocks?.(blocks) ?? blocks,
    responderNonce: spec.responderNonce ?? responderNonce,
    opaque: spec.opaque?.(opaque) ?? opaque,
    signer: spec.device.attestationKey,
    signatureForm: 'r-s',
    ...spec.spdm,
  }
  return encodeReport(spec.wrong === undefined ? fields : reportFault(spec.wrong, fields))
}
