import { canonicalJson, type JsonObject } from '../core/json.ts'
import type {
  Consumption,
  EventRow,
  GateChange,
  GateStore,
  GateView,
  HardwareRow,
  LeaseRow,
  PostureRow,
  StoredChallenge,
} from '../gate/store.ts'
import type { PostgresOptions } from './postgres-options.ts'
import { Postgres, type Query, type Row, readStored, stored } from './postgres-pool.ts'

const DAY_SECONDS = 24 * 60 * 60

const SQL = {
  putChallenge: 'INSERT INTO vouchsafe.challenge (id, record, expires_at) VALUES ($1, $2, $3)',
  consume: `UPDATE vouchsafe.challenge SET used = true WHERE id = $1 AND NOT used AND expires_at >= $2
    RETURNING record, expires_at`,
  challenge: 'SELECT used FROM vouchsafe.challenge WHERE id = $1',
  burn: 'INSERT INTO vouchsafe.burnt (id, until) VALUES ($1, $2) ON CONFLICT DO NOTHING',
  count: 'UPDATE vouchsafe.counter SET value = value + $2 WHERE name = $1 RETURNING value',
  setCounter: 'UPDATE vouchsafe.counter SET value = $2 WHERE name = $1',
  counter: 'SELECT value FROM vouchsafe.counter WHERE name = $1',
  putPosture: `INSERT INTO vouchsafe.posture VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (provider, policy_digest)
    DO UPDATE SET decided_at = excluded.decided_at, valid_until = excluded.valid_until, posture = excluded.posture,
    revision = excluded.revision`,
  putLease: `INSERT INTO vouchsafe.lease VALUES ($1, $2, $3, $4, $5) ON CONFLICT (lease) DO UPDATE SET
    provider = excluded.provider, due_at = excluded.due_at, state = excluded.state, revision = excluded.revision`,
  putDenial: `INSERT INTO vouchsafe.denial VALUES ($1, $2, $3) ON CONFLICT (subject) DO UPDATE SET
    reason = excluded.reason, since = excluded.since`,
  removeDenial: 'DELETE FROM vouchsafe.denial WHERE subject = $1',
  putEvent: 'INSERT INTO vouchsafe.event (sequence, event) VALUES ($1, $2)',
  hardware: 'SELECT id, holders FROM vouchsafe.hardware WHERE id = $1',
  putHardware: `INSERT INTO vouchsafe.hardware VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET holders = excluded.holders`,
  removeHardware: 'DELETE FROM vouchsafe.hardware WHERE id = $1',
  postures: 'SELECT * FROM vouchsafe.posture WHERE revision > $1 ORDER BY revision, provider, policy_digest',
  leases: 'SELECT * FROM vouchsafe.lease WHERE revision > $1 ORDER BY revision, lease',
  denials: 'SELECT * FROM vouchsafe.denial ORDER BY subject',
  leasesDue: 'SELECT * FROM vouchsafe.lease WHERE due_at <= $1 ORDER BY due_at, lease LIMIT $2',
  eventsAfter: 'SELECT sequence, event FROM vouchsafe.event WHERE sequence > $1 ORDER BY sequence LIMIT $2',
  cursor: 'SELECT sequence FROM vouchsafe.cursor WHERE consumer = $1',
  moveCursor: `INSERT INTO vouchsafe.cursor AS known VALUES ($1, $2) ON CONFLICT (consumer)
    DO UPDATE SET sequence = greatest(known.sequence, excluded.sequence)`,
  pruneChallenges: 'DELETE FROM vouchsafe.challenge WHERE expires_at < $1',
  pruneBurnt: 'DELETE FROM vouchsafe.burnt WHERE until < $1',
  pruneEvents:
    "DELETE FROM vouchsafe.event WHERE sequence <= (SELECT value FROM vouchsafe.counter WHERE name = 'event') - $1",
} as const

const objectOf = (text: unknown): JsonObject => JSON.parse(String(text)) as JsonObject

const leaseOf = (row: Row): LeaseRow => ({
  lease: readStored(row.lease),
  provider: readStored(row.provider),
  dueAt: row.due_at === null ? null : Number(row.due_at),
  state: objectOf(row.state),
})
const postureOf = (row: Row): PostureRow => ({
  provider: readStored(row.provider),
  policyDigest: readStored(row.policy_digest),
  decidedAt: Number(row.decided_at),
  validUntil: Number(row.valid_until),
  posture: objectOf(row.posture),
})

/**
 * A gate's store in PostgreSQL, which all replicas of a gate share. Its tables are in the schema `vouchsafe`, brought to this
 * version when it is opened. A challenge is used up by one statement; views, hardware and events are written one after the other.
 * @throws Error where pg is not installed, or the database cannot be reached, is of a later version or not durable
 */
export async function postgresStore(options: PostgresOptions): Promise<GateStore> {
  return new PostgresStore(await Postgres.open(options))
}

class PostgresStore implements GateStore {
  readonly #database: Postgres

  constructor(database: Postgres) {
    this.#database = database
  }

  async putChallenge({ id, record, expiresAt }: StoredChallenge): Promise<void> {
    await this.#database.query(SQL.putChallenge, [stored(id), canonicalJson(record), expiresAt])
  }

  async consumeChallenge(id: string, now: number): Promise<Consumption> {
    const [taken] = (await this.#database.query(SQL.consume, [stored(id), now])).rows
    if (taken !== undefined) {
      const challenge = { id, record: objectOf(taken.record), expiresAt: Number(taken.expires_at) }
      return { kind: 'consumed', challenge }
    }
    const [known] = (await this.#database.query(SQL.challenge, [stored(id)])).rows
    return { kind: known === undefined ? 'unknown' : known.used === true ? 'used' : 'expired' }
  }

  async burn(id: string, until: number): Promise<boolean> {
    return (await this.#database.query(SQL.burn, [stored(id), until])).rowCount === 1
  }

  commit(change: GateChange): Promise<void> {
    return this.#database.locked('gate', (query) => write(query, change))
  }

  updateHardware<T>(ids: readonly string[], update: Parameters<GateStore['updateHardware']>[1]): Promise<T> {
    return this.#database.locked('gate', async (query) => {
      const rows = await hardware(query, ids)
      const { rows: changed, removed = [], change = {}, result } = update(new Map(rows.map((row) => [row.id, row])))
      for (const { id, holders } of changed) await query(SQL.putHardware, [stored(id), canonicalJson(holders)])
      for (const id of removed) await query(SQL.removeHardware, [stored(id)])
      await write(query, change)
      return result as T
    })
  }

  hardware(ids: readonly string[]): Promise<readonly HardwareRow[]> {
    return hardware(this.#database.query, ids)
  }

  viewSince(revision: number): Promise<GateView> {
    return this.#database.snapshot(async (query) => {
      const newest = await counter(query, 'view')
      const denialsChanged = revision === 0 || (await counter(query, 'denials')) > revision
      return {
        revision: newest,
        postures: (await query(SQL.postures, [revision])).rows.map(postureOf),
        leases: (await query(SQL.leases, [revision])).rows.map(leaseOf),
        denials: denialsChanged
          ? (await query(SQL.denials)).rows.map((row) => ({
              subject: readStored(row.subject),
              reason: readStored(row.reason),
              since: Number(row.since),
            }))
          : undefined,
      }
    })
  }

  async leasesDue(now: number, limit: number): Promise<readonly LeaseRow[]> {
    return (await this.#database.query(SQL.leasesDue, [now, limit])).rows.map(leaseOf)
  }

  async eventsAfter(sequence: number, limit: number): Promise<readonly EventRow[]> {
    const { rows } = await this.#database.query(SQL.eventsAfter, [sequence, limit])
    return rows.map((row) => ({ sequence: Number(row.sequence), event: objectOf(row.event) }))
  }

  async cursor(consumer: string): Promise<number> {
    return Number((await this.#database.query(SQL.cursor, [stored(consumer)])).rows[0]?.sequence ?? 0)
  }

  async moveCursor(consumer: string, sequence: number): Promise<void> {
    await this.#database.query(SQL.moveCursor, [stored(consumer), sequence])
  }

  prune(now: number, keepEvents: number): Promise<void> {
    return this.#database.locked('gate', async (query) => {
      await query(SQL.pruneChallenges, [now - DAY_SECONDS])
      await query(SQL.pruneBurnt, [now - DAY_SECONDS])
      await query(SQL.pruneEvents, [keepEvents])
    })
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}

async function hardware(query: Query, ids: readonly string[]): Promise<readonly HardwareRow[]> {
  const found: HardwareRow[] = []
  for (const id of new Set(ids))
    for (const row of (await query(SQL.hardware, [stored(id)])).rows) found.push({ id, holders: objectOf(row.holders) })
  return found
}

async function counter(query: Query, name: string): Promise<number> {
  return Number((await query(SQL.counter, [name])).rows[0]?.value)
}

/** Moves a counter on, and gives where it is then. */
async function count(query: Query, name: string, by: number): Promise<number> {
  return Number((await query(SQL.count, [name, by])).rows[0]?.value)
}

async function write(query: Query, change: GateChange): Promise<void> {
  const { postures = [], leases = [], denials = [], withdrawnDenials = [], events = [] } = change
  if (postures.length + leases.length + denials.length + withdrawnDenials.length > 0) {
    const revision = await count(query, 'view', 1)
    for (const { provider, policyDigest, decidedAt, validUntil, posture } of postures) {
      const ids = [stored(provider), stored(policyDigest)]
      await query(SQL.putPosture, [...ids, decidedAt, validUntil, canonicalJson(posture), revision])
    }
    for (const { lease, provider, dueAt, state } of leases)
      await query(SQL.putLease, [stored(lease), stored(provider), dueAt, canonicalJson(state), revision])
    if (denials.length + withdrawnDenials.length > 0) await query(SQL.setCounter, ['denials', revision])
    for (const subject of withdrawnDenials) await query(SQL.removeDenial, [stored(subject)])
    for (const { subject, reason, since } of denials)
      await query(SQL.putDenial, [stored(subject), stored(reason), since])
  }
  if (events.length === 0) return
  const last = await count(query, 'event', events.length)
  for (const [i, event] of events.entries())
    await query(SQL.putEvent, [last - events.length + 1 + i, canonicalJson(event)])
}
