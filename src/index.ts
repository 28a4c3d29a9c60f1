import {
  type CollateralFile,
  type CollateralSet,
  closedSet,
  type SortedCollateral,
  sortCollateral,
} from './attestation/collateral.ts'
import { type EvidenceFile, readEvidence } from './attestation/envelopes/index.ts'
import type { Freshness } from './attestation/evidence-set/binding.ts'
import type { Lease } from './attestation/evidence-set/group.ts'
import { copyOf } from './core/bytes.ts'
import { Context, createVerificationCache, type VerificationCache } from './core/context.ts'
import { nodeCrypto } from './core/crypto/node.ts'
import type { CryptoPort } from './core/crypto/port.ts'
import type { Fault } from './core/outcome.ts'
import type { UnixSeconds } from './core/time.ts'
import { PINNED_ANCHORS, type TrustAnchor } from './core/trust-anchors.ts'
import type { Decision, PhysicalAssurance } from './decision/decision.ts'
import { inputDigest } from './decision/evidence-digest.ts'
import { judge } from './decision/judge.ts'
import type { GateOptions } from './gate/core.ts'
import { Gate } from './gate/gate.ts'
import type { KnownTpm } from './policy/appraisal.ts'
import { policyDigest } from './policy/digest.ts'
import type { Policy, SignerKey } from './policy/policy.ts'
import { authenticateReferenceValue } from './policy/reference-values.ts'
import { checkArguments } from './verify-arguments.ts'

/** Evidence: one carrier's bytes, or the files of one folder. */
export type Evidence = Uint8Array | readonly EvidenceFile[]

export interface VerifyContext {
  /** time of judgement, whole seconds since 1970 */
  readonly now: UnixSeconds
  /** `null` judges the evidence alone; the decision is then never an accept */
  readonly policy: Policy | null
  /** what the evidence must answer, or why that is not checked (then never an accept) */
  readonly freshness: Freshness
  /** from `prepareCollateral`; `NO_COLLATERAL` where there is none */
  readonly collateral: CollateralSet
  /** what was leased or ordered; `null` for a machine without lease (posture, self-test) */
  readonly lease: Lease | null
  /** TPMs that the verifier has met before; left out where it has met none, and a policy that asks for one then refuses */
  readonly knownTpms?: readonly KnownTpm[]
  /** fact from outside cryptography; `unknown` unless somebody vouches for the place */
  readonly physical: PhysicalAssurance
  /** signed reference values (JWS, compact), each judged against the policy's signers */
  readonly referenceValues: readonly string[]
  /** anchors beside the pinned ones; a decision that rests on one says so and opens nothing */
  readonly injectedAnchors: readonly TrustAnchor[]
  /** what earlier judgements proved; share one over judgements for speed. It never changes a decision. */
  readonly cache: VerificationCache
  /** node:crypto by default */
  readonly crypto?: CryptoPort
}

/**
 * Judges the evidence of one machine and explains the decision. Touches no network, clock or file: the same arguments give
 * the same decision, byte for byte. Evidence, policy digests and collateral are data: whatever they hold, the answer is a
 * decision.
 * @returns `vouchsafe/decision/1`; only `verdict: 'accept'` without `injectedAnchors` may open anything
 * @throws TypeError for arguments of the wrong kind, which only a programmer can pass
 */
export async function verify(evidence: Evidence, context: VerifyContext): Promise<Decision> {
  checkArguments(evidence, context)
  const given = evidence instanceof Uint8Array ? [{ name: 'evidence', bytes: evidence }] : evidence
  // What is judged are copies: nobody can change the bytes between two checks of one judgement.
  const files = given.map(({ name, bytes }) => ({ name, bytes: copyOf(bytes) }))
  const crypto = context.crypto ?? nodeCrypto
  const judgement = new Context({
    now: context.now,
    anchors:
      context.injectedAnchors.length === 0 ? PINNED_ANCHORS : [...PINNED_ANCHORS, ...injected(context.injectedAnchors)],
    crypto,
    cache: context.cache,
  })
  const read = readEvidence(files)
  const inputFaults: Fault[] = []
  const beside =
    read.ok && read.value.collateral.length > 0
      ? await sortCollateral(judgement, read.value.collateral, 'evidence')
      : undefined
  for (const f of beside?.faults ?? []) inputFaults.push(f)
  const policy =
    context.policy === null ? null : { policy: context.policy, digest: await digestOf(context.policy, crypto) }
  const referenceValues = []
  for (const [i, text] of (policy === null ? [] : context.referenceValues).entries()) {
    const value = await authenticateReferenceValue(
      text,
      signersOf(policy?.policy),
      context.cache,
      `referenceValues[${i}]`,
    )
    if (value.ok) referenceValues.push(value.value)
    else inputFaults.push(...value.faults)
  }
  return judge(judgement, read, () => inputDigest(judgement, files), {
    policy,
    freshness: context.freshness,
    lease: context.lease,
    knownTpms: context.knownTpms ?? [],
    physical: context.physical,
    referenceValues,
    inputFaults,
    collateral: beside === undefined ? context.collateral : mergeCollateral(context.collateral, beside.collateral),
  })
}

const signersOf = (policy: Policy | undefined): readonly SignerKey[] =>
  policy === undefined || policy.referenceValues === 'none' ? [] : policy.referenceValues.signers

const policyDigests = new WeakMap<Policy, Promise<string>>()

/** Policies are frozen, so each is digested once. */
function digestOf(policy: Policy, crypto: CryptoPort): Promise<string> {
  const known = policyDigests.get(policy) ?? policyDigest(policy, (bytes) => crypto.digest('sha256', bytes))
  policyDigests.set(policy, known)
  return known
}

/** Digest by which a challenge, a decision and a credential name this policy: `sha256:` and 64 hexadecimal digits. */
export const digestOfPolicy = (policy: Policy): Promise<string> => digestOf(policy, nodeCrypto)

/** Injected anchors are marked, whoever made them. */
const injected = (anchors: readonly TrustAnchor[]): readonly TrustAnchor[] =>
  anchors.map((a) => ({ ...a, injected: true }))

/**
 * Sorts collateral files once, for many judgements.
 * @returns the collateral, and the faults of files that could not be read, each under its name
 */
export function prepareCollateral(
  files: readonly CollateralFile[],
  crypto: CryptoPort = nodeCrypto,
): Promise<SortedCollateral> {
  const context = new Context({ now: 0, anchors: PINNED_ANCHORS, crypto, cache: createVerificationCache(1) })
  return sortCollateral(context, files, 'verifier')
}

/** Both sets, equal objects once, as the first set holds them. */
export function mergeCollateral(a: CollateralSet, b: CollateralSet): CollateralSet {
  const merge = <T extends { readonly sha256: string }>(x: readonly T[], y: readonly T[]): readonly T[] =>
    y.length === 0 ? x : [...x, ...y.filter((held) => !x.some((other) => other.sha256 === held.sha256))]
  return closedSet({
    certificates: merge(a.certificates, b.certificates),
    crls: merge(a.crls, b.crls),
    ocspResponses: merge(a.ocspResponses, b.ocspResponses),
    rims: merge(a.rims, b.rims),
    intelDocuments: merge(a.intelDocuments, b.intelDocuments),
    platformKeys: merge(a.platformKeys, b.platformKeys),
  })
}

/**
 * Opens the gate of a marketplace. It reads the store at `refresh` or `start`; until then no bid is admitted.
 * @throws TypeError for options that cannot be meant
 */
export const createGate = (options: GateOptions): Gate => new Gate(options, verify)

export {
  type Challenge,
  type ChallengePurpose,
  type ChallengeRecord,
  challengeNonce,
  decodeChallenge,
  issueChallengeRecord,
} from './attestation/challenge.ts'
export type {
  CcaClaims,
  Claims,
  EventLogClaims,
  GpuClaims,
  NitroClaims,
  SgxClaims,
  SnpClaims,
  SwitchClaims,
  TdxClaims,
  TpmClaims,
} from './attestation/claims.ts'
export {
  type CollateralFile,
  type CollateralSet,
  NO_COLLATERAL,
  type SortedCollateral,
} from './attestation/collateral.ts'
export type { EvidenceFile } from './attestation/envelopes/index.ts'
export {
  compositeReportData,
  derivedGpuNonce,
  derivedQualifyingData,
  type Freshness,
  keyReportData,
} from './attestation/evidence-set/binding.ts'
export type { Lease } from './attestation/evidence-set/group.ts'
export { CODES, type Code, isCode } from './core/codes.ts'
export { createVerificationCache, type VerificationCache } from './core/context.ts'
export { nodeCrypto } from './core/crypto/node.ts'
export type { CryptoPort } from './core/crypto/port.ts'
export { webCrypto } from './core/crypto/web.ts'
export type { Fault, Finding, Outcome } from './core/outcome.ts'
export { PINNED_ANCHORS, type TrustAnchor } from './core/trust-anchors.ts'
export {
  accountAddress,
  accountThumbprint,
  adr36Document,
  type Credential,
  type CredentialClaims,
  type CredentialExpectation,
  type CredentialKey,
  type CredentialKeySet,
  type CredentialPurpose,
  type CredentialRequest,
  type CredentialSigner,
  checkCredential,
  HOLDER_PROOF_TYPE,
  type HolderProof,
  type HolderStatement,
  holderStatementText,
  holderThumbprint,
  isSignedByAccount,
  issueCredential,
  jwksOf,
  type PrivateKey,
  type PublicKey,
  proveHolder,
  type VerifierKey,
} from './decision/credential/index.ts'
export type { Decision, GpuBinding, ItemDecision, Level, PhysicalAssurance, Verdict } from './decision/decision.ts'
export { type AccountProof, accountProof } from './gate/account-proof.ts'
export {
  type BidIdLike,
  type BidRef,
  bidRef,
  type IntegerLike,
  type LongLike,
  leaseRef,
  type OrderIdLike,
  type OrderRef,
  orderRef,
} from './gate/akash-ids.ts'
export type {
  AttributeLike,
  BidLike,
  GroupSpecLike,
  ListedBid,
  OrderLike,
  ProviderLike,
  ResourcesLike,
  TeeType,
} from './gate/akash-objects.ts'
export type {
  AdvertisedMachine,
  GateDecision,
  LeaseAnswer,
  PostureAnswer,
  WithoutCredential,
} from './gate/answer.ts'
export type { BidRow } from './gate/bids.ts'
export { DEFAULT_RULES, type GateOptions, type GateRules } from './gate/core.ts'
export type { DenialKind } from './gate/denylist.ts'
export type { EventType, GateEvent } from './gate/events.ts'
export { GateError } from './gate/finding.ts'
export type { ChallengeRequest, Gate } from './gate/gate.ts'
export { hardwareDigest, postureStatement, releaseStatement } from './gate/identity.ts'
export type { LeaseDecisionRow } from './gate/lease-keeping.ts'
export { nodeRandom, nodeScheduler } from './gate/node-ports.ts'
export type {
  CollateralSource,
  GateClock,
  GateCredentialPurpose,
  GateCredentialRequest,
  GateSigner,
  PhysicalSource,
  ProviderProofVerifier,
  RandomBytes,
  Scheduler,
  StopSignal,
} from './gate/ports.ts'
export type { Machine } from './gate/posture.ts'
export { lintSdl, type SdlLint, type SdlService } from './gate/sdl/index.ts'
export { credentialSigner } from './gate/signer.ts'
export type { GateStore } from './gate/store.ts'
export {
  deliverWebhooks,
  isWebhookAuthentic,
  type WebhookEndpoint,
  type WebhookFetch,
  type WebhookOptions,
} from './gate/webhooks.ts'
export type { KnownTpm } from './policy/appraisal.ts'
export { compose } from './policy/compose.ts'
export { parsePolicy } from './policy/parse.ts'
export type { Policy } from './policy/policy.ts'
export { memoryStore } from './stores/memory.ts'
