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

/** Intel's words for a TCB level, and for what an evaluation converges to. */
export type TcbStatus =
  | 'UpToDate'
  | 'SWHardeningNeeded'
  | 'ConfigurationNeeded'
  | 'ConfigurationAndSWHardeningNeeded'
  | 'OutOfDate'
  | 'OutOfDateConfigurationNeeded'
  | 'TDRelaunchAdvised'
  | 'TDRelaunchAdvisedConfigurationNeeded'
  | 'Revoked'

/** One level that was matched: of the platform, of the TDX module, of the quoting enclave. */
export interface TcbLevelClaims {
  readonly status: TcbStatus
  /** RFC 3339, as Intel dates the level */
  readonly tcbDate: string
  /** sorted, without repetition */
  readonly advisoryIds: readonly string[]
}

/** A security version that keeps the machine from the newest level. */
export interface TcbDeficit {
  /** `sgxtcbcomponents[0]` … `[15]`, `pcesvn`, `tdxtcbcomponents[2]` …, `tdxModule.isvsvn`, `qe.isvsvn` */
  readonly component: string
  readonly actual: number
  /** what the nearest level of a better status asks for */
  readonly required: number
  /** what raises it, in Intel's words where the document has them: `BIOS early microcode`, `TDX module`, `SEAM loader` … */
  readonly raisedBy: string
}

/** Outcome of Intel's TCB evaluation, platform, module and quoting enclave apart and converged. intel-dcap.md §9. */
export interface DcapTcbClaims {
  readonly status: TcbStatus
  /** union of the matched levels, sorted */
  readonly advisoryIds: readonly string[]
  /** the oldest of the matched levels, RFC 3339 */
  readonly tcbDate: string
  /** of the TCB info, and of the QE identity; they may differ by one around a promotion */
  readonly tcbEvaluationDataNumber: number
  readonly qeEvaluationDataNumber: number
  readonly platform: TcbLevelClaims
  /** undefined for SGX; `UpToDate` of the platform's date for TDX 1.0, which has no module levels */
  readonly module: TcbLevelClaims | undefined
  readonly qe: TcbLevelClaims
  readonly deficits: readonly TcbDeficit[]
}

/** What Intel certifies about the platform that holds the key. Byte fields are lower-case hex. */
export interface PckClaims {
  /** 16 bytes; identifies the machine, so it is shown to nobody but the verifier */
  readonly ppid: string
  /** 6 bytes: family, model, stepping, platform type, custom SKU */
  readonly fmspc: string
  readonly pceId: string
  readonly pceSvn: number
  /** the 16 certified component SVNs, not the raw CPUSVN */
  readonly sgxTcbComponents: readonly number[]
  readonly sgxType: 'Standard' | 'Scalable' | 'ScalableWithIntegrity'
  /** multi-socket platforms only */
  readonly platformInstanceId: string | undefined
  readonly ca: 'platform' | 'processor'
  /** undefined where the certificate does not say (Processor CA) */
  readonly dynamicPlatform: boolean | undefined
  readonly cachedKeys: boolean | undefined
  readonly smtEnabled: boolean | undefined
}

/** TDATTRIBUTES, bit by bit. */
export interface TdAttributes {
  readonly debug: boolean
  readonly septVeDisable: boolean
  readonly migratable: boolean
  readonly pks: boolean
  readonly keyLocker: boolean
  readonly perfmon: boolean
  /** bits that are none of these, as hex of 8 bytes, bit 0 last; `0000000000000000` where none is set */
  readonly unknownBits: string
}

/** What an authenticated TDX quote says. Byte fields are lower-case hex. */
export interface TdxClaims {
  readonly kind: 'intel/tdx-quote'
  readonly quoteVersion: 4 | 5
  /** TD report of TDX module 1.0 or 1.5 */
  readonly bodyType: 'td-1.0' | 'td-1.5'
  /** 16 bytes; [0] module SVN, [1] module major version, [2] SEAM or late-microcode SVN */
  readonly teeTcbSvn: string
  readonly mrSeam: string
  readonly mrSignerSeam: string
  readonly seamAttributes: string
  /** as on the wire, 8 bytes */
  readonly tdAttributesRaw: string
  readonly tdAttributes: TdAttributes
  /** as on the wire, 8 bytes */
  readonly xfam: string
  readonly mrTd: string
  readonly mrConfigId: string
  readonly mrOwner: string
  readonly mrOwnerConfig: string
  /** RTMR0 to RTMR3, 48 bytes each */
  readonly rtmrs: readonly [string, string, string, string]
  readonly reportData: string
  /** SVN of the module that is loaded now; undefined in TD reports 1.0 */
  readonly teeTcbSvn2: string | undefined
  /** undefined in TD reports 1.0; zero where no service TD is bound */
  readonly mrServiceTd: string | undefined
  /** what its event log proves; undefined where none came with it */
  readonly eventLog: EventLogClaims | undefined
  readonly pck: PckClaims
  /** undefined where Intel's collateral for this platform was not there */
  readonly tcb: DcapTcbClaims | undefined
}

/** What an authenticated SGX quote says. Byte fields are lower-case hex. */
export interface SgxClaims {
  readonly kind: 'intel/sgx-quote'
  readonly quoteVersion: 3 | 4 | 5
  readonly cpuSvn: string
  readonly miscSelect: string
  /** 8 bytes of flags as on the wire */
  readonly flags: string
  /** 8 bytes as on the wire */
  readonly xfrm: string
  readonly debug: boolean
  readonly provisionKey: boolean
  readonly einitTokenKey: boolean
  readonly kss: boolean
  readonly mrEnclave: string
  readonly mrSigner: string
  readonly isvProdId: number
  readonly isvSvn: number
  readonly isvExtProdId: string
  readonly configId: string
  readonly configSvn: number
  readonly isvFamilyId: string
  readonly reportData: string
  readonly pck: PckClaims
  readonly tcb: DcapTcbClaims | undefined
}

/** A CPU's claims: the report that covers the verifier's challenge. */
export type CpuClaims = SnpClaims | TdxClaims | SgxClaims
export type DeviceClaims = GpuClaims | SwitchClaims

export const isDeviceClaims = (claims: Claims): claims is DeviceClaims => claims.kind.startsWith('nvidia/')
const CPU_KINDS: readonly string[] = [
  'amd/snp-report',
  'intel/tdx-quote',
  'intel/sgx-quote',
] satisfies CpuClaims['kind'][]
export const isCpuClaims = (claims: Claims): claims is CpuClaims => CPU_KINDS.includes(claims.kind)

/** RTMR0 to RTMR3. */
export type RtmrIndex = 0 | 1 | 2 | 3

/** A register whose events were replayed and led to the value in the quote; one that differs refuses the log. */
export interface ReplayedRegister {
  readonly index: RtmrIndex
  /** events measured into it */
  readonly events: number
  readonly matches: true
}

/** An event as it can be compared: by what was measured. Byte fields are lower-case hex. */
export interface MeasuredEvent {
  /** place among the measured events of the log, from 0 */
  readonly sequence: number
  readonly register: RtmrIndex
  /** as the log says; no digest covers it but that of a dstack event */
  readonly type: number
  /** SHA-384 */
  readonly digest: string
}

/** An event whose digest was recomputed from what the log says of it: these are the bytes that were measured. */
export interface InterpretedEvent extends MeasuredEvent {
  /** of a dstack event or a firmware variable; the text of an action */
  readonly name: string
  /** undefined where it has more than 1024 bytes: the digest stands for it */
  readonly payload: string | undefined
  /**
   * before `system-ready`, or in firmware before the separator of the register, where the platform alone measures. After it
   * the name is the word of whoever runs in the guest.
   */
  readonly beforeBoundary: boolean
}

interface ReplayedLog {
  /** all four, in order */
  readonly registers: readonly ReplayedRegister[]
  readonly events: readonly InterpretedEvent[]
  /** what the log says of these was not what was hashed, or says nothing: good for a list of digests, never to be interpreted */
  readonly digestOnly: readonly MeasuredEvent[]
}

/** What firmware measured, as far as its log can be recomputed. */
export interface CcelClaims {
  /**
   * variable SecureBoot as the log words it; undefined where it was not measured before the separator. No digest covers what an
   * event is called: whoever rests on it pins RTMR0
   */
  readonly secureBoot: boolean | undefined
}

/** What dstack measured before `system-ready`. Byte fields are lower-case hex. */
export interface DstackClaims {
  /** 20 bytes */
  readonly appId: string
  /** SHA-256 of the bytes of app-compose.json */
  readonly composeHash: string
  /** 20 bytes; undefined for a guest that is none in particular */
  readonly instanceId: string | undefined
  /** 32 bytes; versions before it was measured have none */
  readonly osImageHash: string | undefined
  readonly keyProvider: { readonly name: string; readonly id: string }
  readonly mrKms: string | undefined
  readonly gpuPolicyHash: string | undefined
  /** SHA-256 of the text of the GPU evidence that the guest itself looked at */
  readonly gpuAttestationSha256: string | undefined
}

/** What an event log proves: it was replayed to the four RTMRs of an authenticated quote. */
export type EventLogClaims =
  | (ReplayedLog & { readonly form: 'ccel'; readonly claims: CcelClaims })
  | (ReplayedLog & { readonly form: 'dstack-v1' | 'dstack-v2'; readonly claims: DstackClaims })

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

/** What the certificate of a TPM's key says, as its maker vouches for it. */
export interface TpmCertificateClaims {
  /** `id:` and eight hexadecimal digits, e.g. `id:474F4F47` for Google */
  readonly manufacturer: string
  readonly model: string
  readonly version: string
  /** content octets of the serial number, hex */
  readonly serial: string
  /** Google Cloud: the VM that the TPM belongs to; numbers in decimal */
  readonly instance:
    | {
        readonly zone: string
        readonly projectNumber: string
        readonly projectId: string
        readonly instanceId: string
        readonly instanceName: string
      }
    | undefined
}

/** An event of a TPM's log, in a PCR that the log explains. */
export interface TpmLogEvent {
  /** place among the measured events of the log, from 0 */
  readonly sequence: number
  readonly pcr: number
  /** as the log says; no digest covers it */
  readonly type: number
  /** in the bank of the log's claims, hex */
  readonly digest: string
  /** name of a firmware variable, text of an action; undefined where what the log says of the event was not what was hashed */
  readonly name: string | undefined
}

/** What a TPM's event log proves: it was replayed to the PCRs of an authenticated quote. */
export interface TpmEventLogClaims {
  /** bank whose digests the events are told by; every quoted bank that the log has was replayed */
  readonly bank: TpmBank
  /** PCRs that are quoted and that the log leads to */
  readonly replayed: readonly number[]
  /** quoted PCRs above firmware's that something else measured into as well; their events are not told */
  readonly unexplained: readonly number[]
  readonly events: readonly TpmLogEvent[]
  /** variable SecureBoot; undefined where it was not measured into a quoted PCR 7 before the separator */
  readonly secureBoot: boolean | undefined
}

export type TpmBank = 'sha1' | 'sha256' | 'sha384' | 'sha512'

/** What an authenticated TPM quote says. Byte fields are lower-case hex. */
export interface TpmClaims {
  readonly kind: 'tpm/quote'
  /** what the verifier asked to be signed */
  readonly qualifyingData: string
  readonly qualifiedSigner: string
  /** milliseconds, decimal */
  readonly clock: string
  readonly resetCount: number
  readonly restartCount: number
  /** whether the clock is known not to have been reported higher before */
  readonly clockSafe: boolean
  /** 8 bytes */
  readonly firmwareVersion: string
  readonly ak: {
    /** SubjectPublicKeyInfo */
    readonly publicKey: string
    /** hash algorithm and digest of the public area; undefined where the bare key was shown */
    readonly name: string | undefined
    /** the certificate of its maker, proved up to a trusted root; undefined where none came with it */
    readonly certificate: TpmCertificateClaims | undefined
  }
  /** quoted PCRs by bank, ascending, without those that anybody in the guest may reset (16 and 23) */
  readonly pcrs: readonly {
    readonly bank: TpmBank
    readonly values: readonly { readonly index: number; readonly value: string }[]
  }[]
  readonly eventLog: TpmEventLogClaims | undefined
}

/** The one vocabulary that policy speaks. A kind that comes later adds a member. */
export type Claims = CpuClaims | DeviceClaims | NitroClaims | CcaClaims | TpmClaims
