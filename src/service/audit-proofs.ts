import { fail, type Outcome, ok } from '../core/outcome.ts'
import { proveInclusion, reaches } from '../release/audit/index.ts'
import type { AuditAnchor, AuditLog, ReleaseStore } from '../release/index.ts'

/** Proves entries in the log under a checkpoint that is signed now where the newest does not reach them. */
export const entryProofs =
  (store: ReleaseStore, log: AuditLog) =>
  async (sequence: number): Promise<Outcome<object>> => {
    const checkpoint = await log.checkpoint()
    if (!checkpoint.ok) return checkpoint
    if (checkpoint.value === undefined || sequence > checkpoint.value.size)
      return fail('SERVICE_AUDIT_ENTRY_UNKNOWN', 'sequence')
    return ok(await proveInclusion(store, sequence, checkpoint.value))
  }

/**
 * Whether the log still has what its anchor remembers.
 * @returns AUDIT_CHAIN_BROKEN · AUDIT_ANCHOR_UNAVAILABLE; it rejects where the store cannot be read
 */
export async function anchoredLog(store: Pick<ReleaseStore, 'auditRows'>, anchor: AuditAnchor): Promise<Outcome<void>> {
  const end = await anchor.read()
  return end.ok ? reaches(store, end.value) : end
}
