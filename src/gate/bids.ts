import { CODES, type Code } from '../core/codes.ts'
import { type Finding, finding } from '../core/outcome.ts'
import { toRfc3339 } from '../core/time.ts'
import type { Level } from '../decision/decision.ts'
import type { Policy } from '../policy/policy.ts'
import { type Bid, type GpuDemand, readBid } from './akash-objects.ts'
import type { GateCore } from './core.ts'
import { type GateVerdict, gateFinding, verdictFrom } from './finding.ts'
import type { Summary } from './posture.ts'

/** The gate's word on one bid. Plain JSON. */
export interface BidRow {
  /** `owner/dseq/gseq/oseq/provider/bseq`; null where it could not be read */
  readonly bid: string | null
  readonly provider: string | null
  readonly verdict: GateVerdict
  readonly findings: readonly Finding[]
  /** of the provider's weakest machine that counts; 0 where none does */
  readonly level: Level
  /** earlier evidence of the provider's hardware, never of the machine that will serve the lease */
  readonly basis: 'posture' | 'none'
  /** another account holds some of the hardware: level 1 at most */
  readonly contested: boolean
  /** until then the posture holds; the time of the decision unless it is an accept */
  readonly validUntil: string
  readonly policyDigest: string
  /** false in shadow mode: nothing was refused because of this row */
  readonly enforced: boolean
}

/**
 * Decides bids from what is in memory: no network, no store, no waiting. Any value is a bid or a refusal.
 * @returns one row for each bid, in the same order
 */
export function decideBids(core: GateCore, bids: readonly unknown[], policy: Policy): BidRow[] {
  const now = core.options.clock()
  let decidedAt: string | undefined
  const scope: Scope = {
    policy,
    policyDigest: core.digestOf(policy),
    enforced: core.options.enforce,
    decidedAt: () => {
      decidedAt ??= toRfc3339(now)
      return decidedAt
    },
    closed: closedBy(core, policy),
    summaryOf: core.view.summaries(core.digestOf(policy), now),
    knows: (provider) => core.view.knows(provider),
    denied: core.view.denied,
  }
  const rows: BidRow[] = []
  let accepted = 0
  const refused = new Map<Code, number>()
  for (const bid of bids) {
    const row = decideAny(core, scope, bid)
    rows.push(row)
    if (row.verdict === 'accept') accepted++
    else for (const { code } of row.findings) refused.set(code, (refused.get(code) ?? 0) + 1)
  }
  const count = (verdict: GateVerdict, code: string, by: number) =>
    core.metrics.count('vouchsafe_decisions_total', { verdict, code }, by)
  if (accepted > 0) count('accept', 'none', accepted)
  for (const [code, by] of refused) count(CODES[code].verdict, code, by)
  return rows
}

/** What one call decides all its bids by. */
interface Scope {
  readonly policy: Policy
  readonly policyDigest: string
  readonly enforced: boolean
  readonly decidedAt: () => string
  /** why nothing is admitted at all */
  readonly closed: readonly Finding[]
  readonly summaryOf: (provider: string) => Summary | undefined
  readonly knows: (provider: string) => boolean
  readonly denied: (subject: string) => string | undefined
}

function closedBy(core: GateCore, policy: Policy): readonly Finding[] {
  if (policy.profile !== 'production')
    return [gateFinding('gate', 'GATE_POLICY_DEVELOPMENT', 'policy.profile', { actual: policy.profile })]
  if (core.isViewCurrent) return []
  const { viewMaxAgeSeconds } = core.options.rules
  return [
    gateFinding('gate', 'GATE_DENYLIST_UNAVAILABLE', 'denylist', {
      expected: `read at most ${viewMaxAgeSeconds} s ago`,
      actual: core.viewAge === undefined ? 'never' : `${core.viewAge} s ago`,
    }),
  ]
}

const UNREADABLE = Object.freeze([gateFinding('bid', 'GATE_OBJECT_MALFORMED', 'bid', { expected: 'plain members' })])

/** One bid whose members throw when they are read, such as a getter or a revoked Proxy, spoils no other. */
function decideAny(core: GateCore, scope: Scope, value: unknown): BidRow {
  try {
    return decide(scope, value)
  } catch (error) {
    core.options.onError(error)
    return row(scope, undefined, UNREADABLE, undefined)
  }
}

function decide(scope: Scope, value: unknown): BidRow {
  const read = readBid(value)
  if (!read.ok)
    return row(
      scope,
      undefined,
      read.faults.map((f) => finding(f, 'bid')),
      undefined,
    )
  const bid = read.value
  if (scope.closed.length > 0) return row(scope, bid, scope.closed, undefined)
  if (!bid.isOpen) return row(scope, bid, NOT_OPEN, undefined)
  const summary = scope.summaryOf(bid.ref.provider)
  if (summary === undefined) {
    const subject = `provider:${bid.ref.provider}`
    const reason = scope.denied(subject)
    if (reason !== undefined)
      return row(scope, bid, [gateFinding('posture', 'GATE_SUBJECT_DENIED', subject, { actual: reason })], undefined)
    return row(scope, bid, scope.knows(bid.ref.provider) ? OTHER_POLICY : NEEDED, undefined)
  }
  if (summary.refusals.length > 0) return row(scope, bid, summary.refusals, summary)
  const excess = excessOf(bid, summary, scope.policy)
  return row(scope, bid, excess === undefined ? NONE : [excess], summary)
}

const NONE: readonly Finding[] = Object.freeze([])
const NOT_OPEN = Object.freeze([gateFinding('bid', 'GATE_BID_NOT_OPEN', 'bid.state')])
const NEEDED = Object.freeze([gateFinding('posture', 'GATE_EVIDENCE_NEEDED', 'posture')])
const OTHER_POLICY = Object.freeze([
  gateFinding('posture', 'GATE_SCOPE_MISMATCH', 'posture.policyDigest', {
    expected: 'evidence judged by this policy',
    actual: 'by another',
  }),
])

function row(scope: Scope, bid: Bid | undefined, findings: readonly Finding[], summary: Summary | undefined): BidRow {
  const verdict = verdictFrom(findings)
  return {
    bid: bid === undefined ? null : bid.ref.bid,
    provider: bid === undefined ? null : bid.ref.provider,
    verdict,
    findings,
    level: summary === undefined ? 0 : summary.level,
    basis: summary === undefined ? 'none' : 'posture',
    contested: summary?.contested ?? false,
    validUntil: verdict === 'accept' && summary !== undefined ? summary.validUntil : scope.decidedAt(),
    policyDigest: scope.policyDigest,
    enforced: scope.enforced,
  }
}

/** What the bid, its order or its provider say, against what was attested; GATE_ATTRIBUTE_MISMATCH where it is more. */
function excessOf(bid: Bid, summary: Summary, { require }: Policy): Finding | undefined {
  const { offer, teeType, advertisedModels } = bid
  const relies = typeof require.gpu === 'object' || teeType === 'cpu-gpu'
  const attested = summary.gpuCount
  let offered = 0
  for (const { units, count } of offer ?? []) offered += units * count
  if (require.gpu === 'none') return offered === 0 ? undefined : excess('bid.gpu', 'no GPU', `${offered}`)
  if (!relies && (attested === 0 || offered === 0)) return undefined
  if (offer === undefined) return excess('bid.resources_offer', 'what is offered', 'nothing')
  if (offered === 0) return excess('bid.gpu', 'GPUs', 'none offered')
  if (offered > attested) return excess('bid.gpu.units', `at most ${attested}, as attested`, `${offered} offered`)
  const unmet = unmetOf(offer, summary)
  if (unmet !== undefined) {
    const { count, units, models } = unmet
    const asked = `${count} machines of ${units} ${models.length === 0 ? 'GPUs' : models.join(' or ')} offered`
    return excess('bid.gpu.attributes', attestedOf(summary), asked)
  }
  if (teeType === 'cpu-gpu' && advertisedModels.length > 0 && !advertisedModels.some((m) => summary.gpus.has(m)))
    return excess('provider.attributes', attestedOf(summary), `${advertisedModels.join(', ')} advertised`)
  return undefined
}

/** The first part of an offer that the attested machines have no GPUs left for. */
function unmetOf(offer: readonly GpuDemand[], { gpus }: Summary): GpuDemand | undefined {
  const demands = offer.length === 1 ? offer : offer.filter((d) => d.units > 0)
  const [only] = demands
  if (only !== undefined && demands.length === 1) {
    const models = only.models.length === 0 ? ANY_MODEL : only.models
    return models.some((model) => hasRoom(gpus.get(model)?.each ?? [], only)) ? undefined : only
  }
  // What will do with any model is given what the others left, and the largest come first.
  const isAny = ({ models }: GpuDemand) => (models.length === 0 ? 1 : 0)
  const order = [...demands].sort((a, b) => isAny(a) - isAny(b) || b.units - a.units)
  const left = new Map<string, number[]>()
  for (const [model, { each }] of gpus) left.set(model, [...each])
  return order.find((demand) => !take(demand, left))
}

/** Whether `count` machines of `units` can be made of machines with so many GPUs each. */
function hasRoom(each: readonly number[], { units, count }: GpuDemand): boolean {
  let machines = 0
  for (const gpus of each) {
    machines += Math.floor(gpus / units)
    if (machines >= count) return true
  }
  return false
}

/** Takes GPUs for all machines of a demand out of what is left; false where one machine finds none. */
function take({ units, count, models }: GpuDemand, left: ReadonlyMap<string, number[]>): boolean {
  const all = left.get('') ?? []
  for (let machine = 0; machine < count; machine++) {
    let best: { readonly model: string; readonly at: number; readonly gpus: number } | undefined
    for (const model of models.length === 0 ? ANY_MODEL : models) {
      for (const [at, ofModel] of (left.get(model) ?? []).entries()) {
        const gpus = Math.min(ofModel, all[at] ?? 0)
        // The smallest that will do leaves the large ones to others.
        if (gpus >= units && (best === undefined || gpus < best.gpus)) best = { model, at, gpus }
      }
    }
    if (best === undefined) return false
    for (const model of new Set([best.model, ''])) {
      const each = left.get(model)
      if (each !== undefined) each[best.at] = (each[best.at] ?? 0) - units
    }
  }
  return true
}

const ANY_MODEL = ['']

const attestedOf = ({ gpus }: Summary): string =>
  [...gpus]
    .map(([model, { total, most }]) => `${total} ${model === '' ? 'GPUs' : model}, ${most} in one machine`)
    .join('; ')

const excess = (path: string, expected: string, actual: string): Finding =>
  gateFinding('bid', 'GATE_ATTRIBUTE_MISMATCH', path, { expected, actual })
