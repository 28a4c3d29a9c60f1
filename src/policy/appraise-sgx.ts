import type { SgxClaims } from '../attestation/claims.ts'
import type { Report } from './appraisal.ts'
import { appraiseDcap, type DcapPolicyCodes, listed, oneOfMany } from './appraise-dcap.ts'
import type { SgxRule } from './policy.ts'

const CODES: DcapPolicyCodes = {
  tcbOutOfDate: 'SGX_TCB_OUT_OF_DATE',
  qeTcbOutOfDate: 'SGX_QE_TCB_OUT_OF_DATE',
  moduleOutOfDate: undefined,
  tcbStatusNotAllowed: 'SGX_TCB_STATUS_NOT_ALLOWED',
  advisoryPresent: 'SGX_ADVISORY_PRESENT',
  tcbDateBelowMinimum: 'SGX_TCB_DATE_BELOW_MINIMUM',
  platformDenied: 'SGX_PLATFORM_DENIED',
  platformNotAllowed: 'SGX_PLATFORM_NOT_ALLOWED',
  smtEnabled: 'SGX_SMT_ENABLED',
}

/**
 * Holds one SGX quote against the rules for SGX and reports every rule that is not met: codes of the group SGX,
 * COLLATERAL_EVALUATION_TOO_LOW and APPRAISAL_CLAIM_MISSING. What reference values say is judged apart.
 */
export function appraiseSgx(rule: SgxRule, claims: SgxClaims, report: Report): void {
  appraiseDcap(rule, claims, CODES, report)
  const weakening = [
    ['debug', 'SGX_DEBUG'],
    ['provisionKey', 'SGX_ATTRIBUTE_FORBIDDEN'],
    ['einitTokenKey', 'SGX_ATTRIBUTE_FORBIDDEN'],
  ] as const
  for (const [name, code] of weakening) {
    if (rule.attributes[name] === 'forbidden' && claims[name])
      report(code, name, `/attributes/${name}`, { expected: 'false', actual: 'true' })
  }
  for (const name of ['mrEnclave', 'mrSigner'] as const) {
    if (!listed(rule[name], claims[name]))
      report('SGX_MEASUREMENT_UNKNOWN', name, `/${name}`, { expected: oneOfMany(rule[name]), actual: claims[name] })
  }
  if (!listed(rule.isvProdId, claims.isvProdId)) {
    report('SGX_MEASUREMENT_UNKNOWN', 'isvProdId', '/isvProdId', {
      expected: oneOfMany(rule.isvProdId),
      actual: claims.isvProdId,
    })
  }
  if (claims.isvSvn < rule.minIsvSvn) {
    report('SGX_MEASUREMENT_UNKNOWN', 'isvSvn', '/minIsvSvn', {
      expected: `at least ${rule.minIsvSvn}`,
      actual: claims.isvSvn,
    })
  }
  if (!listed(rule.configId, claims.configId)) {
    report('SGX_CONFIG_MISMATCH', 'configId', '/configId', {
      expected: oneOfMany(rule.configId),
      actual: /^0*$/.test(claims.configId) ? 'none' : claims.configId,
    })
  }
}
