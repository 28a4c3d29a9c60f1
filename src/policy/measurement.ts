import type { CpuClaims } from '../attestation/claims.ts'
import type { Code } from '../core/codes.ts'
import type { AllowList, CpuRule, RtmrIndex } from './policy.ts'

export const MEASUREMENT_UNKNOWN = {
  'amd/snp-report': 'SNP_MEASUREMENT_UNKNOWN',
  'intel/tdx-quote': 'TDX_MEASUREMENT_UNKNOWN',
  'intel/sgx-quote': 'SGX_MEASUREMENT_UNKNOWN',
} as const satisfies Record<CpuClaims['kind'], Code>

/**
 * Whether an alternative by itself says what was launched, so that evidence that meets it is measured. SNP: MEASUREMENT.
 * TDX: MRTD with RTMR0 to RTMR2, since MRTD is the firmware alone, and the owner of a machine may let the genuine one load
 * anything. SGX: MRENCLAVE, or MRSIGNER with ISVPRODID and ISVSVN, since a signer alone admits all it ever signed.
 */
export function pinsLaunch(rule: CpuRule): boolean {
  switch (rule.platform) {
    case 'amd/snp':
      return rule.measurements !== 'any'
    case 'intel/tdx':
      return rule.mrTd !== 'any' && (['0', '1', '2'] as const).every((i) => rule.rtmr[i] !== 'any')
    case 'intel/sgx':
      return rule.mrEnclave !== 'any' || (rule.mrSigner !== 'any' && rule.isvProdId !== 'any' && rule.minIsvSvn > 0)
  }
}

/** Members of an alternative that together pin what was launched, for whoever has to be told what is missing. */
export const PINNING_MEMBERS = {
  'amd/snp': 'measurements',
  'intel/tdx': 'mrTd and rtmr 0, 1 and 2',
  'intel/sgx': 'mrEnclave, or mrSigner with isvProdId and minIsvSvn',
} as const satisfies Record<CpuRule['platform'], string>

/** Member to which a missing measurement is pointed. */
export const MEASUREMENT_MEMBER = {
  'amd/snp': 'measurements',
  'intel/tdx': 'mrTd',
  'intel/sgx': 'mrEnclave',
} as const satisfies Record<CpuRule['platform'], string>

/** What was launched, as reference values name it; `referenceMeasurement` writes the same for a published value. */
export function launchMeasurement(claims: CpuClaims): { readonly claim: string; readonly text: string } {
  switch (claims.kind) {
    case 'amd/snp-report':
      return { claim: 'measurement', text: claims.measurement }
    case 'intel/tdx-quote':
      return { claim: 'mrTd', text: tdMeasurement(claims.mrTd, claims.rtmrs) }
    case 'intel/sgx-quote':
      return { claim: 'mrEnclave', text: claims.mrEnclave }
  }
}

/** MRTD and RTMR0 to RTMR2 as one text. */
export const tdMeasurement = (mrTd: string, [rtmr0, rtmr1, rtmr2]: readonly string[]): string =>
  [mrTd, rtmr0, rtmr1, rtmr2].join(' ')

const isListed = <T>(list: AllowList<T>, value: T): boolean => list === 'any' || list.includes(value)

/** Whether evidence shows what the alternative lists of these digests. False for evidence of another kind. */
export function meetsPins(rule: CpuRule, claims: CpuClaims): boolean {
  if (rule.platform === 'amd/snp' && claims.kind === 'amd/snp-report')
    return isListed(rule.measurements, claims.measurement)
  if (rule.platform === 'intel/tdx' && claims.kind === 'intel/tdx-quote') {
    const rtmrs = RTMR_INDEXES.every((i) => isListed(rule.rtmr[i], claims.rtmrs[Number(i)] ?? ''))
    return isListed(rule.mrTd, claims.mrTd) && rtmrs
  }
  if (rule.platform === 'intel/sgx' && claims.kind === 'intel/sgx-quote') {
    const signed = isListed(rule.mrSigner, claims.mrSigner) && isListed(rule.isvProdId, claims.isvProdId)
    return isListed(rule.mrEnclave, claims.mrEnclave) && signed && claims.isvSvn >= rule.minIsvSvn
  }
  return false
}

export const RTMR_INDEXES = ['0', '1', '2', '3'] as const satisfies readonly RtmrIndex[]
