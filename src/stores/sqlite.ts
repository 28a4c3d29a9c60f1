import type { DatabaseSync } from 'node:sqlite'
import { canonicalJson, type JsonObject } from '../core/json.ts'
import type {
  Consumption,
  DenialRow,
  EventRow,
  GateChange,
  GateStore,
  GateView,
  HardwareRow,
  LeaseRow,
  PostureRow,
} from '../gate/store.ts'
import { GroupCommit } from './group-commit.ts'
import { openDatabase, type Row, Statements } from './sqlite-file.ts'
import { STORE_SCHEMA } from './sqlite-schema.ts'

const DAY_SECONDS = 24 * 60 * 60

const SQL = {
  putChallenge: 'INSERT INTO challenge (id, record, expires_at) VALUES (?, ?, ?)',
  consume: 'UPDATE challenge SET used = 1 WHERE id = ? AND used = 0 AND expires_at >= ? RETURNING record, expires_at',
  challenge: 'SELECT used FROM challenge WHERE id = ?',
  burn: 'INSERT INTO burnt (id, until) VALUES (?, ?) ON CONFLICT DO NOTHING',
  bump: 'UPDATE revision SET value = value + 1 WHERE name = ? RETURNING value',
  setRevision: 'UPDATE revision SET value = ? WHERE name = ?',
  revision: 'SELECT value FROM revision WHERE name = ?',
  putPosture: `INSERT INTO posture VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET decided_at = excluded.decided_at,
    valid_until = excluded.valid_until, posture = excluded.posture, revision = excluded.revision`,
  putLease: `INSERT INTO lease VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET provider = excluded.provider,
    due_at = excluded.due_at, state = excluded.state, revision = excluded.revision`,
  putDenial: `INSERT INTO denial VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET reason = excluded.reason, since = excluded.since`,
  removeDenial: 'DELETE FROM denial WHERE subject = ?',
  putEvent: 'INSERT INTO event (event) VALUES (?)',
  hardware: 'SELECT id, holders FROM hardware WHERE id = ?',
  putHardware: 'INSERT INTO hardware VALUES (?, ?) ON CONFLICT DO UPDATE SET holders = excluded.holders',
  removeHardware: 'DELETE FROM hardware WHERE id = ?',
  postures: 'SELECT * FROM posture WHERE revision > ? ORDER BY revision, provider, policy_digest',
  leases: 'SELECT * FROM lease WHERE revision > ? ORDER BY revision, lease',
  denials: 'SELECT * FROM denial ORDER BY subject',
  leasesDue: 'SELECT * FROM lease WHERE due_at <= ? ORDER BY due_at, lease LIMIT ?',
  eventsAfter: 'SELECT sequence, event FROM event WHERE sequence > ? ORDER BY sequence LIMIT ?',
  cursor: 'SELECT sequence FROM cursor WHERE consumer = ?',
  moveCursor: 'INSERT INTO cursor VALUES (?, ?) ON CONFLICT DO UPDATE SET sequence = max(sequence, excluded.sequence)',
  pruneChallenges: 'DELETE FROM challenge WHERE expires_at < ?',
  pruneBurnt: 'DELETE FROM burnt WHERE until < ?',
  pruneEvents: 'DELETE FROM event WHERE sequence <= (SELECT max(sequence) FROM event) - ?',
} as const

const objectOf = (text: unknown): JsonObject => JSON.parse(String(text)) as JsonObject

const leaseOf = (row: Row): LeaseRow => ({
  lease: String(row.lease),
  provider: String(row.provider),
  dueAt: row.due_at === null ? null : Number(row.due_at),
  state: objectOf(row.state),
})
const postureOf = (row: Row): PostureRow => ({
  provider: String(row.provider),
  policyDigest: String(row.policy_digest),
  decidedAt: Number(row.decided_at),
  validUntil: Number(row.valid_until),
  posture: objectOf(row.posture),
})
const hardwareOf = (row: Row): HardwareRow => ({ id: String(row.id), holders: objectOf(row.holders) })

/**
 * A gate's store in one SQLite file (`node:sqlite`, write-ahead log, every commit synced to disk), which several processes
 * of one machine may share. The file is given mode 0600 and brought to this version's schema.
 * Writing blocks the thread for as long as the disk takes; what is asked for in one turn of the event loop shares one write.
 * @param path a file on a local disk; network file systems do not lock
 * @throws Error where the file cannot be opened, is another program's, or was written by a later version
 */
export function sqliteStore(path: string): GateStore {
  return new SqliteStore(openDatabase(path, STORE_SCHEMA))
}

class SqliteStore implements GateStore {
  readonly #database: DatabaseSync
  readonly #commits: GroupCommit
  readonly #statements: Statements<keyof typeof SQL>

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#commits = new GroupCommit(database)
    this.#statements = new Statements(database, SQL)
  }

  putChallenge({ id, record, expiresAt }: Parameters<GateStore['putChallenge']>[0]): Promise<void> {
    return this.#commits.run(() => {
      this.#statements.run('putChallenge', id, canonicalJson(record), expiresAt)
    })
  }

  consumeChallenge(id: string, now: number): Promise<Consumption> {
    return this.#commits.run((): Consumption => {
      const taken = this.#statements.get('consume', id, now)
      if (taken !== undefined) {
        const challenge = { id, record: objectOf(taken.record), expiresAt: Number(taken.expires_at) }
        return { kind: 'consumed', challenge }
      }
      const known = this.#statements.get('challenge', id)
      return { kind: known === undefined ? 'unknown' : known.used === 1 ? 'used' : 'expired' }
    })
  }

  burn(id: string, until: number): Promise<boolean> {
    return this.#commits.run(() => this.#statements.run('burn', id, until) === 1)
  }

  commit(change: GateChange): Promise<void> {
    return this.#commits.run(() => this.#write(change))
  }

  updateHardware<T>(ids: readonly string[], update: Parameters<GateStore['updateHardware']>[1]): Promise<T> {
    return this.#commits.run(() => {
      const rows = this.#hardware(ids)
      const { rows: written, removed = [], change = {}, result } = update(new Map(rows.map((row) => [row.id, row])))
      for (const { id, holders } of written) this.#statements.run('putHardware', id, canonicalJson(holders))
      for (const id of removed) this.#statements.run('removeHardware', id)
      this.#write(change)
      return result as T
    })
  }

  async hardware(ids: readonly string[]): Promise<readonly HardwareRow[]> {
    return this.#hardware(ids)
  }

  #hardware(ids: readonly string[]): readonly HardwareRow[] {
    return [...new Set(ids)].flatMap((id) => this.#statements.all('hardware', id).map(hardwareOf))
  }

  #write({ postures = [], leases = [], denials = [], withdrawnDenials = [], events = [] }: GateChange): void {
    if (postures.length + leases.length + denials.length + withdrawnDenials.length > 0) {
      const revision = Number(this.#statements.get('bump', 'view')?.value)
      for (const { provider, policyDigest, decidedAt, validUntil, posture } of postures)
        this.#statements.run(
          'putPosture',
          provider,
          policyDigest,
          decidedAt,
          validUntil,
          canonicalJson(posture),
          revision,
        )
      for (const { lease, provider, dueAt, state } of leases)
        this.#statements.run('putLease', lease, provider, dueAt, canonicalJson(state), revision)
      if (denials.length + withdrawnDenials.length > 0) this.#statements.run('setRevision', revision, 'denials')
      for (const subject of withdrawnDenials) this.#statements.run('removeDenial', subject)
      for (const { subject, reason, since } of denials) this.#statements.run('putDenial', subject, reason, since)
    }
    for (const event of events) this.#statements.run('putEvent', canonicalJson(event))
  }

  /** One snapshot: a commit of another process comes whole or not at all. */
  async viewSince(revision: number): Promise<GateView> {
    this.#database.exec('BEGIN')
    try {
      const newest = Number(this.#statements.get('revision', 'view')?.value)
      const denialsChanged = Number(this.#statements.get('revision', 'denials')?.value) > revision || revision === 0
      return {
        revision: newest,
        postures: newest > revision ? this.#statements.all('postures', revision).map(postureOf) : [],
        leases: newest > revision ? this.#statements.all('leases', revision).map(leaseOf) : [],
        denials: denialsChanged
          ? this.#statements.all('denials').map(
              ({ subject, reason, since }): DenialRow => ({
                subject: String(subject),
                reason: String(reason),
                since: Number(since),
              }),
            )
          : undefined,
      }
    } finally {
      this.#database.exec('COMMIT')
    }
  }

  async leasesDue(now: number, limit: number): Promise<readonly LeaseRow[]> {
    return this.#statements.all('leasesDue', now, limit).map(leaseOf)
  }

  async eventsAfter(sequence: number, limit: number): Promise<readonly EventRow[]> {
    return this.#statements.all('eventsAfter', sequence, limit).map((row) => ({
      sequence: Number(row.sequence),
      event: objectOf(row.event),
    }))
  }

  async cursor(consumer: string): Promise<number> {
    return Number(this.#statements.get('cursor', consumer)?.sequence ?? 0)
  }

  moveCursor(consumer: string, sequence: number): Promise<void> {
    return this.#commits.run(() => {
      this.#statements.run('moveCursor', consumer, sequence)
    })
  }

  prune(now: number, keepEvents: number): Promise<void> {
    return this.#commits.run(() => {
      this.#statements.run('pruneChallenges', now - DAY_SECONDS)
      this.#statements.run('pruneBurnt', now - DAY_SECONDS)
      this.#statements.run('pruneEvents', keepEvents)
    })
  }

  async close(): Promise<void> {
    this.#commits.close()
    this.#database.close()
  }
}
