import type { Finding, NonEmpty } from '../core/outcome.ts'
import type { Evidence } from '../index.ts'
import type { KeyName } from './ports.ts'
import type { AttestedSession } from './session.ts'
import type { WrapFormat, WrappedKey } from './wrap/index.ts'

/** The answer of a lease's machine to a challenge of the gate: purpose `key-release`, with the workload's key as `teeKey`. */
export interface ChallengeProof {
  readonly kind: 'challenge'
  readonly challengeId: string
  /** the chain's lease, or its id */
  readonly lease: unknown
  readonly evidence: Evidence
}

/** One key asked for. Whoever asks is nobody yet: what counts is what the proof shows. */
export interface ReleaseRequest extends KeyName {
  /** an answer to a challenge of the gate, or what this broker's `attestSession` returned */
  readonly proof: ChallengeProof | AttestedSession
  /**
   * SPKI of the key that the answer is expected to be wrapped to; null where nobody says. It chooses nothing: a key is wrapped
   * to the one inside the evidence, and another one here is BIND_KEY_MISMATCH
   */
  readonly wrapKey: Uint8Array | null
  /** `hpke` for keys of X25519 and P-256, bound to lease, policy and challenge · `jwe` for P-256, P-521 and RSA, as KBS clients open it */
  readonly format: WrapFormat
}

/** What a wrapped key is for. Under `hpke` it is authenticated: what was wrapped for one release opens as no other. */
export interface ReleaseBinding extends KeyName {
  /** six-field lease id, or the name of the workload */
  readonly workload: string
  readonly policyDigest: string
  readonly challengeId: string
}

/**
 * A fault of the evidence as whoever sent it is told: what is wrong and what to do. Neither expected nor found values are
 * there, so that the answers tell nobody what a private policy looks for (THREATS T78).
 */
export type EvidenceRemedy = Pick<Finding, 'code' | 'verdict' | 'item' | 'hint'>

export interface Released {
  readonly released: true
  readonly key: WrappedKey
  readonly binding: ReleaseBinding
  /** eligibility credential for key release, at most 2 minutes; null where the gate signs none for this holder */
  readonly credential: string | null
  /** number of the audit entry, durable before the key was unwrapped */
  readonly auditSequence: number
  /** risks that the tenant's policy accepts by name */
  readonly acceptedRisks: readonly string[]
}

export interface Refused {
  readonly released: false
  readonly verdict: 'reject' | 'inconclusive'
  readonly findings: NonEmpty<Finding>
  /** each code of each item once; empty where the evidence was not judged, or accepted */
  readonly evidence: readonly EvidenceRemedy[]
}

/** Plain JSON, for the one who asked. */
export type ReleaseAnswer = Released | Refused
