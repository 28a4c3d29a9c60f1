import { fromHex, toHex } from '../../core/encodings.ts'
import { isJsonObject, type Json } from '../../core/json.ts'
import { attemptAsync, type Outcome, refuse, take } from '../../core/outcome.ts'
import { type CredentialKeySet, pinnedKeys } from '../../decision/credential/keys.ts'
import type { AuditRow, CheckpointRow } from '../ports.ts'
import { type Checkpoint, readCheckpoint } from './checkpoint.ts'
import { type AuditEntry, readEntry } from './entry.ts'
import { consistencyPath, inclusionPath, isConsistent, isIncluded, leafHash } from './merkle.ts'
import { type AuditSource, rowsAfter } from './rows.ts'

/** That one entry stands in the log of a checkpoint (RFC 9162 §2.1.3), for somebody who sees no other entry. */
export interface InclusionProof {
  readonly format: 'vouchsafe/audit-inclusion/1'
  /** text of the entry, byte for byte */
  readonly entry: string
  /** hex, nearest first */
  readonly path: readonly string[]
  /** compact JWS */
  readonly checkpoint: string
}

/** That the log of one checkpoint begins with that of an earlier one (RFC 9162 §2.1.4): nothing of it was changed since. */
export interface ConsistencyProof {
  readonly format: 'vouchsafe/audit-consistency/1'
  readonly path: readonly string[]
  readonly earlier: string
  readonly later: string
}

const INCLUSION = 'vouchsafe/audit-inclusion/1'
const CONSISTENCY = 'vouchsafe/audit-consistency/1'
const MOST_HASHES = 64
const HASH_BYTES = 32

const leavesOf = (rows: readonly AuditRow[]): Uint8Array[] => rows.map(({ entry }) => leafHash(entry))

async function* leavesIn(source: AuditSource): AsyncGenerator<Uint8Array> {
  for await (const { entry } of rowsAfter(source)) yield leafHash(entry)
}

/**
 * Reads the log as far as the checkpoint reaches, and keeps none of it.
 * @throws TypeError where the row is not in the checkpoint, or the log is shorter than that
 */
export async function proveInclusion(
  source: AuditSource,
  sequence: number,
  checkpoint: CheckpointRow,
): Promise<InclusionProof> {
  const path = await inclusionPath(leavesIn(source), checkpoint.size, sequence - 1)
  const [row] = await source.auditRows(sequence - 1, 1)
  if (row?.sequence !== sequence) throw new TypeError('no such row in this checkpoint')
  return { format: INCLUSION, entry: row.entry, path: path.map(toHex), checkpoint: checkpoint.statement }
}

/** @param rows the first rows of the log, as many as the later checkpoint has */
export function proveConsistency(
  rows: readonly AuditRow[],
  earlier: CheckpointRow,
  later: CheckpointRow,
): ConsistencyProof {
  if (rows.length !== later.size) throw new TypeError('not the rows of this checkpoint')
  const path = consistencyPath(leavesOf(rows), earlier.size).map(toHex)
  return { format: CONSISTENCY, path, earlier: earlier.statement, later: later.statement }
}

export type CheckedProof =
  | { readonly kind: 'inclusion'; readonly entry: AuditEntry; readonly checkpoint: Checkpoint }
  | { readonly kind: 'consistency'; readonly earlier: Checkpoint; readonly later: Checkpoint }

/** Checks a proof of either kind, as it was read: AUDIT_PROOF_INVALID · AUDIT_CHECKPOINT_INVALID. */
export function checkProof(proof: Json, keys: CredentialKeySet): Promise<Outcome<CheckedProof>> {
  const pinned = pinnedKeys(keys)
  return attemptAsync(async (): Promise<CheckedProof> => {
    const object = isJsonObject(proof) ? proof : invalid('a JSON object')
    const path = hashes(object.path)
    const checkpointOf = async (name: string): Promise<Checkpoint> =>
      take(await readCheckpoint(textOf(object[name], name), pinned, name))
    if (object.format === CONSISTENCY) {
      const [earlier, later] = [await checkpointOf('earlier'), await checkpointOf('later')]
      if (!isConsistent(headOf(earlier), headOf(later), path)) invalid('the path from the earlier log to the later')
      return { kind: 'consistency', earlier, later }
    }
    if (object.format !== INCLUSION) return invalid(`format ${INCLUSION} or ${CONSISTENCY}`)
    const text = textOf(object.entry, 'entry')
    const entry = readEntry(text) ?? invalid('an entry of the audit log')
    const checkpoint = await checkpointOf('checkpoint')
    if (!isIncluded({ leaf: leafHash(text), index: entry.sequence - 1, path }, headOf(checkpoint)))
      invalid('the path from the entry to the root')
    return { kind: 'inclusion', entry, checkpoint }
  })
}

const invalid = (expected: string): never => refuse('AUDIT_PROOF_INVALID', 'proof', { expected })

const textOf = (value: Json | undefined, name: string): string =>
  typeof value === 'string' ? value : invalid(`${name} as text`)

const headOf = ({ size, root }: Checkpoint) => ({ size, root: take(fromHex(root, HASH_BYTES, 'root')) })

function hashes(value: Json | undefined): readonly Uint8Array[] {
  if (!Array.isArray(value) || value.length > MOST_HASHES) return invalid(`a path of at most ${MOST_HASHES} hashes`)
  return value.map((hash: Json) => {
    const bytes = typeof hash === 'string' ? fromHex(hash, HASH_BYTES, 'path') : undefined
    return bytes?.ok === true ? bytes.value : invalid('hashes of 64 hexadecimal digits')
  })
}
