import type { KeyName, ReleaseRow } from '../release/ports.ts'
import type { AskedRelease } from '../release/usage.ts'
import { type Query, readStored, stored, type Value } from './postgres-pool.ts'
import { releaseRow, written } from './release-rows.ts'

/** Releases of a key are numbered, and so are the different leases and chips that had it: the last number is how many. */
const LAST = `coalesce((SELECT number FROM vouchsafe.release WHERE tenant = $1 AND key_id = $2
  ORDER BY number DESC LIMIT 1), 0)`
const lastOf = (kind: string) => `coalesce((SELECT number FROM vouchsafe.release_recipient
  WHERE tenant = $1 AND key_id = $2 AND kind = ${kind} ORDER BY number DESC LIMIT 1), 0)`
/** Those of $3 that never had the key, each once. One value asked for each is an index looked into; `NOT EXISTS` may read all. */
const NEW = `(SELECT DISTINCT kind, id FROM json_to_recordset($3::json) AS asked (kind text, id vouchsafe.name)
  WHERE (SELECT r.number FROM vouchsafe.release_recipient r
    WHERE r.tenant = $1 AND r.key_id = $2 AND r.kind = asked.kind AND r.id = asked.id) IS NULL) new`

const SQL = {
  last: `SELECT ${LAST} AS number`,
  after: `SELECT * FROM vouchsafe.release WHERE tenant = $1 AND key_id = $2 AND number > $3 ORDER BY number LIMIT $4`,
  /** Release and recipients in one round trip. */
  put: `WITH release AS (INSERT INTO vouchsafe.release VALUES ($4, $5, $1::text, $2::text, $6, $7, $8, ${LAST} + 1))
    INSERT INTO vouchsafe.release_recipient SELECT $1, $2, kind, id,
      ${lastOf('new.kind')} + row_number() OVER (PARTITION BY kind ORDER BY id) FROM ${NEW}`,
} as const

/** `Usage` in JSON, a column beside others. It is asked with a key's name in $1 and $2, and `usageValues` in $3 to $5. */
export const USAGE = `(SELECT json_build_object(
    'releases', last,
    'nthLastAt', CASE WHEN $5::bigint <= last THEN (SELECT at FROM vouchsafe.release
      WHERE tenant = $1 AND key_id = $2 AND number > last - $5::bigint ORDER BY number LIMIT 1) END,
    'leases', ${lastOf("'lease'")} + (SELECT count(*) FROM ${NEW} WHERE kind = 'lease'),
    'chips', ${lastOf("'chip'")} + (SELECT count(*) FROM ${NEW} WHERE kind = 'chip'),
    'isAnswered', EXISTS (SELECT FROM vouchsafe.release WHERE challenge_id = $4)
  ) FROM (SELECT ${LAST} AS last) counted) AS usage`

/** Tenant and id of a key as they are stored. */
export const idsOf = ({ tenant, keyId }: KeyName): readonly [string, string] => [stored(tenant), stored(keyId)]

const recipientsOf = (lease: string, chips: readonly string[]): string =>
  written([{ kind: 'lease', id: stored(lease) }, ...chips.map((chip) => ({ kind: 'chip', id: stored(chip) }))])

export const usageValues = ({ challengeId, lease, chips, nthLast }: AskedRelease): readonly Value[] => [
  ...[recipientsOf(lease, chips), stored(challengeId), nthLast],
]

export async function released(query: Query, name: KeyName): Promise<number> {
  return Number((await query(SQL.last, idsOf(name))).rows[0]?.number)
}

/** Those after the first `after`. */
export async function releases(
  query: Query,
  name: KeyName,
  after: number,
  limit: number,
): Promise<readonly ReleaseRow[]> {
  return (await query(SQL.after, [...idsOf(name), after, limit])).rows.map((row) => releaseRow(row, readStored))
}

/** @param chips those of its hardware that count as machines */
export async function record(query: Query, release: ReleaseRow, chips: readonly string[]): Promise<void> {
  const { auditSequence, challengeId, at, lease, hardware } = release
  const recipients = recipientsOf(lease, chips)
  const values = [auditSequence, stored(challengeId), at, stored(lease), written(hardware)]
  await query(SQL.put, [...idsOf(release), recipients, ...values])
}
