import { latin1 } from './bytes.ts'
import { fromBase64 } from './encodings.ts'
import { LIMITS } from './limits.ts'
import { attempt, type Outcome, refuse, take } from './outcome.ts'

export interface PemBlock {
  /** e.g. `CERTIFICATE`, `X509 CRL` */
  readonly label: string
  readonly der: Uint8Array
}

/** Whether the bytes begin as a PEM file does, after white space, or a byte order mark that `decodePem` then refuses. */
export function looksLikePem(bytes: Uint8Array): boolean {
  return /^(?:\xef\xbb\xbf)?\s*-----BEGIN [A-Z0-9 ]+-----/.test(latin1(bytes.subarray(0, 128)))
}

const BLOCK = /^-----BEGIN ([A-Z0-9 ]+)-----\n([A-Za-z0-9+/=\n]+)\n-----END ([A-Z0-9 ]+)-----\n?/

/**
 * One or more PEM blocks (RFC 7468) with nothing but line ends between them. Carriage returns before line feeds are
 * accepted; other text, byte order marks, headers and NULs are not.
 * @returns the blocks in order, or PEM_INVALID · ENV_BASE64_NOT_CANONICAL · LIMIT_EVIDENCE_BYTES
 */
export function decodePem(bytes: Uint8Array, path: string): Outcome<readonly PemBlock[]> {
  return attempt(() => {
    if (bytes.length > LIMITS.evidenceBytes) refuse('LIMIT_EVIDENCE_BYTES', path, { actual: bytes.length })
    let text = latin1(bytes).replaceAll('\r\n', '\n').replace(/^\n+/, '')
    const blocks: PemBlock[] = []
    while (text.length > 0) {
      const m = BLOCK.exec(text)
      const [whole = '', label = '', body = '', closing] = m ?? []
      if (m === null || label !== closing) {
        return refuse('PEM_INVALID', `${path}[${blocks.length}]`, { actual: text.slice(0, 40) })
      }
      blocks.push({ label, der: take(fromBase64(body.replaceAll('\n', ''), `${path}[${blocks.length}]`)) })
      text = text.slice(whole.length).replace(/^\n+/, '')
    }
    if (blocks.length === 0) refuse('PEM_INVALID', path, { actual: 'no block' })
    return blocks
  })
}
