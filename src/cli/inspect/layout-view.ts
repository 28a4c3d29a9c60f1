import { isZero } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import type { Field, Layout } from '../../core/layout.ts'
import type { Meaning } from './meanings.ts'
import type { FieldView } from './model.ts'

/** Names of a layout that are not reserved: a field that is added to it has to be explained. */
export type Named<L extends Layout<Readonly<Record<string, Field<unknown>>>>> = Exclude<
  keyof L['fields'] & string,
  `reserved${string}`
>

/** What each field of a layout says, from its own bytes. */
export type Meanings<L extends Layout<Readonly<Record<string, Field<unknown>>>>> = Readonly<
  Record<Named<L>, (raw: Uint8Array) => Meaning>
>

/**
 * Every field of a structure at its place.
 * @param bytes exactly the structure
 * @param offset of the structure in what it is shown as a part of
 * @param meaning undefined where the decoder refused the whole
 */
export const layoutFields = (
  { ordered }: Pick<Layout<Readonly<Record<string, Field<unknown>>>>, 'ordered'>,
  bytes: Uint8Array,
  offset: number,
  meaning: ((name: string, raw: Uint8Array) => Meaning) | undefined,
): FieldView[] =>
  ordered.map(([name, field]) => {
    const raw = bytes.subarray(field.offset, field.offset + field.sizeBytes)
    const base = { name, offset: offset + field.offset, sizeBytes: field.sizeBytes, hex: toHex(raw), parts: [] }
    if (field.kind === 'zero') return { ...base, name: 'reserved', meaning: isZero(raw) ? 'zero' : 'must be zero' }
    if (meaning === undefined) return { ...base, meaning: '' }
    const { text, parts } = meaning(name, raw)
    return { ...base, meaning: text, parts: parts ?? [] }
  })
