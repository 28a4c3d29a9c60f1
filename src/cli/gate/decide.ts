import { isJsonObject, type Json } from '../../core/json.ts'
import { type Fault, finding } from '../../core/outcome.ts'
import type { BidRow } from '../../gate/bids.ts'
import { GateError, type GateVerdict, verdictFrom } from '../../gate/finding.ts'
import type { Gate } from '../../gate/gate.ts'
import type { LeaseDecisionRow } from '../../gate/lease-keeping.ts'
import type { Policy } from '../../policy/index.ts'
import { faultsForPeople } from '../faults.ts'
import { UsageError } from '../input.ts'
import { type GivenEvidence, withEvidence } from './evidence.ts'
import type { Market } from './objects.ts'

/** The gate's word on a bid, and what the bid says of its price, which nothing here judges. */
export interface PricedRow extends BidRow {
  /** `4200 uakt` as the bid writes it; null where it says none */
  readonly price: string | null
  /** whether the bid was compared with its order, and with what its provider advertises */
  readonly compared: { readonly order: boolean; readonly provider: boolean }
}

/** A finding about the clock says nothing against anybody, and leaves nothing accepted. */
const doubted = <Row extends BidRow | LeaseDecisionRow>(row: Row, clockFaults: readonly Fault[]): Row => {
  if (clockFaults.length === 0) return row
  const findings = [...row.findings, ...clockFaults.map((f) => finding(f, 'gate'))]
  return { ...row, findings, verdict: verdictFrom(findings) }
}

/** One row for each bid, in order. */
export function bidRows(
  gate: Gate,
  { bids }: Market,
  policy: Policy,
  given: readonly GivenEvidence[],
  clockFaults: readonly Fault[],
): readonly PricedRow[] {
  // The gate takes any value for a bid or refuses it.
  const rows = gate.decideBids(bids as unknown as Parameters<Gate['decideBids']>[0], policy)
  return rows.map((row, i) => {
    const bid = bids[i] ?? null
    const evidence = given.find(({ provider }) => provider === row.provider)
    const has = (name: string) => isJsonObject(bid) && isJsonObject(bid.bid) && bid[name] !== undefined
    return {
      ...doubted(withEvidence(row, evidence), clockFaults),
      price: priceOf(bid),
      compared: { order: has('order'), provider: has('provider') },
    }
  })
}

/** One row for each lease, in order. @throws UsageError for a lease without an id that can be read */
export function leaseRows(
  gate: Gate,
  { leases }: Market,
  policy: Policy,
  clockFaults: readonly Fault[],
): readonly LeaseDecisionRow[] {
  return leases.map((lease) => {
    try {
      return doubted(gate.lease(lease, policy), clockFaults)
    } catch (error) {
      if (!(error instanceof GateError)) throw error
      throw new UsageError(`a lease that cannot be read:\n${faultsForPeople(error.findings)}`)
    }
  })
}

function priceOf(bid: Json): string | null {
  const inner = isJsonObject(bid) && isJsonObject(bid.bid) ? bid.bid : bid
  const price = isJsonObject(inner) ? inner.price : undefined
  if (!isJsonObject(price)) return null
  const { amount, denom } = price
  return typeof amount === 'string' && typeof denom === 'string' ? `${plain(amount)} ${denom}` : null
}

/** Chain amounts have eighteen places, most of them nothing. */
const plain = (amount: string): string => (/^\d+\.\d+$/.test(amount) ? amount.replace(/\.?0+$/, '') : amount)

/** What decides the exit code: one refusal refuses, else one that lacks something. */
export const worstOf = (verdicts: readonly GateVerdict[]): GateVerdict =>
  (['reject', 'inconclusive'] as const).find((verdict) => verdicts.includes(verdict)) ?? 'accept'
