export { type AkashPacking, type AkashPackingFault, akashGpuReport } from './akash.ts'
export {
  ARCHITECTURES,
  activeIndexes,
  type GpuArchitecture,
  type NvidiaArchitecture,
  type RimKind,
} from './architectures.ts'
export type { DeviceRole, DeviceSpec, NvidiaDevice } from './device-pki.ts'
export type { Fault, MachineFault } from './fault.ts'
export { goldenAlternatives, goldenValues, reportedMeasurements } from './golden.ts'
export type { CertificateEdit, IssuedCertificate } from './issue.ts'
export {
  type MachineDevice,
  type MachineOcspResponse,
  type NvidiaFault,
  type NvidiaFaultEntry,
  type NvidiaMachine,
  type NvidiaMachineSpec,
  nvidiaFaults,
  nvidiaMachine,
} from './machine.ts'
export { MACHINE_FAULTS } from './machine-faults.ts'
export type { GpuEdits, SwitchEdits } from './machine-plan.ts'
export { hoursAfter, OCSP_FAULTS, type OcspFault, type OcspSpec } from './ocsp.ts'
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
} from './opaque.ts'
export { createNvidiaTestPki, NVIDIA_TEST_TIME, type NvidiaTestPki } from './pki.ts'
export { BOARDS, type GpuReportSpec, gpuReport, type SwitchReportSpec, switchReport } from './report.ts'
export { type CommonReportFault, REPORT_FAULTS, type ReportFault } from './report-faults.ts'
export { RIM_FAULTS, type Rim, type RimFault, type RimSpec, rim, rimId } from './rim.ts'
export { hashAttributes, type RimContent, type RimResource } from './rim-document.ts'
export { paddedTo, withCanonicalText } from './rim-faults-xml.ts'
export type { RimChain, RimChainSpec, RimRole } from './rim-pki.ts'
export type { RimPlan } from './rim-plan.ts'
export type { MeasurementBlock, SignatureForm, SpdmFields } from './spdm.ts'
