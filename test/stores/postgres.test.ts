import { afterAll, beforeAll, expect, it } from 'vitest'
import { postgresStore } from '../../src/stores/postgres.ts'
import { postgresReleaseStore } from '../../src/stores/postgres-release.ts'
import { MIGRATIONS } from '../../src/stores/postgres-schema.ts'
import { keyValues } from '../../src/stores/release-rows.ts'
import { ask, POSTGRES, type PostgresServer, postgresServer } from '../support/postgres.ts'
import { describeWith } from '../support/tools.ts'
import { storeContract } from './contract.ts'
import { chainHolds, RACE_MILLISECONDS, releaseContract, rounds } from './release-contract.ts'
import { keyRow, NAME, record, writeKey } from './release-rows.ts'

const RACES = rounds(20)

describeWith([POSTGRES], 'PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(() => {
    server = postgresServer()
  })
  afterAll(() => server.stop())

  it('waits for the disk, whatever the database was set to', async () => {
    const connectionString = await server.database()
    const name = new URL(connectionString).pathname.slice(1)
    await ask(connectionString, `ALTER DATABASE ${name} SET synchronous_commit = off`)
    const store = await postgresReleaseStore({ connectionString })
    await store.transact(NAME, writeKey(keyRow()))
    await record(store, 'c')
    server.crash()
    // Connections of before are gone; the next call may hear of it.
    await store.auditHead().catch(() => undefined)
    expect((await store.auditHead()).sequence).toBe(2)
    await expect(record(store, 'c')).rejects.toThrow()
    expect(await record(store, 'd')).toBe(3)
    expect(await chainHolds(store)).toBe(true)
    await store.close()
  })

  storeContract('postgres', async () => postgresStore({ connectionString: await server.database() }), RACES)
  releaseContract(
    'postgres',
    async () => {
      const connectionString = await server.database()
      return [await postgresReleaseStore({ connectionString }), await postgresReleaseStore({ connectionString })]
    },
    RACES,
  )

  it(`gives a challenge to one of 64 racers on two replicas, ${RACES} times`, {
    timeout: RACE_MILLISECONDS,
  }, async () => {
    const connectionString = await server.database()
    const replicas = [await postgresStore({ connectionString }), await postgresStore({ connectionString })]
    for (let round = 0; round < RACES; round++) {
      await replicas[0]?.putChallenge({ id: `c${round}`, record: {}, expiresAt: 10 })
      const kinds = await Promise.all(
        Array.from({ length: 64 }, async (_, i) => (await replicas[i % 2]?.consumeChallenge(`c${round}`, 1))?.kind),
      )
      expect(kinds.filter((kind) => kind === 'consumed')).toHaveLength(1)
      expect(kinds.filter((kind) => kind === 'used')).toHaveLength(63)
    }
    await Promise.all(replicas.map((store) => store.close()))
  })

  it('is brought to its schema once, however many open it first', async () => {
    const connectionString = await server.database()
    const stores = await Promise.all([
      ...[postgresStore, postgresReleaseStore, postgresStore, postgresReleaseStore].map((open) =>
        open({ connectionString }),
      ),
    ])
    await Promise.all(stores.map((store) => store.close()))
    expect(await ask(connectionString, 'SELECT version FROM vouchsafe.schema_version')).toEqual([{ version: 3 }])
    await ask(connectionString, 'UPDATE vouchsafe.schema_version SET version = 99')
    await expect(postgresStore({ connectionString })).rejects.toThrow('later version')
  })

  it('is brought forward from the version whose MACs said nothing of revisions: they are gone, the rest stays', async () => {
    const connectionString = await server.database()
    const quoted = (value: string | number) => `'${String(value).replaceAll("'", "''")}'`
    const values = [NAME.tenant, NAME.keyId, ...keyValues(keyRow())].map(quoted)
    for (const sql of [
      'CREATE SCHEMA vouchsafe; CREATE TABLE vouchsafe.schema_version (version integer NOT NULL)',
      `${MIGRATIONS[0]}; INSERT INTO vouchsafe.schema_version VALUES (1)`,
      `INSERT INTO vouchsafe.release_key VALUES (${values})`,
      "INSERT INTO vouchsafe.session VALUES ('s', 'inference', 'AA==', 'AA==', 99)",
    ])
      await ask(connectionString, sql)
    const store = await postgresReleaseStore({ connectionString })
    expect(await store.key(NAME)).toEqual(keyRow(1, { mac: '' }))
    expect(await store.session('s')).toBeUndefined()
    await store.transact(NAME, writeKey(keyRow(2)))
    expect(await store.key(NAME)).toEqual(keyRow(2))
    await store.close()
  })

  it('only adds to the log, to the releases and to whom they went', async () => {
    const connectionString = await server.database()
    const store = await postgresReleaseStore({ connectionString })
    await store.transact(NAME, writeKey(keyRow()))
    await record(store, 'c')
    for (const table of ['audit', 'release', 'release_recipient'])
      for (const sql of [`DELETE FROM vouchsafe.${table}`, `TRUNCATE vouchsafe.${table} CASCADE`])
        await expect(ask(connectionString, sql)).rejects.toThrow('only added to')
    await expect(ask(connectionString, "UPDATE vouchsafe.audit SET entry = ''")).rejects.toThrow('only added to')
    await store.close()
  })

  it('tries again where the database says that it may', async () => {
    const connectionString = await server.database()
    const store = await postgresReleaseStore({ connectionString })
    let attempts = 0
    const result = await store.transact(null, () => {
      if (++attempts < 3) throw Object.assign(new Error('deadlock detected'), { code: '40P01' })
      return { entries: [], result: 'done' }
    })
    expect([result, attempts]).toEqual(['done', 3])
    await store.close()
  })

  it('rejects where nobody answers', async () => {
    const connectionString = `postgres://vouchsafe@localhost/none?host=${encodeURIComponent(server.folder)}`
    await expect(postgresStore({ connectionString })).rejects.toThrow('does not exist')
    await expect(postgresStore({ connectionString: 'postgres://localhost:1/x' })).rejects.toThrow()
    await expect(postgresStore({} as never)).rejects.toThrow(TypeError)
  })
})
