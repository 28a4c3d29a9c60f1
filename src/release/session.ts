import { decodeRuntimeData, type RuntimeData, type RuntimeDataHash } from '../attestation/evidence-set/runtime-data.ts'
import { copyOf } from '../core/bytes.ts'
import { toBase64 } from '../core/encodings.ts'
import type { Json } from '../core/json.ts'
import { type Outcome, ok } from '../core/outcome.ts'
import type { UnixSeconds } from '../core/time.ts'
import { isLeaseId } from '../decision/credential/lease-id.ts'
import type { Evidence } from '../index.ts'
import type { BrokerOptions } from './options.ts'
import type { KeyName } from './ports.ts'
import type { Burnt } from './proof.ts'
import { refuseRelease } from './refusal.ts'
import { type WrapKey, wrapKeyOfJwk } from './wrap/index.ts'

/** A session as it is asked for: a nonce for one workload, good for one attestation. */
export interface SessionRequest {
  /** name of the workload, by which `tenantOf` knows whose it is; no lease */
  readonly workload: string
  /** how long evidence and releases may take, 1 to 600 */
  readonly ttlSeconds: number
}

export interface OpenedSession {
  readonly id: string
  /** 32 random bytes, standard base64, as KBS clients take it */
  readonly nonce: string
  readonly expiresAt: UnixSeconds
}

/** What a client answers, as it came: nothing of it is believed. */
export interface SessionEvidence {
  readonly sessionId: string
  /** `runtime-data` of the request: `{ "nonce", "tee-pubkey" }` */
  readonly runtimeData: Json
  /** `additional_evidence`, byte for byte; empty where there is none */
  readonly additionalEvidence: string
  /** what the session selected; sha384 where it selected nothing */
  readonly hash: RuntimeDataHash
  readonly evidence: Evidence
}

/**
 * A session whose nonce was used up by one attestation. Only the broker that made it takes it, and judges its evidence anew for
 * each key, under that key's own policy: there is no decision in it that could be moved to another.
 */
export interface AttestedSession {
  readonly kind: 'session'
  readonly id: string
  readonly workload: string
  readonly expiresAt: UnixSeconds
}

interface Held {
  readonly runtimeData: RuntimeData
  readonly evidence: Evidence
  readonly key: WrapKey
}

const RECORD_KIND = 'release-session'
const NAME = /^[\x21-\x7e]{1,512}$/
const LONGEST_SECONDS = 600
const NOT_CONSUMED = {
  used: 'RELEASE_CHALLENGE_CONSUMED',
  expired: 'BIND_CHALLENGE_EXPIRED',
  unknown: 'RELEASE_CHALLENGE_UNKNOWN',
} as const

type SessionOptions = Pick<BrokerOptions, 'gate' | 'challenges' | 'clock' | 'random'>

/** Sessions of protocols that bring their own nonce (CoCo KBS). What was attested lives in this process alone. */
export class Sessions {
  readonly #options: SessionOptions
  readonly #held = new WeakMap<AttestedSession, Held>()

  constructor(options: SessionOptions) {
    this.#options = options
  }

  /** @throws TypeError for a request that only a programmer can make; rejects where the store fails */
  async open({ workload, ttlSeconds }: SessionRequest): Promise<OpenedSession> {
    if (!NAME.test(workload)) throw new TypeError('workload is up to 512 printable characters without spaces')
    // What a lease bought, and whether it still runs, is judged by the gate, for evidence that answers its own challenge.
    if (isLeaseId(workload)) throw new TypeError('a lease is proved by a challenge of the gate, not by a session')
    if (!(Number.isSafeInteger(ttlSeconds) && ttlSeconds > 0 && ttlSeconds <= LONGEST_SECONDS))
      throw new TypeError(`ttlSeconds is 1 to ${LONGEST_SECONDS}`)
    const { random, clock, challenges } = this.#options
    const id = Buffer.from(random(16)).toString('hex')
    const nonce = toBase64(random(32))
    const expiresAt = clock() + ttlSeconds
    await challenges.putChallenge({ id, record: { kind: RECORD_KIND, workload, nonce }, expiresAt })
    return { id, nonce, expiresAt }
  }

  /** Uses the session's nonce up, whatever comes with it. Ends with RELEASE_CHALLENGE_* · BIND_* · RELEASE_WRAP_KEY_INVALID */
  async attest(given: SessionEvidence): Promise<Outcome<AttestedSession>> {
    const { challenges, clock } = this.#options
    const path = 'sessionId'
    const used = await challenges.consumeChallenge(given.sessionId, clock())
    if (used.kind !== 'consumed') return refuseRelease('challenge', NOT_CONSUMED[used.kind], path)
    if (used.challenge.record.kind !== RECORD_KIND) return refuseRelease('challenge', 'RELEASE_CHALLENGE_UNKNOWN', path)
    const { record, expiresAt } = used.challenge
    const { additionalEvidence, hash } = given
    const runtimeData = decodeRuntimeData(given.runtimeData, { nonce: String(record.nonce), additionalEvidence, hash })
    if (!runtimeData.ok) return runtimeData
    const key = wrapKeyOfJwk(runtimeData.value.teePubkey, 'runtime-data.tee-pubkey')
    if (!key.ok) return key
    const workload = String(record.workload)
    const session = Object.freeze({ kind: 'session', id: given.sessionId, workload, expiresAt } as const)
    this.#held.set(session, { runtimeData: runtimeData.value, evidence: copied(given.evidence), key: key.value })
    return ok(session)
  }

  made(session: AttestedSession): boolean {
    return this.#held.has(session)
  }

  /**
   * Uses up the right of this session to this one key: each key goes out once for each attestation.
   * @throws TypeError for a session that was not made here
   */
  async burn(session: AttestedSession, { tenant, keyId }: KeyName): Promise<Burnt> {
    const held = this.#held.get(session)
    if (held === undefined) throw new TypeError('a session of another broker')
    const { challenges, clock, gate } = this.#options
    const { id, workload, expiresAt } = session
    if (clock() >= expiresAt) return refuseRelease('challenge', 'BIND_CHALLENGE_EXPIRED', 'proof.expiresAt')
    const challengeId = `${id}/${tenant}/${keyId}`
    if (!(await challenges.burn(challengeId, expiresAt)))
      return refuseRelease('challenge', 'RELEASE_CHALLENGE_CONSUMED', 'proof')
    return {
      challengeId,
      workload,
      actor: 'kbs',
      judge: async (policy) => {
        const { runtimeData, evidence, key } = held
        const judged = await gate.judgeSession(evidence, { policy, runtimeData })
        const level = judged.decision?.level ?? 0
        return { ...judged, level, key: ok(key), credential: null, standing: () => [] }
      },
    }
  }
}

const copied = (evidence: Evidence): Evidence =>
  evidence instanceof Uint8Array
    ? copyOf(evidence)
    : evidence.map(({ name, bytes }) => ({ name, bytes: copyOf(bytes) }))
