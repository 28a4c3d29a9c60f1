import type { DatabaseSync } from 'node:sqlite'
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
import type { AskedRelease } from '../release/usage.ts'
import { GroupCommit } from './group-commit.ts'
import { LogEnd } from './log-end.ts'
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
import { openDatabase, type Row, readDatabase, Statements } from './sqlite-file.ts'
import { STORE_SCHEMA } from './sqlite-schema.ts'
import { SqliteUsage } from './sqlite-usage.ts'

/** Numbers as text: node:sqlite throws at one that is larger than JavaScript's, which somebody may have put there. */
const KEY = `SELECT tenant, key_id, policy_digest, policy, kek, algorithm, data, limits, state, mac,
  CAST(registered_at AS TEXT) AS registered_at, CAST(revision AS TEXT) AS revision FROM release_key`

const SQL = {
  key: `${KEY} WHERE tenant = ? AND key_id = ?`,
  keys: `${KEY} WHERE tenant = ? ORDER BY key_id`,
  putKey: 'INSERT OR REPLACE INTO release_key VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  lastAudit: 'SELECT * FROM audit ORDER BY sequence DESC LIMIT 1',
  auditAfter: 'SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?',
  putAudit: 'INSERT INTO audit VALUES (?, ?, ?)',
  checkpoint: 'SELECT statement FROM checkpoint WHERE size = ?',
  checkpointsAfter: 'SELECT * FROM checkpoint WHERE size > ? ORDER BY size LIMIT ?',
  putCheckpoint: 'INSERT INTO checkpoint VALUES (?, ?)',
  putSession: 'INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?)',
  session: 'SELECT * FROM session WHERE id = ?',
  pruneSessions: 'DELETE FROM session WHERE expires_at < ?',
  epochs: 'SELECT name, value FROM epoch',
  putEpoch: 'UPDATE epoch SET value = ? WHERE name = ?',
} as const

const keyOf = (row: Row): KeyRow => keyRow(row, String)

/**
 * A broker's store in one SQLite file, which may be the gate's (`sqliteStore`). As there: several processes of one machine may
 * share it, every commit is synced to disk, and what is asked for in one turn of the event loop shares one write.
 * @param path a file on a local disk; network file systems do not lock
 * @throws Error where the file cannot be opened, is another program's, or was written by a later version
 */
export function sqliteReleaseStore(path: string): ReleaseStore {
  return new SqliteReleaseStore(openDatabase(path, STORE_SCHEMA))
}

/**
 * The audit log in such a file, for reading: nothing is created, changed or migrated.
 * @throws Error where there is no such file, or it is not one of this version
 */
export function sqliteAuditLog(path: string): ReadableAudit {
  return new SqliteReleaseStore(readDatabase(path, STORE_SCHEMA))
}

class SqliteReleaseStore implements ReleaseStore {
  readonly #database: DatabaseSync
  readonly #commits: GroupCommit
  readonly #statements: Statements<keyof typeof SQL>
  readonly #usage: SqliteUsage
  readonly #end = new LogEnd()

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#commits = new GroupCommit(database)
    this.#statements = new Statements(database, SQL)
    this.#usage = new SqliteUsage(database)
  }

  async key({ tenant, keyId }: KeyName): Promise<KeyRow | undefined> {
    return this.#statements.all('key', tenant, keyId).map(keyOf)[0]
  }

  async keys(tenant: string): Promise<readonly KeyRow[]> {
    return this.#statements.all('keys', tenant).map(keyOf)
  }

  transact<T>(name: KeyName | null, decide: (view: ReleaseView) => ReleaseChange<T>): Promise<T> {
    return this.#commits.run(() => this.#changed({ name, asked: null }, this.#view(name), decide))
  }

  recordRelease<T>(name: KeyName, asked: AskedRelease, decide: (view: UsageView) => RecordedRelease<T>): Promise<T> {
    return this.#commits.run(() =>
      this.#changed({ name, asked }, { ...this.#view(name), usage: this.#usage.of(name, asked) }, decide),
    )
  }

  #view(name: KeyName | null): ReleaseView {
    return {
      head: this.#head(),
      key: name === null ? undefined : this.#statements.all('key', name.tenant, name.keyId).map(keyOf)[0],
      epochs: this.#epochs(),
    }
  }

  #changed<View extends ReleaseView, T>(about: Transaction, view: View, decide: (view: View) => RecordedRelease<T>): T {
    const change = decide(view)
    checkChange(about, view, change, this.#end)
    this.#write(change)
    if (change.release !== undefined && about.asked !== null) this.#usage.record(change.release, about.asked.chips)
    return change.result
  }

  #write({ entries, key, epochs }: ReleaseChange<unknown>): void {
    for (const { sequence, entry, chain } of entries) this.#statements.run('putAudit', sequence, entry, chain)
    if (key !== undefined) this.#statements.run('putKey', key.tenant, key.keyId, ...keyValues(key))
    if (epochs !== undefined) {
      this.#statements.run('putEpoch', epochs.policy, 'policy')
      this.#statements.run('putEpoch', epochs.collateral, 'collateral')
    }
  }

  #head(): AuditHead {
    return this.#end.of(this.#statements.all('lastAudit').map(auditRow)[0])
  }

  #epochs(): SharedEpochs {
    const values = new Map(this.#statements.all('epochs').map((row) => [row.name, Number(row.value)]))
    return { policy: values.get('policy') ?? 0, collateral: values.get('collateral') ?? 0 }
  }

  async released(name: KeyName): Promise<number> {
    return this.#usage.releases(name)
  }

  async releases(name: KeyName, after: number, limit: number): Promise<readonly ReleaseRow[]> {
    return this.#usage.rows(name, after, limit)
  }

  async auditHead(): Promise<AuditHead> {
    return this.#head()
  }

  async auditRows(after: number, limit: number): Promise<readonly AuditRow[]> {
    return this.#statements.all('auditAfter', after, limit).map(auditRow)
  }

  putCheckpoint({ size, statement }: CheckpointRow): Promise<void> {
    return this.#commits.run(() => {
      const known = this.#statements.get('checkpoint', size)?.statement
      if (known === undefined) this.#statements.run('putCheckpoint', size, statement)
      else if (known !== statement) throw new Error(`there is another checkpoint of size ${size}`)
    })
  }

  async checkpoints(afterSize: number, limit: number): Promise<readonly CheckpointRow[]> {
    return this.#statements.all('checkpointsAfter', afterSize, limit).map(checkpointRow)
  }

  async epochs(): Promise<SharedEpochs> {
    return this.#epochs()
  }

  putSession(session: HeldSession): Promise<void> {
    return this.#commits.run(() => {
      this.#statements.run('putSession', ...sessionValues(session))
    })
  }

  async session(id: string): Promise<HeldSession | undefined> {
    return this.#statements.all('session', id).map(sessionRow)[0]
  }

  pruneSessions(now: UnixSeconds): Promise<void> {
    return this.#commits.run(() => {
      this.#statements.run('pruneSessions', now)
    })
  }

  async close(): Promise<void> {
    this.#commits.close()
    this.#database.close()
  }
}
