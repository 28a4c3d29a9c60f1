import { type NonEmpty, type Outcome, ok } from '../core/outcome.ts'
import type { UnixSeconds } from '../core/time.ts'
import { available } from './audit/available.ts'
import { headOf, nextRow } from './audit/entry.ts'
import { FollowedLog } from './audit/followed-log.ts'
import type { AuditTrail } from './options.ts'
import type { AuditEvent, AuditHead, AuditRow, ReleaseStore } from './ports.ts'

/** The rows that continue this head, one for each event. Pure. @returns AUDIT_TIME_INVALID where the log ends later than `at` */
export function auditRows(
  head: AuditHead,
  at: UnixSeconds,
  events: NonEmpty<AuditEvent>,
): Outcome<readonly [...AuditRow[], AuditRow]> {
  const first = nextRow(head, events[0], at)
  if (!first.ok) return first
  const rows: [...AuditRow[], AuditRow] = [first.value]
  for (const event of events.slice(1)) {
    const next = nextRow(headOf(rows.at(-1)), event, at)
    if (!next.ok) return next
    rows.push(next.value)
  }
  return ok(rows)
}

/**
 * A log without anchor or checkpoints, for a command that makes one entry and ends. Its entries are chained as all others;
 * the service that keeps the log anchors and signs them with its next own.
 */
export function unanchoredAudit(store: ReleaseStore, clock: () => UnixSeconds): AuditTrail {
  const log = new FollowedLog()
  return {
    keys: log.keys,
    follow: () => available(() => log.readOn(store, [], clock)),
    record: (event) =>
      available(() =>
        store.transact<Outcome<AuditRow>>(null, ({ head }) => {
          const row = nextRow(head, event, clock())
          return { entries: row.ok ? [row.value] : [], result: row }
        }),
      ),
    settle: async () => ok(undefined),
  }
}
