import type { Code } from '../core/codes.ts'
import { type Finding, fail, type Outcome } from '../core/outcome.ts'
import { parseRfc3339, type UnixSeconds } from '../core/time.ts'
import { spkiThumbprint } from '../decision/credential/holder.ts'
import type { Decision, Level } from '../decision/decision.ts'
import { GateError } from '../gate/finding.ts'
import type { Gate } from '../gate/gate.ts'
import { needLease } from '../gate/lease-ref.ts'
import type { RedeemedChallenge } from '../gate/redeemed.ts'
import type { Policy } from '../policy/policy.ts'
import type { ChallengeProof } from './answer.ts'
import { Refusal, refuseRelease } from './refusal.ts'
import { type WrapKey, wrapKeyOfSpki } from './wrap/index.ts'

/** A question that was used up; its answer may be judged, once, under the policy of the key that is asked for. */
export interface Burnt {
  /** unique for ever: at most one release rests on it */
  readonly challengeId: string
  /** six-field lease id, or the name of the workload */
  readonly workload: string
  /** way in, for the audit log */
  readonly actor: 'gate' | 'kbs'
  judge(policy: Policy, policyDigest: string): Promise<Proved>
}

/** What the evidence showed. Nothing is opened by it alone. */
export interface Proved {
  /** null where the evidence was not judged */
  readonly decision: Decision | null
  /** what the gate holds against it */
  readonly findings: readonly Finding[]
  readonly level: Level
  /** salted ids */
  readonly hardware: readonly string[]
  readonly decidedAt: UnixSeconds
  readonly validUntil: UnixSeconds
  /** the workload's key, which the evidence covers where the decision is an accept */
  readonly key: Outcome<WrapKey>
  readonly credential: string | null
  /** codes by which the lease is not what it was, as of now; synchronous, from memory */
  readonly standing: () => readonly Code[]
}

/** How the broker calls what its gate found out about the question itself. */
const TOLD: Partial<Record<Code, Code>> = {
  GATE_CHALLENGE_UNKNOWN: 'RELEASE_CHALLENGE_UNKNOWN',
  GATE_CHALLENGE_USED: 'RELEASE_CHALLENGE_CONSUMED',
}

/**
 * Uses a challenge of the gate up. Ends with RELEASE_CHALLENGE_UNKNOWN · RELEASE_CHALLENGE_CONSUMED · BIND_CHALLENGE_EXPIRED ·
 * BIND_CHALLENGE_SCOPE (asked for something else than a key for this lease) · GATE_OBJECT_MALFORMED · GATE_STORE_UNAVAILABLE
 */
export async function burnChallenge(gate: Gate, { challengeId, lease, evidence }: ChallengeProof): Promise<Burnt> {
  const redeemed = await asked(() => gate.redeem(challengeId))
  const { challenge } = redeemed
  const { bid: workload } = await asked(async () => needLease(lease))
  if (challenge.purpose !== 'key-release')
    return refuseRelease('challenge', 'BIND_CHALLENGE_SCOPE', 'challenge.purpose', {
      expected: 'key-release',
      actual: challenge.purpose,
    })
  if (challenge.lease !== workload) return refuseRelease('challenge', 'BIND_CHALLENGE_SCOPE', 'challenge.lease')
  return {
    challengeId,
    workload,
    actor: 'gate',
    judge: async (policy, policyDigest) => {
      // A challenge that was asked for another policy proves nothing for this key.
      if (challenge.policyDigest !== policyDigest) return refuseRelease('key', 'RELEASE_KEY_SCOPE', 'key')
      return judged(gate, redeemed, evidence, lease, policy)
    },
  }
}

async function judged(
  gate: Gate,
  redeemed: RedeemedChallenge,
  evidence: ChallengeProof['evidence'],
  lease: unknown,
  policy: Policy,
): Promise<Proved> {
  const { teeKey } = redeemed.challenge
  const holderJkt = teeKey === undefined ? null : ((await spkiThumbprint(teeKey)) ?? null)
  const answer = await gate.verify(evidence, { challengeId: redeemed, policy, lease, holderJkt })
  const path = 'challenge.teeKey'
  return {
    ...answer,
    decidedAt: secondsOf(answer.decidedAt),
    validUntil: secondsOf(answer.validUntil),
    key:
      teeKey === undefined
        ? fail('RELEASE_WRAP_KEY_INVALID', path, { expected: 'a challenge that names a key', actual: 'none' })
        : wrapKeyOfSpki(teeKey, path),
    standing: () => gate.lease(lease, policy).findings.map((f) => f.code),
  }
}

function secondsOf(instant: string): UnixSeconds {
  const seconds = parseRfc3339(instant)
  if (seconds === undefined) throw new TypeError(`a decision has times such as 2026-08-01T00:00:00Z, not ${instant}`)
  return seconds
}

/** What the gate throws is data here. */
async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof GateError)) throw error
    const { code, path } = error.findings[0]
    const told = TOLD[code]
    if (told !== undefined) return refuseRelease('challenge', told, path)
    throw new Refusal(error.findings)
  }
}
