import { readEvidence } from '../attestation/envelopes/index.ts'
import { copyOf } from '../core/bytes.ts'
import { fromBase64, toBase64 } from '../core/encodings.ts'
import type { JsonObject } from '../core/json.ts'
import { fail, type Outcome } from '../core/outcome.ts'
import type { UnixSeconds } from '../core/time.ts'
import { isLeaseId } from '../decision/credential/lease-id.ts'
import type { StoredChallenge } from '../gate/store.ts'
import type { BrokerOptions } from './options.ts'
import type { HeldSession, KeyName } from './ports.ts'
import type { Burnt } from './proof.ts'
import { ours, refuseRelease, taken } from './refusal.ts'
import { SessionMacs } from './session-mac.ts'
import type { SessionTrail } from './trail.ts'
import { type WrapKey, wrapKeyOfJwk } from './wrap/index.ts'

/** A session as it is asked for: a nonce for one workload, good for one attestation. */
export interface SessionRequest {
  /** name of the workload, which is no lease; a key goes to it where its limits name it, `any` lease does not mean it */
  readonly workload: string
  /** how long evidence and releases may take, 1 to 600 */
  readonly ttlSeconds: number
}

export interface OpenedSession {
  /** 32 hexadecimal digits; whoever knows it may answer */
  readonly id: string
  /** 32 random bytes, standard base64, as KBS clients take it */
  readonly nonce: string
  readonly expiresAt: UnixSeconds
}

/** What a client answers, as it came: nothing of it is believed. */
export interface SessionEvidence {
  /** null where the client names none */
  readonly sessionId: string | null
  /**
   * what it attests with: evidence whose report data is the hash of nonce and key (`envelopes/kbs`); or where that comes from,
   * which is asked once the session's nonce is used up and is told the nonce that was issued
   */
  readonly evidence: Uint8Array | ((nonce: string) => Promise<Outcome<Uint8Array>>)
}

/**
 * A session whose nonce was used up by one attestation. Any broker on the same store takes it, and judges its evidence anew for
 * each key, under that key's own policy: there is no decision in it that could be moved to another.
 */
export interface AttestedSession {
  readonly kind: 'session'
  readonly id: string
}

/** As it is told to the client. */
export interface TakenSession extends AttestedSession {
  /** what names the session lasts no longer */
  readonly expiresAt: UnixSeconds
}

const RECORD_KIND = 'release-session'
const NAME = /^[\x21-\x7e]{1,512}$/
const SESSION_ID = /^[0-9a-f]{32}$/
const LONGEST_SECONDS = 600
const NOT_CONSUMED = {
  used: 'RELEASE_CHALLENGE_CONSUMED',
  expired: 'BIND_CHALLENGE_EXPIRED',
  unknown: 'RELEASE_CHALLENGE_UNKNOWN',
} as const

/** @throws TypeError for a request that only a programmer can make */
export function checkSessionRequest({ workload, ttlSeconds }: SessionRequest): void {
  if (!NAME.test(workload)) throw new TypeError('workload is up to 512 printable characters without spaces')
  // What a lease bought, and whether it still runs, is judged by the gate, for evidence that answers its own challenge.
  if (isLeaseId(workload)) throw new TypeError('a lease is proved by a challenge of the gate, not by a session')
  if (!(Number.isSafeInteger(ttlSeconds) && ttlSeconds > 0 && ttlSeconds <= LONGEST_SECONDS))
    throw new TypeError(`ttlSeconds is 1 to ${LONGEST_SECONDS}`)
}

type SessionOptions = Pick<BrokerOptions, 'gate' | 'challenges' | 'store' | 'vault' | 'clock' | 'random'>

/** Sessions of protocols that bring their own nonce (CoCo KBS). What is stored of them is under a MAC from nonce to end. */
export class Sessions {
  readonly #options: SessionOptions
  readonly #macs: SessionMacs

  constructor(options: SessionOptions) {
    this.#options = options
    this.#macs = new SessionMacs(options.vault)
  }

  /** @param request checked. Ends with RELEASE_VAULT_UNAVAILABLE; rejects where the store fails */
  async open({ workload, ttlSeconds }: SessionRequest): Promise<OpenedSession> {
    const { random, clock, challenges } = this.#options
    const id = Buffer.from(random(16)).toString('hex')
    const nonce = toBase64(random(32))
    const expiresAt = clock() + ttlSeconds
    const mac = ours(await this.#macs.make({ id, workload, nonce, evidence: null, expiresAt }), 'store')
    await challenges.putChallenge({ id, record: { kind: RECORD_KIND, workload, nonce, ...mac }, expiresAt })
    return { id, nonce, expiresAt }
  }

  /**
   * Uses the session's nonce up, whatever comes with it, and keeps the evidence. It is judged when a key is asked for.
   * Ends with RELEASE_CHALLENGE_* · BIND_CHALLENGE_EXPIRED · RELEASE_SESSION_TAMPERED · RELEASE_VAULT_UNAVAILABLE · what the
   * evidence's own origin refuses · BIND_RUNTIME_DATA_MISSING · RELEASE_WRAP_KEY_INVALID · those of the envelope
   * @param trail told what is known of the session, as it becomes known
   */
  async attest({ sessionId, evidence }: SessionEvidence, trail: SessionTrail): Promise<TakenSession> {
    const { store } = this.#options
    const { id, record, expiresAt } = await this.#consumed(sessionId, trail)
    const text = (name: string) => String(record[name])
    const about = { id, workload: text('workload'), nonce: text('nonce'), expiresAt }
    const opened = { kek: text('kek'), mac: text('mac') }
    ours(await this.#macs.check({ ...about, evidence: null }, opened), 'challenge')
    trail.workload = about.workload
    const bytes = copyOf(evidence instanceof Uint8Array ? evidence : taken(await evidence(about.nonce), 'evidence'))
    taken(keyInside(bytes), 'evidence')
    const attested = { ...about, evidence: bytes }
    await store.putSession({ ...attested, ...ours(await this.#macs.make(attested), 'store') })
    return { kind: 'session', id, expiresAt }
  }

  async #consumed(sessionId: string | null, trail: SessionTrail): Promise<StoredChallenge> {
    const { challenges, clock } = this.#options
    const path = 'sessionId'
    if (sessionId === null) return refuseRelease('challenge', 'RELEASE_CHALLENGE_UNKNOWN', path)
    const used = await challenges.consumeChallenge(sessionId, clock())
    // An id that is here was made here; any other is somebody else's text.
    if (used.kind !== 'unknown') trail.id = sessionId
    if (used.kind !== 'consumed') return refuseRelease('challenge', NOT_CONSUMED[used.kind], path)
    const { challenge } = used
    if (challenge.record.kind !== RECORD_KIND) return refuseRelease('challenge', 'RELEASE_CHALLENGE_UNKNOWN', path)
    return challenge
  }

  /** Uses up the right of this session to this one key: each key goes out once for each attestation. */
  async burn({ id }: AttestedSession, { tenant, keyId }: KeyName): Promise<Burnt> {
    const { challenges, store, clock, gate } = this.#options
    const held = SESSION_ID.test(id) ? await store.session(id) : undefined
    if (held === undefined) return refuseRelease('challenge', 'RELEASE_CHALLENGE_UNKNOWN', 'proof')
    const { workload, expiresAt } = held
    ours(await this.#macs.check(held, held), 'challenge')
    if (clock() >= expiresAt) return refuseRelease('challenge', 'BIND_CHALLENGE_EXPIRED', 'proof.expiresAt')
    const challengeId = `${id}/${tenant}/${keyId}`
    if (!(await challenges.burn(challengeId, expiresAt)))
      return refuseRelease('challenge', 'RELEASE_CHALLENGE_CONSUMED', 'proof')
    return {
      challengeId,
      workload,
      actor: 'kbs',
      judge: async (policy) => {
        const judged = await gate.judgeSession(held.evidence, { policy, nonce: nonceOf(held) })
        const level = judged.decision?.level ?? 0
        return { ...judged, level, key: keyInside(held.evidence), credential: null, standing: () => [] }
      },
    }
  }
}

/** What was issued, and never what came back. */
function nonceOf({ nonce }: HeldSession): Uint8Array {
  const bytes = fromBase64(nonce, 'session.nonce')
  if (!bytes.ok) throw new TypeError('a session has a nonce in base64')
  return bytes.value
}

/** The key that the report data covers, where the evidence is accepted. */
function keyInside(evidence: Uint8Array): Outcome<WrapKey> {
  const read = readEvidence([{ name: 'evidence', bytes: evidence }])
  if (!read.ok) return read
  const jwk: JsonObject | undefined = read.value.set.runtimeData?.teePubkey
  if (jwk === undefined) return fail('BIND_RUNTIME_DATA_MISSING', 'runtime-data')
  return wrapKeyOfJwk(jwk, 'runtime-data.tee-pubkey')
}
