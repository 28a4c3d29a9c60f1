import { concatBytes, utf8 } from '../../core/bytes.ts'

/** A map entry, both encoded. Order and repetition are the writer's own affair. */
export type CborEntry = readonly [key: Uint8Array, value: Uint8Array]

/** Number of bytes that the argument takes after the initial byte; 0 puts it into the initial byte. */
type ArgumentBytes = 0 | 1 | 2 | 4 | 8

/** Initial byte and argument: the shortest form, or one of `size` further bytes. */
export function cborHead(major: number, argument: number, size: ArgumentBytes = shortest(argument)): Uint8Array {
  const info = size === 0 ? argument : 24 + Math.log2(size)
  const bytes = Uint8Array.from({ length: size }, (_, i) => Math.floor(argument / 256 ** (size - 1 - i)) % 256)
  return concatBytes(Uint8Array.of((major << 5) | info), bytes)
}

const shortest = (argument: number): ArgumentBytes =>
  argument < 24 ? 0 : argument < 0x100 ? 1 : argument < 0x10000 ? 2 : argument < 2 ** 32 ? 4 : 8

export const cborInt = (value: number): Uint8Array => (value < 0 ? cborHead(1, -1 - value) : cborHead(0, value))
export const cborBytes = (content: Uint8Array): Uint8Array => concatBytes(cborHead(2, content.length), content)
export const cborText = (text: string): Uint8Array => concatBytes(cborHead(3, utf8(text).length), utf8(text))
export const cborArray = (...items: readonly Uint8Array[]): Uint8Array =>
  concatBytes(cborHead(4, items.length), ...items)
export const cborMap = (entries: readonly CborEntry[]): Uint8Array =>
  concatBytes(cborHead(5, entries.length), ...entries.flat())
export const cborTag = (tag: number, content: Uint8Array): Uint8Array => concatBytes(cborHead(6, tag), content)
export const cborNull: Uint8Array = Uint8Array.of(0xf6)

/** The same map with its end marked instead of its length told. */
export const cborIndefiniteMap = (entries: readonly CborEntry[]): Uint8Array =>
  concatBytes(Uint8Array.of(0xbf), ...entries.flat(), Uint8Array.of(0xff))

const isKey = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])

/** The entries with the value of one key replaced where it stands, or the entry added at the end. */
export function withEntry(entries: readonly CborEntry[], key: Uint8Array, value: Uint8Array): readonly CborEntry[] {
  const at = entries.findIndex(([k]) => isKey(k, key))
  return at < 0 ? [...entries, [key, value]] : entries.with(at, [key, value])
}

export const withoutEntry = (entries: readonly CborEntry[], key: Uint8Array): readonly CborEntry[] =>
  entries.filter(([k]) => !isKey(k, key))
