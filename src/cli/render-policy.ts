import type { Explanation, Policy } from '../policy/index.ts'
import { bold, dim, flow, safe, wrap } from './style.ts'

/** A policy in sentences: what it demands, what nobody may conclude from it, what its author may have overlooked. */
export function renderExplanation(
  policy: Policy,
  digest: string,
  { rules, residualRisks, advice }: Explanation,
): string {
  const out = [flow([bold(safe(policy.name)), `version ${policy.version}`, dim(digest)], ''), '', bold('It demands')]
  for (const { rule, text } of rules) out.push(wrap(safe(text), '  ', undefined, '    '), dim(`    ${safe(rule)}`))
  out.push('', bold('What remains'))
  for (const risk of residualRisks) out.push(wrap(safe(risk.text), '  ', undefined, '    '))
  if (advice.length > 0) {
    out.push('', bold('Consider'))
    for (const text of advice) out.push(wrap(safe(text), '  ', undefined, '    '))
  }
  return out.join('\n')
}
