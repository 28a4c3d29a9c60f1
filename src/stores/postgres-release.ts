import type { UnixSeconds } from '../core/time.ts'
import { headOf } from '../release/audit/entry.ts'
import type {
  AuditHead,
  AuditRow,
  CheckpointRow,
  HeldSession,
  KeyName,
  KeyRow,
  ReleaseChange,
  ReleaseStore,
  ReleaseView,
  SharedEpochs,
} from '../release/ports.ts'
import type { PostgresOptions } from './postgres-options.ts'
import { Postgres, type Query, type Row, readStored, stored } from './postgres-pool.ts'
import { checkChange } from './release-change.ts'
import {
  auditRow,
  checkpointRow,
  keyRow,
  keyValues,
  type ReadableAudit,
  releaseRow,
  sessionRow,
  sessionValues,
  written,
} from './release-rows.ts'

const SQL = {
  key: 'SELECT * FROM vouchsafe.release_key WHERE tenant = $1 AND key_id = $2',
  keys: 'SELECT * FROM vouchsafe.release_key WHERE tenant = $1 ORDER BY key_id',
  putKey: `INSERT INTO vouchsafe.release_key VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT (tenant, key_id) DO UPDATE SET policy_digest = excluded.policy_digest, policy = excluded.policy,
    kek = excluded.kek, algorithm = excluded.algorithm, data = excluded.data, limits = excluded.limits,
    state = excluded.state, registered_at = excluded.registered_at, revision = excluded.revision, mac = excluded.mac`,
  /** Everything that a transaction sees, in one round trip. */
  view: `SELECT
    (SELECT to_json(k) FROM vouchsafe.release_key k WHERE tenant = $1 AND key_id = $2) AS key,
    (SELECT coalesce(json_agg(r ORDER BY audit_sequence), '[]') FROM vouchsafe.release r
      WHERE tenant = $1 AND key_id = $2) AS releases,
    (SELECT to_json(a) FROM vouchsafe.audit a ORDER BY sequence DESC LIMIT 1) AS last,
    (SELECT json_object_agg(name, value) FROM vouchsafe.counter WHERE name IN ('policy', 'collateral')) AS epochs`,
  putRelease: 'INSERT INTO vouchsafe.release VALUES ($1, $2, $3, $4, $5, $6, $7)',
  lastAudit: 'SELECT * FROM vouchsafe.audit ORDER BY sequence DESC LIMIT 1',
  auditAfter: 'SELECT * FROM vouchsafe.audit WHERE sequence > $1 ORDER BY sequence LIMIT $2',
  putAudit: 'INSERT INTO vouchsafe.audit VALUES ($1, $2, $3)',
  checkpoint: 'SELECT statement FROM vouchsafe.checkpoint WHERE size = $1',
  checkpointsAfter: 'SELECT * FROM vouchsafe.checkpoint WHERE size > $1 ORDER BY size LIMIT $2',
  putCheckpoint: 'INSERT INTO vouchsafe.checkpoint VALUES ($1, $2) ON CONFLICT DO NOTHING',
  putSession: 'INSERT INTO vouchsafe.session VALUES ($1, $2, $3, $4, $5, $6, $7)',
  session: 'SELECT * FROM vouchsafe.session WHERE id = $1',
  pruneSessions: 'DELETE FROM vouchsafe.session WHERE expires_at < $1',
  epochs: "SELECT name, value FROM vouchsafe.counter WHERE name IN ('policy', 'collateral')",
  putEpochs: `UPDATE vouchsafe.counter SET value = CASE name WHEN 'policy' THEN $1::bigint ELSE $2::bigint END
    WHERE name IN ('policy', 'collateral')`,
} as const

/**
 * A broker's store in PostgreSQL, which all replicas of a service share; the database may be the gate's (`postgresStore`). Its
 * tables are in the schema `vouchsafe`, brought to this version when it is opened. Transactions of all replicas come one after
 * the other.
 * @throws Error where pg is not installed, or the database cannot be reached, is of a later version or not durable
 */
export async function postgresReleaseStore(options: PostgresOptions): Promise<ReleaseStore> {
  return new PostgresReleaseStore(await Postgres.open(options))
}

/**
 * The audit log in such a database, for reading: nothing is created, changed or migrated.
 * @throws Error as `postgresReleaseStore`, and where the schema is not of this version
 */
export async function postgresAuditLog(options: PostgresOptions): Promise<ReadableAudit> {
  return new PostgresReleaseStore(await Postgres.read(options))
}

class PostgresReleaseStore implements ReleaseStore {
  readonly #database: Postgres

  constructor(database: Postgres) {
    this.#database = database
  }

  async key(name: KeyName): Promise<KeyRow | undefined> {
    return key(this.#database.query, name)
  }

  async keys(tenant: string): Promise<readonly KeyRow[]> {
    const { rows } = await this.#database.query(SQL.keys, [stored(tenant)])
    return rows.map((row) => keyRow(row, readStored))
  }

  transact<T>(name: KeyName | null, decide: (view: ReleaseView) => ReleaseChange<T>): Promise<T> {
    return this.#database.locked('release', async (query) => {
      const view = await viewOf(query, name)
      const change = decide(view)
      checkChange(name, view, change)
      await write(query, change)
      return change.result
    })
  }

  auditHead(): Promise<AuditHead> {
    return head(this.#database.query)
  }

  async auditRows(after: number, limit: number): Promise<readonly AuditRow[]> {
    return (await this.#database.query(SQL.auditAfter, [after, limit])).rows.map(auditRow)
  }

  async putCheckpoint({ size, statement }: CheckpointRow): Promise<void> {
    const { rowCount } = await this.#database.query(SQL.putCheckpoint, [size, statement])
    if (rowCount === 1) return
    const { rows } = await this.#database.query(SQL.checkpoint, [size])
    if (rows[0]?.statement !== statement) throw new Error(`there is another checkpoint of size ${size}`)
  }

  async checkpoints(afterSize: number, limit: number): Promise<readonly CheckpointRow[]> {
    return (await this.#database.query(SQL.checkpointsAfter, [afterSize, limit])).rows.map(checkpointRow)
  }

  epochs(): Promise<SharedEpochs> {
    return epochs(this.#database.query)
  }

  async putSession(session: HeldSession): Promise<void> {
    await this.#database.query(SQL.putSession, sessionValues(session))
  }

  async session(id: string): Promise<HeldSession | undefined> {
    return (await this.#database.query(SQL.session, [id])).rows.map(sessionRow)[0]
  }

  async pruneSessions(now: UnixSeconds): Promise<void> {
    await this.#database.query(SQL.pruneSessions, [now])
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}

const idsOf = ({ tenant, keyId }: KeyName): readonly [string, string] => [stored(tenant), stored(keyId)]

async function key(query: Query, name: KeyName): Promise<KeyRow | undefined> {
  const [row] = (await query(SQL.key, idsOf(name))).rows
  return row && keyRow(row, readStored)
}

async function head(query: Query): Promise<AuditHead> {
  return headOf((await query(SQL.lastAudit)).rows.map(auditRow)[0])
}

async function epochs(query: Query): Promise<SharedEpochs> {
  const values = new Map((await query(SQL.epochs)).rows.map((row) => [row.name, Number(row.value)]))
  return { policy: values.get('policy') ?? 0, collateral: values.get('collateral') ?? 0 }
}

/** What `SQL.view` gives: JSON of whole rows. */
interface ViewRow {
  readonly key: Row | null
  readonly releases: readonly Row[]
  readonly last: Row | null
  readonly epochs: SharedEpochs
}

async function viewOf(query: Query, name: KeyName | null): Promise<ReleaseView> {
  const [row] = (await query(SQL.view, name === null ? [null, null] : idsOf(name))).rows
  const { key, releases, last, epochs } = row as unknown as ViewRow
  return {
    head: headOf(last === null ? undefined : auditRow(last)),
    key: key === null ? undefined : keyRow(key, readStored),
    releases: releases.map((one) => releaseRow(one, readStored)),
    epochs: { policy: epochs.policy, collateral: epochs.collateral },
  }
}

async function write(query: Query, change: ReleaseChange<unknown>): Promise<void> {
  for (const { sequence, entry, chain } of change.entries) await query(SQL.putAudit, [sequence, entry, chain])
  if (change.key !== undefined) await query(SQL.putKey, [...idsOf(change.key), ...keyValues(change.key)])
  if (change.release !== undefined) {
    const { auditSequence, challengeId, at, lease, hardware } = change.release
    const ids = idsOf(change.release)
    await query(SQL.putRelease, [auditSequence, stored(challengeId), ...ids, at, stored(lease), written(hardware)])
  }
  if (change.epochs !== undefined) await query(SQL.putEpochs, [change.epochs.policy, change.epochs.collateral])
}
