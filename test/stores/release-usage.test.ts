import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { brokenLimit, chipsOf, nthLastOf } from '../../src/release/limits.ts'
import type { KeyLimits, ReleaseRow, ReleaseStore } from '../../src/release/ports.ts'
import { ask, POSTGRES, type PostgresServer, postgresServer } from '../support/postgres.ts'
import { describeWith } from '../support/tools.ts'
import { type OldRelease, oldPostgres, oldSqliteFile } from './old-releases.ts'
import { openReleaseStore } from './open-store.ts'
import { keyRow, NAME, record, usageOf, writeKey } from './release-rows.ts'

const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-usage-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const file = () => join(folder, `${files++}.db`)

const UNLIMITED: KeyLimits = {
  ...{ releases: 'unlimited', window: 'unlimited', leases: 'unlimited', chips: 'unlimited' },
  onlyLeases: 'any',
}

/** Which limit one more release would break. */
async function limitBroken(
  store: ReleaseStore,
  limits: Partial<KeyLimits>,
  { at = 160, ...row }: Partial<ReleaseRow> = {},
): Promise<string | undefined> {
  const key = { limits: { ...UNLIMITED, ...limits }, state: 'active' } as const
  const { lease, hardware } = { lease: 'l1', hardware: ['cpu:1'], ...row }
  const usage = await usageOf(store, { lease, hardware }, nthLastOf(key.limits))
  return brokenLimit(key, usage, { at, chips: chipsOf(hardware) })
}

/** The second was written by a replica whose clock was behind. */
const OLD: readonly OldRelease[] = [
  { challengeId: 'a', at: 102, lease: 'l1', hardware: ['cpu:1', 'nvidia-gpu:1'] },
  { challengeId: 'b', at: 100, lease: 'l2\\', hardware: ['nvidia-switch:1', 'cpu:1', 'cpu:\\2'] },
]

/** A release that nobody would count, by a process of that version which still runs. */
const BY_OLD_PROCESS = `VALUES (1, 'uncounted', '${NAME.tenant}', '${NAME.keyId}', 103, 'l4', '[]')`

async function countsOn(store: ReleaseStore): Promise<void> {
  expect(await store.key(NAME)).toEqual(keyRow())
  expect((await store.releases(NAME, 0, 9)).map((r) => [r.challengeId, r.at])).toEqual([
    ['b', 100],
    ['a', 102],
  ])
  const broken = (...about: [Partial<KeyLimits>, Partial<ReleaseRow>?]) => limitBroken(store, ...about)
  expect(await broken({ releases: 2 })).toBe('key.limits.releases')
  expect(await broken({ releases: 3 })).toBeUndefined()
  expect(await broken({ leases: 2 }, { lease: 'l3' })).toBe('key.limits.leases')
  expect(await broken({ leases: 2 }, { lease: 'l2\\' })).toBeUndefined()
  expect(await broken({ chips: 2 }, { hardware: ['cpu:3'] })).toBe('key.limits.chips')
  expect(await broken({ chips: 2 }, { hardware: ['cpu:\\2', 'nvidia-gpu:9'] })).toBeUndefined()
  expect(await broken({ window: { releases: 1, seconds: 60 } }, { at: 161 })).toBe('key.limits.window')
  expect(await broken({ window: { releases: 1, seconds: 60 } }, { at: 162 })).toBeUndefined()
  expect(await broken({ window: { releases: 2, seconds: 60 } }, { at: 159 })).toBe('key.limits.window')
  expect(await broken({ window: { releases: 2, seconds: 60 } }, { at: 160 })).toBeUndefined()
  await expect(record(store, 'a')).rejects.toThrow()
  await record(store, 'c', { lease: 'l3', hardware: ['cpu:1'] }, 110)
  expect(await usageOf(store, { lease: 'l1', hardware: ['cpu:1'] }, 3)).toEqual({
    ...{ releases: 3, nthLastAt: 100, leases: 3, chips: 2, isAnswered: false },
  })
}

/** As many rows of all kinds as a release finds before it. */
const FEW = 500
const MANY = 20_000

/** Rows of one key's releases, each to a lease and a chip of its own, as SQL of either database. */
const filled = (schema: string, numbers: string, from: string): readonly string[] => {
  const [columns, rows] = [`'${NAME.tenant}', '${NAME.keyId}'`, `FROM ${numbers} WHERE n > (${from})`]
  return [
    `INSERT INTO ${schema}audit SELECT n, a.entry, a.chain FROM ${numbers}, ${schema}audit a
      WHERE a.sequence = 1 AND n > (SELECT max(sequence) FROM ${schema}audit)`,
    `INSERT INTO ${schema}release_recipient SELECT ${columns}, 'lease', 'lease ' || n, n ${rows}`,
    `INSERT INTO ${schema}release_recipient SELECT ${columns}, 'chip', 'cpu:' || n, n ${rows}`,
    `INSERT INTO ${schema}release SELECT n, 'old ' || n, ${columns}, 100, 'lease ' || n, '[]', n ${rows}`,
  ]
}

/** One more release, with everything that is asked before it. */
const oneMore = async (store: ReleaseStore, id: string) => {
  const release = { lease: id, hardware: [`cpu:${id}`, 'cpu:1', 'nvidia-gpu:1'] }
  expect(await usageOf(store, release, 100)).toMatchObject({ nthLastAt: 100, isAnswered: false })
  await record(store, id, release)
}

describe('the releases in a SQLite file', () => {
  it('of the version that did not number them count on', async () => {
    const path = file()
    oldSqliteFile(path, OLD)
    const store = await openReleaseStore(path)
    await countsOn(store)
    const database = new DatabaseSync(path)
    expect(() => database.exec(`INSERT INTO release ${BY_OLD_PROCESS}`)).toThrow('8 columns')
    database.close()
    await store.close()
  })

  it('of a key that was taken away between others make no room in a window', async () => {
    const path = file()
    const store = await openReleaseStore(path)
    await store.transact(NAME, writeKey(keyRow()))
    for (const [i, id] of ['a', 'b', 'c'].entries()) await record(store, id, {}, 100 + 10 * i)
    const window = { window: { releases: 2, seconds: 60 } } as const
    expect(await limitBroken(store, window, { at: 169 })).toBe('key.limits.window')
    expect(await limitBroken(store, window, { at: 170 })).toBeUndefined()
    const database = new DatabaseSync(path)
    database.exec("DROP TRIGGER release_kept; DELETE FROM release WHERE challenge_id = 'b'")
    database.close()
    expect(await limitBroken(store, window, { at: 170 })).toBe('key.limits.window')
    expect(await store.released(NAME)).toBe(3)
    await store.close()
  })

  it('are not read for the next one, however many there are', async () => {
    const path = file()
    const store = await openReleaseStore(path)
    await store.transact(NAME, writeKey(keyRow()))
    const grown = (to: number) => {
      const database = new DatabaseSync(path)
      database.exec('BEGIN')
      const numbers = `(WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < ${to}) SELECT n FROM r)`
      const last = `SELECT coalesce(max(number), 0) FROM release`
      for (const sql of filled('', numbers, last)) database.exec(sql)
      database.exec('COMMIT')
      const reading = [vi.spyOn(StatementSync.prototype, 'get'), vi.spyOn(StatementSync.prototype, 'all')]
      return { database, reading }
    }
    const seen = []
    for (const to of [FEW, MANY]) {
      const { database, reading } = grown(to)
      await oneMore(store, `one more than ${to}`)
      const asked = reading.flatMap(({ mock }) =>
        mock.calls.map((values, i) => ({
          sql: (mock.contexts[i] as unknown as StatementSync).sourceSQL,
          values,
          rows: [mock.results[i]?.value ?? []].flat().length,
        })),
      )
      vi.restoreAllMocks()
      const plan = ({ sql, values }: (typeof asked)[number]) =>
        database
          .prepare(`EXPLAIN QUERY PLAN ${sql}`)
          .all(...(values as string[]))
          .map((step) => String(step.detail))
      seen.push(asked.map((one) => ({ sql: one.sql, rows: one.rows, plan: plan(one) })))
      database.close()
    }
    const [few, many] = seen
    expect(many).toEqual(few)
    const ofReleases = many?.filter(({ sql }) => /FROM release(_recipient)? /.test(sql)) ?? []
    expect(ofReleases.length).toBeGreaterThan(9)
    expect(new Set(ofReleases.map(({ rows }) => rows))).toEqual(new Set([0, 1]))
    // Each looks into an index, in its order.
    for (const { plan } of ofReleases) expect(plan).toEqual([expect.stringMatching(/^SEARCH \S+ USING .*\(.*=\?/)])
    await store.close()
  })
})

describeWith([POSTGRES], 'the releases in PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(() => {
    server = postgresServer()
  })
  afterAll(() => server.stop())

  it('of the version that did not number them count on', async () => {
    const place = await server.database()
    await oldPostgres(place, OLD)
    const store = await openReleaseStore(place)
    await countsOn(store)
    await expect(ask(place, `INSERT INTO vouchsafe.release ${BY_OLD_PROCESS}`)).rejects.toThrow('null value')
    await store.close()
  })

  it('are not read for the next one, however many there are', async () => {
    const place = await server.database()
    const first = await openReleaseStore(place)
    await first.transact(NAME, writeKey(keyRow()))
    await first.close()
    const seen = []
    for (const to of [FEW, MANY]) {
      const numbers = `generate_series(1, ${to}) AS n`
      const last = 'SELECT coalesce(max(number), 0) FROM vouchsafe.release'
      for (const sql of filled('vouchsafe.', numbers, last)) await ask(place, sql)
      await ask(place, 'ANALYZE vouchsafe.release, vouchsafe.release_recipient')
      const before = await rowsRead(place)
      const store = await openReleaseStore(place)
      await oneMore(store, `one more than ${to}`)
      await store.close()
      seen.push((await rowsRead(place)) - before)
    }
    const [few, many] = seen
    expect(few).toBeGreaterThan(9)
    expect(few).toBeLessThan(50)
    expect(many).toBe(few)
  })
})

/** Rows of releases that all connections have read, from tables or indexes: each tells when it ends. */
async function rowsRead(place: string): Promise<number> {
  await vi.waitUntil(async () => {
    const [others] = await ask(
      place,
      `SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
    )
    return others?.n === 0
  }, 10_000)
  const [row] = await ask(
    place,
    `SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname LIKE 'release%')
      + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname LIKE 'release%') AS n`,
  )
  return Number(row?.n)
}
