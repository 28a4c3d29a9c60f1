import { utf8 } from '../core/bytes.ts'
import type { Code } from '../core/codes.ts'
import { fromUtf8 } from '../core/encodings.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../core/json.ts'
import { LIMITS } from '../core/limits.ts'
import { type Fault, fail, failed, fault, type Outcome, ok } from '../core/outcome.ts'
import { contradictionsOf } from './consistency.ts'
import { DOCUMENT_MEMBERS } from './document.ts'
import { looserThanPreset, tightened } from './extends.ts'
import { deepFreeze } from './freeze.ts'
import type { Policy } from './policy.ts'
import { isPresetName, PRESET_DOCUMENTS, PRESET_NAMES, type PresetName } from './presets.ts'
import { policyShape } from './rules-policy.ts'
import { unknownKey } from './shape.ts'
import { readTextFault } from './text.ts'

/** A broken document can have a fault per byte; a person reads a few. */
const MOST_FAULTS = 64

/** What the readers below policy call a thing, and what it is called in a policy. */
const CODES_OF_POLICY: { readonly [C in Code]?: Code } = {
  UTF8_INVALID: 'JSON_SYNTAX',
  LIMIT_JSON_DEPTH: 'LIMIT_POLICY',
  JSON_TYPE_MISMATCH: 'POLICY_TYPE',
}

/**
 * Reads a policy document: strict JSON of at most 64 KiB and 512 values, a closed set of members, no pattern, no address,
 * no default that loosens. All faults are told, up to 64; paths are JSON pointers into the document.
 * @returns the policy as it takes effect (preset applied, every member there, frozen), or JSON_SYNTAX · JSON_DUPLICATE_KEY ·
 * LIMIT_POLICY · POLICY_EMPTY · POLICY_VERSION · POLICY_UNKNOWN_KEY · POLICY_KEY_MISSING · POLICY_TYPE · POLICY_HEX ·
 * POLICY_VALUE_INVALID · POLICY_NUMBER_RANGE · POLICY_LIST_EMPTY · POLICY_DUPLICATE_ENTRY · POLICY_ZERO_DIGEST ·
 * POLICY_PATTERN_FORBIDDEN · POLICY_URL_FORBIDDEN · POLICY_UNKNOWN_PRESET · POLICY_EXTENDS_INVALID · POLICY_UNSATISFIABLE ·
 * POLICY_ACKNOWLEDGEMENT_MISSING · POLICY_MEASUREMENT_REQUIRED · POLICY_PROFILE_NOT_RELEASABLE
 */
export function parsePolicy(text: string | Uint8Array): Outcome<Policy> {
  const json = readJson(text)
  return json.ok ? readPolicy(json.value) : json
}

function readJson(input: string | Uint8Array): Outcome<Json> {
  const most = LIMITS.policyBytes
  // A character takes at least one byte, so that a huge text is not even encoded.
  const bytes = typeof input === 'string' && input.length <= most ? utf8(input).length : input.length
  if (bytes > most) return fail('LIMIT_POLICY', '', { expected: `at most ${most} bytes`, actual: bytes })
  const text = typeof input === 'string' ? ok(input) : fromUtf8(input, '')
  const json = text.ok ? parseJson(text.value, '', 'integers') : text
  return json.ok ? json : told(json.faults.map((f) => ({ ...f, code: CODES_OF_POLICY[f.code] ?? f.code })))
}

/** A policy that ships with Vouchsafe, by name. */
export function presetPolicy(name: PresetName): Policy {
  const known = presets.get(name)
  if (known !== undefined) return known
  const read = readPolicy(PRESET_DOCUMENTS[name])
  if (!read.ok) throw new TypeError(`preset ${name}: ${read.faults[0].code} at ${read.faults[0].path}`)
  presets.set(name, read.value)
  return read.value
}
const presets = new Map<PresetName, Policy>()

function readPolicy(json: Json): Outcome<Policy> {
  if (!isJsonObject(json)) return fail('POLICY_TYPE', '', { expected: 'an object' })
  const values = countValues(json)
  if (values > LIMITS.policyRules)
    return fail('LIMIT_POLICY', '', { expected: `at most ${LIMITS.policyRules} values`, actual: values })
  const keys = Object.keys(json)
  if (keys.length === 0) return fail('POLICY_EMPTY', '', { expected: 'version, name, require' })
  if (json.version !== 1) {
    return fail('POLICY_VERSION', '/version', {
      expected: 1,
      actual: json.version === undefined ? 'none' : JSON.stringify(json.version),
    })
  }
  const known = [...Object.keys(DOCUMENT_MEMBERS), ...policyMembers]
  const faults: Fault[] = keys.filter((k) => !known.includes(k)).map((k) => unknownKey(k, '', known))
  if (faults.length === 0 && asksForNothing(json))
    return fail('POLICY_EMPTY', '/require', { expected: 'rules, or extends' })
  for (const [name, member] of Object.entries(DOCUMENT_MEMBERS)) {
    const value = json[name]
    if (value !== undefined) member.read(value, `/${name}`, faults)
  }
  const preset = readExtends(json.extends, faults)
  // Without the preset meant, everything that it would have given would be told as missing.
  if (json.extends !== undefined && preset === undefined) return told(faults)
  const rules: Record<string, Json | undefined> = Object.create(null)
  for (const key of keys) if (policyMembers.includes(key)) rules[key] = json[key]
  const policy = policyShape.read(rules, '', faults, preset)
  if (policy === undefined || faults.length > 0) return told(faults)
  return finish(policy, preset)
}

const policyMembers = Object.keys(policyShape.schema.properties as JsonObject)

function finish(policy: Policy, preset: Policy | undefined): Outcome<Policy> {
  const looser = preset === undefined ? [] : looserThanPreset(preset, policy)
  if (looser.length > 0) return told(looser)
  const effective = preset === undefined ? policy : tightened(preset, policy)
  const contradictions = contradictionsOf(effective)
  return contradictions.length > 0 ? told(contradictions) : ok(deepFreeze(effective))
}

function asksForNothing(json: JsonObject): boolean {
  const { require } = json
  return (
    json.extends === undefined &&
    (require === undefined || (isJsonObject(require) && Object.keys(require).length === 0))
  )
}

function readExtends(json: Json | undefined, faults: Fault[]): Policy | undefined {
  if (json === undefined) return undefined
  const expected = PRESET_NAMES.join(' | ')
  if (typeof json !== 'string') faults.push(fault('POLICY_EXTENDS_INVALID', '/extends', { expected }))
  else if (isPresetName(json)) return presetPolicy(json)
  else
    faults.push(
      readTextFault(json, '/extends') ?? fault('POLICY_UNKNOWN_PRESET', '/extends', { expected, actual: json }),
    )
  return undefined
}

/** Texts, numbers and words, however deep, and what is empty; the reader has bounded the depth. */
function countValues(json: Json): number {
  const members = Array.isArray(json) ? (json as readonly Json[]) : isJsonObject(json) ? Object.values(json) : []
  return Math.max(
    1,
    members.reduce((sum: number, member) => sum + (member === undefined ? 0 : countValues(member)), 0),
  )
}

function told(faults: readonly Fault[]): Outcome<never> {
  const [first, ...rest] = faults.slice(0, MOST_FAULTS)
  if (first === undefined) throw new TypeError('a refusal has a fault')
  return failed([first, ...rest])
}
