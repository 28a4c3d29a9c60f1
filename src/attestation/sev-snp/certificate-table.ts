import { isZero } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'

/** What an entry of the table holds; the ASVK travels under the GUID of the ASK. */
export type TableEntry = 'vcek' | 'vlek' | 'ask' | 'ark'

/** GUIDs of AMD 56421 (GHCB), in the textual byte order in which the table stores them. Others are passed over. */
const GUIDS: ReadonlyMap<string, TableEntry> = new Map([
  ['63da758de6644564adc5f4b93be8accd', 'vcek'],
  ['a8074bc2a25a483eaae639c045a0b8a1', 'vlek'],
  ['4ab7b379bbac4fe4a02f05aef327c782', 'ask'],
  ['c0b406a4a803495297433fb6014cd0ae', 'ark'],
])

const ENTRY_BYTES = 24
const GUID_BYTES = 16

/** Whether bytes begin as a certificate table does: with an entry that this verifier reads. */
export const looksLikeCertificateTable = (bytes: Uint8Array): boolean =>
  bytes.length > ENTRY_BYTES && GUIDS.has(toHex(bytes.subarray(0, GUID_BYTES)))

/**
 * Decodes the certificate table of an extended report (`auxblob` of configfs-tsm): entries of GUID, offset and length, ended
 * by a zero entry, with the bodies behind them. Bodies are views into the input and may be PEM or DER. A table with no entry
 * is valid and empty.
 * @returns the bodies by what they are, or SNP_CERT_TABLE_INVALID · SNP_CERT_TABLE_AMBIGUOUS
 * @see AMD 56421 (GHCB), extended guest request
 */
export function decodeCertificateTable(bytes: Uint8Array, path: string): Outcome<ReadonlyMap<TableEntry, Uint8Array>> {
  return attempt(() => {
    const headers = entryHeaders(bytes, path)
    const bodiesStart = (headers.length + 1) * ENTRY_BYTES
    const bodies = new Map<TableEntry, Uint8Array>()
    for (const [i, { guid, offset, length }] of headers.entries()) {
      const at = `${path}[${i}]`
      // Sums of two 32-bit numbers are exact here, so offset + length cannot wrap.
      if (offset < bodiesStart || offset + length > bytes.length) {
        refuse('SNP_CERT_TABLE_INVALID', at, {
          expected: `a body between ${bodiesStart} and ${bytes.length}`,
          actual: `${length} bytes at ${offset}`,
        })
      }
      const entry = GUIDS.get(guid)
      if (entry === undefined) continue
      if (length === 0) refuse('SNP_CERT_TABLE_INVALID', at, { actual: `empty ${entry} body` })
      if (bodies.has(entry)) refuse('SNP_CERT_TABLE_AMBIGUOUS', at, { actual: `second ${entry} entry` })
      bodies.set(entry, bytes.subarray(offset, offset + length))
    }
    return bodies
  })
}

function entryHeaders(bytes: Uint8Array, path: string) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headers: { guid: string; offset: number; length: number }[] = []
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    const entry = bytes.subarray(at, at + ENTRY_BYTES)
    if (isZero(entry)) return headers
    headers.push({
      guid: toHex(entry.subarray(0, GUID_BYTES)),
      offset: view.getUint32(at + GUID_BYTES, true),
      length: view.getUint32(at + GUID_BYTES + 4, true),
    })
  }
  return refuse('SNP_CERT_TABLE_INVALID', path, {
    expected: 'a zero entry at its end',
    actual: `${bytes.length} bytes`,
  })
}
