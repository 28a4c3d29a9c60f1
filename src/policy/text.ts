import { isJsonObject, type Json } from '../core/json.ts'
import { type Fault, fault } from '../core/outcome.ts'

const URL_OR_PATH = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/|^(?:file|data|urn):|^\/|^\.{1,2}\/|^~\/|^[A-Za-z]:[\\/]|^\\\\/i
const PATTERN = /[*?^$|[\](){}\\<>~]/

/**
 * What no value of a policy may be, whatever its member: an address (POLICY_URL_FORBIDDEN) or a pattern
 * (POLICY_PATTERN_FORBIDDEN). Undefined for plain text.
 */
export function readTextFault(text: string, path: string): Fault | undefined {
  if (URL_OR_PATH.test(text)) return fault('POLICY_URL_FORBIDDEN', path, { actual: text })
  if (PATTERN.test(text)) return fault('POLICY_PATTERN_FORBIDDEN', path, { actual: text })
  return undefined
}

/** Plain text of a member, or undefined after POLICY_TYPE · POLICY_URL_FORBIDDEN · POLICY_PATTERN_FORBIDDEN. */
export function readText(json: Json, path: string, faults: Fault[], expected: string): string | undefined {
  if (typeof json !== 'string') {
    faults.push(fault('POLICY_TYPE', path, { expected, actual: describeJson(json) }))
    return undefined
  }
  const told = readTextFault(json, path)
  if (told === undefined) return json
  faults.push({ ...told, expected })
  return undefined
}

/** How a value of the wrong type is shown: its type, and the value where it is a short one. */
export function describeJson(json: Json): string {
  if (json === null) return 'null'
  if (Array.isArray(json)) return 'a list'
  if (isJsonObject(json)) return 'an object'
  return typeof json === 'string' ? `text "${json}"` : `${typeof json} ${json}`
}
