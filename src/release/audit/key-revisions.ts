import { fail, type Outcome, ok } from '../../core/outcome.ts'
import type { ChangeKind } from '../approval.ts'
import type { KeyName, KeyRevision } from '../ports.ts'
import { type AuditEntry, isOfKeyRow } from './entry.ts'

/** The newest row of a key, as the log tells. */
export interface NewestRow {
  /** how often the row has been written; 0 where the log tells of no row */
  readonly revision: number
  /** its MAC; null where the log tells of no row, or of one that an earlier version wrote */
  readonly mac: string | null
  /** number of the entry that tells of it; 0 where there is none */
  readonly at: number
  /** whether any of its rows was written to retire it, which is for good */
  readonly isRetired: boolean
}

const NONE: NewestRow = { revision: 0, mac: null, at: 0, isRetired: false }

const idOf = ({ tenant, keyId }: KeyName): string => JSON.stringify([tenant, keyId])

/**
 * Which row of each key is the newest, from the entries of the log, which lies under an anchor outside the database: how often it
 * has been written, and the MAC of the last one. Each row says its number of itself, under that MAC: one that says less was put
 * back, and so was one of the same number that the log does not tell of.
 */
export class KeyRevisions {
  readonly #newest = new Map<string, NewestRow>()

  /** Takes the entries of a log one after the other, from its first. */
  take(entry: AuditEntry): void {
    if (!isOfKeyRow(entry)) return
    const { revision, isRetired } = this.of(entry)
    this.#newest.set(idOf(entry), {
      ...{ revision: revision + 1, mac: entry.row, at: entry.sequence },
      isRetired: isRetired || entry.codes.includes('retire' satisfies ChangeKind),
    })
  }

  /** The newest row, as far as the log was followed. */
  of(name: KeyName): NewestRow {
    return this.#newest.get(idOf(name)) ?? NONE
  }

  /**
   * Whether a row was the newest when an entry was written, and still is. The log must have been followed up to that entry.
   * @param sequence number of the entry, whose transaction saw the row
   * @returns RELEASE_KEY_TAMPERED where the row is another than the log tells of · RELEASE_REPLICA_STALE where it was administered since
   */
  check(row: KeyRevision, sequence: number): Outcome<void> {
    const newest = this.of(row)
    return newest.at > sequence ? fail('RELEASE_REPLICA_STALE', 'key.revision') : isNewest(row, newest)
  }
}

/** @returns RELEASE_KEY_TAMPERED where a row is another than the one that the log tells of */
export function isNewest(row: KeyRevision, { revision, mac }: NewestRow): Outcome<void> {
  if (row.revision !== revision)
    return fail('RELEASE_KEY_TAMPERED', 'key.revision', { expected: revision, actual: row.revision })
  return row.mac === mac ? ok(undefined) : fail('RELEASE_KEY_TAMPERED', 'key.mac')
}
