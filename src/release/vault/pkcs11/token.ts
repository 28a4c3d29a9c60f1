import { type Argument, type FunctionName, loadModule, type Module, TokenError } from './module.ts'
import { type AttributeValue, CK, CKA, CKR, gcmMechanism, mechanism, template, wordAt, words } from './structures.ts'

/** Where a token is found. */
export interface TokenPlace {
  /** path of the PKCS#11 library */
  readonly module: string
  /** CKA_LABEL of the token, without its padding */
  readonly tokenLabel: string
}

/** Handle of an object in this session. */
export type Handle = bigint

const LABEL_BYTES = 32
/** CK_TOKEN_INFO has 208; its label comes first. */
const TOKEN_INFO_BYTES = 256
const MOST_OBJECTS = 1024
const SHA256_BYTES = 32

/** A session with a token, logged in. Its methods are for one caller at a time, and reject with TokenError. */
export class Token {
  readonly #module: Module
  readonly #session: bigint

  private constructor(module: Module, session: bigint) {
    this.#module = module
    this.#session = session
  }

  /**
   * @param pin overwritten when it has been used
   * @throws Error where there is no such library or token; TokenError
   */
  static async login({ module: path, tokenLabel }: TokenPlace, pin: Uint8Array): Promise<Token> {
    const module = await initialised(path)
    const slot = await slotOf(module, tokenLabel)
    const session = words(0)
    const flags = CK.CKF_SERIAL_SESSION | CK.CKF_RW_SESSION
    await module.call('C_OpenSession', slot, flags, null, null, session)
    const token = new Token(module, wordAt(session, 0))
    try {
      await token.#call('C_Login', CK.CKU_USER, pin, pin.length)
    } catch (error) {
      // Another session of this process may have done so; they share it.
      if (!(error instanceof TokenError && error.rv === CKR.USER_ALREADY_LOGGED_IN)) {
        await token.close()
        throw error
      }
    } finally {
      pin.fill(0)
    }
    return token
  }

  close(): Promise<void> {
    return this.#call('C_CloseSession')
  }

  /** Objects that have all of these attributes. */
  async find(attributes: readonly (readonly [number, AttributeValue])[]): Promise<readonly Handle[]> {
    const wanted = template(this.#module, attributes)
    await this.#call('C_FindObjectsInit', wanted, attributes.length)
    const [handles, count] = [words(...Array.from({ length: MOST_OBJECTS }, () => 0)), words(0)]
    await this.#call('C_FindObjects', handles, MOST_OBJECTS, count)
    await this.#call('C_FindObjectsFinal')
    return Array.from({ length: Number(wordAt(count, 0)) }, (_, i) => wordAt(handles, i))
  }

  async label(object: Handle): Promise<string> {
    const value = new Uint8Array(256)
    const asked = template(this.#module, [[CKA.LABEL, value]])
    await this.#call('C_GetAttributeValue', object, asked, 1)
    return new TextDecoder().decode(value.subarray(0, Number(wordAt(asked.bytes, 2))))
  }

  /** A secret key of the token's own making, which it never gives away. */
  async generate(mechanismType: number, attributes: readonly (readonly [number, AttributeValue])[]): Promise<Handle> {
    const described = template(this.#module, attributes)
    const handle = words(0)
    const how = mechanism(mechanismType)
    await this.#call('C_GenerateKey', how, described, attributes.length, handle)
    return wordAt(handle, 0)
  }

  destroy(object: Handle): Promise<void> {
    return this.#call('C_DestroyObject', object)
  }

  /** Ciphertext ‖ tag. */
  async encrypt(
    key: Handle,
    nonce: Uint8Array,
    aad: Uint8Array,
    plain: Uint8Array,
    tagBytes: number,
  ): Promise<Uint8Array> {
    const how = gcmMechanism(this.#module, nonce, aad, tagBytes)
    await this.#call('C_EncryptInit', how, key)
    return this.#output('C_Encrypt', plain, plain.length + tagBytes)
  }

  async decrypt(
    key: Handle,
    nonce: Uint8Array,
    aad: Uint8Array,
    data: Uint8Array,
    tagBytes: number,
  ): Promise<Uint8Array> {
    const how = gcmMechanism(this.#module, nonce, aad, tagBytes)
    await this.#call('C_DecryptInit', how, key)
    // Some tokens want room for the tag as well, though they do not give it.
    return this.#output('C_Decrypt', data, data.length)
  }

  /** HMAC-SHA-256. */
  async hmac(key: Handle, message: Uint8Array): Promise<Uint8Array> {
    await this.#call('C_SignInit', mechanism(CK.CKM_SHA256_HMAC), key)
    return this.#output('C_Sign', message, SHA256_BYTES)
  }

  /** The bytes that the call wrote, and no other copy of them. */
  async #output(name: 'C_Encrypt' | 'C_Decrypt' | 'C_Sign', input: Uint8Array, mostBytes: number): Promise<Uint8Array> {
    const [output, length] = [new Uint8Array(mostBytes), words(mostBytes)]
    await this.#call(name, input, input.length, output, length)
    const result = output.slice(0, Number(wordAt(length, 0)))
    output.fill(0)
    return result
  }

  #call(name: FunctionName, ...args: readonly Argument[]): Promise<void> {
    return this.#module.call(name, this.#session, ...args)
  }
}

/** A library is initialised once for a process, whoever uses it, and ends with it. */
const modules = new Map<string, Promise<Module>>()

function initialised(path: string): Promise<Module> {
  const known = modules.get(path)
  if (known !== undefined) return known
  const loading = initialise(path)
  modules.set(path, loading)
  loading.catch(() => modules.delete(path))
  return loading
}

async function initialise(path: string): Promise<Module> {
  const module = await loadModule(path)
  // CK_C_INITIALIZE_ARGS: no mutexes of ours, flags, reserved. Calls come from several threads, never two at once.
  const args = words(0, 0, 0, 0, CK.CKF_OS_LOCKING_OK, 0)
  await module.call('C_Initialize', args).catch((error: unknown) => {
    if (!(error instanceof TokenError && error.rv === CKR.CRYPTOKI_ALREADY_INITIALIZED)) throw error
  })
  return module
}

/** @throws Error where no token has this label */
async function slotOf(module: Module, label: string): Promise<bigint> {
  const count = words(0)
  await module.call('C_GetSlotList', 1, null, count)
  const slots = words(...Array.from({ length: Number(wordAt(count, 0)) }, () => 0))
  await module.call('C_GetSlotList', 1, slots, count)
  for (let i = 0; i < Number(wordAt(count, 0)); i++) {
    const info = new Uint8Array(TOKEN_INFO_BYTES)
    await module.call('C_GetTokenInfo', wordAt(slots, i), info)
    if (new TextDecoder().decode(info.subarray(0, LABEL_BYTES)).trimEnd() === label) return wordAt(slots, i)
  }
  throw new Error(`no token is labelled ${label}`)
}
