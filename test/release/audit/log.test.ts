import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import type { Json } from '../../../src/core/json.ts'
import { take } from '../../../src/core/outcome.ts'
import { isOfKeyRow } from '../../../src/release/audit/entry.ts'
import {
  type AuditLogOptions,
  allCheckpoints,
  checkProof,
  createAnchorFile,
  createAuditLog,
  exportLines,
  fileAnchor,
  firstRows,
  nextRow,
  proveConsistency,
  proveInclusion,
  readExport,
  rowsAfter,
  verifyAudit,
} from '../../../src/release/audit/index.ts'
import { sqliteReleaseStore } from '../../../src/stores/sqlite-release.ts'
import { eventOf } from '../../stores/release-rows.ts'
import { codesOf, signing } from './support.ts'

const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-audit-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const SIGNING = await signing('audit-1', 'ES256')
let files = 0

/** A place for a log: a database, and an anchor beside it. */
async function place() {
  const database = join(folder, `${files}.db`)
  const anchorFile = join(folder, `${files++}.anchor`)
  await createAnchorFile(anchorFile)
  const open = async (more: Partial<AuditLogOptions> = {}) => {
    const store = sqliteReleaseStore(database)
    const log = await createAuditLog({ store, ...SIGNING, anchor: fileAnchor(anchorFile), clock: () => 100, ...more })
    return { store, log }
  }
  return { database, anchorFile, open }
}

/** A log of so many refusals, closed again. */
async function written(count: number) {
  const at = await place()
  const { store, log } = await at.open()
  for (let i = 0; i < count; i++) take(await take(log).record(eventOf('key.refused', { challengeId: `c${i + 1}` })))
  await store.close()
  return at
}

function tamper(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec('DROP TRIGGER audit_kept; DROP TRIGGER audit_fixed')
  database.exec(sql)
  database.close()
}

describe('createAuditLog', () => {
  it('records, anchors, signs, and opens again', async () => {
    const { open, anchorFile } = await place()
    const { store, log } = await open()
    expect(take(await take(log).checkpoint())).toBeUndefined()
    const row = take(await take(log).record(eventOf('admin.approved', { actor: 'alice' })))
    expect(row.sequence).toBe(1)
    expect(JSON.parse(readFileSync(anchorFile, 'utf8'))).toMatchObject({ sequence: 1, chain: row.chain })
    expect(statSync(anchorFile).mode & 0o777).toBe(0o600)
    const first = take(await take(log).checkpoint())
    expect(first?.size).toBe(1)
    expect(take(await take(log).checkpoint())).toEqual(first)
    await Promise.all(Array.from({ length: 20 }, () => take(log).record(eventOf('key.refused'))))
    expect(JSON.parse(readFileSync(anchorFile, 'utf8')).sequence).toBe(21)
    await store.close()
    const again = await open()
    expect(take(await take(again.log).checkpoint())?.size).toBe(21)
    await again.store.close()
  })

  it.each([
    ['edited', "UPDATE audit SET entry = replace(entry, 'c3', 'c9') WHERE sequence = 3"],
    ['dropped', 'DELETE FROM audit WHERE sequence = 2'],
    ['cut off at the end', 'DELETE FROM audit WHERE sequence = 5'],
    ['gone', 'DELETE FROM audit'],
    ['added', "INSERT INTO audit SELECT 6, replace(entry, '5', '6'), chain FROM audit WHERE sequence = 5"],
    [
      'swapped',
      `UPDATE audit SET sequence = 50 WHERE sequence = 5; UPDATE audit SET sequence = 5 WHERE sequence = 4;
       UPDATE audit SET sequence = 4 WHERE sequence = 50`,
    ],
  ])('does not open behind a row that was %s', async (_, sql) => {
    const { database, open } = await written(5)
    tamper(database, sql)
    const { store, log } = await open()
    expect(codesOf(log)).toEqual(['AUDIT_CHAIN_BROKEN'])
    await store.close()
  })

  it.each([
    ['cut off', 'DELETE FROM audit WHERE sequence > 2', 'AUDIT_CHAIN_BROKEN'],
    ['left alone', 'DELETE FROM audit WHERE sequence > 5', 'none'],
  ])('does not anchor a log that was %s while it was open and grew again', async (_, sql, code) => {
    const { database, open, anchorFile } = await written(5)
    const { store, log } = await open()
    tamper(database, sql)
    const codes: (readonly string[])[] = []
    for (let i = 0; i < 8; i++)
      codes.push(codesOf(await take(log).record(eventOf('key.released', { challengeId: `n${i}` }))))
    expect(codes).toEqual(Array.from({ length: 8 }, () => [code]))
    await store.close()
    expect(JSON.parse(readFileSync(anchorFile, 'utf8')).sequence).toBe(code === 'none' ? 13 : 5)
    const again = await open()
    expect(codesOf(again.log)).toEqual([code])
    await again.store.close()
  })

  it('opens behind a crash between the row and its anchor', async () => {
    const { open, anchorFile } = await place()
    const before = readFileSync(anchorFile)
    const { store, log } = await open()
    take(await take(log).record(eventOf('key.refused')))
    await store.close()
    writeFileSync(anchorFile, before)
    const again = await open()
    expect(codesOf(again.log)).toEqual(['none'])
    expect(JSON.parse(readFileSync(anchorFile, 'utf8')).sequence).toBe(1)
    await again.store.close()
  })

  it('does not open without its anchor, or with one that others may write', async () => {
    const { open, anchorFile } = await written(1)
    const refusedNow = async () => {
      const { store, log } = await open()
      await store.close()
      return codesOf(log)
    }
    chmodSync(anchorFile, 0o666)
    expect(await refusedNow()).toEqual(['AUDIT_ANCHOR_UNAVAILABLE'])
    chmodSync(anchorFile, 0o600)
    expect(await refusedNow()).toEqual(['none'])
    writeFileSync(anchorFile, '{}')
    expect(await refusedNow()).toEqual(['AUDIT_ANCHOR_UNAVAILABLE'])
    rmSync(anchorFile)
    expect(await refusedNow()).toEqual(['AUDIT_ANCHOR_UNAVAILABLE'])
  })

  it('refuses a clock that goes back, and goes on when it is right', async () => {
    const { open } = await written(1)
    let now = 90
    const { store, log } = await open({ clock: () => now })
    expect(codesOf(await take(log).record(eventOf('key.refused')))).toEqual(['AUDIT_TIME_INVALID'])
    now = 101
    expect(codesOf(await take(log).record(eventOf('key.refused')))).toEqual(['none'])
    await store.close()
  })

  it.each([
    [102, 'none'],
    [103, 'AUDIT_TIME_INVALID'],
  ])('neither anchors nor signs an entry of second %i at second 100, and goes on without it', async (at, code) => {
    const { database, open, anchorFile } = await written(1)
    const { store, log } = await open()
    const other = sqliteReleaseStore(database)
    await other.transact(null, ({ head }) => ({
      entries: [take(nextRow(head, eventOf('key.refused'), at))],
      result: null,
    }))
    const results = [
      await take(log).follow(),
      await take(log).checkpoint(),
      await take(log).record(eventOf('key.refused')),
    ]
    expect(results.map(codesOf)).toEqual([[code], [code], [code]])
    const isFollowed = code === 'none'
    expect(JSON.parse(readFileSync(anchorFile, 'utf8')).sequence).toBe(isFollowed ? 3 : 1)
    expect((await store.checkpoints(0, 9)).length).toBe(isFollowed ? 1 : 0)
    const again = await open()
    expect(codesOf(again.log)).toEqual([code])
    tamper(database, 'DELETE FROM audit WHERE sequence > 1 AND NOT EXISTS (SELECT * FROM checkpoint)')
    expect(codesOf(await take(log).record(eventOf('key.refused')))).toEqual(['none'])
    expect(take(await take(log).checkpoint())?.size).toBe(isFollowed ? 4 : 2)
    await Promise.all([store.close(), other.close(), again.store.close()])
  })

  it('says so where the store or the anchor cannot be written', async () => {
    const { open, anchorFile } = await place()
    let fails = true
    const anchor = fileAnchor(anchorFile)
    const write: typeof anchor.write = (end) => (fails ? Promise.reject(new Error('EIO')) : anchor.write(end))
    const { store, log } = await open({ anchor: { ...anchor, write } })
    expect(codesOf(await take(log).record(eventOf('key.refused')))).toEqual(['RELEASE_AUDIT_UNAVAILABLE'])
    fails = false
    expect(codesOf(await take(log).record(eventOf('key.refused')))).toEqual(['none'])
    expect(JSON.parse(readFileSync(anchorFile, 'utf8')).sequence).toBe(2)
    await store.close()
    expect(codesOf(await take(log).record(eventOf('key.refused')))).toEqual(['RELEASE_AUDIT_UNAVAILABLE'])
    expect(codesOf(await take(log).checkpoint())).toEqual(['RELEASE_AUDIT_UNAVAILABLE'])
  })

  it.each([
    ['edited', `UPDATE audit SET entry = replace(entry, '"kbs"', '"cli"') WHERE sequence = 7`, 'AUDIT_CHAIN_BROKEN'],
    ['given another number', 'UPDATE audit SET sequence = 9 WHERE sequence = 7', 'AUDIT_CHAIN_BROKEN'],
    ['left alone', 'DELETE FROM audit WHERE sequence = 70', 'none'],
  ])('settles nothing behind a row of another replica that was %s', async (_, sql, code) => {
    const { database, open, anchorFile } = await written(5)
    const { store, log } = await open()
    const other = sqliteReleaseStore(database)
    for (let i = 0; i < 2; i++)
      await other.transact(null, ({ head }) => ({
        entries: [take(nextRow(head, eventOf('key.refused', { actor: 'kbs' }), 100))],
        result: null,
      }))
    tamper(database, sql)
    expect(codesOf(await take(log).record(eventOf('key.refused')))).toEqual([code])
    expect(codesOf(await take(log).follow())).toEqual([code])
    expect(codesOf(await take(log).checkpoint())).toEqual([code])
    expect(JSON.parse(readFileSync(anchorFile, 'utf8')).sequence).toBe(code === 'none' ? 8 : 5)
    await Promise.all([store.close(), other.close()])
  })

  it('does not settle a row in whose place another has come', async () => {
    const { database, open } = await written(5)
    const { store, log } = await open()
    const own = take(await take(log).record(eventOf('key.released', { challengeId: 'mine' })))
    take(await take(log).record(eventOf('key.refused')))
    expect(codesOf(await take(log).settle(own))).toEqual(['none'])
    tamper(database, 'UPDATE audit SET chain = upper(chain) WHERE sequence = 6')
    expect(codesOf(await take(log).settle(own))).toEqual(['AUDIT_CHAIN_BROKEN'])
    expect(codesOf(await take(log).settle({ sequence: 9, chain: own.chain }))).toEqual(['AUDIT_CHAIN_BROKEN'])
    await store.close()
  })

  it('follows what is written, however much at once, and counts the rows of keys', async () => {
    const { database, open } = await written(1)
    const { store, log } = await open()
    const other = sqliteReleaseStore(database)
    const [name, count] = [{ tenant: 'acme', keyId: 'llama' }, 2100]
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        other.transact(null, ({ head }) => {
          const type = i === 0 ? 'key.registered' : i === 1500 ? 'key.changed' : 'key.refused'
          const row = isOfKeyRow({ type }) ? `row ${i}` : null
          return { entries: [take(nextRow(head, eventOf(type, { ...name, row }), 100))], result: null }
        }),
      ),
    )
    const none = { revision: 0, mac: null, at: 0, isRetired: false }
    expect(take(log).keys.of(name)).toEqual(none)
    take(await take(log).follow())
    const { keys } = take(log)
    const mac = 'row 1500'
    expect(keys.of(name)).toMatchObject({ revision: 2, mac })
    expect(keys.of({ ...name, keyId: 'other' })).toEqual(none)
    expect(codesOf(keys.check({ ...name, revision: 2, mac }, count))).toEqual(['none'])
    for (const other of [
      { revision: 1, mac },
      { revision: 3, mac },
      { revision: 2, mac: 'row 0' },
    ])
      expect(codesOf(keys.check({ ...name, ...other }, count))).toEqual(['RELEASE_KEY_TAMPERED'])
    expect(codesOf(keys.check({ ...name, revision: 1, mac }, 10))).toEqual(['RELEASE_REPLICA_STALE'])
    expect(codesOf(keys.check({ tenant: 'x', keyId: 'y', revision: 1, mac }, 10))).toEqual(['RELEASE_KEY_TAMPERED'])
    expect(take(await take(log).checkpoint())?.size).toBe(count + 1)
    await Promise.all([store.close(), other.close()])
  })

  it('is one log for two replicas, each of which may sign it', async () => {
    const at = await place()
    const [a, b] = [await at.open(), await at.open()]
    await Promise.all([a, b, a, b].map(({ log }) => take(log).record(eventOf('key.refused'))))
    const [one, two] = await Promise.all([take(a.log).checkpoint(), take(b.log).checkpoint()])
    expect(take(one)).toEqual(take(two))
    expect(take(one)?.size).toBe(4)
    await Promise.all([a.store.close(), b.store.close()])
  })
})

describe('what leaves the log', () => {
  const exported = async () => {
    const { open } = await written(3)
    const { store, log } = await open()
    take(await take(log).checkpoint())
    for (let i = 0; i < 4; i++) take(await take(log).record(eventOf('key.released', { challengeId: `r${i}` })))
    take(await take(log).checkpoint())
    return store
  }

  it('is an export that verifies with the public key alone', async () => {
    const store = await exported()
    const lines: string[] = []
    for await (const line of exportLines(store)) lines.push(line)
    const source = readExport(`${lines.join('\n')}\n`)
    if (source === undefined) throw new Error('no export')
    const anchor = { notChecked: 'elsewhere' }
    const result = await verifyAudit({
      ...{ rows: rowsAfter(source), checkpoints: await allCheckpoints(source), keys: SIGNING.keys, anchor },
    })
    expect(take(result).covered).toBe(7)
    for (const bad of [
      '',
      lines.join('\n'),
      `${lines.slice(1).join('\n')}\n`,
      `${lines.join('\n')}\n{}\n`,
      `${lines[0]}\n{\n`,
    ])
      expect(readExport(bad)).toBeUndefined()
    await store.close()
  })

  it('is a proof of one entry, and of the log’s growth', async () => {
    const store = await exported()
    const [small, large] = await allCheckpoints(store)
    if (small === undefined || large === undefined) throw new Error('no checkpoints')
    const rows = await firstRows(store, large.size)
    const json = (value: unknown) => JSON.parse(JSON.stringify(value)) as Json
    for (let n = 1; n <= 7; n++) {
      const proof = await proveInclusion(store, n, large)
      expect(take(await checkProof(json(proof), SIGNING.keys))).toMatchObject({
        ...{ kind: 'inclusion', entry: { sequence: n }, checkpoint: { size: 7 } },
      })
      const entry = proof.entry.replace('"actor":"gate"', '"actor":"kbs"')
      const bad = [
        { ...proof, entry },
        { ...proof, path: proof.path.slice(1) },
        { ...proof, path: 'x' },
        { ...proof, path: ['x'] },
        { ...proof, format: 'x' },
        { ...proof, checkpoint: small.statement },
        { ...proof, entry: '{}' },
        null,
      ]
      for (const one of bad) expect(codesOf(await checkProof(json(one), SIGNING.keys))).toEqual(['AUDIT_PROOF_INVALID'])
    }
    const growth = proveConsistency(rows, small, large)
    expect(take(await checkProof(json(growth), SIGNING.keys))).toMatchObject({
      earlier: { size: 3 },
      later: { size: 7 },
    })
    const turned = { ...growth, earlier: growth.later, later: growth.earlier }
    expect(codesOf(await checkProof(json(turned), SIGNING.keys))).toEqual(['AUDIT_PROOF_INVALID'])
    const { keys: foreign } = await signing('audit-1', 'ES256')
    expect(codesOf(await checkProof(json(growth), foreign))).toEqual(['AUDIT_CHECKPOINT_INVALID'])
    await store.close()
  })
})
