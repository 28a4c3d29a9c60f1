import type { Challenge } from '../attestation/challenge.ts'
import type { CollateralSet } from '../attestation/collateral.ts'
import type { Finding } from '../core/outcome.ts'
import { toRfc3339, type UnixSeconds } from '../core/time.ts'
import type { Evidence } from '../index.ts'
import type { Admission, Judged, Recorded } from './admission.ts'
import { answered, type GateDecision, type LeaseAnswer } from './answer.ts'
import type { GateCore } from './core.ts'
import { end } from './ended.ts'
import { eventOf } from './events.ts'
import { gateFinding } from './finding.ts'
import { giveBack, type Holders, holdersOf, type Used, useInLease } from './hardware.ts'
import { isExclusive } from './identity.ts'
import {
  aboutOf,
  contestedWrite,
  type LeaseWrite,
  ledgerOf,
  merged,
  stepEvents,
  telling,
  written,
} from './lease-ledger.ts'
import { needLease } from './lease-ref.ts'
import {
  type LeasedUnit,
  type LeaseState,
  leaseStateOf,
  leaseTerms,
  liveMachines,
  missingReplicas,
  withAttested,
  withFailure,
} from './lease-state.ts'
import type { GateCredentialPurpose } from './ports.ts'
import { denialOf } from './posture.ts'
import type { HardwareRow } from './store.ts'

const PURPOSES: readonly GateCredentialPurpose[] = ['lease', 'reattest', 'key-release']

/**
 * Judges a machine that serves a lease, against what was bought, and records it. Posture plays no part in it.
 * @throws GateError where the lease cannot be read
 */
export function answerLease(core: GateCore, evidence: Evidence, answer: LeaseAnswer): Promise<GateDecision> {
  const { bid: lease, provider } = needLease(answer.lease)
  const policyDigest = core.digestOf(answer.policy)
  return answered(core, { provider, lease, policyDigest }, async (admission) => {
    const challenge = await admission.consume(answer.challengeId)
    const purpose = admission.inScope(challenge, { provider, lease, policyDigest }, PURPOSES)
    await admission.freshView()
    const state = core.view.lease(lease)
    if (state === undefined) return end('lease', 'GATE_LEASE_UNKNOWN', 'lease', { actual: lease })
    if (state.status === 'closed') return end('lease', 'GATE_LEASE_CLOSED', 'lease', { actual: lease })
    if (state.policyDigest !== policyDigest) {
      const detail = { expected: state.policyDigest, actual: policyDigest }
      return end('lease', 'GATE_SCOPE_MISMATCH', 'lease.policyDigest', detail)
    }
    const collateral = await admission.collateralFor(evidence)
    const { judged, unit } = await judgeUnits(admission, evidence, collateral, challenge, purpose, answer, state)
    return { judged, recorded: await record(core, admission, judged, state, unit) }
  })
}

/** The evidence is for one unit of the order; which, only the evidence shows. The first that accepts it, else the first. */
async function judgeUnits(
  admission: Admission,
  evidence: Evidence,
  collateral: CollateralSet,
  challenge: Challenge,
  purpose: GateCredentialPurpose,
  answer: LeaseAnswer,
  state: LeaseState,
): Promise<{ readonly judged: Judged; readonly unit: number }> {
  let first: { readonly judged: Judged; readonly unit: number } | undefined
  const seen = new Set<string>()
  for (const [unit, terms] of unitsByNeed(state, admission.now)) {
    const lease = leaseTerms(state, terms)
    const key = JSON.stringify([lease, terms.gpuModels])
    if (seen.has(key)) continue
    seen.add(key)
    const judged = ofModels(terms, await admission.judge(evidence, collateral, challenge, purpose, answer, lease))
    if (judged.isSound) return { judged, unit }
    first ??= { judged, unit }
  }
  return first ?? end('lease', 'GATE_TEE_NOT_ORDERED', 'lease.units')
}

/** The library's lease names one model; where the order leaves a choice, every GPU has to be one of those: GPU_MODEL_MISMATCH. */
function ofModels({ gpuModels }: LeasedUnit, judged: Judged): Judged {
  const other = judged.identified.gpuModels.find((model) => !gpuModels.includes(model))
  if (!judged.isSound || gpuModels.length === 0 || other === undefined) return judged
  const detail = { expected: gpuModels.join(' or '), actual: other === '' ? 'a board without a name' : other }
  const finding = gateFinding('lease', 'GPU_MODEL_MISMATCH', 'lease.units', detail)
  return { ...judged, isSound: false, findings: [...judged.findings, finding] }
}

/** Units that still lack a machine come first: of equal ones the machine fills the gap. */
function unitsByNeed(state: LeaseState, now: UnixSeconds): readonly (readonly [number, LeaseState['units'][number]])[] {
  const live = liveMachines(state, now)
  const lacks = (unit: number) => live.filter((m) => m.unit === unit).length < (state.units[unit]?.count ?? 0)
  const all = [...state.units.entries()]
  return [...all.filter(([i]) => lacks(i)), ...all.filter(([i]) => !lacks(i))]
}

/** Leases that have devices of this evidence too were not among the rows that the transaction read. */
class RivalsAppeared {
  readonly leases: readonly string[]
  constructor(leases: readonly string[]) {
    this.leases = leases
  }
}

const MOST_TRIES = 5

async function record(
  core: GateCore,
  admission: Admission,
  judged: Judged,
  known: LeaseState,
  unit: number,
): Promise<Recorded> {
  const jti = core.newId()
  const objection = () => denialOf(judged.identified, known.provider, core.view.denied)
  const against = objection() ?? maskedFinding(core, judged)
  const judgement =
    against === undefined ? judged : { ...judged, isSound: false, findings: [...judged.findings, against] }
  // Devices that the lease had before and has no more are given back in the same transaction.
  const held = known.machines.flatMap((m) => m.hardware)
  const ids = new Set([...judged.identified.hardware, ...held, ledgerOf(known.lease)])
  const recorded = await admission.stored(async () => {
    for (let tries = 0; ; tries++) {
      try {
        return await core.options.store.updateHardware<Recorded>([...ids], (rows) =>
          recordIn(core, rows, ids, judgement, known, unit, jti),
        )
      } catch (error) {
        if (!(error instanceof RivalsAppeared) || tries === MOST_TRIES) throw error
        for (const lease of error.leases) ids.add(ledgerOf(lease))
      }
    }
  })
  await admission.freshView()
  // Another process may have put an entry on the deny-list since, in the time that collateral and transaction took.
  const told = against ?? objection()
  return told === undefined ? recorded : { ...recorded, findings: [told, ...recorded.findings] }
}

function maskedFinding(core: GateCore, { identified, isSound }: Judged): Finding | undefined {
  const isRefused = isSound && !identified.hasChip && core.options.rules.maskedHardware === 'refused'
  return isRefused ? gateFinding('hardware', 'GATE_HARDWARE_MASKED', 'hardware') : undefined
}

/** The transaction: who uses the hardware, the state of the lease and of its rivals, and the events that tell of it. Pure. */
function recordIn(
  core: GateCore,
  rows: ReadonlyMap<string, HardwareRow>,
  ids: ReadonlySet<string>,
  judged: Judged,
  known: LeaseState,
  unit: number,
  jti: string,
): LeaseWrite & { readonly result: Recorded } {
  const { decision, identified, now, until, isSound } = judged
  const stored = rows.get(ledgerOf(known.lease))?.holders
  const before = stored === undefined ? known : leaseStateOf(stored)
  const nothing = { rows: [], change: {}, result: { level: decision.level, findings: [], jti } }
  if (before.status === 'closed') {
    const finding = gateFinding('lease', 'GATE_LEASE_CLOSED', 'lease', { actual: before.lease })
    return { ...nothing, result: { level: 0, findings: [finding], jti } }
  }
  if (!isSound) {
    const isFinal = decision.verdict === 'reject' || judged.findings.some((f) => f.verdict === 'reject')
    return isFinal ? { ...nothing, ...failed(before, judged, codesOf(judged)) } : nothing
  }
  const found = holdersIn(rows, ids, identified.hardware, before.lease)
  const uses = identified.hardware.map((id) => {
    const by = { lease: before.lease, provider: before.provider, until }
    return { id, ...useInLease(found(id), by, isExclusive(id), now, core.options.rules) }
  })
  const refusal = uses.find((u) => u.refusal !== null)
  if (refusal?.refusal != null) {
    const finding = gateFinding('hardware', refusal.refusal, refusal.id)
    const result = { level: decision.level, findings: [finding], jti }
    // What is refused leaves no use behind, only that this account showed it.
    const seen = uses.map(({ id, holders }) => rowOf(id, { ...found(id), accounts: holders.accounts }))
    const write =
      refusal.refusal === 'GATE_DEVICE_IN_USE'
        ? merged([before, ...rivalsOf(uses, rows)].map((state) => contestedWrite(state, now)))
        : failed(before, judged, [finding.code])
    return { rows: [...seen, ...write.rows], change: write.change, result }
  }
  const machine = {
    machine: identified.machine,
    unit,
    hardware: identified.hardware,
    subjects: identified.subjects,
    level: decision.level,
    validUntil: until,
    dueAt: now + jittered(core, Math.min(core.options.rules.reattestSeconds, Math.max(1, until - now))),
    jti,
  }
  const after = withAttested(before, machine, now)
  const stillHeld = new Set(after.machines.flatMap((m) => m.hardware))
  const given = [...ids].filter((id) => !stillHeld.has(id) && !id.startsWith('lease:'))
  const missing = missingReplicas(after, now)
  const attested = eventOf('lease.attested', now, {
    ...aboutOf(after),
    level: decision.level,
    hardware: identified.hardware,
    validUntil: toRfc3339(until),
  })
  const findings = missing === 0 ? [] : [missingFinding(after, missing)]
  const write = telling(written(after, now, { before, reason: 'another machine took its place' }), [attested])
  return {
    rows: [
      ...uses.map(({ id, holders }) => rowOf(id, holders)),
      ...given.map((id) => rowOf(id, giveBack(holdersOf(rows.get(id)?.holders), before.lease))),
      ...write.rows,
    ],
    change: write.change,
    result: { level: decision.level, findings, jti },
  }
}

const rowOf = (id: string, holders: Used['holders']): HardwareRow => ({
  id,
  holders: { ...holders } as unknown as HardwareRow['holders'],
})

const codesOf = ({ decision, findings }: Judged): readonly string[] => [
  ...new Set([...findings, ...decision.findings].map((f) => f.code)),
]

/**
 * Who has each piece of hardware. A lease that is closed has none, whatever it left behind; so the state of each lease that
 * has one must be among the rows that were read, or it could not be told, and would be written over blindly.
 */
function holdersIn(
  rows: ReadonlyMap<string, HardwareRow>,
  ids: ReadonlySet<string>,
  hardware: readonly string[],
  own: string,
): (id: string) => Holders {
  const all = new Map(hardware.map((id) => [id, holdersOf(rows.get(id)?.holders)]))
  const leases = new Set([...all.values()].flatMap(({ use }) => (use === null || use.lease === own ? [] : [use.lease])))
  const unread = [...leases].filter((lease) => !ids.has(ledgerOf(lease)))
  if (unread.length > 0) throw new RivalsAppeared(unread)
  const over = [...leases].filter((lease) => leaseIn(rows, lease)?.status === 'closed')
  return (id) => over.reduce(giveBack, all.get(id) ?? holdersOf(undefined))
}

function leaseIn(rows: ReadonlyMap<string, HardwareRow>, lease: string): LeaseState | undefined {
  const row = rows.get(ledgerOf(lease))
  return row === undefined ? undefined : leaseStateOf(row.holders)
}

/** The states of the other leases that have a device of this evidence. */
function rivalsOf(uses: readonly Used[], rows: ReadonlyMap<string, HardwareRow>): readonly LeaseState[] {
  const leases = new Set(uses.flatMap((u) => (u.rival === null ? [] : [u.rival])))
  return [...leases].flatMap((lease) => leaseIn(rows, lease) ?? [])
}

function failed(before: LeaseState, { now }: Judged, codes: readonly string[]): LeaseWrite {
  const { state, step } = withFailure(before, codes)
  const write = written(state, now, { before, reason: 'its evidence was refused' })
  const failure = eventOf('lease.failed', now, { ...aboutOf(state), cause: 'evidence', codes })
  return telling(write, [failure, ...stepEvents(state, step, now, 'evidence')])
}

export const missingFinding = (state: LeaseState, missing: number) => {
  const bought = state.units.reduce((n, u) => n + u.count, 0)
  return gateFinding('lease', 'GATE_REPLICA_MISSING', 'lease.machines', {
    expected: `${bought} machines`,
    actual: bought - missing,
  })
}

/** A time that nobody can prepare for: up to a fifth earlier or later. */
function jittered(core: GateCore, seconds: number): number {
  const [a = 0, b = 0] = core.options.random(2)
  return Math.max(1, Math.round(seconds * (0.8 + (0.4 * (a * 256 + b)) / 65_535)))
}
