import { concatBytes } from '../../core/bytes.ts'
import { lengthOctets, raw, seq } from '../../core/der-writer.ts'

/** One encoded TLV (the writer for anything the named writers refuse to make), and a SEQUENCE. */
export { raw, seq }

/** SET OF: DER orders the members by their encodings (X.690 §11.6). */
export function set(...parts: readonly Uint8Array[]): Uint8Array {
  return raw(0x31, concatBytes(...[...parts].sort(byEncoding)))
}

function byEncoding(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** INTEGER in its shortest form. Bytes are an unsigned big-endian magnitude; a spelling with excess octets needs `raw(0x02, …)`. */
export function integer(value: number | bigint | Uint8Array): Uint8Array {
  return raw(0x02, value instanceof Uint8Array ? unsignedOctets(value) : signedOctets(BigInt(value)))
}

/** ENUMERATED of a small non-negative number. */
export const enumerated = (value: number): Uint8Array => raw(0x0a, signedOctets(BigInt(value)))

function unsignedOctets(magnitude: Uint8Array): Uint8Array {
  const first = magnitude.findIndex((byte) => byte !== 0)
  if (first < 0) return Uint8Array.of(0)
  const digits = magnitude.subarray(first)
  return (digits[0] ?? 0) >= 0x80 ? concatBytes(Uint8Array.of(0), digits) : digits
}

function signedOctets(value: bigint): Uint8Array {
  const octets: number[] = []
  let rest = value
  do {
    octets.unshift(Number(rest & 0xffn))
    rest >>= 8n
  } while (!(rest === 0n && (octets[0] ?? 0) < 0x80) && !(rest === -1n && (octets[0] ?? 0) >= 0x80))
  return Uint8Array.from(octets)
}

/** OBJECT IDENTIFIER from dotted decimals; arcs of any size are written in full. */
export function oid(dotted: string): Uint8Array {
  const [first, second, ...rest] = dotted.split('.').map((arc) => BigInt(arc))
  if (first === undefined || second === undefined)
    throw new TypeError(`object identifier ${dotted} has fewer than two arcs`)
  return raw(0x06, Uint8Array.from([first * 40n + second, ...rest].flatMap(base128)))
}

function base128(arc: bigint): number[] {
  const digits = [Number(arc & 0x7fn)]
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) digits.unshift(Number(rest & 0x7fn) | 0x80)
  return digits
}

export const octets = (content: Uint8Array): Uint8Array => raw(0x04, content)

/** BIT STRING; `unused` is the number of unused bits in the last byte. */
export const bits = (content: Uint8Array, unused = 0): Uint8Array =>
  raw(0x03, concatBytes(Uint8Array.of(unused), content))

export const utf8 = (text: string): Uint8Array => raw(0x0c, new TextEncoder().encode(text))
export const printable = (text: string): Uint8Array => raw(0x13, ascii(text))
export const ia5 = (text: string): Uint8Array => raw(0x16, ascii(text))
export const bool = (value: boolean): Uint8Array => raw(0x01, Uint8Array.of(value ? 0xff : 0))
export const nul = (): Uint8Array => raw(0x05, new Uint8Array())

function ascii(text: string): Uint8Array {
  const content = new TextEncoder().encode(text)
  if (content.length !== text.length) throw new TypeError(`${text} is not ASCII`)
  return content
}

/** UTCTime of an RFC 3339 instant with `Z` and whole seconds; the two-digit year is written whatever the century. */
export const utcTime = (instant: string): Uint8Array => raw(0x17, ascii(digitsOf(instant).slice(2)))

/** GeneralizedTime of an RFC 3339 instant with `Z` and whole seconds. */
export const generalizedTime = (instant: string): Uint8Array => raw(0x18, ascii(digitsOf(instant)))

/** Time as RFC 5280 §4.1.2.5 wants it: UTCTime from 1950 through 2049, GeneralizedTime otherwise. */
export function time(instant: string): Uint8Array {
  const year = Number(instant.slice(0, 4))
  return year >= 1950 && year <= 2049 ? utcTime(instant) : generalizedTime(instant)
}

function digitsOf(instant: string): string {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(instant)) throw new TypeError(`${instant} is not RFC 3339 in UTC`)
  return instant.replace(/[-:T]/g, '')
}

/**
 * Context-specific tag `[n]`, n < 31. Explicit (the default) wraps `content`; implicit replaces the tag of the TLV in
 * `content` and keeps its constructed bit.
 */
export function tagged(
  n: number,
  content: Uint8Array,
  options: { readonly explicit: boolean } = { explicit: true },
): Uint8Array {
  if (options.explicit) return raw(0xa0 | n, content)
  return concatBytes(Uint8Array.of(0x80 | n | ((content[0] ?? 0) & 0x20)), content.subarray(1))
}

/** SEQUENCE inside SEQUENCE, `depth` of them; the innermost is empty. Made in linear time, so that it can be very deep. */
export function nestedSequences(depth: number): Uint8Array {
  const headers: Uint8Array[] = []
  for (let i = 0, length = 0; i < depth; i++) {
    const header = concatBytes(Uint8Array.of(0x30), lengthOctets(length))
    headers.push(header)
    length += header.length
  }
  return concatBytes(...headers.reverse())
}

/** A TLV found at `at`: where its content starts and where the TLV ends. For DER this kit wrote itself: trusts its input. */
export function tlvAt(
  der: Uint8Array,
  at: number,
): { readonly tag: number; readonly content: Uint8Array; readonly end: number } {
  let cursor = at + 1
  let length = der[cursor++] ?? 0
  if (length >= 0x80) {
    const count = length & 0x7f
    length = 0
    for (let i = 0; i < count; i++) length = length * 256 + (der[cursor++] ?? 0)
  }
  const end = cursor + length
  if (end > der.length) throw new TypeError('DER of the test kit is cut short')
  return { tag: der[at] ?? 0, content: der.subarray(cursor, end), end }
}

/** The TLVs inside `content`, each whole. Same trust as `tlvAt`. */
export function tlvsIn(content: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let at = 0; at < content.length; ) {
    const { end } = tlvAt(content, at)
    parts.push(content.subarray(at, end))
    at = end
  }
  return parts
}
