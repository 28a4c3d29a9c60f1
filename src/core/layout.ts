import type { Code } from './codes.ts'
import { attempt, type Outcome, refuse } from './outcome.ts'

/** One field of a fixed binary structure, at the offset that the vendor's specification prints. */
export interface Field<T> {
  readonly offset: number
  readonly sizeBytes: number
  /** `zero`: every byte must be zero; such a field is checked and does not appear in the decoded value */
  readonly kind: 'uint' | 'bytes' | 'zero'
  readonly read: (view: DataView, bytes: Uint8Array) => T
}

const field = <T>(
  kind: Field<T>['kind'],
  offset: number,
  sizeBytes: number,
  read: (view: DataView, bytes: Uint8Array, offset: number) => T,
): Field<T> => ({ kind, offset, sizeBytes, read: (view, bytes) => read(view, bytes, offset) })

export const u8 = (offset: number): Field<number> => field('uint', offset, 1, (v, _, o) => v.getUint8(o))
export const u16 = (offset: number): Field<number> => field('uint', offset, 2, (v, _, o) => v.getUint16(o, true))
export const u32 = (offset: number): Field<number> => field('uint', offset, 4, (v, _, o) => v.getUint32(o, true))
export const u64 = (offset: number): Field<bigint> => field('uint', offset, 8, (v, _, o) => v.getBigUint64(o, true))
export const bytes = (offset: number, sizeBytes: number): Field<Uint8Array> =>
  field('bytes', offset, sizeBytes, (_, b, o) => b.subarray(o, o + sizeBytes))
/** Reserved, must be zero. */
export const zero = (offset: number, sizeBytes: number): Field<never> =>
  field('zero', offset, sizeBytes, () => {
    throw new TypeError('a reserved field has no value')
  })

type Fields = Readonly<Record<string, Field<unknown>>>

/** What a layout decodes to: every field but the reserved ones. */
export type Decoding<F extends Fields> = {
  readonly [K in keyof F as F[K] extends Field<never> ? never : K]: F[K] extends Field<infer T> ? T : never
}

export interface Layout<F extends Fields> {
  readonly name: string
  readonly sizeBytes: number
  readonly fields: F
  /** the fields in the order of their offsets, for pictures and for making mutants */
  readonly ordered: readonly (readonly [name: string, field: Field<unknown>])[]
}

/**
 * A table of fields, proved at load time to tile `[0, sizeBytes)` without gap or overlap.
 * @throws TypeError where the table is wrong: that is a programmer's error
 */
export function layout<F extends Fields>(name: string, sizeBytes: number, fields: F): Layout<F> {
  const ordered = Object.entries(fields).sort(([, a], [, b]) => a.offset - b.offset)
  let end = 0
  for (const [fieldName, f] of ordered) {
    if (!Number.isInteger(f.sizeBytes) || f.sizeBytes < 1)
      throw new TypeError(`${name}.${fieldName}: ${f.sizeBytes} bytes`)
    if (f.offset !== end) throw new TypeError(`${name}.${fieldName}: starts at ${f.offset}, expected ${end}`)
    end += f.sizeBytes
  }
  if (end !== sizeBytes) throw new TypeError(`${name}: fields end at ${end}, structure at ${sizeBytes}`)
  return { name, sizeBytes, fields, ordered }
}

/**
 * Decodes exactly `layout.sizeBytes` bytes. The value has no prototype; byte fields are views into the input.
 * @returns the fields, or `sizeCode` for another length, or `reservedCode` for a reserved byte that is not zero
 */
export function decodeLayout<F extends Fields>(
  l: Layout<F>,
  input: Uint8Array,
  path: string,
  codes: { readonly size: Code; readonly reserved: Code },
): Outcome<Decoding<F>> {
  return attempt(() => {
    if (input.length !== l.sizeBytes) {
      refuse(codes.size, path, { expected: `${l.sizeBytes} bytes`, actual: `${input.length} bytes` })
    }
    const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
    const value: Record<string, unknown> = Object.create(null)
    for (const [name, f] of l.ordered) {
      if (f.kind === 'zero') {
        const end = f.offset + f.sizeBytes
        let at = f.offset
        while (at < end && input[at] === 0) at++
        if (at < end) {
          refuse(codes.reserved, `${path}[0x${at.toString(16)}]`, {
            expected: 'zero',
            actual: `0x${input[at]?.toString(16)}`,
          })
        }
      } else {
        value[name] = f.read(view, input)
      }
    }
    return value as Decoding<F>
  })
}
