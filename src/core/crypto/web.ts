import { type Curve, coordinateBytes, curveOf } from './ecdsa.ts'
import { type CryptoPort, checkBlock, type HashName, type SignatureAlgorithm } from './port.ts'

type Bytes = Uint8Array<ArrayBuffer>
type ImportParameters =
  | { readonly name: string; readonly namedCurve: string }
  | { readonly name: string; readonly hash: string }
type VerifyParameters =
  | { readonly name: string; readonly hash: string }
  | { readonly name: string; readonly saltLength: number }

/**
 * The part of WebCrypto's SubtleCrypto that is used, so that our declarations ask for neither the DOM's types nor Node's.
 * `Key` is the platform's CryptoKey.
 */
export interface SubtleVerifier<Key> {
  digest(hash: string, data: Bytes): Promise<ArrayBuffer>
  importKey(
    format: 'spki',
    spki: Bytes,
    algorithm: ImportParameters,
    extractable: boolean,
    usages: ['verify'],
  ): Promise<Key>
  importKey(
    format: 'raw',
    key: Bytes,
    algorithm: { name: string },
    extractable: boolean,
    usages: ['encrypt'],
  ): Promise<Key>
  encrypt(algorithm: { readonly name: string; readonly iv: Bytes }, key: Key, data: Bytes): Promise<ArrayBuffer>
  verify(algorithm: VerifyParameters, key: Key, signature: Bytes, data: Bytes): Promise<boolean>
}

const HASHES: Record<HashName, string> = { sha1: 'SHA-1', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' }

const SCHEMES: Record<SignatureAlgorithm, { importAs: ImportParameters; verifyAs: VerifyParameters; curve?: Curve }> = {
  ES256: {
    importAs: { name: 'ECDSA', namedCurve: 'P-256' },
    verifyAs: { name: 'ECDSA', hash: 'SHA-256' },
    curve: 'P-256',
  },
  ES384: {
    importAs: { name: 'ECDSA', namedCurve: 'P-384' },
    verifyAs: { name: 'ECDSA', hash: 'SHA-384' },
    curve: 'P-384',
  },
  RS256: {
    importAs: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    verifyAs: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  },
  RS384: {
    importAs: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' },
    verifyAs: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' },
  },
  PS256: { importAs: { name: 'RSA-PSS', hash: 'SHA-256' }, verifyAs: { name: 'RSA-PSS', saltLength: 32 } },
  PS384: { importAs: { name: 'RSA-PSS', hash: 'SHA-384' }, verifyAs: { name: 'RSA-PSS', saltLength: 48 } },
}

/** WebCrypto, for browsers and workers. Same answers as node:crypto; one test suite runs on both. */
export function webCrypto<Key>(subtle: SubtleVerifier<Key>): CryptoPort {
  const keys = new WeakMap<Uint8Array, Map<SignatureAlgorithm, Promise<Key | undefined>>>()

  const keyOf = (algorithm: SignatureAlgorithm, spki: Uint8Array): Promise<Key | undefined> => {
    const known = keys.get(spki) ?? new Map<SignatureAlgorithm, Promise<Key | undefined>>()
    keys.set(spki, known)
    const imported = known.get(algorithm) ?? importedFor(algorithm, spki)
    known.set(algorithm, imported)
    return imported
  }

  const importedFor = async (algorithm: SignatureAlgorithm, spki: Uint8Array): Promise<Key | undefined> => {
    const { curve, importAs } = SCHEMES[algorithm]
    if (curve !== curveOf(spki)) return undefined
    // A key that cannot be imported verifies nothing; that is an answer, not a failure of ours.
    return subtle.importKey('spki', owned(spki), importAs, false, ['verify']).catch(() => undefined)
  }

  return {
    name: 'WebCrypto',
    digest: async (hash, bytes) => new Uint8Array(await subtle.digest(HASHES[hash], owned(bytes))),
    verify: async (algorithm, spki, message, signature) => {
      const scheme = SCHEMES[algorithm]
      const { curve } = scheme
      if (curve !== undefined && signature.length !== 2 * coordinateBytes(curve)) return false
      const key = await keyOf(algorithm, spki)
      if (key === undefined) return false
      // A refusal to compute (an RSA modulus too short for the salt) is an answer as well: nothing is valid under that key.
      return subtle.verify(scheme.verifyAs, key, owned(signature), owned(message)).catch(() => false)
    },
    aesBlock: async (key, block) => {
      checkBlock(key, block)
      // WebCrypto has no single block: the first one of CBC under an IV of zeros is the same.
      const name = 'AES-CBC'
      const imported = await subtle.importKey('raw', owned(key), { name }, false, ['encrypt'])
      const enciphered = await subtle.encrypt({ name, iv: new Uint8Array(16) }, imported, owned(block))
      return new Uint8Array(enciphered).subarray(0, 16)
    },
  }
}

/** WebCrypto's types demand bytes that own an ArrayBuffer (not a shared one). */
const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
