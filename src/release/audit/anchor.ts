import { utf8 } from '../../core/bytes.ts'
import { fromUtf8 } from '../../core/encodings.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import { fail, type Outcome, ok } from '../../core/outcome.ts'
import { createPrivateFile, readPrivateFile, replacePrivateFile } from '../../files/private-file.ts'
import type { AuditHead } from '../ports.ts'
import { EMPTY_HEAD } from './entry.ts'

/** A row that the log is known to have had. */
export type AuditEnd = Pick<AuditHead, 'sequence' | 'chain'>

/** What is remembered of the log outside its database, so that a log whose end was cut off is noticed. */
export interface AuditAnchor {
  /** the last end that was written, or AUDIT_ANCHOR_UNAVAILABLE */
  read(): Promise<Outcome<AuditEnd>>
  /** Durable when it resolves; it rejects where it cannot be written. */
  write(end: AuditEnd): Promise<void>
}

const FORMAT = 'vouchsafe/audit-anchor/1'
const encoded = ({ sequence, chain }: AuditEnd): Uint8Array =>
  utf8(`${JSON.stringify({ format: FORMAT, sequence, chain })}\n`)

/**
 * Makes the anchor of an empty log.
 * @throws Error where the file exists, or cannot be written
 */
export const createAnchorFile = (path: string): Promise<void> => createPrivateFile(path, encoded(EMPTY_HEAD))

/**
 * An anchor in a file (mode 0600), which lies where whoever can write the database cannot. Each process has its own.
 * `createAnchorFile` makes it.
 */
export function fileAnchor(path: string): AuditAnchor {
  return {
    write: (end) => replacePrivateFile(path, encoded(end)),
    async read() {
      let bytes: Uint8Array
      try {
        bytes = await readPrivateFile(path)
      } catch (error) {
        return fail('AUDIT_ANCHOR_UNAVAILABLE', path, { actual: error instanceof Error ? error.message : 'unreadable' })
      }
      const end = decode(bytes)
      return end === undefined ? fail('AUDIT_ANCHOR_UNAVAILABLE', path, { expected: `format ${FORMAT}` }) : ok(end)
    },
  }
}

function decode(bytes: Uint8Array): AuditEnd | undefined {
  const text = fromUtf8(bytes, '')
  const json = text.ok ? parseJson(text.value, '', 'integers') : text
  if (!json.ok || !isJsonObject(json.value) || json.value.format !== FORMAT) return undefined
  const { sequence, chain } = json.value
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 0) return undefined
  return typeof chain === 'string' && /^[0-9a-f]{64}$/.test(chain) ? { sequence, chain } : undefined
}
