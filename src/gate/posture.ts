import type { Code } from '../core/codes.ts'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import type { Finding } from '../core/outcome.ts'
import { toRfc3339, type UnixSeconds } from '../core/time.ts'
import type { Level } from '../decision/decision.ts'
import type { TeeType } from './akash-objects.ts'
import { gateFinding } from './finding.ts'

/** One machine of a provider as its last evidence showed it. Plain JSON. */
export interface Machine {
  /** salted ids of everything in it; empty where its vendors certify none */
  readonly hardware: readonly string[]
  /** model of each GPU, upper case; empty text for a board without a name */
  readonly gpuModels: readonly string[]
  readonly teeType: TeeType
  readonly level: Level
  readonly decidedAt: UnixSeconds
  readonly validUntil: UnixSeconds
  /** `sha256:` of the evidence, for whoever asks what this rests on */
  readonly evidenceDigest: string
  /** what a deny-list entry may name, besides chip and provider */
  readonly subjects: readonly string[]
  /** codes of the gate's own that refused it; empty where the gate has nothing against it */
  readonly refusals: readonly Code[]
  /** codes of the decision, where it was not an accept */
  readonly decisionCodes: readonly string[]
  /** another account holds this hardware: level 1 at most */
  readonly contested: boolean
  /** id of the credential that was issued for it */
  readonly jti: string | null
  /** credentials that were issued when it was shown before, as it is now, and that have not ended */
  readonly earlier: readonly { readonly jti: string; readonly validUntil: UnixSeconds }[]
}

/** A provider's hardware under one policy. Plain JSON; the body of a `PostureRow`. */
export interface Posture {
  readonly machines: readonly Machine[]
  /** of the policy, so that a capped level can be compared without it */
  readonly requiredLevel: number
}

export const NO_POSTURE: Posture = { machines: [], requiredLevel: 0 }

/**
 * A posture as it was stored.
 * @throws TypeError where it is none: a store that gives something else opens nothing
 */
export function postureOf(json: JsonObject | undefined): Posture {
  if (json === undefined) return NO_POSTURE
  const { machines } = json
  const isMachine = (m: Json) =>
    isJsonObject(m) && MACHINE_LISTS.every((name) => Array.isArray(m[name])) && Number.isSafeInteger(m.validUntil)
  if (!Array.isArray(machines) || machines.length === 0 || !machines.every(isMachine))
    throw new TypeError('the store has a posture without machines')
  return json as unknown as Posture
}

const MACHINE_LISTS = ['hardware', 'gpuModels', 'subjects', 'refusals', 'decisionCodes', 'earlier'] as const

export const isAccepted = (machine: Machine): boolean =>
  machine.refusals.length === 0 && machine.decisionCodes.length === 0

/** A provider that keeps more machines than this shows the newest of them. */
const MOST_MACHINES = 4096

/**
 * The posture with one machine more. Whatever shares a GPU or, without GPUs, the chip with it is the same machine, or was
 * taken apart for it: the older entry goes, so that nothing is counted twice.
 */
export function withMachine(before: Posture, machine: Machine, requiredLevel: number, now: UnixSeconds): Posture {
  const parts = new Set(partsOf(machine))
  // Two guests on one chip, each with GPUs of its own, are two machines.
  const others = before.machines.filter(
    (m) => (m.hardware.length > 0 || machine.hardware.length > 0) && !partsOf(m).some((id) => parts.has(id)),
  )
  const kept = others.filter((m) => m.validUntil > now - KEPT_SECONDS || m === others.at(-1))
  return { machines: [...kept.slice(1 - MOST_MACHINES), machine], requiredLevel }
}

/** How long an entry that ran out is told as that, and not as never heard of. */
const KEPT_SECONDS = 7 * 24 * 60 * 60

function partsOf({ hardware }: Machine): readonly string[] {
  const gpus = hardware.filter((id) => id.startsWith('nvidia-'))
  return gpus.length > 0 ? gpus : hardware
}

/** GPUs of one model: all, the most in one machine, and those of each machine with GPUs, in one order for all models. */
export interface GpuCount {
  readonly total: number
  readonly most: number
  readonly each: readonly number[]
}

/** What a bid is compared with: the machines of a posture that count at one moment. */
export interface Summary {
  /** of the weakest machine that counts; of the best of the others where none counts */
  readonly level: Level
  /** nothing of it holds longer; the summary is made again then */
  readonly until: UnixSeconds
  readonly validUntil: string
  readonly contested: boolean
  /** why none counts, most serious first; empty where some do */
  readonly refusals: readonly Finding[]
  readonly machines: number
  /** of all models */
  readonly gpuCount: number
  /** GPUs that count, by model; the empty model counts them all */
  readonly gpus: ReadonlyMap<string, GpuCount>
}

export interface Restrictions {
  /** the reason, where the deny-list has this subject */
  readonly denied: (subject: string) => string | undefined
  /** whether nothing tells the holders of this hardware apart */
  readonly unresolved: (salted: string) => boolean
  /** whether machines without an identity of their chip count: this gate's rule, whatever the gate that recorded them has */
  readonly maskedHardware: 'refused' | 'allowed'
}

/** Whether the vendor of its CPU says which one it is. */
export const hasChip = ({ hardware }: Pick<Machine, 'hardware'>): boolean =>
  hardware.some((id) => !id.startsWith('nvidia-'))

/** Codes from the most serious to the least: a deny-list entry is told before an end. */
const SERIOUSNESS: readonly Code[] = [
  'GATE_CHIP_DENIED',
  'GATE_SUBJECT_DENIED',
  'GATE_CHIP_CAP',
  'GATE_IDENTITY_MISMATCH',
  'GATE_HARDWARE_CONFLICT',
  'GATE_DEVICE_IN_USE',
  'GATE_HARDWARE_MASKED',
  'GATE_NOT_ACCEPTED',
  'GATE_DECISION_EXPIRED',
]

/** @param provider whose posture it is; it may be denied as a whole */
export function summarize(
  { machines, requiredLevel }: Posture,
  provider: string,
  now: UnixSeconds,
  restrictions: Restrictions,
): Summary {
  const judged = machines.map((machine) => {
    const isCapped = machine.contested || machine.hardware.some((id) => restrictions.unresolved(id))
    const level = isCapped ? (Math.min(machine.level, 1) as Level) : machine.level
    return { machine, isCapped, level, against: againstOf(machine, provider, level, requiredLevel, now, restrictions) }
  })
  const counted = judged.filter((j) => j.against === undefined)
  const shown = counted.length > 0 ? counted : judged
  const levels = shown.map((j) => j.level)
  const until = counted.length > 0 ? Math.min(...counted.map((j) => j.machine.validUntil)) : Number.MAX_SAFE_INTEGER
  return {
    level: (counted.length > 0 ? Math.min(...levels) : 0) as Level,
    until,
    validUntil: toRfc3339(counted.length > 0 ? until : now),
    contested: shown.some((j) => j.isCapped),
    refusals: counted.length > 0 ? NONE : distinct(judged.flatMap((j) => (j.against === undefined ? [] : [j.against]))),
    machines: counted.length,
    gpuCount: counted.reduce((n, j) => n + j.machine.gpuModels.length, 0),
    gpus: gpusOf(counted.map((j) => j.machine)),
  }
}

const NONE: readonly Finding[] = Object.freeze([])

function againstOf(
  machine: Machine,
  provider: string,
  level: Level,
  requiredLevel: number,
  now: UnixSeconds,
  { denied, maskedHardware }: Restrictions,
): Finding | undefined {
  const denial = denialOf(machine, provider, denied)
  if (denial !== undefined) return denial
  const [refusal] = machine.refusals
  if (refusal !== undefined) return gateFinding('posture', refusal, 'posture')
  if (machine.decisionCodes.length > 0)
    return gateFinding('posture', 'GATE_NOT_ACCEPTED', 'posture.verdict', { actual: machine.decisionCodes.join(', ') })
  if (maskedHardware === 'refused' && !hasChip(machine))
    return gateFinding('posture', 'GATE_HARDWARE_MASKED', 'posture')
  if (machine.validUntil <= now)
    return gateFinding('posture', 'GATE_DECISION_EXPIRED', 'posture.validUntil', {
      actual: toRfc3339(machine.validUntil),
    })
  if (level < requiredLevel)
    return gateFinding('hardware', 'GATE_HARDWARE_CONFLICT', 'posture.level', {
      expected: requiredLevel,
      actual: level,
    })
  return undefined
}

/** The first entry of the deny-list that names this machine or its provider. */
export function denialOf(
  machine: Pick<Machine, 'hardware' | 'subjects'>,
  provider: string,
  denied: Restrictions['denied'],
): Finding | undefined {
  for (const id of machine.hardware) {
    const reason = denied(`chip:${id}`)
    if (reason !== undefined) return gateFinding('hardware', 'GATE_CHIP_DENIED', `chip:${id}`, { actual: reason })
  }
  for (const subject of [`provider:${provider}`, ...machine.subjects]) {
    const reason = denied(subject)
    if (reason !== undefined) return gateFinding('posture', 'GATE_SUBJECT_DENIED', subject, { actual: reason })
  }
  return undefined
}

function distinct(found: readonly Finding[]): readonly Finding[] {
  const first = new Map<Code, Finding>()
  for (const against of found) if (!first.has(against.code)) first.set(against.code, against)
  const rank = ({ code }: Finding) => SERIOUSNESS.indexOf(code)
  return [...first.values()].sort((a, b) => rank(a) - rank(b))
}

/** Most machines are of a few kinds, so providers that show the same GPUs share what is counted of them. */
const MOST_KNOWN_COUNTS = 1024
const knownCounts = new Map<string, ReadonlyMap<string, GpuCount>>()

function gpusOf(machines: readonly Machine[]): ReadonlyMap<string, GpuCount> {
  const lists = machines.flatMap(({ gpuModels }) => (gpuModels.length === 0 ? [] : [gpuModels]))
  const key = JSON.stringify(lists)
  const known = knownCounts.get(key)
  if (known !== undefined) return known
  const counts = countsOf(lists)
  if (knownCounts.size < MOST_KNOWN_COUNTS && key.length < 1024) knownCounts.set(key, counts)
  return counts
}

function countsOf(lists: readonly (readonly string[])[]): ReadonlyMap<string, GpuCount> {
  const models = new Set(['', ...lists.flat()])
  const countOf = (model: string): GpuCount => {
    const each = lists.map((list) => (model === '' ? list.length : list.filter((m) => m === model).length))
    return { total: each.reduce((sum, n) => sum + n, 0), most: Math.max(...each), each }
  }
  return lists.length === 0 ? new Map() : new Map([...models].map((model) => [model, countOf(model)]))
}
