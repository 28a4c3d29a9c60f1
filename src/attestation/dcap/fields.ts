import type { Code } from '../../core/codes.ts'
import { fromHex } from '../../core/encodings.ts'
import { isJsonObject, type Json, type JsonObject, pointer } from '../../core/json.ts'
import { type Outcome, refuse } from '../../core/outcome.ts'
import { parseRfc3339, type UnixSeconds } from '../../core/time.ts'

/**
 * Reads the members of one object of a document that Intel signed, inside `attempt`. What is asked for must be there in
 * exactly the form asked for. Members that nobody asks for are left alone: Intel adds some within one version of a
 * document, and `version` and `tcbType` say how the ones we know are to be read.
 */
export class Fields {
  readonly path: string
  readonly #object: JsonObject
  readonly #malformed: Code

  /** @param malformed code for a member that is absent or has another form */
  constructor(value: Json | undefined, path: string, malformed: Code) {
    if (!isJsonObject(value)) refuse(malformed, path, { expected: 'object' })
    this.#object = value
    this.path = path
    this.#malformed = malformed
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name)
  }

  fields(name: string, malformed: Code = this.#malformed): Fields {
    return new Fields(this.#object[name], pointer(this.path, name), malformed)
  }

  array(name: string): { readonly values: readonly Json[]; readonly path: string } {
    const value = this.#object[name]
    if (!Array.isArray(value)) return this.#refuse(name, 'array', value)
    return { values: value as readonly Json[], path: pointer(this.path, name) }
  }

  /** Printable ASCII. */
  text(name: string): string {
    const value = this.#object[name]
    return typeof value === 'string' && /^[\x20-\x7e]*$/.test(value)
      ? value
      : this.#refuse(name, 'printable text', value)
  }

  integer(name: string, most: number): number {
    const value = this.#object[name]
    const fits = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most
    return fits ? value : this.#refuse(name, `integer from 0 to ${most}`, value)
  }

  /** Hexadecimal digits of either case. */
  hex(name: string, sizeBytes: number): Uint8Array {
    const value = this.#object[name]
    const bytes: Outcome<Uint8Array> | undefined =
      typeof value === 'string' ? fromHex(value.toLowerCase(), sizeBytes, this.path) : undefined
    return bytes?.ok === true ? bytes.value : this.#refuse(name, `${2 * sizeBytes} hexadecimal digits`, value)
  }

  date(name: string): UnixSeconds {
    return parseRfc3339(this.text(name)) ?? this.#refuse(name, 'RFC 3339 in UTC', this.#object[name])
  }

  /** A date as it is written. */
  dateText(name: string): string {
    this.date(name)
    return this.text(name)
  }

  refuse(name: string, expected: string): never {
    return this.#refuse(name, expected, this.#object[name])
  }

  #refuse(name: string, expected: string, actual: Json | undefined): never {
    return refuse(this.#malformed, pointer(this.path, name), {
      expected,
      actual: actual === undefined ? 'absent' : JSON.stringify(actual),
    })
  }
}
