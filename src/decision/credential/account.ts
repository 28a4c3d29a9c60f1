import { utf8 } from '../../core/bytes.ts'
import { toBase64, toBase64url } from '../../core/encodings.ts'
import { canonicalJson } from '../../core/json.ts'

/*
 * Keys of accounts on a Cosmos chain: secp256k1, addresses as bech32 over RIPEMD-160(SHA-256(compressed point)).
 */

const COMPRESSED_BYTES = 33
const SIGNATURE_BYTES = 64
const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const
const CHECKSUM_DIGITS = 6

/** Checksum state over 5-bit digits (BIP 173). */
function polymod(digits: readonly number[]): number {
  let state = 1
  for (const digit of digits) {
    const top = state >>> 25
    state = ((state & 0x1ffffff) << 5) ^ digit
    for (const [i, generator] of GENERATOR.entries()) if (((top >>> i) & 1) === 1) state ^= generator
  }
  return state
}

/** Bytes as 5-bit digits, the last one filled up with zeros. */
function digitsOf(bytes: Uint8Array): number[] {
  const digits: number[] = []
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) digits.push((held >>> (bits - 5)) & 31)
  }
  if (bits > 0) digits.push((held << (5 - bits)) & 31)
  return digits
}

/** Bech32 (BIP 173) of `bytes` under a lower-case prefix. */
export function bech32(prefix: string, bytes: Uint8Array): string {
  const data = digitsOf(bytes)
  const characters = [...prefix].map((c) => c.charCodeAt(0))
  const head = [...characters.map((c) => c >>> 5), 0, ...characters.map((c) => c & 31)]
  const checksum = polymod([...head, ...data, ...new Array<number>(CHECKSUM_DIGITS).fill(0)]) ^ 1
  const last = Array.from({ length: CHECKSUM_DIGITS }, (_, i) => (checksum >>> (5 * (CHECKSUM_DIGITS - 1 - i))) & 31)
  return `${prefix}1${[...data, ...last].map((digit) => ALPHABET[digit]).join('')}`
}

/** Whether the bytes are the compressed point of a secp256k1 key, 33 bytes. */
export async function isAccountKey(publicKey: Uint8Array): Promise<boolean> {
  const { secp256k1 } = await import('@noble/curves/secp256k1.js')
  return publicKey.length === COMPRESSED_BYTES && secp256k1.utils.isValidPublicKey(publicKey, true)
}

/**
 * The account that a key controls, e.g. `akash1…`.
 * @param publicKey compressed point, 33 bytes
 * @param prefix of the chain, `akash`
 */
export async function accountAddress(publicKey: Uint8Array, prefix: string): Promise<string> {
  const [{ ripemd160 }, { sha256 }] = await Promise.all([
    import('@noble/hashes/legacy.js'),
    import('@noble/hashes/sha2.js'),
  ])
  return bech32(prefix, ripemd160(sha256(publicKey)))
}

/**
 * RFC 7638 thumbprint of an account key as the JWK that RFC 8812 gives it: what `cnf.jkt` of a credential names.
 * @param publicKey compressed point, 33 bytes
 * @throws TypeError where the bytes are no such point
 */
export async function accountThumbprint(publicKey: Uint8Array): Promise<string> {
  if (!(await isAccountKey(publicKey)))
    throw new TypeError('an account key is a compressed point of secp256k1, 33 bytes')
  const [{ secp256k1 }, { calculateJwkThumbprint }] = await Promise.all([
    import('@noble/curves/secp256k1.js'),
    import('jose'),
  ])
  const point = secp256k1.Point.fromBytes(publicKey).toBytes(false)
  const [x, y] = [toBase64url(point.subarray(1, 33)), toBase64url(point.subarray(33))]
  return calculateJwkThumbprint({ kty: 'EC', crv: 'secp256k1', x, y })
}

/**
 * What a wallet signs for arbitrary data: the amino sign document of ADR-36, canonical JSON. Neither base64 nor an address holds
 * a character that amino would escape.
 * @see Cosmos ADR-36
 */
export const adr36Document = (signer: string, data: Uint8Array): Uint8Array<ArrayBuffer> =>
  utf8(
    canonicalJson({
      account_number: '0',
      chain_id: '',
      fee: { amount: [], gas: '0' },
      memo: '',
      msgs: [{ type: 'sign/MsgSignData', value: { data: toBase64(data), signer } }],
      sequence: '0',
    }),
  )

/**
 * Whether `signature` is that of `publicKey` over the ADR-36 document of `data` for `signer`, and the key is that account's.
 * Of the two values of s that ECDSA allows only the lower one counts, as on the chain.
 * @param publicKey compressed point, 33 bytes
 * @param signature r ‖ s, 64 bytes
 */
export async function isSignedByAccount(
  signer: string,
  data: Uint8Array,
  publicKey: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (signature.length !== SIGNATURE_BYTES || !(await isAccountKey(publicKey))) return false
  const prefix = signer.slice(0, signer.lastIndexOf('1'))
  if ((await accountAddress(publicKey, prefix)) !== signer) return false
  const { secp256k1 } = await import('@noble/curves/secp256k1.js')
  return secp256k1.verify(signature, adr36Document(signer, data), publicKey, { prehash: true, lowS: true })
}
