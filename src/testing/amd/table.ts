import { concatBytes } from '../../core/bytes.ts'

/**
 * GUIDs of the bodies in an extended report's certificate table (GHCB, AMD 56421 §4.1.8.1), in the order of their text.
 * `ARK`, `ASK` (also holds an ASVK), `VCEK`, `VLEK`; `CPUID` is go-sev-guest's addition and `SVSM` a vTPM manifest.
 */
export const TABLE_GUID = {
  VCEK: '63da758d-e664-4564-adc5-f4b93be8accd',
  VLEK: 'a8074bc2-a25a-483e-aae6-39c045a0b8a1',
  ASK: '4ab7b379-bbac-4fe4-a02f-05aef327c782',
  ARK: 'c0b406a4-a803-4952-9743-3fb6014cd0ae',
  CPUID: 'ecae0c0f-9502-43b1-afa2-0ae2e0d565b6',
  SVSM: 'c476f1eb-0123-45a5-9641-b4e7dde5bfe3',
} as const

/** A body and what the table calls it: a known kind or any GUID. */
export type TableEntry = { readonly body: Uint8Array } & (
  | { readonly kind: keyof typeof TABLE_GUID }
  | { readonly guid: string }
)

/** Ways in which a table may lie about itself. Left out, it is well formed. */
export interface TableOptions {
  /** Offset or length to write for the entry of that index, in place of the true one. */
  readonly offset?: Readonly<Record<number, number>>
  readonly length?: Readonly<Record<number, number>>
  /** Leave out the zero entry that ends the header. */
  readonly withoutTerminator?: boolean
  /** Keep this many bytes of the finished table. */
  readonly truncate?: number
  /** Bytes after the last body, such as the zero fill of a page. */
  readonly append?: Uint8Array
}

const ENTRY_BYTES = 24

/** A certificate table: header of 24-byte entries (GUID, offset, length), a zero entry, then the bodies in that order. */
export function certificateTable(entries: readonly TableEntry[], options: TableOptions = {}): Uint8Array {
  const terminator = new Uint8Array(options.withoutTerminator === true ? 0 : ENTRY_BYTES)
  let at = entries.length * ENTRY_BYTES + terminator.length
  const header = entries.map((entry, index) => {
    const bytes = new Uint8Array(ENTRY_BYTES)
    bytes.set(guidBytes('kind' in entry ? TABLE_GUID[entry.kind] : entry.guid))
    const view = new DataView(bytes.buffer)
    view.setUint32(16, options.offset?.[index] ?? at, true)
    view.setUint32(20, options.length?.[index] ?? entry.body.length, true)
    at += entry.body.length
    return bytes
  })
  const table = concatBytes(...header, terminator, ...entries.map((entry) => entry.body))
  return concatBytes(table.subarray(0, options.truncate ?? table.length), options.append ?? new Uint8Array())
}

function guidBytes(guid: string): Uint8Array {
  if (!/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(guid)) throw new TypeError(`${guid} is not a GUID`)
  return Uint8Array.from(Buffer.from(guid.replaceAll('-', ''), 'hex'))
}
