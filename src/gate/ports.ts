import type { Challenge } from '../attestation/challenge.ts'
import type { CollateralSet } from '../attestation/collateral.ts'
import type { NonEmpty } from '../core/outcome.ts'
import type { UnixSeconds } from '../core/time.ts'
import type { Decision, PhysicalAssurance } from '../decision/decision.ts'
import type { Evidence, VerifyContext } from '../index.ts'

/** Judges evidence: the library's `verify`. */
export type Judge = (evidence: Evidence, context: VerifyContext) => Promise<Decision>

/** Whole seconds since 1970, of a clock that was checked. */
export type GateClock = () => UnixSeconds

/** Random bytes that nobody can predict. */
export type RandomBytes = (sizeBytes: number) => Uint8Array

/** Runs `task` every so many seconds until the returned function is called. */
export type Scheduler = (everySeconds: number, task: () => void) => () => void

/**
 * The platform's `AbortSignal`, by whichever types declare it: our declarations also serve programs that have neither those of
 * Node nor those of the DOM.
 */
export type StopSignal = typeof globalThis extends { readonly AbortSignal: { readonly prototype: infer Signal } }
  ? Signal
  : { readonly aborted: boolean }

/** Certificates, revocation lists and manifests for this evidence, from a cache or from the vendors. It may reject. */
export type CollateralSource = (evidence: Evidence) => Promise<CollateralSet>

/**
 * Whether `proof` is a signature of the provider's account over exactly these bytes (ADR-36 on Akash). False for anything
 * that is none; it rejects only where it could not look.
 */
export type ProviderProofVerifier = (asked: {
  readonly provider: string
  /** from `postureStatement` or `releaseStatement` */
  readonly statement: Uint8Array
  readonly proof: unknown
}) => Promise<boolean>

export type GateCredentialPurpose = 'posture' | 'lease' | 'reattest' | 'key-release'

/** What a credential is to say. It is made for an accepted and committed decision only. */
export interface GateCredentialRequest {
  /** its level is the gate's: lower than the evidence reached where another account holds the hardware too */
  readonly decision: Decision
  /** what the evidence answered; the decision carries its digest */
  readonly challenge: Challenge
  readonly purpose: GateCredentialPurpose
  readonly issuer: string
  readonly audience: NonEmpty<string>
  /** account of the provider */
  readonly subject: string
  /** six-field lease id; null for posture */
  readonly lease: string | null
  readonly policyDigest: string
  /** salted, as the gate knows them */
  readonly hardware: readonly string[]
  /** RFC 7638 thumbprint of the holder's key: what whoever presents the credential must prove */
  readonly holderJkt: string
  readonly now: UnixSeconds
  /** unique; what a revocation names */
  readonly jti: string
  readonly ttlSeconds: number
}

/** Signs credentials. A rejection leaves the decision without one, and nothing is opened. */
export interface GateSigner {
  issue(request: GateCredentialRequest): Promise<string>
}

/** Who vouches for the place of a provider's machines. */
export type PhysicalSource = (provider: string) => PhysicalAssurance
