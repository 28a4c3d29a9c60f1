import { randomBytes } from 'node:crypto'
import { concatBytes, utf8 } from '../../core/bytes.ts'
import { toBase64 } from '../../core/encodings.ts'
import { type Outcome, ok } from '../../core/outcome.ts'
import { readPrivateFile } from '../../files/private-file.ts'
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
import { TokenError } from './pkcs11/module.ts'
import { CK, CKA, CKR } from './pkcs11/structures.ts'
import { type Handle, Token, type TokenPlace } from './pkcs11/token.ts'

export interface Pkcs11Options extends TokenPlace {
  /** file with the user's PIN (mode 0600); a line feed at its end is not part of it */
  readonly pinFile: string
}

/** The key-encryption keys of a token: for each an AES key and an HMAC key, both labelled with its name. */
interface Keys {
  readonly sealing: Handle
  readonly mac: Handle
}

/** Numbered, so that the newest is known; random at the end, so that two made at once are two. */
const KEK_NAME = /^vouchsafe-kek-(\d{8})-[0-9a-f]{8}$/
const KEY_BYTES = 32
const LINE_FEED = 0x0a

/** How tokens say that a ciphertext is not theirs; SoftHSM has the general error for it, so that `probe` must tell the rest. */
const NOT_AUTHENTIC: ReadonlySet<number> = new Set([
  ...[CKR.ENCRYPTED_DATA_INVALID, CKR.ENCRYPTED_DATA_LEN_RANGE, CKR.AEAD_DECRYPT_FAILED, CKR.GENERAL_ERROR],
])

/**
 * A vault whose key-encryption keys never leave a PKCS#11 token (AES-256-GCM, HMAC-SHA-256). One call at a time; a session that
 * is lost is opened anew with the next call. `createTokenKek` makes the first key.
 * @returns the vault, or RELEASE_VAULT_UNAVAILABLE: koffi, module, token, PIN or key is absent
 */
export async function pkcs11Vault(options: Pkcs11Options): Promise<Outcome<RotatingVault>> {
  const vault = new Pkcs11Vault(options)
  const ready = await vault.refresh()
  return ready.ok ? ok(vault) : ready
}

/**
 * Makes the first key-encryption key of a token, or RELEASE_VAULT_UNAVAILABLE.
 * @returns its name; also RELEASE_VAULT_UNAVAILABLE where the token has one already
 */
export async function createTokenKek(options: Pkcs11Options): Promise<Outcome<string>> {
  const vault = new Pkcs11Vault(options)
  try {
    return await vault.createFirst()
  } finally {
    await vault.close()
  }
}

class Pkcs11Vault implements RotatingVault {
  readonly #options: Pkcs11Options
  #token: Token | undefined
  #keys: ReadonlyMap<string, Keys> = new Map()
  /** handles are of a session that has ended; the names stay */
  #isStale = true
  #last: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(options: Pkcs11Options) {
    this.#options = options
  }

  get currentKek(): string {
    return this.keks.at(-1) ?? ''
  }

  get keks(): readonly string[] {
    return [...this.#keys.keys()].sort()
  }

  refresh(): Promise<Outcome<void>> {
    return this.#using(async (token) => {
      await this.#look(token)
      return this.#keys.size === 0 ? this.#absent('no key-encryption key in the token') : ok(undefined)
    })
  }

  createFirst(): Promise<Outcome<string>> {
    return this.#using(async (token) => {
      await this.#look(token)
      return this.#keys.size > 0 ? this.#absent(`the token has ${this.currentKek}`) : this.#generate(token)
    })
  }

  async seal(secret: Uint8Array, binding: KeyBinding): Promise<Outcome<SealedSecret>> {
    checkSecret(secret)
    const aad = associatedData(binding)
    return this.#using(async (token) => {
      // Another process may have changed the current key, and dropped the one that is remembered here.
      await this.#look(token)
      const kek = this.currentKek
      const keys = this.#keys.get(kek)
      if (keys === undefined) return this.#absent('no key-encryption key in the token')
      const nonce = new Uint8Array(randomBytes(NONCE_BYTES))
      const sealed = await token.encrypt(keys.sealing, nonce, aad, secret, TAG_BYTES)
      return ok({ kek, algorithm: ALGORITHM, data: toBase64(concatBytes(nonce, sealed)) })
    })
  }

  async open(sealed: SealedSecret, binding: KeyBinding): Promise<Outcome<Uint8Array>> {
    const aad = associatedData(binding)
    return this.#using(async (token) => {
      const keys = await this.#keysOf(token, sealed.kek)
      if (!keys.ok) return keys
      const parts = unpacked(sealed)
      if (!parts.ok) return parts
      const { nonce, ciphertext, tag } = parts.value
      const data = concatBytes(ciphertext, tag)
      try {
        return ok(await token.decrypt(keys.value.sealing, nonce.slice(), aad, data, TAG_BYTES))
      } catch (error) {
        if (!(error instanceof TokenError && NOT_AUTHENTIC.has(error.rv))) throw error
        await probe(token, keys.value.sealing)
        return tampered()
      }
    })
  }

  mac(kek: string, message: Uint8Array): Promise<Outcome<Uint8Array>> {
    return this.#using(async (token) => {
      const keys = await this.#keysOf(token, kek)
      return keys.ok ? ok(await token.hmac(keys.value.mac, message)) : keys
    })
  }

  rotate(): Promise<Outcome<string>> {
    return this.#using(async (token) => {
      await this.#look(token)
      return this.#generate(token)
    })
  }

  drop(kek: string): Promise<Outcome<void>> {
    return this.#using(async (token) => {
      await this.#look(token)
      if (kek === this.currentKek) throw new TypeError(`${kek} is the current KEK`)
      const keys = this.#keys.get(kek)
      if (keys !== undefined) for (const key of [keys.sealing, keys.mac]) await token.destroy(key)
      await this.#look(token)
      return ok(undefined)
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#last
    await this.#forget()
  }

  /** The AES key comes last: without both there is no KEK, so that one which was made half is none. */
  async #generate(token: Token): Promise<Outcome<string>> {
    const number = Number(KEK_NAME.exec(this.currentKek)?.[1] ?? 0) + 1
    const name = `vouchsafe-kek-${String(number).padStart(8, '0')}-${randomBytes(4).toString('hex')}`
    const common = [
      ...([CKA.TOKEN, CKA.PRIVATE, CKA.SENSITIVE] as const).map((type) => [type, true] as const),
      [CKA.EXTRACTABLE, false] as const,
      [CKA.LABEL, utf8(name)] as const,
      [CKA.VALUE_LEN, KEY_BYTES] as const,
    ]
    await token.generate(CK.CKM_GENERIC_SECRET_KEY_GEN, [...common, [CKA.SIGN, true], [CKA.VERIFY, false]])
    await token.generate(CK.CKM_AES_KEY_GEN, [
      ...common,
      ...([CKA.ENCRYPT, CKA.DECRYPT] as const).map((type) => [type, true] as const),
      ...([CKA.WRAP, CKA.UNWRAP] as const).map((type) => [type, false] as const),
    ])
    await this.#look(token)
    return ok(name)
  }

  async #look(token: Token): Promise<void> {
    const sealing = await this.#labelled(token, CK.CKK_AES)
    const macs = await this.#labelled(token, CK.CKK_GENERIC_SECRET)
    const keys = [...sealing].flatMap(([name, handle]): [string, Keys][] => {
      const mac = macs.get(name)
      return mac === undefined ? [] : [[name, { sealing: handle, mac }]]
    })
    this.#keys = new Map(keys)
    this.#isStale = false
  }

  async #labelled(token: Token, keyType: number): Promise<ReadonlyMap<string, Handle>> {
    const handles = await token.find([
      [CKA.CLASS, CK.CKO_SECRET_KEY],
      [CKA.KEY_TYPE, keyType],
    ])
    const found = new Map<string, Handle>()
    for (const handle of handles) {
      const label = await token.label(handle)
      if (KEK_NAME.test(label)) found.set(label, handle)
    }
    return found
  }

  async #keysOf(token: Token, kek: string): Promise<Outcome<Keys>> {
    if (this.#isStale || !this.#keys.has(kek)) await this.#look(token)
    const keys = this.#keys.get(kek)
    return keys === undefined ? this.#absent(`no KEK ${kek}`) : ok(keys)
  }

  /** One call after the other. What the token refuses ends the session, and the next call opens another. */
  #using<T>(work: (token: Token) => Promise<Outcome<T>>): Promise<Outcome<T>> {
    const turn = this.#last.then(async (): Promise<Outcome<T>> => {
      try {
        return await work(await this.#session())
      } catch (error) {
        if (error instanceof TypeError) throw error
        await this.#forget()
        return this.#absent(error instanceof Error ? error.message : 'the token does not answer')
      }
    })
    this.#last = turn.catch(() => undefined)
    return turn
  }

  async #session(): Promise<Token> {
    if (this.#isClosed) throw new Error('the vault is closed')
    this.#token ??= await Token.login(this.#options, await pinOf(this.#options.pinFile))
    return this.#token
  }

  async #forget(): Promise<void> {
    const token = this.#token
    this.#token = undefined
    this.#isStale = true
    // The session is given up either way.
    await token?.close().catch((error: unknown) => {
      if (!(error instanceof TokenError)) throw error
    })
  }

  #absent(actual: string): Outcome<never> {
    return unavailable(`token ${this.#options.tokenLabel}`, actual)
  }
}

/** Rejects unless the token opens what it has just sealed: then nothing is wrong with it, or with the key. */
async function probe(token: Token, key: Handle): Promise<void> {
  const [nonce, aad] = [new Uint8Array(randomBytes(NONCE_BYTES)), utf8('probe')]
  const sealed = await token.encrypt(key, nonce, aad, utf8('probe'), TAG_BYTES)
  await token.decrypt(key, nonce, aad, sealed, TAG_BYTES)
}

async function pinOf(path: string): Promise<Uint8Array> {
  const bytes = await readPrivateFile(path)
  const pin = new Uint8Array(bytes.subarray(0, bytes.at(-1) === LINE_FEED ? -1 : undefined))
  bytes.fill(0)
  return pin
}
