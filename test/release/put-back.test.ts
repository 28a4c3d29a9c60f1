import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { take } from '../../src/core/outcome.ts'
import { nodeRandom } from '../../src/gate/node-ports.ts'
import { Administration } from '../../src/release/administration.ts'
import { unanchoredAudit } from '../../src/release/audit-entries.ts'
import { postgresReleaseStore, postgresStore, sqliteReleaseStore, sqliteStore } from '../../src/stores/index.ts'
import { leaseId } from '../gate/support.ts'
import { ask, POSTGRES, type PostgresServer, postgresServer } from '../support/postgres.ts'
import { describeWith } from '../support/tools.ts'
import { newFile, newKekFile } from './files.ts'
import {
  findingsOf,
  KEY,
  KEY_POLICY,
  LIMITLESS,
  ONE,
  SECRET,
  spkiOf,
  type TestBroker,
  type TestParts,
  TWO,
  testBroker,
  X25519,
} from './support.ts'

const REGISTRATION = { ...KEY, secret: SECRET, policy: KEY_POLICY, limits: LIMITLESS }
const TAMPERED = ['RELEASE_KEY_TAMPERED']

const asked = async (t: TestBroker) => findingsOf(await t.ask()).map((f) => f.code)
const typesIn = async (t: TestBroker) => (await t.entries()).map((e) => e.type)

/** What somebody does who can write to the database: keeps the rows of keys, and puts them back later. */
const keep = (t: TestBroker) => t.sql('CREATE TABLE kept AS SELECT * FROM release_key')
function putBack(t: TestBroker): void {
  t.sql('DELETE FROM release_key')
  t.sql('INSERT INTO release_key SELECT * FROM kept')
}

/** A broker whose key was changed, and its row put back to what it was. */
async function changed(change: (t: TestBroker) => Promise<unknown>): Promise<TestBroker> {
  const t = await testBroker()
  keep(t)
  await change(t)
  putBack(t)
  return t
}

const suspended = (t: TestBroker) => t.admin.suspend(KEY, ONE)
const untouched = async () => undefined

describe('an older row of a key that was put back', () => {
  it.each([
    ['suspended', suspended],
    ['retired', (t: TestBroker) => t.admin.retire(KEY, ONE)],
    ['limited', (t: TestBroker) => t.admin.changeLimits(KEY, { ...LIMITLESS, releases: 1 }, ONE)],
    ['replaced', (t: TestBroker) => t.admin.register(REGISTRATION, TWO)],
  ])('opens nothing once the key was %s', async (_, change) => {
    expect(await asked(await changed(untouched))).toEqual([])
    const t = await changed(change)
    expect(await asked(t)).toEqual(TAMPERED)
    expect(t.vault.opened).toEqual([])
    expect(await typesIn(t)).not.toContain('key.released')
  })

  it('is noticed by a process that starts behind it', async () => {
    const again = async (change: (t: TestBroker) => Promise<unknown>) => {
      const [file, kekFile] = [newFile('db'), await newKekFile()]
      const before = await testBroker({ file, kekFile })
      keep(before)
      await change(before)
      putBack(before)
      return asked(await testBroker({ file, kekFile, isEmpty: true, gate: { random: nodeRandom } }))
    }
    expect(await again(untouched)).toEqual([])
    expect(await again(suspended)).toEqual(TAMPERED)
  })

  it('is not the newest for saying so', async () => {
    const t = await changed(suspended)
    t.sql('UPDATE release_key SET revision = 2')
    expect(await asked(t)).toEqual(TAMPERED)
  })

  it('is refused where it is a row of another database, under the same key-encryption key', async () => {
    const [here, there] = [await testBroker(), await testBroker()]
    take(await there.admin.changeLimits(KEY, { ...LIMITLESS, releases: 9 }, ONE))
    const database = new DatabaseSync(here.file)
    database.prepare('ATTACH DATABASE ? AS there').run(there.file)
    database.exec('DELETE FROM release_key; INSERT INTO main.release_key SELECT * FROM there.release_key')
    database.close()
    expect(await asked(there)).toEqual([])
    expect(await asked(here)).toEqual(TAMPERED)
    expect(here.vault.opened).toEqual([])
  })

  it('is written down when a question is refused for it, and no other question is', async () => {
    const question = (t: TestBroker, keyId = KEY.keyId) =>
      t.broker.challenge({ ...KEY, keyId, lease: leaseId(), teeKey: spkiOf(X25519.publicKey) })
    const twin = await changed(untouched)
    expect((await question(twin)).ok).toBe(true)
    expect(await question(twin, 'none')).toMatchObject({ ok: false, faults: [{ code: 'RELEASE_KEY_SCOPE' }] })
    expect(await typesIn(twin)).toEqual(['key.registered'])
    const t = await changed(suspended)
    expect(await question(t)).toMatchObject({ ok: false, faults: [{ code: 'RELEASE_KEY_TAMPERED' }] })
    expect((await t.entries()).at(-1)).toMatchObject({
      ...KEY,
      type: 'key.refused',
      codes: TAMPERED,
      challengeId: null,
    })
    t.sql(`CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'disk is full'); END`)
    expect(await question(t)).toMatchObject({ ok: false, faults: [{ code: 'RELEASE_AUDIT_UNAVAILABLE' }] })
  })

  it('is not administered into a newer one', async () => {
    const t = await changed(suspended)
    const limits = { ...LIMITLESS, releases: 9 }
    const refused = { ok: false, faults: [{ code: 'RELEASE_KEY_TAMPERED' }] }
    expect(await t.admin.changeLimits(KEY, limits, TWO)).toMatchObject(refused)
    expect(await t.admin.show(KEY)).toMatchObject(refused)
    expect(take(await t.admin.rewrapAll(KEY.tenant, ONE)).rewrapped).toEqual([])
    // A command that knows nothing of the service's anchor reads the same log.
    const audit = unanchoredAudit(t.store, t.gate.now)
    const command = new Administration({ ...t.options, audit })
    expect(await command.changeLimits(KEY, limits, TWO)).toMatchObject(refused)
    expect(await asked(t)).toEqual(TAMPERED)
  })

  it('is replaced by registering the key anew, which takes two, and so is one that was taken away', async () => {
    for (const tamper of [putBack, (t: TestBroker) => t.sql('DELETE FROM release_key')]) {
      const t = await changed(suspended)
      tamper(t)
      expect(await t.admin.register(REGISTRATION, ONE)).toMatchObject({ faults: [{ code: 'ADMIN_APPROVAL_MISSING' }] })
      take(await t.admin.register(REGISTRATION, TWO))
      expect((await t.store.key(KEY))?.revision).toBe(3)
      expect(await asked(t)).toEqual([])
    }
  })

  it('can say any number of itself without keeping the key from being registered anew', async () => {
    for (const revision of [0, 3, Number.MAX_SAFE_INTEGER]) {
      const t = await changed(suspended)
      t.sql('UPDATE release_key SET revision = ?', revision)
      take(await t.admin.register(REGISTRATION, TWO))
      expect(await asked(t)).toEqual([])
    }
  })
})

describe('a key of an earlier version', () => {
  it('says so until it is registered anew, and is in nobody’s way', async () => {
    const t = await testBroker()
    const other = { ...REGISTRATION, keyId: 'weights-2' }
    take(await t.admin.register(other, ONE))
    // As the store's migration leaves a row whose MAC does not cover its revision.
    t.sql("UPDATE release_key SET mac = '' WHERE key_id = ?", KEY.keyId)
    const outdated = ['RELEASE_KEY_OUTDATED']
    expect(await asked(t)).toEqual(outdated)
    const change = await t.admin.changeLimits(KEY, { ...LIMITLESS, releases: 9 }, ONE)
    expect(change).toMatchObject({ ok: false, faults: [{ code: outdated[0] }] })
    expect(take(await t.admin.list(KEY.tenant)).map((key) => key.keyId)).toEqual([KEY.keyId, 'weights-2'])
    expect(t.vault.opened).toEqual([])
    expect(findingsOf(await t.ask({ request: { keyId: 'weights-2' } }))).toEqual([])
    expect(await t.admin.register(REGISTRATION, ONE)).toMatchObject({ faults: [{ code: 'ADMIN_APPROVAL_MISSING' }] })
    take(await t.admin.register(REGISTRATION, TWO))
    expect(await asked(t)).toEqual([])
  })
})

/** Two processes of one service, each with its own log, anchor and vault. */
async function pair(open: () => Promise<NonNullable<TestParts['stores']>>, first: TestParts = {}) {
  const kekFile = await newKekFile()
  const replica = async (parts: TestParts) => {
    const stores = await open()
    onTestFinished(async () => {
      await stores.gate.close()
      await stores.release.close()
    })
    return testBroker({ stores, kekFile, gate: { random: nodeRandom }, ...parts })
  }
  const a = await replica(first)
  return { a, b: await replica({ isEmpty: true }) }
}

/** @param sql what somebody beside the stores sends */
function replicas(open: () => Promise<readonly [() => Promise<NonNullable<TestParts['stores']>>, Sql, string]>): void {
  it('notice what the other has administered, at the latest when the release is settled', async () => {
    const between = async (change: (t: TestBroker) => Promise<unknown>) => {
      const [stores, sql, table] = await open()
      const { a, b } = await pair(stores)
      await sql(`CREATE TABLE kept AS SELECT * FROM ${table}`)
      await change(b)
      await sql(`DELETE FROM ${table}; INSERT INTO ${table} SELECT * FROM kept`)
      return { a, codes: await asked(a) }
    }
    expect((await between(untouched)).codes).toEqual([])
    const { a, codes } = await between(suspended)
    expect(codes).toEqual(TAMPERED)
    expect(a.vault.opened).toEqual([])
    // It was written before it was noticed, as every release is; the refusal stands behind it.
    expect((await typesIn(a)).slice(-2)).toEqual(['key.released', 'key.refused'])
    // From now on it is known.
    expect(await asked(a)).toEqual(TAMPERED)
    expect((await typesIn(a)).slice(-2)).toEqual(['key.refused', 'key.refused'])
    expect(a.vault.opened).toEqual([])
  })

  it('open nothing of a key that the other administers, or for a lease that it closes, between the release and the vault', async () => {
    const between = async (change: (t: TestBroker) => Promise<unknown>) => {
      const [stores] = await open()
      const other: { b?: TestBroker } = {}
      // Just after the transaction of a release, and before its row is settled.
      const before: NonNullable<TestParts['before']> = (store) =>
        new Proxy(store, {
          get: (_, name: keyof typeof store) =>
            name === 'recordRelease'
              ? async (...args: Parameters<typeof store.recordRelease>) => {
                  const written = await store.recordRelease(...args)
                  if (other.b !== undefined) await change(other.b)
                  return written
                }
              : store[name].bind(store),
        })
      const { a, b } = await pair(stores, { before })
      other.b = b
      const codes = await asked(a)
      return { codes, opened: a.vault.opened }
    }
    expect((await between(untouched)).codes).toEqual([])
    expect(await between(suspended)).toEqual({ codes: ['RELEASE_REPLICA_STALE'], opened: [] })
    // A lease whose end the other has been told of is at its end: the transaction saw it by an earlier reading.
    const closed = (t: TestBroker) => t.gate.gate.closeLease(leaseId())
    expect(await between(closed)).toEqual({ codes: ['RELEASE_LEASE_NOT_ACTIVE'], opened: [] })
  })

  it('administer a key in turn, and it goes out from either', async () => {
    const [stores] = await open()
    const { a, b } = await pair(stores)
    for (const t of [b, a, b]) {
      take(await t.admin.suspend(KEY, ONE))
      take(await t.admin.resume(KEY, TWO))
    }
    expect([await asked(a), await asked(b)]).toEqual([[], []])
  })
}

type Sql = (text: string) => Promise<unknown>

describe('two processes on one SQLite file', () => {
  replicas(async () => {
    const file = newFile('db')
    const sql: Sql = async (text) => {
      const database = new DatabaseSync(file)
      database.exec(text)
      database.close()
    }
    return [async () => ({ gate: sqliteStore(file), release: sqliteReleaseStore(file) }), sql, 'release_key']
  })
})

describeWith([POSTGRES], 'two replicas on one PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(() => {
    server = postgresServer()
  })
  afterAll(() => server.stop())

  replicas(async () => {
    const connectionString = await server.database()
    const open = async () => ({
      gate: await postgresStore({ connectionString }),
      release: await postgresReleaseStore({ connectionString }),
    })
    return [open, (text) => ask(connectionString, text), 'vouchsafe.release_key']
  })
})
