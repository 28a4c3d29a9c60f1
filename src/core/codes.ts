import { AGENT_CODES } from './codes/agent.ts'
import { AKASH_CODES } from './codes/akash.ts'
import { AUDIT_CODES } from './codes/audit.ts'
import { BINDING_CODES } from './codes/binding.ts'
import { CBOR_CODES } from './codes/cbor.ts'
import { COLLATERAL_CODES } from './codes/collateral.ts'
import { COLLECT_CODES } from './codes/collect.ts'
import { DOCTOR_CODES } from './codes/doctor.ts'
import { ENVELOPE_CODES } from './codes/envelope.ts'
import { EVENT_LOG_CODES } from './codes/event-log.ts'
import { GATE_CODES } from './codes/gate.ts'
import { INTEL_CODES } from './codes/intel.ts'
import { LIMIT_CODES } from './codes/limits.ts'
import { NITRO_CCA_CODES } from './codes/nitro-cca.ts'
import { NVIDIA_CODES } from './codes/nvidia.ts'
import { OCICRYPT_CODES } from './codes/ocicrypt.ts'
import { POLICY_CODES } from './codes/policy.ts'
import { RELEASE_CODES } from './codes/release.ts'
import { RESULT_CODES } from './codes/result.ts'
import { RIM_CODES } from './codes/rim.ts'
import { SERVICE_CODES } from './codes/service.ts'
import { SEV_SNP_CODES } from './codes/sev-snp.ts'
import { TIME_CODES } from './codes/time.ts'
import { TPM_CODES } from './codes/tpm.ts'
import { WEIGHTS_CODES } from './codes/weights.ts'
import { X509_CODES } from './codes/x509.ts'

export type { CodeEntry } from './codes/entry.ts'

/**
 * Every code a finding can carry, by area. Guarantee: a code never disappears, and neither its meaning nor its verdict
 * changes; title and hint may be worded better. The verdict of a finding is always the verdict written here.
 * A new code goes into its area's file as AREA_OBJECT_CONDITION; titles are unique, hints have one to three plain sentences.
 */
export const CODES = {
  ...LIMIT_CODES,
  ...ENVELOPE_CODES,
  ...BINDING_CODES,
  ...SEV_SNP_CODES,
  ...NVIDIA_CODES,
  ...RIM_CODES,
  ...X509_CODES,
  ...COLLATERAL_CODES,
  ...POLICY_CODES,
  ...INTEL_CODES,
  ...EVENT_LOG_CODES,
  ...CBOR_CODES,
  ...NITRO_CCA_CODES,
  ...TPM_CODES,
  ...GATE_CODES,
  ...AUDIT_CODES,
  ...RESULT_CODES,
  ...RELEASE_CODES,
  ...AKASH_CODES,
  ...SERVICE_CODES,
  ...OCICRYPT_CODES,
  ...AGENT_CODES,
  ...COLLECT_CODES,
  ...DOCTOR_CODES,
  ...TIME_CODES,
  ...WEIGHTS_CODES,
} as const

export type Code = keyof typeof CODES

/** Whether `s` names a code of the table itself; inherited names such as `constructor` do not. */
export const isCode = (s: string): s is Code => Object.hasOwn(CODES, s)
