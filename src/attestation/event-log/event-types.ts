/** Event types of the TCG (PC Client Platform Firmware Profile §10.4.1) that are read here or met in logs. */
export const EV = {
  POST_CODE: 0x00000001,
  NO_ACTION: 0x00000003,
  SEPARATOR: 0x00000004,
  ACTION: 0x00000005,
  EVENT_TAG: 0x00000006,
  S_CRTM_CONTENTS: 0x00000007,
  S_CRTM_VERSION: 0x00000008,
  CPU_MICROCODE: 0x00000009,
  PLATFORM_CONFIG_FLAGS: 0x0000000a,
  TABLE_OF_DEVICES: 0x0000000b,
  COMPACT_HASH: 0x0000000c,
  IPL: 0x0000000d,
  NONHOST_INFO: 0x00000011,
  EFI_VARIABLE_DRIVER_CONFIG: 0x80000001,
  EFI_VARIABLE_BOOT: 0x80000002,
  EFI_BOOT_SERVICES_APPLICATION: 0x80000003,
  EFI_BOOT_SERVICES_DRIVER: 0x80000004,
  EFI_RUNTIME_SERVICES_DRIVER: 0x80000005,
  EFI_GPT_EVENT: 0x80000006,
  EFI_ACTION: 0x80000007,
  EFI_PLATFORM_FIRMWARE_BLOB: 0x80000008,
  EFI_HANDOFF_TABLES: 0x80000009,
  EFI_PLATFORM_FIRMWARE_BLOB2: 0x8000000a,
  EFI_HANDOFF_TABLES2: 0x8000000b,
  EFI_VARIABLE_BOOT2: 0x8000000c,
  EFI_VARIABLE_AUTHORITY: 0x800000e0,
} as const

/** dstack: an event of its own or of the application, in RTMR3. */
export const DSTACK_RUNTIME = 0x08000001

const NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(EV).map(([name, type]) => [type, `EV_${name}`] as const),
  [DSTACK_RUNTIME, 'dstack event'],
])

/** `EV_SEPARATOR`, or the number in hexadecimal where the table has no name for it. */
export const eventTypeName = (type: number): string => NAMES.get(type) ?? `0x${type.toString(16).padStart(8, '0')}`
