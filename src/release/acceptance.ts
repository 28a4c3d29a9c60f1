import { equalBytes } from '../core/bytes.ts'
import type { Code } from '../core/codes.ts'
import type { Finding } from '../core/outcome.ts'
import type { UnixSeconds } from '../core/time.ts'
import { isReleasable } from '../decision/credential/index.ts'
import type { Decision } from '../decision/decision.ts'
import { gateFinding } from '../gate/finding.ts'
import type { Policy } from '../policy/policy.ts'
import type { ReleaseRequest } from './answer.ts'
import type { Proved } from './proof.ts'
import { notAccepted, notObtained, Refusal, refuseRelease, taken } from './refusal.ts'
import { canWrap, type WrapKey } from './wrap/index.ts'

/** How the broker calls what its gate found out about the lease. */
const TOLD: Partial<Record<Code, readonly ['lease' | 'key', Code]>> = {
  GATE_LEASE_UNKNOWN: ['lease', 'RELEASE_LEASE_NOT_ACTIVE'],
  GATE_LEASE_CLOSED: ['lease', 'RELEASE_LEASE_NOT_ACTIVE'],
  GATE_SCOPE_MISMATCH: ['key', 'RELEASE_KEY_SCOPE'],
}

/** What is wrong with the gate itself, and says nothing of the evidence or the lease. */
export const OPERATORS: ReadonlySet<Code> = new Set<Code>([
  ...([
    'GATE_STORE_UNAVAILABLE',
    'GATE_DENYLIST_UNAVAILABLE',
    'GATE_SIGNER_UNAVAILABLE',
    'COLLATERAL_UNAVAILABLE',
  ] as const),
])

/** Why a vendor's object could not be had: the vendor failed, or the way to it, which says nothing of the evidence. */
const UNOBTAINED: ReadonlySet<Code> = new Set<Code>([
  ...(['COLLATERAL_UNAVAILABLE', 'COLLATERAL_HOST_UNKNOWN', 'COLLATERAL_TLS_FAILED'] as const),
  ...(['COLLATERAL_THROTTLED', 'COLLATERAL_VENDOR_FAILED', 'COLLATERAL_REQUEST_REFUSED'] as const),
  ...(['COLLATERAL_DEADLINE_PASSED', 'COLLATERAL_TRUNCATED', 'COLLATERAL_EMPTY', 'COLLATERAL_OVERSIZE'] as const),
  ...(['COLLATERAL_REDIRECTED', 'COLLATERAL_RESPONSE_INVALID', 'COLLATERAL_ANSWER_MISMATCH'] as const),
])

/**
 * Ends with COLLATERAL_UNAVAILABLE · COLLATERAL_CACHE_UNAVAILABLE where that alone kept the evidence from being judged. What is not
 * proved shows no chip, so that the gate may call it masked besides.
 */
function needObtained({ verdict, findings: found }: Decision, findings: readonly Finding[]): void {
  if (verdict !== 'inconclusive' || findings.some(({ code }) => code !== 'GATE_HARDWARE_MASKED')) return
  if (found.some(({ code }) => code === 'COLLATERAL_CACHE_UNAVAILABLE'))
    throw notObtained('COLLATERAL_CACHE_UNAVAILABLE', found)
  if (found.some(({ code }) => UNOBTAINED.has(code))) throw notObtained('COLLATERAL_UNAVAILABLE', found)
}

/**
 * The decision, where it may open this key: an accept under the key's own policy, at the level that the policy and every
 * policy demand, resting on pinned anchors alone.
 * Ends with RELEASE_NOT_ACCEPTED · COLLATERAL_UNAVAILABLE · COLLATERAL_CACHE_UNAVAILABLE · RELEASE_LEASE_NOT_ACTIVE · RELEASE_KEY_SCOPE ·
 * those of a gate that is not whole
 */
export function acceptedDecision(proved: Proved, policy: Policy, policyDigest: string): Decision {
  const { decision, findings, level } = proved
  for (const found of findings) {
    const told = TOLD[found.code]
    if (told !== undefined) return refuseRelease(...told, told[0])
    if (OPERATORS.has(found.code)) throw new Refusal([found])
  }
  if (decision !== null) needObtained(decision, findings)
  if (decision === null || decision.verdict !== 'accept' || findings.length > 0)
    throw notAccepted([...findings, ...(decision?.findings ?? [])])
  const { keyRelease, profile } = policy
  const { acceptedRisks, injectedAnchors } = decision
  if (decision.policy?.digest !== policyDigest) return refuseRelease('key', 'RELEASE_KEY_SCOPE', 'key')
  if (injectedAnchors.length > 0) throw notAccepted([gateFinding('gate', 'GATE_ANCHORS_INJECTED', 'decision')])
  if (profile !== 'production') throw notAccepted([gateFinding('gate', 'GATE_POLICY_DEVELOPMENT', 'policy')])
  if (keyRelease === 'none' || level < keyRelease.minLevel || !isReleasable({ level, acceptedRisks }))
    throw notAccepted([gateFinding('gate', 'GATE_KEY_NOT_RELEASABLE', 'decision.level')])
  return decision
}

/** The decision's own end, or sooner where the policy says so. */
export const expiryOf = ({ decidedAt, validUntil }: Proved, { keyRelease }: Policy): UnixSeconds =>
  keyRelease === 'none' ? decidedAt : Math.min(validUntil, decidedAt + keyRelease.ttlSeconds)

/** The key inside the evidence, and no other. Ends with RELEASE_WRAP_KEY_INVALID · BIND_KEY_MISMATCH */
export function attestedKey({ wrapKey, format }: ReleaseRequest, { key }: Proved): WrapKey {
  const attested = taken(key, 'evidence')
  if (wrapKey !== null && !equalBytes(wrapKey, attested.spki))
    return refuseRelease('evidence', 'BIND_KEY_MISMATCH', 'wrapKey', {
      expected: 'the key inside the evidence',
      actual: 'another key',
    })
  if (canWrap(format, attested)) return attested
  return refuseRelease('evidence', 'RELEASE_WRAP_KEY_INVALID', 'format', { expected: format, actual: attested.family })
}
