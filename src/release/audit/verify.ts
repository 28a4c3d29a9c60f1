import { toHex } from '../../core/encodings.ts'
import { attemptAsync, fail, type Outcome, ok, refuse, take } from '../../core/outcome.ts'
import { type CredentialKey, type CredentialKeySet, pinnedKeys } from '../../decision/credential/keys.ts'
import type { AuditHead, AuditRow, CheckpointRow } from '../ports.ts'
import type { AuditEnd } from './anchor.ts'
import { type Checkpoint, readCheckpoint } from './checkpoint.ts'
import { EMPTY_HEAD } from './entry.ts'
import { FollowedLog, rowPath } from './followed-log.ts'
import type { MerkleTree } from './merkle.ts'
import type { AuditSource } from './rows.ts'

export interface AuditToVerify {
  /** all of them, in order */
  readonly rows: AsyncIterable<AuditRow> | Iterable<AuditRow>
  /** all of them, smallest first */
  readonly checkpoints: readonly CheckpointRow[]
  /** whose checkpoints count */
  readonly keys: CredentialKeySet
  /** what was remembered outside the database, or why nothing was: then a log cut off behind its last checkpoint passes */
  readonly anchor: AuditEnd | { readonly notChecked: string }
}

export interface VerifiedAudit {
  readonly head: AuditHead
  /** all of its rows, to be followed further */
  readonly log: FollowedLog
  /** rows that a checkpoint or the anchor vouches for; those behind have only the chain, which whoever writes the database can compute */
  readonly covered: number
  readonly lastCheckpoint: Checkpoint | undefined
}

/**
 * Proves that a log is the one that was written: every row continues the chain, time never goes back, every checkpoint is
 * signed and says what the rows say, and nothing that the anchor remembers is missing.
 * @returns what was proved, or AUDIT_CHAIN_BROKEN with the first row that is wrong · AUDIT_TIME_INVALID · AUDIT_CHECKPOINT_INVALID
 */
export function verifyAudit({ rows, checkpoints, keys, anchor }: AuditToVerify): Promise<Outcome<VerifiedAudit>> {
  const pinned = pinnedKeys(keys)
  return attemptAsync(async () => {
    const stated = await statements(checkpoints, pinned)
    const end = 'notChecked' in anchor ? EMPTY_HEAD : anchor
    const log = new FollowedLog()
    checkEnd(log.head, end)
    for await (const row of rows) {
      take(log.take(row))
      checkStated(log.head, log.tree, stated.get(row.sequence))
      checkEnd(log.head, end)
    }
    const { head } = log
    const last = Math.max(end.sequence, ...stated.keys())
    if (last > head.sequence) {
      refuse('AUDIT_CHAIN_BROKEN', rowPath(head.sequence + 1), { expected: `${last} rows`, actual: `${head.sequence}` })
    }
    return { head, log, covered: last, lastCheckpoint: [...stated.values()].at(-1) }
  })
}

/** What checkpoints say, by their sizes. Two of one size that differ are signed proof of two logs. */
async function statements(
  checkpoints: readonly CheckpointRow[],
  keys: ReadonlyMap<string, CredentialKey>,
): Promise<ReadonlyMap<number, Checkpoint>> {
  const stated = new Map<number, Checkpoint>()
  for (const { size, statement } of checkpoints) {
    const path = `audit/checkpoint/${size}`
    const checkpoint = take(await readCheckpoint(statement, keys, path))
    if (checkpoint.size !== size) refuse('AUDIT_CHECKPOINT_INVALID', path, { expected: size, actual: checkpoint.size })
    const known = stated.get(size)
    if (known !== undefined && known.root !== checkpoint.root)
      refuse('AUDIT_CHAIN_BROKEN', path, { expected: known.root, actual: checkpoint.root })
    stated.set(size, checkpoint)
  }
  return stated
}

/**
 * Whether a log still has a row that it is known to have had, as it was.
 * @returns AUDIT_CHAIN_BROKEN; it rejects where the store cannot be read
 */
export async function reaches(
  store: Pick<AuditSource, 'auditRows'>,
  { sequence, chain }: AuditEnd,
): Promise<Outcome<void>> {
  if (sequence === 0) return ok(undefined)
  const [row] = await store.auditRows(sequence - 1, 1)
  return row?.sequence === sequence && row.chain === chain
    ? ok(undefined)
    : fail('AUDIT_CHAIN_BROKEN', rowPath(sequence), { expected: chain, actual: row?.chain ?? 'no row' })
}

function checkStated({ sequence, chain }: AuditHead, tree: MerkleTree, stated: Checkpoint | undefined): void {
  if (stated === undefined) return
  const root = toHex(tree.root())
  if (stated.chain !== chain || stated.root !== root)
    refuse('AUDIT_CHAIN_BROKEN', rowPath(sequence), {
      expected: `root ${stated.root}`,
      actual: root,
      source: 'checkpoint',
    })
}

function checkEnd({ sequence, chain }: AuditEnd, end: AuditEnd): void {
  if (sequence === end.sequence && chain !== end.chain)
    refuse('AUDIT_CHAIN_BROKEN', rowPath(sequence), { expected: end.chain, actual: chain, source: 'anchor' })
}
