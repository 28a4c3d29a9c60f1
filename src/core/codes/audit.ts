import type { CodeTable } from './entry.ts'

export const AUDIT_CODES = {
  // Audit log: its chain, its signed checkpoints, its anchor outside the database.
  AUDIT_CHAIN_BROKEN: {
    verdict: 'reject',
    title: 'The audit log is not the one that was written.',
    hint: 'The finding names the first row that was edited, dropped, added or cut off. Keep the database as it is for those who investigate, and restore the log from an export or backup that verifies.',
  },
  AUDIT_TIME_INVALID: {
    verdict: 'reject',
    title: 'An audit entry is older than the one before it, or later than the clock of who is to write the next.',
    hint: 'The operator should compare the clocks of all replicas with NTP. A replica whose clock is behind can write again once it has caught up. An entry that is later than every clock was put there by somebody who writes to the database: restore the log from a backup that verifies.',
  },
  AUDIT_CHECKPOINT_INVALID: {
    verdict: 'reject',
    title: 'A checkpoint of the audit log is not a statement that one of the pinned keys signed.',
    hint: 'Pin the key set that the service published when it signed, retired keys included. If it is the right one, somebody else wrote this checkpoint.',
  },
  AUDIT_CHECKPOINT_MISSING: {
    verdict: 'inconclusive',
    title: 'The last rows of the audit log are under no signed checkpoint and no anchor.',
    hint: 'Ask the operator for an export that was made after the next checkpoint, or verify beside the service with its anchor file.',
  },
  AUDIT_PROOF_INVALID: {
    verdict: 'reject',
    title: 'The proof does not show that the entry stands in the log of this checkpoint.',
    hint: 'Ask the operator for a new proof of this entry. If it fails again, the entry that you were shown is not the one in the log.',
  },
  AUDIT_ANCHOR_UNAVAILABLE: {
    verdict: 'inconclusive',
    title: 'The anchor of the audit log cannot be read, so that a cut-off end would go unnoticed.',
    hint: 'Restore the anchor file (mode 0600, outside the database) or name it correctly. Where it is lost for good, verify the log against an export first, then make an empty anchor with vouchsafe audit new-anchor FILE, which vouches for nothing before the service has run with it once.',
  },
} as const satisfies CodeTable
