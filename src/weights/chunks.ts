import { randomBytes } from 'node:crypto'
import { IV_BYTES } from './aead.ts'

/** Bytes of a chunk in the files that we write, and in files that name none. */
export const CHUNK_BYTES = 2 * 1024 * 1024

const COUNTER_AT = 8
const COUNTERS = 2 ** 32

/** An empty tensor is one empty chunk. */
export const chunkCount = (bytes: number, chunkBytes: number): number => Math.max(1, Math.ceil(bytes / chunkBytes))

const counterOf = (iv: Uint8Array): number => new DataView(iv.buffer, iv.byteOffset).getUint32(COUNTER_AT)

/** Whether that many chunks can be counted from this IV without running over. */
export const hasRoom = (baseIv: Uint8Array, chunks: number): boolean => counterOf(baseIv) + chunks <= COUNTERS

/** A random IV that has room. */
export function newBaseIv(chunks: number): Uint8Array {
  for (;;) {
    const iv = new Uint8Array(randomBytes(IV_BYTES))
    if (hasRoom(iv, chunks)) return iv
  }
}

/** The IV of a chunk: the base, its last four bytes counted up. */
export function chunkIv(baseIv: Uint8Array, chunk: number): Uint8Array {
  const iv = new Uint8Array(baseIv)
  new DataView(iv.buffer).setUint32(COUNTER_AT, counterOf(baseIv) + chunk)
  return iv
}
