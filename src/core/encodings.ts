import { fail, type Outcome, ok } from './outcome.ts'

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  const whole = bytes.length & ~7
  let text = ''
  // Eight bytes at once: a string for each would be made on the way, and all of them joined when somebody reads the text.
  for (let i = 0; i < whole; i += 8) {
    text += String.fromCharCode(
      high(bytes, i),
      low(bytes, i),
      high(bytes, i + 1),
      low(bytes, i + 1),
      high(bytes, i + 2),
      low(bytes, i + 2),
      high(bytes, i + 3),
      low(bytes, i + 3),
      high(bytes, i + 4),
      low(bytes, i + 4),
      high(bytes, i + 5),
      low(bytes, i + 5),
      high(bytes, i + 6),
      low(bytes, i + 6),
      high(bytes, i + 7),
      low(bytes, i + 7),
    )
  }
  for (let i = whole; i < bytes.length; i++) text += String.fromCharCode(high(bytes, i), low(bytes, i))
  return text
}

/** Character codes of the two hexadecimal digits of one byte. */
const high = (bytes: Uint8Array, at: number): number => DIGIT[(bytes[at] ?? 0) >> 4] ?? 0
const low = (bytes: Uint8Array, at: number): number => DIGIT[(bytes[at] ?? 0) & 15] ?? 0
const DIGIT = Uint8Array.from('0123456789abcdef', (character) => character.charCodeAt(0))

/**
 * Lower-case hexadecimal of exactly `sizeBytes` bytes, without prefix or separators.
 * @returns the bytes, or HEX_NOT_CANONICAL
 */
export function fromHex(text: string, sizeBytes: number, path: string): Outcome<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(sizeBytes)
  let wrong = text.length === sizeBytes * 2 ? 0 : -1
  for (let i = 0; i < sizeBytes && wrong >= 0; i++) {
    const byte = (nibble(text.charCodeAt(2 * i)) << 4) | nibble(text.charCodeAt(2 * i + 1))
    wrong |= byte
    bytes[i] = byte
  }
  if (wrong >= 0) return ok(bytes)
  return fail('HEX_NOT_CANONICAL', path, { expected: `${sizeBytes * 2} lower-case hexadecimal digits`, actual: text })
}

/** Value of a lower-case hexadecimal digit by its character code; negative for other characters. */
const nibble = (code: number): number => NIBBLE[code] ?? -1
const NIBBLE = new Int8Array(256).fill(-1)
for (let i = 0; i < 16; i++) NIBBLE[i.toString(16).charCodeAt(0)] = i

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
/** Value of each byte as a base64 digit; -1 for the others. */
const SEXTET = new Int8Array(256).fill(-1)
for (let i = 0; i < ALPHABET.length; i++) SEXTET[ALPHABET.charCodeAt(i)] = i

/**
 * Standard base64 (RFC 4648 §4) in its one canonical form: padded, no other characters, unused bits zero.
 * Every byte string has exactly one accepted spelling.
 * @returns the bytes, or ENV_BASE64_NOT_CANONICAL
 */
export function fromBase64(text: string, path: string): Outcome<Uint8Array<ArrayBuffer>> {
  const refused = () =>
    fail('ENV_BASE64_NOT_CANONICAL', path, { expected: 'canonical base64', actual: text.slice(0, 40) })
  if (text.length % 4 !== 0) return refused()
  const digits = digitsOf(text)
  if (digits === undefined) return refused()
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const out = new Uint8Array((digits.length / 4) * 3 - padding)
  const whole = digits.length - (padding > 0 ? 4 : 0)
  let to = 0
  let wrong = 0
  for (let at = 0; at < whole; at += 4) {
    const group = groupAt(digits, at)
    wrong |= group
    out[to] = group >> 16
    out[to + 1] = group >> 8
    out[to + 2] = group
    to += 3
  }
  if (wrong < 0) return refused()
  if (padding > 0) {
    digits.fill(ZERO_DIGIT, -padding)
    const group = groupAt(digits, whole)
    const unused = padding === 1 ? 0xff : 0xffff
    if (group < 0 || (group & unused) !== 0) return refused()
    out[to] = group >> 16
    if (padding === 1) out[to + 1] = group >> 8
  }
  return ok(out)
}

/** Shared by all calls, none of which outlives its own use of it: a fresh array of this size costs more than decoding it. */
const SCRATCH = new Uint8Array(64 * 1024)
const ENCODER = new TextEncoder()

/**
 * The text byte by byte, until the next call; undefined where it is not ASCII. A typed array is read several times as fast
 * as a string that was cut out of another.
 */
function digitsOf(text: string): Uint8Array | undefined {
  const into = text.length <= SCRATCH.length ? SCRATCH : new Uint8Array(text.length)
  const { read, written } = ENCODER.encodeInto(text, into)
  return read === text.length && written === text.length ? into.subarray(0, written) : undefined
}

/** Four digits as 24 bits; negative where one is none. */
const groupAt = (digits: Uint8Array, at: number): number =>
  (sextet(digits[at]) << 18) | (sextet(digits[at + 1]) << 12) | (sextet(digits[at + 2]) << 6) | sextet(digits[at + 3])

const sextet = (digit: number | undefined): number => SEXTET[digit ?? 0] ?? -1
const ZERO_DIGIT = ALPHABET.charCodeAt(0)

/** Standard base64 with padding (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3)
    const left = bytes.length - i
    text += ALPHABET[a >> 2] ?? ''
    text += ALPHABET[((a & 3) << 4) | (b >> 4)] ?? ''
    text += left > 1 ? (ALPHABET[((b & 15) << 2) | (c >> 6)] ?? '') : '='
    text += left > 2 ? (ALPHABET[c & 63] ?? '') : '='
  }
  return text
}

/** base64url without padding (RFC 4648 §5), as JOSE writes bytes. */
export const toBase64url = (bytes: Uint8Array): string =>
  toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

/**
 * base64url without padding (RFC 4648 §5) in its one canonical form: no other characters, unused bits zero.
 * @returns undefined for anything else; the caller names the fault
 */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined
  const padded = text.replaceAll('-', '+').replaceAll('_', '/') + '='.repeat((4 - (text.length % 4)) % 4)
  const bytes = fromBase64(padded, '')
  return bytes.ok ? bytes.value : undefined
}

/**
 * UTF-8 without byte order mark; invalid sequences, overlong forms and surrogates are refused.
 * @returns the text, or UTF8_INVALID
 */
export function fromUtf8(bytes: Uint8Array, path: string): Outcome<string> {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return fail('UTF8_INVALID', path, { actual: 'byte order mark' })
  }
  try {
    return ok(STRICT_UTF8.decode(bytes))
  } catch {
    return fail('UTF8_INVALID', path)
  }
}
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
