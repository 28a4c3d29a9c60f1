/** The audit log: entries in a hash chain, signed checkpoints over their Merkle tree, proofs, an anchor outside the database. */
export { type AuditAnchor, type AuditEnd, createAnchorFile, fileAnchor } from './anchor.ts'
export { type Checkpoint, readCheckpoint } from './checkpoint.ts'
export { type AuditEntry, EMPTY_HEAD, headOf, nextRow, readEntry } from './entry.ts'
export { exportLines, readExport } from './export.ts'
export { FollowedLog } from './followed-log.ts'
export type { KeyRevisions, NewestRow } from './key-revisions.ts'
export { type AuditLog, type AuditLogOptions, createAuditLog } from './log.ts'
export {
  type CheckedProof,
  type ConsistencyProof,
  checkProof,
  type InclusionProof,
  proveConsistency,
  proveInclusion,
} from './proof.ts'
export { type AuditSource, allCheckpoints, firstRows, rowsAfter } from './rows.ts'
export { type AuditToVerify, reaches, type VerifiedAudit, verifyAudit } from './verify.ts'
