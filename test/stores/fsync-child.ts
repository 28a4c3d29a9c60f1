// Writes while the disk is well, while it is not, and afterwards; says what became of each.
import { rmSync, writeFileSync } from 'node:fs'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { sqliteReleaseStore } from '../../src/stores/sqlite-release.ts'
import { keyRow, NAME, record, writeKey } from './release-rows.ts'

const [path = '', flag = ''] = process.argv.slice(2)
const store = sqliteReleaseStore(path)
const gate = sqliteStore(path)
const said: string[] = []
const say = async (what: string, work: () => Promise<unknown>) =>
  said.push(
    `${what} ${await work().then(
      () => 'written',
      () => 'refused',
    )}`,
  )

await say('key', () => store.transact(NAME, writeKey(keyRow())))
await say('first', () => record(store, 'first'))
writeFileSync(flag, '')
await say('second', () => record(store, 'second'))
await say('challenge', () => gate.putChallenge({ id: 'c', record: {}, expiresAt: 10 }))
rmSync(flag)
await say('third', () => record(store, 'third'))
await say('first again', () => record(store, 'first'))
await Promise.all([store.close(), gate.close()])
process.stdout.write(JSON.stringify(said))
