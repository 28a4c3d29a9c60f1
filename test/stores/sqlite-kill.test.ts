import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { Random } from '../fuzz/random.ts'

const KILLS = 500
const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-kill-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a child that issues and uses challenges, kills it some time after its first word, and gives what it said. */
function killed(path: string, run: number, afterMilliseconds: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const script = join(import.meta.dirname, 'kill-child.ts')
    const flags = ['--disable-warning=ExperimentalWarning', '--experimental-strip-types']
    const child = spawn(process.execPath, [...flags, script, path, String(run)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (text: string) => {
      if (said === '') setTimeout(() => child.kill('SIGKILL'), afterMilliseconds)
      said += text
    })
    child.on('error', reject)
    child.on('close', () => resolve(said))
  })
}

/** One file, killed many times: what was promised before each kill must still hold after it. */
async function lane(name: string, kills: number): Promise<number> {
  const random = new Random(`sqlite-kill ${name}`, 0)
  const path = join(folder, `${name}.db`)
  let usedBefore = 0
  for (let run = 0; run < kills; run++) {
    const said = await killed(path, run, random.below(40))
    // The last line may have been cut in the middle.
    const lines = said.split('\n').slice(0, -1)
    const ids = (word: string) => lines.filter((l) => l.startsWith(`${word} `)).map((l) => l.slice(word.length + 1))
    const [issued, consumed] = [ids('issued'), new Set(ids('consumed'))]
    expect(lines.length).toBe(issued.length + consumed.size)
    const store = sqliteStore(path)
    const first = await Promise.all(issued.map((id) => store.consumeChallenge(id, 1)))
    const second = await Promise.all(issued.map((id) => store.consumeChallenge(id, 1)))
    for (const [i, id] of issued.entries()) {
      // Used, and killed before it could say so: that one is lost, never given twice.
      expect(consumed.has(id) ? ['used'] : ['used', 'consumed'], id).toContain(first[i]?.kind)
      expect(second[i]?.kind, id).toBe('used')
    }
    usedBefore += consumed.size
    if (run % 50 === 49) {
      const events = await store.eventsAfter(0, 1_000_000)
      expect(events.every((e, i) => e.sequence === i + 1)).toBe(true)
    }
    await store.close()
  }
  expect(integrity(path)).toBe('ok')
  return usedBefore
}

const LANES = ['a', 'b', 'c', 'd']

describe('a process that is killed', () => {
  it(`leaves a store that opens, with no challenge usable twice, ${KILLS} times`, { timeout: 1_200_000 }, async () => {
    const used = await Promise.all(LANES.map((name) => lane(name, KILLS / LANES.length)))
    expect(used.reduce((sum, n) => sum + n, 0)).toBeGreaterThan(KILLS)
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
