import { setImmediate } from 'node:timers/promises'
import { attempt, attemptAsync, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { AuditHead, AuditRow } from '../ports.ts'
import type { AuditEnd } from './anchor.ts'
import { type AuditEntry, chainAfter, EMPTY_HEAD, notAhead, readEntry } from './entry.ts'
import { KeyRevisions } from './key-revisions.ts'
import { leafHash, MerkleTree } from './merkle.ts'
import { AT_ONCE, type AuditSource } from './rows.ts'

export const rowPath = (sequence: number): string => `audit/row/${sequence}`

/** A log as far as it was read, row by row from its first. Nothing grows with it but what is known of keys. */
export class FollowedLog {
  /** over all rows that were taken */
  readonly tree = new MerkleTree()
  readonly keys = new KeyRevisions()
  #head: AuditHead = EMPTY_HEAD
  #reading: Promise<unknown> = Promise.resolve()

  get head(): AuditHead {
    return this.#head
  }

  /** Takes the next row, or refuses one that does not continue the log: AUDIT_CHAIN_BROKEN · AUDIT_TIME_INVALID */
  take(row: AuditRow): Outcome<void> {
    return this.#takeBy(Number.POSITIVE_INFINITY, row)
  }

  #takeBy(now: UnixSeconds, row: AuditRow): Outcome<void> {
    return attempt(() => {
      const entry = continuing(this.#head, row)
      take(notAhead(entry.at, now, rowPath(row.sequence)))
      this.tree.append(leafHash(row.entry))
      this.keys.take(entry)
      this.#head = { sequence: row.sequence, chain: row.chain, at: entry.at }
    })
  }

  /**
   * Reads on to the end of the log, which must still have the row that was taken last, and `others`, as they were. Where they
   * are near one page of rows is asked for.
   * @param others rows that are known to be there
   * @param clock what no entry is later than, but for what `nextRow` allows: one of another time is not taken
   * @returns AUDIT_CHAIN_BROKEN · AUDIT_TIME_INVALID; it rejects where the store cannot be read
   */
  readOn(
    source: Pick<AuditSource, 'auditRows'>,
    others: readonly AuditEnd[],
    clock: () => UnixSeconds,
  ): Promise<Outcome<void>> {
    const turn = this.#reading.then(() => attemptAsync(() => this.#readOn(source, others, clock)))
    this.#reading = turn.catch(() => undefined)
    return turn
  }

  async #readOn(
    source: Pick<AuditSource, 'auditRows'>,
    others: readonly AuditEnd[],
    clock: () => UnixSeconds,
  ): Promise<void> {
    const known = [this.#head, ...others]
    const numbers = known.map((row) => row.sequence)
    // A row that is known comes first: it shows that the log is still the one that was followed.
    let read = Math.max(Math.min(...numbers) - 1, 0)
    for (let isFull = true; isFull; ) {
      const rows = await source.auditRows(read, AT_ONCE)
      for (const row of rows) {
        checkRow(row, ++read, known)
        if (read > this.#head.sequence) take(this.#takeBy(clock(), row))
      }
      isFull = rows.length === AT_ONCE
      if (isFull) await setImmediate()
    }
    const last = Math.max(...numbers)
    if (read < last) refuse('AUDIT_CHAIN_BROKEN', rowPath(read + 1), { expected: `${last} rows`, actual: `${read}` })
  }
}

/** That a row has its number, and is as it was where it is known. */
function checkRow(row: AuditRow, sequence: number, known: readonly AuditEnd[]): void {
  const path = rowPath(sequence)
  if (row.sequence !== sequence)
    refuse('AUDIT_CHAIN_BROKEN', path, { expected: `row ${sequence}`, actual: `row ${row.sequence}` })
  const other = known.find((one) => one.sequence === sequence && one.chain !== row.chain)
  if (other !== undefined) refuse('AUDIT_CHAIN_BROKEN', path, { expected: other.chain, actual: row.chain })
}

/** The entry of a row that continues `head`. */
function continuing(head: AuditHead, row: AuditRow): AuditEntry {
  const sequence = head.sequence + 1
  const path = rowPath(sequence)
  const entry = readEntry(row.entry)
  if (row.sequence !== sequence || entry?.sequence !== sequence)
    return refuse('AUDIT_CHAIN_BROKEN', path, { expected: `row ${sequence}`, actual: `row ${row.sequence}` })
  const chain = chainAfter(head.chain, row.entry)
  if (row.chain !== chain) refuse('AUDIT_CHAIN_BROKEN', path, { expected: chain, actual: row.chain })
  if (head.at !== undefined && entry.at < head.at)
    refuse('AUDIT_TIME_INVALID', path, { expected: `at or after ${head.at}`, actual: entry.at })
  return entry
}
