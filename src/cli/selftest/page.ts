import { createHash } from 'node:crypto'
import { CODES } from '../../core/codes.ts'
import type { Finding } from '../../core/outcome.ts'
import { type Layer, type SelftestReport, type TenantView, toMend, type Warning } from '../../selftest/report.ts'
import { symptomOf } from '../../selftest/symptoms.ts'
import { shared } from '../render-decision.ts'
import { drawChain } from './chain-drawing.ts'
import { escapeHtml as text } from './escape.ts'
import { PAGE_STYLE } from './page-style.ts'
import { cautious, layerName, mendTitle, OUTCOME_WORDS, STATE_WORDS, summaryOf, tenantWord } from './words.ts'

const STYLE_HASH = createHash('sha256').update(PAGE_STYLE).digest('base64')
/** Nothing may be loaded, run or sent; the one style is known by its digest. */
const CONTENT_POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'`

/** The report as one page that needs nothing else: no script, no picture, no request. */
export function selftestPage(report: SelftestReport): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${text(CONTENT_POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Vouchsafe self-test: ${text(OUTCOME_WORDS[report.outcome].toLowerCase())}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
${hero(report)}
${toMend(report).map(mend).join('\n')}
${report.tenants.length === 0 ? '' : section('What tenants would say', tenantsOf(report))}
${section('Layers', `<table>${report.layers.map(row).join('\n')}</table>`)}
${report.chains.length === 0 ? '' : section('Who signed it', chainsOf(report))}
${report.ahead.length === 0 ? '' : section('What will not last', `<table>${report.ahead.map(ahead).join('\n')}</table>`)}
${footer(report)}
</main>
</body>
</html>
`
}

const section = (title: string, content: string): string => `<section><h2>${text(title)}</h2>\n${content}</section>`

const mend = (open: Layer, i: number): string =>
  section(`${mendTitle(i)}: ${layerName(open)}`, `<div class="card">${findingsOf(open)}</div>`)

function hero(report: SelftestReport): string {
  const { outcome, source, level, nextLevel, evidenceDigest, injectedAnchors } = report
  const ladder =
    evidenceDigest === undefined || nextLevel === undefined
      ? ''
      : `<p>Level reached: <b>${level}</b>. <span class="soft">Level ${nextLevel.level} needs ${text(nextLevel.needs)}</span></p>`
  return `<h1>Vouchsafe self-test of ${text(source)}</h1>
<div class="hero ${injectedAnchors.length === 0 ? outcome : cautious(outcome)}"><strong>${OUTCOME_WORDS[outcome]}</strong><p>${text(summaryOf(report))}</p>${ladder}</div>`
}

const badge = (word: string): string => `<span class="badge">${text(word)}</span>`

const row = (layer: Layer): string =>
  `<tr class="${layer.state}"><th scope="row">${text(layerName(layer))}</th><td class="state">${badge(STATE_WORDS[layer.state])}</td><td>${layer.seen
    .map((piece) => `<span class="piece">${text(piece)}</span>`)
    .join(' ')}</td></tr>`

const findingsOf = ({ findings }: Layer): string =>
  shared(findings)
    .map(({ finding }) => one(finding))
    .join('\n')

function one({ code, path, expected, actual, hint }: Finding): string {
  const symptom = symptomOf(code)
  const pair = (name: string, value: string | undefined) =>
    value === undefined ? '' : `<dt>${name}</dt><dd class="mono">${text(value)}</dd>`
  const steps =
    symptom === undefined
      ? ''
      : `<p class="soft">${text(symptom.seen)}</p><p><b>Try in order</b></p><ol>${symptom.tryInOrder.map((step) => `<li>${text(step)}</li>`).join('')}</ol>`
  return `<div class="finding"><h3><code>${text(code)}</code> ${text(CODES[code].title)}</h3>
<dl>${pair('at', path || '/')}${pair('expected', expected)}${pair('found', actual)}<dt>remedy</dt><dd>${text(hint)}</dd></dl>${steps}</div>`
}

const tenantsOf = (report: SelftestReport): string =>
  `<div class="tenants">${report.tenants.map((tenant) => saying(tenant, report)).join('\n')}</div>`

function saying(tenant: TenantView, { injectedAnchors }: SelftestReport): string {
  const { policy, verdict, level, wanted, assumed, findings } = tenant
  const codes = [...new Set(findings.map(({ code }) => code))]
  const colour = verdict === 'accept' && injectedAnchors.length > 0 ? cautious('eligible') : verdict
  return `<div class="card ${colour}"><h3>${text(policy)}</h3><p><strong>${text(tenantWord(tenant, injectedAnchors))}</strong></p>
<p class="soft">level ${level}, wanted ${wanted}; assumed: ${text(assumed)}</p>${codes.map((code) => `<p><code>${text(code)}</code></p>`).join('')}</div>`
}

const chainsOf = ({ chains }: SelftestReport): string =>
  `${chains.map((chain) => `<div class="drawing">${drawChain(chain)}</div>`).join('\n')}
<p class="soft">As the certificates name one another. Whether each signature holds is what the layers say.</p>`

const ahead = ({ what, at, advice }: Warning): string =>
  `<tr class="missing"><td>${text(what)}${at === undefined ? '' : ` on ${text(at)}`}</td><td class="soft">${text(advice)}</td></tr>`

function footer({ judgedAt, evidenceDigest, redacted, injectedAnchors }: SelftestReport): string {
  const lines = [
    `judged at ${judgedAt}`,
    ...(evidenceDigest === undefined ? [] : [`evidence ${evidenceDigest}`]),
    ...(injectedAnchors.length === 0 ? [] : [`rests on injected trust anchors: ${injectedAnchors.join(', ')}`]),
    ...(redacted ? ['identities were replaced: equal tokens stand for equal ones, within this page alone'] : []),
  ]
  return `<footer>${lines.map((line) => `<p class="mono">${text(line)}</p>`).join('')}</footer>`
}
