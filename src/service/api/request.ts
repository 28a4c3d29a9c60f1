import { fromBase64 } from '../../core/encodings.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { refuse, take, unquoted } from '../../core/outcome.ts'
import { nearestName } from '../../policy/nearest.ts'

/** What a request's body may hold, in base64. */
const MOST_EVIDENCE_CHARACTERS = 4 * 1024 * 1024

/** Where an object stands in a body, which itself has no name. */
const BODY = ''

/**
 * An object of a request that has exactly the members named, read inside `attempt`: each is there, and no other, so that a
 * misspelt member is never silently absent. Ends with SERVICE_REQUEST_INVALID, whose path leads to the member from the body
 * (`limits.window.releases`).
 */
export class RequestMembers<Name extends string> {
  readonly #object: JsonObject
  readonly #path: string

  constructor(value: Json, names: readonly Name[], path = BODY) {
    this.#path = path
    this.#object = isJsonObject(value) ? value : invalid(path === BODY ? 'body' : path, withMembers(names))
    const unknown = Object.keys(this.#object).find((name) => !names.some((known) => known === name))
    if (unknown !== undefined)
      invalid(
        this.#at(unknown),
        nearestName(unknown, names) ?? `one of ${names.join(', ')}`,
        'a member that is not known',
      )
    const missing = names.find((name) => !Object.hasOwn(this.#object, name))
    if (missing !== undefined) invalid(this.#at(missing), 'present')
  }

  /** A member that is an object itself. @param orElse what else may stand there, for whoever reads the refusal */
  members<Inner extends string>(name: Name, names: readonly Inner[], orElse?: string): RequestMembers<Inner> {
    const member = this.value(name)
    if (!isJsonObject(member) && orElse !== undefined) invalid(this.#at(name), `${withMembers(names)}, or ${orElse}`)
    return new RequestMembers(member, names, this.#at(name))
  }

  value(name: Name): Json {
    return this.#object[name] ?? null
  }

  text(name: Name): string {
    const member = this.value(name)
    return typeof member === 'string' && member.length > 0 && member.length <= 64 * 1024
      ? member
      : invalid(this.#at(name), 'text')
  }

  textOrNull(name: Name): string | null {
    return this.value(name) === null ? null : this.text(name)
  }

  bytes(name: Name): Uint8Array {
    const member = this.value(name)
    if (typeof member !== 'string' || member.length > MOST_EVIDENCE_CHARACTERS) return invalid(this.#at(name), 'base64')
    return take(unquoted(fromBase64(member, this.#at(name))))
  }

  bytesOrNull(name: Name): Uint8Array | null {
    return this.value(name) === null ? null : this.bytes(name)
  }

  oneOf<T extends string>(name: Name, values: readonly T[]): T {
    const member = this.value(name)
    return values.find((v) => v === member) ?? invalid(this.#at(name), values.join(', '))
  }

  #at(name: string): string {
    return this.#path === BODY ? name : `${this.#path}.${name}`
  }
}

const withMembers = (names: readonly string[]): string => `an object with ${names.join(', ')}`

function invalid(path: string, expected: string, actual?: string): never {
  return refuse('SERVICE_REQUEST_INVALID', path, { expected, ...(actual === undefined ? {} : { actual }) })
}
