import { concatBytes, equalBytes, utf8 } from '../core/bytes.ts'
import type { Context } from '../core/context.ts'
import { fromBase64, toBase64 } from '../core/encodings.ts'
import { canonicalJson, isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { attempt, attemptAsync, type Outcome, refuse, take } from '../core/outcome.ts'
import { LAST_SECOND, toRfc3339, type UnixSeconds } from '../core/time.ts'

export type ChallengePurpose = 'posture' | 'lease' | 'key-release' | 'reattest' | 'selftest'
const PURPOSES: readonly ChallengePurpose[] = ['posture', 'lease', 'key-release', 'reattest', 'selftest']

/** Nobody's clock is exact; a challenge may be this much ahead of ours. */
export const CLOCK_SKEW_SECONDS = 60
export const CHALLENGE_MAX_SECONDS = 120

/**
 * A question asked of one machine, once. Its nonce commits to every member, so that challenge and evidence can be judged
 * again later by anybody.
 */
export interface Challenge {
  readonly id: string
  readonly purpose: ChallengePurpose
  readonly provider: string
  /** lease or order for which it was asked; undefined for posture and self-test */
  readonly lease: string | undefined
  readonly policyDigest: string
  readonly verifierKeyId: string
  /** SPKI of the key that the workload generated, where the challenge was asked for one */
  readonly teeKey: Uint8Array | undefined
  readonly iat: UnixSeconds
  readonly exp: UnixSeconds
  /** 32 random bytes */
  readonly rand: Uint8Array
  /** 64 bytes */
  readonly nonce: Uint8Array
  /** the record as it was issued, for the digest and the nonce */
  readonly record: JsonObject
}

const DOMAIN = utf8('vouchsafe/1\0')

/**
 * Reads a challenge record. Its nonce is checked against its members by `authenticateChallenge`.
 * @returns the challenge, or BIND_EXPECTED_EMPTY · BIND_LENGTH_MISMATCH (nonce) · BIND_CHALLENGE_INVALID
 */
export function decodeChallenge(value: Json): Outcome<Challenge> {
  return attempt(() => {
    const invalid = (what: string): never => refuse('BIND_CHALLENGE_INVALID', `challenge.${what}`)
    if (!isJsonObject(value)) return refuse('BIND_CHALLENGE_INVALID', 'challenge', { expected: 'object' })
    const text = (name: string, size = 256): string => {
      const member = value[name]
      return typeof member === 'string' && member.length > 0 && member.length <= size ? member : invalid(name)
    }
    const seconds = (name: string): number => {
      const member = value[name]
      return typeof member === 'number' && Number.isInteger(member) && member >= 0 && member <= LAST_SECOND
        ? member
        : invalid(name)
    }
    if (value.v !== 1) invalid('v')
    const nonceText = value.nonce
    if (typeof nonceText !== 'string') return invalid('nonce')
    if (nonceText === '') refuse('BIND_EXPECTED_EMPTY', 'challenge.nonce', { expected: '64 bytes', actual: '0 bytes' })
    const nonce = take(fromBase64(nonceText, 'challenge.nonce'))
    if (nonce.length !== 64)
      refuse('BIND_LENGTH_MISMATCH', 'challenge.nonce', { expected: '64 bytes', actual: `${nonce.length} bytes` })
    const rand = take(fromBase64(text('rand'), 'challenge.rand'))
    if (rand.length !== 32) invalid('rand')
    const purpose = PURPOSES.find((p) => p === value.purpose) ?? invalid('purpose')
    // Posture and self-test ask about a machine, the others about one lease of it; the two never stand in for each other.
    if ((value.lease === undefined) !== (purpose === 'posture' || purpose === 'selftest')) invalid('lease')
    const iat = seconds('iat')
    const exp = seconds('exp')
    if (exp <= iat || exp - iat > CHALLENGE_MAX_SECONDS) invalid('exp')
    return {
      id: text('id'),
      purpose,
      provider: text('provider'),
      lease: value.lease === undefined ? undefined : text('lease'),
      policyDigest: text('policyDigest'),
      verifierKeyId: text('verifierKeyId'),
      teeKey: value.teeKey === undefined ? undefined : take(fromBase64(text('teeKey', 2048), 'challenge.teeKey')),
      iat,
      exp,
      rand,
      nonce,
      record: value,
    }
  })
}

/** SHA-512("vouchsafe/1\0" ‖ SHA-256(JCS(challenge without nonce)) ‖ rand), 64 bytes (ARCHITECTURE §6). */
export async function challengeNonce(
  record: JsonObject,
  rand: Uint8Array,
  digest: Context['digest'],
): Promise<Uint8Array> {
  const { nonce: _, ...asked } = record
  const commitment = await digest('sha256', utf8(canonicalJson(asked)))
  return digest('sha512', concatBytes(DOMAIN, commitment, rand))
}

/** A challenge as it is issued, sent and stored; `decodeChallenge` reads it. */
export type ChallengeRecord = JsonObject & { readonly id: string; readonly nonce: string }

/** A new record with its nonce. Randomness and time are the caller's. */
export async function issueChallengeRecord(
  asked: {
    readonly id: string
    readonly purpose: ChallengePurpose
    readonly provider: string
    readonly lease?: string
    readonly policyDigest: string
    readonly verifierKeyId: string
    readonly teeKey?: Uint8Array
    readonly iat: UnixSeconds
    readonly exp: UnixSeconds
  },
  rand: Uint8Array,
  digest: Context['digest'],
): Promise<ChallengeRecord> {
  if (rand.length !== 32) throw new TypeError('rand is 32 bytes')
  const { teeKey, ...members } = asked
  const record = {
    v: 1,
    ...members,
    ...(teeKey === undefined ? {} : { teeKey: toBase64(teeKey) }),
    rand: toBase64(rand),
  }
  return { ...record, nonce: toBase64(await challengeNonce(record, rand, digest)) }
}

/** For whom the evidence is judged, where the challenge must have been asked for the same. */
export interface ChallengeScope {
  readonly provider: string | undefined
  readonly lease: string | undefined
  readonly policyDigest: string | undefined
}

/**
 * The challenge is whole, in time, and was asked for this provider, lease and policy.
 * @returns BIND_CHALLENGE_INVALID · BIND_CHALLENGE_FUTURE · BIND_CHALLENGE_EXPIRED · BIND_CHALLENGE_SCOPE ·
 * POLICY_DIGEST_CHANGED on refusal
 */
export function checkChallenge(
  context: Context,
  challenge: Challenge,
  scope: ChallengeScope,
  maxAgeSeconds: number,
): Promise<Outcome<Challenge>> {
  return attemptAsync(async () => {
    const expected = await challengeNonce(challenge.record, challenge.rand, (h, b) => context.digest(h, b))
    if (!equalBytes(expected, challenge.nonce)) {
      refuse('BIND_CHALLENGE_INVALID', 'challenge.nonce', {
        expected: toBase64(expected),
        actual: toBase64(challenge.nonce),
      })
    }
    if (challenge.iat > context.now + CLOCK_SKEW_SECONDS) {
      refuse('BIND_CHALLENGE_FUTURE', 'challenge.iat', {
        expected: `at most ${toRfc3339(context.now + CLOCK_SKEW_SECONDS)}`,
        actual: toRfc3339(challenge.iat),
      })
    }
    const until = Math.min(challenge.exp, challenge.iat + maxAgeSeconds)
    if (context.now > until)
      refuse('BIND_CHALLENGE_EXPIRED', 'challenge.exp', {
        expected: `at least ${toRfc3339(context.now)}`,
        actual: toRfc3339(until),
      })
    if (scope.provider !== undefined && scope.provider !== challenge.provider) {
      refuse('BIND_CHALLENGE_SCOPE', 'challenge.provider', { expected: scope.provider, actual: challenge.provider })
    }
    // Both ways: a question about one lease proves nothing for another, nor for a judgement that names none.
    if (scope.lease !== challenge.lease) {
      refuse('BIND_CHALLENGE_SCOPE', 'challenge.lease', {
        expected: scope.lease ?? 'no lease',
        actual: challenge.lease ?? 'no lease',
      })
    }
    if (scope.policyDigest !== undefined && scope.policyDigest !== challenge.policyDigest) {
      refuse('POLICY_DIGEST_CHANGED', 'challenge.policyDigest', {
        expected: scope.policyDigest,
        actual: challenge.policyDigest,
      })
    }
    return challenge
  })
}
