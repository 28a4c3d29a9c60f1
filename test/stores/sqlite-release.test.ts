import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { keyValues } from '../../src/stores/release-rows.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { sqliteReleaseStore } from '../../src/stores/sqlite-release.ts'
import { STORE_SCHEMA } from '../../src/stores/sqlite-schema.ts'
import { releaseContract } from './release-contract.ts'
import { keyRow, NAME, record, writeKey } from './release-rows.ts'

const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-release-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const file = () => join(folder, `${files++}.db`)

releaseContract('sqlite', async () => {
  const path = file()
  return [sqliteReleaseStore(path), sqliteReleaseStore(path)]
})

describe('the SQLite file of a broker', () => {
  it('may be the gate’s', async () => {
    const path = file()
    const [gate, broker] = [sqliteStore(path), sqliteReleaseStore(path)]
    await Promise.all([
      gate.putChallenge({ id: 'c', record: {}, expiresAt: 10 }),
      broker.transact(NAME, writeKey(keyRow())),
      gate.commit({ events: [{ n: 1 }] }),
      record(broker, 'c'),
    ])
    expect((await gate.consumeChallenge('c', 1)).kind).toBe('consumed')
    await Promise.all([gate.close(), broker.close()])
    const again = sqliteReleaseStore(path)
    expect((await again.auditHead()).sequence).toBe(2)
    await again.close()
  })

  it('is brought forward from the version that had no keys, with what it holds', async () => {
    const path = file()
    const gate = sqliteStore(path)
    await gate.putChallenge({ id: 'c', record: { a: 1 }, expiresAt: 10 })
    await gate.close()
    const database = new DatabaseSync(path)
    database.exec(
      'DROP TABLE release_recipient; DROP TABLE release; DROP TABLE audit; DROP TABLE release_key; DROP TABLE checkpoint; DROP TABLE epoch; DROP TABLE session',
    )
    database.exec('PRAGMA user_version = 1')
    database.close()
    const broker = sqliteReleaseStore(path)
    await broker.transact(NAME, writeKey(keyRow()))
    await broker.close()
    const after = sqliteStore(path)
    expect((await after.consumeChallenge('c', 1)).kind).toBe('consumed')
    await after.close()
  })

  it('is brought forward from the version whose MACs said nothing of revisions: they are gone, the rest stays', async () => {
    const path = file()
    const database = new DatabaseSync(path)
    const { applicationId, migrations } = STORE_SCHEMA
    for (const migration of migrations.slice(0, 2)) database.exec(migration)
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = 2`)
    const values = [NAME.tenant, NAME.keyId, ...keyValues(keyRow())]
    database.prepare(`INSERT INTO release_key VALUES (${values.map(() => '?')})`).run(...values)
    database.exec("INSERT INTO session VALUES ('s', 'inference', 'AA==', 'AA==', 99)")
    database.close()
    const store = sqliteReleaseStore(path)
    expect(await store.key(NAME)).toEqual(keyRow(1, { mac: '' }))
    expect(await store.session('s')).toBeUndefined()
    await store.transact(NAME, writeKey(keyRow(2)))
    await store.close()
    const again = sqliteReleaseStore(path)
    expect(await again.key(NAME)).toEqual(keyRow(2))
    await again.close()
  })

  it('only adds to the log, to the releases and to whom they went', async () => {
    const path = file()
    const store = sqliteReleaseStore(path)
    await store.transact(NAME, writeKey(keyRow()))
    await record(store, 'c')
    const database = new DatabaseSync(path)
    for (const sql of [
      'DELETE FROM audit',
      'DELETE FROM release',
      "UPDATE audit SET entry = ''",
      "UPDATE release SET lease = ''",
      'DELETE FROM release_recipient',
      'UPDATE release_recipient SET number = 0',
    ])
      expect(() => database.exec(sql)).toThrow('added to')
    database.close()
    await store.close()
  })
})
