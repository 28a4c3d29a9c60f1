import { concatBytes } from './bytes.ts'
import type { Code } from './codes.ts'
import { fromUtf8 } from './encodings.ts'
import { LIMITS } from './limits.ts'
import { attempt, type Outcome, refuse, take } from './outcome.ts'

/** Integers outside ±(2^53 − 1) are bigint, so that none is ever rounded. */
export type CborKey = number | bigint | string
export type Cbor = CborKey | boolean | null | Uint8Array | readonly Cbor[] | CborMap | CborTag
/** A Map, so that no key can reach a prototype. */
export type CborMap = ReadonlyMap<CborKey, Cbor>

export class CborTag {
  readonly tag: number | bigint
  readonly content: Cbor
  constructor(tag: number | bigint, content: Cbor) {
    this.tag = tag
    this.content = content
  }
}

/** What one structure may do that others may not. Both members are rules; neither can be left out. */
export interface CborProfile {
  /**
   * `deterministic`: keys in bytewise order of their encodings. `as-written`: in any order, each once, for what real
   * devices sign in the order of their own source (AWS's NSM, Arm's RMM and platform firmware).
   */
  readonly keyOrder: 'deterministic' | 'as-written'
  readonly tags: readonly number[]
}

/** RFC 8949 §4.2.1 without exception. */
export const DETERMINISTIC: CborProfile = { keyOrder: 'deterministic', tags: [] }
/** The same but for the order of map keys. */
export const AS_WRITTEN: CborProfile = { keyOrder: 'as-written', tags: [] }

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, simple: 7 } as const
const SIMPLE: ReadonlyMap<number, boolean | null> = new Map([
  [20, false],
  [21, true],
  [22, null],
])

/**
 * Decodes one item of deterministic CBOR and nothing after it: shortest heads, definite lengths, each key once. Taken are
 * integers, byte and text strings, arrays, maps with integer and text keys, false, true, null, and the profile's tags; floats,
 * `undefined` and other simple values are not. Byte strings are views into the input. Lengths are compared with the
 * input before anything is allocated.
 * @returns the item, or LIMIT_CBOR (64 levels; more declared than there is; cut short) · CBOR_NOT_DETERMINISTIC ·
 * CBOR_DUPLICATE_KEY · CBOR_UNEXPECTED_ITEM · CBOR_TRAILING_BYTES · UTF8_INVALID
 * @see RFC 8949 §§3, 4.2.1
 */
export function decodeCbor(bytes: Uint8Array, path: string, profile: CborProfile): Outcome<Cbor> {
  return attempt(() => {
    const reader = new Reader(bytes, path, profile)
    const item = reader.item(1)
    reader.end()
    return item
  })
}

interface Head {
  readonly major: number
  readonly info: number
  /** safe integers as number, larger ones as bigint */
  readonly argument: number | bigint
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #path: string
  readonly #profile: CborProfile
  #at = 0

  constructor(bytes: Uint8Array, path: string, profile: CborProfile) {
    this.#bytes = bytes
    this.#path = path
    this.#profile = profile
  }

  end(): void {
    if (this.#at < this.#bytes.length) {
      refuse('CBOR_TRAILING_BYTES', this.#path, {
        expected: `${this.#at} bytes`,
        actual: `${this.#bytes.length} bytes`,
      })
    }
  }

  item(depth: number): Cbor {
    if (depth > LIMITS.cborDepth) {
      refuse('LIMIT_CBOR', this.#here(), { expected: `at most ${LIMITS.cborDepth} levels` })
    }
    const { major, info, argument } = this.#head()
    switch (major) {
      case MAJOR.unsigned:
        return argument
      case MAJOR.negative:
        return asSafe(-1n - BigInt(argument))
      case MAJOR.bytes:
        return this.#take(argument)
      case MAJOR.text:
        return take(fromUtf8(this.#take(argument), this.#here()))
      case MAJOR.array:
        return Array.from({ length: this.#count(argument, 1) }, () => this.item(depth + 1))
      case MAJOR.map:
        return this.#map(this.#count(argument, 2), depth)
      case MAJOR.tag:
        if (!this.#profile.tags.some((tag) => tag === argument)) this.#unexpected(`tag ${argument}`)
        return new CborTag(argument, this.item(depth + 1))
      default:
        return this.#simple(info, argument)
    }
  }

  #map(entries: number, depth: number): CborMap {
    const map = new Map<CborKey, Cbor>()
    let last: Uint8Array | undefined
    for (let i = 0; i < entries; i++) {
      const start = this.#at
      const key = this.item(depth + 1)
      if (typeof key !== 'number' && typeof key !== 'bigint' && typeof key !== 'string') {
        return this.#unexpected('a key that is neither integer nor text')
      }
      if (map.has(key)) refuse('CBOR_DUPLICATE_KEY', this.#here(), { actual: String(key) })
      const encoded = this.#bytes.subarray(start, this.#at)
      if (this.#profile.keyOrder === 'deterministic' && last !== undefined && compareBytes(last, encoded) > 0) {
        this.#notDeterministic('keys in bytewise order', String(key))
      }
      last = encoded
      map.set(key, this.item(depth + 1))
    }
    return map
  }

  #simple(info: number, argument: number | bigint): boolean | null {
    const value = info < 24 ? SIMPLE.get(info) : undefined
    if (value !== undefined) return value
    return this.#unexpected(info < 25 ? `simple value ${argument}` : 'a float')
  }

  /** Initial byte and argument, in the shortest form (RFC 8949 §3). */
  #head(): Head {
    const [initial = 0] = this.#take(1)
    const major = initial >> 5
    const info = initial & 0x1f
    if (info < 24) return { major, info, argument: info }
    if (info === 31) this.#notDeterministic('a definite length', `0x${initial.toString(16)}`)
    if (info > 27) this.#unexpected(`initial byte 0x${initial.toString(16)}`)
    const size = 1 << (info - 24)
    let value = 0n
    for (const byte of this.#take(size)) value = (value << 8n) | BigInt(byte)
    // The bytes of a float are no argument, and simple values below 32 have no second spelling that is well-formed.
    if (major !== MAJOR.simple && value < (SHORTER_UP_TO[info - 24] ?? 0n))
      this.#notDeterministic('the shortest head', value)
    return { major, info, argument: asSafe(value) }
  }

  /** Entries of an array or map, each of which takes at least `least` bytes. */
  #count(declared: number | bigint, least: number): number {
    const remaining = this.#bytes.length - this.#at
    if (declared > Math.floor(remaining / least)) this.#beyond(declared, 'entries')
    return Number(declared)
  }

  #take(declared: number | bigint): Uint8Array {
    if (declared > this.#bytes.length - this.#at) this.#beyond(declared, 'bytes')
    const start = this.#at
    this.#at += Number(declared)
    return this.#bytes.subarray(start, this.#at)
  }

  #beyond(declared: number | bigint, what: string): never {
    return refuse('LIMIT_CBOR', this.#here(), {
      expected: `${declared} ${what}`,
      actual: `${this.#bytes.length - this.#at} bytes left`,
    })
  }

  #notDeterministic(expected: string, actual: string | bigint): never {
    return refuse('CBOR_NOT_DETERMINISTIC', this.#here(), { expected, actual })
  }

  #unexpected(actual: string): never {
    return refuse('CBOR_UNEXPECTED_ITEM', this.#here(), { actual })
  }

  #here(): string {
    return `${this.#path}[0x${this.#at.toString(16)}]`
  }
}

/** Least value that needs a head of 1, 2, 4 and 8 further bytes. */
const SHORTER_UP_TO = [24n, 0x100n, 0x10000n, 0x1_0000_0000n] as const

const asSafe = (value: bigint): number | bigint =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** A byte string (major type 2) of at most 65,535 bytes with its shortest head: what a Sig_structure is made of. */
export function cborByteString(content: Uint8Array): Uint8Array {
  const { length } = content
  if (length > 0xffff) throw new TypeError(`${length} bytes are more than any signed structure of ours has`)
  if (length < 24) return concatBytes(Uint8Array.of(0x40 | length), content)
  if (length < 0x100) return concatBytes(Uint8Array.of(0x58, length), content)
  return concatBytes(Uint8Array.of(0x59, length >> 8, length & 0xff), content)
}

/**
 * Reads the entries of one map by key, inside `attempt`. What is absent or of another type ends it with the code of the
 * structure; `end` refuses keys that nobody asked for with CBOR_UNEXPECTED_ITEM.
 */
export class CborFields {
  readonly path: string
  readonly #map: CborMap
  readonly #code: Code
  readonly #asked = new Set<CborKey>()

  constructor(value: Cbor, path: string, code: Code) {
    this.path = path
    this.#code = code
    this.#map = value instanceof Map ? value : refuse(code, path, { expected: 'map', actual: cborTypeOf(value) })
  }

  /** undefined where the key is absent; null is a value */
  optional(key: CborKey): Cbor | undefined {
    this.#asked.add(key)
    return this.#map.get(key)
  }

  required(key: CborKey, name: string): Cbor {
    return this.optional(key) ?? this.wrong(name, 'present', this.#map.has(key) ? 'null' : 'absent')
  }

  text(key: CborKey, name: string): string {
    const value = this.required(key, name)
    return typeof value === 'string' ? value : this.wrong(name, 'text', cborTypeOf(value))
  }

  optionalText(key: CborKey, name: string): string | undefined {
    return this.optional(key) === undefined ? undefined : this.text(key, name)
  }

  /** An unsigned integer of at most 2^53 − 1. */
  unsigned(key: CborKey, name: string): number {
    const value = this.required(key, name)
    return typeof value === 'number' && value >= 0 ? value : this.wrong(name, 'unsigned integer', cborTypeOf(value))
  }

  /** @param sizes the lengths in bytes that the structure allows */
  bytes(key: CborKey, name: string, sizes: readonly number[] | ByteRange): Uint8Array {
    return this.bytesOf(this.required(key, name), name, sizes)
  }

  bytesOf(value: Cbor, name: string, sizes: readonly number[] | ByteRange): Uint8Array {
    if (!(value instanceof Uint8Array)) return this.wrong(name, 'byte string', cborTypeOf(value))
    const fits = 'least' in sizes ? isWithin(value.length, sizes) : sizes.includes(value.length)
    const expected = 'least' in sizes ? `${sizes.least} to ${sizes.most}` : sizes.join(' or ')
    return fits ? value : this.wrong(name, `${expected} bytes`, `${value.length} bytes`)
  }

  array(key: CborKey, name: string): readonly Cbor[] {
    const value = this.required(key, name)
    return Array.isArray(value) ? value : this.wrong(name, 'array', cborTypeOf(value))
  }

  /** Ends the surrounding `attempt` with the structure's code. */
  wrong(name: string, expected: string, actual: string | number): never {
    return refuse(this.#code, `${this.path}.${name}`, { expected, actual })
  }

  end(): void {
    for (const key of this.#map.keys()) {
      if (!this.#asked.has(key)) refuse('CBOR_UNEXPECTED_ITEM', this.path, { actual: `key ${String(key)}` })
    }
  }
}

export interface ByteRange {
  readonly least: number
  readonly most: number
}

const isWithin = (length: number, { least, most }: ByteRange): boolean => length >= least && length <= most

export function cborTypeOf(value: Cbor): string {
  if (value === null) return 'null'
  if (value instanceof Uint8Array) return 'byte string'
  if (value instanceof CborTag) return `tag ${value.tag}`
  if (value instanceof Map) return 'map'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'string' ? 'text' : typeof value === 'boolean' ? 'boolean' : 'integer'
}
