import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { storeContract } from './contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-store-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const file = () => join(folder, `${files++}.db`)

storeContract('sqlite', () => sqliteStore(file()))

const run = promisify(execFile)
const child = (script: string, ...args: string[]) =>
  run(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--experimental-strip-types',
    join(import.meta.dirname, script),
    ...args,
  ])

describe('the SQLite file', () => {
  it('is for its owner alone, and keeps everything', async () => {
    const path = file()
    const store = sqliteStore(path)
    await store.putChallenge({ id: 'c', record: { a: 1 }, expiresAt: 10 })
    await store.commit({ denials: [{ subject: 'chip:1', reason: 'r', since: 1 }], events: [{ n: 1 }] })
    const view = await store.viewSince(0)
    await store.close()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const again = sqliteStore(path)
    expect(await again.viewSince(0)).toEqual(view)
    expect((await again.consumeChallenge('c', 1)).kind).toBe('consumed')
    await again.close()
  })

  it.each([0o666, 0o640, 0o600])('is closed to others though it existed with mode %o', async (mode) => {
    const path = file()
    writeFileSync(path, '')
    chmodSync(path, mode)
    const store = sqliteStore(path)
    await store.commit({ events: [{ n: 1 }] })
    for (const part of ['', '-wal', '-shm']) expect(statSync(`${path}${part}`).mode & 0o777).toBe(0o600)
    await store.close()
  })

  it('refuses what it is asked after it was closed', async () => {
    const store = sqliteStore(file())
    const last = store.burn('x', 1)
    await store.close()
    expect(await last).toBe(true)
    await expect(store.burn('y', 1)).rejects.toThrow('closed')
  })

  it('is not another program’s, nor a later version’s, nor anything else', () => {
    const foreign = file()
    const other = new DatabaseSync(foreign)
    other.exec('CREATE TABLE t (x)')
    other.close()
    expect(() => sqliteStore(foreign)).toThrow('another program')
    const later = file()
    sqliteStore(later).close()
    const database = new DatabaseSync(later)
    database.exec('PRAGMA user_version = 99')
    database.close()
    expect(() => sqliteStore(later)).toThrow('later version')
    const text = file()
    writeFileSync(text, 'this is no database, but a text that is long enough to be read as one')
    expect(() => sqliteStore(text)).toThrow()
    expect(() => sqliteStore('')).toThrow(TypeError)
  })

  it('is shared by processes: each challenge has one winner among three', { timeout: 300_000 }, async () => {
    const path = file()
    const store = sqliteStore(path)
    const count = 2000
    await Promise.all(
      Array.from({ length: count }, (_, i) => store.putChallenge({ id: `c${i}`, record: {}, expiresAt: 10 })),
    )
    const outputs = await Promise.all([1, 2, 3].map(() => child('race-child.ts', path, String(count))))
    const won = outputs.flatMap(({ stdout }) => JSON.parse(stdout) as string[])
    expect(won).toHaveLength(count)
    expect(new Set(won).size).toBe(count)
    await store.close()
  })

  it('shows one process what another one wrote', async () => {
    const path = file()
    const [a, b] = [sqliteStore(path), sqliteStore(path)]
    await a.commit({ denials: [{ subject: 'chip:1', reason: 'r', since: 1 }] })
    expect((await b.viewSince(0)).denials).toHaveLength(1)
    await Promise.all([a.close(), b.close()])
  })

  it('rejects every caller when it cannot be written, and goes on when it can', async () => {
    const path = file()
    const store = sqliteStore(path)
    const blocker = new DatabaseSync(path)
    blocker.exec('PRAGMA busy_timeout = 0; BEGIN IMMEDIATE')
    const asked = [store.burn('a', 1), store.burn('b', 1)]
    const outcomes = await Promise.allSettled(asked)
    expect(outcomes.map((o) => o.status)).toEqual(['rejected', 'rejected'])
    blocker.exec('ROLLBACK')
    blocker.close()
    expect(await store.burn('a', 1)).toBe(true)
    await store.close()
  })
})
