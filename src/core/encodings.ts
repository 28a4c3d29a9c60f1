import { fail, type Outcome, ok } from './outcome.ts'

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX_OF_BYTE[byte]
  return text
}
const HEX_OF_BYTE = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * Lower-case hexadecimal of exactly `sizeBytes` bytes, without prefix or separators.
 * @returns the bytes, or HEX_NOT_CANONICAL
 */
export function fromHex(text: string, sizeBytes: number, path: string): Outcome<Uint8Array<ArrayBuffer>> {
  if (text.length !== sizeBytes * 2 || !/^[0-9a-f]*$/.test(text)) {
    return fail('HEX_NOT_CANONICAL', path, { expected: `${sizeBytes * 2} lower-case hexadecimal digits`, actual: text })
  }
  return ok(Uint8Array.from({ length: sizeBytes }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)))
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const SEXTET = new Int16Array(128).fill(-1)
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
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const digits = text.length - padding
  const out = new Uint8Array((text.length / 4) * 3 - padding)
  let at = 0
  let buffer = 0
  let bits = 0
  for (let i = 0; i < digits; i++) {
    const value = SEXTET[text.charCodeAt(i)] ?? -1
    if (value < 0) return refused()
    buffer = ((buffer << 6) | value) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      out[at++] = (buffer >> bits) & 0xff
    }
  }
  if ((buffer & ((1 << bits) - 1)) !== 0) return refused()
  return ok(out)
}

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

/**
 * UTF-8 without byte order mark; invalid sequences, overlong forms and surrogates are refused.
 * @returns the text, or UTF8_INVALID
 */
export function fromUtf8(bytes: Uint8Array, path: string): Outcome<string> {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return fail('UTF8_INVALID', path, { actual: 'byte order mark' })
  }
  try {
    return ok(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return fail('UTF8_INVALID', path)
  }
}
