import type { GpuArchitecture, RimKind } from './architectures.ts'
import { must, seededBytes } from './bytes.ts'
import type { DeviceRole, DeviceSpec, NvidiaDevice } from './device-pki.ts'
import type { OcspSpec } from './ocsp.ts'
import type { FeatureFlag, OpaqueGeneration } from './opaque.ts'
import type { NvidiaTestPki } from './pki.ts'
import type { GpuReportSpec, SwitchReportSpec } from './report.ts'
import type { RimSpec } from './rim.ts'
import type { RimRole } from './rim-pki.ts'

/** The rightful machine: what is asked for without anything wrong. */
export interface MachineSpec {
  readonly architecture: GpuArchitecture
  readonly gpuCount: number
  /** 0 unless given; an HGX H100 board has four. */
  readonly switchCount?: number
  /** The challenge every device answers, 32 bytes. */
  readonly nonce: Uint8Array
  readonly driverVersion: string
  readonly vbiosVersion: string
  readonly switchBiosVersion?: string
  readonly featureFlag: FeatureFlag
  readonly generation?: OpaqueGeneration
  /** Time at which the OCSP answers are fresh, RFC 3339; `NVIDIA_TEST_TIME` unless given. */
  readonly at?: string
  /** Further changes to the reports of single GPUs and switches, before `wrong`. */
  readonly gpu?: (report: GpuEdits, index: number) => GpuEdits
  readonly switch?: (report: SwitchEdits, index: number) => SwitchEdits
}

export type GpuEdits = Omit<GpuReportSpec, 'device' | 'seed'>
export type SwitchEdits = Omit<SwitchReportSpec, 'device' | 'seed'>

/** One device to be made. */
export interface DevicePlan<Edits> {
  /** The hierarchy it comes from. */
  readonly pki: NvidiaTestPki
  readonly device: DeviceSpec
  readonly report: Edits
  /** Certificates shown, leaf first. */
  readonly chain: (device: NvidiaDevice) => readonly Uint8Array[]
}

/** What an OCSP answer says; `missing` leaves it out. */
export type OcspPlan = Pick<OcspSpec, 'status' | 'wrong'> & { readonly missing?: boolean }

/** Certificates that are asked about, by role. */
export type OcspSubject = Exclude<DeviceRole, 'attestation' | 'root'> | `rim-${Exclude<RimRole, 'root'>}`

/** How a machine is going to be made. A fault is a change to this plan. */
export interface MachinePlan {
  readonly pki: NvidiaTestPki
  readonly at: string
  readonly gpus: readonly DevicePlan<GpuEdits>[]
  readonly switches: readonly DevicePlan<SwitchEdits>[]
  readonly rims: Readonly<Partial<Record<RimKind, Pick<RimSpec, 'version' | 'architecture' | 'wrong'>>>>
  /** By role; the identity of the last GPU for `identity`. */
  readonly ocsp: Readonly<Partial<Record<OcspSubject, OcspPlan>>>
}

const LINKS = 18
const SWITCH_BIOS = '96.10.73.00.01'

export function machinePlan(pki: NvidiaTestPki, spec: MachineSpec, at: string): MachinePlan {
  const { seed } = pki
  const switchCount = spec.switchCount ?? 0
  const gpuPdis = Array.from({ length: spec.gpuCount }, (_, i) => seededBytes(seed, `pdi/gpu/${i}`, 8))
  const switchPdis = Array.from({ length: switchCount }, (_, i) => seededBytes(seed, `pdi/switch/${i}`, 8))
  const switchBiosVersion = spec.switchBiosVersion ?? SWITCH_BIOS
  const linked = spec.featureFlag === 'ppcie' && switchCount > 0
  return {
    pki,
    at,
    gpus: gpuPdis.map((pdi, i) => {
      const report: GpuEdits = {
        nonce: spec.nonce,
        driverVersion: spec.driverVersion,
        vbiosVersion: spec.vbiosVersion,
        featureFlag: spec.featureFlag,
        ...(spec.generation && { generation: spec.generation }),
        ...(linked && { switchPdis: linksTo(switchPdis) }),
      }
      return devicePlan(
        pki,
        { architecture: spec.architecture, label: `gpu-${i}`, pdi },
        spec.gpu?.(report, i) ?? report,
      )
    }),
    switches: switchPdis.map((pdi, i) => {
      const report: SwitchEdits = {
        nonce: spec.nonce,
        biosVersion: switchBiosVersion,
        gpuPdis: gpuPdis.slice(0, 8),
        position: i,
      }
      return devicePlan(pki, { architecture: 'ls10', label: `switch-${i}`, pdi }, spec.switch?.(report, i) ?? report)
    }),
    rims: {
      driver: { version: spec.driverVersion, architecture: spec.architecture },
      vbios: { version: spec.vbiosVersion, architecture: spec.architecture },
      ...(switchCount > 0 && { 'switch-bios': { version: switchBiosVersion } }),
    },
    ocsp: {},
  }
}

export const devicePlan = <Edits>(pki: NvidiaTestPki, device: DeviceSpec, report: Edits): DevicePlan<Edits> => ({
  pki,
  device,
  report,
  chain: (made) => made.chain,
})

/** Spreads a GPU's NVLinks evenly over the switches. */
export const linksTo = (switchPdis: readonly Uint8Array[]): readonly Uint8Array[] =>
  Array.from({ length: LINKS }, (_, link) => must(switchPdis[link % switchPdis.length], 'switch'))
