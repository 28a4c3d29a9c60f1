import type { Pool, PoolClient, QueryResult } from 'pg'
import type { PostgresOptions } from './postgres-options.ts'
import { MIGRATIONS } from './postgres-schema.ts'

/** Advisory locks of ours: "VSG1", and what is locked. */
const LOCK_CLASS = 0x56534731
const LOCKS = { schema: 1, gate: 2, release: 3 } as const
export type Lock = keyof typeof LOCKS

const MOST_CONNECTIONS = 10
const CONNECT_MILLISECONDS = 10_000
/** Nobody waits for ever for a replica that hangs. */
const SETTINGS = `
  SET lock_timeout = '30s'; SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '30s';
  SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')`

/** serialization_failure and deadlock_detected: nothing was written, and the same may succeed now. */
const TRANSIENT: ReadonlySet<unknown> = new Set(['40001', '40P01'])
const MOST_ATTEMPTS = 10

export type Row = Record<string, unknown>
export type Value = string | number | null

/** What one transaction, or the pool, is asked. */
export type Query = (text: string, values?: readonly Value[]) => Promise<QueryResult<Row>>

/** A database with our schema, and the connections of one process to it. */
export class Postgres {
  readonly #pool: Pool

  private constructor(pool: Pool) {
    this.#pool = pool
  }

  /**
   * Connects, and brings the schema to this version.
   * @throws Error where pg is not installed, the database cannot be reached, was written by a later version, or does not sync
   * its commits to disk
   */
  static async open({ connectionString }: PostgresOptions): Promise<Postgres> {
    return Postgres.#connected(connectionString, (database) => database.#migrate())
  }

  /** As `open`, but nothing is created or changed. */
  static async read({ connectionString }: PostgresOptions): Promise<Postgres> {
    return Postgres.#connected(connectionString, (database) => database.#checkVersion())
  }

  static async #connected(connectionString: string, prepare: (database: Postgres) => Promise<void>): Promise<Postgres> {
    if (typeof connectionString !== 'string') throw new TypeError('connectionString is a postgres: URL')
    const { default: pg } = await import('pg').catch((cause: unknown) => {
      throw new Error('the package pg is not installed (npm install pg)', { cause })
    })
    const pool = new pg.Pool({
      connectionString,
      max: MOST_CONNECTIONS,
      connectionTimeoutMillis: CONNECT_MILLISECONDS,
      onConnect(client) {
        client.on('error', () => undefined)
        return client.query(SETTINGS)
      },
    })
    // A connection that breaks while nobody uses it is replaced; whoever uses one hears of it from what it asked.
    pool.on('error', () => undefined)
    const database = new Postgres(pool)
    try {
      await database.#checkDurable()
      await prepare(database)
      return database
    } catch (error) {
      await pool.end()
      throw error
    }
  }

  /** One statement, which is a transaction by itself. */
  readonly query: Query = (text, values = []) => this.#pool.query<Row>(text, [...values])

  /** Alone among all processes that take this lock. What `work` throws rolls back. */
  async locked<T>(lock: Lock, work: (query: Query) => Promise<T>): Promise<T> {
    const begin = `BEGIN; SELECT pg_advisory_xact_lock(${LOCK_CLASS}, ${LOCKS[lock]})`
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#transaction(begin, work)
      } catch (error) {
        if (attempt === MOST_ATTEMPTS || !TRANSIENT.has(Object(error).code)) throw error
      }
    }
  }

  /** Everything as it was at one moment. */
  snapshot<T>(work: (query: Query) => Promise<T>): Promise<T> {
    return this.#transaction('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work)
  }

  close(): Promise<void> {
    return this.#pool.end()
  }

  async #transaction<T>(begin: string, work: (query: Query) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    try {
      await client.query(begin)
      const result = await work((text, values = []) => client.query<Row>(text, [...values]))
      const { command } = await client.query('COMMIT')
      if (command !== 'COMMIT') throw new Error('the transaction was rolled back')
      client.release()
      return result
    } catch (error) {
      await rollBack(client)
      throw error
    }
  }

  async #checkDurable(): Promise<void> {
    const { rows } = await this.query('SHOW fsync')
    if (rows[0]?.fsync !== 'on') throw new Error('the database has fsync off: what it commits may be lost')
  }

  async #migrate(): Promise<void> {
    await this.locked('schema', async (query) => {
      await query('CREATE SCHEMA IF NOT EXISTS vouchsafe')
      await query('CREATE TABLE IF NOT EXISTS vouchsafe.schema_version (version integer NOT NULL)')
      const { rows } = await query('SELECT version FROM vouchsafe.schema_version')
      const version = Number(rows[0]?.version ?? 0)
      if (version > MIGRATIONS.length)
        throw new Error(`the database was written by a later version of vouchsafe (schema ${version})`)
      if (version === MIGRATIONS.length) return
      for (const migration of MIGRATIONS.slice(version)) await query(migration)
      await query('DELETE FROM vouchsafe.schema_version')
      await query('INSERT INTO vouchsafe.schema_version VALUES ($1)', [MIGRATIONS.length])
    })
  }

  async #checkVersion(): Promise<void> {
    const { rows } = await this.query('SELECT version FROM vouchsafe.schema_version')
    const version = Number(rows[0]?.version ?? 0)
    if (version !== MIGRATIONS.length)
      throw new Error(`the database has schema ${version}, and this version of vouchsafe reads ${MIGRATIONS.length}`)
  }
}

/** A connection whose transaction cannot be ended is not used again. */
async function rollBack(client: PoolClient): Promise<void> {
  try {
    await client.query('ROLLBACK')
    client.release()
  } catch {
    client.release(true)
  }
}

/** PostgreSQL's text has no NUL, and ids may be any text: NUL is written `\0`, and a backslash twice. */
export const stored = (text: string): string => text.replace(/[\\\0]/g, (c) => (c === '\0' ? '\\0' : '\\\\'))

export const readStored = (text: unknown): string =>
  String(text).replace(/\\(.)/g, (_, c: string) => (c === '0' ? '\0' : '\\'))
