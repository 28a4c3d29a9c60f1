import { concatBytes } from '../../core/bytes.ts'
import { tlvAt, tlvsIn } from '../pki/der.ts'
import type { TestKey } from '../pki/keys.ts'
import { digest } from '../pki/pss.ts'
import { subjectPublicKey } from '../pki/spki.ts'

/** TPM_ALG_ID of what the kit writes. */
export const TPM_ALG = {
  rsa: 0x0001,
  sha1: 0x0004,
  hmac: 0x0005,
  sha256: 0x000b,
  sha384: 0x000c,
  null: 0x0010,
  rsassa: 0x0014,
  rsapss: 0x0016,
  ecdsa: 0x0018,
  ecc: 0x0023,
} as const

export const be16 = (value: number): Uint8Array => Uint8Array.of((value >> 8) & 0xff, value & 0xff)
export const be32 = (value: number): Uint8Array => Uint8Array.from([24, 16, 8, 0], (shift) => (value >>> shift) & 0xff)
const be64 = (value: number): Uint8Array => concatBytes(be32(Math.floor(value / 2 ** 32)), be32(value % 2 ** 32))
/** TPM2B. */
export const tpm2b = (bytes: Uint8Array): Uint8Array => concatBytes(be16(bytes.length), bytes)

export type TestBank = 'sha1' | 'sha256' | 'sha384'

export interface TestSelection {
  readonly algorithm: number
  readonly pcrs: readonly number[]
  /** sizeofSelect; 3 unless given */
  readonly sizeBytes?: number
}

/** Everything in a TPMS_ATTEST of a quote. */
export interface TestAttest {
  readonly magic: number
  readonly type: number
  readonly qualifiedSigner: Uint8Array
  readonly extraData: Uint8Array
  readonly clock: number
  readonly resetCount: number
  readonly restartCount: number
  readonly safe: number
  readonly selections: readonly TestSelection[]
  readonly pcrDigest: Uint8Array
}

function selection({ algorithm, pcrs, sizeBytes = 3 }: TestSelection): Uint8Array {
  const bitmap = new Uint8Array(sizeBytes)
  for (const pcr of pcrs) bitmap[pcr >> 3] = (bitmap[pcr >> 3] ?? 0) | (1 << (pcr & 7))
  return concatBytes(be16(algorithm), Uint8Array.of(sizeBytes), bitmap)
}

export const attestBytes = (of: TestAttest): Uint8Array =>
  concatBytes(
    be32(of.magic),
    be16(of.type),
    tpm2b(of.qualifiedSigner),
    tpm2b(of.extraData),
    be64(of.clock),
    be32(of.resetCount),
    be32(of.restartCount),
    Uint8Array.of(of.safe),
    be64(0x2016051100162800),
    be32(of.selections.length),
    ...of.selections.map(selection),
    tpm2b(of.pcrDigest),
  )

/** Scheme that a key was created with. */
export interface TestScheme {
  readonly scheme: number
  readonly hash: number
}

/** TPMT_PUBLIC of a key of the kit. */
export function publicAreaBytes(key: TestKey, attributes: number, { scheme, hash }: TestScheme): Uint8Array {
  const isRsa = key.publicPoint === undefined
  const head = concatBytes(be16(isRsa ? TPM_ALG.rsa : TPM_ALG.ecc), be16(TPM_ALG.sha256), be32(attributes), be16(0))
  const signs = concatBytes(be16(TPM_ALG.null), be16(scheme), be16(hash))
  if (isRsa) {
    const [modulus] = tlvsIn(tlvAt(subjectPublicKey(key.spki), 0).content)
    const value = tlvAt(modulus ?? new Uint8Array(), 0).content.subarray(1)
    return concatBytes(head, signs, be16(8 * value.length), be32(0), tpm2b(value))
  }
  const point = key.publicPoint.subarray(1)
  const size = point.length / 2
  const curve = be16(size === 32 ? 3 : 4)
  return concatBytes(
    head,
    signs,
    curve,
    be16(TPM_ALG.null),
    tpm2b(point.subarray(0, size)),
    tpm2b(point.subarray(size)),
  )
}

/** Name of a public area: algorithm and digest. */
export const nameBytes = (area: Uint8Array): Uint8Array => concatBytes(be16(TPM_ALG.sha256), digest('sha256', area))

const HASH_NAMES: Readonly<Record<number, 'sha1' | 'sha256' | 'sha384'>> = {
  [TPM_ALG.sha1]: 'sha1',
  [TPM_ALG.sha256]: 'sha256',
  [TPM_ALG.sha384]: 'sha384',
}
export const testHashName = (id: number): 'sha1' | 'sha256' | 'sha384' => HASH_NAMES[id] ?? 'sha256'

/** TPMT_SIGNATURE over the bytes. @param told scheme and hash as the structure names them; the true ones unless given */
export function signatureBytes(key: TestKey, bytes: Uint8Array, of: TestScheme, told: TestScheme = of): Uint8Array {
  const head = concatBytes(be16(told.scheme), be16(told.hash))
  const hash = testHashName(of.hash)
  if (key.publicPoint === undefined) {
    const scheme = of.scheme === TPM_ALG.rsapss ? 'pss' : 'pkcs1'
    return concatBytes(head, tpm2b(key.sign(bytes, { scheme, hash })))
  }
  const raw = key.signRaw(bytes, hash === 'sha384' ? 'sha384' : 'sha256')
  return concatBytes(head, tpm2b(raw.subarray(0, raw.length / 2)), tpm2b(raw.subarray(raw.length / 2)))
}
