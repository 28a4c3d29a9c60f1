import type { RevocationReport } from '../attestation/kind.ts'
import type { Code } from '../core/codes.ts'
import type { AppraisedItem, Report } from './appraisal.ts'

const NOT_GIVEN: RevocationReport = { chain: 'amd', status: 'notGiven', stapled: false, faults: [] }

/**
 * Holds what is known about a chain's revocation against the policy: `good`, or it is not accepted. A report that is not
 * there at all says nothing, like one that says so.
 * @param missing code where no material was given; where it was and does not answer, its own faults say why
 */
export function appraiseRevocation(
  item: AppraisedItem,
  chain: RevocationReport['chain'],
  missing: Code,
  rule: string,
  report: Report,
): void {
  const found = item.revocation.filter((r) => r.chain === chain)
  for (const { status, faults } of found.length === 0 ? [NOT_GIVEN] : found) {
    if (status === 'notGiven') report(missing, `revocation.${chain}`, rule, { expected: 'good', actual: 'not given' })
    if (status !== 'unknown') continue
    if (faults.length === 0)
      report('GPU_REVOCATION_UNKNOWN', `revocation.${chain}`, rule, { expected: 'good', actual: 'unknown' })
    for (const { code, path, expected, actual } of faults) {
      report(code, path, rule, {
        ...(expected === undefined ? {} : { expected }),
        ...(actual === undefined ? {} : { actual }),
      })
    }
  }
}
