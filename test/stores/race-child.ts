// Consumes the challenges c0 … cN-1 of a store, as fast as it can, and prints those that it got.
import { sqliteStore } from '../../src/stores/sqlite.ts'

const [path = '', count = '0'] = process.argv.slice(2)
const store = sqliteStore(path)
const ids = Array.from({ length: Number(count) }, (_, i) => `c${i}`)
const won: string[] = []
await Promise.all(
  ids.map(async (id) => {
    if ((await store.consumeChallenge(id, 1)).kind === 'consumed') won.push(id)
  }),
)
await store.close()
process.stdout.write(JSON.stringify(won))
