import type { NonEmpty, Outcome } from '../core/outcome.ts'
import type { UnixSeconds } from '../core/time.ts'
import type { AskedRelease, Usage } from './usage.ts'

/** Who a key belongs to and which one it is; unique together. */
export interface KeyName {
  readonly tenant: string
  readonly keyId: string
}

/** What a wrapped key is bound to: moved to another tenant, key or policy it does not open (THREATS T71). */
export interface KeyBinding extends KeyName {
  /** `sha256:` and 64 hexadecimal digits */
  readonly policyDigest: string
}

/** How often a key may go out, and to whom. Every member is said; `unlimited` is a decision of the tenant's. */
export interface KeyLimits {
  readonly releases: number | 'unlimited'
  /** at most `releases` within any `seconds` */
  readonly window: { readonly releases: number; readonly seconds: number } | 'unlimited'
  /** different leases that the key may ever go to; a lease that had it may have it again */
  readonly leases: number | 'unlimited'
  /** different machines (salted hardware ids) that it may ever go to */
  readonly chips: number | 'unlimited'
  /** six-field lease ids */
  readonly onlyLeases: NonEmpty<string> | 'any'
}

export type KeyState = 'active' | 'suspended' | 'retired'

/** Which writing of a key's row is meant. */
export interface KeyRevision extends KeyName {
  /**
   * how often the row has been written. The audit log has one entry for each time (`key.registered` or `key.changed`), so that
   * it says which row is the newest: an older one that was put back is noticed
   */
  readonly revision: number
  /**
   * base64, 32 bytes, by the vault over the canonical text of all other members of the row; empty in a row of an earlier version.
   * The log's entry says it too: of two rows of one revision it tells which one was written
   */
  readonly mac: string
}

/** One registered key as it is stored. Everything is under `mac`, so that an edited row is noticed before it is used. */
export interface KeyRow extends KeyBinding, KeyRevision {
  /** RFC 8785 text of the policy as it was registered */
  readonly policy: string
  /** what the vault made of the key: plain JSON, opaque to everybody else */
  readonly sealed: SealedSecret
  readonly limits: KeyLimits
  readonly state: KeyState
  readonly registeredAt: UnixSeconds
}

/** A secret under a key-encryption key. */
export interface SealedSecret {
  /** which key-encryption key it is under */
  readonly kek: string
  readonly algorithm: string
  /** base64; nonce, ciphertext and tag as the vault lays them out */
  readonly data: string
}

/**
 * Keeps key-encryption keys, outside the database. `open` is the one place where a key that is to be released becomes plain.
 * Every method's refusals: RELEASE_VAULT_UNAVAILABLE (no such KEK here, token absent), RELEASE_KEY_TAMPERED (does not open
 * under this binding).
 */
export interface Vault {
  /** the key-encryption key that new secrets go under */
  readonly currentKek: string
  seal(secret: Uint8Array, binding: KeyBinding): Promise<Outcome<SealedSecret>>
  /** A copy for the caller, who overwrites it when done. */
  open(sealed: SealedSecret, binding: KeyBinding): Promise<Outcome<Uint8Array>>
  /** HMAC-SHA-256 under a key that stays with the KEK named: 32 bytes. */
  mac(kek: string, message: Uint8Array): Promise<Outcome<Uint8Array>>
  close(): Promise<void>
}

/**
 * A vault whose key-encryption key can be changed. After `rotate` new secrets go under the new one; what is under the old one
 * opens as before, until it has been sealed again and `drop` takes the old one away.
 */
export interface RotatingVault extends Vault {
  /** names of all key-encryption keys that are here */
  readonly keks: readonly string[]
  /** @returns the name of the new one, which is current; or RELEASE_VAULT_UNAVAILABLE, and nothing has changed */
  rotate(): Promise<Outcome<string>>
  /**
   * Destroys a key-encryption key that nothing is sealed under any more, or RELEASE_VAULT_UNAVAILABLE.
   * @throws TypeError for the current one
   */
  drop(kek: string): Promise<Outcome<void>>
}

/** One release that was granted; written before the key is unwrapped, so it may never have left. */
export interface ReleaseRow extends KeyName {
  /** time of its audit entry, so that none is before the one before it */
  readonly at: UnixSeconds
  readonly lease: string
  /** salted ids, as the gate knows them */
  readonly hardware: readonly string[]
  /** unique: the challenge that was answered */
  readonly challengeId: string
  /** number of the audit entry that records it */
  readonly auditSequence: number
}

/** One line of the audit log as it is stored (`release/audit`): the text is what the hash is over, byte for byte. */
export interface AuditRow {
  /** 1, 2, 3 … without gap */
  readonly sequence: number
  /** RFC 8785 text of the entry */
  readonly entry: string
  /** SHA-256 chain value after this entry, hex */
  readonly chain: string
}

/** Where the log ends: its last row's number and chain value; 0 and 64 zeros at first. */
export interface AuditHead {
  readonly sequence: number
  readonly chain: string
  /** time of the last entry; undefined in an empty log */
  readonly at: UnixSeconds | undefined
}

/** A signed statement about the first `size` rows (`release/audit` makes and checks it). */
export interface CheckpointRow {
  readonly size: number
  /** compact JWS */
  readonly statement: string
}

/** What a replica of the service must have caught up with before it releases anything (THREATS T75). */
export interface SharedEpochs {
  /** grows when policies or keys are administered */
  readonly policy: number
  /** highest collateral epoch (tcbEvaluationDataNumber and the like, one number) that any replica has used */
  readonly collateral: number
}

/** What a transaction about one key sees. */
export interface ReleaseView {
  readonly head: AuditHead
  readonly key: KeyRow | undefined
  readonly epochs: SharedEpochs
}

/** What a transaction sees in which a key may go out. */
export interface UsageView extends ReleaseView {
  readonly usage: Usage
}

/** Written together or not at all. */
export interface ReleaseChange<T> {
  /** continue the head that was seen */
  readonly entries: readonly AuditRow[]
  readonly key?: KeyRow
  readonly epochs?: SharedEpochs
  readonly result: T
}

/** A change that may have the release in it that was asked about. */
export interface RecordedRelease<T> extends ReleaseChange<T> {
  readonly release?: ReleaseRow
}

/**
 * Where a broker keeps its state. Every method is atomic, also between processes, and durable when its promise resolves; one
 * that cannot do what it is asked rejects. `test/stores/release-contract.ts` is the suite that any store must pass.
 */
export interface ReleaseStore {
  key(name: KeyName): Promise<KeyRow | undefined>
  /** in order of their ids */
  keys(tenant: string): Promise<readonly KeyRow[]>
  /**
   * Serialised with every other transaction of all processes, since each may write the log: `decide` is synchronous and pure,
   * may be called again, and a throw rolls back. A key row is written together with the entry that counts it.
   */
  transact<T>(name: KeyName | null, decide: (view: ReleaseView) => ReleaseChange<T>): Promise<T>
  /**
   * A transaction, serialised with the others, that may record the one release asked about, and counts it: how often the key
   * went out before makes it no slower. A challenge that was answered before rejects the transaction.
   */
  recordRelease<T>(name: KeyName, asked: AskedRelease, decide: (view: UsageView) => RecordedRelease<T>): Promise<T>
  /** how often the key went out */
  released(name: KeyName): Promise<number>
  /** its releases after the first `after`, oldest first */
  releases(name: KeyName, after: number, limit: number): Promise<readonly ReleaseRow[]>
  auditHead(): Promise<AuditHead>
  /** rows after this number, in order */
  auditRows(after: number, limit: number): Promise<readonly AuditRow[]>
  /** @throws where there is one of this size already with another statement */
  putCheckpoint(checkpoint: CheckpointRow): Promise<void>
  checkpoints(afterSize: number, limit: number): Promise<readonly CheckpointRow[]>
  epochs(): Promise<SharedEpochs>
  /** @throws where the id is taken */
  putSession(session: HeldSession): Promise<void>
  session(id: string): Promise<HeldSession | undefined>
  /** Forgets sessions that ended before `now`. */
  pruneSessions(now: UnixSeconds): Promise<void>
  close(): Promise<void>
}

/** An attested session of a protocol with a nonce of its own, until it ends. All of it is under `mac`. */
export interface HeldSession {
  /** 32 hexadecimal digits */
  readonly id: string
  readonly workload: string
  /** base64, as it was issued */
  readonly nonce: string
  readonly evidence: Uint8Array
  readonly expiresAt: UnixSeconds
  /** key-encryption key beside which the key of `mac` is */
  readonly kek: string
  /** base64, 32 bytes */
  readonly mac: string
}

/** What is told about one decision of the broker's, released or refused. */
export interface AuditEvent {
  readonly type:
    | 'key.registered'
    | 'key.changed'
    | 'key.released'
    | 'key.refused'
    | 'session.refused'
    | 'kek.rotated'
    | 'admin.approved'
    | 'admin.refused'
  readonly tenant: string
  readonly keyId: string
  readonly policyDigest: string | null
  readonly lease: string | null
  readonly challengeId: string | null
  /** SHA-256 over the canonical decision, `sha256:…`; null where none was made */
  readonly decisionDigest: string | null
  readonly codes: readonly string[]
  /** who asked for it, never a secret: `gate`, `kbs`, an administrator's name */
  readonly actor: string
  readonly acceptedRisks: readonly string[]
  /** `mac` of the row that was written, in `key.registered` and `key.changed`; null in all others, and in those of an earlier version */
  readonly row: string | null
}
