import type { Finding } from '../core/outcome.ts'
import { toRfc3339 } from '../core/time.ts'
import type { Decision, Level } from '../decision/decision.ts'
import type { Policy } from '../policy/policy.ts'
import { Admission, type Judged, type Recorded } from './admission.ts'
import type { TeeType } from './akash-objects.ts'
import type { GateCore } from './core.ts'
import { Ended } from './ended.ts'
import { type GateVerdict, verdictFrom } from './finding.ts'
import type { RedeemedChallenge } from './redeemed.ts'

/** What a provider says that the machine is; the evidence has to show exactly that. */
export interface AdvertisedMachine {
  readonly teeType: TeeType
  /** 0 for a machine without GPU */
  readonly gpuCount: number
  /** `H100`; null where it does not say */
  readonly gpuModel: string | null
}

/** What every answer to a challenge says. */
export interface Answer {
  readonly challengeId: string | RedeemedChallenge
  /** the policy that the challenge was asked for */
  readonly policy: Policy
  /**
   * RFC 7638 thumbprint of the key that the credential is bound to: the provider's account (`accountThumbprint`) or a key in
   * the TEE (`holderThumbprint`). null where there is none; then no credential is issued, since anybody could present it
   */
  readonly holderJkt: string | null
}

/** Evidence of a provider's hardware, before any lease. */
export interface PostureAnswer extends Answer {
  readonly provider: string
  readonly advertised: AdvertisedMachine
  /** the provider account's signature over `postureStatement`, as `verifyProviderProof` reads it */
  readonly providerProof: unknown
}

/** Evidence of a machine that serves a lease; the lease was opened before. */
export interface LeaseAnswer extends Answer {
  /** the chain's lease, or its id */
  readonly lease: unknown
}

/**
 * Why an answer has no credential.
 *  not-accepted  the verdict is no accept
 *  no-holder     the answer names no key to bind it to
 *  no-signer     this gate signs nothing
 *  holder-not-attested  it would be bound to another key than the evidence carries: the challenge names one as teeKey, and a key
 *                release always needs one, of P-256 or Ed25519
 *  not-releasable  the policy releases no keys, or not at this level
 */
export type WithoutCredential = 'not-accepted' | 'no-holder' | 'no-signer' | 'holder-not-attested' | 'not-releasable'

/** The gate's word on one answer. `accept` was committed before it is returned. Plain JSON. */
export interface GateDecision {
  readonly verdict: GateVerdict
  readonly level: Level
  readonly basis: 'posture' | 'lease' | 'none'
  readonly provider: string | null
  readonly lease: string | null
  readonly policyDigest: string
  /** the gate's own findings; those of the evidence are in `decision` */
  readonly findings: readonly Finding[]
  /** null where the evidence was not judged */
  readonly decision: Decision | null
  /** salted ids of the hardware that was proved */
  readonly hardware: readonly string[]
  /** equal to `decidedAt` unless it is an accept */
  readonly validUntil: string
  readonly decidedAt: string
  /** signed; `withoutCredential` says why there is none */
  readonly credential: string | null
  readonly withoutCredential: WithoutCredential | null
  readonly enforced: boolean
}

/** Runs an answer to its end: what ended it on the way is its one finding. */
export async function answered(
  core: GateCore,
  about: { readonly provider: string | null; readonly lease: string | null; readonly policyDigest: string },
  run: (admission: Admission) => Promise<{ readonly judged: Judged; readonly recorded: Recorded }>,
): Promise<GateDecision> {
  const admission = new Admission(core)
  const decidedAt = toRfc3339(admission.now)
  const closed = {
    ...about,
    level: 0 as Level,
    basis: 'none' as const,
    decision: null,
    hardware: [],
    validUntil: decidedAt,
    decidedAt,
    credential: null,
    withoutCredential: 'not-accepted' as const,
    enforced: core.options.enforce,
  }
  let judged: Judged | undefined
  try {
    const done = await run(admission)
    judged = done.judged
    const { decision, identified } = done.judged
    const findings = [...done.judged.findings, ...done.recorded.findings]
    const verdict = worse(verdictFrom(findings), decision.verdict)
    const isAccepted = verdict === 'accept'
    const signed = isAccepted ? await admission.credential(done.judged, done.recorded, about.lease) : {}
    core.count('vouchsafe_verifications_total', done.judged.purpose, verdict, [...findings, ...decision.findings])
    return {
      ...closed,
      verdict,
      level: done.recorded.level,
      basis: about.lease === null ? 'posture' : 'lease',
      findings,
      decision,
      hardware: identified.hardware,
      validUntil: isAccepted ? toRfc3339(done.judged.until) : decidedAt,
      ...signed,
    }
  } catch (error) {
    if (!(error instanceof Ended)) throw error
    const findings = [error.finding]
    const verdict = verdictFrom(findings)
    core.count('vouchsafe_verifications_total', judged?.purpose ?? 'unknown', verdict, findings)
    return { ...closed, verdict, findings, decision: judged?.decision ?? null }
  }
}

const worse = (a: GateVerdict, b: GateVerdict): GateVerdict =>
  [a, b].includes('reject') ? 'reject' : [a, b].includes('inconclusive') ? 'inconclusive' : 'accept'
