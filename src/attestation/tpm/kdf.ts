import { concatBytes, utf8 } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import type { SignatureHash } from './signature.ts'

type Digest = Context['digest']

const BLOCK_BYTES: Readonly<Record<SignatureHash, number>> = { sha256: 64, sha384: 128, sha512: 128 }

const u32 = (value: number): Uint8Array => Uint8Array.from([24, 16, 8, 0], (shift) => (value >>> shift) & 0xff)

/** HMAC (FIPS 198-1) over the port's digests. */
export async function hmac(
  digest: Digest,
  hash: SignatureHash,
  key: Uint8Array,
  message: Uint8Array,
): Promise<Uint8Array> {
  const block = new Uint8Array(BLOCK_BYTES[hash])
  block.set(key.length > block.length ? await digest(hash, key) : key)
  const padded = (byte: number): Uint8Array => block.map((b) => b ^ byte)
  return digest(hash, concatBytes(padded(0x5c), await digest(hash, concatBytes(padded(0x36), message))))
}

/** SP 800-108 in counter mode as TPMs use it (Part 1 §11.4.10.2). @param bits at most those of one digest */
export async function kdfA(
  digest: Digest,
  hash: SignatureHash,
  key: Uint8Array,
  label: string,
  contexts: { readonly u: Uint8Array; readonly v: Uint8Array },
  bits: number,
): Promise<Uint8Array> {
  const message = concatBytes(u32(1), utf8(`${label}\0`), contexts.u, contexts.v, u32(bits))
  return (await hmac(digest, hash, key, message)).subarray(0, bits / 8)
}

/** SP 800-56A as TPMs use it (Part 1 §11.4.10.3): a whole digest. @param z x-coordinate of the shared point */
export const kdfE = (
  digest: Digest,
  hash: SignatureHash,
  z: Uint8Array,
  label: string,
  parties: { readonly u: Uint8Array; readonly v: Uint8Array },
): Promise<Uint8Array> => digest(hash, concatBytes(u32(1), z, utf8(`${label}\0`), parties.u, parties.v))

/** MGF1 (RFC 8017 §B.2.1). */
async function mgf1(digest: Digest, hash: SignatureHash, seed: Uint8Array, length: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (let counter = 0, made = 0; made < length; counter++) {
    const part = await digest(hash, concatBytes(seed, u32(counter)))
    parts.push(part)
    made += part.length
  }
  return concatBytes(...parts).subarray(0, length)
}

const exclusiveOr = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, i) => byte ^ (b[i] ?? 0))

/** EME-OAEP (RFC 8017 §7.1.1). @param random as long as a digest */
export async function oaepEncoded(
  digest: Digest,
  hash: SignatureHash,
  message: Uint8Array,
  label: Uint8Array,
  sizeBytes: number,
  random: Uint8Array,
): Promise<Uint8Array> {
  const labelHash = await digest(hash, label)
  const padding = new Uint8Array(sizeBytes - message.length - 2 * labelHash.length - 2)
  const block = concatBytes(labelHash, padding, Uint8Array.of(1), message)
  const maskedBlock = exclusiveOr(block, await mgf1(digest, hash, random, block.length))
  const maskedSeed = exclusiveOr(random, await mgf1(digest, hash, maskedBlock, random.length))
  return concatBytes(Uint8Array.of(0), maskedSeed, maskedBlock)
}
