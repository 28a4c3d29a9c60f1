import { type CollateralFacts, type HighWaterMark, judgeCollateral } from '../../attestation/collateral-rules.ts'
import type { Fault } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { ObjectFacts } from './facts.ts'

/** The newest object of a line at some time, as it was authenticated then. */
export interface Mark {
  readonly issuedAt: UnixSeconds
  readonly evaluationNumber: number | undefined
  readonly sequenceNumber: bigint | undefined
  readonly content: string
}

type Numbered = Omit<Mark, 'content'>

/** Whether `a` came after `b` in their line: by number, and by date among equal numbers. */
export function isNewer(a: Numbered, b: Numbered): boolean {
  const [x, y] = [a.evaluationNumber ?? -1, b.evaluationNumber ?? -1]
  if (x !== y) return x > y
  const [m, n] = [a.sequenceNumber ?? -1n, b.sequenceNumber ?? -1n]
  return m !== n ? m > n : a.issuedAt > b.issuedAt
}

/** The mark that holds at `now`: whoever judges an earlier time is not held to what was issued since. */
export const markAt = (marks: readonly Mark[], now: UnixSeconds): Mark | undefined =>
  marks
    .filter((m) => m.issuedAt <= now)
    .reduce<Mark | undefined>((a, b) => (a === undefined || isNewer(b, a) ? b : a), undefined)

/**
 * Whether an object is in date, about what was asked, and neither older than what was authenticated before it nor another one
 * under the same number and date.
 * @param mark of the line that the object belongs to
 * @returns COLLATERAL_SUBJECT_MISMATCH · COLLATERAL_NOT_YET_VALID · COLLATERAL_EXPIRED · COLLATERAL_ROLLBACK ·
 * COLLATERAL_EQUIVOCATION
 */
export const judgeFacts = (
  facts: ObjectFacts,
  mark: Mark | undefined,
  { asked, answered }: { readonly asked: string; readonly answered: string },
  now: UnixSeconds,
): readonly Fault[] =>
  judgeCollateral(ruled(facts, asked, answered), {
    now,
    maxAgeSeconds: undefined, // these two are the policy's
    minEvaluationNumber: undefined,
    subject: asked,
    seen: mark === undefined ? undefined : highWaterMark(facts, mark),
  })

const ruled = (facts: ObjectFacts, id: string, subject: string): CollateralFacts => ({
  id,
  subject,
  digest: facts.content,
  issuedAt: facts.issuedAt,
  validUntil: facts.validUntil,
  evaluationNumber: facts.evaluationNumber,
  sequenceNumber: facts.sequenceNumber,
})

/**
 * An issuer that numbers its objects may not sign two under one number and date. Numbers alone are not enough: Intel
 * dates a document anew without raising its number. OCSP answers have no number and are made anew at any time.
 */
function highWaterMark(facts: ObjectFacts, mark: Mark): HighWaterMark {
  const isNumbered = mark.evaluationNumber !== undefined || mark.sequenceNumber !== undefined
  const isSame = !isNewer(facts, mark) && !isNewer(mark, facts)
  return {
    evaluationNumber: mark.evaluationNumber,
    sequenceNumber: mark.sequenceNumber,
    issuedAt: mark.issuedAt,
    pinnedDigest: isNumbered && isSame ? mark.content : undefined,
  }
}
