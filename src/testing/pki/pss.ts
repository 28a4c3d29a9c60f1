import { createHash } from 'node:crypto'
import { concatBytes } from '../../core/bytes.ts'

/** Hash functions a test signature may use; the weak ones exist to be refused. */
export type TestHash = 'sha256' | 'sha384' | 'sha1' | 'md5'

/** Digest as plain bytes. */
export const digest = (hash: TestHash | 'sha512', ...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(
    createHash(hash)
      .update(concatBytes(...parts))
      .digest(),
  )

/**
 * EMSA-PSS with MGF1 over the same hash (RFC 8017 §9.1.1) and a salt chosen by the caller, because node:crypto draws a
 * random one and the kit promises the same bytes every time.
 * @param emBits  modulus bits minus one
 */
export function emsaPss(message: Uint8Array, emBits: number, hash: TestHash, salt: Uint8Array): Uint8Array {
  const emLength = Math.ceil(emBits / 8)
  const hashed = digest(hash, new Uint8Array(8), digest(hash, message), salt)
  const paddingLength = emLength - salt.length - hashed.length - 2
  if (paddingLength < 0) throw new TypeError(`a salt of ${salt.length} bytes does not fit the key`)
  const dataBlock = concatBytes(new Uint8Array(paddingLength), Uint8Array.of(1), salt)
  const mask = mgf1(hashed, dataBlock.length, hash)
  const masked = dataBlock.map((byte, i) => byte ^ (mask[i] ?? 0))
  masked[0] = (masked[0] ?? 0) & (0xff >> (8 * emLength - emBits))
  return concatBytes(masked, hashed, Uint8Array.of(0xbc))
}

function mgf1(seed: Uint8Array, length: number, hash: TestHash): Uint8Array {
  const blocks: Uint8Array[] = []
  for (let counter = 0, made = 0; made < length; counter++) {
    const block = digest(hash, seed, Uint8Array.of(0, 0, counter >> 8, counter & 0xff))
    blocks.push(block)
    made += block.length
  }
  return concatBytes(...blocks).subarray(0, length)
}

/** Salt of `length` bytes that depends on the key's name and the message and on nothing else. */
export const derivedSalt = (keyName: string, message: Uint8Array, length: number): Uint8Array =>
  mgf1(digest('sha384', new TextEncoder().encode(`vouchsafe test salt/${keyName}/`), message), length, 'sha384')
