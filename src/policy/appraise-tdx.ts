import type { TdxClaims } from '../attestation/claims.ts'
import type { Code } from '../core/codes.ts'
import type { Report } from './appraisal.ts'
import { appraiseDcap, type DcapPolicyCodes, listed, oneOfMany } from './appraise-dcap.ts'
import { RTMR_INDEXES } from './measurement.ts'
import type { AllowList, TdxRule } from './policy.ts'

const CODES: DcapPolicyCodes = {
  tcbOutOfDate: 'TDX_TCB_OUT_OF_DATE',
  qeTcbOutOfDate: 'TDX_QE_TCB_OUT_OF_DATE',
  moduleOutOfDate: 'TDX_MODULE_OUT_OF_DATE',
  tcbStatusNotAllowed: 'TDX_TCB_STATUS_NOT_ALLOWED',
  advisoryPresent: 'TDX_ADVISORY_PRESENT',
  tcbDateBelowMinimum: 'TDX_TCB_DATE_BELOW_MINIMUM',
  platformDenied: 'TDX_PLATFORM_DENIED',
  platformNotAllowed: 'TDX_PLATFORM_NOT_ALLOWED',
  smtEnabled: 'TDX_SMT_ENABLED',
}

const ZERO = /^0*$/

/**
 * Holds one TDX quote against the rules for TDX and reports every rule that is not met: codes of the group TDX,
 * COLLATERAL_EVALUATION_TOO_LOW and APPRAISAL_CLAIM_MISSING. What reference values say is judged apart.
 */
export function appraiseTdx(rule: TdxRule, claims: TdxClaims, report: Report): void {
  appraiseDcap(rule, claims, CODES, report)
  attributes(rule, claims, report)
  const digest = (code: Code, claim: string, at: string, list: AllowList<string>, actual: string) => {
    // Policies cannot list zero, so a register that nothing was measured into matches nothing.
    if (!listed(list, actual))
      report(code, claim, at, { expected: oneOfMany(list), actual: ZERO.test(actual) ? 'none' : actual })
  }
  digest('TDX_MEASUREMENT_UNKNOWN', 'mrSeam', '/mrSeam', rule.mrSeam, claims.mrSeam)
  digest('TDX_MEASUREMENT_UNKNOWN', 'mrTd', '/mrTd', rule.mrTd, claims.mrTd)
  for (const i of RTMR_INDEXES) {
    digest('TDX_MEASUREMENT_UNKNOWN', `rtmrs[${i}]`, `/rtmr/${i}`, rule.rtmr[i], claims.rtmrs[Number(i)] ?? '')
  }
  for (const name of ['mrConfigId', 'mrOwner', 'mrOwnerConfig'] as const) {
    digest('TDX_CONFIG_MISMATCH', name, `/${name}`, rule[name], claims[name])
  }
}

function attributes(rule: TdxRule, claims: TdxClaims, report: Report): void {
  const { tdAttributes: bits } = claims
  const asked = rule.tdAttributes
  const weakening = [
    ['debug', 'TDX_DEBUG'],
    ['migratable', 'TDX_ATTRIBUTE_FORBIDDEN'],
    ['perfmon', 'TDX_ATTRIBUTE_FORBIDDEN'],
    ['pks', 'TDX_ATTRIBUTE_FORBIDDEN'],
    ['keyLocker', 'TDX_ATTRIBUTE_FORBIDDEN'],
  ] as const
  for (const [name, code] of weakening) {
    if (asked[name] === 'forbidden' && bits[name]) {
      report(code, `tdAttributes.${name}`, `/tdAttributes/${name}`, { expected: 'false', actual: 'true' })
    }
  }
  if (asked.septVeDisable === 'required' && !bits.septVeDisable) {
    report('TDX_SEPT_VE_ENABLED', 'tdAttributes.septVeDisable', '/tdAttributes/septVeDisable', {
      expected: 'true',
      actual: 'false',
    })
  }
  if (asked.unknownBits === 'refused' && !ZERO.test(bits.unknownBits)) {
    report('TDX_ATTRIBUTE_RESERVED_BIT', 'tdAttributes.unknownBits', '/tdAttributes/unknownBits', {
      expected: '0',
      actual: bits.unknownBits,
    })
  }
  if (!listed(rule.xfam, claims.xfam)) {
    report('TDX_ATTRIBUTE_FORBIDDEN', 'xfam', '/xfam', { expected: oneOfMany(rule.xfam), actual: claims.xfam })
  }
  const serviceTd = claims.mrServiceTd ?? ''
  if (!ZERO.test(serviceTd) && (rule.serviceTds === 'none' || !rule.serviceTds.includes(serviceTd))) {
    report('TDX_SERVICE_TD_NOT_ALLOWED', 'mrServiceTd', '/serviceTds', {
      expected: rule.serviceTds === 'none' ? 'none' : oneOfMany(rule.serviceTds),
      actual: serviceTd,
    })
  }
}
