import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fromBase64, toBase64 } from '../../../src/core/encodings.ts'
import { type Outcome, take } from '../../../src/core/outcome.ts'
import type { KeyBinding, RotatingVault, SealedSecret } from '../../../src/release/ports.ts'

export const BINDING: KeyBinding = { tenant: 'acme', keyId: 'llama', policyDigest: `sha256:${'ab'.repeat(32)}` }
export const codesOf = (outcome: Outcome<unknown>): readonly string[] =>
  outcome.ok ? ['none'] : outcome.faults.map((f) => f.code)

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i)

function flipped(sealed: SealedSecret, at: number): SealedSecret {
  const bytes = take(fromBase64(sealed.data, 'data'))
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return { ...sealed, data: toBase64(bytes) }
}

/** What every vault must do. `open` gives another vault over the same key-encryption keys. */
export function vaultContract(name: string, open: () => Promise<RotatingVault>): void {
  describe(`vault contract: ${name}`, () => {
    let vault: RotatingVault
    beforeEach(async () => {
      vault = await open()
    })
    afterEach(() => vault.close())

    it('opens what it sealed, here and in another process', async () => {
      const sealed = take(await vault.seal(SECRET, BINDING))
      expect(sealed.kek).toBe(vault.currentKek)
      expect(take(await vault.open(sealed, BINDING))).toEqual(SECRET)
      const other = await open()
      expect(take(await other.open(sealed, BINDING))).toEqual(SECRET)
      await other.close()
      expect(take(await vault.seal(SECRET, BINDING)).data).not.toBe(sealed.data)
    })

    it('opens nothing that was moved to another tenant, key or policy', async () => {
      const sealed = take(await vault.seal(SECRET, BINDING))
      const moved: readonly KeyBinding[] = [
        { ...BINDING, tenant: 'other' },
        { ...BINDING, keyId: 'other' },
        { ...BINDING, policyDigest: `sha256:${'cd'.repeat(32)}` },
        // The same letters, parted elsewhere.
        { ...BINDING, tenant: 'acmel', keyId: 'lama' },
        { ...BINDING, tenant: BINDING.keyId, keyId: BINDING.tenant },
      ]
      for (const binding of moved) expect(codesOf(await vault.open(sealed, binding))).toEqual(['RELEASE_KEY_TAMPERED'])
      expect(take(await vault.open(sealed, BINDING))).toEqual(SECRET)
    })

    it('opens nothing with a bit changed, cut off or added', async () => {
      const sealed = take(await vault.seal(SECRET, BINDING))
      const size = take(fromBase64(sealed.data, 'data')).length
      expect(size).toBe(12 + 32 + 16)
      const changed = [
        ...Array.from({ length: size }, (_, at) => flipped(sealed, at)),
        { ...sealed, data: sealed.data.slice(0, -4) },
        { ...sealed, data: `${sealed.data}AAAA` },
        { ...sealed, data: '' },
        { ...sealed, data: '!' },
        { ...sealed, algorithm: 'A128GCM' },
      ]
      for (const one of changed) expect(codesOf(await vault.open(one, BINDING))).toEqual(['RELEASE_KEY_TAMPERED'])
      expect(take(await vault.open(sealed, BINDING))).toEqual(SECRET)
    })

    it('names a key-encryption key that is not here', async () => {
      const sealed = { ...take(await vault.seal(SECRET, BINDING)), kek: 'kek-of-another' }
      expect(codesOf(await vault.open(sealed, BINDING))).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
      expect(codesOf(await vault.mac('kek-of-another', SECRET))).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
    })

    it('authenticates under a key that stays with the KEK', async () => {
      const mac = take(await vault.mac(vault.currentKek, SECRET))
      expect(mac).toHaveLength(32)
      expect(take(await vault.mac(vault.currentKek, SECRET))).toEqual(mac)
      expect(take(await vault.mac(vault.currentKek, SECRET.subarray(1)))).not.toEqual(mac)
    })

    it('rotates: new secrets under the new key, old ones open until theirs is dropped', async () => {
      const old = take(await vault.seal(SECRET, BINDING))
      const mac = take(await vault.mac(old.kek, SECRET))
      const beside = await open()
      const name = take(await vault.rotate())
      expect([vault.currentKek, vault.keks.includes(old.kek)]).toEqual([name, true])
      const fresh = take(await vault.seal(SECRET, BINDING))
      expect(fresh.kek).toBe(name)
      expect(take(await vault.open(old, BINDING))).toEqual(SECRET)
      expect(take(await vault.mac(old.kek, SECRET))).toEqual(mac)
      expect(take(await vault.mac(name, SECRET))).not.toEqual(mac)
      expect(take(await beside.open(fresh, BINDING)), 'by one that was open before').toEqual(SECRET)
      expect(take(await beside.seal(SECRET, BINDING)).kek).toBe(name)
      // Under the wrong name it is another key's.
      expect(codesOf(await vault.open({ ...old, kek: name }, BINDING))).toEqual(['RELEASE_KEY_TAMPERED'])
      await expect(vault.drop(name)).rejects.toThrow(TypeError)
      take(await vault.drop(old.kek))
      expect(codesOf(await vault.open(old, BINDING))).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
      expect(take(await vault.open(fresh, BINDING))).toEqual(SECRET)
      await beside.close()
    })

    it('takes many calls at once', async () => {
      const secrets = Array.from({ length: 20 }, (_, i) => new Uint8Array(32).fill(i))
      const sealed = await Promise.all(secrets.map((s) => vault.seal(s, BINDING)))
      const opened = await Promise.all(sealed.map((s) => vault.open(take(s), BINDING)))
      expect(opened.map(take)).toEqual(secrets)
    })

    it('does nothing after it was closed, and seals nothing that is not there', async () => {
      const sealed = take(await vault.seal(SECRET, BINDING))
      await expect(vault.seal(new Uint8Array(), BINDING)).rejects.toThrow(TypeError)
      await expect(vault.seal(SECRET, { ...BINDING, tenant: '\ud800' })).rejects.toThrow(TypeError)
      await vault.close()
      expect(codesOf(await vault.open(sealed, BINDING))).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
      expect(codesOf(await vault.seal(SECRET, BINDING))).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
      expect(codesOf(await vault.rotate())).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
    })
  })
}
