export {
  type AmdAuthority,
  type AmdTestPkiOptions,
  AUTHORITY_VALIDITY,
  type AuthorityExtension,
  type AuthorityOverrides,
} from './authority.ts'
export { chosenKey } from './chosen-key.ts'
export {
  type AmdVek,
  LEAF_VALIDITY,
  type LeafExtensionEdits,
  type LeafOverrides,
} from './leaf.ts'
export { AMD_FAULTS, type AmdFault, type AmdMachine, type AmdMachineOptions, amdMachine } from './machine.ts'
export { type AmdCrlSpec, type AmdTestPki, createAmdTestPki, type VcekSpec, type VlekSpec } from './pki.ts'
export type {
  AmdFaultEntry,
  AmdFaultNeeds,
  AmdFaultStage,
  MachineCrl as AmdMachineCrl,
  MachineReport as AmdMachineReport,
} from './plan.ts'
export {
  AMD_NAMES,
  type AmdProduct,
  type AmdTcb,
  type AuthorityRole,
  LEAF_OID,
  type LeafExtensionName,
  tcbVersion,
  type VekKind,
} from './products.ts'
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
} from './report.ts'
export type { SnpSignature } from './signature.ts'
export { certificateTable, TABLE_GUID, type TableEntry, type TableOptions } from './table.ts'
