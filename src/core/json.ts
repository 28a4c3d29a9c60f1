import type { Code } from './codes.ts'
import { LIMITS } from './limits.ts'
import { attempt, type FaultDetail, type Outcome, refuse } from './outcome.ts'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
/** Without a prototype: `__proto__` and `constructor` are keys like any other. */
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

export const isJsonObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** JSON pointer (RFC 6901) one step down. */
export const pointer = (parent: string, key: string | number): string =>
  `${parent}/${typeof key === 'string' && /[~/]/.test(key) ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key}`

/**
 * Parses JSON text (RFC 8259) strictly: one value, no duplicate keys, at most 32 levels and 32,768 values (or `mostValues`), no lone
 * surrogates, numbers that a double holds. What JSON.parse would quietly mend or overwrite is refused. Time is linear in the text.
 * @param path prefix of the JSON pointers in faults
 * @param numbers `integers` refuses a number spelled with fraction or exponent, even one of whole value such as `1.0e0`,
 * and leaves their range to the caller: one beyond 2^53 comes back as a number that is not a safe integer
 * @param mostValues bound for a format that is a table by nature, such as the header of a model
 * @returns the value, or JSON_SYNTAX · JSON_DUPLICATE_KEY · LIMIT_JSON_DEPTH · LIMIT_JSON_VALUES ·
 * JSON_TYPE_MISMATCH (integers)
 */
export function parseJson(
  text: string,
  path: string,
  numbers: 'any' | 'integers' = 'any',
  mostValues = LIMITS.jsonValues,
): Outcome<Json> {
  return attempt(() => {
    const parser = new Parser(text, path, numbers, mostValues)
    const value = parser.value()
    parser.end()
    return value
  })
}

const PLAIN_STRING = /"[^"\\\u0000-\u001f]*"/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const SPACE = /[ \t\n\r]*/y
const HIGHEST_SPACE = 0x20

class Parser {
  readonly #text: string
  readonly #path: string
  readonly #numbers: 'any' | 'integers'
  /** An object costs two hundred bytes of memory and as few as two of text. */
  #left: number
  readonly #mostValues: number
  readonly #isWellFormed: boolean
  /** what leads to the value that is read: its pointer is only made where something is refused */
  readonly #keys: (string | number)[] = []
  #at = 0

  constructor(text: string, path: string, numbers: 'any' | 'integers', mostValues: number) {
    this.#text = text
    this.#path = path
    this.#numbers = numbers
    this.#mostValues = mostValues
    this.#left = mostValues
    this.#isWellFormed = text.isWellFormed()
  }

  value(): Json {
    if (this.#keys.length >= LIMITS.jsonDepth)
      this.#refuse('LIMIT_JSON_DEPTH', { expected: `at most ${LIMITS.jsonDepth} levels` })
    if (this.#left-- === 0) this.#refuse('LIMIT_JSON_VALUES', { expected: `at most ${this.#mostValues} values` })
    this.#space()
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object()
      case '[':
        return this.#array()
      case '"':
        return this.#string()
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  end(): void {
    this.#space()
    if (this.#at !== this.#text.length) this.#syntax('end of text')
  }

  #object(): JsonObject {
    const object: Record<string, Json> = Object.create(null)
    this.#at++
    this.#space()
    if (this.#text[this.#at] === '}') {
      this.#at++
      return object
    }
    for (;;) {
      this.#space()
      if (this.#text[this.#at] !== '"') this.#syntax('a key')
      const key = this.#string()
      this.#keys.push(key)
      if (object[key] !== undefined) this.#refuse('JSON_DUPLICATE_KEY')
      this.#expect(':')
      object[key] = this.value()
      this.#keys.pop()
      if (this.#separator('}')) return object
    }
  }

  #array(): readonly Json[] {
    const array: Json[] = []
    this.#at++
    this.#space()
    if (this.#text[this.#at] === ']') {
      this.#at++
      return array
    }
    for (;;) {
      this.#keys.push(array.length)
      array.push(this.value())
      this.#keys.pop()
      if (this.#separator(']')) return array
    }
  }

  #string(): string {
    const plain = this.#match(PLAIN_STRING)?.slice(1, -1)
    const text = plain ?? this.#escapedString()
    const isSound = (plain !== undefined && this.#isWellFormed) || text.isWellFormed()
    if (!isSound) this.#refuse('JSON_SYNTAX', { actual: 'a lone surrogate' })
    return text
  }

  /** Up to the next quotation mark that no backslash escapes; what stands between is JSON.parse's to judge. */
  #escapedString(): string {
    const start = this.#at
    let end = start
    do end = this.#text.indexOf('"', end + 1)
    while (end >= 0 && this.#isEscaped(end))
    const text = end < 0 ? undefined : parsedString(this.#text.slice(start, end + 1))
    if (text === undefined) return this.#syntax('a string')
    this.#at = end + 1
    return text
  }

  /** Whether an odd number of backslashes stands before this place, inside a string. */
  #isEscaped(at: number): boolean {
    let backslashes = 0
    while (this.#text[at - 1 - backslashes] === '\\') backslashes++
    return backslashes % 2 === 1
  }

  #number(): number {
    const text = this.#match(NUMBER) ?? this.#syntax('a value')
    const value = Number(text)
    if (this.#numbers === 'integers') {
      if (!/[.eE]/.test(text)) return value
      return this.#refuse('JSON_TYPE_MISMATCH', { expected: 'a number without fraction or exponent', actual: text })
    }
    if (!isHeld(text, value)) this.#refuse('JSON_SYNTAX', { expected: 'a number that a double holds', actual: text })
    return value
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#syntax('a value')
    this.#at += word.length
    return value
  }

  #match(pattern: RegExp): string | undefined {
    const start = this.#at
    pattern.lastIndex = start
    if (!pattern.test(this.#text)) return undefined
    this.#at = pattern.lastIndex
    return this.#text.slice(start, this.#at)
  }

  #space(): void {
    if (this.#text.charCodeAt(this.#at) <= HIGHEST_SPACE) this.#match(SPACE)
  }

  #expect(character: string): void {
    this.#space()
    if (this.#text[this.#at] !== character) this.#syntax(`'${character}'`)
    this.#at++
  }

  /** After an element: true at the closing bracket, false after a comma. */
  #separator(close: string): boolean {
    this.#space()
    const character = this.#text[this.#at]
    if (character !== ',' && character !== close) this.#syntax(`',' or '${close}'`)
    this.#at++
    return character === close
  }

  /** Of the value that is read. */
  #refuse(code: Code, detail: FaultDetail = {}): never {
    return refuse(code, this.#keys.reduce<string>(pointer, this.#path), detail)
  }

  #syntax(expected: string): never {
    const line = this.#text.slice(0, this.#at).split('\n').length
    return refuse('JSON_SYNTAX', this.#path, {
      expected: `${expected} at line ${line}`,
      actual: this.#text.slice(this.#at, this.#at + 20),
    })
  }
}

/** The string that a JSON string literal spells; undefined where it is none. */
function parsedString(literal: string): string | undefined {
  try {
    return JSON.parse(literal) as string
  } catch {
    return undefined
  }
}

/** Whether reading kept the number: no overflow, no underflow to zero, no integer that becomes another one (2^53 + 1). */
function isHeld(text: string, value: number): boolean {
  if (value === 0) return text === '0' || /^-?0(\.0+)?([eE]|$)/.test(text)
  return Number.isFinite(value) && (Number.isSafeInteger(value) || !/^-?[0-9]+$/.test(text) || String(value) === text)
}

/**
 * Canonical form (RFC 8785): keys by UTF-16 code units, numbers as ECMAScript writes them, no white space.
 * Members that are undefined are left out.
 * @throws TypeError for NaN and the infinities, which JSON cannot write: they come from a program, never from `parseJson`
 */
export function canonicalJson(value: Json): string {
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(',')}]`
  if (isJsonObject(value)) {
    let members = ''
    for (const key of inOrder(Object.keys(value))) {
      const member = value[key]
      if (member === undefined) continue
      members += `${members === '' ? '' : ','}${quoted(key)}:${canonicalJson(member)}`
    }
    return `{${members}}`
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} is not JSON`)
  return JSON.stringify(value)
}

/** Most strings are printable ASCII and stand for themselves, which is found out faster than they are escaped. */
const quoted = (text: string): string => (/[^\x20!#-[\]-~]/.test(text) ? JSON.stringify(text) : `"${text}"`)

/** By UTF-16 code units; most objects are made that way. */
function inOrder(keys: string[]): readonly string[] {
  for (let i = 1; i < keys.length; i++) if ((keys[i - 1] ?? '') > (keys[i] ?? '')) return keys.sort()
  return keys
}
