// Issues and uses challenges until it is killed, and says so only after the store did.
import { writeSync } from 'node:fs'
import { sqliteStore } from '../../src/stores/sqlite.ts'

const [path = '', run = ''] = process.argv.slice(2)
const store = sqliteStore(path)
const WORKERS = 8

async function work(worker: number): Promise<never> {
  for (let n = 0; ; n++) {
    const id = `${run}-${worker}-${n}`
    await store.putChallenge({ id, record: { id }, expiresAt: 1000 })
    writeSync(1, `issued ${id}\n`)
    const { kind } = await store.consumeChallenge(id, 1)
    writeSync(1, `${kind} ${id}\n`)
    await store.commit({ events: [{ id }] })
  }
}
await Promise.all(Array.from({ length: WORKERS }, (_, i) => work(i)))
