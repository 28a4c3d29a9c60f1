import type { SnpClaims } from '../attestation/claims.ts'
import { toRfc3339, type UnixSeconds } from '../core/time.ts'
import type { Appraisal, AppraisalSubject, Report, Statement } from './appraisal.ts'
import type { Policy, SnpRule } from './policy.ts'
import type { AuthenticReferenceValue } from './reference-values.ts'
import { sameValue } from './shape.ts'

export interface MeasurementAppraisal {
  readonly measured: Appraisal['measured']
  readonly statements: readonly Statement[]
  /** ends of the reference values that vouch for the measurement */
  readonly ends: readonly UnixSeconds[]
}

/**
 * Whether the launch measurement is known, and what its publisher vouches for. Only values of the policy's own signers
 * count, and only while they are in force.
 * Reports SNP_MEASUREMENT_UNKNOWN · REFERENCE_VALUE_EXPIRED · REFERENCE_VALUE_NOT_YET_VALID, the latter two where a rule of
 * the policy rests on the value.
 * @param at pointer of the alternative
 */
export function appraiseMeasurement(
  policy: Policy,
  rule: SnpRule,
  claims: SnpClaims,
  { now, referenceValues }: Pick<AppraisalSubject, 'now' | 'referenceValues'>,
  report: { readonly alternative: Report; readonly policy: Report },
): MeasurementAppraisal {
  const isPinned = rule.measurements !== 'any' && rule.measurements.includes(claims.measurement)
  if (rule.measurements !== 'any' && !isPinned) {
    report.alternative('SNP_MEASUREMENT_UNKNOWN', 'measurement', '/measurements', {
      expected: `one of ${rule.measurements.length} in the policy`,
      actual: claims.measurement,
    })
  }
  const about = trusted(policy, referenceValues).filter((r) => r.measurements.includes(claims.measurement))
  const standing = about.filter((r) => !isWithdrawn(r, claims.measurement, referenceValues))
  const inForce = standing.filter((r) => r.notBefore <= now && now < r.expires)
  if (inForce.length === 0 && restsOnStatements(policy, rule)) {
    const [first] = about
    const source = 'policy#/referenceValues/signers'
    if (first === undefined) {
      if (policy.require.level >= 3 && rule.measurements === 'any') {
        report.policy('SNP_MEASUREMENT_UNKNOWN', 'measurement', '', {
          expected: 'a measurement that a signer of the policy vouches for',
          actual: claims.measurement,
          source,
        })
      }
    } else if (standing.every((r) => now >= r.expires)) {
      const actual =
        standing.length === 0 ? 'withdrawn by its signer' : toRfc3339(Math.max(...standing.map((r) => r.expires)))
      report.policy('REFERENCE_VALUE_EXPIRED', 'measurement', '', {
        expected: `in force at ${toRfc3339(now)}`,
        actual,
        source,
      })
    } else {
      const from = Math.min(...standing.filter((r) => now < r.notBefore).map((r) => r.notBefore))
      report.policy('REFERENCE_VALUE_NOT_YET_VALID', 'measurement', '', {
        expected: `in force at ${toRfc3339(now)}`,
        actual: toRfc3339(from),
        source,
      })
    }
  }
  return {
    measured: inForce.length > 0 ? 'vouched' : isPinned ? 'digest' : 'no',
    ends: inForce.map((r) => r.expires),
    statements: inForce.flatMap(({ signer, name, guarantees, expires }) =>
      guarantees.map((guarantee) => ({
        guarantee,
        signer: signer.kid,
        referenceValue: name,
        validUntil: expires,
      })),
    ),
  }
}

/** Values of the policy's signers, in the order given: a value proved under another key is nobody's here. */
function trusted(
  { referenceValues: rule }: Policy,
  values: readonly AuthenticReferenceValue[],
): readonly AuthenticReferenceValue[] {
  return rule === 'none' ? [] : values.filter(({ signer }) => rule.signers.some((s) => sameValue(s, signer)))
}

/** A signer takes back only its own words. */
const isWithdrawn = (
  { signer }: AuthenticReferenceValue,
  measurement: string,
  all: readonly AuthenticReferenceValue[],
): boolean => all.some((other) => sameValue(other.signer, signer) && other.withdrawn.includes(measurement))

/** Whether the policy cannot be met without a statement about this measurement. */
function restsOnStatements({ require: { level, gpu } }: Policy, rule: SnpRule): boolean {
  if (level >= 4 || (level === 3 && rule.measurements === 'any')) return true
  return typeof gpu === 'object' && (gpu.binding === 'measured-guest' || gpu.devtools === 'excluded')
}
