import { concatBytes } from '../bytes.ts'
import { decodeDer, TAG } from '../der.ts'
import { fromHex, toHex } from '../encodings.ts'
import { take } from '../outcome.ts'

/** Group orders, big-endian (SEC 2 v2 §§2.4.2, 2.5.1). */
const ORDER = {
  'P-256': 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  'P-384': 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
}
const FIELD = {
  'P-256': 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  'P-384': 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
}
const B = {
  'P-256': 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  'P-384': 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
}

export type Curve = keyof typeof ORDER

const ORDER_BYTES: Readonly<Record<Curve, Uint8Array>> = {
  'P-256': bigEndianBytes(ORDER['P-256'], 32),
  'P-384': bigEndianBytes(ORDER['P-384'], 48),
}

function bigEndianBytes(value: bigint, sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, i) => Number((value >> BigInt(8 * (sizeBytes - 1 - i))) & 0xffn))
}

/** Bytes of a coordinate, and of r and s. */
export const coordinateBytes = (curve: Curve): number => (curve === 'P-256' ? 32 : 48)

/** The SubjectPublicKeyInfo of an uncompressed point on a named curve, up to its coordinates (RFC 5480 §2). */
const SPKI_HEAD: Readonly<Record<Curve, string>> = {
  'P-256': '3059301306072a8648ce3d020106082a8648ce3d03010703420004',
  'P-384': '3076301006072a8648ce3d020106052b8104002203620004',
}
/** SubjectPublicKeyInfo, DER, of an uncompressed point of the curve's size (65 or 97 bytes). */
export function spkiOfPoint(curve: Curve, point: Uint8Array): Uint8Array {
  if (point.length !== 1 + 2 * coordinateBytes(curve)) throw new TypeError(`no point on ${curve}`)
  // The head ends in the 04 that the point begins with.
  return concatBytes(take(fromHex(SPKI_HEAD[curve], SPKI_HEAD[curve].length / 2, curve)), point.subarray(1))
}

const CURVES: readonly Curve[] = ['P-256', 'P-384']

/**
 * SubjectPublicKeyInfo of a key that travels as its bare coordinates. Whether the point lies on the curve is not looked at:
 * no signature verifies under one that does not.
 * @param coordinates x ‖ y, big-endian, 64 bytes for P-256 and 96 for P-384
 */
export function spkiOfCoordinates(curve: Curve, coordinates: Uint8Array): Uint8Array {
  const head = take(fromHex(SPKI_HEAD[curve], SPKI_HEAD[curve].length / 2, 'spki'))
  if (coordinates.length !== 2 * coordinateBytes(curve))
    throw new TypeError(`${coordinates.length} bytes of coordinates`)
  return concatBytes(head, coordinates)
}

/** Curve of an SPKI in the one form that both ports take; undefined for other keys, other curves and other forms of a point. */
export function curveOf(spki: Uint8Array): Curve | undefined {
  if (spki.length > 120) return undefined
  const hex = toHex(spki)
  return CURVES.find(
    (curve) => hex.startsWith(SPKI_HEAD[curve]) && hex.length === SPKI_HEAD[curve].length + 4 * coordinateBytes(curve),
  )
}

const bigEndian = (bytes: Uint8Array): bigint => BigInt(`0x0${toHex(bytes)}`)

/** Whether r and s of a big-endian r ‖ s lie in [1, n − 1] (FIPS 186-5 §6.4.2, step 1). */
export function ecdsaComponentsInRange(curve: Curve, signature: Uint8Array): boolean {
  const size = coordinateBytes(curve)
  if (signature.length !== 2 * size) return false
  const order = ORDER_BYTES[curve]
  return isBetween(signature, 0, order) && isBetween(signature, size, order)
}

/** Whether the big-endian number at `start` is above zero and below `limit`, which is as long. The values are public. */
function isBetween(bytes: Uint8Array, start: number, limit: Uint8Array): boolean {
  let order = 0
  let bits = 0
  for (let i = 0; i < limit.length; i++) {
    const byte = bytes[start + i] ?? 0
    bits |= byte
    if (order === 0) order = byte - (limit[i] ?? 0)
  }
  return bits !== 0 && order < 0
}

/** Whether an uncompressed point (04 ‖ x ‖ y) lies on the curve; the neutral element and compressed forms do not. */
export function isUncompressedPoint(curve: Curve, point: Uint8Array): boolean {
  const size = coordinateBytes(curve)
  if (point.length !== 1 + 2 * size || point[0] !== 4) return false
  const p = FIELD[curve]
  const x = bigEndian(point.subarray(1, 1 + size))
  const y = bigEndian(point.subarray(1 + size))
  return x < p && y < p && (y * y - (x * x * x - 3n * x + B[curve])) % p === 0n
}

/**
 * ECDSA-Sig-Value (RFC 3279 §2.2.3) as r ‖ s of fixed length.
 * @returns undefined where the DER is not canonical, or a component is outside [1, n − 1]
 */
export function ecdsaRawFromDer(curve: Curve, der: Uint8Array): Uint8Array | undefined {
  const decoded = decodeDer(der, 'signature')
  if (!decoded.ok || decoded.value.tag !== TAG.sequence || decoded.value.children.length !== 2) return undefined
  const size = coordinateBytes(curve)
  const raw = new Uint8Array(2 * size)
  for (const [i, component] of decoded.value.children.entries()) {
    if (component.tag !== TAG.integer || (component.content[0] ?? 0x80) >= 0x80) return undefined
    const magnitude = component.content[0] === 0 ? component.content.subarray(1) : component.content
    if (magnitude.length > size) return undefined
    raw.set(magnitude, (i + 1) * size - magnitude.length)
  }
  return ecdsaComponentsInRange(curve, raw) ? raw : undefined
}

/** A big-endian r ‖ s as ECDSA-Sig-Value (RFC 3279 §2.2.3), whatever the numbers are: whether they can be valid is not looked at. */
export function ecdsaDerFromRaw(raw: Uint8Array): Uint8Array {
  const size = raw.length / 2
  // Two INTEGERs of at most 49 bytes: every length is one octet.
  const der = new Uint8Array(2 + 2 * (3 + size))
  const end = writeInteger(der, writeInteger(der, 2, raw, 0, size), raw, size, 2 * size)
  der[0] = TAG.sequence
  der[1] = end - 2
  return der.subarray(0, end)
}

/** Writes bytes `from` to `to` as an unsigned INTEGER at `at`, and says where it ends. */
function writeInteger(der: Uint8Array, at: number, raw: Uint8Array, from: number, to: number): number {
  let first = from
  while (first < to - 1 && raw[first] === 0) first++
  const isHigh = (raw[first] ?? 0) >= 0x80
  const start = at + (isHigh ? 3 : 2)
  der[at] = TAG.integer
  der[at + 1] = to - first + (isHigh ? 1 : 0)
  der.set(raw.subarray(first, to), start)
  return start + to - first
}
