import { CHALLENGE_MAX_SECONDS, type ChallengeRecord, issueChallengeRecord } from '../attestation/challenge.ts'
import { nodeCrypto } from '../core/crypto/node.ts'
import { attempt } from '../core/outcome.ts'
import { isThumbprint } from '../decision/credential/claims.ts'
import type { Evidence } from '../index.ts'
import type { Policy } from '../policy/policy.ts'
import { Admission, LIFE_SECONDS } from './admission.ts'
import { address } from './akash-ids.ts'
import type { ListedBid } from './akash-objects.ts'
import type { GateDecision, LeaseAnswer, PostureAnswer } from './answer.ts'
import { type BidRow, decideBids } from './bids.ts'
import { GateCore, type GateOptions } from './core.ts'
import { allow, type DenialKind, deny, releaseHardware, settleConflict } from './denylist.ts'
import { Ended } from './ended.ts'
import type { EventType, GateEvent } from './events.ts'
import { GateError, gateFinding } from './finding.ts'
import { answerLease } from './lease-admission.ts'
import { closeLease, decideLease, keepLeases, type LeaseDecisionRow, openLease } from './lease-keeping.ts'
import { denied, need, needLease } from './lease-ref.ts'
import type { GateCredentialPurpose, Judge, StopSignal } from './ports.ts'
import type { Machine } from './posture.ts'
import { answerPosture } from './posture-admission.ts'
import { RedeemedChallenge } from './redeemed.ts'
import { judgeSession, type SessionDecision } from './session-admission.ts'

/** What is asked of a machine: of a provider's own before any lease, or of one that serves a lease. */
export type ChallengeRequest =
  | { readonly purpose: 'posture'; readonly provider: string; readonly policy: Policy }
  | {
      readonly purpose: Exclude<GateCredentialPurpose, 'posture'>
      /** the chain's lease, or its id */
      readonly lease: unknown
      readonly policy: Policy
      /** SPKI of the key that the workload generated; null where it made none */
      readonly teeKey: Uint8Array | null
    }

/** Seconds between two rounds of the gate's own timers. */
const REFRESH_SECONDS = 1
const KEEP_SECONDS = 5
const PRUNE_SECONDS = 3600
const KEPT_EVENTS = 100_000

/**
 * What a marketplace calls: it decides bids by posture and leases by evidence of their own machines, and the two never stand
 * in for each other.
 */
export class Gate {
  readonly #core: GateCore
  #timers: readonly (() => void)[] = []

  /** @throws TypeError for options that cannot be meant */
  constructor(options: GateOptions, judge: Judge) {
    this.#core = new GateCore(options, judge)
  }

  /**
   * Asks a question, once: its record is stored before it is returned, and good for 120 seconds.
   * @throws TypeError for another purpose, GateError with GATE_OBJECT_MALFORMED · GATE_LEASE_UNKNOWN · GATE_LEASE_CLOSED · GATE_SCOPE_MISMATCH (the lease was
   * opened under another policy) · GATE_STORE_UNAVAILABLE
   */
  async issueChallenge(request: ChallengeRequest): Promise<ChallengeRecord> {
    if (!Object.hasOwn(LIFE_SECONDS, request.purpose))
      throw new TypeError('purpose is posture, lease, reattest or key-release')
    const { clock, random, verifierKeyId, store } = this.#core.options
    const policyDigest = this.#core.digestOf(request.policy)
    const subject = await this.#stored(() => this.#subjectOf(request, policyDigest))
    const iat = clock()
    const asked = { id: this.#core.newId(), purpose: request.purpose, ...subject, policyDigest, verifierKeyId }
    const times = { iat, exp: iat + CHALLENGE_MAX_SECONDS }
    const record = await issueChallengeRecord({ ...asked, ...times }, random(32), nodeCrypto.digest)
    await this.#stored(() => store.putChallenge(this.#core.questions.kept(record, times.exp)))
    this.#core.metrics.count('vouchsafe_challenges_total', { purpose: request.purpose })
    return record
  }

  async #subjectOf(
    request: ChallengeRequest,
    policyDigest: string,
  ): Promise<{ readonly provider: string; readonly lease?: string; readonly teeKey?: Uint8Array }> {
    if (request.purpose === 'posture') {
      const read = attempt(() => address(request.provider, 'provider'))
      return { provider: need(read, 'posture') }
    }
    const { bid: lease, provider } = needLease(request.lease)
    await this.#core.refresh()
    const state = this.#core.view.lease(lease)
    if (state === undefined) return denied('lease', 'GATE_LEASE_UNKNOWN', 'lease', lease)
    if (state.status === 'closed') return denied('lease', 'GATE_LEASE_CLOSED', 'lease', lease)
    if (state.policyDigest !== policyDigest)
      return denied('lease', 'GATE_SCOPE_MISMATCH', 'lease.policyDigest', policyDigest)
    return { provider, lease, ...(request.teeKey === null ? {} : { teeKey: request.teeKey }) }
  }

  async #stored<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (error instanceof GateError) throw error
      this.#core.options.onError(error)
      throw new GateError([gateFinding('gate', 'GATE_STORE_UNAVAILABLE', 'store')], undefined)
    }
  }

  /**
   * Judges the answer to a challenge, which is used up whatever comes of it. Nothing is returned as accepted that was not
   * committed before; a store or collateral source that fails is inconclusive.
   * @throws TypeError for arguments that only a programmer can pass, GateError for a lease that cannot be read
   */
  verify(evidence: Evidence, answer: PostureAnswer | LeaseAnswer): Promise<GateDecision> {
    if (answer.holderJkt !== null && !isThumbprint(answer.holderJkt))
      throw new TypeError('answer.holderJkt is an RFC 7638 thumbprint, or null')
    return 'lease' in answer ? answerLease(this.#core, evidence, answer) : answerPosture(this.#core, evidence, answer)
  }

  /**
   * Uses a challenge up before its answer is looked at, for a caller that has to learn first by which policy; `verify` takes
   * what is returned in the place of the id, once.
   * @throws GateError with GATE_CHALLENGE_UNKNOWN · GATE_CHALLENGE_USED · BIND_CHALLENGE_EXPIRED · GATE_STORE_UNAVAILABLE
   */
  async redeem(challengeId: string): Promise<RedeemedChallenge> {
    try {
      return new RedeemedChallenge(await new Admission(this.#core).consume(challengeId))
    } catch (error) {
      throw error instanceof Ended ? new GateError([error.finding], undefined) : error
    }
  }

  /**
   * Judges a machine that serves no lease, for a session of a protocol with a nonce of its own. That the nonce was asked by
   * the caller just now, and is judged once for each use, is the caller's to hold. Nothing is recorded.
   */
  judgeSession(
    evidence: Evidence,
    asked: { readonly policy: Policy; readonly nonce: Uint8Array },
  ): Promise<SessionDecision> {
    return judgeSession(this.#core, evidence, asked)
  }

  /** Decides bids by what is known of their providers' hardware: synchronous, from memory, one row for each, in order. */
  decideBids(bids: readonly ListedBid[], policy: Policy): BidRow[] {
    return decideBids(this.#core, bids, policy)
  }

  /**
   * The last look before the lease is signed. In shadow mode it returns the row whatever it says.
   * @throws GateError with the row
   */
  requireEligible({ bid, policy }: { readonly bid: ListedBid; readonly policy: Policy }): BidRow {
    const [row] = decideBids(this.#core, [bid], policy)
    if (row === undefined) throw new TypeError('one bid has one row')
    this.#enforce(row.findings, row)
    return row
  }

  /**
   * The look before anything confidential goes to a lease: every replica has a live proof of its own.
   * @throws GateError with the row
   */
  requireAttested({ lease, policy }: { readonly lease: unknown; readonly policy: Policy }): LeaseDecisionRow {
    const row = decideLease(this.#core, lease, policy)
    this.#enforce(row.findings, row)
    return row
  }

  #enforce<Row extends BidRow | LeaseDecisionRow>(findings: Row['findings'], row: Row): void {
    const [first, ...more] = findings
    if (first !== undefined && this.#core.options.enforce) throw new GateError([first, ...more], row)
  }

  /** The gate's word on a lease, without a throw. */
  lease(lease: unknown, policy: Policy): LeaseDecisionRow {
    return decideLease(this.#core, lease, policy)
  }

  /** The machines that a provider showed under this policy; undefined where it showed none. */
  posture(provider: string, policy: Policy): readonly Machine[] | undefined {
    return this.#core.view.posture(this.#core.digestOf(policy), provider)?.machines
  }

  /** @see openLease */
  openLease(about: Parameters<typeof openLease>[1]): Promise<void> {
    return openLease(this.#core, about)
  }

  closeLease(lease: unknown): Promise<void> {
    return closeLease(this.#core, lease)
  }

  deny(entry: { readonly kind: DenialKind; readonly value: string; readonly reason: string }): Promise<void> {
    return deny(this.#core, entry)
  }

  allow(entry: { readonly kind: DenialKind; readonly value: string }): Promise<void> {
    return allow(this.#core, entry)
  }

  releaseHardware(about: Parameters<typeof releaseHardware>[1]): Promise<void> {
    return releaseHardware(this.#core, about)
  }

  settleConflict(about: Parameters<typeof settleConflict>[1]): Promise<void> {
    return settleConflict(this.#core, about)
  }

  /** Reads what was committed by any process. Bids are decided by the last reading, which may be `viewMaxAgeSeconds` old. */
  refresh(): Promise<void> {
    return this.#core.refresh()
  }

  /** Looks after the leases whose time has come; `start` does it every few seconds. */
  keepLeases(): Promise<void> {
    return keepLeases(this.#core)
  }

  /** Hears events once they are committed, in their order; `*` hears all. @returns what takes the listener off again */
  on(type: EventType | '*', listener: (event: GateEvent) => void): () => void {
    return this.#core.hub.on(type, listener)
  }

  /** Events after this sequence number as NDJSON, for as long as the signal lets it. */
  eventLines(after: number, signal: StopSignal): AsyncGenerator<string, void, undefined> {
    return this.#core.hub.lines(after, signal)
  }

  /** Counters in the text format of Prometheus. */
  metrics(): string {
    return this.#core.metrics.text()
  }

  /** Reads the store and starts the timers: refresh every second, leases every five, pruning every hour. */
  async start(): Promise<void> {
    await this.#core.refresh()
    if (this.#timers.length > 0) return
    const { scheduler, store, clock, onError } = this.#core.options
    const every = (seconds: number, task: () => Promise<void>) => scheduler(seconds, oneAtATime(task, onError))
    this.#timers = [
      every(REFRESH_SECONDS, () => this.refresh()),
      every(KEEP_SECONDS, () => this.keepLeases()),
      every(PRUNE_SECONDS, () => store.prune(clock(), KEPT_EVENTS)),
    ]
  }

  stop(): void {
    for (const cancel of this.#timers) cancel()
    this.#timers = []
  }
}

/** A round that takes longer than its interval is not started a second time meanwhile. */
function oneAtATime(task: () => Promise<void>, onError: (error: unknown) => void): () => void {
  let isRunning = false
  return () => {
    if (isRunning) return
    isRunning = true
    task()
      .catch(onError)
      .finally(() => {
        isRunning = false
      })
  }
}
