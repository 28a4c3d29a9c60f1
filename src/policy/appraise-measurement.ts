import type { CpuClaims } from '../attestation/claims.ts'
import { toRfc3339, type UnixSeconds } from '../core/time.ts'
import type { Appraisal, AppraisalSubject, Report, Statement } from './appraisal.ts'
import { launchMeasurement, MEASUREMENT_UNKNOWN, meetsPins, pinsLaunch } from './measurement.ts'
import type { CpuRule, Policy } from './policy.ts'
import type { AuthenticReferenceValue } from './reference-values.ts'
import { sameValue } from './shape.ts'

export interface MeasurementAppraisal {
  readonly measured: Appraisal['measured']
  readonly statements: readonly Statement[]
  /** ends of the reference values that vouch for the measurement */
  readonly ends: readonly UnixSeconds[]
}

/**
 * Whether what was launched is known, and what its publisher vouches for. Only values of the policy's own signers count, and
 * only while they are in force.
 * Reports SNP_, TDX_ or SGX_MEASUREMENT_UNKNOWN · REFERENCE_VALUE_EXPIRED · REFERENCE_VALUE_NOT_YET_VALID where a rule of the
 * policy rests on the value.
 * Digests that the alternative itself lists are told apart.
 */
export function appraiseMeasurement(
  policy: Policy,
  rule: CpuRule,
  claims: CpuClaims,
  { now, referenceValues }: Pick<AppraisalSubject, 'now' | 'referenceValues'>,
  report: Report,
): MeasurementAppraisal {
  const pinned = pinsLaunch(rule)
  const { claim, text } = launchMeasurement(claims)
  const about = trusted(policy, referenceValues).filter((r) => r.kind === claims.kind && r.measurements.includes(text))
  const standing = about.filter((r) => !isWithdrawn(r, text, referenceValues))
  const inForce = standing.filter((r) => r.notBefore <= now && now < r.expires)
  if (inForce.length === 0 && restsOnStatements(policy, rule)) {
    const [first] = about
    const source = 'policy#/referenceValues/signers'
    if (first === undefined) {
      if (policy.require.level >= 3 && !pinned) {
        report(MEASUREMENT_UNKNOWN[claims.kind], claim, '', {
          expected: 'a measurement that a signer of the policy vouches for',
          actual: text,
          source,
        })
      }
    } else if (standing.every((r) => now >= r.expires)) {
      const actual =
        standing.length === 0 ? 'withdrawn by its signer' : toRfc3339(Math.max(...standing.map((r) => r.expires)))
      report('REFERENCE_VALUE_EXPIRED', claim, '', {
        expected: `in force at ${toRfc3339(now)}`,
        actual,
        source,
      })
    } else {
      const from = Math.min(...standing.filter((r) => now < r.notBefore).map((r) => r.notBefore))
      report('REFERENCE_VALUE_NOT_YET_VALID', claim, '', {
        expected: `in force at ${toRfc3339(now)}`,
        actual: toRfc3339(from),
        source,
      })
    }
  }
  return {
    measured: inForce.length > 0 ? 'vouched' : pinned && meetsPins(rule, claims) ? 'digest' : 'no',
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
  { kind, signer }: AuthenticReferenceValue,
  measurement: string,
  all: readonly AuthenticReferenceValue[],
): boolean =>
  all.some((other) => other.kind === kind && sameValue(other.signer, signer) && other.withdrawn.includes(measurement))

/** Whether the policy cannot be met without a statement about this measurement. */
function restsOnStatements({ require: { level, gpu } }: Policy, rule: CpuRule): boolean {
  if (level >= 4 || (level === 3 && !pinsLaunch(rule))) return true
  return typeof gpu === 'object' && (gpu.binding === 'measured-guest' || gpu.devtools === 'excluded')
}
