import type { JsonObject } from '../core/json.ts'
import type { UnixSeconds } from '../core/time.ts'

/** A challenge as it was issued, until it is used or forgotten. */
export interface StoredChallenge {
  /** unique */
  readonly id: string
  /** what its owner keeps: a gate its question with a MAC, the broker a session's nonce */
  readonly record: JsonObject
  readonly expiresAt: UnixSeconds
}

/** What became of an attempt to use a challenge. Among all callers of all processes at most one is told `consumed`. */
export type Consumption =
  | { readonly kind: 'consumed'; readonly challenge: StoredChallenge }
  | { readonly kind: 'unknown' | 'used' | 'expired' }

/** What is known of one provider's hardware under one policy, from its last evidence. */
export interface PostureRow {
  readonly provider: string
  /** `sha256:` and 64 hexadecimal digits */
  readonly policyDigest: string
  readonly decidedAt: UnixSeconds
  readonly validUntil: UnixSeconds
  /** plain JSON; the gate's own, opaque to the store */
  readonly posture: JsonObject
}

/** Who holds one piece of hardware. `id` is salted: nobody reads a chip id out of a stolen database. */
export interface HardwareRow {
  readonly id: string
  /** plain JSON; the gate's own, opaque to the store */
  readonly holders: JsonObject
}

export interface LeaseRow {
  /** six-field lease id as one text */
  readonly lease: string
  readonly provider: string
  /** when it is next to be attested; null where nothing is due any more */
  readonly dueAt: UnixSeconds | null
  readonly state: JsonObject
}

/** An entry of the deny-list; `subject` is unique. */
export interface DenialRow {
  /** `chip:…`, `tcb:…`, `product:…`, `measurement:…`, `provider:…`, `jti:…` */
  readonly subject: string
  readonly reason: string
  readonly since: UnixSeconds
}

export interface EventRow {
  /** 1, 2, 3 … without gap, in the order of commits */
  readonly sequence: number
  readonly event: JsonObject
}

/** Written together or not at all; durable when the promise resolves. */
export interface GateChange {
  readonly postures?: readonly PostureRow[]
  readonly leases?: readonly LeaseRow[]
  /** replaced by subject */
  readonly denials?: readonly DenialRow[]
  readonly withdrawnDenials?: readonly string[]
  readonly events?: readonly JsonObject[]
}

/** Everything a gate's view in memory consists of, as far as it changed. */
export interface GateView {
  /** grows with every commit; hand it back to get what came after */
  readonly revision: number
  readonly postures: readonly PostureRow[]
  readonly leases: readonly LeaseRow[]
  /** the whole list, where it changed; undefined where it did not */
  readonly denials: readonly DenialRow[] | undefined
}

/**
 * Where a gate keeps its state. Every method is atomic, also between processes that share one store, and durable when its
 * promise resolves. A store that cannot do what it is asked rejects the promise; the gate then opens nothing.
 * `test/stores/contract.ts` is the suite that any store must pass.
 */
export interface GateStore {
  /** @throws where the id is taken */
  putChallenge(challenge: StoredChallenge): Promise<void>
  /** Marks the challenge used. One that expired before `now` is `expired` and stays unused. */
  consumeChallenge(id: string, now: UnixSeconds): Promise<Consumption>
  /** Remembers a single-use id (a `jti`) until `until`. True for the first caller, false ever after. */
  burn(id: string, until: UnixSeconds): Promise<boolean>
  commit(change: GateChange): Promise<void>
  /**
   * Reads the rows of these ids (those that exist), lets `update` decide, and writes what it returns together with `change`, as one transaction:
   * no other update of any of these ids comes between. `update` is synchronous and pure; a throw rolls back.
   */
  updateHardware<T>(
    ids: readonly string[],
    update: (rows: ReadonlyMap<string, HardwareRow>) => {
      readonly rows: readonly HardwareRow[]
      /** ids whose rows are removed */
      readonly removed?: readonly string[]
      readonly change?: GateChange
      readonly result: T
    },
  ): Promise<T>
  /** The rows with these ids, as last committed. */
  hardware(ids: readonly string[]): Promise<readonly HardwareRow[]>
  /** What changed since `revision`; 0 gives everything. */
  viewSince(revision: number): Promise<GateView>
  /** Leases that are due at `now`, earliest first. */
  leasesDue(now: UnixSeconds, limit: number): Promise<readonly LeaseRow[]>
  /** Events after this sequence number, in order. */
  eventsAfter(sequence: number, limit: number): Promise<readonly EventRow[]>
  /** How far a named consumer (a webhook) has got; 0 at first. */
  cursor(consumer: string): Promise<number>
  /** Forward only: where several processes deliver, the one that got furthest counts. */
  moveCursor(consumer: string, sequence: number): Promise<void>
  /**
   * Forgets used and expired challenges and burnt ids whose end lies more than a day before `now`, and events that are
   * older than the newest `keepEvents`.
   */
  prune(now: UnixSeconds, keepEvents: number): Promise<void>
  close(): Promise<void>
}
