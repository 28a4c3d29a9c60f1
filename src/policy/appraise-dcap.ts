import type { DcapTcbClaims, PckClaims, TcbLevelClaims } from '../attestation/claims.ts'
import type { Code } from '../core/codes.ts'
import type { Report } from './appraisal.ts'
import type { AllowList, DcapRule } from './policy.ts'

/** The codes of one TEE for rules that TDX and SGX share. */
export interface DcapPolicyCodes {
  readonly tcbOutOfDate: Code
  readonly qeTcbOutOfDate: Code
  /** undefined for SGX, which has no module */
  readonly moduleOutOfDate: Code | undefined
  readonly tcbStatusNotAllowed: Code
  readonly advisoryPresent: Code
  readonly tcbDateBelowMinimum: Code
  readonly platformDenied: Code
  readonly platformNotAllowed: Code
  readonly smtEnabled: Code
}

export const listed = <T>(list: AllowList<T>, value: T): boolean => list === 'any' || list.includes(value)
/** A list of digests is the policy author's secret in some policies: its length is told, never an entry. */
export const oneOfMany = (list: AllowList<unknown>): string => `one of ${list.length} in the policy`

/**
 * Holds what Intel says about a platform against the rules that TDX and SGX share: TCB status, advisories, evaluation number
 * and date, and which platforms may be used. Where Intel's collateral was not there the item itself is inconclusive, and
 * nothing is repeated here.
 */
export function appraiseDcap(
  rule: DcapRule,
  { pck, tcb }: { readonly pck: PckClaims; readonly tcb: DcapTcbClaims | undefined },
  codes: DcapPolicyCodes,
  report: Report,
): void {
  platform(rule, pck, codes, report)
  if (tcb === undefined) return
  status(rule, tcb, codes, report)
  advisories(rule, tcb, codes, report)
  for (const name of ['tcbEvaluationDataNumber', 'qeEvaluationDataNumber'] as const) {
    if (tcb[name] >= rule.minTcbEvaluationDataNumber) continue
    report('COLLATERAL_EVALUATION_TOO_LOW', `tcb.${name}`, '/minTcbEvaluationDataNumber', {
      expected: `at least ${rule.minTcbEvaluationDataNumber}`,
      actual: tcb[name],
    })
  }
  if (rule.minTcbDate !== 'any' && tcb.tcbDate.slice(0, 10) < rule.minTcbDate) {
    report(codes.tcbDateBelowMinimum, 'tcb.tcbDate', '/minTcbDate', {
      expected: `${rule.minTcbDate} or later`,
      actual: tcb.tcbDate,
    })
  }
}

/** The converged status decides; what brought it there is told, each under its own code. */
function status(rule: DcapRule, tcb: DcapTcbClaims, codes: DcapPolicyCodes, report: Report): void {
  const accepted = (level: Pick<TcbLevelClaims, 'status'>) => rule.tcbStatus.some((s) => s === level.status)
  if (accepted(tcb)) return
  const expected = rule.tcbStatus.join(' | ')
  let told = false
  const tell = (code: Code | undefined, claim: string, level: TcbLevelClaims | undefined, components: RegExp) => {
    if (code === undefined || level === undefined || !level.status.startsWith('OutOfDate')) return
    told = true
    const raise = tcb.deficits.filter((d) => components.test(d.component))
    const detail = raise.map((d) => `${d.component} ${d.actual}, needs ${d.required} (${d.raisedBy})`).join('; ')
    report(code, claim, '/tcbStatus', {
      expected,
      actual: detail === '' ? `${level.status} of ${level.tcbDate}` : `${level.status} of ${level.tcbDate}: ${detail}`,
    })
  }
  tell(codes.tcbOutOfDate, 'tcb.platform.status', tcb.platform, /^(sgxtcb|pcesvn|tdxtcb)/)
  tell(codes.moduleOutOfDate, 'tcb.module.status', tcb.module, /^tdxModule/)
  tell(codes.qeTcbOutOfDate, 'tcb.qe.status', tcb.qe, /^qe/)
  if (!told) report(codes.tcbStatusNotAllowed, 'tcb.status', '/tcbStatus', { expected, actual: tcb.status })
}

function advisories(rule: DcapRule, { advisoryIds }: DcapTcbClaims, codes: DcapPolicyCodes, report: Report): void {
  const denied = rule.denyAdvisories
  for (const id of advisoryIds) {
    if (denied !== 'none' && denied.includes(id)) {
      report(codes.advisoryPresent, 'tcb.advisoryIds', '/denyAdvisories', { expected: `${id} absent`, actual: id })
    } else if (!listed(rule.advisories, id)) {
      report(codes.advisoryPresent, 'tcb.advisoryIds', '/advisories', {
        expected: rule.advisories === 'any' ? 'any' : rule.advisories.join(' | '),
        actual: id,
      })
    }
  }
}

function platform(rule: DcapRule, pck: PckClaims, codes: DcapPolicyCodes, report: Report): void {
  const ids = [pck.ppid, pck.platformInstanceId].filter((id) => id !== undefined)
  const denied = rule.denyPlatforms
  const hit = denied === 'none' ? undefined : [pck.fmspc, ...ids].find((id) => denied.includes(id))
  if (hit !== undefined) {
    report(codes.platformDenied, hit === pck.fmspc ? 'pck.fmspc' : 'pck.ppid', '/denyPlatforms', {
      expected: 'a platform that the policy does not deny',
      actual: hit,
    })
  }
  if (!listed(rule.fmspcs, pck.fmspc)) {
    report(codes.platformNotAllowed, 'pck.fmspc', '/fmspcs', { expected: oneOfMany(rule.fmspcs), actual: pck.fmspc })
  }
  if (rule.platforms !== 'any' && !ids.some((id) => listed(rule.platforms, id))) {
    report(codes.platformNotAllowed, 'pck.ppid', '/platforms', {
      expected: oneOfMany(rule.platforms),
      actual: ids.join(' or '),
    })
  }
  if (rule.smt === 'forbidden' && pck.smtEnabled !== false) {
    if (pck.smtEnabled === undefined)
      report('APPRAISAL_CLAIM_MISSING', 'pck.smtEnabled', '/smt', { expected: 'false', actual: 'none' })
    else report(codes.smtEnabled, 'pck.smtEnabled', '/smt', { expected: 'false', actual: 'true' })
  }
}
