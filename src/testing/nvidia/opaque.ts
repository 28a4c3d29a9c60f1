import { concatBytes, utf8 } from '../../core/bytes.ts'
import { littleEndian, must, nulTerminated } from './bytes.ts'

/** Opaque data of the MEASUREMENTS response: a sequence of `type u16 | size u16 | data`, all little-endian. */
export interface OpaqueField {
  readonly type: number
  readonly data: Uint8Array
  /** Size written into the record where it is to differ from `data.length`. */
  readonly declaredSize?: number
}

/** Types of the fields the kit writes; the names are those of NVIDIA's verifier. */
export const OPAQUE = {
  driverVersion: 3,
  gpuInfo: 4,
  vbiosVersion: 6,
  nvdec0Status: 11,
  measurementCount: 12,
  cprInfo: 13,
  boardId: 14,
  chipSku: 15,
  chipSkuMod: 16,
  project: 17,
  projectSku: 18,
  projectSkuMod: 19,
  fwid: 20,
  protectedPcieStatus: 21,
  switchPdi: 22,
  devicePdi: 22,
  disabledPorts: 23,
  positionId: 24,
  lockStatus: 25,
  gpuPdis: 26,
  systemEnableStatus: 33,
  opaqueDataVersion: 34,
  chipInfo: 35,
  featureFlag: 36,
  invalid: 255,
} as const

/** FEATURE_FLAG values: single-GPU passthrough, multi-GPU passthrough, protected PCIe. */
export const FEATURE_FLAGS = { spt: 0, mpt: 1, ppcie: 2 } as const
export type FeatureFlag = keyof typeof FEATURE_FLAGS

export const ON = 0xaa
export const OFF = 0x55

export function encodeOpaque(fields: readonly OpaqueField[]): Uint8Array {
  return concatBytes(
    ...fields.flatMap((f) => [littleEndian(f.type, 2), littleEndian(f.declaredSize ?? f.data.length, 2), f.data]),
  )
}

/** A change to the list of opaque fields. */
export type OpaqueEdit = (fields: readonly OpaqueField[]) => readonly OpaqueField[]

const indexOfType = (fields: readonly OpaqueField[], type: number): number => {
  const at = fields.findIndex((field) => field.type === type)
  if (at < 0) throw new TypeError(`the report has no opaque field ${type} to edit`)
  return at
}

export const dropOpaque =
  (type: number): OpaqueEdit =>
  (fields) =>
    fields.toSpliced(indexOfType(fields, type), 1)

/** Replaces the data of the field where it stands. */
export const setOpaque =
  (type: number, data: Uint8Array): OpaqueEdit =>
  (fields) =>
    fields.with(indexOfType(fields, type), { type, data })

/** Writes a size that is not the size of the data. */
export const lieAboutOpaqueSize =
  (type: number, declaredSize: number): OpaqueEdit =>
  (fields) => {
    const at = indexOfType(fields, type)
    return fields.with(at, { ...must(fields[at], 'field'), declaredSize })
  }

/** Puts a second field of this type behind the first; the data of the first unless told. */
export const duplicateOpaque =
  (type: number, data?: Uint8Array): OpaqueEdit =>
  (fields) => {
    const at = indexOfType(fields, type)
    return fields.toSpliced(at + 1, 0, { type, data: data ?? must(fields[at], 'field').data })
  }

/** Adds a field at the end. */
export const addOpaque =
  (type: number, data: Uint8Array): OpaqueEdit =>
  (fields) => [...fields, { type, data }]

/** Turns the order round: legal, since nothing fixes one. */
export const reverseOpaque: OpaqueEdit = (fields) => fields.toReversed()

/** Several edits, first to last. */
export const inTurn =
  (...edits: readonly OpaqueEdit[]): OpaqueEdit =>
  (fields) =>
    edits.reduce((list, edit) => edit(list), fields)

/**
 * VBIOS version as GPUs pack it into 8 bytes: `96.00.74.00.20` → 00 74 00 96 20 00 00 00.
 * @param version five two-digit hexadecimal groups
 */
export function packVbiosVersion(version: string): Uint8Array<ArrayBuffer> {
  if (!/^[0-9A-Fa-f]{2}(\.[0-9A-Fa-f]{2}){4}$/.test(version)) throw new TypeError(`${version} is not a VBIOS version`)
  const [b3 = 0, b2 = 0, b1 = 0, b0 = 0, b4 = 0] = version.split('.').map((group) => Number.parseInt(group, 16))
  return Uint8Array.of(b0, b1, b2, b3, b4, 0, 0, 0)
}

/** Which driver branch the layout of the opaque data follows: 535 and 545 · 550 to 575 · from 580 (version 1, with the feature flag). */
export type OpaqueGeneration = 'r535' | 'r550' | 'r580'

export interface GpuOpaque {
  readonly architecture: 'hopper' | 'blackwell'
  readonly generation: OpaqueGeneration
  readonly driverVersion: string
  readonly vbiosVersion: string
  readonly project: string
  readonly projectSku: string
  readonly chipSku: string
  readonly boardId: number
  /** 0x55 disabled, 0xAA enabled; one byte. */
  readonly nvdec0Status: number
  /** 48 bytes. */
  readonly fwid: Uint8Array
  readonly featureFlag: FeatureFlag
  /** 18 entries of 8 bytes, one per NVLink, in the switch's own byte order; used in protected PCIe mode. */
  readonly switchPdis?: readonly Uint8Array[] | undefined
  readonly measurementCounts: readonly number[]
}

/** The opaque fields of a GPU report, in the order real drivers write them. */
export function gpuOpaque(of: GpuOpaque): readonly OpaqueField[] {
  const early = of.generation === 'r535'
  const latest = of.generation === 'r580'
  const hopper = of.architecture === 'hopper'
  const field = (type: number, data: Uint8Array): OpaqueField => ({ type, data })
  const when = (condition: boolean, ...fields: OpaqueField[]) => (condition ? fields : [])
  return [
    field(OPAQUE.vbiosVersion, packVbiosVersion(of.vbiosVersion)),
    field(OPAQUE.boardId, littleEndian(of.boardId, 4)),
    field(OPAQUE.chipSku, nulTerminated(of.chipSku, early ? 4 : 9)),
    field(OPAQUE.chipSkuMod, nulTerminated('0', early ? 2 : 5)),
    field(OPAQUE.project, nulTerminated(of.project, 5)),
    field(OPAQUE.projectSku, nulTerminated(of.projectSku, 5)),
    field(OPAQUE.projectSkuMod, hopper ? new Uint8Array(2) : nulTerminated('0', 2)),
    field(OPAQUE.driverVersion, nulTerminated(of.driverVersion)),
    field(OPAQUE.gpuInfo, littleEndian(hopper ? 0x180 : 0x1a0, 8)),
    field(OPAQUE.measurementCount, concatBytes(...of.measurementCounts.map((count) => littleEndian(count, 4)))),
    field(OPAQUE.cprInfo, hopper ? Uint8Array.of(0, 0xc0, 0x01, 0) : Uint8Array.of(0, 0, 0x04, 0)),
    field(OPAQUE.nvdec0Status, Uint8Array.of(of.nvdec0Status)),
    ...when(!early, field(OPAQUE.fwid, of.fwid)),
    ...when(!early && hopper, field(OPAQUE.protectedPcieStatus, Uint8Array.of(of.featureFlag === 'ppcie' ? ON : OFF))),
    ...(of.switchPdis === undefined ? [] : [field(OPAQUE.switchPdi, linkTable(of.switchPdis))]),
    ...when(!hopper, field(OPAQUE.systemEnableStatus, Uint8Array.of(0x07, 0x07))),
    ...when(latest, field(OPAQUE.opaqueDataVersion, littleEndian(1, 2))),
    ...when(!latest && !hopper, field(OPAQUE.opaqueDataVersion, littleEndian(0, 2))),
    ...when(latest && !hopper, field(OPAQUE.chipInfo, nulTerminated('GB100', 6))),
    ...when(latest, field(OPAQUE.featureFlag, littleEndian(FEATURE_FLAGS[of.featureFlag], 2))),
  ]
}

/** SWITCH_PDI: 18 links of 8 bytes; GPUs write a switch's PDI least significant byte first. */
function linkTable(switchPdis: readonly Uint8Array[]): Uint8Array {
  if (switchPdis.length !== 18) throw new TypeError(`a GPU has 18 NVLinks, not ${switchPdis.length}`)
  return concatBytes(...switchPdis.map((pdi) => Uint8Array.from(pdi).reverse()))
}

export interface SwitchOpaque {
  /** e.g. `96.10.55.00.01`, written as ASCII. */
  readonly biosVersion: string
  /** 8 bytes. */
  readonly pdi: Uint8Array
  /** PDIs of the GPUs the switch sees, 8 bytes each; padded with empty entries up to eight. */
  readonly gpuPdis: readonly Uint8Array[]
  readonly position: number
  /** 1 where the switch is locked. */
  readonly lockStatus: number
  readonly measurementCounts: readonly number[]
}

/** The opaque fields of an LS10 switch report, in the order its firmware writes them. */
export function switchOpaque(of: SwitchOpaque): readonly OpaqueField[] {
  return [
    { type: OPAQUE.vbiosVersion, data: utf8(of.biosVersion) },
    { type: OPAQUE.devicePdi, data: of.pdi },
    {
      type: OPAQUE.measurementCount,
      data: concatBytes(...of.measurementCounts.map((count) => littleEndian(count, 4))),
    },
    { type: OPAQUE.gpuPdis, data: gpuTable(of.gpuPdis) },
    { type: OPAQUE.disabledPorts, data: Uint8Array.of(0xec, 0x00) },
    { type: OPAQUE.positionId, data: littleEndian(of.position, 2) },
    { type: OPAQUE.lockStatus, data: littleEndian(of.lockStatus, 2) },
  ]
}

/** GPU_PDIS: eight PDIs of 8 bytes as they are, then 64 port bytes naming the GPU behind each port (0xff: none). */
function gpuTable(gpuPdis: readonly Uint8Array[]): Uint8Array {
  if (gpuPdis.length > 8) throw new TypeError(`a switch names at most 8 GPUs, not ${gpuPdis.length}`)
  const entries = Array.from({ length: 8 }, (_, i) => gpuPdis[i] ?? new Uint8Array(8))
  const ports = Uint8Array.from({ length: 64 }, (_, port) => (port < gpuPdis.length * 4 ? Math.floor(port / 4) : 0xff))
  return concatBytes(...entries, ports)
}
