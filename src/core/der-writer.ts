import { concatBytes } from './bytes.ts'

/** One encoded TLV: `tag` octet, definite minimal length, `content`. */
export function raw(tag: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(Uint8Array.of(tag), lengthOctets(content.length), content)
}

/** A definite length in its shortest form. */
export function lengthOctets(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length)
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return Uint8Array.of(0x80 | octets.length, ...octets)
}

export const seq = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => raw(0x30, concatBytes(...parts))
