import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { CollateralCache } from '../../src/collateral/cache/cache.ts'
import { Random } from '../fuzz/random.ts'

const KILLS = Number(process.env.VOUCHSAFE_KILLS ?? 25)
const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-cache-kill-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a child that writes, kills it some time after its first word, and gives what it said. */
function killed(path: string, run: string, afterMilliseconds: number): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const flags = ['--disable-warning=ExperimentalWarning', '--experimental-strip-types']
    const child = spawn(process.execPath, [...flags, join(import.meta.dirname, 'kill-child.ts'), path, run], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (text: string) => {
      if (said === '') setTimeout(() => child.kill('SIGKILL'), afterMilliseconds)
      said += text
    })
    child.on('error', reject)
    // The last line may have been cut in the middle.
    child.on('close', () => resolve(said.split('\n').slice(0, -1)))
  })
}

describe('processes that are killed while they write', () => {
  it(`leave a cache that opens and has whole objects only, ${KILLS} times`, { timeout: 1_200_000 }, async () => {
    const random = new Random('cache-kill', 0)
    const path = join(folder, 'cache.db')
    let kept = 0
    for (let run = 0; run < KILLS; run += 2) {
      // Two at once, in one file.
      const said = await Promise.all(
        ['x', 'y'].slice(0, Math.min(2, KILLS - run)).map((name) => killed(path, `${run}${name}`, random.below(60))),
      )
      const cache = new CollateralCache(path)
      for (const key of new Set(said.flat())) {
        const [answer] = await cache.held(key)
        expect(
          answer?.files.map((f) => f.bytes.length),
          key,
        ).toEqual([2560, 2560])
        kept++
      }
      await cache.close()
    }
    expect(kept).toBeGreaterThan(KILLS)
    const cache = new CollateralCache(path)
    const rows = brokenRows(path)
    expect(rows).toEqual({ answers: (await cache.everything()).length, incomplete: 0, orphans: 0, integrity: 'ok' })
    await cache.close()
  })
})

function brokenRows(path: string) {
  const database = new DatabaseSync(path)
  const count = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0])
  try {
    return {
      answers: count('SELECT count(*) FROM answer'),
      incomplete: count(
        'SELECT count(*) FROM answer WHERE (SELECT count(*) FROM file JOIN object USING (sha256) WHERE answer = answer.id) <> 2',
      ),
      orphans: count('SELECT count(*) FROM object WHERE sha256 NOT IN (SELECT sha256 FROM file)'),
      integrity: database.prepare('PRAGMA integrity_check').get()?.integrity_check,
    }
  } finally {
    database.close()
  }
}
