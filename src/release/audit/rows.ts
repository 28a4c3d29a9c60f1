import { setImmediate } from 'node:timers/promises'
import type { AuditRow, CheckpointRow, ReleaseStore } from '../ports.ts'

/** Rows that are asked for in one page. */
export const AT_ONCE = 1000

/** Where a log is read from: a store, or what was exported of one. */
export type AuditSource = Pick<ReleaseStore, 'auditRows' | 'checkpoints'>

/** Rows after a number, in order, a thousand at a time; between them others get their turn, however long the log is. */
export async function* rowsAfter(source: AuditSource, after = 0): AsyncGenerator<AuditRow> {
  for (let last = after; ; ) {
    const rows = await source.auditRows(last, AT_ONCE)
    yield* rows
    const end = rows.at(-1)
    if (end === undefined) return
    // A store that was tampered with may number as it likes; the reader goes on regardless.
    last = Math.max(last + 1, end.sequence)
    if (rows.length === AT_ONCE) await setImmediate()
  }
}

export async function allCheckpoints(source: AuditSource): Promise<readonly CheckpointRow[]> {
  const all: CheckpointRow[] = []
  for (;;) {
    const some = await source.checkpoints(all.at(-1)?.size ?? 0, AT_ONCE)
    if (some.length === 0) return all
    all.push(...some)
  }
}

/** The first rows of a log. */
export async function firstRows(source: AuditSource, count: number): Promise<readonly AuditRow[]> {
  const rows: AuditRow[] = []
  for await (const row of rowsAfter(source)) {
    if (rows.length === count) break
    rows.push(row)
  }
  return rows
}
