import type { NonEmpty } from '../core/outcome.ts'
import { isKeyName } from './key-row.ts'
import type { AuditEvent } from './ports.ts'

/** Who wants a change, and who else agreed; null where nobody did. */
export interface Approval {
  readonly by: string
  readonly approvedBy: string | null
}

/** What was done to a key, as the audit log says in `codes`. */
export type ChangeKind = 'register' | 'replace' | 'suspend' | 'resume' | 'retire' | 'limits' | 'rewrap'

/** Whether the change may be made: by anybody where it opens nothing more, else by two different administrators. */
export const approved = ({ by, approvedBy }: Approval, opensMore: boolean): boolean =>
  approvedBy === null ? !opensMore : isKeyName(approvedBy) && approvedBy.toLowerCase() !== by.toLowerCase()

/**
 * The entries that tell of a change: by whom, and by whom it was approved.
 * @param row MAC of the row that was written; null where none was
 */
export function eventsOf(
  type: AuditEvent['type'],
  { tenant, keyId, policyDigest }: Pick<AuditEvent, 'tenant' | 'keyId' | 'policyDigest'>,
  codes: readonly string[],
  { by, approvedBy }: Approval,
  tellsApproval: boolean,
  row: string | null,
): NonEmpty<AuditEvent> {
  const subject = { tenant, keyId, policyDigest, lease: null, challengeId: null, decisionDigest: null }
  const about = { ...subject, codes, acceptedRisks: [] }
  const event: AuditEvent = { ...about, type, actor: by, row }
  if (approvedBy === null || !tellsApproval) return [event]
  return [{ ...about, type: 'admin.approved', actor: approvedBy, row: null }, event]
}
