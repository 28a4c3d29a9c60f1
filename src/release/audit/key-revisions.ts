import { fail, type Outcome, ok } from '../../core/outcome.ts'
import type { KeyName, KeyRevision } from '../ports.ts'
import type { AuditEntry } from './entry.ts'

/** The newest row of a key, as the log tells. */
interface Newest {
  readonly revision: number
  /** number of the entry that tells of it */
  readonly at: number
}

/** Whether an entry tells that a key's row was written: there is one for each time. */
export const isOfKeyRow = ({ type }: AuditEntry): boolean => type === 'key.registered' || type === 'key.changed'

const idOf = ({ tenant, keyId }: KeyName): string => JSON.stringify([tenant, keyId])

/**
 * How often the row of each key has been written, counted from the entries of the log, which lies under an anchor outside the
 * database. Each row says the same of itself, under its MAC: one that says less was put back. Two numbers a key are kept.
 */
export class KeyRevisions {
  readonly #newest = new Map<string, Newest>()

  /** Takes the entries of a log one after the other, from its first. */
  take(entry: AuditEntry): void {
    if (!isOfKeyRow(entry)) return
    const id = idOf(entry)
    this.#newest.set(id, { revision: (this.#newest.get(id)?.revision ?? 0) + 1, at: entry.sequence })
  }

  /** Revision of the newest row, as far as the log was followed; 0 where it tells of none. */
  of(name: KeyName): number {
    return this.#newest.get(idOf(name))?.revision ?? 0
  }

  /**
   * Whether a row was the newest when an entry was written, and still is. The log must have been followed up to that entry.
   * @param sequence number of the entry, whose transaction saw the row
   * @returns RELEASE_KEY_TAMPERED where the row is another than the log tells of · RELEASE_REPLICA_STALE where it was administered since
   */
  check(row: KeyRevision, sequence: number): Outcome<void> {
    const newest = this.#newest.get(idOf(row))
    if (newest !== undefined && newest.at > sequence) return fail('RELEASE_REPLICA_STALE', 'key.revision')
    const expected = newest?.revision ?? 0
    return row.revision === expected
      ? ok(undefined)
      : fail('RELEASE_KEY_TAMPERED', 'key.revision', { expected, actual: row.revision })
  }
}
