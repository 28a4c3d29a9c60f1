import type { DatabaseSync } from 'node:sqlite'
import { canonicalJson, type Json } from '../core/json.ts'
import { headOf } from '../release/audit/entry.ts'
import type {
  AuditHead,
  AuditRow,
  CheckpointRow,
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
import { openSqlite, type Row, Statements } from './sqlite-file.ts'

const SQL = {
  key: 'SELECT * FROM release_key WHERE tenant = ? AND key_id = ?',
  keys: 'SELECT * FROM release_key WHERE tenant = ? ORDER BY key_id',
  putKey: 'INSERT OR REPLACE INTO release_key VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  releases: 'SELECT * FROM release WHERE tenant = ? AND key_id = ? ORDER BY audit_sequence',
  putRelease: 'INSERT INTO release VALUES (?, ?, ?, ?, ?, ?, ?)',
  lastAudit: 'SELECT * FROM audit ORDER BY sequence DESC LIMIT 1',
  auditAfter: 'SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?',
  putAudit: 'INSERT INTO audit VALUES (?, ?, ?)',
  checkpoint: 'SELECT statement FROM checkpoint WHERE size = ?',
  checkpointsAfter: 'SELECT * FROM checkpoint WHERE size > ? ORDER BY size LIMIT ?',
  putCheckpoint: 'INSERT INTO checkpoint VALUES (?, ?)',
  epochs: 'SELECT name, value FROM epoch',
  putEpoch: 'UPDATE epoch SET value = ? WHERE name = ?',
} as const

const parsed = <T>(text: unknown): T => JSON.parse(String(text)) as T
const written = (value: object | string | number): string => canonicalJson(value as Json)

const keyOf = (row: Row): KeyRow => ({
  tenant: String(row.tenant),
  keyId: String(row.key_id),
  policyDigest: String(row.policy_digest),
  policy: String(row.policy),
  sealed: { kek: String(row.kek), algorithm: String(row.algorithm), data: String(row.data) },
  limits: parsed(row.limits),
  state: String(row.state) as KeyRow['state'],
  registeredAt: Number(row.registered_at),
  revision: Number(row.revision),
  mac: String(row.mac),
})
const releaseOf = (row: Row): ReleaseRow => ({
  tenant: String(row.tenant),
  keyId: String(row.key_id),
  at: Number(row.at),
  lease: String(row.lease),
  hardware: parsed(row.hardware),
  challengeId: String(row.challenge_id),
  auditSequence: Number(row.audit_sequence),
})
const auditOf = (row: Row): AuditRow => ({
  sequence: Number(row.sequence),
  entry: String(row.entry),
  chain: String(row.chain),
})

/**
 * A broker's store in one SQLite file, which may be the gate's (`sqliteStore`). As there: several processes of one machine may
 * share it, every commit is synced to disk, and what is asked for in one turn of the event loop shares one write.
 * @param path a file on a local disk; network file systems do not lock
 * @throws Error where the file cannot be opened, is another program's, or was written by a later version
 */
export function sqliteReleaseStore(path: string): ReleaseStore {
  return new SqliteReleaseStore(openSqlite(path))
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
      const { tenant, keyId, policyDigest, policy, sealed, limits, state, registeredAt, revision, mac } = key
      const bound = [tenant, keyId, policyDigest, policy, sealed.kek, sealed.algorithm, sealed.data]
      this.#statements.run('putKey', ...bound, written(limits), state, registeredAt, revision, mac)
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
    return headOf(this.#statements.all('lastAudit').map(auditOf)[0])
  }

  #epochs(): SharedEpochs {
    const values = new Map(this.#statements.all('epochs').map((row) => [row.name, Number(row.value)]))
    return { policy: values.get('policy') ?? 0, collateral: values.get('collateral') ?? 0 }
  }

  async auditHead(): Promise<AuditHead> {
    return this.#head()
  }

  async auditRows(after: number, limit: number): Promise<readonly AuditRow[]> {
    return this.#statements.all('auditAfter', after, limit).map(auditOf)
  }

  putCheckpoint({ size, statement }: CheckpointRow): Promise<void> {
    return this.#commits.run(() => {
      const known = this.#statements.get('checkpoint', size)?.statement
      if (known === undefined) this.#statements.run('putCheckpoint', size, statement)
      else if (known !== statement) throw new Error(`there is another checkpoint of size ${size}`)
    })
  }

  async checkpoints(afterSize: number, limit: number): Promise<readonly CheckpointRow[]> {
    const rows = this.#statements.all('checkpointsAfter', afterSize, limit)
    return rows.map((row) => ({ size: Number(row.size), statement: String(row.statement) }))
  }

  async epochs(): Promise<SharedEpochs> {
    return this.#epochs()
  }

  async close(): Promise<void> {
    this.#commits.close()
    this.#database.close()
  }
}
