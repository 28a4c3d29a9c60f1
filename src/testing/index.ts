/*
 * The published test kit: vendor hierarchies of our own, a synthesiser of evidence, and faults to put into it. Everything is
 * deterministic and nothing made by it is trusted by anything: its roots have to be injected, and a decision then says so.
 */

export {
  type AmdAuthority,
  type AmdTestPkiOptions,
  AUTHORITY_VALIDITY,
  type AuthorityExtension,
  type AuthorityOverrides,
} from './amd/authority.ts'
export { chosenKey } from './amd/chosen-key.ts'
export {
  type AmdVek,
  LEAF_VALIDITY,
  type LeafExtensionEdits,
  type LeafOverrides,
} from './amd/leaf.ts'
export { AMD_FAULTS, type AmdFault, type AmdMachine, type AmdMachineOptions, amdMachine } from './amd/machine.ts'
export { type AmdCrlSpec, type AmdTestPki, createAmdTestPki, type VcekSpec, type VlekSpec } from './amd/pki.ts'
export type {
  AmdFaultEntry,
  AmdFaultNeeds,
  AmdFaultStage,
  MachineCrl as AmdMachineCrl,
  MachineReport as AmdMachineReport,
} from './amd/plan.ts'
export {
  AMD_NAMES,
  type AmdProduct,
  type AmdTcb,
  type AuthorityRole,
  LEAF_OID,
  type LeafExtensionName,
  tcbVersion,
  type VekKind,
} from './amd/products.ts'
export {
  type BytePatch,
  SNP_REPORT_BYTES,
  SNP_REPORT_FIELDS,
  SNP_SIGNED_BYTES,
  type SnpFieldName,
  type SnpReportBodySpec,
  type SnpReportFields,
  type SnpReportSpec,
  snpReport,
  snpReportBody,
  TEST_MEASUREMENT,
  testChipId,
} from './amd/report.ts'
export { cocoSnpEvidence } from './amd/sev-crate.ts'
export type { SnpSignature } from './amd/signature.ts'
export { certificateTable, TABLE_GUID, type TableEntry, type TableOptions } from './amd/table.ts'
export { anchorFromCertificate } from './anchor.ts'
export { CCA_FAULTS, type CcaFault } from './cca/faults.ts'
export {
  CCA_CLAIM,
  type CcaEvidence,
  type CcaHalf,
  type CcaPlan,
  type CcaSpec,
  ccaToken,
  withClaim,
} from './cca/token.ts'
export {
  CCEL_BOOT,
  CCEL_FAULTS,
  type CcelArea,
  type CcelFault,
  type CcelSpec,
  ccelLog,
  ccelTable,
  type TestCcelEvent,
  uefiVariableData,
} from './event-log/ccel.ts'
export {
  DSTACK_BOOT,
  DSTACK_FAULTS,
  type DstackFault,
  type DstackSpec,
  dstackLog,
  TEST_COMPOSE,
  type TestDstackEvent,
} from './event-log/dstack.ts'
export type { LogFault, TestEventLog } from './event-log/registers.ts'
export { type IntelAuthority, type IntelPkiOptions, intelAuthority } from './intel/authority.ts'
export type { IntelCertificateEdits, IntelExtension } from './intel/certificate.ts'
export {
  collateralFiles,
  type IntelCollateral,
  type PcsAnswer,
  pcsAnswers,
  quoteCollateralV3,
} from './intel/collateral.ts'
export { qeIdentityContent, type TcbInfoSpec, tcbInfoContent } from './intel/documents.ts'
export { bits64, type FieldValues, type Patch as FieldPatch } from './intel/fields.ts'
export { edited as editedJson, type JsonPath } from './intel/json-edits.ts'
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
} from './intel/machine.ts'
export {
  ENCLAVE_ATTRIBUTES,
  type IntelMachineOptions,
  QE_ATTRIBUTES,
  TCB_EVALUATION_DATA_NUMBER,
  TD_ATTRIBUTES,
  TD_XFAM,
  teeTcbSvn,
} from './intel/machine-plan.ts'
export {
  INTEL_NAMES,
  INTEL_TEST_TIME,
  INTEL_VENDOR_ID,
  type IntelAuthorityRole,
  type PckCa,
  QUOTING_ENCLAVES,
} from './intel/names.ts'
export { PCK_VALIDITY, type Pck, type PckEdits } from './intel/pck.ts'
export { createIntelTestPki, type IntelCrlSpec, type IntelTestPki } from './intel/pki.ts'
export type { IntelFaultEntry, IntelFaultNeeds, IntelFaultStage, IntelFaultTable } from './intel/plan.ts'
export type { QuoteOffsets } from './intel/quote.ts'
export {
  QUOTE_HEADER_FIELDS,
  type QuoteBodyKind,
  type QuoteHeader,
  SGX_REPORT_FIELDS,
  type SgxReport,
  TD_REPORT_FIELDS,
  type TdReport,
} from './intel/report-fields.ts'
export {
  type PlatformFacts,
  SGX_ARC,
  SGX_OID,
  type SgxEntry,
  type SgxExtensionEdits,
  TCB_ARC,
} from './intel/sgx-extension.ts'
export {
  type LevelStatus,
  MODULE_LEVELS,
  PLATFORM_LEVELS,
  type PlatformLevel,
  platformLevel,
  QE_LEVELS,
  type SvnLevel,
} from './intel/world.ts'
export {
  NITRO_TEST_TIME,
  type NitroEvidence,
  type NitroPlan,
  type NitroSpec,
  nitroDocument,
} from './nitro/document.ts'
export { NITRO_FAULTS, type NitroFault } from './nitro/faults.ts'
export { type NitroCertificateEdit, type NitroChain, type NitroRole, nitroChain } from './nitro/pki.ts'
export { type AkashPacking, type AkashPackingFault, akashGpuReport } from './nvidia/akash.ts'
export {
  ARCHITECTURES,
  activeIndexes,
  type GpuArchitecture,
  type NvidiaArchitecture,
  type RimKind,
} from './nvidia/architectures.ts'
export type { DeviceRole, DeviceSpec, NvidiaDevice } from './nvidia/device-pki.ts'
export type { Fault } from './nvidia/fault.ts'
export { goldenAlternatives, goldenValues, reportedMeasurements } from './nvidia/golden.ts'
export type { CertificateEdit, IssuedCertificate } from './nvidia/issue.ts'
export {
  type MachineDevice,
  type MachineOcspResponse,
  type NvidiaFault,
  type NvidiaMachine,
  type NvidiaMachineSpec,
  nvidiaFaults,
  nvidiaMachine,
} from './nvidia/machine.ts'
export { MACHINE_FAULTS } from './nvidia/machine-faults.ts'
export type { GpuEdits, SwitchEdits } from './nvidia/machine-plan.ts'
export { hoursAfter, OCSP_FAULTS, type OcspFault, type OcspSpec } from './nvidia/ocsp.ts'
export {
  addOpaque,
  dropOpaque,
  duplicateOpaque,
  type FeatureFlag,
  inTurn,
  lieAboutOpaqueSize,
  OPAQUE,
  type OpaqueEdit,
  type OpaqueField,
  type OpaqueGeneration,
  packVbiosVersion,
  reverseOpaque,
  setOpaque,
} from './nvidia/opaque.ts'
export { createNvidiaTestPki, NVIDIA_TEST_TIME, type NvidiaTestPki } from './nvidia/pki.ts'
export { BOARDS, type GpuReportSpec, gpuReport, type SwitchReportSpec, switchReport } from './nvidia/report.ts'
export { REPORT_FAULTS, type ReportFault } from './nvidia/report-faults.ts'
export { RIM_FAULTS, type Rim, type RimFault, type RimSpec, rim, rimId } from './nvidia/rim.ts'
export { hashAttributes, type RimContent, type RimResource } from './nvidia/rim-document.ts'
export { paddedTo, withCanonicalText } from './nvidia/rim-faults-xml.ts'
export type { RimChain, RimChainSpec, RimRole } from './nvidia/rim-pki.ts'
export type { RimPlan } from './nvidia/rim-plan.ts'
export type { MeasurementBlock, SignatureForm, SpdmFields } from './nvidia/spdm.ts'
export { algorithmIdentifier, type SignatureSpec } from './pki/algorithms.ts'
export * as cbor from './pki/cbor.ts'
export { type CertificateSpec, certificate } from './pki/certificate.ts'
export { COSE, type CoseSign1Spec, coseSign1 } from './pki/cose.ts'
export { CRL_REASON, type CrlReason, type CrlSpec, crl, type RevokedEntry } from './pki/crl.ts'
export * as der from './pki/der.ts'
export { ext, type KeyUsageBit, PURPOSE } from './pki/extensions.ts'
export { ecKey, rsaKey, type SignOptions, type TestKey, type TestKeyKind } from './pki/keys.ts'
export { amdName, type NameAttribute, name } from './pki/names.ts'
export { type CertIdSpec, certId, type OcspResponseSpec, ocspResponse, type SingleResponseSpec } from './pki/ocsp.ts'
export { pem } from './pki/pem.ts'
export type { RsaTestKeyName } from './pki/rsa-test-keys.ts'
export type { SigningSpec } from './pki/signed.ts'
export { type Curve, type ExplicitCurve, ecSpki, explicitEcSpki, keyId, rsaSpki, subjectPublicKey } from './pki/spki.ts'
export { type TdxGpuMachine, type TdxGpuOptions, tdxGpuMachine } from './tdx-gpu.ts'
export * from './tpm/index.ts'
export { modelFile, resealed, type SealedParts, safetensorsFile, type TestTensor } from './weights/model-file.ts'
