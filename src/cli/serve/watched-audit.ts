import { type Outcome, ok } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { Metrics } from '../../gate/metrics.ts'
import type { AuditLog } from '../../release/index.ts'

/** The counters of this room, by name. */
export const AUDIT_COUNTERS = {
  vouchsafe_audit_checkpoint_failures_total: 'Checkpoints of the audit log that could not be signed and written.',
} as const

export interface WatchedAudit {
  readonly audit: AuditLog
  /** what the last checkpoint that was tried came to: AUDIT_CHAIN_BROKEN · AUDIT_TIME_INVALID · RELEASE_AUDIT_UNAVAILABLE */
  readonly checkpointed: () => Outcome<void>
}

/** The same log, with what became of its checkpoints counted and remembered, whoever asks for them. */
export function watchedAudit(audit: AuditLog, metrics: Metrics, clock: () => UnixSeconds): WatchedAudit {
  let last: Outcome<void> = ok(undefined)
  let succeededAt: UnixSeconds = 0
  metrics.count('vouchsafe_audit_checkpoint_failures_total', {}, 0)
  metrics.gauge(
    'vouchsafe_audit_checkpoint_success_timestamp_seconds',
    'When a checkpoint of the audit log last succeeded; 0 where none has since the start.',
    () => succeededAt,
  )
  return {
    audit: {
      keys: audit.keys,
      follow: () => audit.follow(),
      record: (event) => audit.record(event),
      settle: (end) => audit.settle(end),
      checkpoint: async () => {
        const signed = await audit.checkpoint()
        last = signed.ok ? ok(undefined) : signed
        if (signed.ok) succeededAt = clock()
        else metrics.count('vouchsafe_audit_checkpoint_failures_total', {})
        return signed
      },
    },
    checkpointed: () => last,
  }
}
