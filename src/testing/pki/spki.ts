import { createHash } from 'node:crypto'
import { bits, integer, nul, octets, oid, seq, tlvAt, tlvsIn } from './der.ts'

/** Curves a test key may be on. */
export type Curve = 'P-256' | 'P-384'

const CURVE_OID: Readonly<Record<Curve, string>> = { 'P-256': '1.2.840.10045.3.1.7', 'P-384': '1.3.132.0.34' }
const EC_PUBLIC_KEY = '1.2.840.10045.2.1'

/** SubjectPublicKeyInfo of a named curve (RFC 5480). `point` is written as given, so it may be off the curve or compressed. */
export const ecSpki = (curve: Curve, point: Uint8Array): Uint8Array =>
  seq(seq(oid(EC_PUBLIC_KEY), oid(CURVE_OID[curve])), bits(point))

/** Domain parameters of a prime curve, each number an unsigned big-endian magnitude. */
export interface ExplicitCurve {
  readonly p: Uint8Array
  readonly a: Uint8Array
  readonly b: Uint8Array
  readonly generator: Uint8Array
  readonly n: Uint8Array
}

/** SubjectPublicKeyInfo that spells the curve out (SpecifiedECDomain), which RFC 5480 forbids and CVE-2020-0601 needed. */
export function explicitEcSpki(curve: ExplicitCurve, point: Uint8Array): Uint8Array {
  const field = seq(oid('1.2.840.10045.1.1'), integer(curve.p))
  const parameters = seq(
    integer(1),
    field,
    seq(octets(curve.a), octets(curve.b)),
    octets(curve.generator),
    integer(curve.n),
    integer(1),
  )
  return seq(seq(oid(EC_PUBLIC_KEY), parameters), bits(point))
}

/** SubjectPublicKeyInfo of an RSA key of any size (RFC 8017 A.1.1); both numbers are unsigned big-endian magnitudes. */
export const rsaSpki = (modulus: Uint8Array, exponent: Uint8Array): Uint8Array =>
  seq(seq(oid('1.2.840.113549.1.1.1'), nul()), bits(seq(integer(modulus), integer(exponent))))

/** The bits of the BIT STRING in an SPKI, which OCSP and key identifiers hash (RFC 5280 §4.2.1.2, RFC 6960 §4.1.1). */
export function subjectPublicKey(spki: Uint8Array): Uint8Array {
  const [, key] = tlvsIn(tlvAt(spki, 0).content)
  if (key === undefined) throw new TypeError('SPKI without a key')
  return tlvAt(key, 0).content.subarray(1)
}

/** Key identifier, 20 bytes: SHA-1 of the public key bits (RFC 5280 §4.2.1.2, method 1). */
export const keyId = (spki: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha1').update(subjectPublicKey(spki)).digest())
