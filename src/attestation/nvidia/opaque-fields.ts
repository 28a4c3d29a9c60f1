/** Device classes whose reports carry a field. */
export type DeviceClass = 'gpu' | 'switch'

export interface OpaqueFieldRow<N extends string = string> {
  readonly id: number
  readonly name: N
  readonly devices: readonly DeviceClass[]
  /** sizes in bytes that are legal; undefined where NVIDIA has published none and nothing is read from it */
  readonly sizes: readonly number[] | undefined
  readonly meaning: string
}

const BOTH: readonly DeviceClass[] = ['gpu', 'switch']
const GPU: readonly DeviceClass[] = ['gpu']
const SWITCH: readonly DeviceClass[] = ['switch']

const row = <const N extends string>(
  id: number,
  name: N,
  devices: readonly DeviceClass[],
  sizes: readonly number[] | undefined,
  meaning: string,
): OpaqueFieldRow<N> => ({ id, name, devices, sizes, meaning })

/**
 * Fields of the opaque data, `type u16 | size u16 | data`, little-endian. One id may mean different things to a GPU and to a
 * switch. An id that has no row for a device class is refused: it is signed, but by firmware this table does not know.
 * @see ../shared/spec/nvidia-gpu.md §2
 */
export const OPAQUE_FIELDS = [
  row(1, 'CERT_ISSUER_NAME', BOTH, undefined, 'issuer name of the attestation certificate'),
  row(2, 'CERT_AUTHORITY_KEY_IDENTIFIER', BOTH, undefined, 'authority key identifier of the attestation certificate'),
  row(3, 'DRIVER_VERSION', GPU, undefined, 'driver release, ASCII with a NUL'),
  row(4, 'GPU_INFO', GPU, undefined, 'unpublished'),
  row(4, 'GPU_PDIS_EARLY', SWITCH, [128], 'the table of GPU_PDIS, as BIOS 96.10.52 numbers it'),
  row(5, 'SKU', BOTH, undefined, 'unpublished'),
  row(6, 'VBIOS_VERSION', GPU, [8], 'packed: bytes 3, 2, 1, 0, 4 are the five groups'),
  row(6, 'BIOS_VERSION', SWITCH, [14], 'ASCII without NUL'),
  row(7, 'MANUFACTURER_ID', BOTH, undefined, 'unpublished'),
  row(8, 'TAMPER_DETECTION', BOTH, undefined, 'unpublished'),
  row(9, 'SMC', BOTH, undefined, 'unpublished'),
  row(10, 'VPR', BOTH, undefined, 'unpublished'),
  row(11, 'NVDEC0_STATUS', GPU, [1], '0x55 disabled, 0xAA enabled; measurement 35 counts only where it is enabled'),
  row(12, 'MSRSCNT', BOTH, undefined, 'u32 per measurement: how many contributions it had'),
  row(13, 'CPRINFO', GPU, [4], 'size of the compute protected region'),
  row(14, 'BOARD_ID', GPU, [4], 'u32'),
  row(15, 'CHIP_SKU', GPU, undefined, 'ASCII with NULs; part of the VBIOS manifest id'),
  row(16, 'CHIP_SKU_MOD', GPU, undefined, 'ASCII with NULs'),
  row(17, 'PROJECT', GPU, undefined, 'ASCII with NULs; part of the VBIOS manifest id'),
  row(18, 'PROJECT_SKU', GPU, undefined, 'ASCII with NULs; part of the VBIOS manifest id'),
  row(19, 'PROJECT_SKU_MOD', GPU, undefined, 'ASCII with NULs'),
  row(20, 'FWID', BOTH, [48], 'SHA-384 firmware id of the layer that holds the attestation key'),
  row(21, 'PROTECTED_PCIE_STATUS', GPU, [1], '0xAA protected PCIe on, 0x55 off'),
  row(22, 'SWITCH_PDI', GPU, [144], '18 NVLinks of 8 bytes, each little-endian, zero where the link is unused'),
  row(22, 'DEVICE_PDI', SWITCH, [8], 'NVLink identity of the switch, big-endian'),
  row(23, 'FLOORSWEPT_PORTS', GPU, [2], 'bit map, each bit stands for four ports'),
  row(23, 'DISABLED_PORTS', SWITCH, [2], 'bit map, each bit stands for four ports'),
  row(24, 'POSITION_ID', BOTH, [2], 'place of the switch on its board, 0 to 3'),
  row(25, 'LOCK_STATUS', BOTH, [2], '1 where the switch is locked'),
  row(26, 'GPU_PDIS', SWITCH, [128], 'eight PDIs of 8 bytes, then 64 port bytes naming the GPU behind each port'),
  row(32, 'GPU_LINK_CONN', GPU, undefined, 'unpublished'),
  row(33, 'SYS_ENABLE_STATUS', GPU, undefined, 'unpublished'),
  row(34, 'OPAQUE_DATA_VERSION', GPU, [2], 'absent means 0; from 1 on CHIP_INFO and FEATURE_FLAG are meaningful'),
  row(35, 'CHIP_INFO', GPU, undefined, 'ASCII with NULs; part of the driver manifest id on Blackwell'),
  row(36, 'FEATURE_FLAG', GPU, [2], '0 SPT, 1 MPT, 2 PPCIE'),
] as const

export type OpaqueFieldName = (typeof OPAQUE_FIELDS)[number]['name']

const rowsOf = (device: DeviceClass): ReadonlyMap<number, OpaqueFieldRow<OpaqueFieldName>> =>
  new Map(OPAQUE_FIELDS.filter((f) => f.devices.includes(device)).map((f) => [f.id, f]))

const ROWS = { gpu: rowsOf('gpu'), switch: rowsOf('switch') }

/** The row of a field id for a device class; undefined where the table has none. */
export const opaqueFieldOf = (device: DeviceClass, id: number): OpaqueFieldRow<OpaqueFieldName> | undefined =>
  ROWS[device].get(id)
