import { LIMITS } from './limits.ts'
import { attempt, type Outcome, refuse } from './outcome.ts'

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
    const value = parser.value(path, 1)
    parser.end()
    return value
  })
}

const PLAIN_STRING = /"[^"\\\u0000-\u001f]*"/y
const PLAIN_PIECE = /[^"\\\u0000-\u001f]+/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
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
  #at = 0

  constructor(text: string, path: string, numbers: 'any' | 'integers', mostValues: number) {
    this.#text = text
    this.#path = path
    this.#numbers = numbers
    this.#mostValues = mostValues
    this.#left = mostValues
  }

  value(path: string, depth: number): Json {
    if (depth > LIMITS.jsonDepth) refuse('LIMIT_JSON_DEPTH', path, { expected: `at most ${LIMITS.jsonDepth} levels` })
    if (this.#left-- === 0) refuse('LIMIT_JSON_VALUES', path, { expected: `at most ${this.#mostValues} values` })
    this.#space()
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(path, depth)
      case '[':
        return this.#array(path, depth)
      case '"':
        return this.#string(path)
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      default:
        return this.#number(path)
    }
  }

  end(): void {
    this.#space()
    if (this.#at !== this.#text.length) this.#syntax('end of text')
  }

  #object(path: string, depth: number): JsonObject {
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
      const key = this.#string(path)
      const at = pointer(path, key)
      if (Object.hasOwn(object, key)) refuse('JSON_DUPLICATE_KEY', at)
      this.#expect(':')
      object[key] = this.value(at, depth + 1)
      if (this.#separator('}')) return object
    }
  }

  #array(path: string, depth: number): readonly Json[] {
    const array: Json[] = []
    this.#at++
    this.#space()
    if (this.#text[this.#at] === ']') {
      this.#at++
      return array
    }
    for (;;) {
      array.push(this.value(pointer(path, array.length), depth + 1))
      if (this.#separator(']')) return array
    }
  }

  #string(path: string): string {
    const text = this.#match(PLAIN_STRING)?.slice(1, -1) ?? this.#escapedString()
    if (!text.isWellFormed()) refuse('JSON_SYNTAX', path, { actual: 'a lone surrogate' })
    return text
  }

  /** Piece by piece: one pattern for the whole would take stack in proportion to the string. */
  #escapedString(): string {
    const start = this.#at++
    while (this.#match(PLAIN_PIECE) !== undefined || this.#match(ESCAPE) !== undefined);
    if (this.#text[this.#at] !== '"') {
      this.#at = start
      return this.#syntax('a string')
    }
    return JSON.parse(this.#text.slice(start, ++this.#at)) as string
  }

  #number(path: string): number {
    const text = this.#match(NUMBER) ?? this.#syntax('a value')
    const value = Number(text)
    if (this.#numbers === 'integers') {
      if (!/[.eE]/.test(text)) return value
      return refuse('JSON_TYPE_MISMATCH', path, { expected: 'a number without fraction or exponent', actual: text })
    }
    if (!isHeld(text, value)) refuse('JSON_SYNTAX', path, { expected: 'a number that a double holds', actual: text })
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

  #syntax(expected: string): never {
    const line = this.#text.slice(0, this.#at).split('\n').length
    return refuse('JSON_SYNTAX', this.#path, {
      expected: `${expected} at line ${line}`,
      actual: this.#text.slice(this.#at, this.#at + 20),
    })
  }
}

/** Whether reading kept the number: no overflow, no underflow to zero, no integer that becomes another one (2^53 + 1). */
function isHeld(text: string, value: number): boolean {
  if (value === 0) return /^-?0(\.0+)?([eE]|$)/.test(text)
  return Number.isFinite(value) && (Number.isSafeInteger(value) || !/^-?[0-9]+$/.test(text) || String(value) === text)
}

/**
 * Canonical form (RFC 8785): keys by UTF-16 code units, numbers as ECMAScript writes them, no white space.
 * Members that are undefined are left out.
 * @throws TypeError for NaN and the infinities, which JSON cannot write: they come from a program, never from `parseJson`
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(',')}]`
  if (isJsonObject(value)) {
    let members = ''
    for (const key of Object.keys(value).sort()) {
      const member = value[key]
      if (member === undefined) continue
      members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`
    }
    return `{${members}}`
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} is not JSON`)
  return JSON.stringify(value)
}
