import { attemptAsync, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import {
  CREDENTIAL_TYPE,
  type CredentialClaims,
  type CredentialPurpose,
  decodeClaims,
  isClaimText,
  isDigest,
  LONGEST_SECONDS,
} from './claims.ts'
import { checkHolder, type HolderProof } from './holder.ts'
import { algorithmOf, isSignedBy, publicJwk, splitJws } from './jws.ts'
import { type CredentialKey, type CredentialKeySet, pinnedKeys } from './keys.ts'
import { isLeaseId, isOrderId, orderOfLease } from './lease-id.ts'

/** Nobody's clock is exact; the issuer's may be this much ahead of ours. */
export const CREDENTIAL_SKEW_SECONDS = 60
const SHORTEST_NONCE = 16

/** What a relying party is about to do, and whom it believes. Nothing is optional; what does not apply is `null`. */
export interface CredentialExpectation {
  /** pinned; keys that travel with a token never count */
  readonly keys: CredentialKeySet
  readonly issuer: string
  /** this relying party's own name */
  readonly audience: string
  readonly purpose: CredentialPurpose
  /** address of the provider whose bid or lease it is */
  readonly subject: string
  /** four-field OrderID of the bid at hand; `null` where there is none */
  readonly order: string | null
  /** six-field LeaseID; `null` for posture, and only there */
  readonly lease: string | null
  readonly policyDigest: string
  /**
   * the nonce that the holder was asked, and its proof; `null` where it brought none, which is refused. A proof is good for 60 s
   * as often as it is presented: the caller uses each nonce up with the first answer to it
   */
  readonly holder: { readonly nonce: string; readonly proof: HolderProof } | null
  /**
   * whether the issuer revoked this `jti`: from its `credential.revoked` events, kept until the credential's `exp`. It is asked
   * of authentic credentials only; what it throws, the check throws
   */
  readonly revoked: (jti: string) => boolean
  readonly now: UnixSeconds
}

/**
 * Whether a credential opens this door, for this holder, now. One for key release must also be burnt by its `jti`, which is
 * the caller's to keep until `exp`.
 * @param jwt as it was presented
 * @returns its claims, or RESULT_INVALID (form, header, signature) · RESULT_KEY_RETIRED · RESULT_ISSUER_MISMATCH ·
 * RESULT_AUDIENCE · RESULT_NOT_YET_VALID · RESULT_EXPIRED (or too long a life) · GATE_SCOPE_MISMATCH (purpose, provider, order,
 * lease) · RESULT_REVOKED · RESULT_POLICY_MISMATCH · RESULT_HOLDER_NOT_PROVED · UTF8_INVALID · JSON_SYNTAX · JSON_DUPLICATE_KEY ·
 * JSON_TYPE_MISMATCH · LIMIT_JSON_DEPTH · LIMIT_JSON_VALUES
 * @throws TypeError for an expectation that no credential can meet
 */
export async function checkCredential(
  jwt: string,
  expectation: CredentialExpectation,
): Promise<Outcome<CredentialClaims>> {
  checkExpectation(expectation)
  const keys = pinnedKeys(expectation.keys)
  return attemptAsync(async () => {
    const claims = await authenticate(jwt, keys, expectation.now)
    checkAddressees(claims, expectation)
    checkTime(claims, expectation.now)
    checkScope(claims, expectation)
    if (expectation.revoked(claims.jti) !== false) refuse('RESULT_REVOKED', 'credential.jti', { actual: claims.jti })
    const { policyDigest, holder, audience, now } = expectation
    if (claims.vouchsafe.policy !== policyDigest) {
      refuse('RESULT_POLICY_MISMATCH', 'credential.vouchsafe.policy', {
        expected: policyDigest,
        actual: claims.vouchsafe.policy,
      })
    }
    if (holder === null)
      return refuse('RESULT_HOLDER_NOT_PROVED', 'holder', { expected: claims.cnf.jkt, actual: 'no proof' })
    const asked = { jti: claims.jti, aud: audience, iat: now, nonce: holder.nonce }
    take(await checkHolder(holder.proof, claims.cnf.jkt, claims.sub, asked))
    return claims
  })
}

function checkExpectation(expectation: CredentialExpectation): void {
  const { purpose, order, lease, holder, revoked, now } = expectation
  const needs = (isRight: boolean, what: string): void => {
    if (!isRight) throw new TypeError(what)
  }
  needs(Object.hasOwn(LONGEST_SECONDS, purpose), 'purpose is posture, lease or key-release')
  needs((lease === null) === (purpose === 'posture'), 'a posture has no lease, every other purpose has one')
  needs(lease === null || isLeaseId(lease), 'lease is owner/dseq/gseq/oseq/provider/bseq')
  needs(order === null || isOrderId(order), 'order is owner/dseq/gseq/oseq')
  needs(order === null || lease === null || orderOfLease(lease) === order, 'order is that of the lease')
  for (const name of ['issuer', 'audience', 'subject'] as const)
    needs(isClaimText(expectation[name]), `${name} is up to 256 printable characters without spaces`)
  needs(isDigest(expectation.policyDigest), 'policyDigest is sha256: and 64 hexadecimal digits')
  needs(
    holder === null || holder.nonce.length >= SHORTEST_NONCE,
    `holder.nonce has at least ${SHORTEST_NONCE} characters`,
  )
  needs(typeof revoked === 'function', 'revoked says of a jti whether it was revoked')
  needs(Number.isSafeInteger(now) && now > 0, 'now is whole seconds since 1970')
}

/** Header, key, signature, then what was signed. */
async function authenticate(
  jwt: string,
  keys: ReadonlyMap<string, CredentialKey>,
  now: UnixSeconds,
): Promise<CredentialClaims> {
  const { header, payload } = take(splitJws(jwt, ['alg', 'kid', 'typ'], 'RESULT_INVALID', 'credential'))
  const invalid = (path: string, expected: string, actual: unknown): never =>
    refuse('RESULT_INVALID', path, { expected, actual: String(actual) })
  if (header.typ !== CREDENTIAL_TYPE) invalid('credential.header.typ', CREDENTIAL_TYPE, header.typ)
  const key = typeof header.kid === 'string' ? keys.get(header.kid) : undefined
  const jwk = key === undefined ? undefined : publicJwk(key)
  if (key === undefined || jwk === undefined)
    return invalid('credential.header.kid', [...keys.keys()].join(' | '), header.kid)
  if (header.alg !== algorithmOf(jwk)) invalid('credential.header.alg', algorithmOf(jwk), header.alg)
  if (!(await isSignedBy(jwt, jwk)))
    refuse('RESULT_INVALID', 'credential.signature', { expected: `a signature of ${key.kid}` })
  if (key.retiredAt !== undefined && now >= key.retiredAt)
    refuse('RESULT_KEY_RETIRED', 'credential.header.kid', { expected: `retired at ${key.retiredAt}`, actual: key.kid })
  return take(decodeClaims(payload, 'credential'))
}

function checkAddressees({ iss, aud }: CredentialClaims, { issuer, audience }: CredentialExpectation): void {
  if (iss !== issuer) refuse('RESULT_ISSUER_MISMATCH', 'credential.iss', { expected: issuer, actual: iss })
  if (!aud.includes(audience))
    refuse('RESULT_AUDIENCE', 'credential.aud', { expected: audience, actual: aud.join(', ') })
}

function checkTime({ iat, exp }: CredentialClaims, now: UnixSeconds): void {
  if (iat > now + CREDENTIAL_SKEW_SECONDS) {
    refuse('RESULT_NOT_YET_VALID', 'credential.nbf', {
      expected: `at most ${now + CREDENTIAL_SKEW_SECONDS}`,
      actual: iat,
    })
  }
  // Skew is granted to the beginning alone: an end that passed for us has passed.
  if (now >= exp) refuse('RESULT_EXPIRED', 'credential.exp', { expected: `after ${now}`, actual: exp })
}

function checkScope({ sub, vouchsafe }: CredentialClaims, expectation: CredentialExpectation): void {
  const same = (path: string, expected: string | null, actual: string | null): void => {
    if (actual !== expected)
      refuse('GATE_SCOPE_MISMATCH', path, { expected: expected ?? 'none', actual: actual ?? 'none' })
  }
  const { purpose, subject, order, lease } = expectation
  same('credential.vouchsafe.purpose', purpose, vouchsafe.purpose)
  same('credential.sub', subject, sub)
  same('credential.vouchsafe.lease', lease, vouchsafe.lease)
  // A posture of any order serves every order; one that is restricted serves that order alone.
  if (lease === null && vouchsafe.order !== null) same('credential.vouchsafe.order', order, vouchsafe.order)
}
