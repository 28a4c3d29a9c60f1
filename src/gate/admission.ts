import { type Challenge, decodeChallenge } from '../attestation/challenge.ts'
import type { CollateralSet } from '../attestation/collateral.ts'
import type { Lease } from '../attestation/evidence-set/group.ts'
import type { Finding } from '../core/outcome.ts'
import { parseRfc3339, toRfc3339, type UnixSeconds } from '../core/time.ts'
import { holderProblem, isReleasable } from '../decision/credential/index.ts'
import type { Decision, Level } from '../decision/decision.ts'
import type { Evidence } from '../index.ts'
import type { Policy } from '../policy/policy.ts'
import { referenceValuesOf } from '../policy/reference-values.ts'
import type { Answer, GateDecision } from './answer.ts'
import type { GateCore } from './core.ts'
import { Ended, end } from './ended.ts'
import { eventOf } from './events.ts'
import { gateFinding } from './finding.ts'
import { type Identified, identify } from './identity.ts'
import type { GateCredentialPurpose } from './ports.ts'
import { denialOf } from './posture.ts'
import { RedeemedChallenge } from './redeemed.ts'

/** Longest life of what an answer proves, seconds (ARCHITECTURE §7). */
export const LIFE_SECONDS: Readonly<Record<GateCredentialPurpose, number>> = {
  posture: 6 * 60 * 60,
  lease: 30 * 60,
  reattest: 30 * 60,
  'key-release': 2 * 60,
}

/** Evidence that was judged for a question that this gate asked. */
export interface Judged {
  readonly challenge: Challenge
  readonly purpose: GateCredentialPurpose
  readonly policy: Policy
  readonly policyDigest: string
  readonly holderJkt: string | null
  readonly decision: Decision
  readonly identified: Identified
  readonly now: UnixSeconds
  /** end of what it proves, where it is accepted */
  readonly until: UnixSeconds
  /** whether the library accepted it and it rests on nothing injected */
  readonly isSound: boolean
  readonly findings: readonly Finding[]
}

/** What was recorded of a judged answer, in one transaction. */
export interface Recorded {
  readonly level: Level
  readonly findings: readonly Finding[]
  readonly jti: string
}

/** The policy's own level counts as well as the rule that holds for every policy. */
const mayRelease = ({ policy: { keyRelease }, decision }: Judged, level: Level): boolean =>
  keyRelease !== 'none' && level >= keyRelease.minLevel && isReleasable({ ...decision, level })

/** One answer, from the challenge that it uses up to the decision. */
export class Admission {
  readonly #core: GateCore
  readonly now: UnixSeconds

  constructor(core: GateCore) {
    this.#core = core
    this.now = core.options.clock()
  }

  /**
   * Uses the challenge up, whatever comes of the evidence: the same nonce is never judged twice. One that was redeemed is used up already.
   * Ends with GATE_STORE_UNAVAILABLE · GATE_CHALLENGE_UNKNOWN · GATE_CHALLENGE_USED · BIND_CHALLENGE_EXPIRED
   */
  async consume(challengeId: string | RedeemedChallenge): Promise<Challenge> {
    if (challengeId instanceof RedeemedChallenge) return challengeId.take()
    const store = this.#core.options.store
    const consumption = await this.stored(async () => {
      await this.#core.begin()
      return store.consumeChallenge(challengeId, this.now)
    })
    switch (consumption.kind) {
      case 'unknown':
        return end('challenge', 'GATE_CHALLENGE_UNKNOWN', 'challengeId', { actual: challengeId })
      case 'used':
        return end('challenge', 'GATE_CHALLENGE_USED', 'challengeId', { actual: challengeId })
      case 'expired':
        return end('challenge', 'BIND_CHALLENGE_EXPIRED', 'challengeId', { actual: challengeId })
      case 'consumed': {
        const question = this.#core.questions.asked(consumption.challenge)
        // Sessions of other protocols lie in the same store as well; they are no questions of the gate's.
        if (question === undefined)
          return end('challenge', 'GATE_CHALLENGE_UNKNOWN', 'challengeId', { actual: challengeId })
        const challenge = decodeChallenge(question)
        return challenge.ok ? challenge.value : end('gate', 'GATE_STORE_UNAVAILABLE', 'store.challenge')
      }
    }
  }

  /** What the store is asked; a store that fails opens nothing. */
  async stored<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (error instanceof Ended) throw error
      this.#core.options.onError(error)
      return end('gate', 'GATE_STORE_UNAVAILABLE', 'store')
    }
  }

  /** Deny-list and leases as they are now. Ends with GATE_DENYLIST_UNAVAILABLE */
  async freshView(): Promise<void> {
    try {
      await this.#core.refresh()
    } catch (error) {
      this.#core.options.onError(error)
      end('gate', 'GATE_DENYLIST_UNAVAILABLE', 'denylist', { expected: 'read now', actual: 'the store failed' })
    }
  }

  /**
   * The challenge was asked for this very question. Ends with GATE_SCOPE_MISMATCH
   * @param purposes those that this kind of answer may serve
   */
  inScope(
    challenge: Challenge,
    expected: { readonly provider: string; readonly lease: string | undefined; readonly policyDigest: string },
    purposes: readonly GateCredentialPurpose[],
  ): GateCredentialPurpose {
    for (const name of ['provider', 'lease', 'policyDigest'] as const) {
      if (challenge[name] !== expected[name]) {
        end('challenge', 'GATE_SCOPE_MISMATCH', `challenge.${name}`, {
          expected: expected[name] ?? 'none',
          actual: challenge[name] ?? 'none',
        })
      }
    }
    const purpose = purposes.find((p) => p === challenge.purpose)
    if (purpose !== undefined) return purpose
    return end('challenge', 'GATE_SCOPE_MISMATCH', 'challenge.purpose', {
      expected: purposes.join(', '),
      actual: challenge.purpose,
    })
  }

  /** Ends with COLLATERAL_UNAVAILABLE */
  async collateralFor(evidence: Evidence): Promise<CollateralSet> {
    try {
      return await this.#core.options.collateral(evidence)
    } catch (error) {
      this.#core.options.onError(error)
      return end('gate', 'COLLATERAL_UNAVAILABLE', 'collateral')
    }
  }

  /** Judges the evidence by the policy that the challenge names, for what was advertised or leased. */
  async judge(
    evidence: Evidence,
    collateral: CollateralSet,
    challenge: Challenge,
    purpose: GateCredentialPurpose,
    answer: Answer,
    lease: Lease,
  ): Promise<Judged> {
    const { options, salt } = this.#core
    const { policy, holderJkt } = answer
    const decision = await this.#core.judge(evidence, {
      now: this.now,
      policy,
      freshness: { kind: 'challenge', challenge },
      collateral,
      lease,
      physical: options.physical(challenge.provider),
      referenceValues: referenceValuesOf(policy, options.referenceValues),
      injectedAnchors: options.injectedAnchors,
      cache: options.cache,
    })
    const findings = this.against(decision, policy)
    const proved = parseRfc3339(decision.validUntil) ?? this.now
    return {
      challenge,
      purpose,
      policy,
      policyDigest: challenge.policyDigest,
      holderJkt,
      decision,
      identified: identify(decision, salt),
      now: this.now,
      until: Math.min(proved, this.now + (purpose === 'posture' ? LIFE_SECONDS.posture : LIFE_SECONDS.lease)),
      isSound: decision.verdict === 'accept' && findings.length === 0,
      findings,
    }
  }

  /** What the gate holds against a decision, whatever the evidence proved. */
  against(decision: Decision, policy: Policy): readonly Finding[] {
    const findings: Finding[] = []
    if (policy.profile !== 'production')
      findings.push(gateFinding('gate', 'GATE_POLICY_DEVELOPMENT', 'policy.profile', { actual: policy.profile }))
    const [anchor] = decision.injectedAnchors
    if (anchor !== undefined)
      findings.push(gateFinding('gate', 'GATE_ANCHORS_INJECTED', 'decision.injectedAnchors', { actual: anchor }))
    return findings
  }

  /**
   * Signs what was recorded and announces it, or says why nothing is signed. Ends with GATE_SIGNER_UNAVAILABLE ·
   * GATE_STORE_UNAVAILABLE · GATE_DENYLIST_UNAVAILABLE · GATE_CHIP_DENIED · GATE_SUBJECT_DENIED
   */
  async credential(
    judged: Judged,
    recorded: Recorded,
    lease: string | null,
  ): Promise<Pick<GateDecision, 'credential' | 'withoutCredential'>> {
    const { signer, issuer, audience, store, clock } = this.#core.options
    const { challenge, purpose, policyDigest, decision, identified, holderJkt, now } = judged
    if (signer === null) return { credential: null, withoutCredential: 'no-signer' }
    if (holderJkt === null) return { credential: null, withoutCredential: 'no-holder' }
    const { jti, level } = recorded
    if ((await holderProblem(challenge, purpose, holderJkt)) !== undefined)
      return { credential: null, withoutCredential: 'holder-not-attested' }
    if (purpose === 'key-release' && !mayRelease(judged, level))
      return { credential: null, withoutCredential: 'not-releasable' }
    const ttlSeconds = Math.min(LIFE_SECONDS[purpose], judged.until - now)
    let credential: string
    try {
      credential = await signer.issue({
        // Hardware that two accounts prove is worth less than its evidence says.
        decision: level < decision.level ? { ...decision, level } : decision,
        ...{ challenge, purpose, issuer, audience, subject: challenge.provider, lease, policyDigest },
        ...{ hardware: identified.hardware, holderJkt, now, jti },
        ttlSeconds,
      })
    } catch (error) {
      this.#core.options.onError(error)
      return end('gate', 'GATE_SIGNER_UNAVAILABLE', 'signer')
    }
    // Signers may be far away: what came onto the deny-list meanwhile revoked this credential already.
    await this.freshView()
    const denial = denialOf(identified, challenge.provider, this.#core.view.denied)
    if (denial !== undefined) throw new Ended(denial)
    const about = { provider: challenge.provider, policyDigest, jti, level }
    const issued = eventOf('credential.issued', clock(), {
      ...about,
      ...(lease === null ? {} : { lease }),
      validUntil: toRfc3339(now + ttlSeconds),
    })
    await this.stored(async () => {
      await store.commit({ events: [issued] })
      await this.#core.hub.handOn()
    })
    this.#core.metrics.count('vouchsafe_credentials_total', { purpose })
    return { credential, withoutCredential: null }
  }
}
