import type { DatabaseSync } from 'node:sqlite'
import type { KeyName, ReleaseRow } from '../release/ports.ts'
import type { AskedRelease, Usage } from '../release/usage.ts'
import { releaseRow, written } from './release-rows.ts'
import { Statements } from './sqlite-file.ts'

/** Releases of a key are numbered, and so are the different leases and chips that had it: the last number is how many. */
const SQL = {
  last: 'SELECT number FROM release WHERE tenant = ? AND key_id = ? ORDER BY number DESC LIMIT 1',
  after: 'SELECT * FROM release WHERE tenant = ? AND key_id = ? AND number > ? ORDER BY number LIMIT ?',
  answer: 'SELECT number FROM release WHERE challenge_id = ?',
  put: 'INSERT INTO release VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  lastRecipient: `SELECT number FROM release_recipient WHERE tenant = ? AND key_id = ? AND kind = ?
    ORDER BY number DESC LIMIT 1`,
  recipient: 'SELECT number FROM release_recipient WHERE tenant = ? AND key_id = ? AND kind = ? AND id = ?',
  putRecipient: 'INSERT INTO release_recipient VALUES (?, ?, ?, ?, ?)',
} as const

/** What may have a key. */
type Kind = 'lease' | 'chip'

/** The releases in a broker's file, and what those of a key come to. To be used within a transaction. */
export class SqliteUsage {
  readonly #statements: Statements<keyof typeof SQL>

  constructor(database: DatabaseSync) {
    this.#statements = new Statements(database, SQL)
  }

  of(name: KeyName, { challengeId, lease, chips, nthLast }: AskedRelease): Usage {
    const releases = this.releases(name)
    return {
      releases,
      nthLastAt: nthLast === null || nthLast > releases ? null : this.#timeAfter(name, releases - nthLast),
      leases: this.#last(name, 'lease') + this.#newOf(name, 'lease', [lease]).length,
      chips: this.#last(name, 'chip') + this.#newOf(name, 'chip', chips).length,
      isAnswered: this.#statements.get('answer', challengeId) !== undefined,
    }
  }

  releases({ tenant, keyId }: KeyName): number {
    return Number(this.#statements.get('last', tenant, keyId)?.number ?? 0)
  }

  /** Those after the first `after`. */
  rows({ tenant, keyId }: KeyName, after: number, limit: number): readonly ReleaseRow[] {
    return this.#statements.all('after', tenant, keyId, after, limit).map((row) => releaseRow(row, String))
  }

  /** @param chips those of its hardware that count as machines */
  record(release: ReleaseRow, chips: readonly string[]): void {
    const { auditSequence, challengeId, tenant, keyId, at, lease, hardware } = release
    const number = this.releases(release) + 1
    this.#statements.run('put', auditSequence, challengeId, tenant, keyId, at, lease, written(hardware), number)
    this.#add(release, 'lease', [lease])
    this.#add(release, 'chip', chips)
  }

  /** Of the release after so many; where that one was taken away, of the next, so that nothing looks older than it is. */
  #timeAfter(name: KeyName, after: number): number | null {
    return this.rows(name, after, 1)[0]?.at ?? null
  }

  #last({ tenant, keyId }: KeyName, kind: Kind): number {
    return Number(this.#statements.get('lastRecipient', tenant, keyId, kind)?.number ?? 0)
  }

  /** Those that never had the key, each once. */
  #newOf({ tenant, keyId }: KeyName, kind: Kind, ids: readonly string[]): readonly string[] {
    const isNew = (id: string) => this.#statements.get('recipient', tenant, keyId, kind, id) === undefined
    return [...new Set(ids)].filter(isNew)
  }

  #add(name: KeyName, kind: Kind, ids: readonly string[]): void {
    const last = this.#last(name, kind)
    for (const [i, id] of this.#newOf(name, kind, ids).entries())
      this.#statements.run('putRecipient', name.tenant, name.keyId, kind, id, last + 1 + i)
  }
}
