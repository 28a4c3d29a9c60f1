import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { concatBytes } from '../../core/bytes.ts'
import { toBase64 } from '../../core/encodings.ts'
import { type Outcome, ok } from '../../core/outcome.ts'
import type { KeyBinding, RotatingVault, SealedSecret } from '../ports.ts'
import {
  ALGORITHM,
  associatedData,
  checkSecret,
  NONCE_BYTES,
  TAG_BYTES,
  tampered,
  unavailable,
  unpacked,
} from './binding.ts'
import { addKek, dropKek, type KekFile, readKekFile } from './kek-file.ts'

interface Keys {
  readonly sealing: KeyObject
  readonly mac: KeyObject
}

/** One key for each use (RFC 5869), so that nothing that is learnt of one says anything of the other. */
function derived(kek: Uint8Array, use: 'seal' | 'mac'): KeyObject {
  const bytes = new Uint8Array(hkdfSync('sha256', kek, '', `vouchsafe/kek/1 ${use}`, 32))
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}

/**
 * A vault whose key-encryption keys lie in a file of its owner's (`createKekFile` makes one). Several processes may use it:
 * one that is asked for a KEK which another has added since reads the file again.
 * @param path mode 0600, outside the database and its backups
 * @returns the vault, or RELEASE_VAULT_UNAVAILABLE
 */
export async function fileVault(path: string): Promise<Outcome<RotatingVault>> {
  const file = await readKekFile(path)
  return file.ok ? ok(new FileVault(path, file.value)) : file
}

class FileVault implements RotatingVault {
  readonly #path: string
  #current: string
  #keys: ReadonlyMap<string, Keys>
  #isClosed = false

  constructor(path: string, file: KekFile) {
    this.#path = path
    this.#current = file.current
    this.#keys = FileVault.#derive(file)
  }

  static #derive({ keks }: KekFile): ReadonlyMap<string, Keys> {
    const keys = [...keks].map(([name, kek]): [string, Keys] => {
      const pair = { sealing: derived(kek, 'seal'), mac: derived(kek, 'mac') }
      kek.fill(0)
      return [name, pair]
    })
    return new Map(keys)
  }

  get currentKek(): string {
    return this.#current
  }

  get keks(): readonly string[] {
    return [...this.#keys.keys()]
  }

  async seal(secret: Uint8Array, binding: KeyBinding): Promise<Outcome<SealedSecret>> {
    checkSecret(secret)
    // Another process may have changed the current KEK, and dropped the one that is remembered here.
    const read = await this.#read()
    if (!read.ok) return read
    const kek = this.#current
    const keys = await this.#keysOf(kek)
    if (!keys.ok) return keys
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', keys.value.sealing, nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(associatedData(binding))
    const ciphertext = concatBytes(cipher.update(secret), cipher.final())
    return ok({ kek, algorithm: ALGORITHM, data: toBase64(concatBytes(nonce, ciphertext, cipher.getAuthTag())) })
  }

  async open(sealed: SealedSecret, binding: KeyBinding): Promise<Outcome<Uint8Array>> {
    const keys = await this.#keysOf(sealed.kek)
    if (!keys.ok) return keys
    const parts = unpacked(sealed)
    if (!parts.ok) return parts
    const { nonce, ciphertext, tag } = parts.value
    const cipher = createDecipheriv('aes-256-gcm', keys.value.sealing, nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(associatedData(binding))
    cipher.setAuthTag(tag)
    const plain = cipher.update(ciphertext)
    try {
      cipher.final()
    } catch {
      plain.fill(0)
      return tampered()
    }
    return ok(owned(plain))
  }

  async mac(kek: string, message: Uint8Array): Promise<Outcome<Uint8Array>> {
    const keys = await this.#keysOf(kek)
    return keys.ok ? ok(new Uint8Array(createHmac('sha256', keys.value.mac).update(message).digest())) : keys
  }

  async rotate(): Promise<Outcome<string>> {
    return this.#changed(() => addKek(this.#path))
  }

  async drop(kek: string): Promise<Outcome<void>> {
    return this.#changed(() => dropKek(this.#path, kek))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#keys = new Map()
  }

  async #changed<T>(change: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
    let changed: Outcome<T>
    try {
      changed = await change()
    } catch (error) {
      if (error instanceof TypeError) throw error
      return unavailable(this.#path, error instanceof Error ? error.message : 'it cannot be written')
    }
    const read = await this.#read()
    return read.ok ? changed : read
  }

  async #read(): Promise<Outcome<void>> {
    if (this.#isClosed) return unavailable(this.#path, 'the vault is closed')
    const file = await readKekFile(this.#path)
    if (!file.ok) return file
    this.#current = file.value.current
    this.#keys = FileVault.#derive(file.value)
    return ok(undefined)
  }

  async #keysOf(kek: string): Promise<Outcome<Keys>> {
    const known = this.#keys.get(kek)
    if (known !== undefined) return ok(known)
    const read = await this.#read()
    if (!read.ok) return read
    const added = this.#keys.get(kek)
    return added === undefined ? unavailable(this.#path, `no KEK ${kek}`) : ok(added)
  }
}

/** A copy in memory of its own: Node's Buffers may share theirs. */
function owned(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes)
  bytes.fill(0)
  return copy
}
