import type { HashName } from '../../core/crypto/port.ts'

/** TPM_ALG_ID (TCG Algorithm Registry) of what is read here. */
export const ALG = {
  RSA: 0x0001,
  SHA1: 0x0004,
  HMAC: 0x0005,
  SHA256: 0x000b,
  SHA384: 0x000c,
  SHA512: 0x000d,
  NULL: 0x0010,
  RSASSA: 0x0014,
  RSAES: 0x0015,
  RSAPSS: 0x0016,
  OAEP: 0x0017,
  ECDSA: 0x0018,
  ECDH: 0x0019,
  ECC: 0x0023,
} as const

interface Hash {
  readonly name: HashName
  readonly digestBytes: number
}

const HASHES: ReadonlyMap<number, Hash> = new Map([
  [ALG.SHA1, { name: 'sha1', digestBytes: 20 }],
  [ALG.SHA256, { name: 'sha256', digestBytes: 32 }],
  [ALG.SHA384, { name: 'sha384', digestBytes: 48 }],
  [ALG.SHA512, { name: 'sha512', digestBytes: 64 }],
])

export const hashOf = (id: number): Hash | undefined => HASHES.get(id)

/** Bytes of a value in that bank. */
export const BANK_BYTES: Readonly<Record<HashName, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }

export const BANKS: readonly HashName[] = ['sha1', 'sha256', 'sha384', 'sha512']

export const algText = (id: number): string => `0x${id.toString(16).padStart(4, '0')}`
