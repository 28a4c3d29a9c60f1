import { decodeChallenge } from '../attestation/challenge.ts'
import type { Freshness } from '../attestation/evidence-set/binding.ts'
import type { Lease } from '../attestation/evidence-set/group.ts'
import { checkClock } from '../core/clock.ts'
import { fromBase64, fromHex } from '../core/encodings.ts'
import { isJsonObject, type Json, parseJson } from '../core/json.ts'
import { type Fault, type Outcome, printable } from '../core/outcome.ts'
import { parseRfc3339, type UnixSeconds } from '../core/time.ts'
import { isPresetName, type Policy, PRESET_NAMES, parsePolicy, presetPolicy } from '../policy/index.ts'
import { nearestName } from '../policy/nearest.ts'
import { BUILT_AT } from './build.ts'
import { faultsForPeople, faultText } from './faults.ts'
import { readBytes, readText, UsageError } from './input.ts'

/** Time of judgement: `--at`, or the clock, which must then be sound. */
export function timeOfJudgement(at: string | undefined): { now: UnixSeconds; clockFaults: readonly Fault[] } {
  if (at !== undefined) {
    const now = parseRfc3339(at)
    if (now === undefined) throw new UsageError(`--at takes RFC 3339 in UTC, e.g. 2026-08-01T00:00:00Z, not ${at}`)
    return { now, clockFaults: [] }
  }
  const now = Math.floor(Date.now() / 1000)
  const notKept = { notKept: 'one run of the command line keeps no state' }
  return {
    now,
    clockFaults: checkClock({ now, builtAt: BUILT_AT, lastPersisted: notKept, previous: notKept, otherSources: [] }),
  }
}

/** A preset by name, or a policy file (`-` for standard input). A file wins over a preset of its name when written as a path. */
export async function readPolicy(source: string): Promise<Outcome<Policy>> {
  if (isPresetName(source)) return { ok: true, value: presetPolicy(source) }
  try {
    return parsePolicy(await readBytes(source))
  } catch (error) {
    const preset = error instanceof UsageError ? nearestName(source, PRESET_NAMES) : undefined
    throw preset === undefined ? error : new UsageError(`${(error as Error).message}; the preset is ${preset}`)
  }
}

/** The policy to judge by; one that is refused cannot be used. */
export async function policyFrom(source: string): Promise<Policy> {
  const policy = await readPolicy(source)
  if (!policy.ok) throw new UsageError(`${source} is not a policy:\n${faultsForPeople(policy.faults)}`)
  return policy.value
}

export interface FreshnessOptions {
  readonly challenge?: string
  readonly nonce?: string
  /** commander's name for `--no-freshness REASON` */
  readonly noFreshness?: string
}

export async function freshnessFrom(options: FreshnessOptions): Promise<Freshness> {
  const given = [options.challenge, options.nonce, options.noFreshness].filter((o) => o !== undefined)
  if (given.length > 1) throw new UsageError('--challenge, --nonce and --no-freshness exclude one another')
  if (options.challenge !== undefined) {
    const challenge = decodeChallenge(
      jsonOf(parseJson(await readText(options.challenge), 'challenge'), options.challenge),
    )
    if (!challenge.ok) throw new UsageError(`${options.challenge} is not a challenge:\n${faultText(challenge.faults)}`)
    return { kind: 'challenge', challenge: challenge.value }
  }
  if (options.nonce !== undefined) return { kind: 'nonce', nonce: nonceFrom(options.nonce) }
  if (options.noFreshness !== undefined) {
    if (options.noFreshness.trim() === '') throw new UsageError('--no-freshness takes a reason')
    return { kind: 'notChecked', because: options.noFreshness }
  }
  return { kind: 'notGiven' }
}

/** Hex where it can be hex, base64 otherwise: 64 or 32 bytes cannot be both at these lengths. */
function nonceFrom(text: string): Uint8Array {
  const nonce = nonceBytes(text)
  // Any other length could only ever be refused, and the machine would be blamed for it.
  if (nonce.length !== 64 && nonce.length !== 32)
    throw new UsageError(`--nonce takes 64 bytes, or 32 for GPU evidence alone, not ${nonce.length}`)
  return nonce
}

function nonceBytes(text: string): Uint8Array {
  if (/^[0-9a-fA-F]*$/.test(text) && text.length % 2 === 0) {
    const hex = fromHex(text.toLowerCase(), text.length / 2, '--nonce')
    if (hex.ok) return hex.value
  }
  const base64 = fromBase64(text, '--nonce')
  if (!base64.ok) throw new UsageError('--nonce takes hexadecimal or standard base64')
  return base64.value
}

function jsonOf(outcome: Outcome<Json>, source: string): Json {
  if (!outcome.ok) throw new UsageError(`${source}: ${faultText(outcome.faults)}`)
  return outcome.value
}

const LEASE_MEMBERS = ['id', 'provider', 'teeType', 'gpuCount', 'gpuModel', 'hostData', 'mrConfigId']

/** `{ "teeType": "cpu" | "cpu-gpu", "id"?, "provider"?, "gpuCount"?, "gpuModel"?, "hostData"?, "mrConfigId"? }` */
export async function leaseFrom(path: string): Promise<Lease> {
  const value = jsonOf(parseJson(await readText(path), 'lease'), path)
  if (!isJsonObject(value)) throw new UsageError(`${path}: a lease is a JSON object`)
  const unknown = Object.keys(value).find((key) => !LEASE_MEMBERS.includes(key))
  if (unknown !== undefined)
    throw new UsageError(`${path}: unknown member ${printable(unknown)}; a lease has ${LEASE_MEMBERS.join(', ')}`)
  const text = (name: string): string | undefined => {
    const member = value[name]
    if (member !== undefined && typeof member !== 'string') throw new UsageError(`${path}: ${name} is a string`)
    return member
  }
  const teeType = text('teeType')
  if (teeType !== 'cpu' && teeType !== 'cpu-gpu') throw new UsageError(`${path}: teeType is "cpu" or "cpu-gpu"`)
  const gpuCount = value.gpuCount
  if (gpuCount !== undefined && (typeof gpuCount !== 'number' || !Number.isInteger(gpuCount) || gpuCount < 1)) {
    throw new UsageError(`${path}: gpuCount is a positive integer`)
  }
  const hostData = text('hostData')
  if (hostData !== undefined && !/^[0-9a-f]{64}$/.test(hostData))
    throw new UsageError(`${path}: hostData is 64 lower-case hexadecimal digits`)
  const mrConfigId = text('mrConfigId')
  if (mrConfigId !== undefined && !/^[0-9a-f]{96}$/.test(mrConfigId))
    throw new UsageError(`${path}: mrConfigId is 96 lower-case hexadecimal digits`)
  const [id, provider, gpuModel] = [text('id'), text('provider'), text('gpuModel')]
  return { teeType, id, provider, gpuCount, gpuModel, hostData, mrConfigId }
}
