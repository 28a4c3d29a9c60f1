import { createHash } from 'node:crypto'
import { concatBytes } from '../core/bytes.ts'

/** Little-endian unsigned integer of `size` bytes; higher bits are cut off, so a length field can be made to lie. */
export function littleEndian(value: number, size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) % 256)
}

/**
 * Bytes that look random and depend on nothing but `domain`, `seed` and `label`: SHA-512 over a counter. The kit draws its
 * values from here, which is what makes its output the same on every machine.
 */
export function drawnBytes(domain: string, seed: string, label: string, length: number): Uint8Array<ArrayBuffer> {
  const blocks: Uint8Array[] = []
  for (let counter = 0; counter * 64 < length; counter++) {
    const text = `vouchsafe test kit/${domain}\0${seed}\0${label}\0${counter}`
    blocks.push(new Uint8Array(createHash('sha512').update(text).digest()))
  }
  return concatBytes(...blocks).slice(0, length)
}

/** `bytes` with one bit turned over; `bit` 0 is the lowest of the first byte. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array<ArrayBuffer> {
  const out = Uint8Array.from(bytes)
  const at = Math.floor(bit / 8)
  if (at >= out.length) throw new TypeError(`bit ${bit} is beyond ${out.length} bytes`)
  out[at] = (out[at] ?? 0) ^ (1 << (bit % 8))
  return out
}

/** An entry the caller knows to be there. */
export function must<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new TypeError(`no ${what}`)
  return value
}
