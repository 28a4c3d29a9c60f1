import type { JsonObject } from '../core/json.ts'
import type { NonEmpty } from '../core/outcome.ts'

/** What an item is, decided from its bytes; a carrier's own label is only ever compared with it. */
export type EvidenceKind =
  | 'amd/snp-report'
  | 'nvidia/gpu-report'
  | 'nvidia/switch-report'
  | 'intel/tdx-quote'
  | 'intel/sgx-quote'
  | 'aws/nitro'
  | 'arm/cca-token'
  | 'tpm/quote'

/** Kinds that prove a machine by themselves: no device, and no TPM, which tells of a boot and not of what it ran on. */
export type CpuKind = Exclude<EvidenceKind, `nvidia/${string}` | `tpm/${string}`>

export const isCpuKind = (kind: EvidenceKind): kind is CpuKind =>
  !kind.startsWith('nvidia/') && !kind.startsWith('tpm/')

/** One piece of evidence as it arrived. Nothing in it is proved. */
export interface EvidenceItem {
  /** unique in the set: `cpu`, `gpu-0`, `switch-2` */
  readonly id: string
  readonly kind: EvidenceKind
  readonly bytes: Uint8Array
  /** certificates that travelled with it (PEM, DER, or AMD's certificate table). Offers, never anchors. */
  readonly endorsements: readonly Uint8Array[]
  /** logs of what was measured: into the registers of a TDX quote (CCEL, dstack), or into the PCRs of a TPM; what they say is judged against the quote */
  readonly eventLogs?: readonly Uint8Array[]
  /**
   * data that REPORT_DATA covers by their hash, as Azure's paravisor writes them (HCL report): the key of the VM's TPM, which then
   * answers the challenge in the CPU's place
   */
  readonly runtimeData?: { readonly hash: 'sha256' | 'sha384' | 'sha512'; readonly bytes: Uint8Array }
  /** what the carrier puts beside the report and nobody reads (a CEC report): named in the decision and in its digest */
  readonly unread?: Uint8Array
  /** architecture the carrier claims (`HOPPER`), to be compared with the certificates */
  readonly architectureLabel?: string
}

export type Carrier =
  | 'raw'
  | 'akash/aep-83'
  | 'nvidia/sdk'
  | 'coco/kbs'
  | 'azure/hcl'
  | 'dstack/quote'
  | 'tpm/quote'
  | 'vouchsafe/bundle'

/** What one machine presented, out of its envelope. */
export interface EvidenceSet {
  readonly carrier: Carrier
  readonly items: NonEmpty<EvidenceItem>
  /** AEP-83 `tee_platform`: what the carrier says of itself */
  readonly platformLabel?: 'snp' | 'snp-gpu' | 'tdx' | 'tdx-gpu'
  /** AEP-83 `tls_bound`: an unsigned claim about REPORT_DATA */
  readonly tlsBound?: boolean
  /** SPKI of the sidecar's TLS key, where the carrier brings it */
  readonly tlsSpki?: Uint8Array
  /** how the sender says REPORT_DATA and the GPU nonces were made; the expected values are computed from our challenge */
  readonly binding: BindingForm | 'runtime-data'
  /** there exactly where the binding is `runtime-data` */
  readonly runtimeData?: RuntimeData
  readonly initData?: InitData
  /** the workload's own key, which REPORT_DATA must cover before anything is wrapped to it */
  readonly key?: { readonly spki: Uint8Array; readonly domain: string }
}

/**
 * What a Confidential Containers guest hashes into its report data (JCS, then SHA-256, -384 or -512): the nonce as it received it,
 * its key as a JWK, and the text of its devices' evidence.
 */
export interface RuntimeData {
  readonly nonce: string
  readonly teePubkey: JsonObject
  /** byte for byte as it was sent, empty where there is none; undefined from guests before version 0.4, who have no place for it */
  readonly additionalEvidence: string | undefined
}

/** Configuration that a guest was launched with; its digest is in HOST_DATA, MRCONFIGID or CONFIGID. */
export interface InitData {
  readonly hash: 'sha256' | 'sha384' | 'sha512'
  readonly body: Uint8Array
}

/**
 * `raw`: REPORT_DATA is the nonce, GPU nonces are its first 32 bytes (AEP-83) · `derived`: GPU nonces are hashed from nonce
 * and key under our label · `composite`: as derived, and REPORT_DATA covers the list of GPU reports too.
 */
export type BindingForm = 'raw' | 'derived' | 'composite'
