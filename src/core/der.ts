import { LIMITS } from './limits.ts'
import { attempt, type FaultDetail, type Outcome, refuse } from './outcome.ts'
import { type UnixSeconds, unixSeconds } from './time.ts'

/** One DER element (X.690 §10). `children` are there exactly for constructed encodings. */
export interface Der {
  /** the identifier octet: class, constructed bit and tag number (0–30) */
  readonly tag: number
  /** the whole element as it was received: what signatures cover */
  readonly bytes: Uint8Array
  readonly content: Uint8Array
  readonly children: readonly Der[]
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** Context-specific tag: `constructed` for explicit tagging and implicit tagging of constructed types. */
export const context = (n: number, form: 'constructed' | 'primitive'): number =>
  (form === 'constructed' ? 0xa0 : 0x80) | n

/**
 * Decodes one element that fills `bytes`, strictly: minimal lengths, no indefinite form, no high tag numbers, strings and
 * numbers in one piece, minimal integers and OIDs, booleans 00 or FF, at most 32 levels and 131,072 elements. The order of
 * a SET OF and the alphabets of character strings are not looked at.
 * @returns the tree, or DER_NOT_CANONICAL · DER_TRUNCATED · DER_TRAILING_BYTES · DER_OID_INVALID · LIMIT_DER_DEPTH ·
 * LIMIT_DER_ELEMENTS
 * @see ITU-T X.690 §§8, 10
 */
export function decodeDer(bytes: Uint8Array, path: string): Outcome<Der> {
  return attempt(() => {
    const der = element(bytes, 0, bytes.length, 1, path, { left: LIMITS.derElements })
    if (der.bytes.length !== bytes.length) {
      refuse('DER_TRAILING_BYTES', path, { expected: `${der.bytes.length} bytes`, actual: `${bytes.length} bytes` })
    }
    return der
  })
}

/** Slices are made when they are asked for: an element costs few bytes of memory, for as few as two of input. */
class Element implements Der {
  readonly tag: number
  readonly end: number
  readonly children: readonly Der[]
  readonly #input: Uint8Array
  readonly #start: number
  readonly #contentStart: number

  constructor(
    input: Uint8Array,
    tag: number,
    start: number,
    contentStart: number,
    end: number,
    children: readonly Der[],
  ) {
    this.tag = tag
    this.end = end
    this.children = children
    this.#input = input
    this.#start = start
    this.#contentStart = contentStart
  }

  get bytes(): Uint8Array {
    return this.#input.subarray(this.#start, this.end)
  }

  get content(): Uint8Array {
    return this.#input.subarray(this.#contentStart, this.end)
  }
}

const NO_CHILDREN: readonly Der[] = []

function element(
  bytes: Uint8Array,
  start: number,
  limit: number,
  depth: number,
  path: string,
  budget: { left: number },
): Element {
  if (depth > LIMITS.derDepth) refuse('LIMIT_DER_DEPTH', path, { expected: `at most ${LIMITS.derDepth} levels` })
  if (budget.left-- === 0) refuse('LIMIT_DER_ELEMENTS', path, { expected: `at most ${LIMITS.derElements} elements` })
  const tag = octet(bytes, start, limit, path)
  checkTag(tag, path, start)
  const short = octet(bytes, start + 1, limit, path)
  const octets = short < 0x80 ? 0 : short & 0x7f
  const length = short < 0x80 ? short : longLength(bytes, start + 1, octets, limit, path)
  const contentStart = start + 2 + octets
  const end = contentStart + length
  if (end > limit) {
    refuse('DER_TRUNCATED', `${path}@${start}`, {
      expected: `${length} bytes`,
      actual: `${limit - contentStart} bytes`,
    })
  }
  if ((tag & 0x20) === 0) {
    if (CHECKED.has(tag)) checkPrimitive(tag, bytes, start, contentStart, end, path)
    return new Element(bytes, tag, start, contentStart, end, NO_CHILDREN)
  }
  const children: Der[] = []
  for (let at = contentStart; at < end; ) {
    const child = element(bytes, at, end, depth + 1, path, budget)
    children.push(child)
    at = child.end
  }
  return new Element(bytes, tag, start, contentStart, end, children)
}

/** Universal types whose encoding is constructed: EXTERNAL, EMBEDDED PDV, SEQUENCE, SET, unrestricted CHARACTER STRING. */
const CONSTRUCTED_TYPES: readonly number[] = [8, 11, 16, 17, 29]

/** In DER a universal type has one form (X.690 §§8, 10.2); type 0 marks the end of an indefinite length. */
function checkTag(tag: number, path: string, start: number): void {
  const number = tag & 0x1f
  if (number === 0x1f) refuse('DER_NOT_CANONICAL', `${path}@${start}`, { actual: 'high tag number' })
  if (tag >= 0x40) return
  const constructed = (tag & 0x20) !== 0
  if (number === 0 || constructed !== CONSTRUCTED_TYPES.includes(number)) {
    refuse('DER_NOT_CANONICAL', `${path}@${start}`, { actual: `tag 0x${tag.toString(16).padStart(2, '0')}` })
  }
}

function octet(bytes: Uint8Array, at: number, limit: number, path: string): number {
  const value = at < limit ? bytes[at] : undefined
  return value ?? refuse('DER_TRUNCATED', `${path}@${at}`)
}

/** Length in its long form, whose first octet at `at` announces `count` more. */
function longLength(bytes: Uint8Array, at: number, count: number, limit: number, path: string): number {
  if (count === 0) refuse('DER_NOT_CANONICAL', `${path}@${at}`, { actual: 'indefinite length' })
  if (count === 0x7f) refuse('DER_NOT_CANONICAL', `${path}@${at}`, { actual: 'reserved length octet' })
  const long = octet(bytes, at + 1, limit, path) !== 0 && (count > 1 || octet(bytes, at + 1, limit, path) >= 0x80)
  if (!long) refuse('DER_NOT_CANONICAL', `${path}@${at}`, { actual: 'length not in its shortest form' })
  // Five significant octets and more exceed any input.
  if (count > 4) refuse('DER_TRUNCATED', `${path}@${at}`, { actual: `length of ${count} octets` })
  let length = 0
  for (let i = 1; i <= count; i++) length = length * 256 + octet(bytes, at + i, limit, path)
  return length
}

/** Primitive types that have more than one way to write a value, or values that are none. */
const CHECKED: ReadonlySet<number> = new Set([
  ...[TAG.integer, TAG.enumerated, TAG.boolean, TAG.null, TAG.bitString, TAG.oid],
])

function checkPrimitive(
  tag: number,
  bytes: Uint8Array,
  start: number,
  contentStart: number,
  end: number,
  path: string,
): void {
  const notCanonical: (actual: string) => never = (actual) =>
    refuse('DER_NOT_CANONICAL', `${path}@${start}`, { actual })
  const length = end - contentStart
  const first = length === 0 ? undefined : bytes[contentStart]
  const second = length < 2 ? 0 : (bytes[contentStart + 1] ?? 0)
  switch (tag) {
    case TAG.integer:
    case TAG.enumerated: {
      if (first === undefined) notCanonical('integer without content')
      const redundant = length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))
      if (redundant) notCanonical('integer not in its shortest form')
      return
    }
    case TAG.boolean:
      if (length !== 1 || (first !== 0 && first !== 0xff)) notCanonical('boolean')
      return
    case TAG.null:
      if (length !== 0) notCanonical('null with content')
      return
    case TAG.bitString: {
      if (first === undefined || first > 7 || (first > 0 && length === 1)) notCanonical('bit string')
      const last = bytes[end - 1] ?? 0
      if (length > 1 && (last & ((1 << first) - 1)) !== 0) {
        refuse('DER_TRAILING_BYTES', `${path}@${start}`, { expected: 'unused bits zero' })
      }
      return
    }
    case TAG.oid: {
      const wrong = arcsOf(bytes, contentStart, end, () => {})
      if (wrong !== undefined) refuse('DER_OID_INVALID', `${path}@${start}`, wrong)
    }
  }
}

const ARC_LIMIT = 2 ** 32

/**
 * Reads the arcs of an OID, the first two still as one. Arcs of 2^32 and more are refused, so that no reader may truncate one
 * into a known OID.
 * @returns what is wrong with it
 */
function arcsOf(bytes: Uint8Array, from: number, end: number, each: (arc: number) => void): FaultDetail | undefined {
  if (end === from || end - from > 64) return { actual: `${end - from} bytes` }
  let arc = 0
  let fresh = true
  for (let i = from; i < end; i++) {
    const byte = bytes[i] ?? 0
    if (fresh && byte === 0x80) return { actual: 'arc not in its shortest form' }
    arc = arc * 128 + (byte & 0x7f)
    if (arc >= ARC_LIMIT) return { expected: 'arcs below 2^32' }
    fresh = byte < 0x80
    if (fresh) {
      each(arc)
      arc = 0
    }
  }
  return fresh ? undefined : { actual: 'ends inside an arc' }
}

/** Dotted form of an OBJECT IDENTIFIER element that `decodeDer` accepted. */
export function oidText({ content }: Der): string {
  let text = ''
  arcsOf(content, 0, content.length, (arc) => {
    if (text !== '') text += `.${arc}`
    else {
      const root = arc < 40 ? 0 : arc < 80 ? 1 : 2
      text = `${root}.${arc - root * 40}`
    }
  })
  return text
}

/** Value of an INTEGER or ENUMERATED that `decodeDer` accepted, where it is 0 … 2^47 − 1; undefined otherwise. */
export function smallInteger({ content }: Der): number | undefined {
  if (content.length > 6 || (content[0] ?? 0x80) >= 0x80) return undefined
  return content.reduce((value, byte) => value * 256 + byte, 0)
}

/** Bytes of a BIT STRING without unused bits; undefined where it has some. */
export const bitStringBytes = ({ content }: Der): Uint8Array | undefined =>
  content[0] === 0 ? content.subarray(1) : undefined

/**
 * UTCTime (years 1950–2049) or GeneralizedTime, both with seconds and `Z` as DER and RFC 5280 §4.1.2.5 want them.
 * @returns undefined for anything else
 */
export function timeOf(der: Der): UnixSeconds | undefined {
  const yearDigits = der.tag === TAG.utcTime ? 2 : der.tag === TAG.generalizedTime ? 4 : undefined
  const { content } = der
  if (yearDigits === undefined || content.length !== yearDigits + 11 || content[content.length - 1] !== 0x5a) {
    return undefined
  }
  const two = (at: number): number => 10 * digit(content[at]) + digit(content[at + 1])
  const short = two(yearDigits - 2)
  const year = yearDigits === 4 ? 100 * two(0) + short : short < 50 ? 2000 + short : 1900 + short
  const at = yearDigits
  return unixSeconds(year, two(at), two(at + 2), two(at + 4), two(at + 6), two(at + 8))
}

/** NaN where it is none, which no date has in it. */
const digit = (byte: number | undefined): number =>
  byte !== undefined && byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : Number.NaN

/** Walks the children of a constructed element in order, inside `attempt`; every surprise is `malformed`. */
export class DerSequence {
  readonly #children: readonly Der[]
  readonly #malformed: (what: string) => never
  #at = 0

  constructor(der: Der, tag: number, malformed: (what: string) => never) {
    if (der.tag !== tag) malformed(`tag 0x${der.tag.toString(16)} where 0x${tag.toString(16)} belongs`)
    this.#children = der.children
    this.#malformed = malformed
  }

  next(what: string, ...tags: readonly number[]): Der {
    const child = this.#children[this.#at++]
    if (child === undefined || (tags.length > 0 && !tags.includes(child.tag))) return this.#malformed(what)
    return child
  }

  optional(...tags: readonly number[]): Der | undefined {
    const child = this.#children[this.#at]
    if (child === undefined || !tags.includes(child.tag)) return undefined
    this.#at++
    return child
  }

  rest(): readonly Der[] {
    const left = this.#children.slice(this.#at)
    this.#at = this.#children.length
    return left
  }

  end(what: string): void {
    if (this.#at !== this.#children.length) this.#malformed(`${what}: unexpected element`)
  }
}
