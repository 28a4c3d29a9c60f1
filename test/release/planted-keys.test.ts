import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { take } from '../../src/core/outcome.ts'
import { createAnchorFile, createAuditLog, exportLines, fileAnchor } from '../../src/release/audit/index.ts'
import type { ReleaseStore, Vault } from '../../src/release/ports.ts'
import { createKekFile, fileVault } from '../../src/release/vault/index.ts'
import { postgresReleaseStore } from '../../src/stores/postgres-release.ts'
import { sqliteReleaseStore } from '../../src/stores/sqlite-release.ts'
import { keyRow, record, writeKey } from '../stores/release-rows.ts'
import { searchFor, spellings } from '../support/planted.ts'
import { POSTGRES, type PostgresServer, postgresServer } from '../support/postgres.ts'
import { describeWith } from '../support/tools.ts'
import { signing } from './audit/support.ts'
import { codesOf } from './vault/contract.ts'

const PLANTED = 1000
/** As many as that take a minute in PostgreSQL on a busy machine: VOUCHSAFE_PLANTED. */
const PLANTED_IN_POSTGRES = Number(process.env.VOUCHSAFE_PLANTED ?? 200)
const KEYS = Array.from({ length: PLANTED }, () => randomBytes(32))
const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-planted-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const SIGNING = await signing('audit-1')
const kekFile = join(folder, 'kek')
await createKekFile(kekFile)

const found = searchFor(KEYS)

/** Registers keys and releases some: what a service leaves in its store. */
async function plant(store: ReleaseStore, vault: Vault, count: number): Promise<void> {
  for (let from = 0; from < count; from += 100)
    await Promise.all(KEYS.slice(from, from + 100).map((secret, i) => plantOne(store, vault, secret, from + i)))
}

async function plantOne(store: ReleaseStore, vault: Vault, secret: Buffer, i: number): Promise<void> {
  const name = { tenant: 'acme', keyId: `k${i}` }
  const binding = { ...name, policyDigest: keyRow().policyDigest }
  const sealed = take(await vault.seal(secret, binding))
  await store.transact(name, writeKey(keyRow(1, { ...binding, sealed })))
  if (i % 50 !== 0) return
  await record(store, `c${i}`, name)
  expect(Buffer.from(take(await vault.open(sealed, binding))).equals(secret)).toBe(true)
}

async function exported(store: ReleaseStore): Promise<Buffer> {
  const lines: string[] = []
  for await (const line of exportLines(store)) lines.push(line)
  return Buffer.from(lines.join('\n'))
}

describe('a search for keys', () => {
  it('finds one in every spelling, so that finding none says something', () => {
    const [key] = KEYS as [Buffer]
    const noise = randomBytes(5000)
    for (const spelling of spellings(key)) expect(found(Buffer.concat([noise, spelling, noise]))).toBeGreaterThan(0)
    for (let offset = 0; offset < 3; offset++) {
      const inside = Buffer.concat([randomBytes(offset), key, randomBytes(7)])
      expect(found(Buffer.from(inside.toString('base64')))).toBeGreaterThan(0)
    }
    expect(found(randomBytes(100_000))).toBe(0)
  })
})

describe(`a store with ${PLANTED} keys`, () => {
  it('shows none of them in its SQLite file, log, backup, anchor and export', async () => {
    const [path, anchorFile] = [join(folder, 'service.db'), join(folder, 'anchor')]
    await createAnchorFile(anchorFile)
    const store = sqliteReleaseStore(path)
    const vault = take(await fileVault(kekFile))
    await plant(store, vault, PLANTED)
    const log = take(await createAuditLog({ store, ...SIGNING, anchor: fileAnchor(anchorFile), clock: () => 100 }))
    take(await log.checkpoint())
    const backup = join(folder, 'backup.db')
    const database = new DatabaseSync(path)
    database.prepare('VACUUM INTO ?').run(backup)
    database.close()
    const files = [path, `${path}-wal`, `${path}-shm`, backup, anchorFile]
    expect(files.map((file) => found(readFileSync(file)))).toEqual(files.map(() => 0))
    expect(found(await exported(store))).toBe(0)
    // With the database alone, somebody else's vault opens nothing.
    const foreign = join(folder, 'foreign')
    await createKekFile(foreign)
    const thief = take(await fileVault(foreign))
    for (const key of (await store.keys('acme')).slice(0, 10)) {
      expect(codesOf(await thief.open(key.sealed, key))).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
      const renamed = { ...key.sealed, kek: thief.currentKek }
      expect(codesOf(await thief.open(renamed, key))).toEqual(['RELEASE_KEY_TAMPERED'])
    }
    await store.close()
  })

  describeWith([POSTGRES], 'in PostgreSQL', () => {
    let server: PostgresServer
    beforeAll(() => {
      server = postgresServer(['-c', 'log_statement=all', '-c', 'log_min_duration_statement=0'])
    })
    afterAll(() => server.stop())

    it('shows none of them in pg_dump, data files, write-ahead log and the log of every statement', async () => {
      const connectionString = await server.database()
      const store = await postgresReleaseStore({ connectionString })
      await plant(store, take(await fileVault(kekFile)), PLANTED_IN_POSTGRES)
      const last = `k${PLANTED_IN_POSTGRES - 1}`
      const dump = Buffer.from(server.dump(connectionString))
      expect([dump.includes(last), found(dump), found(await exported(store))]).toEqual([true, 0, 0])
      await store.close()
      await server.checkpoint()
      let searched = 0
      for (const file of readdirSync(server.folder, { recursive: true, withFileTypes: true })) {
        if (!file.isFile() || !/log$|base|pg_wal/.test(join(file.parentPath, file.name))) continue
        const bytes = readFileSync(join(file.parentPath, file.name))
        if (!bytes.includes(last)) continue
        searched++
        expect(found(bytes), file.name).toBe(0)
      }
      expect(searched).toBeGreaterThan(2)
    })
  })
})
