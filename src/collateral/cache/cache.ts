import { createHash } from 'node:crypto'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { CollateralFile } from '../../attestation/collateral.ts'
import type { Fault, NonEmpty } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import { GroupCommit } from '../../stores/group-commit.ts'
import { openDatabase } from '../../stores/sqlite-file.ts'
import type { ObjectFacts } from './facts.ts'
import { isNewer, type Mark } from './marks.ts'
import { CACHE_SCHEMA } from './schema.ts'

/** What one request gave at one time: the files as they came, and what they say of themselves. */
export interface CachedAnswer {
  readonly key: string
  readonly files: readonly CollateralFile[]
  readonly fetchedAt: UnixSeconds
  readonly issuedAt: UnixSeconds
  readonly validUntil: UnixSeconds
  /** where the answer's object follows others of its line */
  readonly line: string | undefined
  readonly evaluationNumber: number | undefined
  readonly sequenceNumber: bigint | undefined
}

/** That there is no such object, as the vendor said. */
export interface Absence {
  readonly faults: NonEmpty<Fault>
  readonly since: UnixSeconds
  readonly until: UnixSeconds
}

/** A reading of the wall clock beside one of the clock that runs since the machine was started. */
export interface ClockReadings {
  readonly instant: UnixSeconds
  /** names this start of this machine; undefined where the system does not tell */
  readonly boot: string | undefined
  readonly uptimeSeconds: number
}

export interface KeptClock extends ClockReadings {
  /** the latest instant of a clock that was sound */
  readonly latest: UnixSeconds
}

const SQL = {
  answers: 'SELECT * FROM answer WHERE key = ? ORDER BY fetched_at DESC, revision',
  everyAnswer: 'SELECT * FROM answer ORDER BY key, fetched_at DESC, revision',
  files: `SELECT name, sha256, (SELECT bytes FROM object WHERE object.sha256 = file.sha256) AS bytes FROM file
    WHERE answer = ? ORDER BY position`,
  putObject: 'INSERT INTO object (sha256, bytes) VALUES (?, ?) ON CONFLICT DO UPDATE SET bytes = excluded.bytes',
  dropAnswer: 'DELETE FROM answer WHERE key = ? AND revision = ?',
  putAnswer: `INSERT INTO answer (key, revision, line, fetched_at, issued_at, valid_until, evaluation_number, sequence_number)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
  putFile: 'INSERT INTO file VALUES (?, ?, ?, ?)',
  surplus:
    'DELETE FROM answer WHERE key = ? AND id NOT IN (SELECT id FROM answer WHERE key = ? ORDER BY fetched_at DESC, id DESC LIMIT ?)',
  orphans: 'DELETE FROM object WHERE sha256 NOT IN (SELECT sha256 FROM file)',
  ofLine: 'SELECT * FROM answer WHERE line = ?',
  keysOf: 'SELECT DISTINCT key FROM answer JOIN file ON file.answer = answer.id WHERE sha256 = ?',
  absence: 'SELECT faults, since, until FROM absence WHERE key = ?',
  putAbsence: `INSERT INTO absence VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET faults = excluded.faults,
    since = excluded.since, until = excluded.until`,
  dropAbsence: 'DELETE FROM absence WHERE key = ?',
  marks: 'SELECT * FROM mark WHERE scope = ? AND line = ?',
  putMark: `INSERT INTO mark VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET evaluation_number = excluded.evaluation_number,
    sequence_number = excluded.sequence_number, content = excluded.content`,
  pruneAbsences: 'DELETE FROM absence WHERE until < ?',
  pruneAnswers: 'DELETE FROM answer WHERE valid_until < ?',
  pruneMarks: `DELETE FROM mark WHERE scope = ?1 AND line = ?2 AND issued_at NOT IN
    (SELECT issued_at FROM mark WHERE scope = ?1 AND line = ?2 ORDER BY issued_at DESC LIMIT 8)`,
  clock: 'SELECT latest, instant, boot, uptime FROM clock',
  putClock: `INSERT INTO clock VALUES (1, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET latest = excluded.latest,
    instant = excluded.instant, boot = excluded.boot, uptime = excluded.uptime`,
} as const

type Row = Record<string, unknown>

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const numberOrNone = (value: unknown): number | undefined => (value === null ? undefined : Number(value))
const bigintOrNone = (value: unknown): bigint | undefined => (value === null ? undefined : BigInt(String(value)))

/** Manifests are re-issued under one id, and older drivers report what older ones say; so many stand beside one another. */
const REVISIONS = 8
const MONTH_SECONDS = 30 * 86_400
const revisionsOf = (key: string): number => (key.startsWith('nvidia-rim/') ? REVISIONS : 1)

/**
 * Collateral in one SQLite file that several processes may share: what vendors answered, what they do not have, the newest
 * objects that were ever authenticated, and the last instant. What is stored is bytes beside their digest, checked when
 * read; nothing in it is trusted, and every use proves it anew. The high-water marks and the clock are the verifier's memory:
 * whoever may write the file may take it away, so it is given mode 0600.
 */
export class CollateralCache {
  readonly #database: DatabaseSync
  readonly #commits: GroupCommit
  readonly #statements = new Map<keyof typeof SQL, StatementSync>()
  readonly #flights = new Set<Promise<void>>()
  readonly #failures: unknown[] = []

  /** @throws Error where the file cannot be opened, is another program's, or was written by a later version */
  constructor(path: string) {
    this.#database = openDatabase(path, CACHE_SCHEMA)
    this.#database.exec('PRAGMA foreign_keys = ON')
    this.#commits = new GroupCommit(this.#database)
  }

  #prepared(name: keyof typeof SQL): StatementSync {
    const statement = this.#statements.get(name) ?? this.#database.prepare(SQL[name])
    this.#statements.set(name, statement)
    return statement
  }

  #all(name: keyof typeof SQL, ...values: SQLInputValue[]): readonly Row[] {
    return this.#prepared(name).all(...values)
  }

  /** Gives the number of rows that changed. */
  #run(name: keyof typeof SQL, ...values: SQLInputValue[]): number {
    return Number(this.#prepared(name).run(...values).changes)
  }

  #drop({ key, revision }: Row): void {
    if (this.#run('dropAnswer', String(key), String(revision)) > 0) this.#run('orphans')
  }

  /** The revisions held for a key, the one fetched last first; one whose bytes are not those of its digest is dropped. */
  async held(key: string): Promise<readonly CachedAnswer[]> {
    return this.#whole(this.#snapshot(() => this.#read('answers', key)))
  }

  /** Everything that is held, by key. */
  async everything(): Promise<readonly CachedAnswer[]> {
    return this.#whole(this.#snapshot(() => this.#read('everyAnswer')))
  }

  /** Another process may replace an answer between the reading of its row and of its files. */
  #snapshot<T>(read: () => T): T {
    this.#database.exec('BEGIN')
    try {
      return read()
    } finally {
      this.#database.exec('COMMIT')
    }
  }

  #read(name: 'answers' | 'everyAnswer', ...values: SQLInputValue[]): readonly { row: Row; files: readonly Row[] }[] {
    return this.#all(name, ...values).map((row) => ({ row, files: this.#all('files', Number(row.id)) }))
  }

  async #whole(read: readonly { row: Row; files: readonly Row[] }[]): Promise<readonly CachedAnswer[]> {
    const isWhole = ({ bytes, sha256 }: Row) => bytes instanceof Uint8Array && sha256Of(bytes) === sha256
    const broken = read.filter(({ files }) => files.length === 0 || !files.every(isWhole))
    for (const { row } of broken) {
      await this.#commits.run(() => this.#drop(row))
    }
    return read.filter((answer) => !broken.includes(answer)).map(({ row, files }) => answerOf(row, files))
  }

  /** Holds an answer, on disk when the promise resolves. Of most keys it takes the place of what was held. */
  keep(answer: CachedAnswer): Promise<void> {
    const files = answer.files.map(({ name, bytes }) => ({ name, bytes, sha256: sha256Of(bytes) }))
    const revision = sha256Of(new TextEncoder().encode(files.map((f) => f.sha256).join()))
    return this.#commits.run(() => {
      const { key, line = null, fetchedAt, issuedAt, validUntil, evaluationNumber = null, sequenceNumber } = answer
      this.#run('dropAnswer', key, revision)
      const sequence = sequenceNumber === undefined ? null : String(sequenceNumber)
      const values = [key, revision, line, fetchedAt, issuedAt, validUntil, evaluationNumber, sequence] as const
      const id = Number(this.#prepared('putAnswer').get(...values)?.id)
      for (const [position, { name, bytes, sha256 }] of files.entries()) {
        this.#run('putObject', sha256, bytes)
        this.#run('putFile', id, position, name, sha256)
      }
      if (this.#run('surplus', key, key, revisionsOf(key)) > 0) this.#run('orphans')
      this.#run('dropAbsence', key)
    })
  }

  /** Keys of the answers that an object is part of. */
  keysOf(sha256: string): readonly string[] {
    return this.#all('keysOf', sha256).map(({ key }) => String(key))
  }

  absence(key: string, now: UnixSeconds): Absence | undefined {
    const [row] = this.#all('absence', key)
    if (row === undefined || now < Number(row.since) || now >= Number(row.until)) return undefined
    return { faults: JSON.parse(String(row.faults)), since: Number(row.since), until: Number(row.until) }
  }

  remember(key: string, { faults, since, until }: Absence): Promise<void> {
    return this.#commits.run(() => {
      this.#run('putAbsence', key, JSON.stringify(faults), since, until)
    })
  }

  /** @param scope whose roots authenticated the objects: empty for the pinned ones */
  marks(scope: string, line: string): readonly Mark[] {
    return this.#all('marks', scope, line).map(markOf)
  }

  /**
   * Raises the marks of lines by objects that a judgement has authenticated, and drops the answers that are older, so that
   * they are fetched anew. What does not come after the mark changes nothing.
   */
  raise(
    scope: string,
    authenticated: readonly { readonly line: string; readonly facts: ObjectFacts }[],
  ): Promise<void> {
    return this.#commits.run(() => {
      for (const { line, facts } of authenticated) {
        if (!this.marks(scope, line).every((mark) => isNewer(facts, mark))) continue
        const sequence = facts.sequenceNumber === undefined ? null : String(facts.sequenceNumber)
        this.#run('putMark', scope, line, facts.issuedAt, facts.evaluationNumber ?? null, sequence, facts.content)
        this.#run('pruneMarks', scope, line)
        for (const row of this.#all('ofLine', line)) {
          if (isNewer(facts, markOf({ ...row, content: '' }))) this.#drop(row)
        }
      }
    })
  }

  /**
   * Reads the clock and compares it with what is kept, in one transaction, so that no other process comes between the two.
   * Whole minutes are kept: a clock that is corrected by seconds has not gone back. A reading that is not sound is what the
   * next one is compared with, and never the latest instant.
   */
  tick<T>(
    read: () => ClockReadings,
    judge: (now: ClockReadings, before: KeptClock | undefined) => { readonly result: T; readonly isSound: boolean },
  ): Promise<T> {
    return this.#commits.run(() => {
      const [row] = this.#all('clock')
      const before = row === undefined ? undefined : keptClockOf(row)
      const now = read()
      const { result, isSound } = judge(now, before)
      const hasMoved = before === undefined || now.instant - before.instant >= 60 || now.boot !== before.boot
      if (hasMoved || !isSound) {
        const latest = isSound ? Math.max(now.instant, before?.latest ?? 0) : (before?.latest ?? 0)
        this.#run('putClock', latest, now.instant, now.boot ?? null, now.uptimeSeconds)
      }
      return result
    })
  }

  /** Work that goes on after its caller was answered. What fails in it is told by `settled`. */
  inBackground(work: Promise<unknown>): void {
    const flight: Promise<void> = work
      .then(
        () => undefined,
        (error: unknown) => void this.#failures.push(error),
      )
      .finally(() => this.#flights.delete(flight))
    this.#flights.add(flight)
  }

  /** @throws AggregateError of what failed in the background since it was told last */
  async settled(): Promise<void> {
    await Promise.all(this.#flights)
    const failures = this.#failures.splice(0)
    if (failures.length > 0) throw new AggregateError(failures, 'the cache could not be refreshed')
  }

  /** Removes what ended a month ago: nobody who judges now can use it. */
  prune(now: UnixSeconds): Promise<void> {
    return this.#commits.run(() => {
      this.#run('pruneAbsences', now)
      if (this.#run('pruneAnswers', now - MONTH_SECONDS) > 0) this.#run('orphans')
    })
  }

  /** After what goes on in the background. */
  async close(): Promise<void> {
    try {
      await this.settled()
    } finally {
      this.#commits.close()
      this.#database.close()
    }
  }
}

const answerOf = (row: Row, files: readonly Row[]): CachedAnswer => ({
  key: String(row.key),
  files: files.map(({ name, bytes }) => ({ name: String(name), bytes: bytes as Uint8Array })),
  fetchedAt: Number(row.fetched_at),
  issuedAt: Number(row.issued_at),
  validUntil: Number(row.valid_until),
  line: row.line === null ? undefined : String(row.line),
  evaluationNumber: numberOrNone(row.evaluation_number),
  sequenceNumber: bigintOrNone(row.sequence_number),
})

const markOf = (row: Row): Mark => ({
  issuedAt: Number(row.issued_at),
  evaluationNumber: numberOrNone(row.evaluation_number),
  sequenceNumber: bigintOrNone(row.sequence_number),
  content: String(row.content),
})

const keptClockOf = ({ latest, instant, boot, uptime }: Row): KeptClock => ({
  latest: Number(latest),
  instant: Number(instant),
  boot: boot === null ? undefined : String(boot),
  uptimeSeconds: Number(uptime),
})
