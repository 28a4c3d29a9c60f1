import { constants, createPrivateKey, createPublicKey, sign as nodeSign, privateEncrypt } from 'node:crypto'
import { p256, p384 } from '@noble/curves/nist.js'
import { toHex } from '../../core/encodings.ts'
import { integer, seq } from './der.ts'
import { memo } from './memo.ts'
import { derivedSalt, digest, emsaPss, type TestHash } from './pss.ts'
import { RSA_TEST_KEYS, type RsaTestKeyName } from './rsa-test-keys.ts'
import { type Curve, ecSpki } from './spki.ts'

export type TestKeyKind = 'P-256' | 'P-384' | 'RSA-2048' | 'RSA-4096'

/** How to sign. Left out: ECDSA with the hash of the curve's size; RSASSA-PSS, SHA-384 and a salt as long as the hash. */
export interface SignOptions {
  readonly hash?: TestHash
  readonly scheme?: 'ecdsa' | 'pss' | 'pkcs1'
  readonly saltLength?: number
}

/** A key pair of the test kit. Signatures are deterministic: the same key and message give the same bytes. */
export interface TestKey {
  readonly kind: TestKeyKind
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  /** Uncompressed point (65 or 97 bytes); elliptic curves only. */
  readonly publicPoint?: Uint8Array
  /** Signature as X.509 carries it: DER ECDSA-Sig-Value, or the RSA integer. */
  sign(message: Uint8Array, options?: SignOptions): Uint8Array
  /** ECDSA r ‖ s, big-endian, each as long as the curve's order. Throws for RSA. */
  signRaw(message: Uint8Array, hash?: 'sha256' | 'sha384'): Uint8Array
}

const CURVES = { 'P-256': { ecdsa: p256, hash: 'sha256' }, 'P-384': { ecdsa: p384, hash: 'sha384' } } as const

/**
 * Elliptic-curve key whose private scalar is derived from `seed`. ECDSA nonces come from the HMAC-DRBG of RFC 6979 over
 * the hash of the curve's size (also when the message is hashed with another one), so signatures are deterministic.
 */
export function ecKey(curve: Curve, seed: string): TestKey {
  const { ecdsa, hash: curveHash } = CURVES[curve]
  const order = ecdsa.Point.Fn.ORDER
  const wide = bigEndian(digest('sha512', new TextEncoder().encode(`vouchsafe test key/${curve}/${seed}`)))
  const secret = ecdsa.Point.Fn.toBytes((wide % (order - 1n)) + 1n)
  const publicPoint = new Uint8Array(ecdsa.getPublicKey(secret, false))
  const signRaw = (message: Uint8Array, hash: TestHash = curveHash): Uint8Array =>
    new Uint8Array(ecdsa.sign(digest(hash, message), secret, { prehash: false, lowS: false }))
  return {
    kind: curve,
    spki: ecSpki(curve, publicPoint),
    publicPoint,
    signRaw,
    sign: (message, options = {}) => {
      if ((options.scheme ?? 'ecdsa') !== 'ecdsa')
        throw new TypeError(`${curve} key cannot sign with ${options.scheme}`)
      const raw = signRaw(message, options.hash)
      return seq(integer(raw.subarray(0, raw.length / 2)), integer(raw.subarray(raw.length / 2)))
    },
  }
}

function bigEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return value
}

const rsaKeys = new Map<RsaTestKeyName, TestKey>()

/** RSA signatures take milliseconds and come out the same each time, so hierarchies are signed once. */
const rsaSignatures = memo<Uint8Array>()

/** One of the fixed RSA keys of the kit. The PSS salt is derived from the key's name and the message. */
export function rsaKey(name: RsaTestKeyName): TestKey {
  const known = rsaKeys.get(name)
  if (known !== undefined) return known
  const made = makeRsaKey(name)
  rsaKeys.set(name, made)
  return made
}

function makeRsaKey(name: RsaTestKeyName): TestKey {
  const pkcs8 = Buffer.from(RSA_TEST_KEYS[name], 'base64')
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  const modulusBits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (modulusBits !== 2048 && modulusBits !== 4096) throw new TypeError(`${name} has ${modulusBits} bits`)
  return {
    kind: modulusBits === 2048 ? 'RSA-2048' : 'RSA-4096',
    spki: new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' })),
    signRaw: () => {
      throw new TypeError('an RSA signature has no r and s')
    },
    sign: (message, { hash = 'sha384', scheme = 'pss', saltLength } = {}) => {
      if (scheme === 'ecdsa') throw new TypeError('an RSA key cannot sign with ECDSA')
      const salt = scheme === 'pss' ? (saltLength ?? digest(hash).length) : 0
      const label = `${name}/${scheme}/${hash}/${salt}/${toHex(digest('sha384', message))}`
      const made = rsaSignatures(label, () => {
        if (scheme === 'pkcs1') return nodeSign(hash, message, { key, padding: constants.RSA_PKCS1_PADDING })
        const encoded = emsaPss(message, modulusBits - 1, hash, derivedSalt(name, message, salt))
        return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded)
      })
      return Uint8Array.from(made)
    },
  }
}
