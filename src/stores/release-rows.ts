import { toBase64 } from '../core/encodings.ts'
import { canonicalJson, isJsonObject, type Json, parseJson } from '../core/json.ts'
import { checkedLimits } from '../release/limits.ts'
import type {
  AuditRow,
  CheckpointRow,
  HeldSession,
  KeyLimits,
  KeyRow,
  ReleaseRow,
  ReleaseStore,
} from '../release/ports.ts'

/** A store's audit log alone, for whoever only reads it. */
export type ReadableAudit = Pick<ReleaseStore, 'auditHead' | 'auditRows' | 'checkpoints' | 'close'>

/** How a database's own text becomes ours: PostgreSQL writes NUL otherwise. */
export type ReadText = (text: unknown) => string
type Row = Record<string, unknown>

const parsed = <T>(text: unknown): T => JSON.parse(String(text)) as T

/** A plain value as the text that a column holds. */
export const written = (value: object | string | number): string => canonicalJson(value as Json)

/** What is read where limits are none that can have been written: no key is registered with them, so that its row fails its MAC. */
const UNREADABLE: KeyLimits = {
  ...{ releases: 0, window: { releases: 0, seconds: 0 }, leases: 0, chips: 0 },
  onlyLeases: [''],
}

/** Whoever writes to the database writes anything: one row that cannot be read must not stand in the way of the others. */
function limitsOf(text: unknown): KeyLimits {
  const json = parseJson(String(text), '', 'integers')
  if (!json.ok || !isJsonObject(json.value)) return UNREADABLE
  const limits = checkedLimits(json.value as unknown as KeyLimits)
  return limits.ok ? limits.value : UNREADABLE
}

/** Rows of the release tables, whose columns have the same names in every database. */
export const keyRow = (row: Row, text: ReadText): KeyRow => ({
  tenant: text(row.tenant),
  keyId: text(row.key_id),
  policyDigest: String(row.policy_digest),
  policy: String(row.policy),
  sealed: { kek: String(row.kek), algorithm: String(row.algorithm), data: String(row.data) },
  limits: limitsOf(row.limits),
  state: String(row.state) as KeyRow['state'],
  registeredAt: Number(row.registered_at),
  revision: Number(row.revision),
  mac: String(row.mac),
})

/** In the order of the table's columns; names are still to be written as the database writes them. */
export const keyValues = (key: KeyRow): readonly (string | number)[] => [
  ...[key.policyDigest, key.policy, key.sealed.kek, key.sealed.algorithm, key.sealed.data, written(key.limits)],
  ...[key.state, key.registeredAt, key.revision, key.mac],
]

export const releaseRow = (row: Row, text: ReadText): ReleaseRow => ({
  tenant: text(row.tenant),
  keyId: text(row.key_id),
  at: Number(row.at),
  lease: text(row.lease),
  hardware: parsed(row.hardware),
  challengeId: text(row.challenge_id),
  auditSequence: Number(row.audit_sequence),
})

export const auditRow = (row: Row): AuditRow => ({
  sequence: Number(row.sequence),
  entry: String(row.entry),
  chain: String(row.chain),
})

export const checkpointRow = (row: Row): CheckpointRow => ({
  size: Number(row.size),
  statement: String(row.statement),
})

export const sessionRow = (row: Row): HeldSession => ({
  id: String(row.id),
  workload: String(row.workload),
  nonce: String(row.nonce),
  evidence: new Uint8Array(Buffer.from(String(row.evidence), 'base64')),
  expiresAt: Number(row.expires_at),
  kek: String(row.kek),
  mac: String(row.mac),
})

/** In the order of the table's columns. */
export const sessionValues = ({
  id,
  workload,
  nonce,
  evidence,
  ...session
}: HeldSession): readonly (string | number)[] => [
  ...[id, workload, nonce, toBase64(evidence), session.expiresAt, session.kek, session.mac],
]
