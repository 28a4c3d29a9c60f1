import type { ChallengeRecord } from '../attestation/challenge.ts'
import { failed, type Outcome, ok } from '../core/outcome.ts'
import { GateError } from '../gate/finding.ts'
import { acceptedDecision, attestedKey, expiryOf } from './acceptance.ts'
import type { ReleaseAnswer, Released, ReleaseRequest } from './answer.ts'
import { isKeyName, type SoundKey, saysTampered, soundKey } from './key-row.ts'
import type { BrokerOptions } from './options.ts'
import type { AuditEvent, KeyName } from './ports.ts'
import { type Burnt, burnChallenge } from './proof.ts'
import { askedRelease, type Intended, lapsedLease, recordIn } from './record.ts'
import { ours, Refusal, refusedAnswer, refuseRelease, releaseFinding, taken } from './refusal.ts'
import {
  checkSessionRequest,
  type OpenedSession,
  type SessionEvidence,
  type SessionRequest,
  Sessions,
  type TakenSession,
} from './session.ts'
import { questionRefused, SessionTrail, Trail } from './trail.ts'
import { wrap, wrapKeyOfSpki } from './wrap/index.ts'

const FUNCTIONS = ['clock', 'random', 'tenantOf', 'collateralEpoch', 'onError'] as const

/** A key that a machine of this lease is to be asked for. */
export interface KeyAsked extends KeyName {
  /** the chain's lease, or its id */
  readonly lease: unknown
  /** SPKI of the key that the workload generated */
  readonly teeKey: Uint8Array
}

/** Hands keys to attested machines only. */
export class Broker {
  readonly #options: BrokerOptions
  readonly #sessions: Sessions

  /** @throws TypeError for options that cannot be meant */
  constructor(options: BrokerOptions) {
    for (const name of FUNCTIONS)
      if (typeof options[name] !== 'function') throw new TypeError(`broker: ${name} is a function`)
    for (const name of ['gate', 'challenges', 'vault', 'store', 'audit'] as const)
      if (typeof options[name] !== 'object' || options[name] === null) throw new TypeError(`broker: ${name} is missing`)
    this.#options = options
    this.#sessions = new Sessions(options)
  }

  /**
   * Asks for one key: the gate's challenge of purpose `key-release`, under the key's own policy and for the workload's own key.
   * A question that is not asked is audited only where that says something of a key: its row is not as it was written.
   * @returns the record that the machine answers, or RELEASE_WRAP_KEY_INVALID · RELEASE_KEY_SCOPE · RELEASE_KEY_OUTDATED · RELEASE_POLICY_TAMPERED ·
   * RELEASE_KEY_TAMPERED · RELEASE_VAULT_UNAVAILABLE · RELEASE_AUDIT_UNAVAILABLE · those of `Gate.issueChallenge`
   */
  async challenge({ lease, teeKey, ...name }: KeyAsked): Promise<Outcome<ChallengeRecord>> {
    // Nothing is kept for a key that could get no answer.
    const wrapKey = wrapKeyOfSpki(teeKey, 'teeKey')
    if (!wrapKey.ok) return wrapKey
    try {
      const { key } = await this.#key(name)
      const { policy } = key
      return ok(await this.#options.gate.issueChallenge({ purpose: 'key-release', lease, policy, teeKey }))
    } catch (error) {
      if (error instanceof GateError) return failed(error.findings)
      if (!(error instanceof Refusal)) throw error
      if (!saysTampered(error.findings)) return failed(error.findings)
      return failed((await this.#audited(error, (codes) => questionRefused(name, codes))).findings)
    }
  }

  /**
   * Opens a session for a protocol with a nonce of its own.
   * @returns the session, or RELEASE_VAULT_UNAVAILABLE · RELEASE_AUDIT_UNAVAILABLE where the gate's store fails
   * @throws TypeError for a request that only a programmer can make
   */
  async openSession(request: SessionRequest): Promise<Outcome<OpenedSession>> {
    checkSessionRequest(request)
    try {
      return ok(await this.#stored(() => this.#sessions.open(request)))
    } catch (error) {
      if (error instanceof Refusal) return failed(error.findings)
      throw error
    }
  }

  /**
   * Uses a session's nonce up with the evidence that came for it. Nothing is judged yet: `release` does, for each key under its
   * own policy. A refusal is audited; where that fails too, the answer is RELEASE_AUDIT_UNAVAILABLE.
   * @returns the session as proof for `release`, or RELEASE_CHALLENGE_UNKNOWN · RELEASE_CHALLENGE_CONSUMED · BIND_CHALLENGE_EXPIRED ·
   * RELEASE_SESSION_TAMPERED · RELEASE_VAULT_UNAVAILABLE · RELEASE_AUDIT_UNAVAILABLE · BIND_RUNTIME_DATA_MISSING · RELEASE_WRAP_KEY_INVALID · those of
   * the envelope and of where the evidence comes from
   */
  async attestSession(answer: SessionEvidence): Promise<Outcome<TakenSession>> {
    const trail = new SessionTrail()
    try {
      return ok(await this.#stored(() => this.#sessions.attest(answer, trail)))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return failed((await this.#audited(error, (codes) => trail.refused(codes))).findings)
    }
  }

  /**
   * Releases one key, or says why not. The order is a contract, so that each bad request has one code:
   *  1  the question is used up, whatever comes of it          RELEASE_CHALLENGE_UNKNOWN · _CONSUMED · BIND_CHALLENGE_EXPIRED · _SCOPE
   *  2  the key's row is proved                                RELEASE_KEY_SCOPE · RELEASE_KEY_OUTDATED · RELEASE_POLICY_TAMPERED · RELEASE_KEY_TAMPERED ·
   *     RELEASE_VAULT_UNAVAILABLE
   *  3  the evidence is judged under the key's own policy      RELEASE_NOT_ACCEPTED
   *  4  the key inside the evidence is one that can be wrapped to, and the one that was named   RELEASE_WRAP_KEY_INVALID · BIND_KEY_MISMATCH
   *  5  in one transaction: the decision still holds, lease, scope, limits, epochs; release and audit entry are written
   *     RELEASE_DECISION_EXPIRED · RELEASE_LEASE_NOT_ACTIVE · RELEASE_KEY_SCOPE · RELEASE_KEY_LIMIT · RELEASE_REPLICA_STALE · RELEASE_AUDIT_UNAVAILABLE ·
   *     AUDIT_CHAIN_BROKEN where the log no longer has what was anchored · RELEASE_KEY_TAMPERED where the log, followed up to this release, tells of a
   *     newer row of the key than the one that was seen, and RELEASE_LEASE_NOT_ACTIVE where the lease, looked at once more, has ended since
   *  6  only then the vault opens the key, which is wrapped and forgotten
   * A refusal is audited as well; where that fails too, the answer is RELEASE_AUDIT_UNAVAILABLE. Whoever lost an answer asks anew.
   * @throws TypeError for a format that does not exist
   */
  async release(request: ReleaseRequest): Promise<ReleaseAnswer> {
    const { format } = request
    if (format !== 'hpke' && format !== 'jwe') throw new TypeError('format is hpke or jwe')
    const trail = new Trail(request)
    try {
      return await this.#released(request, trail)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return refusedAnswer(await this.#audited(error, (codes) => trail.event('key.refused', codes)))
    }
  }

  async #released(request: ReleaseRequest, trail: Trail): Promise<Released> {
    const { vault, random, collateralEpoch } = this.#options
    const burnt = await this.#burn(request)
    trail.burnt = burnt
    const { key, policyEpoch } = await this.#key(request)
    const { row, policy } = key
    trail.policyDigest = row.policyDigest
    const proved = await burnt.judge(policy, row.policyDigest)
    trail.decision = proved.decision
    const decision = acceptedDecision(proved, policy, row.policyDigest)
    const to = attestedKey(request, proved)
    const event = trail.event('key.released', [])
    const sequence = await this.#record({
      key,
      burnt,
      proved,
      expiresAt: expiryOf(proved, policy),
      policyEpoch,
      collateralEpoch: collateralEpoch(decision),
      event,
    })
    const { challengeId, workload } = burnt
    const { acceptedRisks } = decision
    const binding = { ...key.binding, workload, challengeId }
    const secret = ours(await vault.open(row.sealed, key.binding), 'key')
    try {
      const wrapped = taken(await wrap(request.format, to, secret, binding, random), 'key')
      const { credential } = proved
      return { released: true, key: wrapped, binding, credential, auditSequence: sequence, acceptedRisks }
    } finally {
      secret.fill(0)
    }
  }

  /** @returns the number of the audit entry, once it is durable and anchored */
  async #record(intended: Intended): Promise<number> {
    const { gate, store, audit } = this.#options
    const recorded = await this.#stored(async () => {
      await gate.refresh()
      const asked = askedRelease(intended)
      return store.recordRelease(intended.key.binding, asked, (view) => recordIn(this.#options, intended, view))
    })
    if (recorded.refusal !== null) throw new Refusal([recorded.refusal])
    const { sequence } = recorded.entry
    ours(await audit.settle(recorded.entry), 'store')
    // Now the log was followed up to the release: other replicas may have administered the key since this one last looked.
    ours(audit.keys.check(intended.key.row, sequence), 'key')
    // They may have closed the lease as well, while the transaction waited for its turn.
    await this.#stored(() => gate.refresh())
    const lapsed = lapsedLease(intended.proved)
    if (lapsed !== undefined) throw new Refusal([lapsed])
    return sequence
  }

  async #burn({ proof, tenant, keyId }: ReleaseRequest): Promise<Burnt> {
    if (proof.kind === 'challenge') return burnChallenge(this.#options.gate, proof)
    // What is burnt has the name of the key in it, which is somebody else's text.
    if (!isKeyName(tenant) || !isKeyName(keyId)) return refuseRelease('key', 'RELEASE_KEY_SCOPE', 'key')
    return this.#stored(() => this.#sessions.burn(proof, { tenant, keyId }))
  }

  async #key({ tenant, keyId }: KeyName): Promise<{ readonly key: SoundKey; readonly policyEpoch: number }> {
    const { store, vault, audit } = this.#options
    if (!isKeyName(tenant) || !isKeyName(keyId)) return refuseRelease('key', 'RELEASE_KEY_SCOPE', 'key')
    const name = { tenant, keyId }
    // Epoch first: what is administered between the two readings is noticed in the transaction.
    const epochs = await this.#stored(() => store.epochs())
    const newest = audit.keys.of(name)
    const row = await this.#stored(() => store.key(name))
    if (row === undefined) return refuseRelease('key', 'RELEASE_KEY_SCOPE', 'key')
    return { key: ours(await soundKey(vault, name, row, newest), 'key'), policyEpoch: epochs.policy }
  }

  /** Ends with RELEASE_AUDIT_UNAVAILABLE where a store fails: what cannot be written down is not done. */
  async #stored<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (error instanceof Refusal) throw error
      this.#options.onError(error)
      return refuseRelease('store', 'RELEASE_AUDIT_UNAVAILABLE', 'store')
    }
  }

  /** The refusal, once it is written down; another one where that cannot be. */
  async #audited(refusal: Refusal, event: (codes: readonly string[]) => AuditEvent): Promise<Refusal> {
    const told = [...refusal.findings, ...refusal.evidence].map((f) => f.code)
    const written = await this.#options.audit.record(event([...new Set(told)]))
    return written.ok ? refusal : new Refusal([releaseFinding('store', written.faults[0].code, 'audit')])
  }
}

/** @throws TypeError for options that cannot be meant */
export const createBroker = (options: BrokerOptions): Broker => new Broker(options)
