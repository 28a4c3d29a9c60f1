import type { SnpClaims } from '../attestation/claims.ts'
import type { EvidenceKind } from '../attestation/evidence.ts'
import type { NotChecked } from '../attestation/kind.ts'
import { verdictOf } from '../core/outcome.ts'
import {
  type Appraisal,
  type AppraisalFault,
  type AppraisalSubject,
  type AppraisedItem,
  reportFor,
  type Statement,
} from './appraisal.ts'
import { appraiseGpus } from './appraise-gpu.ts'
import { appraiseMeasurement, type MeasurementAppraisal } from './appraise-measurement.ts'
import { appraiseRevocation } from './appraise-revocation.ts'
import { appraiseSnp, floorsOf } from './appraise-snp.ts'
import type { Policy, SnpRule } from './policy.ts'

type Cpu = AppraisedItem & { readonly claims: SnpClaims }
const isCpu = (item: AppraisedItem): item is Cpu => item.claims.kind === 'amd/snp-report'

/**
 * Holds proved claims against a policy. Pure: the same arguments give the same faults, in the same order, and every rule
 * that is not met is among them. Codes are those of `appraiseSnp`, `appraiseMeasurement` and `appraiseGpus`,
 * APPRAISAL_CPU_MISSING · POLICY_KIND_NOT_COVERED · APPRAISAL_ASSURANCE_TOO_LOW · APPRAISAL_LEASE_MISSING · COLLATERAL_TOO_OLD · CRL_MISSING.
 * Level, freshness and `gpuBinding` are compared by the decision, from `measured` and `statements` among others.
 */
export function appraise(policy: Policy, subject: AppraisalSubject): Appraisal {
  const faults: AppraisalFault[] = []
  const cpus = subject.items.filter(isCpu)
  appraisePresence(policy, subject, faults)
  const cpu = cpus.length === 0 ? undefined : nearest(policy, subject, cpus)
  faults.push(...(cpu?.faults ?? []))
  faults.push(...appraiseGpus(policy, subject, cpu?.statements ?? []))
  appraiseSurroundings(policy, subject, faults)
  return {
    faults,
    measured: cpu?.measured ?? 'no',
    statements: cpu?.statements ?? [],
    alternative: cpu?.index,
    ...(cpu === undefined || cpu.ends.length === 0 ? {} : { validUntil: Math.min(...cpu.ends) }),
    notChecked: cpu?.notChecked ?? [],
  }
}

/** Kind of evidence that an alternative speaks of. */
const KIND_OF: Readonly<Record<SnpRule['platform'], EvidenceKind>> = { 'amd/snp': 'amd/snp-report' }

/** CPU evidence must be there, of a kind that the policy speaks of. Whether it is proved is judged elsewhere. */
function appraisePresence({ require }: Policy, { presented }: AppraisalSubject, faults: AppraisalFault[]): void {
  const expected = [...new Set(require.cpu.any.map((rule) => KIND_OF[rule.platform]))]
  const cpus = presented.filter(({ kind }) => !kind.startsWith('nvidia/'))
  if (cpus.length === 0) {
    reportFor('set', '/require', faults)('APPRAISAL_CPU_MISSING', 'cpu', '/cpu', {
      expected: expected.join(' | '),
      actual: 'none',
    })
  }
  for (const { id, kind } of cpus.filter((cpu) => !expected.includes(cpu.kind))) {
    reportFor(id, '/require/cpu', faults)('POLICY_KIND_NOT_COVERED', '', '/any', {
      expected: expected.join(' | '),
      actual: kind,
    })
  }
}

interface AlternativeAppraisal extends MeasurementAppraisal {
  readonly index: number
  readonly faults: readonly AppraisalFault[]
  readonly notChecked: readonly NotChecked[]
}

/** The alternative that is met or closest: one that may still be met comes before one that cannot, then the fewest faults. */
function nearest(policy: Policy, subject: AppraisalSubject, cpus: readonly Cpu[]): AlternativeAppraisal {
  const [first, ...rest] = policy.require.cpu.any
  const distance = ({ faults }: AlternativeAppraisal) => {
    const final = faults.filter(({ fault }) => verdictOf(fault) === 'reject').length
    return [final === 0 ? 0 : 1, faults.length] as const
  }
  return rest.reduce(
    (best, rule, i) => {
      const next = alternative(policy, rule, i + 1, subject, cpus)
      const [a, b] = [distance(next), distance(best)]
      return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]) ? next : best
    },
    alternative(policy, first, 0, subject, cpus),
  )
}

function alternative(
  policy: Policy,
  rule: SnpRule,
  index: number,
  subject: AppraisalSubject,
  cpus: readonly Cpu[],
): AlternativeAppraisal {
  const faults: AppraisalFault[] = []
  const notChecked: NotChecked[] = []
  const measured = cpus.map((cpu): MeasurementAppraisal => {
    const { claims, id } = cpu
    const report = reportFor(id, `/require/cpu/any/${index}`, faults)
    const floors = floorsOf(rule, claims, subject)
    // A policy that names the microcode itself has answered what the bulletins leave open; otherwise unknown denies.
    for (const bulletin of floors.notCovered) {
      notChecked.push({ what: `firmware level against ${bulletin}`, because: 'no number is known for this processor' })
      if (rule.minTcb.microcode === 0) {
        report('SNP_TCB_FLOOR_UNKNOWN', 'reportedTcb.microcode', '/tcbFloors', {
          actual: claims.reportedTcb.microcode,
          source: bulletin,
        })
      }
    }
    appraiseSnp(rule, claims, floors, report)
    const measurement = appraiseMeasurement(policy, rule, claims, subject, {
      alternative: report,
      policy: reportFor(id, '', faults),
    })
    if (rule.revocation === 'required') appraiseRevocation(cpu, 'amd', 'CRL_MISSING', '/revocation', report)
    if (policy.require.leaseBinding === 'host-data') leaseBinding(claims, subject, reportFor(id, '/require', faults))
    return measurement
  })
  return { index, faults, notChecked, ...weakest(measured) }
}

/** What holds for all CPU reports of the machine. */
function weakest(measured: readonly MeasurementAppraisal[]): MeasurementAppraisal {
  const order = ['no', 'digest', 'vouched'] as const
  const level = Math.min(...measured.map((m) => order.indexOf(m.measured)))
  const [first, ...others] = measured
  const isHeldByAll = ({ guarantee }: Statement) =>
    others.every((m) => m.statements.some((s) => s.guarantee === guarantee))
  return {
    measured: order[level] ?? 'no',
    statements: first?.statements.filter(isHeldByAll) ?? [],
    ends: measured.flatMap((m) => m.ends),
  }
}

const NO_HOST_DATA = /^0*$/

function leaseBinding(claims: SnpClaims, { lease }: AppraisalSubject, report: ReturnType<typeof reportFor>): void {
  const expected = lease?.hostData
  if (NO_HOST_DATA.test(claims.hostData)) {
    report('POLICY_LEASE_NOT_BOUND', 'hostData', '/leaseBinding', {
      expected: expected ?? 'HOST_DATA made for the lease',
      actual: 'none',
    })
  } else if (expected === undefined) {
    report('APPRAISAL_LEASE_MISSING', 'hostData', '/leaseBinding', {
      expected: 'a lease with its HOST_DATA',
      actual: 'none',
    })
  } else if (claims.hostData !== expected) {
    report('SNP_HOST_DATA_MISMATCH', 'hostData', '/leaseBinding', { expected, actual: claims.hostData })
  }
}

/** What is judged beside the reports: the place, the lease, the age of the vendors' papers. */
function appraiseSurroundings(
  { require, collateral }: Policy,
  subject: AppraisalSubject,
  faults: AppraisalFault[],
): void {
  const report = reportFor('set', '', faults)
  const { lease, physical } = subject
  if (require.physical !== 'any' && (physical === 'unknown' || !require.physical.includes(physical))) {
    report('APPRAISAL_ASSURANCE_TOO_LOW', 'physical', '/require/physical', {
      expected: require.physical.join(' | '),
      actual: physical,
    })
  }
  if (require.lease !== 'if-given' && lease === null) {
    report('APPRAISAL_LEASE_MISSING', 'lease', '/require/lease', { expected: 'a lease', actual: 'none' })
  } else if (
    require.lease === 'required-with-gpu-count' &&
    lease?.teeType === 'cpu-gpu' &&
    lease.gpuCount === undefined
  ) {
    report('APPRAISAL_LEASE_MISSING', 'lease.gpuCount', '/require/lease', {
      expected: 'the number of GPUs that were leased',
      actual: 'none',
    })
  }
  if (collateral.maxAgeSeconds === 'any') return
  for (const { kind, digest, issuedAt } of subject.collateral) {
    if (kind !== 'x509-crl' && kind !== 'ocsp-response') continue
    const age = issuedAt === undefined ? undefined : subject.now - issuedAt
    if (age !== undefined && age <= collateral.maxAgeSeconds) continue
    report('COLLATERAL_TOO_OLD', `collateral.${digest.slice(0, 16)}`, '/collateral/maxAgeSeconds', {
      expected: `issued at most ${collateral.maxAgeSeconds} s ago`,
      actual: age === undefined ? 'unknown' : `${age} s ago`,
    })
  }
}
