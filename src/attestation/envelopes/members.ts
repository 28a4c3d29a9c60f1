import type { Code } from '../../core/codes.ts'
import { fromBase64 } from '../../core/encodings.ts'
import { isJsonObject, type Json, type JsonObject, pointer } from '../../core/json.ts'
import { LIMITS } from '../../core/limits.ts'
import { printable, refuse, take } from '../../core/outcome.ts'

/**
 * Reads the members of one envelope object, inside `attempt`. Every member is asked for by name; `end` refuses the ones
 * that nobody asked for, so that a misspelt member is never silently absent.
 */
export class Members {
  readonly path: string
  readonly #object: JsonObject
  readonly #asked = new Set<string>()

  constructor(value: Json | undefined, path: string) {
    if (!isJsonObject(value)) refuse('JSON_TYPE_MISMATCH', path, { expected: 'object', actual: typeOf(value) })
    this.#object = value
    this.path = path
  }

  /** The member under the first of `names` (spellings of one name) that is there; two spellings at once are ambiguous. */
  optional(...names: readonly string[]): { value: Json; path: string } | undefined {
    const present = names.filter((name) => Object.hasOwn(this.#object, name))
    for (const name of names) this.#asked.add(name)
    const [name, other] = present
    if (other !== undefined) refuse('JSON_DUPLICATE_KEY', pointer(this.path, other))
    const value = name === undefined ? undefined : this.#object[name]
    return name === undefined || value === undefined ? undefined : { value, path: pointer(this.path, name) }
  }

  required(...names: readonly string[]): { value: Json; path: string } {
    return (
      this.optional(...names) ??
      refuse('JSON_TYPE_MISMATCH', pointer(this.path, names[0] ?? ''), { expected: 'present', actual: 'absent' })
    )
  }

  text(...names: readonly string[]): string {
    return asText(this.required(...names))
  }

  optionalText(...names: readonly string[]): string | undefined {
    const member = this.optional(...names)
    return member === undefined ? undefined : asText(member)
  }

  optionalFlag(...names: readonly string[]): boolean | undefined {
    const member = this.optional(...names)
    if (member === undefined) return undefined
    if (typeof member.value !== 'boolean') return wrongType(member, 'boolean')
    return member.value
  }

  array(...names: readonly string[]): { values: readonly Json[]; path: string } {
    const member = this.required(...names)
    if (!Array.isArray(member.value)) return wrongType(member, 'array')
    return { values: member.value, path: member.path }
  }

  optionalArray(...names: readonly string[]): { values: readonly Json[]; path: string } | undefined {
    return this.optional(...names) === undefined ? undefined : this.array(...names)
  }

  /** Canonical base64 of at most `LIMITS.evidenceBytes` bytes; an empty text is not evidence. */
  evidence(...names: readonly string[]): Uint8Array {
    return asEvidence(this.required(...names))
  }

  /** Canonical base64 of at most `LIMITS.eventLogBytes` bytes. */
  optionalEventLog(...names: readonly string[]): Uint8Array | undefined {
    const member = this.optional(...names)
    return member === undefined ? undefined : asBytes(member, LIMITS.eventLogBytes, 'LIMIT_EVENT_LOG_BYTES')
  }

  /** Like `evidence`, where absent and empty mean that the sender has none. */
  optionalEvidence(...names: readonly string[]): Uint8Array | undefined {
    const member = this.optional(...names)
    return member === undefined || member.value === '' ? undefined : asEvidence(member)
  }

  end(): void {
    for (const name of Object.keys(this.#object)) {
      if (!this.#asked.has(name)) {
        refuse('JSON_UNKNOWN_KEY', pointer(this.path, name), { expected: [...this.#asked].join(', '), actual: name })
      }
    }
  }
}

export const typeOf = (value: Json | undefined): string =>
  value === undefined ? 'absent' : value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value

const wrongType = (member: { value: Json; path: string }, expected: string): never =>
  refuse('JSON_TYPE_MISMATCH', member.path, { expected, actual: typeOf(member.value) })

/** A label: printable ASCII. Text meant for a terminal or a page has no business in evidence. */
export function asText(member: { value: Json; path: string }): string {
  if (typeof member.value !== 'string') return wrongType(member, 'string')
  if (!/^[\x20-\x7e]*$/.test(member.value)) {
    refuse('ENV_STRING_NOT_PRINTABLE', member.path, { actual: printable(member.value) })
  }
  return member.value
}

export const asEvidence = (member: { value: Json; path: string }): Uint8Array =>
  asBytes(member, LIMITS.evidenceBytes, 'LIMIT_EVIDENCE_BYTES')

function asBytes(member: { value: Json; path: string }, most: number, tooLarge: Code): Uint8Array {
  if (typeof member.value !== 'string') return wrongType(member, 'string')
  if (member.value.length === 0) refuse('ENV_EVIDENCE_EMPTY', member.path)
  if (member.value.length > Math.ceil(most / 3) * 4) {
    refuse(tooLarge, member.path, { expected: `at most ${most} bytes` })
  }
  const bytes = take(fromBase64(member.value, member.path))
  if (bytes.length > most) {
    refuse(tooLarge, member.path, { expected: `at most ${most} bytes`, actual: bytes.length })
  }
  return bytes
}
