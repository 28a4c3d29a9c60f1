import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { take } from '../../../src/core/outcome.ts'
import { createAnchorFile, createAuditLog, fileAnchor } from '../../../src/release/audit/index.ts'
import { sqliteReleaseStore } from '../../../src/stores/sqlite-release.ts'
import { signing } from '../../release/audit/support.ts'
import { eventOf } from '../../stores/release-rows.ts'
import { vouchsafe, widest } from '../run.ts'

const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-audit-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string): string => join(folder, name)
const [database, anchor, keys] = [at('service.db'), at('service.anchor'), at('jwks.json')]
const KNOWN = ['--keys', keys] as const
const SIGNING = await signing('audit-1')
const clock = () => 1_785_542_400

beforeAll(async () => {
  writeFileSync(keys, JSON.stringify(SIGNING.keys))
  await createAnchorFile(anchor)
  const store = sqliteReleaseStore(database)
  const log = take(await createAuditLog({ ...SIGNING, store, anchor: fileAnchor(anchor), clock }))
  const lease = 'akash1owner/7/1/1/akash1provider/0'
  for (let i = 1; i <= 3; i++)
    take(await log.record(eventOf('key.refused', { challengeId: `c${i}`, codes: ['SNP_POLICY_DEBUG_ALLOWED'], lease })))
  take(await log.checkpoint())
  take(await log.record(eventOf('key.released', { tenant: 'other', keyId: 'weights\u001b[2J', challengeId: 'c4' })))
  take(await log.checkpoint())
  await store.close()
})

/** A copy of the database that somebody has written to. */
function tampered(name: string, sql: string): string {
  const path = at(name)
  const source = new DatabaseSync(database)
  source.prepare('VACUUM INTO ?').run(path)
  source.close()
  const copy = new DatabaseSync(path)
  copy.exec(`DROP TRIGGER audit_kept; DROP TRIGGER audit_fixed; ${sql}`)
  copy.close()
  return path
}

describe('vouchsafe audit verify', () => {
  it('accepts the log of a service, beside its anchor or far from it', async () => {
    const ran = await vouchsafe(['audit', 'verify', database, ...KNOWN, '--anchor', anchor])
    expect([ran.exit, ran.stdout]).toEqual([0, expect.stringContaining('4 rows')])
    const json = await vouchsafe(['audit', 'verify', database, ...KNOWN, '--without-anchor', 'far away', '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, kind: 'log', rows: 4, signed: { size: 4 } })
  })

  it.each([
    ['edited', "UPDATE audit SET entry = replace(entry, 'c2', 'c9') WHERE sequence = 2", 'audit/row/2'],
    ['dropped', 'DELETE FROM audit WHERE sequence = 1', 'audit/row/1'],
    ['cut', 'DELETE FROM audit WHERE sequence = 4; DELETE FROM checkpoint WHERE size = 4', 'audit/row/4'],
  ])('refuses a log with a row that was %s, and names the row', async (name, sql, row) => {
    const path = tampered(`${name}.db`, sql)
    const ran = await vouchsafe(['audit', 'verify', path, ...KNOWN, '--anchor', anchor, '--json'])
    expect(ran.exit).toBe(1)
    expect(JSON.parse(ran.stdout)).toMatchObject({
      ...{ ok: false, verdict: 'reject', faults: [{ code: 'AUDIT_CHAIN_BROKEN', path: row }] },
    })
    const text = await vouchsafe(['audit', 'verify', path, ...KNOWN, '--anchor', anchor])
    expect([text.stdout.includes('AUDIT_CHAIN_BROKEN'), widest(text.stdout) <= 100]).toEqual([true, true])
  })

  it('does not know about rows that nobody vouches for', async () => {
    const path = tampered('unsigned.db', 'DELETE FROM checkpoint WHERE size = 4')
    const args = ['audit', 'verify', path, ...KNOWN, '--json']
    const apart = await vouchsafe([...args, '--without-anchor', 'far away'])
    expect(apart.exit).toBe(3)
    expect(JSON.parse(apart.stdout)).toMatchObject({
      verdict: 'inconclusive',
      faults: [{ code: 'AUDIT_CHECKPOINT_MISSING' }],
    })
    expect((await vouchsafe([...args, '--anchor', anchor])).exit).toBe(0)
    const lost = await vouchsafe([...args, '--anchor', at('lost')])
    expect([lost.exit, JSON.parse(lost.stdout).faults[0].code]).toEqual([3, 'AUDIT_ANCHOR_UNAVAILABLE'])
  })

  it('is told what it cannot do without', async () => {
    const verify = (...args: string[]) => vouchsafe(['audit', 'verify', ...args])
    const wrong = [
      await verify(database, ...KNOWN),
      await verify(database, ...KNOWN, '--anchor', anchor, '--without-anchor', 'both'),
      await verify(database, ...KNOWN, '--without-anchor', ' '),
      await verify(database, '--anchor', anchor),
      await verify(database, '--keys', database, '--anchor', anchor),
      await verify(at('nowhere'), ...KNOWN, '--anchor', anchor),
      await verify(keys, ...KNOWN, '--anchor', anchor, '--extra'),
      await verify('postgres://user:secret@localhost/x', ...KNOWN, '--anchor', anchor),
    ]
    for (const ran of wrong) expect([ran.exit, ran.stdout, ran.stderr.includes('secret')]).toEqual([2, '', false])
    const foreign = at('foreign.db')
    const other = new DatabaseSync(foreign)
    other.exec('CREATE TABLE t (x)')
    other.close()
    expect((await verify(foreign, ...KNOWN, '--anchor', anchor)).stderr).toContain('another program')
  })
})

describe('vouchsafe audit show', () => {
  it('shows the entries, for people and for machines', async () => {
    const text = await vouchsafe(['audit', 'show', database])
    expect(text.exit).toBe(0)
    expect(text.stdout).toContain('SNP_POLICY_DEBUG_ALLOWED')
    expect(text.stdout).toContain('\\u{1b}[2J')
    expect([text.stdout.includes('\x1b'), widest(text.stdout) <= 100]).toEqual([false, true])
    const json = await vouchsafe(['audit', 'show', database, '--after', '1', '--limit', '2', '--json'])
    expect(JSON.parse(json.stdout).map((row: { sequence: number }) => row.sequence)).toEqual([2, 3])
    const other = await vouchsafe(['audit', 'show', database, '--tenant', 'other', '--json'])
    expect(JSON.parse(other.stdout)).toMatchObject([{ sequence: 4, type: 'key.released', tenant: 'other' }])
    expect((await vouchsafe(['audit', 'show', database, '--limit', 'x'])).exit).toBe(2)
  })
})

describe('what is given away', () => {
  it('is an export that verifies elsewhere, with the public key alone', async () => {
    const file = at('export.ndjson')
    expect(await vouchsafe(['audit', 'export', database, '--out', file])).toMatchObject({ exit: 0, stdout: '' })
    const piped = await vouchsafe(['audit', 'export', database])
    expect(piped.stdout).toBe(readFileSync(file, 'utf8'))
    expect((await vouchsafe(['audit', 'export', database, '--out', file])).exit).toBe(2)
    const verify = ['audit', 'verify', ...KNOWN, '--without-anchor', 'elsewhere']
    expect((await vouchsafe([...verify, file])).exit).toBe(0)
    expect((await vouchsafe([...verify, '-'], { stdin: piped.stdout })).exit).toBe(0)
    const edited = piped.stdout.replace('c2', 'c9')
    expect((await vouchsafe([...verify, '-'], { stdin: edited })).exit).toBe(1)
  })

  it('is a proof of one row, and of growth', async () => {
    for (const args of [
      ['--row', '2'],
      ['--since', '3'],
    ]) {
      const proof = await vouchsafe(['audit', 'prove', database, ...args])
      expect(proof.exit).toBe(0)
      const verify = ['audit', 'verify', '-', ...KNOWN]
      expect((await vouchsafe(verify, { stdin: proof.stdout })).exit).toBe(0)
      const [, hash = ''] = /"([0-9a-f]{64})"/.exec(proof.stdout) ?? []
      const bad = await vouchsafe([...verify, '--json'], { stdin: proof.stdout.replace(hash, 'a'.repeat(64)) })
      expect([bad.exit, JSON.parse(bad.stdout).faults[0].code]).toEqual([1, 'AUDIT_PROOF_INVALID'])
    }
    for (const args of [[], ['--row', '5'], ['--row', '0'], ['--since', '2'], ['--row', '1', '--since', '3']])
      expect((await vouchsafe(['audit', 'prove', database, ...args])).exit).toBe(2)
  })
})

describe('vouchsafe audit new-anchor', () => {
  it('makes an empty anchor that a service takes up, and overwrites none', async () => {
    const file = at('new.anchor')
    const made = await vouchsafe(['audit', 'new-anchor', file])
    expect(made).toMatchObject({ exit: 0, stderr: '', stdout: expect.stringContaining('vouches for nothing') })
    expect(made.stdout).toContain(file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(take(await fileAnchor(file).read()).sequence).toBe(0)

    const store = sqliteReleaseStore(database)
    take(await createAuditLog({ ...SIGNING, store, anchor: fileAnchor(file), clock }))
    await store.close()
    const before = readFileSync(file)
    expect(take(await fileAnchor(file).read()).sequence).toBe(4)

    const again = await vouchsafe(['audit', 'new-anchor', file])
    expect([again.exit, again.stdout, again.stderr]).toEqual([
      2,
      '',
      `vouchsafe: cannot make ${file}: it is there already\n`,
    ])
    expect(readFileSync(file)).toEqual(before)
    const json = await vouchsafe(['audit', 'new-anchor', at('replica.anchor'), '--json'])
    expect(JSON.parse(json.stdout)).toEqual({ ok: true, anchor: at('replica.anchor'), rows: 0 })
  })
})
