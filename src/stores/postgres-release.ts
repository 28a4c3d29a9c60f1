import type { UnixSeconds } from '../core/time.ts'
import type {
  AuditHead,
  AuditRow,
  CheckpointRow,
  HeldSession,
  KeyName,
  KeyRow,
  RecordedRelease,
  ReleaseChange,
  ReleaseRow,
  ReleaseStore,
  ReleaseView,
  SharedEpochs,
  UsageView,
} from '../release/ports.ts'
import type { AskedRelease, Usage } from '../release/usage.ts'
import { LogEnd } from './log-end.ts'
import type { PostgresOptions } from './postgres-options.ts'
import { Postgres, type Query, type Row, readStored, stored } from './postgres-pool.ts'
import { idsOf, record, released, releases, USAGE, usageValues } from './postgres-usage.ts'
import { checkChange, type Transaction } from './release-change.ts'
import {
  auditRow,
  checkpointRow,
  keyRow,
  keyValues,
  type ReadableAudit,
  sessionRow,
  sessionValues,
} from './release-rows.ts'

/** Everything that a transaction sees, in one round trip. */
const VIEW = `SELECT
    (SELECT to_json(k) FROM vouchsafe.release_key k WHERE tenant = $1 AND key_id = $2) AS key,
    (SELECT to_json(a) FROM vouchsafe.audit a ORDER BY sequence DESC LIMIT 1) AS last,
    (SELECT json_object_agg(name, value) FROM vouchsafe.counter WHERE name IN ('policy', 'collateral')) AS epochs`

const SQL = {
  key: 'SELECT * FROM vouchsafe.release_key WHERE tenant = $1 AND key_id = $2',
  keys: 'SELECT * FROM vouchsafe.release_key WHERE tenant = $1 ORDER BY key_id',
  putKey: `INSERT INTO vouchsafe.release_key VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT (tenant, key_id) DO UPDATE SET policy_digest = excluded.policy_digest, policy = excluded.policy,
    kek = excluded.kek, algorithm = excluded.algorithm, data = excluded.data, limits = excluded.limits,
    state = excluded.state, registered_at = excluded.registered_at, revision = excluded.revision, mac = excluded.mac`,
  view: VIEW,
  usageView: `${VIEW}, ${USAGE}`,
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
  readonly #end = new LogEnd()

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
      const { rows } = await query(SQL.view, name === null ? [null, null] : idsOf(name))
      return this.#changed(query, { name, asked: null }, this.#viewOf(rows[0]), decide)
    })
  }

  recordRelease<T>(name: KeyName, asked: AskedRelease, decide: (view: UsageView) => RecordedRelease<T>): Promise<T> {
    return this.#database.locked('release', async (query) => {
      const { rows } = await query(SQL.usageView, [...idsOf(name), ...usageValues(asked)])
      const view = { ...this.#viewOf(rows[0]), usage: rows[0]?.usage as Usage }
      return this.#changed(query, { name, asked }, view, decide)
    })
  }

  async #changed<View extends ReleaseView, T>(
    query: Query,
    about: Transaction,
    view: View,
    decide: (view: View) => RecordedRelease<T>,
  ): Promise<T> {
    const change = decide(view)
    checkChange(about, view, change, this.#end)
    await write(query, change)
    if (change.release !== undefined && about.asked !== null) await record(query, change.release, about.asked.chips)
    return change.result
  }

  #viewOf(row: Row | undefined): ReleaseView {
    const { key, last, epochs } = row as unknown as ViewRow
    return {
      head: this.#end.of(last === null ? undefined : auditRow(last)),
      key: key === null ? undefined : keyRow(key, readStored),
      epochs: { policy: epochs.policy, collateral: epochs.collateral },
    }
  }

  released(name: KeyName): Promise<number> {
    return released(this.#database.query, name)
  }

  releases(name: KeyName, after: number, limit: number): Promise<readonly ReleaseRow[]> {
    return releases(this.#database.query, name, after, limit)
  }

  async auditHead(): Promise<AuditHead> {
    return this.#end.of((await this.#database.query(SQL.lastAudit)).rows.map(auditRow)[0])
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

async function key(query: Query, name: KeyName): Promise<KeyRow | undefined> {
  const [row] = (await query(SQL.key, idsOf(name))).rows
  return row && keyRow(row, readStored)
}

async function epochs(query: Query): Promise<SharedEpochs> {
  const values = new Map((await query(SQL.epochs)).rows.map((row) => [row.name, Number(row.value)]))
  return { policy: values.get('policy') ?? 0, collateral: values.get('collateral') ?? 0 }
}

/** What `VIEW` gives: JSON of whole rows. */
interface ViewRow {
  readonly key: Row | null
  readonly last: Row | null
  readonly epochs: SharedEpochs
}

async function write(query: Query, change: ReleaseChange<unknown>): Promise<void> {
  for (const { sequence, entry, chain } of change.entries) await query(SQL.putAudit, [sequence, entry, chain])
  if (change.key !== undefined) await query(SQL.putKey, [...idsOf(change.key), ...keyValues(change.key)])
  if (change.epochs !== undefined) await query(SQL.putEpochs, [change.epochs.policy, change.epochs.collateral])
}
