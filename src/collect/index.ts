/*
 * Collectors: they fetch evidence and prove nothing. Published as `vouchsafe/collect`, apart from the library, which touches no
 * network.
 */

export { akashCollector, type SidecarOptions, sidecarCollector } from './akash/collectors.ts'
export {
  type AkashAuthorisation,
  type AkashCollection,
  type AkashLease,
  type CollectedQuote,
  type CollectorPorts,
  collectAkash,
  NODE_PORTS,
} from './akash/gateway.ts'
export {
  type AccountSigner,
  type AttestationGrant,
  type LeaseGrant,
  LONGEST_TOKEN_SECONDS,
  mintAttestationToken,
} from './akash/token.ts'
export { bundleOf, collectEvidence, type MachineEvidence } from './bundle.ts'
export type { Collected, Collector, EvidencePart, Probed, Question } from './collector.ts'
export type { Check } from './host/check.ts'
export type { HostRole } from './host/cpu.ts'
export { type DoctorOptions, examineHost, type HostReport } from './host/doctor.ts'
export { GPU_LIMITS, type GpuLimits } from './host/gpu.ts'
export { VENDOR_SERVICES, type VendorService } from './host/vendors.ts'
export { type NvmlOptions, nvmlCollector, readGpuSystem } from './nvml/collector.ts'
export type { ConfidentialState, GpuFacts, GpuSystem } from './nvml/system.ts'
export {
  ANY_CERTIFICATE,
  type GatewayAnswer,
  type PinnedRequest,
  pinnedPost,
  type RequestFailure,
} from './pinned-https.ts'
export { savedCollector } from './saved.ts'
export { type AzureOptions, azureCollector } from './tpm/azure.ts'
export { FIRMWARE_EVENT_LOG, readEventLog, type TpmOptions, tpmCollector, withTpm } from './tpm/collector.ts'
export { Esys as Tpm } from './tpm/esys.ts'
export {
  activateCredential,
  createAk,
  createEk,
  flush,
  type KeyBlob,
  type LoadedKey,
  loadAk,
  persistentKey,
  type Quoted,
  quote,
} from './tpm/keys.ts'
export { readNv, writeNv } from './tpm/nv.ts'
export { banks, manufacturer, readPcrs } from './tpm/pcrs.ts'
export type { KeyKind } from './tpm/templates.ts'
export type { PcrBank } from './tpm/wire.ts'
export { type TsmOptions, tsmCollector } from './tsm/collector.ts'
export type { TsmFiles } from './tsm/files.ts'
