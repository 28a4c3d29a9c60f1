import type { Challenge, ChallengePurpose } from '../../attestation/challenge.ts'
import { utf8 } from '../../core/bytes.ts'
import type { CryptoPort } from '../../core/crypto/port.ts'
import { toBase64, toHex } from '../../core/encodings.ts'
import { canonicalJson } from '../../core/json.ts'
import { attemptAsync, type NonEmpty, type Outcome, refuse, take } from '../../core/outcome.ts'
import { parseRfc3339, type UnixSeconds } from '../../core/time.ts'
import type { Decision } from '../decision.ts'
import {
  CREDENTIAL_TYPE,
  type CredentialClaims,
  type CredentialPurpose,
  decodeClaims,
  EAR_PROFILE,
  isClaimText,
  isDigest,
  isThumbprint,
  isVerifierName,
  LONGEST_SECONDS,
  policyUrn,
} from './claims.ts'
import { spkiThumbprint } from './holder.ts'
import { type PrivateKey, type SigningAlgorithm, signJws } from './jws.ts'
import { isKid } from './keys.ts'
import { isLeaseId, isOrderId, orderOfLease, providerOfLease } from './lease-id.ts'
import { type Submodule, statusOf, vectorOf } from './trust.ts'

export interface CredentialSigner {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly key: PrivateKey
}

/** Everything that a credential is made of. Nothing is optional; what does not apply is `null`. */
export interface CredentialRequest {
  readonly decision: Decision
  /** what the evidence answered; its digest must be the decision's */
  readonly challenge: Challenge
  readonly purpose: CredentialPurpose
  /** who issues, as relying parties name it, e.g. `https://verifier.example` */
  readonly issuer: string
  readonly audience: NonEmpty<string>
  /** address of the provider */
  readonly subject: string
  /** four-field OrderID that a posture is restricted to; `null` otherwise, since a lease implies its order */
  readonly order: string | null
  /** six-field LeaseID; `null` for posture, and only there */
  readonly lease: string | null
  readonly policyDigest: string
  /**
   * the hardware that the decision identified, one `kind:id` for each distinct id: the decision's own, or salted so that two
   * marketplaces cannot tell that they know the same chip
   */
  readonly hardware: readonly string[]
  /** RFC 7638 thumbprint of the provider's account key (`accountThumbprint`) or of a key in the TEE (`holderThumbprint`) */
  readonly holder: { readonly jkt: string }
  readonly verifier: { readonly developer: string; readonly build: string }
  readonly signer: CredentialSigner
  readonly now: UnixSeconds
  /** unique; at least 128 bits of randomness */
  readonly jti: string
  /** how long the policy lets it last; the purpose's own limit and the decision's end shorten it */
  readonly ttlSeconds: number
}

export interface Credential {
  /** compact JWT, `typ: eat+jwt` */
  readonly jwt: string
  readonly claims: CredentialClaims
}

/** Challenges whose answers a purpose may rest on. Posture and lease never stand in for each other. */
const CHALLENGED_FOR: Readonly<Record<CredentialPurpose, readonly ChallengePurpose[]>> = {
  posture: ['posture'],
  lease: ['lease', 'reattest'],
  'key-release': ['key-release'],
}

/**
 * Issues the credential of an accepted decision. It lasts until the earliest of the decision's end, `ttlSeconds`, and the
 * limit of its purpose: 6 h for posture, 30 min for a lease, 2 min for a key release.
 * @param digest e.g. `nodeCrypto.digest`
 * @returns the credential, or GATE_NOT_ACCEPTED · GATE_ANCHORS_INJECTED · GATE_DECISION_EXPIRED ·
 * GATE_SCOPE_MISMATCH (decided for another challenge, purpose, provider, lease or policy) · GATE_HOLDER_NOT_ATTESTED (another
 * key than the evidence carries, or none there for a key release) · GATE_KEY_NOT_RELEASABLE (below level 5, with no risk named) · CLOCK_WENT_BACK (decided in the
 * future) · RESULT_INVALID (names in the decision that no credential can carry)
 * @throws TypeError for arguments that no credential can be made of
 */
export function issueCredential(
  request: CredentialRequest,
  digest: CryptoPort['digest'],
): Promise<Outcome<Credential>> {
  return attemptAsync(async () => {
    checkRequest(request)
    checkDecision(request.decision, request.now)
    await checkScope(request, digest)
    await checkHolderKey(request)
    checkRelease(request)
    const claims = claimsOf(request)
    const { alg, kid, key } = request.signer
    const payload = utf8(JSON.stringify(claims))
    // Nothing is signed that a relying party would refuse, such as an item id that a bundle made up.
    take(decodeClaims(payload, 'credential'))
    const jwt = await signJws(payload, { alg, kid, typ: CREDENTIAL_TYPE }, key)
    return { jwt, claims }
  })
}

function checkRequest(request: CredentialRequest): void {
  const { purpose, order, lease, audience, holder, verifier, signer, now, ttlSeconds } = request
  const needs = (isRight: boolean, what: string): void => {
    if (!isRight) throw new TypeError(what)
  }
  needs(Object.hasOwn(LONGEST_SECONDS, purpose), 'purpose is posture, lease or key-release')
  needs((lease === null) === (purpose === 'posture'), 'a posture has no lease, every other purpose has one')
  needs(lease === null || isLeaseId(lease), 'lease is owner/dseq/gseq/oseq/provider/bseq')
  needs(lease === null || providerOfLease(lease) === request.subject, 'subject is the provider of the lease')
  needs(order === null || isOrderId(order), 'order is owner/dseq/gseq/oseq')
  needs(order === null || lease === null || orderOfLease(lease) === order, 'order is that of the lease')
  needs(audience.length > 0 && audience.every(isClaimText), 'audience is a list of names that is not empty')
  for (const name of ['issuer', 'subject', 'jti'] as const)
    needs(isClaimText(request[name]), `${name} is up to 256 printable characters without spaces`)
  needs(isDigest(request.policyDigest), 'policyDigest is sha256: and 64 hexadecimal digits')
  const known = new Set(request.decision.items.flatMap((i) => (i.hardwareId === undefined ? [] : [i.hardwareId])))
  needs(
    new Set(request.hardware).size === request.hardware.length && kindsOf([...known]) === kindsOf(request.hardware),
    'hardware has one kind:id for each distinct id of the decision, of the same kinds',
  )
  needs(isThumbprint(holder.jkt), 'holder.jkt is an RFC 7638 thumbprint: no credential is issued to nobody')
  needs(isVerifierName(verifier.developer) && isVerifierName(verifier.build), 'verifier names developer and build')
  needs(isKid(signer.kid) && ['ES256', 'EdDSA'].includes(signer.alg), 'signer has a kid, and alg ES256 or EdDSA')
  needs(Number.isSafeInteger(now) && now > 0, 'now is whole seconds since 1970')
  needs(Number.isSafeInteger(ttlSeconds) && ttlSeconds > 0, 'ttlSeconds is a whole number above zero')
}

function checkDecision(decision: Decision, now: UnixSeconds): void {
  if (decision.verdict !== 'accept')
    refuse('GATE_NOT_ACCEPTED', 'decision.verdict', { expected: 'accept', actual: decision.verdict })
  const [injected] = decision.injectedAnchors
  if (injected !== undefined)
    refuse('GATE_ANCHORS_INJECTED', 'decision.injectedAnchors', { expected: 'none', actual: injected })
  if (secondsOf(decision.validUntil) <= now)
    refuse('GATE_DECISION_EXPIRED', 'decision.validUntil', { expected: `after ${now}`, actual: decision.validUntil })
  if (secondsOf(decision.decidedAt) > now)
    refuse('CLOCK_WENT_BACK', 'decision.decidedAt', { expected: `at most ${now}`, actual: decision.decidedAt })
}

async function checkScope(request: CredentialRequest, digest: CryptoPort['digest']): Promise<void> {
  const { decision, challenge, purpose, subject, lease, policyDigest } = request
  const same = (path: string, expected: string, actual: string): void => {
    if (actual !== expected) refuse('GATE_SCOPE_MISMATCH', path, { expected, actual })
  }
  const asked = toHex(await digest('sha256', utf8(canonicalJson(challenge.record))))
  // A decision names neither provider nor lease; the challenge that it answers does.
  same('decision.challenge', asked, decision.challenge?.digest ?? 'no challenge')
  const allowed = CHALLENGED_FOR[purpose]
  if (!allowed.includes(challenge.purpose))
    refuse('GATE_SCOPE_MISMATCH', 'challenge.purpose', { expected: allowed.join(' | '), actual: challenge.purpose })
  same('challenge.provider', subject, challenge.provider)
  same('challenge.lease', lease ?? 'no lease', challenge.lease ?? 'no lease')
  same('challenge.policyDigest', policyDigest, challenge.policyDigest)
  same('decision.policy.digest', policyDigest, decision.policy?.digest ?? 'no policy')
}

/** The evidence answered for one key of the workload; whoever holds another key has shown nothing. */
async function checkHolderKey({ challenge, purpose, holder }: CredentialRequest): Promise<void> {
  const problem = await holderProblem(challenge, purpose, holder.jkt)
  if (problem !== undefined) refuse('GATE_HOLDER_NOT_ATTESTED', 'holder.jkt', { ...problem, actual: holder.jkt })
}

/**
 * Why a credential cannot be bound to this key: the challenge names another, or none although a key is to be released to it.
 * @returns undefined where it can
 */
export async function holderProblem(
  { teeKey }: Challenge,
  purpose: ChallengePurpose,
  jkt: string,
): Promise<{ readonly expected: string } | undefined> {
  if (teeKey === undefined)
    return purpose === 'key-release' ? { expected: 'the key of a challenge with teeKey' } : undefined
  const attested = await spkiThumbprint(teeKey)
  if (attested === jkt) return undefined
  return { expected: attested ?? 'a teeKey of P-256 or Ed25519' }
}

const RELEASE_LEVEL = 5

/** Whether this decision may release a key (ARCHITECTURE §5). */
export const isReleasable = ({ level, acceptedRisks }: Pick<Decision, 'level' | 'acceptedRisks'>): boolean =>
  level >= RELEASE_LEVEL || acceptedRisks.includes('open-quote-oracle')

function checkRelease({ purpose, decision }: CredentialRequest): void {
  if (purpose === 'key-release' && !isReleasable(decision))
    refuse('GATE_KEY_NOT_RELEASABLE', 'decision.level', { expected: RELEASE_LEVEL, actual: decision.level })
}

function claimsOf(request: CredentialRequest): CredentialClaims {
  const { decision, purpose, lease, policyDigest, now } = request
  const longest = now + Math.min(request.ttlSeconds, LONGEST_SECONDS[purpose])
  return {
    eat_profile: EAR_PROFILE,
    iss: request.issuer,
    sub: request.subject,
    aud: request.audience,
    iat: now,
    nbf: now,
    exp: Math.min(longest, secondsOf(decision.validUntil)),
    jti: request.jti,
    eat_nonce: toBase64(request.challenge.nonce),
    'ear.verifier-id': { developer: request.verifier.developer, build: request.verifier.build },
    submods: Object.fromEntries(decision.items.map((item) => [item.id, submoduleOf(decision, item, policyDigest)])),
    vouchsafe: {
      level: decision.level,
      purpose,
      lease,
      order: lease === null ? request.order : orderOfLease(lease),
      hw: request.hardware.map(hardwareOf),
      policy: policyDigest,
      evidence: decision.evidenceDigest,
      risks: decision.acceptedRisks,
      gpu: {
        count: decision.items.filter(({ kind }) => kind === 'nvidia/gpu-report').length,
        binding: decision.gpuBinding,
      },
      physical: decision.physical,
    },
    cnf: { jkt: request.holder.jkt },
  }
}

function submoduleOf(decision: Decision, item: Decision['items'][number], policyDigest: string): Submodule {
  const vector = vectorOf(decision, item)
  return {
    'ear.status': statusOf(vector),
    'ear.trustworthiness-vector': vector,
    'ear.appraisal-policy-id': policyUrn(policyDigest),
  }
}

const kindsOf = (ids: readonly string[]): string =>
  ids
    .map((id) => hardwareOf(id).kind)
    .sort()
    .join(' ')

/** `amd-chip:…` apart. */
function hardwareOf(hardwareId: string): { readonly kind: string; readonly id: string } {
  const colon = hardwareId.indexOf(':')
  return { kind: hardwareId.slice(0, colon), id: hardwareId.slice(colon + 1) }
}

function secondsOf(instant: string): UnixSeconds {
  const seconds = parseRfc3339(instant)
  if (seconds === undefined) throw new TypeError(`a decision has times such as 2026-08-01T00:00:00Z, not ${instant}`)
  return seconds
}
