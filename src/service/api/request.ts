import { fromBase64 } from '../../core/encodings.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { refuse, take, unquoted } from '../../core/outcome.ts'

/** What a request's body may hold, in base64. */
const MOST_EVIDENCE_CHARACTERS = 4 * 1024 * 1024

/**
 * The members of a request, each asked for by name, inside `attempt`: what nobody asked for ends it, so that a misspelt member is
 * never silently absent. Ends with SERVICE_REQUEST_INVALID.
 */
export class RequestMembers {
  readonly #object: JsonObject
  readonly #asked = new Set<string>()

  constructor(value: Json) {
    this.#object = isJsonObject(value) ? value : invalid('body', 'an object')
  }

  value(name: string): Json {
    this.#asked.add(name)
    const member = Object.hasOwn(this.#object, name) ? this.#object[name] : undefined
    return member === undefined ? invalid(name, 'present') : member
  }

  text(name: string): string {
    const member = this.value(name)
    return typeof member === 'string' && member.length > 0 && member.length <= 64 * 1024
      ? member
      : invalid(name, 'text')
  }

  textOrNull(name: string): string | null {
    return this.value(name) === null ? null : this.text(name)
  }

  bytes(name: string): Uint8Array {
    const member = this.value(name)
    if (typeof member !== 'string' || member.length > MOST_EVIDENCE_CHARACTERS) return invalid(name, 'base64')
    return take(unquoted(fromBase64(member, name)))
  }

  bytesOrNull(name: string): Uint8Array | null {
    return this.value(name) === null ? null : this.bytes(name)
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T {
    const member = this.value(name)
    return values.find((v) => v === member) ?? invalid(name, values.join(', '))
  }

  /** Call last. */
  end(): void {
    const unknown = Object.keys(this.#object).find((name) => !this.#asked.has(name))
    if (unknown !== undefined) invalid(unknown, `only ${[...this.#asked].join(', ')}`)
  }
}

const invalid = (path: string, expected: string): never => refuse('SERVICE_REQUEST_INVALID', path, { expected })
