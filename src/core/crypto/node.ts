import {
  constants,
  createCipheriv,
  createPublicKey,
  hash,
  type KeyObject,
  type VerifyKeyObjectInput,
  verify,
} from 'node:crypto'
import { latin1 } from '../bytes.ts'
import { type Curve, coordinateBytes, curveOf, ecdsaDerFromRaw } from './ecdsa.ts'
import { type CryptoPort, checkBlock, type HashName, type SignatureAlgorithm } from './port.ts'

interface Scheme {
  readonly hash: 'sha256' | 'sha384'
  readonly family: Curve | 'rsa'
  /** undefined for ECDSA, which has none */
  readonly padding: Omit<VerifyKeyObjectInput, 'key'> | undefined
}

const SCHEMES: Record<SignatureAlgorithm, Scheme> = {
  ES256: { hash: 'sha256', family: 'P-256', padding: undefined },
  ES384: { hash: 'sha384', family: 'P-384', padding: undefined },
  RS256: { hash: 'sha256', family: 'rsa', padding: { padding: constants.RSA_PKCS1_PADDING } },
  RS384: { hash: 'sha384', family: 'rsa', padding: { padding: constants.RSA_PKCS1_PADDING } },
  PS256: { hash: 'sha256', family: 'rsa', padding: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } },
  PS384: { hash: 'sha384', family: 'rsa', padding: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 } },
}

interface ParsedKey {
  readonly key: KeyObject
  readonly family: Scheme['family']
  readonly signatureBytes: number
}

/** Parsing a key costs more than half a verification, so a parsed key lives as long as its SPKI array. */
const keys = new WeakMap<Uint8Array, ParsedKey | 'unusable'>()

/**
 * Keys of authorities come again in every machine's certificates, each time in another array: they are known by their bytes
 * as well, as many as a vendor's hierarchies have and no more, whoever sends keys of his own.
 */
const keysByBytes = new Map<string, ParsedKey | 'unusable'>()
const MOST_KEYS = 256
/** An RSA key of 4096 bits has 550; larger ones are nobody's authority. */
const MOST_KEY_BYTES = 1024

function keyOfBytes(spki: Uint8Array): ParsedKey | 'unusable' {
  if (spki.length > MOST_KEY_BYTES) return parsed(spki)
  const name = latin1(spki)
  const known = keysByBytes.get(name) ?? parsed(spki)
  // Used last stands last.
  keysByBytes.delete(name)
  keysByBytes.set(name, known)
  for (const oldest of keysByBytes.keys()) {
    if (keysByBytes.size <= MOST_KEYS) break
    keysByBytes.delete(oldest)
  }
  return known
}

function keyOf(spki: Uint8Array): ParsedKey | 'unusable' {
  const known = keys.get(spki) ?? keyOfBytes(spki)
  keys.set(spki, known)
  return known
}

/** OpenSSL reads a key as PEM in half the time it takes for the same key in DER, whose form it first has to guess. */
function pemOf(spki: Uint8Array): string {
  const lines = Buffer.from(spki.buffer, spki.byteOffset, spki.length).toString('base64').replace(/.{64}/g, '$&\n')
  return `-----BEGIN PUBLIC KEY-----\n${lines}\n-----END PUBLIC KEY-----\n`
}

function parsed(spki: Uint8Array): ParsedKey | 'unusable' {
  let key: KeyObject
  try {
    key = createPublicKey(pemOf(spki))
  } catch {
    return 'unusable' // OpenSSL could not read it: no signature can be valid under it, and `verify` says so
  }
  if (key.asymmetricKeyType === 'rsa') {
    return { key, family: 'rsa', signatureBytes: Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8) }
  }
  // OpenSSL is not asked for the curve: Node 22 ends the process where OpenSSL does not know it.
  const curve = curveOf(spki)
  return curve === undefined ? 'unusable' : { key, family: curve, signatureBytes: 2 * coordinateBytes(curve) }
}

/** A digest as a string and read from there takes half of what a Buffer of its own and its copy do. */
function fromLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/** node:crypto; signatures run on libuv's thread pool, so independent checks of one machine run side by side. */
export const nodeCrypto: CryptoPort = {
  name: 'node:crypto',
  digest: async (name: HashName, bytes) => fromLatin1(hash(name, bytes, 'binary')),
  verify: (algorithm, spki, message, signature) => {
    const scheme = SCHEMES[algorithm]
    const known = keyOf(spki)
    if (known === 'unusable' || known.family !== scheme.family || signature.length !== known.signatureBytes) {
      return Promise.resolve(false)
    }
    // Options beside an ECDSA key would cost as much as the check: Node 24 throws, and catches, two errors on the way to the
    // key in them, with the stack of whoever asked. So the signature is given in the form that needs none.
    const { hash: name, padding } = scheme
    const input = padding === undefined ? known.key : { key: known.key, ...padding }
    const given = padding === undefined ? ecdsaDerFromRaw(signature) : signature
    return new Promise((resolve) => {
      // An error here is OpenSSL's word for a signature it cannot even interpret: not valid.
      verify(name, message, input, given, (error, valid) => resolve(error === null && valid))
    })
  },
  aesBlock: async (key, block) => {
    checkBlock(key, block)
    return new Uint8Array(createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block))
  },
}
