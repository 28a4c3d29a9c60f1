export { type IntelAuthority, type IntelPkiOptions, intelAuthority } from './authority.ts'
export type { IntelCertificateEdits, IntelExtension } from './certificate.ts'
export { collateralFiles, type IntelCollateral, type PcsAnswer, pcsAnswers, quoteCollateralV3 } from './collateral.ts'
export { qeIdentityContent, type TcbInfoSpec, tcbInfoContent } from './documents.ts'
export { bits64, type FieldValues, type Patch as FieldPatch } from './fields.ts'
export { edited as editedJson, type JsonPath } from './json-edits.ts'
export {
  type IntelMachine,
  SGX_FAULTS,
  type SgxFault,
  type SgxMachine,
  type SgxMachineOptions,
  sgxMachine,
  TDX_FAULTS,
  type TdxFault,
  type TdxMachine,
  type TdxMachineOptions,
  tdxMachine,
} from './machine.ts'
export {
  ENCLAVE_ATTRIBUTES,
  type IntelMachineOptions,
  QE_ATTRIBUTES,
  TCB_EVALUATION_DATA_NUMBER,
  TD_ATTRIBUTES,
  TD_XFAM,
  teeTcbSvn,
} from './machine-plan.ts'
export {
  INTEL_NAMES,
  INTEL_TEST_TIME,
  INTEL_VENDOR_ID,
  type IntelAuthorityRole,
  type PckCa,
  QUOTING_ENCLAVES,
} from './names.ts'
export { PCK_VALIDITY, type Pck, type PckEdits } from './pck.ts'
export { createIntelTestPki, type IntelCrlSpec, type IntelTestPki } from './pki.ts'
export type { IntelFaultEntry, IntelFaultNeeds, IntelFaultStage, IntelFaultTable } from './plan.ts'
export type { QuoteOffsets } from './quote.ts'
export {
  QUOTE_HEADER_FIELDS,
  type QuoteBodyKind,
  type QuoteHeader,
  SGX_REPORT_FIELDS,
  type SgxReport,
  TD_REPORT_FIELDS,
  type TdReport,
} from './report-fields.ts'
export {
  type PlatformFacts,
  SGX_ARC,
  SGX_OID,
  type SgxEntry,
  type SgxExtensionEdits,
  TCB_ARC,
} from './sgx-extension.ts'
export {
  type LevelStatus,
  MODULE_LEVELS,
  PLATFORM_LEVELS,
  type PlatformLevel,
  platformLevel,
  QE_LEVELS,
  type SvnLevel,
} from './world.ts'
