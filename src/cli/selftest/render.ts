import type { Finding } from '../../core/outcome.ts'
import { type Layer, type SelftestReport, type TenantView, toMend } from '../../selftest/report.ts'
import { symptomOf } from '../../selftest/symptoms.ts'
import { explained } from '../faults.ts'
import { shared } from '../render-decision.ts'
import { bold, dim, flow, green, padEnd, red, safe, wrap, yellow } from '../style.ts'
import { cautious, layerName, mendTitle, OUTCOME_WORDS, STATE_WORDS, summaryOf, tenantWord } from './words.ts'

const COLOURS = { pass: green, fail: red, missing: yellow, skip: dim } as const
const OUTCOME_COLOURS = { eligible: green, ineligible: red, inconclusive: yellow } as const
const NAME_COLUMNS = 20
const STATE_COLUMNS = 9

/** One line for each layer, the first that is not right in full, what tenants would say, and what will not last. */
export function renderSelftest(report: SelftestReport): string {
  const { outcome, source, level, nextLevel: next, tenants, ahead, judgedAt, evidenceDigest, injectedAnchors } = report
  const colour = injectedAnchors.length === 0 ? outcome : cautious(outcome)
  const word = bold(OUTCOME_COLOURS[colour](OUTCOME_WORDS[outcome]))
  return [
    wrap(safe(summaryOf(report)), `${word}  `, undefined, '  '),
    wrap(safe(source), dim('evidence of '), undefined, '  '),
    '',
    ...report.layers.map(line),
    ...toMend(report).flatMap((open, i) => ['', bold(`${mendTitle(i)}: ${layerName(open)}`), ...expanded(open)]),
    ...(tenants.length === 0 ? [] : ['', bold('What tenants would say'), ...tenants.flatMap((t) => saying(t, report))]),
    ...(evidenceDigest === undefined ? [] : ['', `Level reached: ${level}`]),
    ...(evidenceDigest === undefined || next === undefined
      ? []
      : [wrap(next.needs, `Level ${next.level} needs `, undefined, '  ')]),
    ...(ahead.length === 0 ? [] : ['', bold('What will not last'), ...ahead.flatMap(warning)]),
    ...['', dim(`judged at ${judgedAt}`), ...(evidenceDigest === undefined ? [] : [dim(`evidence ${evidenceDigest}`)])],
  ].join('\n')
}

function line(layer: Layer): string {
  const state = COLOURS[layer.state](STATE_WORDS[layer.state])
  return flow(layer.seen.map(safe), `${padEnd(safe(layerName(layer)), NAME_COLUMNS)}${padEnd(state, STATE_COLUMNS)}`)
}

/** Every finding of the layer with its remedy, and for a known trouble what to try, the likeliest first. */
const expanded = ({ findings }: Layer): string[] =>
  shared(findings).flatMap(({ finding, items }) => [explained(finding, items), ...tries(finding)])

function tries({ code }: Finding): string[] {
  const symptom = symptomOf(code)
  if (symptom === undefined) return []
  return [
    wrap(symptom.seen, '     '),
    '     Try in order:',
    ...symptom.tryInOrder.map((step, i) => wrap(step, `       ${i + 1}  `, undefined, '          ')),
  ]
}

function saying(tenant: TenantView, { injectedAnchors }: SelftestReport): string[] {
  const { policy, verdict, findings, level, assumed } = tenant
  const paint = verdict === 'accept' ? green : verdict === 'reject' ? red : yellow
  const codes = [...new Set(findings.map(({ code }) => code))]
  return [
    flow(
      [paint(tenantWord(tenant, injectedAnchors)), `level ${level}`, dim(assumed)],
      `  ${padEnd(safe(policy), NAME_COLUMNS)}`,
    ),
    ...(codes.length === 0 ? [] : [wrap(codes.join(', '), ' '.repeat(NAME_COLUMNS + 2))]),
  ]
}

const warning = ({ what, at, advice }: SelftestReport['ahead'][number]): string[] => [
  wrap(safe(`${what}${at === undefined ? '' : ` on ${at}`}`), '  ', undefined, '    '),
  dim(wrap(advice, '    ')),
]
