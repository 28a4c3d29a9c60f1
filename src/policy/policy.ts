import type { TcbStatus } from '../attestation/claims.ts'
import type { BindingForm } from '../attestation/evidence.ts'
import type { NonEmpty } from '../core/outcome.ts'
import type { AmdProduct } from '../core/trust-anchors.ts'

/** Every value but those listed is refused; `any` where the policy pins nothing. */
export type AllowList<T> = 'any' | NonEmpty<T>

/** Risks that nothing but a person's decision removes. Each has a threat of THREATS.md behind it. */
export type Risk = 'open-quote-oracle' | 'milan-seed-extraction' | 'plain-nvlink'

/**
 * Policy version 1 as it takes effect: preset applied, every member there, lists sorted, frozen. Only `parsePolicy` and
 * `compose` make one. It is plain JSON, and as a document it parses to itself.
 */
export interface Policy {
  readonly version: 1
  readonly name: string
  /** `development` may accept guests that can be debugged, and can never release keys or admit bids */
  readonly profile: 'production' | 'development'
  readonly require: {
    /** ARCHITECTURE §5 */
    readonly level: number
    readonly cpu: { readonly any: NonEmpty<CpuRule> }
    /** `none`: no GPU may be there · `any`: GPUs are neither required nor relied on */
    readonly gpu: GpuRule | 'none' | 'any'
    /** left out: a TPM is neither required nor relied on */
    readonly tpm?: TpmRule
    readonly physical: AllowList<'audited' | 'hyperscaler'>
    /** whether a lease must be given, and say how many GPUs were leased; where one is given it is always compared */
    readonly lease: 'required-with-gpu-count' | 'required' | 'if-given'
    readonly leaseBinding: 'host-data' | 'none'
  }
  readonly freshness: { readonly maxAgeSeconds: number }
  /** age of revocation data since it was issued; `any`: its own validity is enough */
  readonly collateral: { readonly maxAgeSeconds: number | 'any' }
  readonly referenceValues: ReferenceValueRule | 'none'
  readonly acceptRisks: 'none' | NonEmpty<Risk>
  /** `none`: this policy releases no key */
  readonly keyRelease: KeyReleaseRule | 'none'
  readonly onInconclusive: 'deny' | 'retry'
}

/** One way for a CPU to satisfy the policy; `platform` says which kind of evidence it is about. */
export type CpuRule = SnpRule | TdxRule | SgxRule

/** What one AMD SEV-SNP report must show. A rule that is not met is a finding of its own. */
export interface SnpRule {
  readonly platform: 'amd/snp'
  readonly products: NonEmpty<AmdProduct>
  readonly minReportVersion: number
  readonly signingKeys: NonEmpty<'vcek' | 'vlek'>
  readonly vmpl: NonEmpty<number>
  /** bulletins published up to and including this day (`2026-02-01`) set floors, or all that there are */
  readonly tcbFloors: { readonly bulletins: string }
  /** of REPORTED_TCB, the one level that the signature proves; 0 asks for nothing */
  readonly minTcb: SnpTcbMinimum
  /** of LAUNCH_TCB */
  readonly minLaunchTcb: SnpTcbMinimum
  /** of the CURRENT version, `major.minor.build` */
  readonly minFirmware: string
  readonly minGuestSvn: number
  /** of the guest's POLICY, `major.minor` */
  readonly minAbi: string
  readonly provisionalFirmware: 'refused' | 'allowed'
  readonly maskedChipId: 'refused' | 'allowed'
  readonly guestPolicy: SnpGuestPolicyRule
  readonly platformInfo: SnpPlatformInfoRule
  /** bits that must be set in the mitigation vectors, hex of 8 bytes; zero asks for nothing */
  readonly mitigations: { readonly launch: string; readonly current: string }
  readonly measurements: AllowList<string>
  readonly hostData: AllowList<string>
  readonly idKeyDigests: AllowList<string>
  readonly authorKeyDigests: AllowList<string>
  readonly chipIds: AllowList<string>
  readonly cspIds: AllowList<string>
  readonly revocation: 'required' | 'none'
}

export interface SnpTcbMinimum {
  readonly fmc: number
  readonly bootloader: number
  readonly tee: number
  readonly snp: number
  readonly microcode: number
}

export interface SnpGuestPolicyRule {
  readonly debug: 'forbidden' | 'allowed'
  readonly migrationAgent: 'forbidden' | 'allowed'
  readonly smt: 'forbidden' | 'allowed'
  readonly cxl: 'forbidden' | 'allowed'
  readonly singleSocket: 'required' | 'any'
  readonly memAes256Xts: 'required' | 'any'
  readonly raplDisabled: 'required' | 'any'
  readonly ciphertextHiding: 'required' | 'any'
  readonly pageSwapDisabled: 'required' | 'any'
}

export type BitRule = 'required' | 'forbidden' | 'any'

export interface SnpPlatformInfoRule {
  readonly smtEnabled: BitRule
  readonly tsmeEnabled: BitRule
  readonly eccEnabled: BitRule
  readonly raplDisabled: BitRule
  readonly ciphertextHidingDramEnabled: BitRule
  readonly aliasCheckComplete: BitRule
  readonly iommuWriteSafe: BitRule
  readonly sevTioEnabled: BitRule
  readonly unknownBits: 'refused' | 'allowed'
}

/** Revoked is never accepted, whatever a policy says. */
export type AcceptableTcbStatus = Exclude<TcbStatus, 'Revoked'>

/** What TDX and SGX have in common: Intel's judgement of the platform, and which platforms may be used. */
export interface DcapRule {
  /** of the converged status; the platform's, module's and quoting enclave's shares are told apart in findings */
  readonly tcbStatus: NonEmpty<AcceptableTcbStatus>
  /** INTEL-SA-… ids that a level may carry */
  readonly advisories: AllowList<string>
  /** ids that it may not carry, whatever the status */
  readonly denyAdvisories: 'none' | NonEmpty<string>
  /** of TCB info and QE identity; 0 asks for nothing. Who chooses collateral chooses the oldest that is still valid. */
  readonly minTcbEvaluationDataNumber: number
  /** oldest TCB date of platform, module and quoting enclave, a day; `any` asks for nothing */
  readonly minTcbDate: string
  /** FMSPCs, hex of 6 bytes */
  readonly fmspcs: AllowList<string>
  /** PPIDs or platform instance ids, hex of 16 bytes */
  readonly platforms: AllowList<string>
  /** FMSPCs, PPIDs and platform instance ids that are refused */
  readonly denyPlatforms: 'none' | NonEmpty<string>
  readonly smt: 'forbidden' | 'allowed'
  readonly revocation: 'required' | 'stapled' | 'none'
}

/** What one Intel TDX quote must show. */
export interface TdxRule extends DcapRule {
  readonly platform: 'intel/tdx'
  readonly tdAttributes: TdAttributesRule
  /** XFAM values as on the wire, hex of 8 bytes */
  readonly xfam: AllowList<string>
  /** MRSERVICETD values that may be bound; `none`: no service TD may be */
  readonly serviceTds: 'none' | NonEmpty<string>
  readonly mrSeam: AllowList<string>
  readonly mrTd: AllowList<string>
  readonly rtmr: Readonly<Record<RtmrIndex, AllowList<string>>>
  readonly mrConfigId: AllowList<string>
  readonly mrOwner: AllowList<string>
  readonly mrOwnerConfig: AllowList<string>
  readonly dstack: DstackRule
}

/** What the event log of a dstack guest must name, in what was measured before the workload ran. */
export interface DstackRule {
  /** SHA-256 of app-compose.json, hex of 32 bytes */
  readonly composeHash: AllowList<string>
  /** hex of 20 bytes */
  readonly appId: AllowList<string>
  /** hex of 32 bytes */
  readonly osImageHash: AllowList<string>
}

export type RtmrIndex = '0' | '1' | '2' | '3'

export interface TdAttributesRule {
  readonly debug: 'forbidden' | 'allowed'
  readonly septVeDisable: 'required' | 'any'
  readonly migratable: 'forbidden' | 'allowed'
  readonly perfmon: 'forbidden' | 'allowed'
  readonly pks: 'forbidden' | 'allowed'
  readonly keyLocker: 'forbidden' | 'allowed'
  readonly unknownBits: 'refused' | 'allowed'
}

/** What one Intel SGX quote must show. */
export interface SgxRule extends DcapRule {
  readonly platform: 'intel/sgx'
  readonly attributes: SgxAttributesRule
  readonly mrEnclave: AllowList<string>
  readonly mrSigner: AllowList<string>
  readonly isvProdId: AllowList<number>
  readonly minIsvSvn: number
  /** CONFIGID, hex of 64 bytes; needs an enclave with KSS */
  readonly configId: AllowList<string>
}

export interface SgxAttributesRule {
  readonly debug: 'forbidden' | 'allowed'
  readonly provisionKey: 'forbidden' | 'allowed'
  readonly einitTokenKey: 'forbidden' | 'allowed'
}

export type GpuMode = 'SPT' | 'MPT' | 'PPCIE'

/** What the GPUs of the machine must show, each of them and all together. */
export interface GpuRule {
  /** `lease`: as many as the lease says; a lease that is given is compared with a number too */
  readonly count: 'lease' | number
  readonly models: AllowList<string>
  readonly modes: AllowList<GpuMode>
  /** dotted decimal, compared number by number: 550.9 < 550.90 < 550.144 */
  readonly minDriver: string
  readonly denyDrivers: 'none' | NonEmpty<string>
  /** dotted hexadecimal, as NVIDIA writes it */
  readonly minVbios: string
  readonly denyVbios: 'none' | NonEmpty<string>
  readonly rim: 'required' | 'none'
  readonly revocation: 'required' | 'stapled' | 'none'
  readonly binding: 'shared-nonce' | 'measured-guest' | 'tdisp'
  readonly nonce: BindingForm
  readonly devtools: 'excluded' | 'not-proved'
  readonly unique: true
  /** serial numbers of identity keys, hex of 9 bytes */
  readonly deviceIds: AllowList<string>
}

/** PCRs that a policy may name: 16 and 23 can be reset by anybody in the guest. */
export type TpmPcrIndex =
  | ('0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9' | '10' | '11' | '12' | '13' | '14' | '15')
  | ('17' | '18' | '19' | '20' | '21' | '22')

/** Values that each named PCR may have, hex of the bank's size. */
export type TpmPcrs = { readonly [index in TpmPcrIndex]?: NonEmpty<string> }

/** What a TPM beside the CPU must show: a quote that answers the challenge, by a key that somebody vouches for. */
export interface TpmRule {
  readonly akTrust: NonEmpty<'activated' | 'certificate' | 'cpu-report' | 'pinned'>
  /** Names of attestation keys, hex: algorithm and digest */
  readonly akNames: AllowList<string>
  readonly gceProjects: AllowList<string>
  readonly revocation: 'required' | 'none'
  readonly bank: 'sha256' | 'sha384' | 'sha512'
  readonly pcrs: TpmPcrs
  readonly secureBoot: 'required' | 'any'
  readonly clock: 'safe' | 'any'
  readonly counters: 'known' | 'if-known'
  readonly minResetCount: number
}

export interface ReferenceValueRule {
  readonly signers: NonEmpty<SignerKey>
}

/** A public key whose reference values count, as a JWK. `kid` names the signer in decisions. */
export type SignerKey =
  | {
      readonly kid: string
      readonly kty: 'EC'
      readonly crv: 'P-256' | 'P-384'
      readonly x: string
      readonly y: string
    }
  | { readonly kid: string; readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }

export interface KeyReleaseRule {
  readonly minLevel: number
  readonly ttlSeconds: number
}

/** Whether the tenant named this risk. */
export const acceptsRisk = (policy: Pick<Policy, 'acceptRisks'>, risk: Risk): boolean =>
  policy.acceptRisks !== 'none' && policy.acceptRisks.includes(risk)
