import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { take } from '../../src/core/outcome.ts'
import { nodeRandom } from '../../src/gate/node-ports.ts'
import { Administration } from '../../src/release/administration.ts'
import { chainAfter, EMPTY_HEAD } from '../../src/release/audit/entry.ts'
import { unanchoredAudit } from '../../src/release/audit-entries.ts'
import { postgresReleaseStore, postgresStore } from '../../src/stores/index.ts'
import { ask, POSTGRES, type PostgresServer, postgresServer } from '../support/postgres.ts'
import { describeWith } from '../support/tools.ts'
import { newFile, newKekFile } from './files.ts'
import { findingsOf, KEY, KEY_POLICY, LIMITLESS, ONE, SECRET, type TestBroker, TWO, testBroker } from './support.ts'

const asked = async (t: TestBroker) => findingsOf(await t.ask()).map((f) => f.code)
const LIMITED = { ...LIMITLESS, releases: 9 }

/** A suspended key, whose row somebody kept who can write to the database. */
async function suspended(parts: Parameters<typeof testBroker>[0] = {}): Promise<TestBroker> {
  const t = await testBroker(parts)
  take(await t.admin.suspend(KEY, ONE))
  t.sql('CREATE TABLE shut AS SELECT * FROM release_key')
  return t
}

/** Takes the last change out of row and log, which nothing anchors yet, and keeps the row that it made. */
function undo(t: TestBroker, rows: number): void {
  t.sql('CREATE TABLE open AS SELECT * FROM release_key')
  t.sql('DROP TRIGGER IF EXISTS audit_kept')
  t.sql('DELETE FROM audit WHERE sequence > ?', rows)
  put(t, 'shut')
}

function put(t: TestBroker, kept: 'shut' | 'open'): void {
  t.sql('DELETE FROM release_key')
  t.sql(`INSERT INTO release_key SELECT * FROM ${kept}`)
}

describe('of two rows of one revision', () => {
  it('the one that the log tells of opens, and the one of a command that was taken away does not', async () => {
    const codesWhere = async (undone: boolean) => {
      const parts = { file: newFile('db'), kekFile: await newKekFile(), anchorFile: newFile('anchor') }
      const t = await suspended(parts)
      const { sequence } = await t.store.auditHead()
      const command = new Administration({ ...t.options, audit: unanchoredAudit(t.store, t.gate.now) })
      take(await command.resume(KEY, TWO))
      if (undone) undo(t, sequence)
      else t.sql('CREATE TABLE open AS SELECT * FROM release_key')
      // The next change that the service knows of is of the same revision where the one before it is gone.
      if (undone) take(await t.admin.changeLimits(KEY, LIMITED, ONE))
      put(t, 'open')
      const again = { ...parts, anchorFile: newFile('anchor'), isEmpty: true, gate: { random: nodeRandom } }
      return [await asked(t), await asked(await testBroker(again)), t.vault.opened.length]
    }
    expect(await codesWhere(false)).toEqual([[], [], 1])
    expect(await codesWhere(true)).toEqual([['RELEASE_KEY_TAMPERED'], ['RELEASE_KEY_TAMPERED'], 0])
  })

  it('the one of a change that the service called failed does not open', async () => {
    const t = await suspended()
    const { sequence } = await t.store.auditHead()
    t.sql('DROP TRIGGER audit_fixed')
    t.sql(`CREATE TRIGGER spoilt AFTER INSERT ON audit BEGIN
      UPDATE audit SET chain = '${'0'.repeat(64)}' WHERE sequence = NEW.sequence; END`)
    expect(await t.admin.resume(KEY, TWO)).toMatchObject({ ok: false, faults: [{ code: 'AUDIT_CHAIN_BROKEN' }] })
    t.sql('DROP TRIGGER spoilt')
    undo(t, sequence)
    take(await t.admin.changeLimits(KEY, LIMITED, ONE))
    expect(await asked(t)).toEqual(['RELEASE_KEY_LIMIT'])
    put(t, 'open')
    expect(await asked(t)).toEqual(['RELEASE_KEY_TAMPERED'])
    expect(await t.admin.resume(KEY, TWO)).toMatchObject({ ok: false, faults: [{ code: 'RELEASE_KEY_TAMPERED' }] })
    expect(t.vault.opened).toEqual([])
  })

  it('the one that the log does not tell of yet is not administered', async () => {
    const t = await suspended()
    const { sequence } = await t.store.auditHead()
    const command = new Administration({ ...t.options, audit: unanchoredAudit(t.store, t.gate.now) })
    take(await command.resume(KEY, TWO))
    undo(t, sequence)
    const change = () => t.admin.changeLimits(KEY, LIMITED, TWO)
    put(t, 'open')
    expect(await change()).toMatchObject({ ok: false, faults: [{ code: 'RELEASE_KEY_TAMPERED' }] })
    put(t, 'shut')
    expect((await change()).ok).toBe(true)
  })
})

describe('a key whose last entry is of an earlier version', () => {
  it('is to be registered anew, since nothing tells which of its rows was written', async () => {
    const started = async (entryOf: (entry: string) => string) => {
      const parts = { file: newFile('db'), kekFile: await newKekFile() }
      const before = await testBroker(parts)
      const [row] = await before.store.auditRows(0, 1)
      const entry = entryOf(row?.entry ?? '')
      before.sql('DROP TRIGGER audit_fixed')
      before.sql('UPDATE audit SET entry = ?, chain = ?', entry, chainAfter(EMPTY_HEAD.chain, entry))
      return testBroker({ ...parts, isEmpty: true, gate: { random: nodeRandom } })
    }
    expect(await asked(await started((entry) => entry))).toEqual([])
    const t = await started((entry) => entry.replace(/,"row":"[^"]+"/, ''))
    expect(await asked(t)).toEqual(['RELEASE_KEY_OUTDATED'])
    take(await t.admin.register({ ...KEY, secret: SECRET, policy: KEY_POLICY, limits: LIMITLESS }, TWO))
    expect(await asked(t)).toEqual([])
  })
})

describeWith([POSTGRES], 'of two rows of one revision in PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(() => {
    server = postgresServer()
  })
  afterAll(() => server.stop())

  it('the one that a trigger showed while it refused it does not open', async () => {
    const connectionString = await server.database()
    const stores = {
      gate: await postgresStore({ connectionString }),
      release: await postgresReleaseStore({ connectionString }),
    }
    const t = await testBroker({ stores, gate: { random: nodeRandom } })
    take(await t.admin.suspend(KEY, ONE))
    await ask(
      connectionString,
      `CREATE FUNCTION show() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full %', row_to_json(NEW); END $$;
       CREATE TRIGGER show BEFORE INSERT OR UPDATE ON vouchsafe.release_key FOR EACH ROW EXECUTE FUNCTION show()`,
    )
    expect((await t.admin.resume(KEY, TWO)).ok).toBe(false)
    const shown = /full (\{.*\})/.exec(String(t.errors.at(-1)))?.[1] ?? ''
    await ask(connectionString, 'DROP TRIGGER show ON vouchsafe.release_key; DROP FUNCTION show')
    take(await t.admin.changeLimits(KEY, LIMITED, ONE))
    expect(await asked(t)).toEqual(['RELEASE_KEY_LIMIT'])
    await ask(
      connectionString,
      `DELETE FROM vouchsafe.release_key; INSERT INTO vouchsafe.release_key
       SELECT * FROM json_populate_record(null::vouchsafe.release_key, '${shown.replaceAll("'", "''")}')`,
    )
    expect(await asked(t)).toEqual(['RELEASE_KEY_TAMPERED'])
    expect(t.vault.opened).toEqual([])
    await Promise.all([stores.gate.close(), stores.release.close()])
  })
})
