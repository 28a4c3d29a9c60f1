export type {
  Appraisal,
  AppraisalFault,
  AppraisalSubject,
  AppraisedItem,
  FirmwareFloors,
  LeaseTerms,
  Statement,
} from './appraisal.ts'
export { appraise } from './appraise.ts'
export { compose } from './compose.ts'
export { canonicalPolicy, policyDigest } from './digest.ts'
export { SCHEMA_ID } from './document.ts'
export { type Explanation, explainPolicy } from './explain.ts'
export { parsePolicy, presetPolicy } from './parse.ts'
export {
  type AllowList,
  acceptsRisk,
  type BitRule,
  type CpuRule,
  type GpuMode,
  type GpuRule,
  type KeyReleaseRule,
  type Policy,
  type ReferenceValueRule,
  type Risk,
  type SgxRule,
  type SignerKey,
  type SnpGuestPolicyRule,
  type SnpPlatformInfoRule,
  type SnpRule,
  type SnpTcbMinimum,
  type TdxRule,
} from './policy.ts'
export { isPresetName, PRESET_NAMES, type PresetName } from './presets.ts'
export {
  type AuthenticReferenceValue,
  authenticateReferenceValue,
  GUARANTEES,
  type Guarantee,
  REFERENCE_VALUE_TYPE,
  type ReferenceValue,
} from './reference-values.ts'
export { POLICY_SCHEMA } from './schema.ts'
