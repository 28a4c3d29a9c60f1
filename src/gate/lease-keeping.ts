import type { Finding } from '../core/outcome.ts'
import { toRfc3339 } from '../core/time.ts'
import type { Level } from '../decision/decision.ts'
import type { Policy } from '../policy/policy.ts'
import { readOrder } from './akash-objects.ts'
import type { GateCore } from './core.ts'
import { eventOf } from './events.ts'
import { type GateVerdict, gateFinding, verdictFrom } from './finding.ts'
import { giveBack, holdersOf } from './hardware.ts'
import { missingFinding } from './lease-admission.ts'
import { aboutOf, ledgerOf, stepEvents, telling, written } from './lease-ledger.ts'
import { denied, need, needLease } from './lease-ref.ts'
import {
  atDue,
  closed,
  type LeaseState,
  type LeaseStatus,
  leaseStateOf,
  liveMachines,
  missingReplicas,
  opened,
  unitsOf,
} from './lease-state.ts'
import { denialOf, hasChip } from './posture.ts'
import type { HardwareRow } from './store.ts'

const HOST_DATA = /^[0-9a-f]{64}$/

/**
 * Takes note of a lease and of what it bought, out of its order: only then can evidence be judged for it. Opening it again
 * changes nothing, and must say the same.
 * @param hostData HOST_DATA that binds guests to the lease, hex of 32 bytes; null where nothing does
 * @throws GateError with GATE_OBJECT_MALFORMED · GATE_SCOPE_MISMATCH (the order of another lease, or opened before under
 * another policy or with other HOST_DATA) · GATE_TEE_NOT_ORDERED · GATE_LEASE_CLOSED
 */
export async function openLease(
  core: GateCore,
  about: {
    readonly lease: unknown
    readonly order: unknown
    readonly policy: Policy
    readonly hostData: string | null
  },
): Promise<void> {
  const policyDigest = core.digestOf(about.policy)
  if (about.hostData !== null && !HOST_DATA.test(about.hostData))
    throw new TypeError('hostData is 64 lower-case hexadecimal digits, or null')
  const ref = needLease(about.lease)
  const order = need(readOrder(about.order), 'lease')
  if (order.ref.order !== ref.order) denied('lease', 'GATE_SCOPE_MISMATCH', 'order.id', order.ref.order)
  const units = unitsOf(order)
  if (units === undefined) return denied('lease', 'GATE_TEE_NOT_ORDERED', 'order.spec', order.teeType ?? 'no tee/type')
  await core.begin()
  const now = core.options.clock()
  const found = await core.options.store.updateHardware([ledgerOf(ref.bid)], (rows) => {
    const known = rows.get(ledgerOf(ref.bid))
    if (known !== undefined) return { rows: [], result: leaseStateOf(known.holders) }
    const state = opened(ref, units, policyDigest, about.hostData)
    const write = written(state, now, { before: state, reason: 'opened' })
    return { ...telling(write, [eventOf('lease.opened', now, aboutOf(state))]), result: state }
  })
  if (found.status === 'closed') denied('lease', 'GATE_LEASE_CLOSED', 'lease', ref.bid)
  if (found.policyDigest !== policyDigest)
    denied('lease', 'GATE_SCOPE_MISMATCH', 'lease.policyDigest', found.policyDigest)
  if (found.hostData !== about.hostData)
    denied('lease', 'GATE_SCOPE_MISMATCH', 'lease.hostData', found.hostData ?? 'none')
  await core.refresh()
}

/** The lease has ended: its devices are free, and nothing is attested for it any more. @throws GateError where it is unknown */
export async function closeLease(core: GateCore, lease: unknown): Promise<void> {
  const { bid } = needLease(lease)
  await core.refresh()
  const known = core.view.lease(bid)
  if (known === undefined) return denied('lease', 'GATE_LEASE_UNKNOWN', 'lease', bid)
  const now = core.options.clock()
  const held = [...new Set(known.machines.flatMap((m) => m.hardware))]
  await core.options.store.updateHardware([...held, ledgerOf(bid)], (rows) => {
    const row = rows.get(ledgerOf(bid))
    const before = row === undefined ? known : leaseStateOf(row.holders)
    if (before.status === 'closed') return { rows: [], result: undefined }
    const state = closed(before)
    const write = written(state, now, { before, reason: 'the lease is closed' })
    const { rows: ledger, change } = telling(write, [eventOf('lease.closed', now, aboutOf(state))])
    const freed = held.map((id) => ({
      id,
      holders: { ...giveBack(holdersOf(rows.get(id)?.holders), bid) } as unknown as HardwareRow['holders'],
    }))
    return { rows: [...freed, ...ledger], change, result: undefined }
  })
  await core.refresh()
}

const DUE_AT_ONCE = 64

/**
 * Looks after the leases whose time has come: `lease.due` asks for evidence; a round without it is a miss, and each miss a
 * step: `lease.stale`, `key.suspended`, `lease.close.recommended`. Where several processes keep the same leases, a round
 * passes once: what another has looked at is not due any more.
 */
export async function keepLeases(core: GateCore): Promise<void> {
  await core.begin()
  const now = core.options.clock()
  for (const { lease } of await core.options.store.leasesDue(now, DUE_AT_ONCE)) {
    await core.options.store.updateHardware([ledgerOf(lease)], (rows) => {
      const row = rows.get(ledgerOf(lease))
      const before = row === undefined ? undefined : leaseStateOf(row.holders)
      if (before === undefined) return { rows: [], result: undefined }
      if (before.status === 'closed')
        return { ...written(before, now, { before, reason: 'closed' }), result: undefined }
      if (before.dueAt === null || before.dueAt > now) return { rows: [], result: undefined }
      const { state, step } = atDue(before, now)
      const write = written(state, now, { before, reason: 'not answered' })
      const events = [...stepEvents(state, step, now, 'outage'), eventOf('lease.due', now, aboutOf(state))]
      return { ...telling(write, events), result: undefined }
    })
  }
  await core.refresh()
}

/** The gate's word on a lease, from the evidence of its own machines. Plain JSON. */
export interface LeaseDecisionRow {
  readonly lease: string
  readonly provider: string
  readonly verdict: GateVerdict
  readonly findings: readonly Finding[]
  /** of its weakest machine; 0 where it is not accepted */
  readonly level: Level
  readonly basis: 'lease' | 'none'
  readonly status: LeaseStatus | 'unknown'
  readonly validUntil: string
  readonly policyDigest: string
  readonly enforced: boolean
}

/** Decides a lease from what is in memory: every replica has a live proof, judged by this policy. */
export function decideLease(core: GateCore, lease: unknown, policy: Policy): LeaseDecisionRow {
  const { bid, provider } = needLease(lease)
  const policyDigest = core.digestOf(policy)
  const now = core.options.clock()
  const state = core.view.lease(bid)
  const findings = findingsOf(core, state, bid, policyDigest, policy)
  const verdict = verdictFrom(findings)
  const isAccepted = verdict === 'accept' && state !== undefined
  return {
    lease: bid,
    provider,
    verdict,
    findings,
    level: isAccepted ? (Math.min(...state.machines.map((m) => m.level)) as Level) : 0,
    basis: state === undefined ? 'none' : 'lease',
    status: state?.status ?? 'unknown',
    validUntil: toRfc3339(isAccepted ? Math.min(...liveMachines(state, now).map((m) => m.validUntil)) : now),
    policyDigest,
    enforced: core.options.enforce,
  }
}

function findingsOf(
  core: GateCore,
  state: LeaseState | undefined,
  lease: string,
  policyDigest: string,
  policy: Policy,
): readonly Finding[] {
  const now = core.options.clock()
  if (policy.profile !== 'production')
    return [gateFinding('gate', 'GATE_POLICY_DEVELOPMENT', 'policy.profile', { actual: policy.profile })]
  if (!core.isViewCurrent) return [gateFinding('gate', 'GATE_DENYLIST_UNAVAILABLE', 'denylist')]
  if (state === undefined) return [gateFinding('lease', 'GATE_LEASE_UNKNOWN', 'lease', { actual: lease })]
  if (state.status === 'closed') return [gateFinding('lease', 'GATE_LEASE_CLOSED', 'lease', { actual: lease })]
  if (state.policyDigest !== policyDigest) {
    const detail = { expected: policyDigest, actual: state.policyDigest }
    return [gateFinding('lease', 'GATE_SCOPE_MISMATCH', 'lease.policyDigest', detail)]
  }
  for (const machine of state.machines) {
    const denial = denialOf(machine, state.provider, core.view.denied)
    if (denial !== undefined) return [denial]
    if (core.view.maskedHardware === 'refused' && !hasChip(machine))
      return [gateFinding('hardware', 'GATE_HARDWARE_MASKED', 'lease.machines')]
  }
  if (state.contested) return [gateFinding('hardware', 'GATE_DEVICE_IN_USE', 'lease.machines')]
  if (state.failedCodes.length > 0)
    return [gateFinding('lease', 'GATE_NOT_ACCEPTED', 'lease.verdict', { actual: state.failedCodes.join(', ') })]
  if (state.status === 'suspended') {
    const detail = { expected: 'an answer to every round', actual: `${state.misses} rounds missed` }
    return [gateFinding('lease', 'GATE_DECISION_EXPIRED', 'lease.status', detail)]
  }
  const live = liveMachines(state, now)
  if (live.length === 0) {
    const [last] = state.machines.map((m) => m.validUntil).sort((a, b) => b - a)
    if (last === undefined) return [gateFinding('lease', 'GATE_EVIDENCE_NEEDED', 'lease.machines')]
    return [gateFinding('lease', 'GATE_DECISION_EXPIRED', 'lease.validUntil', { actual: toRfc3339(last) })]
  }
  const missing = missingReplicas(state, now)
  return missing === 0 ? [] : [missingFinding(state, missing)]
}
