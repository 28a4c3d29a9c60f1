import { concatBytes } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { type Curve, coordinateBytes, isUncompressedPoint, spkiOfCoordinates } from '../../core/crypto/ecdsa.ts'
import { RSA_MODULUS_BYTES, spkiOfModulus } from '../../core/crypto/rsa.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'
import { ALG, algText, hashOf } from './algorithms.ts'
import { TpmReader } from './reader.ts'
import { type Scheme, type SignatureHash, schemeOf, signatureHash } from './signature.ts'

/** TPMA_OBJECT, the bits that say what a key may do. */
export interface TpmAttributes {
  readonly fixedTpm: boolean
  readonly fixedParent: boolean
  readonly sensitiveDataOrigin: boolean
  readonly restricted: boolean
  readonly decrypt: boolean
  readonly sign: boolean
}

/** TPMT_PUBLIC of an asymmetric key. */
export interface PublicArea {
  /** as the Name covers it: without the size of a TPM2B in front */
  readonly bytes: Uint8Array
  readonly nameAlg: SignatureHash
  readonly attributes: TpmAttributes
  /** all of them, as on the wire */
  readonly attributeBits: number
  readonly kind: Curve | 'rsa'
  /** SubjectPublicKeyInfo, DER */
  readonly spki: Uint8Array
  /** scheme that the key signs with and no other; undefined where it signs with any, and for keys that decrypt */
  readonly scheme: { readonly name: Scheme; readonly hash: SignatureHash } | undefined
}

const BIT = { fixedTpm: 1, fixedParent: 4, sensitiveDataOrigin: 5, restricted: 16, decrypt: 17, sign: 18 } as const
const CURVES: ReadonlyMap<number, Curve> = new Map([
  [3, 'P-256'],
  [4, 'P-384'],
])

/**
 * Decodes a TPMT_PUBLIC, or a TPM2B_PUBLIC around one, of an RSA or elliptic-curve key, without cryptography.
 * @returns the public area, or TPM_SIZE_MISMATCH · TPM_ALGORITHM_FORBIDDEN (types, sizes, curves and hashes that are not taken) ·
 * X509_KEY_INVALID (a point off its curve)
 * @see TPM 2.0 Library Part 2 §12.2.4
 */
export function decodePublicArea(given: Uint8Array, path: string): Outcome<PublicArea> {
  return attempt(() => {
    const bytes = withoutSize(given)
    const reader = new TpmReader(bytes, path)
    const type = reader.u16('type')
    const nameAlg = signatureHash(reader.u16('nameAlg'), `${path}.nameAlg`)
    const attributeBits = reader.u32('objectAttributes')
    reader.sized('authPolicy')
    if (type !== ALG.RSA && type !== ALG.ECC)
      return refuse('TPM_ALGORITHM_FORBIDDEN', `${path}.type`, { expected: 'RSA or ECC', actual: algText(type) })
    if (reader.u16('symmetric') !== ALG.NULL) reader.take(4, 'symmetric.keyBits and mode')
    const scheme = schemeIn(reader)
    const { kind, spki } = type === ALG.RSA ? rsaKey(reader) : eccKey(reader)
    reader.end()
    return { bytes, nameAlg, attributes: attributesOf(attributeBits), attributeBits, kind, spki, scheme }
  })
}

/** Tools write the TPM2B with its size or the bare structure; its first field is 1 or 0x23, so the two cannot be mistaken. */
function withoutSize(bytes: Uint8Array): Uint8Array {
  const size = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
  return size !== ALG.RSA && size !== ALG.ECC && size === bytes.length - 2 ? bytes.subarray(2) : bytes
}

/** Whether bytes are of the form; no proof of anything. */
export const looksLikePublicArea = (bytes: Uint8Array): boolean =>
  bytes.length >= 64 && bytes.length <= 2048 && decodePublicArea(bytes, 'public').ok

function attributesOf(bits: number): TpmAttributes {
  const has = (name: keyof typeof BIT): boolean => ((bits >>> BIT[name]) & 1) === 1
  return {
    fixedTpm: has('fixedTpm'),
    fixedParent: has('fixedParent'),
    sensitiveDataOrigin: has('sensitiveDataOrigin'),
    restricted: has('restricted'),
    decrypt: has('decrypt'),
    sign: has('sign'),
  }
}

/** TPMT_RSA_SCHEME and TPMT_ECC_SCHEME. */
function schemeIn(reader: TpmReader): PublicArea['scheme'] {
  const id = reader.u16('scheme')
  if (id === ALG.NULL || id === ALG.RSAES) return undefined
  const name = schemeOf(id)
  if (name === undefined && id !== ALG.OAEP && id !== ALG.ECDH)
    return refuse('TPM_ALGORITHM_FORBIDDEN', `${reader.path}.scheme`, {
      expected: 'RSASSA, RSAPSS or ECDSA',
      actual: algText(id),
    })
  const hash = signatureHash(reader.u16('scheme.hash'), `${reader.path}.scheme.hash`)
  return name === undefined ? undefined : { name, hash }
}

function rsaKey(reader: TpmReader): Pick<PublicArea, 'kind' | 'spki'> {
  const bits = reader.u16('keyBits')
  const exponent = reader.u32('exponent')
  const modulus = reader.sized('unique')
  const isTaken = RSA_MODULUS_BYTES.includes(bits / 8) && (exponent === 0 || exponent === 65537)
  if (!isTaken)
    refuse('TPM_ALGORITHM_FORBIDDEN', `${reader.path}.keyBits`, {
      expected: 'RSA of 2048, 3072 or 4096 bits with exponent 65537',
      actual: `${bits} bits, exponent ${exponent}`,
    })
  if (modulus.length !== bits / 8 || (modulus[0] ?? 0) < 0x80)
    refuse('TPM_SIZE_MISMATCH', `${reader.path}.unique`, {
      expected: `${bits} bits`,
      actual: `${modulus.length} bytes`,
    })
  return { kind: 'rsa', spki: spkiOfModulus(modulus) }
}

function eccKey(reader: TpmReader): Pick<PublicArea, 'kind' | 'spki'> {
  const id = reader.u16('curveID')
  const curve = CURVES.get(id)
  if (curve === undefined)
    return refuse('TPM_ALGORITHM_FORBIDDEN', `${reader.path}.curveID`, { expected: 'P-256 or P-384', actual: id })
  if (reader.u16('kdf') !== ALG.NULL) reader.u16('kdf.hash')
  const coordinate = (field: string): Uint8Array => {
    const value = reader.sized(field)
    const size = coordinateBytes(curve)
    if (value.length > size)
      refuse('TPM_SIZE_MISMATCH', `${reader.path}.${field}`, { expected: `at most ${size}`, actual: value.length })
    return concatBytes(new Uint8Array(size - value.length), value)
  }
  const x = coordinate('unique.x')
  const y = coordinate('unique.y')
  if (!isUncompressedPoint(curve, concatBytes(Uint8Array.of(4), x, y)))
    refuse('X509_KEY_INVALID', `${reader.path}.unique`, { expected: `a point on ${curve}` })
  return { kind: curve, spki: spkiOfCoordinates(curve, concatBytes(x, y)) }
}

/** TPM2B_NAME without its size: algorithm and digest of the public area (Part 1 §16). */
export async function nameOf({ bytes, nameAlg }: PublicArea, digest: Context['digest']): Promise<Uint8Array> {
  const id = [ALG.SHA256, ALG.SHA384, ALG.SHA512].find((alg) => hashOf(alg)?.name === nameAlg) ?? ALG.SHA256
  return concatBytes(Uint8Array.of(id >> 8, id & 0xff), await digest(nameAlg, bytes))
}
