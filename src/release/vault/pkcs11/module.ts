import type koffiModule from 'koffi'

type Koffi = typeof koffiModule
type Library = ReturnType<Koffi['load']>

/**
 * CK_FUNCTION_LIST as far as it is used: every function up to C_GenerateKey, in the order that the structure has them.
 * OASIS PKCS #11 v2.40, §5.
 */
const FUNCTIONS = [
  ...['C_Initialize', 'C_Finalize', 'C_GetInfo', 'C_GetFunctionList', 'C_GetSlotList', 'C_GetSlotInfo'],
  ...['C_GetTokenInfo', 'C_GetMechanismList', 'C_GetMechanismInfo', 'C_InitToken', 'C_InitPIN', 'C_SetPIN'],
  ...['C_OpenSession', 'C_CloseSession', 'C_CloseAllSessions', 'C_GetSessionInfo', 'C_GetOperationState'],
  ...['C_SetOperationState', 'C_Login', 'C_Logout', 'C_CreateObject', 'C_CopyObject', 'C_DestroyObject'],
  ...['C_GetObjectSize', 'C_GetAttributeValue', 'C_SetAttributeValue', 'C_FindObjectsInit', 'C_FindObjects'],
  ...['C_FindObjectsFinal', 'C_EncryptInit', 'C_Encrypt', 'C_EncryptUpdate', 'C_EncryptFinal', 'C_DecryptInit'],
  ...['C_Decrypt', 'C_DecryptUpdate', 'C_DecryptFinal', 'C_DigestInit', 'C_Digest', 'C_DigestUpdate', 'C_DigestKey'],
  ...['C_DigestFinal', 'C_SignInit', 'C_Sign', 'C_SignUpdate', 'C_SignFinal', 'C_SignRecoverInit', 'C_SignRecover'],
  ...['C_VerifyInit', 'C_Verify', 'C_VerifyUpdate', 'C_VerifyFinal', 'C_VerifyRecoverInit', 'C_VerifyRecover'],
  ...['C_DigestEncryptUpdate', 'C_DecryptDigestUpdate', 'C_SignEncryptUpdate', 'C_DecryptVerifyUpdate'],
  'C_GenerateKey',
] as const

/** The arguments of the functions that are called, each a CK_ULONG, a CK_BBOOL or a pointer. */
const ARGUMENTS = {
  C_Initialize: ['pointer'],
  C_GetSlotList: ['bool', 'pointer', 'pointer'],
  C_GetTokenInfo: ['ulong', 'pointer'],
  C_OpenSession: ['ulong', 'ulong', 'pointer', 'pointer', 'pointer'],
  C_CloseSession: ['ulong'],
  C_Login: ['ulong', 'ulong', 'pointer', 'ulong'],
  C_DestroyObject: ['ulong', 'ulong'],
  C_GetAttributeValue: ['ulong', 'ulong', 'pointer', 'ulong'],
  C_FindObjectsInit: ['ulong', 'pointer', 'ulong'],
  C_FindObjects: ['ulong', 'pointer', 'ulong', 'pointer'],
  C_FindObjectsFinal: ['ulong'],
  C_EncryptInit: ['ulong', 'pointer', 'ulong'],
  C_Encrypt: ['ulong', 'pointer', 'ulong', 'pointer', 'pointer'],
  C_DecryptInit: ['ulong', 'pointer', 'ulong'],
  C_Decrypt: ['ulong', 'pointer', 'ulong', 'pointer', 'pointer'],
  C_SignInit: ['ulong', 'pointer', 'ulong'],
  C_Sign: ['ulong', 'pointer', 'ulong', 'pointer', 'pointer'],
  C_GenerateKey: ['ulong', 'pointer', 'pointer', 'ulong', 'pointer'],
} as const satisfies Partial<Record<(typeof FUNCTIONS)[number], readonly ('ulong' | 'bool' | 'pointer')[]>>

export type FunctionName = keyof typeof ARGUMENTS
/** Numbers as CK_ULONG; bytes as the pointer to them. */
export type Argument = bigint | number | Uint8Array | Pointing | null

/** A structure, and what it points to. */
export interface Pointing {
  readonly bytes: Uint8Array
  readonly keeps: readonly Uint8Array[]
}

/** What a token answered instead of CKR_OK. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  readonly rv: number

  constructor(name: string, rv: number) {
    super(`${name} answered 0x${rv.toString(16)}`)
    this.rv = rv
  }
}

/** A PKCS#11 library, by the one function that it must export. Calls run beside the event loop, one at a time. */
export interface Module {
  /** @throws TokenError for any answer but CKR_OK */
  call(name: FunctionName, ...args: readonly Argument[]): Promise<void>
  /** Where bytes lie, for structures that point to others; a `Pointing` keeps them there until the call is over. */
  address(bytes: Uint8Array): bigint
}

/** koffi unloads a library that nobody holds, though its functions are in use. */
const loaded: Library[] = []

/**
 * @throws Error where koffi is not installed, the library cannot be loaded, or this machine lays out structures otherwise
 * (CK_ULONG of 64 bits, little-endian)
 */
export async function loadModule(path: string): Promise<Module> {
  const { default: koffi } = await import('koffi').catch((cause: unknown) => {
    throw new Error('the package koffi is not installed (npm install koffi)', { cause })
  })
  if (koffi.sizeof('unsigned long') !== 8 || koffi.sizeof('void *') !== 8)
    throw new Error('PKCS#11 modules are used on 64-bit Unix only')
  const library = opened(koffi, path)
  const functions = functionsOf(koffi, library)
  // What a thread reads and writes must not be collected meanwhile.
  const underWay = new Set<readonly Argument[]>()
  return {
    address: (bytes) => koffi.address(bytes),
    call: (name, ...args) =>
      new Promise((resolve, reject) => {
        underWay.add(args)
        functions[name].async(...args.map(native), (error: unknown, rv: number | bigint) => {
          underWay.delete(args)
          if (error !== null && error !== undefined) reject(error)
          else if (Number(rv) === 0) resolve()
          else reject(new TokenError(name, Number(rv)))
        })
      }),
  }
}

const native = (argument: Argument): bigint | number | Uint8Array | null =>
  typeof argument === 'object' && argument !== null && 'keeps' in argument ? argument.bytes : argument

function opened(koffi: Koffi, path: string): Library {
  try {
    const library = koffi.load(path)
    loaded.push(library)
    return library
  } catch (cause) {
    throw new Error(`${path} cannot be loaded; is the package of this PKCS#11 module installed?`, { cause })
  }
}

type Functions = Readonly<Record<FunctionName, ReturnType<Library['func']>>>

function functionsOf(koffi: Koffi, library: Library): Functions {
  const getFunctionList = library.func('unsigned long C_GetFunctionList(_Out_ void **list)')
  const list: [bigint | null] = [null]
  const rv = Number(getFunctionList(list))
  if (rv !== 0 || list[0] === null) throw new TokenError('C_GetFunctionList', rv)
  const layout = koffi.struct({
    version: koffi.array('uint8_t', 2),
    functions: koffi.array('void *', FUNCTIONS.length),
  })
  const { functions } = koffi.decode(list[0], layout) as { readonly functions: readonly bigint[] }
  const types = { ulong: 'unsigned long', bool: 'uint8_t', pointer: 'void *' }
  const entries = Object.entries(ARGUMENTS).map(([name, args]) => {
    const prototype = koffi.proto(
      'unsigned long',
      args.map((arg) => types[arg]),
    )
    return [name, koffi.decode(functions[FUNCTIONS.indexOf(name as FunctionName)], prototype)]
  })
  return Object.fromEntries(entries) as Functions
}
