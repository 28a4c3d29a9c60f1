import { type Json, parseJson } from '../core/json.ts'
import { LIMITS } from '../core/limits.ts'
import { fail, type Outcome, ok } from '../core/outcome.ts'

/** Larger texts are read by the strict parser alone, which stops at its limits before they cost memory. */
const MOST_FAST_CHARACTERS = 2 * 1024 * 1024

/**
 * JSON of a header, as strict as `parseJson` with `integers`, and several times as fast for what writers of such headers write:
 * a text that comes out again as it went in has no key twice and nothing that was mended. Members may have a
 * prototype, so ask objects for their own entries or for names that no prototype has; a number may have a fraction.
 * @returns the value, or what `parseJson` returns
 */
export function parseHeaderText(text: string, path: string): Outcome<Json> {
  if (text.length <= MOST_FAST_CHARACTERS && !text.includes('\\ud')) {
    const value = native(text)
    if (value !== undefined && JSON.stringify(value) === text) return ok(value)
  }
  return parseJson(text, path, 'integers', LIMITS.modelHeaderValues)
}

function native(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    // The strict parser says what is wrong with it.
    return undefined
  }
}

/**
 * Order of the UTF-8 bytes of two texts, which is that of their code points and not of UTF-16: surrogates stand for what comes
 * after everything else.
 */
export function byBytes(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)

export const base64Of = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

/**
 * Standard base64 in its one spelling.
 * @returns the bytes, which may share memory with others and are copied before they go to a thread; or ENV_BASE64_NOT_CANONICAL
 */
export function bytesOfBase64(text: string, path: string): Outcome<Uint8Array> {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') === text) return ok(bytes)
  return fail('ENV_BASE64_NOT_CANONICAL', path, { expected: 'canonical base64', actual: text.slice(0, 40) })
}
