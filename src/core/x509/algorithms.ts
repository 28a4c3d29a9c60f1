import { equalBytes } from '../bytes.ts'
import { type Curve, coordinateBytes, ecdsaRawFromDer, isUncompressedPoint } from '../crypto/ecdsa.ts'
import type { SignatureAlgorithm } from '../crypto/port.ts'
import { bitStringBytes, context, type Der, DerSequence, oidText, smallInteger, TAG } from '../der.ts'
import { refuse } from '../outcome.ts'

const OID = {
  ecPublicKey: '1.2.840.10045.2.1',
  rsaEncryption: '1.2.840.113549.1.1.1',
  rsassaPss: '1.2.840.113549.1.1.10',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  mgf1: '1.2.840.113549.1.1.8',
  sha384: '2.16.840.1.101.3.4.2.2',
} as const

const CURVES: Readonly<Record<string, Curve>> = { '1.2.840.10045.3.1.7': 'P-256', '1.3.132.0.34': 'P-384' }

const BY_OID: Readonly<Record<string, SignatureAlgorithm>> = {
  '1.2.840.10045.4.3.2': 'ES256',
  '1.2.840.10045.4.3.3': 'ES384',
}

/**
 * Signature algorithm of a certificate, CRL or OCSP answer. RSASSA-PSS is taken only with SHA-384, MGF1-SHA-384, a salt
 * of 48 bytes and trailer 1, in both spellings that AMD uses (trailerField written out, or left to its default);
 * RSASSA-PKCS1-v1_5 only with SHA-256, as makers of TPMs use it. Which of them a hierarchy may use, its `PathProfile` says.
 * Anything else ends the surrounding `attempt` with X509_ALGORITHM_FORBIDDEN.
 * @see RFC 4055 §3.1, RFC 5758 §3.2
 */
export function decodeSignatureAlgorithm(der: Der, path: string): SignatureAlgorithm {
  const forbidden = (what: string): never => refuse('X509_ALGORITHM_FORBIDDEN', path, { actual: what })
  const fields = new DerSequence(der, TAG.sequence, forbidden)
  const oid = oidText(fields.next('algorithm', TAG.oid))
  if (oid === OID.rsassaPss) {
    checkPssParameters(fields.next('RSASSA-PSS parameters', TAG.sequence), forbidden)
    fields.end('algorithm')
    return 'PS384'
  }
  if (oid === OID.sha256WithRsa) {
    fields.next('RSA parameters other than NULL', TAG.null)
    fields.end('algorithm')
    return 'RS256'
  }
  const algorithm = BY_OID[oid]
  if (algorithm === undefined) return forbidden(oid)
  fields.end('algorithm with parameters') // RFC 5758: ECDSA identifiers have none
  return algorithm
}

function checkPssParameters(der: Der, forbidden: (what: string) => never): void {
  const fields = new DerSequence(der, TAG.sequence, forbidden)
  const explicit = (n: number) => {
    const wrapper = fields.optional(context(n, 'constructed'))
    return wrapper === undefined
      ? undefined
      : wrapper.children.length === 1
        ? wrapper.children[0]
        : forbidden('PSS parameters')
  }
  const isSha384 = (d: Der | undefined): boolean => {
    if (d === undefined) return false // the default is SHA-1
    const hash = new DerSequence(d, TAG.sequence, forbidden)
    const oid = oidText(hash.next('hash', TAG.oid))
    hash.optional(TAG.null)
    hash.end('hash')
    return oid === OID.sha384
  }
  if (!isSha384(explicit(0))) forbidden('RSASSA-PSS hash')
  const mgf = explicit(1) ?? forbidden('RSASSA-PSS mask generation')
  const mask = new DerSequence(mgf, TAG.sequence, forbidden)
  const maskOid = oidText(mask.next('mask generation', TAG.oid))
  if (maskOid !== OID.mgf1 || !isSha384(mask.next('mask hash'))) forbidden('RSASSA-PSS mask generation')
  mask.end('mask generation')
  const salt = explicit(2)
  if (salt === undefined || salt.tag !== TAG.integer || smallInteger(salt) !== 48) forbidden('RSASSA-PSS salt length')
  const trailer = explicit(3)
  if (trailer !== undefined && (trailer.tag !== TAG.integer || smallInteger(trailer) !== 1))
    forbidden('RSASSA-PSS trailer')
  fields.end('RSASSA-PSS parameters')
}

export type PublicKeyInfo =
  | { readonly kind: 'ec'; readonly curve: Curve; readonly spki: Uint8Array; readonly point: Uint8Array }
  | { readonly kind: 'rsa'; readonly modulusBits: number; readonly spki: Uint8Array }

const RSA_BITS: readonly number[] = [2048, 3072, 4096]

/**
 * SubjectPublicKeyInfo: P-256 or P-384 by name with an uncompressed point on the curve, or RSA of 2048, 3072 or 4096
 * bits with exponent 65537. Ends the surrounding `attempt` with X509_KEY_UNSUPPORTED · X509_KEY_INVALID · X509_KEY_SIZE.
 * @see RFC 5480 §2, RFC 3279 §2.3.1
 */
export function decodePublicKey(der: Der, path: string): PublicKeyInfo {
  const unsupported = (what: string): never => refuse('X509_KEY_UNSUPPORTED', path, { actual: what })
  const fields = new DerSequence(der, TAG.sequence, unsupported)
  const algorithm = new DerSequence(fields.next('algorithm', TAG.sequence), TAG.sequence, unsupported)
  const key = bitStringBytes(fields.next('key', TAG.bitString)) ?? unsupported('key with unused bits')
  fields.end('key')
  const oid = oidText(algorithm.next('algorithm', TAG.oid))
  if (oid === OID.ecPublicKey) {
    const parameters = algorithm.next('named curve')
    if (parameters.tag !== TAG.oid) return unsupported('explicit curve parameters')
    algorithm.end('algorithm')
    const curve = CURVES[oidText(parameters)]
    if (curve === undefined) return unsupported(`curve ${oidText(parameters)}`)
    if (!isUncompressedPoint(curve, key)) {
      refuse('X509_KEY_INVALID', path, {
        expected: `uncompressed point of ${1 + 2 * coordinateBytes(curve)} bytes on ${curve}`,
      })
    }
    return { kind: 'ec', curve, spki: der.bytes, point: key }
  }
  if (oid !== OID.rsaEncryption) return unsupported(oid)
  algorithm.next('RSA parameters other than NULL', TAG.null)
  algorithm.end('algorithm')
  return { kind: 'rsa', modulusBits: rsaModulusBits(key, path), spki: der.bytes }
}

function rsaModulusBits(key: Uint8Array, path: string): number {
  // RSAPublicKey: SEQUENCE { INTEGER modulus, INTEGER publicExponent }; the sizes are checked before anyone computes.
  const EXPONENT = Uint8Array.of(0x02, 0x03, 0x01, 0x00, 0x01)
  const header = key.length > 8 && key[0] === 0x30 && key[1] === 0x82 && key[4] === 0x02 && key[5] === 0x82
  const modulusBytes = header ? (((key[6] ?? 0) << 8) | (key[7] ?? 0)) - 1 : 0
  const bits = modulusBytes * 8
  const exact =
    key.length === 8 + 1 + modulusBytes + EXPONENT.length && (((key[2] ?? 0) << 8) | (key[3] ?? 0)) === key.length - 4
  const top = (key[9] ?? 0) >= 0x80 && key[8] === 0
  if (!header || !RSA_BITS.includes(bits) || !exact || !top || !equalBytes(key.subarray(-5), EXPONENT)) {
    refuse('X509_KEY_SIZE', path, { expected: 'RSA of 2048, 3072 or 4096 bits with exponent 65537' })
  }
  return bits
}

/** Whether a key of this kind can have made a signature of that algorithm. */
export function keyFits(key: PublicKeyInfo, algorithm: SignatureAlgorithm): boolean {
  if (key.kind === 'rsa') return !algorithm.startsWith('ES')
  return algorithm === (key.curve === 'P-256' ? 'ES256' : 'ES384')
}

const rawSignatures = new WeakMap<Uint8Array, Uint8Array>()

/**
 * A signature of a decoded structure as the cryptographic port takes it; undefined where it cannot be valid. Converted once
 * as long as the structure lives.
 */
export function portSignature(key: PublicKeyInfo, signature: Uint8Array): Uint8Array | undefined {
  if (key.kind === 'rsa') return signature
  const known = rawSignatures.get(signature)
  if (known?.length === 2 * coordinateBytes(key.curve)) return known
  const raw = ecdsaRawFromDer(key.curve, signature)
  if (raw !== undefined) rawSignatures.set(signature, raw)
  return raw
}
