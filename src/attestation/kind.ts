import type { Context } from '../core/context.ts'
import type { Fault, Outcome } from '../core/outcome.ts'
import type { UnixSeconds } from '../core/time.ts'
import type { Claims } from './claims.ts'
import type { CollateralSet } from './collateral.ts'
import type { EvidenceItem, EvidenceKind } from './evidence.ts'

declare const proof: unique symbol

/** Structure of bytes whose author is not proved. */
export interface Decoded<T> {
  readonly stage: 'decoded'
  readonly value: T
}

/** A value that a signature under a pinned anchor vouches for. Minted in the kinds' verify.ts only. */
export interface Authentic<T> {
  readonly [proof]: 'authenticated'
  readonly value: T
}

export const decoded = <T>(value: T): Decoded<T> => ({ stage: 'decoded', value })

/** For the kinds' verify.ts alone, after the last check; a test holds every other file to that. */
export const authentic = <T>(value: T): Authentic<T> => ({ value }) as Authentic<T>

/** A collateral object that a verdict rests on. */
export interface CollateralUse {
  readonly kind:
    | 'x509-certificate'
    | 'x509-crl'
    | 'ocsp-response'
    | 'nvidia-rim'
    | 'intel-tcb-info'
    | 'intel-qe-identity'
    | 'cca-platform-key'
  /** SHA-256 of the object, lower-case hex */
  readonly digest: string
  /** thisUpdate of a CRL or OCSP answer, notBefore of a certificate, issueDate of a document of Intel's; undefined for a manifest or a bare key, which carry no date */
  readonly issuedAt: UnixSeconds | undefined
  /** end of the object's own validity */
  readonly validUntil: UnixSeconds
}

export interface NotChecked {
  readonly what: string
  readonly because: string
}

/**
 * What is known about the revocation of one chain. `good`: answers for every certificate that must have one.
 * `notGiven`: no material was there. `unknown`: material was there and does not answer; the faults say why (all
 * inconclusive). A revoked certificate is a fault of the item, never a status.
 */
export interface RevocationReport {
  readonly chain: 'amd' | 'nvidia-device' | 'nvidia-rim' | 'intel-pck' | 'aws-nitro' | 'tpm-maker'
  readonly status: 'good' | 'notGiven' | 'unknown'
  /** whether an answer it rests on came with the evidence alone */
  readonly stapled: boolean
  readonly faults: readonly Fault[]
}

/** What came out of judging one item alone. */
export interface ItemJudgement {
  readonly id: string
  readonly kind: EvidenceKind
  /** the first fault that refused it, or what is missing; empty where it was proved and complete */
  readonly faults: readonly Fault[]
  /** there exactly where the item's own signature was proved */
  readonly claims: Authentic<Claims> | undefined
  /** vendor-certified identity of the hardware, e.g. `amd-chip:…`; undefined where masked or unproved */
  readonly hardwareId: string | undefined
  readonly revocation: readonly RevocationReport[]
  readonly collateral: readonly CollateralUse[]
  readonly notChecked: readonly NotChecked[]
  /** ids of injected anchors that the item's chains end in */
  readonly injectedAnchors: readonly string[]
  /** what `withoutPadding` makes of the item's bytes, where decoding them has told */
  readonly unpadded?: Uint8Array
}

/** One evidence kind: a folder, and a row of the registry. */
export interface KindVerifier {
  readonly kind: EvidenceKind
  /** Whether these bytes are this kind's, by magic numbers and lengths; no proof of anything. */
  recognise(bytes: Uint8Array): boolean
  /** Bytes to structure, without cryptography; total: any bytes give an outcome. */
  decode(bytes: Uint8Array, path: string): Outcome<Decoded<unknown>>
  /** The bytes without what a sender's buffer may leave behind them and nobody signed, so that one proof has one digest. */
  withoutPadding(bytes: Uint8Array): Uint8Array
  verify(item: EvidenceItem, collateral: CollateralSet, context: Context): Promise<ItemJudgement>
}
