import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { UsageError } from '../input.ts'

/** A path of the configuration, from its own folder on. */
export type From = (path: string) => string

/**
 * The members of a configuration, each asked for by name: one that is absent and one that nobody asked for are both mistakes,
 * so that a misspelt setting is never silently the default. Ends with UsageError, which names the place.
 */
export class Members {
  readonly #object: JsonObject
  readonly #path: string
  readonly #asked = new Set<string>()

  constructor(value: Json, path = '') {
    this.#path = path
    this.#object = isJsonObject(value) ? value : this.#wrong(path === '' ? 'the configuration' : path, 'an object')
  }

  /** @param expected what to write where it is absent */
  value(name: string, expected = 'present; nothing here has a default'): Json {
    this.#asked.add(name)
    const member = Object.hasOwn(this.#object, name) ? this.#object[name] : undefined
    return member === undefined ? this.#wrong(this.#at(name), expected) : member
  }

  /** Whether it is there at all, where there are two ways to say a thing; both are asked for by name then. */
  has(name: string): boolean {
    return Object.hasOwn(this.#object, name)
  }

  text(name: string): string {
    const member = this.value(name)
    return typeof member === 'string' && member !== '' ? member : this.#wrong(this.#at(name), 'text')
  }

  texts(name: string): readonly string[] {
    const member = this.value(name)
    if (!Array.isArray(member) || !member.every((one): one is string => typeof one === 'string' && one !== ''))
      return this.#wrong(this.#at(name), 'an array of texts')
    return member
  }

  whole(name: string, least: number, most: number): number {
    const member = this.value(name)
    return Number.isInteger(member) && (member as number) >= least && (member as number) <= most
      ? (member as number)
      : this.#wrong(this.#at(name), `a whole number from ${least} to ${most}`)
  }

  /** Above zero; fractions are taken. */
  positive(name: string): number {
    const member = this.value(name)
    return typeof member === 'number' && member > 0 ? member : this.#wrong(this.#at(name), 'a number above zero')
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T {
    const member = this.value(name)
    return values.find((value) => value === member) ?? this.#wrong(this.#at(name), values.join(' or '))
  }

  /** Reads the object of this name to its last member. */
  object<T>(name: string, read: (members: Members) => T): T {
    return Members.read(this.value(name), this.#at(name), read)
  }

  objectOrNull<T>(name: string, read: (members: Members) => T): T | null {
    return this.value(name) === null ? null : this.object(name, read)
  }

  objects<T>(name: string, read: (members: Members) => T): readonly T[] {
    const member = this.value(name)
    if (!Array.isArray(member)) return this.#wrong(this.#at(name), 'an array')
    return (member as readonly Json[]).map((one, i) => Members.read(one, `${this.#at(name)}[${i}]`, read))
  }

  /** The one member of an object that says by its name which kind of thing it is. */
  kind<T extends string>(names: readonly T[]): T {
    const [name, ...others] = Object.keys(this.#object)
    const found = names.find((known) => known === name)
    return found === undefined || others.length > 0 ? this.#wrong(this.#path, `one of ${names.join(', ')}`) : found
  }

  static read<T>(value: Json, path: string, read: (members: Members) => T): T {
    const members = new Members(value, path)
    const result = read(members)
    const unknown = Object.keys(members.#object).find((name) => !members.#asked.has(name))
    if (unknown !== undefined)
      throw new UsageError(
        `configuration: ${members.#at(unknown)} is not known; there are ${[...members.#asked].join(', ')}`,
      )
    return result
  }

  #at(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`
  }

  #wrong(place: string, expected: string): never {
    throw new UsageError(`configuration: ${place} should be ${expected}`)
  }
}
