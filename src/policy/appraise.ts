import type { CpuClaims } from '../attestation/claims.ts'
import type { CollateralUse, NotChecked, RevocationReport } from '../attestation/kind.ts'
import { verdictOf } from '../core/outcome.ts'
import {
  type Appraisal,
  type AppraisalFault,
  type AppraisalSubject,
  type AppraisedItem,
  type Report,
  reportFor,
  type Statement,
} from './appraisal.ts'
import { appraiseGpus } from './appraise-gpu.ts'
import { appraiseMeasurement, type MeasurementAppraisal } from './appraise-measurement.ts'
import { appraiseRevocation } from './appraise-revocation.ts'
import { appraiseSgx } from './appraise-sgx.ts'
import { appraiseSnp, floorsOf } from './appraise-snp.ts'
import { appraiseTdx } from './appraise-tdx.ts'
import { appraiseTpm, tpmNotChecked } from './appraise-tpm.ts'
import type { CpuRule, Policy } from './policy.ts'

type Cpu = AppraisedItem & { readonly claims: CpuClaims }
const isCpu = (item: AppraisedItem): item is Cpu => Object.values<string>(KIND_OF).includes(item.claims.kind)

/**
 * Holds proved claims against a policy. Pure: the same arguments give the same faults, in the same order, and every rule
 * that is not met is among them. Codes are those of `appraiseSnp`, `appraiseTdx`, `appraiseSgx`, `appraiseMeasurement`, `appraiseGpus` and `appraiseTpm`,
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
  faults.push(...appraiseTpm(policy, subject))
  appraiseSurroundings(policy, subject, faults)
  return {
    faults,
    measured: cpu?.measured ?? 'no',
    statements: cpu?.statements ?? [],
    alternative: cpu?.index,
    ...(cpu === undefined || cpu.ends.length === 0 ? {} : { validUntil: Math.min(...cpu.ends) }),
    notChecked: [...(cpu?.notChecked ?? []), ...tpmNotChecked(policy, subject)],
  }
}

/** Kind of evidence that an alternative speaks of. */
const KIND_OF: Readonly<Record<CpuRule['platform'], CpuClaims['kind']>> = {
  'amd/snp': 'amd/snp-report',
  'intel/tdx': 'intel/tdx-quote',
  'intel/sgx': 'intel/sgx-quote',
}

/** CPU evidence must be there, of a kind that the policy speaks of. Whether it is proved is judged elsewhere. */
function appraisePresence({ require }: Policy, { presented }: AppraisalSubject, faults: AppraisalFault[]): void {
  const kinds = [...new Set(require.cpu.any.map((rule) => KIND_OF[rule.platform]))]
  const expected = kinds.join(' | ')
  const cpus = presented.filter(({ kind }) => !kind.startsWith('nvidia/') && kind !== 'tpm/quote')
  const [first] = cpus
  if (first === undefined) {
    reportFor('set', '/require', faults)('APPRAISAL_CPU_MISSING', 'cpu', '/cpu', { expected, actual: 'none' })
  }
  for (const { id, kind } of cpus) {
    // An alternative is met by one kind of CPU: what another kind shows beside it, no alternative speaks of.
    if (kinds.some((k) => k === kind) && kind === first?.kind) continue
    reportFor(id, '/require/cpu', faults)('POLICY_KIND_NOT_COVERED', '', '/any', { expected, actual: kind })
  }
}

interface AlternativeAppraisal extends MeasurementAppraisal {
  readonly index: number
  readonly faults: readonly AppraisalFault[]
  readonly notChecked: readonly NotChecked[]
}

/**
 * Of the alternatives that speak of this kind of CPU, the one that is met or closest: one that may still be met comes before
 * one that cannot, then the fewest faults. Undefined where none speaks of it, which was told.
 */
function nearest(policy: Policy, subject: AppraisalSubject, cpus: readonly Cpu[]): AlternativeAppraisal | undefined {
  const found = policy.require.cpu.any.flatMap((rule, index) =>
    cpus.every(({ claims }) => claims.kind === KIND_OF[rule.platform])
      ? [alternative(policy, rule, index, subject, cpus)]
      : [],
  )
  const distance = ({ faults }: AlternativeAppraisal) => {
    const final = faults.filter(({ fault }) => verdictOf(fault) === 'reject').length
    return [final === 0 ? 0 : 1, faults.length] as const
  }
  return found.reduce<AlternativeAppraisal | undefined>((best, next) => {
    if (best === undefined) return next
    const [a, b] = [distance(next), distance(best)]
    return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]) ? next : best
  }, undefined)
}

function alternative(
  policy: Policy,
  rule: CpuRule,
  index: number,
  subject: AppraisalSubject,
  cpus: readonly Cpu[],
): AlternativeAppraisal {
  const faults: AppraisalFault[] = []
  const notChecked: NotChecked[] = []
  const measured = cpus.map((cpu): MeasurementAppraisal => {
    const { claims, id } = cpu
    const report = reportFor(id, `/require/cpu/any/${index}`, faults)
    notChecked.push(...appraiseCpu(rule, claims, subject, report))
    const measurement = appraiseMeasurement(policy, rule, claims, subject, reportFor(id, '', faults))
    if (rule.revocation !== 'none') {
      appraiseRevocation(cpu, CHAIN_OF[rule.platform], 'CRL_MISSING', '/revocation', report)
      if (rule.platform !== 'amd/snp' && rule.revocation === 'required') appraiseOrigin(cpu, report)
    }
    if (policy.require.leaseBinding === 'host-data') leaseBinding(claims, subject, reportFor(id, '/require', faults))
    return measurement
  })
  return { index, faults, notChecked, ...weakest(measured) }
}

/** Whoever brings evidence and lists together chooses the oldest lists that are still in date. */
function appraiseOrigin({ revocation }: Cpu, report: Report): void {
  if (!revocation.some((r) => r.chain === 'intel-pck' && r.status === 'good' && r.stapled)) return
  report('CRL_MISSING', 'revocation.intel-pck', '/revocation', {
    expected: 'lists that the verifier obtained',
    actual: 'lists that came with the evidence',
  })
}

const CHAIN_OF = {
  'amd/snp': 'amd',
  'intel/tdx': 'intel-pck',
  'intel/sgx': 'intel-pck',
} as const satisfies Record<CpuRule['platform'], RevocationReport['chain']>

/** Holds one CPU's claims against the rules of its kind. */
function appraiseCpu(rule: CpuRule, claims: CpuClaims, subject: AppraisalSubject, report: Report): NotChecked[] {
  if (rule.platform === 'amd/snp' && claims.kind === 'amd/snp-report') {
    const notChecked: NotChecked[] = []
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
    return notChecked
  }
  if (rule.platform === 'intel/tdx' && claims.kind === 'intel/tdx-quote') appraiseTdx(rule, claims, report)
  else if (rule.platform === 'intel/sgx' && claims.kind === 'intel/sgx-quote') appraiseSgx(rule, claims, report)
  else throw new TypeError(`${rule.platform} says nothing of ${claims.kind}`)
  return []
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

const ZERO = /^0*$/

/** The field of the evidence that names the lease, and what the lease says it must be. */
function leaseField(claims: CpuClaims, { lease }: AppraisalSubject) {
  switch (claims.kind) {
    case 'amd/snp-report':
      return { name: 'HOST_DATA', claim: 'hostData', actual: claims.hostData, expected: lease?.hostData } as const
    case 'intel/tdx-quote':
      return {
        name: 'MRCONFIGID',
        claim: 'mrConfigId',
        actual: claims.mrConfigId,
        expected: lease?.mrConfigId,
      } as const
    case 'intel/sgx-quote':
      return { name: 'a field for the lease', claim: 'configId', actual: '', expected: undefined } as const
  }
}

function leaseBinding(claims: CpuClaims, subject: AppraisalSubject, report: Report): void {
  const { name, claim, actual, expected } = leaseField(claims, subject)
  if (ZERO.test(actual)) {
    report('POLICY_LEASE_NOT_BOUND', claim, '/leaseBinding', {
      expected: expected ?? `${name} made for the lease`,
      actual: 'none',
    })
  } else if (expected === undefined) {
    report('APPRAISAL_LEASE_MISSING', claim, '/leaseBinding', { expected: `a lease with its ${name}`, actual: 'none' })
  } else if (actual !== expected) {
    const code = claims.kind === 'amd/snp-report' ? 'SNP_HOST_DATA_MISMATCH' : 'TDX_CONFIG_MISMATCH'
    report(code, claim, '/leaseBinding', { expected, actual })
  }
}

/** Collateral that its vendor issues anew all the time, so that its age says something. */
const DATED: ReadonlySet<CollateralUse['kind']> = new Set([
  ...(['x509-crl', 'ocsp-response', 'intel-tcb-info', 'intel-qe-identity'] as const),
])

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
    if (!DATED.has(kind)) continue
    const age = issuedAt === undefined ? undefined : subject.now - issuedAt
    if (age !== undefined && age <= collateral.maxAgeSeconds) continue
    report('COLLATERAL_TOO_OLD', `collateral.${digest.slice(0, 16)}`, '/collateral/maxAgeSeconds', {
      expected: `issued at most ${collateral.maxAgeSeconds} s ago`,
      actual: age === undefined ? 'unknown' : `${age} s ago`,
    })
  }
}
