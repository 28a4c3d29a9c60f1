import type { Code } from '../../core/codes.ts'
import { type Finding, printable } from '../../core/outcome.ts'
import { type GateVerdict, verdictFrom } from '../../gate/finding.ts'
import type { LeaseDecisionRow } from '../../gate/lease-keeping.ts'
import { explained } from '../faults.ts'
import { bold, dim, padEnd, safe, verdictWord, visible, wrap } from '../style.ts'
import type { PricedRow } from './decide.ts'
import type { GivenEvidence } from './evidence.ts'
import type { Document } from './objects.ts'

/** Everything one run decided. */
export interface Report {
  readonly decidedAt: string
  readonly policy: { readonly name: string; readonly version: number; readonly digest: string } | null
  /** false in shadow mode */
  readonly enforced: boolean
  readonly bids: readonly PricedRow[]
  readonly leases: readonly LeaseDecisionRow[]
  readonly documents: readonly (Document & { readonly verdict: GateVerdict })[]
  readonly evidence: readonly GivenEvidence[]
}

/** Bids and leases as tables, each reason once with its remedy, then evidence by hand and orders. */
export function renderReport(report: Report): string {
  const { bids, leases, documents, evidence, policy } = report
  const sections = [
    ...(bids.length === 0 ? [] : [table(BIDS, bids.map(bidCells))]),
    ...(leases.length === 0 ? [] : [table(LEASES, leases.map(leaseCells))]),
    ...reasons([...numbered('bid', bids), ...numbered('lease', leases)]),
    ...notCompared(bids),
    ...(evidence.length === 0 ? [] : [givenEvidence(evidence)]),
    ...documents.map(document),
    footer(report),
  ]
  const shadow = report.enforced ? [] : [wrap(`${bold('Shadow')}: this reports, and refuses nothing.`, '')]
  const title = policy === null ? [] : [wrap(`Under ${bold(safe(policy.name))}  ${dim(policy.digest)}`, '')]
  return [...[...title, ...shadow].slice(0, 2), ...sections].join('\n\n')
}

const BIDS = ['#', 'bid', 'provider', 'price', 'verdict', 'level', 'valid until, or first reason'] as const
const LEASES = ['#', 'lease', 'provider', 'status', 'verdict', 'level', 'valid until, or first reason'] as const

const bidCells = (row: PricedRow, i: number): readonly string[] => [
  `${i + 1}`,
  shortId(row.bid),
  shortAccount(row.provider),
  row.price === null ? '-' : clipped(row.price, 16),
  verdictWord(row.verdict),
  `${row.level}`,
  outcome(row),
]

const leaseCells = (row: LeaseDecisionRow, i: number): readonly string[] => [
  `${i + 1}`,
  shortId(row.lease),
  shortAccount(row.provider),
  row.status,
  verdictWord(row.verdict),
  `${row.level}`,
  outcome(row),
]

/** An accept says until when; anything else ends with the decision, so that its first reason says more. */
function outcome({ findings, validUntil }: PricedRow | LeaseDecisionRow): string {
  const [first] = findings
  if (first === undefined) return validUntil
  return findings.length === 1 ? first.code : `${first.code} +${findings.length - 1}`
}

/** `…owner/dseq/gseq/oseq`, and the sequence of the bid where it is not the first. */
function shortId(id: string | null): string {
  if (id === null) return '(unreadable)'
  const [owner = '', dseq, gseq, oseq, , bseq] = id.split('/')
  return `…${owner.slice(-4)}/${dseq}/${gseq}/${oseq}${bseq === '0' ? '' : `/${bseq}`}`
}

const shortAccount = (account: string | null): string => (account === null ? '-' : `akash1…${account.slice(-5)}`)

const clipped = (text: string, most: number): string => {
  const shown = safe(text)
  return visible(shown) <= most ? shown : `${[...shown].slice(0, most - 1).join('')}…`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) => Math.max(...[name, ...rows.map((r) => r[column] ?? '')].map(visible)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => padEnd(cell, widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  return [dim(line(head)), ...rows.map(line)].join('\n')
}

interface Numbered {
  readonly label: string
  readonly findings: readonly Finding[]
}

const numbered = (what: string, rows: readonly { readonly findings: readonly Finding[] }[]): readonly Numbered[] =>
  rows.map(({ findings }, i) => ({ label: `${what} ${i + 1}`, findings }))

const MOST_LABELS = 6

/** Each code once, as its first row has it, with the rows that have it too. */
function reasons(rows: readonly Numbered[]): readonly string[] {
  const groups = new Map<Code, { readonly first: Finding; readonly labels: string[] }>()
  for (const { label, findings } of rows) {
    for (const first of findings) {
      const group = groups.get(first.code) ?? { first, labels: [] }
      groups.set(first.code, group)
      if (!group.labels.includes(label)) group.labels.push(label)
    }
  }
  if (groups.size === 0) return []
  const shown = [...groups.values()].map(({ first, labels }) => {
    const more = labels.length > MOST_LABELS ? [`${labels.length - MOST_LABELS} more`] : []
    return explained(first, [...labels.slice(0, MOST_LABELS), ...more])
  })
  return [[bold('Why'), ...shown].join('\n')]
}

/** What a bid was not held against, because nobody gave it. */
function notCompared(bids: readonly PricedRow[]): readonly string[] {
  const without = (name: keyof PricedRow['compared']) => bids.filter((b) => !b.compared[name]).length
  const lines = [
    [without('order'), 'without their order, so what was ordered is not compared'],
    [without('provider'), "without their provider's attributes, so what those advertise is not compared"],
  ] as const
  const said = lines.flatMap(([n, what]) => (n === 0 ? [] : [wrap(`${n} of ${bids.length} bids ${what}`, '  ')]))
  return said.length === 0 ? [] : [[bold('Not checked'), ...said].join('\n')]
}

function givenEvidence(evidence: readonly GivenEvidence[]): string {
  const shown = evidence.flatMap(({ provider, path, isAsked, decision }) => {
    const codes = [...new Set(decision.findings.map((f) => f.code))]
    const injected = decision.injectedAnchors.length === 0 ? '' : ', on injected trust anchors'
    return [
      wrap(`${shortAccount(provider)}  ${verdictWord(decision.verdict)}  level ${decision.level}${injected}`, '  '),
      wrap(safe(`${path}${codes.length === 0 ? '' : `: ${codes.join(', ')}`}`), '    '),
      ...(isAsked ? [] : [wrap('needs a challenge: nobody asked, so it may be of any age', '    ')]),
    ]
  })
  const why =
    'No posture, whatever it shows: a gate has to ask and to use its challenge up, and the account of the provider has to sign for the hardware.'
  return [bold('Evidence given by hand'), wrap(why, '  '), ...shown].join('\n')
}

function document({ file, findings, verdict, services }: Report['documents'][number]): string {
  const names = services.map((s) => printable(s.name)).join(', ')
  const count = `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}`
  const head = wrap(`${bold(safe(file))}  ${verdictWord(verdict)}  ${findings.length === 0 ? '' : count}`.trimEnd(), '')
  if (findings.length > 0) return [head, ...findings.map((f) => explained(f))].join('\n')
  const said = `Nothing found in ${services.length === 1 ? 'service' : 'services'} ${names}. It does not mean that a provider keeps to it.`
  return [head, wrap(safe(said), '  ')].join('\n')
}

function footer({ bids, leases, decidedAt }: Report): string {
  const rows = [...bids, ...leases]
  const count = (verdict: GateVerdict) => rows.filter((row) => row.verdict === verdict).length
  const said =
    rows.length === 0
      ? []
      : [`${count('accept')} eligible, ${count('reject')} refused, ${count('inconclusive')} inconclusive`]
  return [...said, dim(`decided at ${decidedAt}`)].join('\n')
}

/** The verdict of a document is that of its findings. */
export const judged = (documents: readonly Document[]): Report['documents'] =>
  documents.map((one) => ({ ...one, verdict: verdictFrom(one.findings) }))
