import { type Fault, fault } from '../core/outcome.ts'
import { toRfc3339, type UnixSeconds } from '../core/time.ts'

/** An authenticated collateral object as its rules see it: a CRL, TCB info, a manifest. */
export interface CollateralFacts {
  /** names the object over its re-issues: `amd-crl/Genoa`, `nvidia-rim/NV_GPU_DRIVER_GH100_550.144.03` */
  readonly id: string
  /** the platform, product or certificate that it speaks of */
  readonly subject: string
  readonly digest: string
  readonly issuedAt: UnixSeconds
  readonly validUntil: UnixSeconds
  /** Intel's tcbEvaluationDataNumber; undefined for objects without one */
  readonly evaluationNumber: number | undefined
  /** CRL number; undefined for objects without one */
  readonly sequenceNumber: bigint | undefined
}

/** The newest that was ever accepted under an id: what comes later may not be older. */
export interface HighWaterMark {
  readonly evaluationNumber: number | undefined
  readonly sequenceNumber: bigint | undefined
  /** when that object was issued; an object of the same number may not be older */
  readonly issuedAt: UnixSeconds | undefined
  /** digests of objects that may change only together with their number, undefined where re-issue is normal */
  readonly pinnedDigest: string | undefined
}

export interface CollateralRules {
  readonly now: UnixSeconds
  /** age since issue that the policy takes; undefined: its own validity is enough */
  readonly maxAgeSeconds: number | undefined
  readonly minEvaluationNumber: number | undefined
  readonly subject: string
  readonly seen: HighWaterMark | undefined
}

/**
 * Whether an authenticated object may be used for this subject now.
 * @returns the first of COLLATERAL_SUBJECT_MISMATCH · COLLATERAL_NOT_YET_VALID · COLLATERAL_EXPIRED · COLLATERAL_TOO_OLD ·
 * COLLATERAL_EVALUATION_TOO_LOW · COLLATERAL_ROLLBACK · COLLATERAL_EQUIVOCATION that holds; empty if it may
 */
export function judgeCollateral(object: CollateralFacts, rules: CollateralRules): readonly Fault[] {
  const told = (code: Parameters<typeof fault>[0], field: string, expected: string, actual: string) => [
    fault(code, `${object.id}.${field}`, { expected, actual }),
  ]
  const { now, seen } = rules
  if (object.subject !== rules.subject)
    return told('COLLATERAL_SUBJECT_MISMATCH', 'subject', rules.subject, object.subject)
  if (object.issuedAt > now)
    return told('COLLATERAL_NOT_YET_VALID', 'issuedAt', `at or before ${toRfc3339(now)}`, toRfc3339(object.issuedAt))
  if (object.validUntil <= now)
    return told('COLLATERAL_EXPIRED', 'validUntil', `after ${toRfc3339(now)}`, toRfc3339(object.validUntil))
  if (rules.maxAgeSeconds !== undefined && now - object.issuedAt > rules.maxAgeSeconds) {
    return told(
      'COLLATERAL_TOO_OLD',
      'issuedAt',
      `at most ${rules.maxAgeSeconds} s old`,
      `${now - object.issuedAt} s old`,
    )
  }
  if (rules.minEvaluationNumber !== undefined && (object.evaluationNumber ?? -1) < rules.minEvaluationNumber) {
    return told(
      'COLLATERAL_EVALUATION_TOO_LOW',
      'evaluationNumber',
      `at least ${rules.minEvaluationNumber}`,
      String(object.evaluationNumber ?? 'none'),
    )
  }
  if (seen?.evaluationNumber !== undefined && (object.evaluationNumber ?? -1) < seen.evaluationNumber) {
    return told(
      'COLLATERAL_ROLLBACK',
      'evaluationNumber',
      `at least ${seen.evaluationNumber}`,
      String(object.evaluationNumber ?? 'none'),
    )
  }
  if (seen?.sequenceNumber !== undefined && (object.sequenceNumber ?? -1n) < seen.sequenceNumber) {
    return told(
      'COLLATERAL_ROLLBACK',
      'number',
      `at least ${seen.sequenceNumber}`,
      String(object.sequenceNumber ?? 'none'),
    )
  }
  if (seen?.issuedAt !== undefined && object.issuedAt < seen.issuedAt && !isOfHigherNumber(object, seen)) {
    return told(
      'COLLATERAL_ROLLBACK',
      'issuedAt',
      `at or after ${toRfc3339(seen.issuedAt)}`,
      toRfc3339(object.issuedAt),
    )
  }
  if (seen?.pinnedDigest !== undefined && object.digest !== seen.pinnedDigest) {
    return told('COLLATERAL_EQUIVOCATION', 'digest', seen.pinnedDigest, object.digest)
  }
  return []
}

/** Numbers order re-issues; dates do so only among objects of one number. */
const isOfHigherNumber = (object: CollateralFacts, seen: HighWaterMark): boolean =>
  (object.evaluationNumber ?? -1) > (seen.evaluationNumber ?? -1) ||
  (object.sequenceNumber ?? -1n) > (seen.sequenceNumber ?? -1n)
