import type { GpuClaims, SwitchClaims } from '../attestation/claims.ts'
import type { EvidenceKind } from '../attestation/evidence.ts'
import {
  type AppraisalFault,
  type AppraisalSubject,
  type AppraisedItem,
  type LeaseTerms,
  type Report,
  reportFor,
  type Statement,
} from './appraisal.ts'
import { appraiseRevocation } from './appraise-revocation.ts'
import { acceptsRisk, type GpuMode, type GpuRule, type Policy } from './policy.ts'
import { PPCIE_BOARD_GPUS, PPCIE_BOARD_SWITCHES } from './rules-gpu.ts'
import { compareVersions } from './versions.ts'

const AT = '/require/gpu'

type Gpu = AppraisedItem & { readonly claims: GpuClaims }
type Switch = AppraisedItem & { readonly claims: SwitchClaims }
const isGpu = (item: AppraisedItem): item is Gpu => item.claims.kind === 'nvidia/gpu-report'
const isSwitch = (item: AppraisedItem): item is Switch => item.claims.kind === 'nvidia/switch-report'

/**
 * Holds the GPUs and switches against the policy: GPU_NOT_EXPECTED · GPU_COUNT_ZERO · GPU_COUNT_MISMATCH ·
 * APPRAISAL_LEASE_MISSING · GPU_TOPOLOGY_INCOMPLETE · GPU_NVLINK_NOT_PROTECTED · GPU_DEVTOOLS_NOT_EXCLUDED for the set;
 * GPU_MODEL_MISMATCH · GPU_CC_MODE · GPU_MODE_NOT_ALLOWED · GPU_MODE_UNKNOWN · GPU_VERSION_BELOW_MINIMUM · GPU_DEVICE_NOT_ALLOWED ·
 * GPU_RIM_UNAVAILABLE · GPU_MEASUREMENT_MISMATCH · GPU_OCSP_UNAVAILABLE · OCSP_MISSING · APPRAISAL_CLAIM_MISSING for each.
 */
export function appraiseGpus(
  policy: Policy,
  subject: AppraisalSubject,
  statements: readonly Statement[],
): readonly AppraisalFault[] {
  const rule = policy.require.gpu
  const faults: AppraisalFault[] = []
  const gpus = subject.items.filter(isGpu)
  const switches = subject.items.filter(isSwitch)
  const shown = subject.presented.filter(({ kind }) => kind === 'nvidia/gpu-report').length
  if (typeof rule === 'string') {
    if (rule === 'none') {
      for (const { id, kind } of subject.presented) {
        if (kind.startsWith('nvidia/'))
          reportFor(id, AT, faults)('GPU_NOT_EXPECTED', '', '', { expected: 'none', actual: kind })
      }
    }
    leasedAlone(subject.lease, shown, gpus, faults)
    return faults
  }
  const set = reportFor('set', AT, faults)
  count(rule, subject.lease, shown, set)
  board(policy, rule, subject.presented, gpus, set)
  if (rule.devtools === 'excluded' && !statements.some((s) => s.guarantee === 'gpu-local')) {
    set('GPU_DEVTOOLS_NOT_EXCLUDED', 'gpu.devtools', '/devtools', {
      expected: 'gpu-local, vouched for the guest image',
      actual: 'not proved',
    })
  }
  for (const gpu of gpus) device(rule, subject.lease, gpu, reportFor(gpu.id, AT, faults))
  for (const device of [...gpus, ...switches]) provenance(rule, device, reportFor(device.id, AT, faults))
  return faults
}

function count(rule: GpuRule, lease: LeaseTerms | null, actual: number, report: Report): void {
  const leased = lease === null ? undefined : lease.teeType === 'cpu' ? 0 : lease.gpuCount
  const wanted = [rule.count, ...(leased === undefined ? [] : [leased])].filter((n) => n !== 'lease')
  const expected = wanted.length === 0 ? 'as many as leased' : [...new Set(wanted)].join(', and as leased ')
  // A policy with rules for GPUs is never met without one, whatever was leased.
  if (actual === 0) report('GPU_COUNT_ZERO', 'gpu.count', '/count', { expected, actual })
  else if (wanted.some((n) => n !== actual)) report('GPU_COUNT_MISMATCH', 'gpu.count', '/count', { expected, actual })
  if (rule.count === 'lease' && leased === undefined) {
    report('APPRAISAL_LEASE_MISSING', 'lease.gpuCount', '/count', {
      expected: 'the number of GPUs that were leased',
      actual: 'none',
    })
  }
}

/** A policy that does not rely on GPUs says nothing about them; the lease still does. */
function leasedAlone(lease: LeaseTerms | null, actual: number, gpus: readonly Gpu[], faults: AppraisalFault[]): void {
  if (lease?.teeType !== 'cpu-gpu') return
  const { gpuCount } = lease
  if (gpuCount !== undefined && actual !== gpuCount) {
    const code = actual === 0 ? 'GPU_COUNT_ZERO' : 'GPU_COUNT_MISMATCH'
    const detail = { expected: `${gpuCount}, as leased`, actual, source: 'lease#/gpuCount' }
    reportFor('set', AT, faults)(code, 'gpu.count', '', detail)
  }
  for (const { id, claims } of gpus) leasedModel(lease, claims, reportFor(id, AT, faults))
}

/**
 * CC mode is off in PPCIE mode, and what protects the GPU instead is the whole board: no risk that a tenant accepts stands in
 * for a part of it. Hopper's NVLink is plain text outside such a board. The board's own wiring is judged with the evidence
 * set. What was shown is counted: of a device that is not proved its own finding tells.
 */
function board(
  policy: Policy,
  rule: GpuRule,
  presented: AppraisalSubject['presented'],
  gpus: readonly Gpu[],
  report: Report,
): void {
  const shown = (of: EvidenceKind) => presented.filter(({ kind }) => kind === of).length
  const switches = shown('nvidia/switch-report')
  const isBoard =
    shown('nvidia/gpu-report') === PPCIE_BOARD_GPUS &&
    switches === PPCIE_BOARD_SWITCHES &&
    gpus.every((g) => possibleModes(g.claims).every((mode) => mode === 'PPCIE'))
  if (isBoard) return
  const inPpcie = gpus.filter((g) => possibleModes(g.claims).every((mode) => mode === 'PPCIE')).length
  // Where the policy does not allow the mode at all, each GPU is refused for that.
  if (inPpcie > 0 && (rule.modes === 'any' || rule.modes.includes('PPCIE'))) {
    report('GPU_TOPOLOGY_INCOMPLETE', 'gpu.board', '', {
      expected: `${PPCIE_BOARD_GPUS} GPUs in PPCIE mode and ${PPCIE_BOARD_SWITCHES} switches`,
      actual: `${inPpcie} in PPCIE mode of ${shown('nvidia/gpu-report')} GPUs, ${switches} switches`,
    })
  }
  const hopper = gpus.filter((g) => g.claims.architecture === 'HOPPER').length
  if (hopper < 2 || acceptsRisk(policy, 'plain-nvlink')) return
  report('GPU_NVLINK_NOT_PROTECTED', 'gpu.nvLink', '', {
    expected: 'one GPU, a whole board in PPCIE mode, or "plain-nvlink" in acceptRisks',
    actual: `${hopper} Hopper GPUs, ${switches} switches`,
    source: 'policy#/acceptRisks',
  })
}

/**
 * Modes that fit the report. The PPCIE status of older drivers tells PPCIE from the other two, and no more; a report that
 * says PPCIE in either field has CC mode off.
 */
function possibleModes({ featureFlag, protectedPcie }: GpuClaims): readonly GpuMode[] {
  if (protectedPcie === true) return ['PPCIE']
  if (featureFlag !== undefined) return [featureFlag]
  return protectedPcie === undefined ? ['SPT', 'MPT', 'PPCIE'] : ['SPT', 'MPT']
}

function device(rule: GpuRule, lease: LeaseTerms | null, { claims }: Gpu, report: Report): void {
  const { model } = claims
  if (rule.models !== 'any') {
    const expected = rule.models.join(' | ')
    if (model === undefined)
      report('APPRAISAL_CLAIM_MISSING', 'model', '/models', { expected, actual: boardOf(claims) })
    else if (!rule.models.includes(model)) report('GPU_MODEL_MISMATCH', 'model', '/models', { expected, actual: model })
  }
  leasedModel(lease, claims, report)
  mode(rule, claims, report)
  version(
    'driverVersion',
    claims.driverVersion,
    rule.minDriver,
    rule.denyDrivers,
    10,
    '/minDriver',
    '/denyDrivers',
    report,
  )
  version('vbiosVersion', claims.vbiosVersion, rule.minVbios, rule.denyVbios, 16, '/minVbios', '/denyVbios', report)
  if (rule.deviceIds !== 'any' && !rule.deviceIds.includes(claims.ikSerial)) {
    report('GPU_DEVICE_NOT_ALLOWED', 'ikSerial', '/deviceIds', {
      expected: `one of ${rule.deviceIds.length} in the policy`,
      actual: claims.ikSerial,
    })
  }
}

/** What the report says of a product that our table does not name. */
const boardOf = ({ project, projectSku, chipSku }: GpuClaims): string =>
  `an unknown board: project ${project}, SKU ${projectSku}, chip SKU ${chipSku}`

function leasedModel(lease: LeaseTerms | null, claims: GpuClaims, report: Report): void {
  const { model } = claims
  if (lease?.gpuModel === undefined) return
  const [expected, source] = [`${lease.gpuModel}, as leased`, 'lease#/gpuModel']
  if (model === undefined)
    report('APPRAISAL_CLAIM_MISSING', 'model', '/models', { expected, actual: boardOf(claims), source })
  else if (model.toUpperCase() !== lease.gpuModel.toUpperCase())
    report('GPU_MODEL_MISMATCH', 'model', '/models', { expected, actual: model, source })
}

function mode(rule: GpuRule, claims: GpuClaims, report: Report): void {
  if (rule.modes === 'any') return
  const allowed = rule.modes
  const possible = possibleModes(claims)
  const expected = allowed.join(' | ')
  if (possible.every((m) => allowed.includes(m))) return
  if (possible.some((m) => allowed.includes(m))) {
    report('GPU_MODE_UNKNOWN', 'featureFlag', '/modes', { expected, actual: `not reported; ${possible.join(' or ')}` })
    return
  }
  // A GPU in PPCIE mode has CC mode off: one is set instead of the other, and the remedy is to set it.
  const code = possible.every((m) => m === 'PPCIE') ? 'GPU_CC_MODE' : 'GPU_MODE_NOT_ALLOWED'
  report(code, 'featureFlag', '/modes', { expected, actual: possible.join(' or ') })
}

function version(
  claim: string,
  actual: string,
  minimum: string,
  denied: GpuRule['denyDrivers'],
  radix: 10 | 16,
  minimumAt: string,
  deniedAt: string,
  report: Report,
): void {
  // A version that cannot be compared is not known to be new enough, nor to be another than a bad one.
  if ((compareVersions(actual, minimum, radix) ?? -1) < 0) {
    report('GPU_VERSION_BELOW_MINIMUM', claim, minimumAt, { expected: `at least ${minimum}`, actual })
  }
  if (denied !== 'none' && denied.some((bad) => (compareVersions(actual, bad, radix) ?? 0) === 0)) {
    report('GPU_VERSION_BELOW_MINIMUM', claim, deniedAt, { expected: `none of ${denied.join(', ')}`, actual })
  }
}

/** Reference manifests and revocation, which hold for switches as they do for GPUs. */
function provenance(rule: GpuRule, item: Gpu | Switch, report: Report): void {
  const { measurements } = item.claims
  if (rule.rim === 'required') {
    if (measurements.status === 'unavailable') {
      report('GPU_RIM_UNAVAILABLE', 'measurements', '/rim', {
        expected: measurements.missing.join(', '),
        actual: 'none',
      })
    } else if (measurements.status === 'mismatch') {
      const indexes = measurements.mismatched.map((m) => m.index).join(', ')
      report('GPU_MEASUREMENT_MISMATCH', 'measurements', '/rim', {
        expected: 'no mismatch',
        actual: `index ${indexes}`,
      })
    }
  }
  if (rule.revocation === 'none') return
  const missing = rule.revocation === 'stapled' ? 'OCSP_MISSING' : 'GPU_OCSP_UNAVAILABLE'
  if (rule.revocation === 'required') {
    for (const { chain } of item.revocation.filter((r) => r.stapled)) {
      report('GPU_OCSP_UNAVAILABLE', `revocation.${chain}`, '/revocation', {
        expected: 'answers that the verifier obtained',
        actual: 'supplied with the evidence',
      })
    }
  }
  appraiseRevocation(item, 'nvidia-device', missing, '/revocation', report)
  // Without manifests there is no chain of theirs.
  if (rule.rim === 'required' && measurements.status !== 'unavailable') {
    appraiseRevocation(item, 'nvidia-rim', 'OCSP_MISSING', '/revocation', report)
  }
}
