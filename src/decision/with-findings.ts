import type { Finding } from '../core/outcome.ts'
import type { Decision } from './decision.ts'

/**
 * A decision with what was found out beside the judgement: a clock that cannot be believed makes every date doubtful, an object
 * that was rolled back every answer. It can only become less than it was.
 */
export function withFindings(decision: Decision, more: readonly Finding[]): Decision {
  if (more.length === 0) return decision
  const isRefused = decision.verdict === 'reject' || more.some((f) => f.verdict === 'reject')
  return {
    ...decision,
    findings: [...decision.findings, ...more],
    verdict: isRefused ? 'reject' : 'inconclusive',
    validUntil: decision.decidedAt,
  }
}
