import type { JsonObject } from '../core/json.ts'
import type {
  DenialRow,
  EventRow,
  GateChange,
  GateStore,
  HardwareRow,
  LeaseRow,
  PostureRow,
  StoredChallenge,
} from '../gate/store.ts'
import { kept } from './copies.ts'

const DAY_SECONDS = 24 * 60 * 60

interface Revised<T> {
  readonly row: T
  readonly revision: number
}

/**
 * A store in memory: for tests, for trying things out, and for one process that may forget. Every method does its whole work
 * between two turns of the event loop, so each is atomic. It keeps and hands out copies; nobody changes a row behind it.
 */
export function memoryStore(): GateStore {
  return new MemoryStore()
}

class MemoryStore implements GateStore {
  readonly #challenges = new Map<string, { readonly challenge: StoredChallenge; used: boolean }>()
  readonly #burnt = new Map<string, number>()
  readonly #postures = new Map<string, Revised<PostureRow>>()
  readonly #leases = new Map<string, Revised<LeaseRow>>()
  readonly #denials = new Map<string, DenialRow>()
  readonly #hardware = new Map<string, HardwareRow>()
  readonly #cursors = new Map<string, number>()
  #events: EventRow[] = []
  #sequence = 0
  #revision = 0
  #denialsRevision = 0
  #isClosed = false

  async putChallenge(challenge: StoredChallenge): Promise<void> {
    this.#open()
    if (this.#challenges.has(challenge.id)) throw new Error(`challenge ${challenge.id} exists`)
    this.#challenges.set(challenge.id, { challenge: kept(challenge), used: false })
  }

  async consumeChallenge(id: string, now: number): ReturnType<GateStore['consumeChallenge']> {
    this.#open()
    const entry = this.#challenges.get(id)
    if (entry === undefined) return { kind: 'unknown' }
    if (entry.used) return { kind: 'used' }
    if (entry.challenge.expiresAt < now) return { kind: 'expired' }
    entry.used = true
    return { kind: 'consumed', challenge: structuredClone(entry.challenge) }
  }

  async burn(id: string, until: number): Promise<boolean> {
    this.#open()
    if (this.#burnt.has(id)) return false
    this.#burnt.set(id, until)
    return true
  }

  async commit(change: GateChange): Promise<void> {
    this.#open()
    this.#apply(change)
  }

  async updateHardware<T>(ids: readonly string[], update: Parameters<GateStore['updateHardware']>[1]): Promise<T> {
    this.#open()
    const { rows, removed = [], change = {}, result } = update(new Map(this.#found(ids).map((row) => [row.id, row])))
    const copies = rows.map(kept)
    this.#apply(change)
    for (const row of copies) this.#hardware.set(row.id, row)
    for (const id of removed) this.#hardware.delete(id)
    return result as T
  }

  async hardware(ids: readonly string[]): Promise<readonly HardwareRow[]> {
    this.#open()
    return structuredClone(this.#found(ids))
  }

  async viewSince(revision: number): ReturnType<GateStore['viewSince']> {
    this.#open()
    return {
      revision: this.#revision,
      postures: since(this.#postures, revision),
      leases: since(this.#leases, revision),
      denials: revision === 0 || this.#denialsRevision > revision ? this.#sortedDenials() : undefined,
    }
  }

  async leasesDue(now: number, limit: number): Promise<readonly LeaseRow[]> {
    this.#open()
    const due = [...this.#leases.values()].map(({ row }) => row).filter((row) => (row.dueAt ?? Infinity) <= now)
    return structuredClone(due.sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0)).slice(0, limit))
  }

  async eventsAfter(sequence: number, limit: number): Promise<readonly EventRow[]> {
    this.#open()
    const first = this.#events[0]?.sequence ?? 1
    const from = Math.max(0, sequence + 1 - first)
    return structuredClone(this.#events.slice(from, from + limit))
  }

  async cursor(consumer: string): Promise<number> {
    this.#open()
    return this.#cursors.get(consumer) ?? 0
  }

  async moveCursor(consumer: string, sequence: number): Promise<void> {
    this.#open()
    this.#cursors.set(consumer, Math.max(sequence, this.#cursors.get(consumer) ?? 0))
  }

  async prune(now: number, keepEvents: number): Promise<void> {
    this.#open()
    const before = now - DAY_SECONDS
    for (const [id, { challenge }] of this.#challenges) if (challenge.expiresAt < before) this.#challenges.delete(id)
    for (const [id, until] of this.#burnt) if (until < before) this.#burnt.delete(id)
    if (this.#events.length > keepEvents) this.#events = keepEvents === 0 ? [] : this.#events.slice(-keepEvents)
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  #open(): void {
    if (this.#isClosed) throw new Error('the store is closed')
  }

  #sortedDenials(): readonly DenialRow[] {
    const rows = structuredClone([...this.#denials.values()])
    return rows.sort((a, b) => (a.subject < b.subject ? -1 : 1))
  }

  #found(ids: readonly string[]): readonly HardwareRow[] {
    return [...new Set(ids)].map((id) => this.#hardware.get(id)).filter((row) => row !== undefined)
  }

  /** Copies everything before it changes anything: what cannot be copied changes nothing. */
  #apply(change: GateChange): void {
    const { postures = [], leases = [], denials = [], withdrawnDenials = [], events = [] } = kept(change)
    if (postures.length + leases.length + denials.length + withdrawnDenials.length > 0) this.#revision++
    const revision = this.#revision
    for (const row of postures) this.#postures.set(`${row.policyDigest} ${row.provider}`, { row, revision })
    for (const row of leases) this.#leases.set(row.lease, { row, revision })
    for (const subject of withdrawnDenials) this.#denials.delete(subject)
    for (const row of denials) this.#denials.set(row.subject, row)
    if (denials.length > 0 || withdrawnDenials.length > 0) this.#denialsRevision = revision
    for (const event of events) this.#events.push({ sequence: ++this.#sequence, event: event as JsonObject })
  }
}

const since = <T>(rows: ReadonlyMap<string, Revised<T>>, revision: number): readonly T[] =>
  structuredClone([...rows.values()].filter((r) => r.revision > revision).map((r) => r.row))
