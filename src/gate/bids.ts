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
  const scope: Scope = {
    policy,
    policyDigest: core.digestOf(policy),
    enforced: core.options.enforce,
    decidedAt: toRfc3339(now),
    closed: closedBy(core, policy),
    summaryOf: core.view.summaries(core.digestOf(policy), now),
    knows: (provider) => core.view.knows(provider),
    denied: core.view.denied,
  }
  const rows: BidRow[] = []
  let accepted = 0
  const refused = new Map<Code, number>()
  for (const bid of bids) {
    const row = decide(scope, bid)
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
  readonly decidedAt: string
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
    validUntil: verdict === 'accept' && summary !== undefined ? summary.validUntil : scope.decidedAt,
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
  for (const demand of offer) {
    if (demand.units === 0) continue
    const models = demand.models.length === 0 ? ANY_MODEL : demand.models
    if (!models.some((model) => isThere(summary, model, demand)))
      return excess(
        'bid.gpu.attributes',
        attestedOf(summary),
        `${demand.count} machines of ${demand.units} ${models.join(' or ')} offered`,
      )
  }
  if (teeType === 'cpu-gpu' && advertisedModels.length > 0 && !advertisedModels.some((m) => summary.gpus.has(m)))
    return excess('provider.attributes', attestedOf(summary), `${advertisedModels.join(', ')} advertised`)
  return undefined
}

function isThere({ gpus }: Summary, model: string, { units, count }: GpuDemand): boolean {
  const known = gpus.get(model)
  return known !== undefined && known.most >= units && known.total >= units * count
}

const ANY_MODEL = ['']

const attestedOf = ({ gpus }: Summary): string =>
  [...gpus]
    .map(([model, { total, most }]) => `${total} ${model === '' ? 'GPUs' : model}, ${most} in one machine`)
    .join('; ')

const excess = (path: string, expected: string, actual: string): Finding =>
  gateFinding('bid', 'GATE_ATTRIBUTE_MISMATCH', path, { expected, actual })
