import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { take } from '../../../src/core/outcome.ts'
import { createTokenKek, pkcs11Vault } from '../../../src/release/vault/index.ts'
import { loadModule } from '../../../src/release/vault/pkcs11/module.ts'
import { Token } from '../../../src/release/vault/pkcs11/token.ts'
import { SOFTHSM, softHsm } from '../../support/softhsm.ts'
import { describeWith } from '../../support/tools.ts'
import { BINDING, codesOf, vaultContract } from './contract.ts'

const actualOf = (outcome: Awaited<ReturnType<typeof pkcs11Vault>>): string | undefined =>
  outcome.ok ? undefined : outcome.faults[0].actual

describeWith(SOFTHSM, 'a vault in SoftHSM', () => {
  let hsm: ReturnType<typeof softHsm>
  beforeAll(async () => {
    hsm = softHsm(['vault', 'empty', 'other'])
    take(await createTokenKek(hsm.options('vault')))
  })
  afterAll(() => hsm.remove())

  vaultContract('SoftHSM', async () => take(await pkcs11Vault(hsm.options('vault'))))

  it('has the first key once, and is no vault before', async () => {
    const options = hsm.options('empty')
    expect(codesOf(await pkcs11Vault(options))).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
    const name = take(await createTokenKek(options))
    expect(codesOf(await createTokenKek(options))).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
    const vault = take(await pkcs11Vault(options))
    expect(vault.keks).toEqual([name])
    await vault.close()
  })

  it('opens nothing of another token', async () => {
    take(await createTokenKek(hsm.options('other')))
    const [mine, others] = [
      take(await pkcs11Vault(hsm.options('vault'))),
      take(await pkcs11Vault(hsm.options('other'))),
    ]
    const sealed = take(await mine.seal(new Uint8Array(32), BINDING))
    expect(codesOf(await others.open(sealed, BINDING))).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
    expect(codesOf(await others.open({ ...sealed, kek: others.currentKek }, BINDING))).toEqual(['RELEASE_KEY_TAMPERED'])
    await Promise.all([mine.close(), others.close()])
  })

  it('says which part is absent', async () => {
    const options = hsm.options('vault')
    const absent = await pkcs11Vault({ ...options, module: '/nowhere/libpkcs11.so' })
    expect([codesOf(absent), actualOf(absent)]).toEqual([
      ['RELEASE_VAULT_UNAVAILABLE'],
      expect.stringContaining('/nowhere'),
    ])
    const label = await pkcs11Vault({ ...options, tokenLabel: 'nobody' })
    expect(actualOf(label)).toContain('no token is labelled nobody')
    const pin = join(hsm.folder, 'wrong')
    writeFileSync(pin, '000000', { mode: 0o600 })
    const wrongPin = await pkcs11Vault({ ...options, pinFile: pin })
    expect([codesOf(wrongPin), actualOf(wrongPin)]).toEqual([['RELEASE_VAULT_UNAVAILABLE'], 'C_Login answered 0xa0'])
    chmodSync(pin, 0o644)
    expect(actualOf(await pkcs11Vault({ ...options, pinFile: pin }))).toContain('0600')
    const noModule = await pkcs11Vault({ ...options, module: '/lib/x86_64-linux-gnu/libc.so.6' })
    expect(codesOf(noModule)).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
  })

  it('names its key and goes on though the session was lost', async () => {
    const vault = take(await pkcs11Vault(hsm.options('vault')))
    const sealed = take(await vault.seal(new Uint8Array(32), BINDING))
    // Every session of the process with this token ends, as it does when a token is taken out.
    const module = await loadModule(hsm.options('vault').module)
    for (let session = 1; session < 200; session++) await module.call('C_CloseSession', session).catch(() => undefined)
    expect(codesOf(await vault.open(sealed, BINDING))).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
    expect(vault.currentKek).toBe(sealed.kek)
    expect(codesOf(await vault.open(sealed, BINDING))).toEqual(['none'])
    await vault.close()
  })

  it('keeps its keys from everybody, itself included', async () => {
    const token = await Token.login(hsm.options('vault'), new TextEncoder().encode('246810'))
    const CKA_EXTRACTABLE = 0x162
    const CKA_CLASS = 0
    const CKA_TOKEN = 1
    const extractable = await token.find([[CKA_EXTRACTABLE, true]])
    const keys = await token.find([
      [CKA_CLASS, 4],
      [CKA_TOKEN, true],
    ])
    expect([extractable.length, keys.length > 1]).toEqual([0, true])
    await token.close()
  })

  it('writes no PIN beside the token', async () => {
    const vault = take(await pkcs11Vault(hsm.options('vault')))
    await vault.close()
    const files = readdirSync(join(hsm.folder, 'tokens'), { recursive: true, withFileTypes: true })
    for (const file of files.filter((f) => f.isFile()))
      expect(readFileSync(join(file.parentPath, file.name)).includes('246810')).toBe(false)
  })
})
