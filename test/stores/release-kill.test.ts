import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { take } from '../../src/core/outcome.ts'
import { createAnchorFile, createAuditLog, fileAnchor, readEntry, rowsAfter } from '../../src/release/audit/index.ts'
import { Random } from '../fuzz/random.ts'
import { signing } from '../release/audit/support.ts'
import { ask, POSTGRES, type PostgresServer, postgresServer } from '../support/postgres.ts'
import { describeWith } from '../support/tools.ts'
import { openReleaseStore } from './open-store.ts'
import { keyRow, NAME, record, usageOf } from './release-rows.ts'

/** How often a process is killed; 2,000 is the figure that counts. */
const KILLS = Number(process.env.VOUCHSAFE_KILLS ?? 25)
const LANES = Math.min(4, KILLS)
const KILL_MILLISECONDS = 12 * 3_600_000
const SIGNING = await signing('audit-1')
const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-release-kill-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** When a child is killed: so long after it has said so many lines, which is the same work on any machine. */
interface Moment {
  readonly lines: number
  readonly milliseconds: number
}

/** Runs a child that releases keys, kills it, and gives the lines it said. */
function killed(place: string, anchor: string, run: string, at: Moment): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const flags = ['--disable-warning=ExperimentalWarning', '--experimental-strip-types']
    const script = join(import.meta.dirname, 'release-kill-child.ts')
    const child = spawn(process.execPath, [...flags, script, place, anchor, run], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (text: string) => {
      const before = linesOf(said)
      said += text
      if (before < at.lines && linesOf(said) >= at.lines) setTimeout(() => child.kill('SIGKILL'), at.milliseconds)
    })
    child.on('error', reject)
    // The last line may have been cut in the middle.
    child.on('close', () => resolve(said.split('\n').slice(0, -1)))
  })
}

const linesOf = (text: string): number => text.split('\n').length - 1

/** One database, whose processes are killed one after the other: what was said before each kill must hold after it. */
async function lane(place: string, name: string, kills: number): Promise<number> {
  const random = new Random(`release-kill ${name}`, 0)
  const anchorFile = join(folder, `${name}.anchor`)
  await createAnchorFile(anchorFile)
  let released = 0
  for (let n = 0; n < kills; n++) {
    const run = `${name}${n}`
    const lines = await killed(place, anchorFile, run, { lines: 1 + random.below(60), milliseconds: random.below(15) })
    const ids = (word: string) => lines.filter((l) => l.startsWith(`${word} `)).map((l) => l.slice(word.length + 1))
    const [asked, given] = [ids('asked'), new Set(ids('released'))]
    expect(ids('twice')).toEqual([])
    const store = await openReleaseStore(place)
    // It opens without repair, and the log is whole.
    const options = { store, ...SIGNING, anchor: fileAnchor(anchorFile), clock: () => 100 }
    const log = take(await createAuditLog(options))
    take(await log.checkpoint())
    const key = { ...NAME, keyId: run }
    const view = await store.transact(key, (seen) => ({ entries: [], result: seen }))
    const releases = await store.releases(key, 0, 1_000_000)
    const rows = new Map(releases.map((r) => [r.challengeId, r.auditSequence]))
    expect(rows.size).toBe(releases.length)
    // What limits count is what was released.
    const usage = { ...key, lease: 'another', hardware: ['cpu:another'] }
    expect(await usageOf(store, usage)).toMatchObject({
      releases: releases.length,
      leases: new Set(releases.map((r) => r.lease)).size + 1,
      chips: new Set(releases.flatMap((r) => r.hardware.slice(0, 1))).size + 1,
    })
    for (const id of given) expect(rows.has(id), id).toBe(true)
    const told = new Map<string, number>()
    for await (const row of rowsAfter(store)) {
      const entry = readEntry(row.entry)
      if (entry?.type !== 'key.released' || entry.keyId !== run) continue
      expect(told.has(entry.challengeId ?? ''), 'one entry for a challenge').toBe(false)
      told.set(entry.challengeId ?? '', row.sequence)
    }
    // No release without its entry, and no entry without its release.
    expect(told).toEqual(rows)
    // Whoever asks again after the crash gets no second key.
    if (view.key === undefined) expect(asked).toEqual([])
    else
      for (const id of asked) {
        const again = record(store, id, key)
        if (rows.has(id)) await expect(again).rejects.toThrow()
        else await again
      }
    expect(view.key ?? keyRow(1, key)).toEqual(keyRow(1, key))
    released += given.size
    await store.close()
  }
  return released
}

const lanes = (place: (name: string) => string, kills: number): Promise<readonly number[]> =>
  Promise.all(Array.from({ length: LANES }, (_, i) => lane(place(`l${i}`), `l${i}`, Math.ceil((kills - i) / LANES))))

describe('a broker that is killed', () => {
  it(`leaves a whole log and no second key, ${KILLS} times`, { timeout: KILL_MILLISECONDS }, async () => {
    const path = (name: string) => join(folder, `${name}.db`)
    const released = await lanes(path, KILLS)
    expect(released.reduce((sum, n) => sum + n, 0)).toBeGreaterThan(0)
    for (let i = 0; i < LANES; i++) expect(integrity(path(`l${i}`))).toBe('ok')
  })
})

describeWith([POSTGRES], 'a broker on PostgreSQL that is killed', () => {
  let server: PostgresServer
  beforeAll(() => {
    server = postgresServer()
  })
  afterAll(() => server.stop())

  it('leaves a whole log and no second key', { timeout: KILL_MILLISECONDS }, async () => {
    const place = await server.database()
    const kills = Math.ceil(KILLS / 5)
    expect(await lane(place, 'pg', kills)).toBeGreaterThan(0)
    expect(await ask(place, 'SELECT count(*)::int AS n FROM vouchsafe.release WHERE audit_sequence IS NULL')).toEqual([
      { n: 0 },
    ])
  })
})

function integrity(path: string): unknown {
  const database = new DatabaseSync(path)
  try {
    return database.prepare('PRAGMA integrity_check').get()?.integrity_check
  } finally {
    database.close()
  }
}
