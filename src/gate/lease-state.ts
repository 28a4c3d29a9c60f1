import type { Lease } from '../attestation/evidence-set/group.ts'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import type { UnixSeconds } from '../core/time.ts'
import type { Level } from '../decision/decision.ts'
import type { BidRef } from './akash-ids.ts'
import type { Order, TeeType } from './akash-objects.ts'

/** What one resource unit of the order bought: so many machines of one kind. */
export interface LeasedUnit {
  readonly teeType: TeeType
  /** 0 for machines without GPU */
  readonly gpuCount: number
  /** upper case; any of them will do, and any at all where the order names none */
  readonly gpuModels: readonly string[]
  readonly count: number
}

/** One machine of a lease, as its last accepted evidence showed it. */
export interface AttestedMachine {
  readonly machine: string
  /** place in `units` */
  readonly unit: number
  /** salted ids */
  readonly hardware: readonly string[]
  readonly subjects: readonly string[]
  readonly level: Level
  readonly validUntil: UnixSeconds
  /** when it is to answer again */
  readonly dueAt: UnixSeconds
  readonly jti: string | null
  /** credentials of it from before its last answer that have not run out: what ends the machine ends them too */
  readonly earlier: readonly { readonly jti: string; readonly until: UnixSeconds }[]
}

/** Whether `after` is the machine `before` with all that it had: an answer more, not another machine. */
export const renews = (after: AttestedMachine, before: AttestedMachine): boolean =>
  after.machine === before.machine && before.hardware.every((id) => after.hardware.includes(id))

/** Every credential of a machine, with its end. */
export const credentialsOf = ({ jti, validUntil, earlier }: AttestedMachine): AttestedMachine['earlier'] =>
  jti === null ? earlier : [...earlier, { jti, until: validUntil }]

/**
 * `pending`: nothing accepted yet · `attested`: every replica was · `partial`: some were · `stale`: one round was missed ·
 * `suspended`: keys are not renewed · `closed`.
 */
export type LeaseStatus = 'pending' | 'partial' | 'attested' | 'stale' | 'suspended' | 'closed'

/** All that is known of a lease. Plain JSON; the body of a `LeaseRow`. */
export interface LeaseState {
  readonly lease: string
  readonly provider: string
  readonly policyDigest: string
  readonly units: readonly LeasedUnit[]
  /** HOST_DATA that binds guests to this lease, hex of 32 bytes; null where nothing does */
  readonly hostData: string | null
  readonly status: LeaseStatus
  /** another live lease showed a device of this one: nothing counts until it is attested again */
  readonly contested: boolean
  readonly machines: readonly AttestedMachine[]
  /** rounds without an accepted answer, since the last complete one */
  readonly misses: number
  /** when the round began that is unanswered so far */
  readonly askedAt: UnixSeconds | null
  /** when it is next to be looked at, as in its `LeaseRow`; null before it was written, and where nothing is due any more */
  readonly dueAt: UnixSeconds | null
  /** of the decision that suspended it; empty where silence did */
  readonly failedCodes: readonly string[]
}

/**
 * A lease as it was stored.
 * @throws TypeError where it is none: a store that gives something else opens nothing
 */
export function leaseStateOf(json: JsonObject): LeaseState {
  const { machines, units, status } = json
  const isMachine = (m: Json) => isJsonObject(m) && Array.isArray(m.hardware) && Array.isArray(m.subjects)
  if (!Array.isArray(units) || typeof status !== 'string' || !Array.isArray(machines) || !machines.every(isMachine))
    throw new TypeError('the store has a lease without units or machines')
  return json as unknown as LeaseState
}

/** What was bought, out of the order; undefined where the order asks for no TEE, or for one with GPUs and buys none. */
export function unitsOf({ teeType, units }: Order): readonly LeasedUnit[] | undefined {
  if (teeType === undefined || units.some((u) => u.count < 1)) return undefined
  if (teeType === 'cpu-gpu' && !units.some((u) => u.units > 0)) return undefined
  return units.map(({ units: gpuCount, count, models }) => ({
    // Beside services with GPUs there may be some without; nothing confidential is bought with a plain cpu order's GPUs.
    teeType: teeType === 'cpu-gpu' && gpuCount > 0 ? 'cpu-gpu' : 'cpu',
    gpuCount: teeType === 'cpu-gpu' ? gpuCount : 0,
    gpuModels: teeType === 'cpu-gpu' ? models : [],
    count,
  }))
}

export const opened = (
  ref: BidRef,
  units: readonly LeasedUnit[],
  policyDigest: string,
  hostData: string | null,
): LeaseState => ({
  lease: ref.bid,
  provider: ref.provider,
  policyDigest,
  units,
  hostData,
  status: 'pending',
  contested: false,
  machines: [],
  misses: 0,
  askedAt: null,
  dueAt: null,
  failedCodes: [],
})

/** The library's lease argument for one unit; it can name one model only. */
export const leaseTerms = (state: LeaseState, unit: LeasedUnit): Lease => ({
  id: state.lease,
  provider: state.provider,
  teeType: unit.teeType,
  gpuCount: unit.gpuCount > 0 ? unit.gpuCount : undefined,
  gpuModel: unit.teeType === 'cpu-gpu' && unit.gpuModels.length === 1 ? unit.gpuModels[0] : undefined,
  hostData: state.hostData ?? undefined,
})

export const liveMachines = (
  { machines }: Pick<LeaseState, 'machines'>,
  now: UnixSeconds,
): readonly AttestedMachine[] => machines.filter((m) => m.validUntil > now)

/** Machines that are bought and have no live proof. */
export function missingReplicas(state: LeaseState, now: UnixSeconds): number {
  const live = liveMachines(state, now)
  return state.units.reduce((n, { count }, i) => n + Math.max(0, count - live.filter((m) => m.unit === i).length), 0)
}

/**
 * An accepted answer. The same machine is counted once however often it answers; where all places of its unit are taken, the
 * one that answered longest ago is taken to be gone.
 */
export function withAttested(
  state: LeaseState,
  answered: Omit<AttestedMachine, 'earlier'>,
  now: UnixSeconds,
): LeaseState {
  const fresh: AttestedMachine = { ...answered, earlier: [] }
  const earlier = state.machines.filter((m) => renews(fresh, m)).flatMap(credentialsOf)
  const machine: AttestedMachine = { ...fresh, earlier: earlier.filter(({ until }) => until > now) }
  const mine = new Set(machine.hardware.filter((id) => id.startsWith('nvidia-')))
  const others = liveMachines(state, now).filter(
    (m) => m.machine !== machine.machine && !m.hardware.some((id) => mine.has(id)),
  )
  const count = state.units[machine.unit]?.count ?? 0
  const ofUnit = others.filter((m) => m.unit === machine.unit)
  const gone = new Set(ofUnit.slice(0, Math.max(0, ofUnit.length + 1 - count)))
  const machines = [...others.filter((m) => !gone.has(m)), machine]
  const after = { ...state, machines, contested: false, failedCodes: [] }
  const isComplete = missingReplicas(after, now) === 0 && machines.every((m) => m.dueAt > now)
  if (isComplete) return { ...after, status: 'attested', misses: 0, askedAt: null }
  return { ...after, status: state.misses === 0 && state.failedCodes.length === 0 ? 'partial' : state.status }
}

/** Seconds until the next try, by misses so far. */
const RETRY_SECONDS = [30, 60, 120] as const
const SUSPENDED_AT = 2
const CLOSE_AT = 3

export const retrySeconds = (misses: number): number => RETRY_SECONDS[Math.min(misses, RETRY_SECONDS.length - 1)] ?? 120

/** Pods start, images load: a new lease is asked for the first time after as long as a provider waits for its manifest. */
const FIRST_ROUND_SECONDS = 300

/** When the lease is next to be looked at: when its first machine is due, or soon where an answer is missing. */
export function dueAt(state: LeaseState, now: UnixSeconds): UnixSeconds | null {
  if (state.status === 'closed') return null
  if (state.askedAt === null && state.status === 'pending') return now + FIRST_ROUND_SECONDS
  if (state.askedAt !== null || state.status !== 'attested') return now + retrySeconds(state.misses)
  return Math.min(...state.machines.map((m) => m.dueAt))
}

export type Step = 'asked' | 'stale' | 'suspended' | 'close-recommended'

/** Time has come. The first time it is asked; from then on every round without a complete answer is a miss. */
export function atDue(state: LeaseState, now: UnixSeconds): { readonly state: LeaseState; readonly step: Step } {
  return state.askedAt === null ? { state: { ...state, askedAt: now }, step: 'asked' } : withMiss(state)
}

/** One round was missed: stale, then suspended, then to be closed. */
export function withMiss(state: LeaseState): { readonly state: LeaseState; readonly step: Step } {
  const misses = state.misses + 1
  if (misses < SUSPENDED_AT) return { state: { ...state, misses, status: 'stale' }, step: 'stale' }
  const step = misses === CLOSE_AT ? 'close-recommended' : misses === SUSPENDED_AT ? 'suspended' : 'asked'
  return { state: { ...state, misses, status: 'suspended' }, step }
}

/** Evidence that was refused for good: suspended at once, and a second time it is to be closed. */
export function withFailure(
  state: LeaseState,
  codes: readonly string[],
): { readonly state: LeaseState; readonly step: Step } {
  const misses = Math.max(SUSPENDED_AT, state.misses + 1)
  return {
    state: { ...state, status: 'suspended', misses, machines: [], failedCodes: codes },
    step: misses === CLOSE_AT ? 'close-recommended' : 'suspended',
  }
}

export const contested = (state: LeaseState): LeaseState => ({ ...state, contested: true, machines: [] })

export const closed = (state: LeaseState): LeaseState => ({ ...state, status: 'closed', machines: [], askedAt: null })
