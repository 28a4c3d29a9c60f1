import type { NvidiaArchitecture } from '../claims.ts'
import type { DeviceClass } from './opaque-fields.ts'

/** Certificates of a device chain in their order, leaf first. */
export const DEVICE_ROLES = ['attestation', 'identity', 'provisioner', 'architecture', 'root'] as const
export type DeviceRole = (typeof DEVICE_ROLES)[number]

export interface ArchitectureFacts {
  readonly architecture: NvidiaArchitecture
  readonly device: DeviceClass
  /** common names of the first four certificates; the group is the chip, where the name has it */
  readonly names: Readonly<Record<Exclude<DeviceRole, 'root'>, RegExp>>
  /** `Meta/@product` of the manifests, given the chip as the certificates spell it */
  readonly product: (chip: string) => string
  readonly edition: 'GPU' | 'SWITCH'
  /** where the attestation certificate carries the firmware id */
  readonly fwid: 'compositeDeviceId' | 'diceTcbInfo'
}

/**
 * Device families by the names of their certificates. The stepping (`A01`) and the provisioner's number vary; the role does not.
 * The switches hang under the Hopper identity authority.
 * @see ../shared/spec/nvidia-gpu.md §§3, 7
 */
export const ARCHITECTURES: readonly ArchitectureFacts[] = [
  {
    architecture: 'HOPPER',
    device: 'gpu',
    names: {
      attestation: /^(GH[0-9]{3}) [A-Z][0-9]{2} GSP FMC LF$/,
      identity: /^(GH[0-9]{3}) [A-Z][0-9]{2} GSP BROM$/,
      provisioner: /^NVIDIA (GH[0-9]{3}) Provisioner ICA [0-9]+$/,
      architecture: /^NVIDIA (GH[0-9]{3}) Identity$/,
    },
    product: (chip) => chip,
    edition: 'GPU',
    fwid: 'compositeDeviceId',
  },
  {
    architecture: 'BLACKWELL',
    device: 'gpu',
    names: {
      attestation: /^(GB[0-9]{3}) [A-Z][0-9]{2} GSP FMC LF$/,
      identity: /^(GB[0-9]{3}) [A-Z][0-9]{2} GSP BROM$/,
      provisioner: /^NVIDIA (GB[0-9]{3}) Provisioner ICA [0-9]+$/,
      architecture: /^NVIDIA (GB[0-9]{3}) Identity$/,
    },
    product: (chip) => chip,
    edition: 'GPU',
    fwid: 'diceTcbInfo',
  },
  {
    architecture: 'LS10',
    device: 'switch',
    names: {
      attestation: /^(LS_10) [A-Z][0-9]{2} FSP FMC LF$/,
      identity: /^(LS_10) [A-Z][0-9]{2} FSP BROM$/,
      provisioner: /^NVIDIA (LS_10) Provisioner ICA [0-9]+$/,
      architecture: /^NVIDIA GH100 Identity$/,
    },
    product: () => 'LS10',
    edition: 'SWITCH',
    fwid: 'compositeDeviceId',
  },
]
