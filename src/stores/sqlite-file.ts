import { closeSync, constants, fchmodSync, fstatSync, openSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { checkSchema, migrate } from './sqlite-schema.ts'

/** How long a process waits while another one writes. */
const BUSY_MILLISECONDS = 5000

/**
 * Opens a file of ours: mode 0600, write-ahead log, every commit synced to disk, brought to this version's schema.
 * @throws Error where the file cannot be opened, is another program's, or was written by a later version
 */
export function openSqlite(path: string): DatabaseSync {
  if (typeof path !== 'string' || path === '') throw new TypeError('path is the name of a file')
  if (path !== ':memory:') keepPrivate(path)
  const database = new DatabaseSync(path)
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_MILLISECONDS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`)
    migrate(database, path)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/**
 * Opens a file of ours without changing it.
 * @throws Error where there is no such file, or it is not one of this version
 */
export function readSqlite(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_MILLISECONDS}`)
    checkSchema(database, path)
    return database
  } catch (error) {
    database.close()
    throw error
  }
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
