import { littleEndian } from '../bytes.ts'

/** Where a field lies: offset, bytes, and whether it is an unsigned little-endian number or plain bytes. */
export type FieldPlace = readonly [offset: number, sizeBytes: number, kind: 'number' | 'bytes']
export type FieldTable = Readonly<Record<string, FieldPlace>>

/** Values of a table's fields; one that is left out is zero. Bytes are exactly as long as the field. */
export type FieldValues<T extends FieldTable> = {
  readonly [Name in keyof T]?: T[Name][2] extends 'number' ? number : Uint8Array
}

/** Bytes to write at an offset. */
export interface Patch {
  readonly offset: number
  readonly bytes: Uint8Array | readonly number[]
}

/** A structure of `sizeBytes` with those fields; what no field covers is zero. */
export function written<T extends FieldTable>(
  table: T,
  sizeBytes: number,
  values: FieldValues<T>,
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(sizeBytes)
  for (const [name, value] of Object.entries(values) as [string, number | Uint8Array | undefined][]) {
    const place = table[name]
    if (value === undefined) continue
    if (place === undefined) throw new TypeError(`no field ${name}`)
    const [offset, size] = place
    const bytes = typeof value === 'number' ? littleEndian(value, size) : value
    if (bytes.length !== size) throw new TypeError(`${name} has ${size} bytes, not ${bytes.length}`)
    if (offset + size > sizeBytes) throw new TypeError(`${name} lies behind the end of the structure`)
    out.set(bytes, offset)
  }
  return out
}

/** `bytes` with patches written over them. */
export function patched(bytes: Uint8Array, patches: readonly Patch[]): Uint8Array<ArrayBuffer> {
  const out = Uint8Array.from(bytes)
  for (const { offset, bytes: over } of patches) out.set(over, offset)
  return out
}

/** 64 bits as 8 little-endian bytes, bit 0 lowest in the first. */
export function bits64(...set: readonly number[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(8)
  for (const bit of set) out[bit >> 3] = (out[bit >> 3] ?? 0) | (1 << (bit & 7))
  return out
}
