import type { JsonObject } from '../core/json.ts'
import { toRfc3339, type UnixSeconds } from '../core/time.ts'
import type { StopSignal } from './ports.ts'
import type { EventRow, GateStore } from './store.ts'
import { inTurns } from './turns.ts'

export const EVENT_TYPES = [
  'posture.changed',
  'credential.issued',
  'credential.revoked',
  'hw.conflict',
  'lease.opened',
  'lease.due',
  'lease.attested',
  'lease.stale',
  'lease.failed',
  'lease.closed',
  'key.suspended',
  'lease.close.recommended',
  'denylist.changed',
] as const

export type EventType = (typeof EVENT_TYPES)[number]

/** What happened, once it is committed; `event-1.schema.json` is its form. Ids of hardware are salted. */
export interface GateEvent {
  /** 1, 2, 3 … without gap, in the order of commits */
  readonly sequence: number
  readonly schema: 'vouchsafe/event/1'
  readonly type: EventType
  /** RFC 3339 */
  readonly at: string
  readonly provider?: string
  readonly lease?: string
  readonly policyDigest?: string
  readonly verdict?: string
  readonly level?: number
  readonly codes?: readonly string[]
  /** `outage`: nobody answered · `evidence`: what was answered was refused · `contested`: another lease has the device */
  readonly cause?: 'outage' | 'evidence' | 'contested'
  readonly hardware?: readonly string[]
  /** accounts that hold the same hardware, the first holder first */
  readonly providers?: readonly string[]
  readonly jti?: string
  readonly subject?: string
  readonly reason?: string
  readonly validUntil?: string
}

/** An event as it is committed: the store gives it its number. */
export const eventOf = (
  type: EventType,
  now: UnixSeconds,
  members: Omit<GateEvent, 'sequence' | 'schema' | 'type' | 'at'>,
): JsonObject => ({ schema: 'vouchsafe/event/1', type, at: toRfc3339(now), ...members }) as JsonObject

export const fromRow = ({ sequence, event }: EventRow): GateEvent => ({ sequence, ...event }) as unknown as GateEvent

const BATCH = 256

/**
 * Hands committed events on within the process, in their order, each once: also those that other processes committed to
 * the same store.
 */
export class EventHub {
  readonly #store: GateStore
  readonly #onError: (error: unknown) => void
  readonly #listeners = new Map<EventType | '*', Set<(event: GateEvent) => void>>()
  readonly #waiting = new Set<() => void>()
  #handedOn: number | undefined
  /** Hands on what was committed since. The first time it only takes note of where it stands. */
  readonly handOn = inTurns(() => this.#handOn())

  constructor(store: GateStore, onError: (error: unknown) => void) {
    this.#store = store
    this.#onError = onError
  }

  /** @returns what takes the listener off again */
  on(type: EventType | '*', listener: (event: GateEvent) => void): () => void {
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners)
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  async #handOn(): Promise<void> {
    if (this.#handedOn === undefined) {
      this.#handedOn = await this.#lastSequence()
      return
    }
    for (;;) {
      const rows = await this.#store.eventsAfter(this.#handedOn, BATCH)
      for (const row of rows) {
        this.#handedOn = row.sequence
        this.#tell(fromRow(row))
      }
      if (rows.length > 0) for (const wake of [...this.#waiting]) wake()
      if (rows.length < BATCH) return
    }
  }

  async #lastSequence(): Promise<number> {
    let last = 0
    for (;;) {
      const rows = await this.#store.eventsAfter(last, BATCH)
      const end = rows.at(-1)
      if (end === undefined) return last
      last = end.sequence
    }
  }

  #tell(event: GateEvent): void {
    for (const type of [event.type, '*'] as const) {
      for (const listener of this.#listeners.get(type) ?? []) {
        // A listener's fault is its own: the others hear the event all the same.
        try {
          // An async listener has the type of one that returns nothing, and rejects later.
          Promise.resolve(listener(event)).catch(this.#onError)
        } catch (error) {
          this.#onError(error)
        }
      }
    }
  }

  /** Events after this number as lines of JSON, for as long as the signal lets it. */
  async *lines(after: number, signal: StopSignal): AsyncGenerator<string, void, undefined> {
    let last = after
    while (!signal.aborted) {
      const woken = this.#wakeUp(signal)
      const rows = await this.#store.eventsAfter(last, BATCH)
      for (const row of rows) {
        last = row.sequence
        yield `${JSON.stringify(fromRow(row))}\n`
        if (signal.aborted) break
      }
      if (rows.length === 0) await woken.promise
      woken.cancel()
    }
  }

  /** Set up before the store is read, so that nothing committed in between is slept through. */
  #wakeUp(signal: StopSignal): { readonly promise: Promise<void>; cancel(): void } {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    const stop = () => resolve()
    signal.addEventListener('abort', stop, { once: true })
    const cancel = () => {
      this.#waiting.delete(resolve)
      signal.removeEventListener('abort', stop)
    }
    return { promise, cancel }
  }
}
