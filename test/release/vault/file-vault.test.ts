import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { take } from '../../../src/core/outcome.ts'
import { createKekFile, fileVault } from '../../../src/release/vault/index.ts'
import { BINDING, codesOf, vaultContract } from './contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-kek-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
async function kekFile(): Promise<string> {
  const path = join(folder, `${files++}.kek`)
  await createKekFile(path)
  return path
}

const shared = await kekFile()
vaultContract('file', async () => take(await fileVault(shared)))

describe('the KEK file', () => {
  it('is for its owner alone, and never overwritten', async () => {
    const path = await kekFile()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const before = readFileSync(path, 'utf8')
    await expect(createKekFile(path)).rejects.toThrow()
    expect(readFileSync(path, 'utf8')).toBe(before)
    // Of a process that was killed while it wrote: every key is in it, dropped ones too.
    writeFileSync(join(folder, `.${basename(path)}.4194304-000000000000.vouchsafe-unfinished`), before, { mode: 0o600 })
    take(await take(await fileVault(path)).rotate())
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')).keks)).toHaveLength(2)
    expect(readdirSync(folder).filter((name) => !/^\d+\.kek$/.test(name))).toEqual([])
  })

  it.each([0o640, 0o604, 0o660, 0o777])('is not used with mode %o', async (mode) => {
    const path = await kekFile()
    chmodSync(path, mode)
    expect(codesOf(await fileVault(path))).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
    chmodSync(path, 0o600)
    expect(codesOf(await fileVault(path))).toEqual(['none'])
  })

  it('is used as it was made, or not at all, and no fault shows what it holds', async () => {
    const path = await kekFile()
    const good = JSON.parse(readFileSync(path, 'utf8'))
    const name = good.current
    const bytes = good.keks[name]
    const bad: readonly unknown[] = [
      { ...good, format: 'vouchsafe/kek/2' },
      { ...good, current: 'kek-0000000000000000' },
      { ...good, current: undefined },
      { ...good, keks: {} },
      { ...good, keks: [bytes] },
      { ...good, keks: { [name]: bytes.slice(0, -4) } },
      { ...good, keks: { [name]: 7 } },
      { ...good, keks: { [name]: bytes, '../kek': bytes } },
      { ...good, more: 1 },
      null,
    ]
    for (const text of [...bad.map((json) => JSON.stringify(json)), '', '{', `${JSON.stringify(good)}x`]) {
      writeFileSync(path, text)
      const outcome = await fileVault(path)
      expect(codesOf(outcome)).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
      expect(JSON.stringify(outcome)).not.toContain(bytes.slice(0, 8))
    }
    expect(codesOf(await fileVault(join(folder, 'absent')))).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
    expect(codesOf(await fileVault(folder))).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
  })

  it('is changed by one at a time, and as it was where it cannot be changed', async () => {
    const path = await kekFile()
    const vault = take(await fileVault(path))
    const before = readFileSync(path, 'utf8')
    writeFileSync(`${path}.lock`, '')
    expect(codesOf(await vault.rotate())).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
    expect(readFileSync(path, 'utf8')).toBe(before)
    rmSync(`${path}.lock`)
    const rotations = await Promise.all([vault.rotate(), vault.rotate(), vault.rotate()])
    const made = rotations.filter((r) => r.ok).length
    expect(made).toBeGreaterThan(0)
    expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')).keks)).toHaveLength(1 + made)
    expect(existsSync(`${path}.lock`)).toBe(false)
  })

  it('opens nothing of another file: a database alone is worth nothing', async () => {
    const [mine, others] = [take(await fileVault(await kekFile())), take(await fileVault(await kekFile()))]
    const sealed = take(await mine.seal(new Uint8Array(32), BINDING))
    expect(codesOf(await others.open(sealed, BINDING))).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
    expect(codesOf(await others.open({ ...sealed, kek: others.currentKek }, BINDING))).toEqual(['RELEASE_KEY_TAMPERED'])
    expect(codesOf(await mine.open(sealed, BINDING))).toEqual(['none'])
  })
})
