import { closeSync, constants, fchmodSync, fstatSync, openSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'

/** Whose file it is, and how it came to be what it is. */
export interface SqliteSchema {
  /** `application_id` of these files, so that no other program's database is written to */
  readonly applicationId: number
  /** forward only: entry n leads from version n to n + 1 (`user_version`); an entry is never changed once released */
  readonly migrations: readonly string[]
}

/** How long a process waits while another one writes. */
const BUSY_MILLISECONDS = 5000

/**
 * Opens a database (write-ahead log, every commit synced to disk) that several processes of one machine may share. The file
 * is given mode 0600 and brought to the schema.
 * @param path a file on a local disk; network file systems do not lock
 * @throws Error where the file cannot be opened, is another program's, or was written by a later version
 */
export function openDatabase(path: string, schema: SqliteSchema): DatabaseSync {
  if (typeof path !== 'string' || path === '') throw new TypeError('path is the name of a file')
  if (path !== ':memory:') keepPrivate(path)
  const database = new DatabaseSync(path)
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_MILLISECONDS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`)
    migrate(database, path, schema)
  } catch (error) {
    database.close()
    throw error
  }
  return database
}

/**
 * SQLite would make the file as the umask says, and its log with the file's own mode.
 * @throws Error where others may open the file and it is not ours to forbid
 */
function keepPrivate(path: string): void {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  try {
    if ((fstatSync(file).mode & 0o077) !== 0) fchmodSync(file, 0o600)
  } finally {
    closeSync(file)
  }
}

const numberOf = (database: DatabaseSync, pragma: string): number =>
  Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0] ?? 0)

/** Brings a database to this version's schema, several processes at once or not. */
function migrate(database: DatabaseSync, path: string, { applicationId, migrations }: SqliteSchema): void {
  if (
    numberOf(database, 'application_id') === applicationId &&
    numberOf(database, 'user_version') === migrations.length
  )
    return
  database.exec('BEGIN IMMEDIATE')
  try {
    const version = numberOf(database, 'user_version')
    const owner = numberOf(database, 'application_id')
    const tables = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as { readonly n: number }
    if (owner !== applicationId && (owner !== 0 || version !== 0 || tables.n > 0))
      throw new Error(`${path} is the database of another program`)
    if (version > migrations.length)
      throw new Error(`${path} was written by a later version of vouchsafe (schema ${version})`)
    for (const migration of migrations.slice(version)) database.exec(migration)
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`)
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}

/**
 * Opens a database without changing it.
 * @throws Error where there is no such file, or it is not one of this schema's newest version
 */
export function readDatabase(path: string, { applicationId, migrations }: SqliteSchema): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_MILLISECONDS}`)
    if (numberOf(database, 'application_id') !== applicationId)
      throw new Error(`${path} is the database of another program`)
    const version = numberOf(database, 'user_version')
    if (version !== migrations.length)
      throw new Error(`${path} has schema ${version}, and this version of vouchsafe reads schema ${migrations.length}`)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

export type Row = Record<string, unknown>
type Value = string | number | null

/** The statements of one store by name, each prepared when it is first used. */
export class Statements<Name extends string> {
  readonly #database: DatabaseSync
  readonly #texts: Readonly<Record<Name, string>>
  readonly #prepared = new Map<Name, StatementSync>()

  constructor(database: DatabaseSync, texts: Readonly<Record<Name, string>>) {
    this.#database = database
    this.#texts = texts
  }

  #statement(name: Name): StatementSync {
    const statement = this.#prepared.get(name) ?? this.#database.prepare(this.#texts[name])
    this.#prepared.set(name, statement)
    return statement
  }

  all(name: Name, ...values: readonly Value[]): readonly Row[] {
    return this.#statement(name).all(...values)
  }

  get(name: Name, ...values: readonly Value[]): Row | undefined {
    return this.#statement(name).get(...values)
  }

  /** How many rows were changed. */
  run(name: Name, ...values: readonly Value[]): number {
    return Number(this.#statement(name).run(...values).changes)
  }
}
