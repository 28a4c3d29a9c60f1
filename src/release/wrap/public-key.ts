import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { equalBytes } from '../../core/bytes.ts'
import { curveOf } from '../../core/crypto/ecdsa.ts'
import { fromBase64url, fromHex } from '../../core/encodings.ts'
import type { JsonObject } from '../../core/json.ts'
import { attempt, type Outcome, refuse, take } from '../../core/outcome.ts'

/** A public key that secrets may be wrapped to: known family, checked point or modulus, one spelling of its bytes. */
export interface WrapKey {
  readonly family: 'X25519' | 'P-256' | 'P-521' | 'RSA'
  readonly key: KeyObject
  /** DER, as OpenSSL writes it again */
  readonly spki: Uint8Array
}

const COORDINATE_BYTES = { 'P-256': 32, 'P-521': 66 } as const
/** Sizes of the SubjectPublicKeyInfo with an uncompressed point; a compressed one is another size. */
const SPKI_BYTES = { X25519: 44, 'P-256': 91, 'P-521': 158 } as const
/** What stands before the point, of curves that `curveOf` does not know: a key that begins so and has that size is in its one spelling. */
const SPKI_HEADS = (
  [
    ['X25519', '302a300506032b656e032100'],
    ['P-521', '30819b301006072a8648ce3d020106052b810400230381860004'],
  ] as const
).map(([family, hex]) => ({ sizeBytes: SPKI_BYTES[family], head: take(fromHex(hex, hex.length / 2, '')) }))
const FAMILY_OF_CURVE: Readonly<Record<string, 'P-256' | 'P-521'>> = { prime256v1: 'P-256', secp521r1: 'P-521' }

const LEAST_RSA_BITS = 2048
const MOST_RSA_BITS = 8192
const RSA_EXPONENT = 65_537n
/** An RSA key of 8192 bits has 1062. */
const MOST_SPKI_BYTES = 1100

const invalid = (path: string, expected: string, actual?: string): never =>
  refuse('RELEASE_WRAP_KEY_INVALID', path, { expected, ...(actual === undefined ? {} : { actual }) })

/**
 * Reads a public key as evidence carries it.
 * @param spki SubjectPublicKeyInfo, DER, in the one spelling that OpenSSL writes; points uncompressed
 * @returns the key, or RELEASE_WRAP_KEY_INVALID: another kind, a point that is not on its curve or of small order, RSA below 2048 bits
 * or with another exponent than 65537
 */
export function wrapKeyOfSpki(spki: Uint8Array, path: string): Outcome<WrapKey> {
  return attempt(() => {
    if (spki.length > MOST_SPKI_BYTES) invalid(path, `at most ${MOST_SPKI_BYTES} bytes`, `${spki.length} bytes`)
    return checked(imported({ key: Buffer.from(spki), format: 'der', type: 'spki' }, path), path, spki)
  })
}

/**
 * Reads a public key as KBS clients write it: `kty` EC with P-256 or P-521, or RSA, binary members in base64url at their full length.
 * @returns as `wrapKeyOfSpki`
 */
export function wrapKeyOfJwk(jwk: JsonObject, path: string): Outcome<WrapKey> {
  return attempt(() => {
    const bytes = (name: string): Uint8Array => {
      const value = jwk[name]
      return (typeof value === 'string' ? fromBase64url(value) : undefined) ?? invalid(`${path}.${name}`, 'base64url')
    }
    const text = (name: string): string => {
      const value = jwk[name]
      return typeof value === 'string' ? value : invalid(`${path}.${name}`, 'text')
    }
    const alg = jwk.alg
    if (jwk.kty === 'RSA') {
      if (alg !== 'RSA-OAEP-256') invalid(`${path}.alg`, 'RSA-OAEP-256', String(alg))
      for (const name of ['n', 'e']) if (bytes(name)[0] === 0) invalid(`${path}.${name}`, 'no leading zeros')
      return checked(imported({ key: { kty: 'RSA', n: text('n'), e: text('e') }, format: 'jwk' }, path), path)
    }
    const crv = jwk.crv
    if (jwk.kty !== 'EC' || (crv !== 'P-256' && crv !== 'P-521')) return invalid(path, 'EC of P-256 or P-521, or RSA')
    if (alg !== 'ECDH-ES+A256KW') invalid(`${path}.alg`, 'ECDH-ES+A256KW', String(alg))
    const size = COORDINATE_BYTES[crv]
    for (const name of ['x', 'y']) if (bytes(name).length !== size) invalid(`${path}.${name}`, `${size} bytes`)
    return checked(imported({ key: { kty: 'EC', crv, x: text('x'), y: text('y') }, format: 'jwk' }, path), path)
  })
}

function imported(source: Parameters<typeof createPublicKey>[0], path: string): KeyObject {
  try {
    return createPublicKey(source)
  } catch {
    // OpenSSL takes no point that is off its curve, and no modulus that it cannot read.
    return invalid(path, 'a public key of X25519, P-256, P-521 or RSA')
  }
}

/** Writing a key again costs as much as reading it, and says no more of these. */
const isInOneSpelling = (spki: Uint8Array): boolean =>
  curveOf(spki) !== undefined ||
  SPKI_HEADS.some(({ sizeBytes, head }) => spki.length === sizeBytes && equalBytes(spki.subarray(0, head.length), head))

function checked(key: KeyObject, path: string, given?: Uint8Array): WrapKey {
  const isKnown = given !== undefined && isInOneSpelling(given)
  const spki = new Uint8Array(isKnown ? given : key.export({ format: 'der', type: 'spki' }))
  if (given !== undefined && !equalBytes(spki, given))
    invalid(path, 'DER with an uncompressed point and nothing behind')
  const family = familyOf(key, path)
  if (family === 'RSA') checkRsa(key, path)
  else if (spki.length !== SPKI_BYTES[family]) invalid(path, `${SPKI_BYTES[family]} bytes`, `${spki.length} bytes`)
  if (family === 'X25519') checkOrder(key, path)
  return { family, key, spki }
}

function familyOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, path: string): WrapKey['family'] {
  if (asymmetricKeyType === 'x25519') return 'X25519'
  if (asymmetricKeyType === 'rsa') return 'RSA'
  const family = FAMILY_OF_CURVE[asymmetricKeyDetails?.namedCurve ?? '']
  if (asymmetricKeyType === 'ec' && family !== undefined) return family
  return invalid(path, 'a public key of X25519, P-256, P-521 or RSA', asymmetricKeyType ?? 'another kind')
}

function checkRsa(key: KeyObject, path: string): void {
  const { modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {}
  if (modulusLength < LEAST_RSA_BITS || modulusLength > MOST_RSA_BITS)
    invalid(path, `${LEAST_RSA_BITS} to ${MOST_RSA_BITS} bits`, `${modulusLength} bits`)
  if (publicExponent !== RSA_EXPONENT) invalid(path, `exponent ${RSA_EXPONENT}`, String(publicExponent))
  // OpenSSL reads an even modulus and then cannot encrypt to it.
  const { n = '' } = key.export({ format: 'jwk' })
  if (((fromBase64url(n)?.at(-1) ?? 0) & 1) === 0) invalid(path, 'an odd modulus')
}

const PROBE = generateKeyPairSync('x25519').privateKey

/** A point of small order shares the same secret with everybody: zeros, which OpenSSL refuses to derive (RFC 7748 §6.1). */
function checkOrder(publicKey: KeyObject, path: string): void {
  try {
    diffieHellman({ privateKey: PROBE, publicKey })
  } catch {
    invalid(path, 'a point that is not of small order')
  }
}
