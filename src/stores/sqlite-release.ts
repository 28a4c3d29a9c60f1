import type { DatabaseSync } from 'node:sqlite'
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
  ReleaseRow,
  ReleaseStore,
  ReleaseView,
  SharedEpochs,
} from '../release/ports.ts'
import { GroupCommit } from './group-commit.ts'
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
import { openDatabase, type Row, readDatabase, Statements } from './sqlite-file.ts'
import { STORE_SCHEMA } from './sqlite-schema.ts'

/** Numbers as text: node:sqlite throws at one that is larger than JavaScript's, which somebody may have put there. */
const KEY = `SELECT tenant, key_id, policy_digest, policy, kek, algorithm, data, limits, state, mac,
  CAST(registered_at AS TEXT) AS registered_at, CAST(revision AS TEXT) AS revision FROM release_key`

const SQL = {
  key: `${KEY} WHERE tenant = ? AND key_id = ?`,
  keys: `${KEY} WHERE tenant = ? ORDER BY key_id`,
  putKey: 'INSERT OR REPLACE INTO release_key VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  releases: 'SELECT * FROM release WHERE tenant = ? AND key_id = ? ORDER BY audit_sequence',
  putRelease: 'INSERT INTO release VALUES (?, ?, ?, ?, ?, ?, ?)',
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
const releaseOf = (row: Row): ReleaseRow => releaseRow(row, String)

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

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#commits = new GroupCommit(database)
    this.#statements = new Statements(database, SQL)
  }

  async key({ tenant, keyId }: KeyName): Promise<KeyRow | undefined> {
    return this.#statements.all('key', tenant, keyId).map(keyOf)[0]
  }

  async keys(tenant: string): Promise<readonly KeyRow[]> {
    return this.#statements.all('keys', tenant).map(keyOf)
  }

  transact<T>(name: KeyName | null, decide: (view: ReleaseView) => ReleaseChange<T>): Promise<T> {
    return this.#commits.run(() => {
      const view = this.#view(name)
      const change = decide(view)
      checkChange(name, view, change)
      this.#write(change)
      return change.result
    })
  }

  #view(name: KeyName | null): ReleaseView {
    const ids = name === null ? undefined : ([name.tenant, name.keyId] as const)
    return {
      head: this.#head(),
      key: ids && this.#statements.all('key', ...ids).map(keyOf)[0],
      releases: ids === undefined ? [] : this.#statements.all('releases', ...ids).map(releaseOf),
      epochs: this.#epochs(),
    }
  }

  #write({ entries, key, release, epochs }: ReleaseChange<unknown>): void {
    for (const { sequence, entry, chain } of entries) this.#statements.run('putAudit', sequence, entry, chain)
    if (key !== undefined) {
      this.#statements.run('putKey', key.tenant, key.keyId, ...keyValues(key))
    }
    if (release !== undefined) {
      const { auditSequence, challengeId, tenant, keyId, at, lease, hardware } = release
      this.#statements.run('putRelease', auditSequence, challengeId, tenant, keyId, at, lease, written(hardware))
    }
    if (epochs !== undefined) {
      this.#statements.run('putEpoch', epochs.policy, 'policy')
      this.#statements.run('putEpoch', epochs.collateral, 'collateral')
    }
  }

  #head(): AuditHead {
    return headOf(this.#statements.all('lastAudit').map(auditRow)[0])
  }

  #epochs(): SharedEpochs {
    const values = new Map(this.#statements.all('epochs').map((row) => [row.name, Number(row.value)]))
    return { policy: values.get('policy') ?? 0, collateral: values.get('collateral') ?? 0 }
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
