import { utf8 } from '../../core/bytes.ts'
import { fromBase64, fromHex } from '../../core/encodings.ts'
import { attempt, type Outcome, take } from '../../core/outcome.ts'
import { decodePem, looksLikePem } from '../../core/pem.ts'
import type { NamedDer } from './collateral-files.ts'

/**
 * DER objects in a text, however quote libraries write them: PEM of one or more, hexadecimal of DER or of PEM, or base64.
 * White space around it and one final NUL, which C programs copy along, are not part of it.
 * @returns the objects in order, none for an empty text; or PEM_INVALID · ENV_BASE64_NOT_CANONICAL · HEX_NOT_CANONICAL ·
 * LIMIT_EVIDENCE_BYTES
 */
export function dersInText(text: string, path: string): Outcome<readonly NamedDer[]> {
  return attempt(() => {
    const body = text.replace(/\0$/, '').trim()
    if (body === '') return []
    const bytes = take(bytesOf(body, path))
    if (!looksLikePem(bytes)) return [{ der: bytes, path }]
    return take(decodePem(bytes, path)).map(({ der }, i) => ({ der, path: `${path}[${i}]` }))
  })
}

function bytesOf(body: string, path: string): Outcome<Uint8Array> {
  if (body.startsWith('-')) return { ok: true, value: utf8(body) }
  return /^[0-9a-fA-F]+$/.test(body) ? derOfHex(body, path) : fromBase64(body.replace(/\s/g, ''), path)
}

/** Hexadecimal digits of either case. */
export const derOfHex = (text: string, path: string): Outcome<Uint8Array> =>
  fromHex(text.toLowerCase(), Math.ceil(text.length / 2), path)
