import type { AmdProduct } from '../core/trust-anchors.ts'

/** Security patch levels of a TCB_VERSION by component; `fmc` exists on Turin only. Each 0–255. */
export interface SnpTcb {
  readonly fmc: number | undefined
  readonly bootloader: number
  readonly tee: number
  readonly snp: number
  readonly microcode: number
}

/** POLICY of a guest. `…Allowed` bits weaken it when set, `…Required` bits and `pageSwapDisabled` protect it when set. */
export interface SnpGuestPolicy {
  readonly abiMajor: number
  readonly abiMinor: number
  readonly smtAllowed: boolean
  readonly migrationAgentAllowed: boolean
  readonly debugAllowed: boolean
  readonly singleSocketRequired: boolean
  readonly cxlAllowed: boolean
  readonly memAes256XtsRequired: boolean
  readonly raplDisabledRequired: boolean
  readonly ciphertextHidingRequired: boolean
  readonly pageSwapDisabled: boolean
}

/** PLATFORM_INFO, bit by bit. */
export interface SnpPlatformInfo {
  readonly smtEnabled: boolean
  readonly tsmeEnabled: boolean
  readonly eccEnabled: boolean
  readonly raplDisabled: boolean
  readonly ciphertextHidingDramEnabled: boolean
  readonly aliasCheckComplete: boolean
  readonly iommuWriteSafe: boolean
  readonly sevTioEnabled: boolean
  /** bits 63:8, as hex; `0` where none is set */
  readonly unknownBits: string
}

export interface SnpFirmwareVersion {
  readonly major: number
  readonly minor: number
  readonly build: number
}

/** What an authenticated SEV-SNP report says. Byte fields are lower-case hex. */
export interface SnpClaims {
  readonly kind: 'amd/snp-report'
  readonly product: AmdProduct
  readonly reportVersion: number
  /** undefined in version 2 reports, which do not carry it */
  readonly cpuid: { readonly family: number; readonly model: number; readonly stepping: number } | undefined
  readonly guestSvn: number
  readonly policy: SnpGuestPolicy
  readonly familyId: string
  readonly imageId: string
  readonly vmpl: number
  readonly currentTcb: SnpTcb
  readonly reportedTcb: SnpTcb
  readonly committedTcb: SnpTcb
  readonly launchTcb: SnpTcb
  readonly platformInfo: SnpPlatformInfo
  readonly signingKey: 'vcek' | 'vlek'
  readonly authorKeyEnabled: boolean
  readonly maskChipKey: boolean
  readonly reportData: string
  readonly measurement: string
  readonly hostData: string
  readonly idKeyDigest: string
  readonly authorKeyDigest: string
  readonly reportId: string
  readonly reportIdMa: string
  /** undefined where the platform masks it, and in VLEK-signed reports that carry none */
  readonly chipId: string | undefined
  /** cloud provider named by a VLEK */
  readonly cspId: string | undefined
  readonly currentFirmware: SnpFirmwareVersion
  readonly committedFirmware: SnpFirmwareVersion
  /** the 64-bit value as 16 digits, bit 0 last; undefined before report version 5, where the field does not exist */
  readonly launchMitVector: string | undefined
  readonly currentMitVector: string | undefined
}

export type NvidiaArchitecture = 'HOPPER' | 'BLACKWELL' | 'LS10'

/** A reference manifest that was authenticated and compared. */
export interface ComparedRim {
  readonly id: string
  readonly version: string
  /** SHA-256 of the file: which revision matched */
  readonly sha256: string
}

/** Outcome of comparing the report's measurements with the vendor's reference values. Indexes are the manifest's, from 0. */
export type MeasurementComparison =
  | { readonly status: 'unavailable'; readonly missing: readonly string[] }
  | {
      readonly status: 'match' | 'mismatch'
      readonly matched: readonly number[]
      readonly mismatched: readonly {
        readonly index: number
        readonly source: 'driver' | 'vbios' | 'bios'
        readonly golden: readonly string[]
        readonly runtime: string
      }[]
      readonly skipped: readonly { readonly index: number; readonly because: string }[]
      readonly rims: readonly ComparedRim[]
    }

interface NvidiaDeviceClaims {
  readonly architecture: NvidiaArchitecture
  /** serialNumber attribute of the attestation key's subject, lower-case hex */
  readonly akSerial: string
  /** serialNumber attribute of the identity key's subject, lower-case hex: the device's identity */
  readonly ikSerial: string
  /** NVLink identity: last 8 bytes of `ikSerial` */
  readonly pdi: string
  /** CN of the identity certificate, e.g. `GH100 A01 GSP BROM` */
  readonly hwModel: string
  /** decimal serial of the attestation key certificate, as NVIDIA's tokens name the device */
  readonly ueid: string
  /** the verifier's challenge as the request carries it, 32 bytes, hex */
  readonly nonce: string
  readonly fwidMatch: 'match' | 'absent-in-report'
  readonly measurements: MeasurementComparison
}

export interface GpuClaims extends NvidiaDeviceClaims {
  readonly kind: 'nvidia/gpu-report'
  readonly architecture: 'HOPPER' | 'BLACKWELL'
  /** e.g. `H100`, `H200`, `B200`; undefined for a board that our table does not name */
  readonly model: string | undefined
  readonly driverVersion: string
  readonly vbiosVersion: string
  readonly project: string
  readonly projectSku: string
  readonly chipSku: string
  /** SPT: one GPU passed through · MPT: several, NVLink encrypted · PPCIE: whole board, NVLink plain; undefined where the report does not say */
  readonly featureFlag: 'SPT' | 'MPT' | 'PPCIE' | undefined
  readonly protectedPcie: boolean | undefined
  readonly nvdec0Disabled: boolean
  /** PDIs of the switches this GPU is wired to, hex, without unused links; empty outside PPCIE */
  readonly switchPdis: readonly string[]
}

export interface SwitchClaims extends NvidiaDeviceClaims {
  readonly kind: 'nvidia/switch-report'
  readonly architecture: 'LS10'
  readonly biosVersion: string
  /** DEVICE_PDI of the report, hex */
  readonly devicePdi: string | undefined
  /** PDIs of the GPUs this switch is wired to, hex */
  readonly gpuPdis: readonly string[]
  readonly locked: boolean | undefined
  readonly positionId: number | undefined
}

/** What an authenticated Nitro attestation document says. Byte fields are lower-case hex. */
export interface NitroClaims {
  readonly kind: 'aws/nitro'
  /** instance and enclave, e.g. `i-…-enc…` */
  readonly moduleId: string
  readonly digest: 'SHA384'
  /** milliseconds since 1970, by the clock of the Nitro security module */
  readonly timestamp: number
  /** by index, 48 bytes each; 0 image, 1 kernel, 2 application, 3 parent role, 4 parent instance, 8 signer */
  readonly pcrs: readonly { readonly index: number; readonly value: string }[]
  /** what the enclave put in: a key to encrypt to, data of its own, and the verifier's challenge */
  readonly publicKey: string | undefined
  readonly userData: string | undefined
  readonly nonce: string | undefined
}

/** What an authenticated Arm CCA token says: of the platform, and of the realm on it. Byte fields are lower-case hex. */
export interface CcaClaims {
  readonly kind: 'arm/cca-token'
  readonly platformProfile: string
  readonly implementationId: string
  readonly instanceId: string
  readonly platformConfig: string
  /** 0x3000 to 0x30ff: secured */
  readonly lifecycle: number
  readonly platformHashAlgorithm: string
  readonly verificationService: string | undefined
  readonly swComponents: readonly {
    readonly type: string | undefined
    readonly measurementValue: string
    readonly version: string | undefined
    readonly signerId: string
    readonly hashAlgorithm: string | undefined
  }[]
  readonly realmProfile: string | undefined
  /** the verifier's challenge, 64 bytes */
  readonly challenge: string
  readonly personalizationValue: string
  /** RIM */
  readonly initialMeasurement: string
  /** REM, four of them */
  readonly extensibleMeasurements: readonly string[]
  readonly realmHashAlgorithm: string
  /** SubjectPublicKeyInfo of the realm attestation key */
  readonly publicKey: string
}

/** The one vocabulary that policy speaks. A kind that comes later adds a member. */
export type Claims = SnpClaims | GpuClaims | SwitchClaims | NitroClaims | CcaClaims
