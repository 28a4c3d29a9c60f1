import { bytes, layout, u32 } from '../../core/layout.ts'

/*
 * Structures of nvml.h as C lays them out on 64-bit Linux. They hold 32-bit numbers and bytes alone, so nothing is padded.
 */

/** nvmlConfComputeSystemState_t */
export const SYSTEM_STATE = layout('nvmlConfComputeSystemState_t', 12, {
  environment: u32(0),
  ccFeature: u32(4),
  devToolsMode: u32(8),
})

/** nvmlSystemConfComputeSettings_v1_t, drivers 550 and later. `version` is written before the call. */
export const SYSTEM_SETTINGS = layout('nvmlSystemConfComputeSettings_v1_t', 20, {
  version: u32(0),
  environment: u32(4),
  ccFeature: u32(8),
  devToolsMode: u32(12),
  multiGpuMode: u32(16),
})

/** Size of the structure with its version in the highest byte, as NVML marks its structures. */
export const SYSTEM_SETTINGS_VERSION = SYSTEM_SETTINGS.sizeBytes + 1 * 0x100_0000

/** nvmlConfComputeSystemCaps_t */
export const SYSTEM_CAPABILITIES = layout('nvmlConfComputeSystemCaps_t', 8, { cpuCaps: u32(0), gpusCaps: u32(4) })

export const REPORT_BYTES = 0x2000
export const CEC_REPORT_BYTES = 0x1000
export const NONCE_BYTES = 32

/** nvmlConfComputeGpuAttestationReport_t. `nonce` is written before the call. */
export const ATTESTATION_REPORT = layout(
  'nvmlConfComputeGpuAttestationReport_t',
  44 + REPORT_BYTES + CEC_REPORT_BYTES,
  {
    isCecAttestationReportPresent: u32(0),
    attestationReportSize: u32(4),
    cecAttestationReportSize: u32(8),
    nonce: bytes(12, NONCE_BYTES),
    attestationReport: bytes(44, REPORT_BYTES),
    cecAttestationReport: bytes(44 + REPORT_BYTES, CEC_REPORT_BYTES),
  },
)

const CERT_CHAIN_BYTES = 0x1000
const ATTESTATION_CERT_CHAIN_BYTES = 0x1400

/** nvmlConfComputeGpuCertificate_t. Evidence travels with the attestation chain; the other one is for key exchange. */
export const CERTIFICATE = layout(
  'nvmlConfComputeGpuCertificate_t',
  8 + CERT_CHAIN_BYTES + ATTESTATION_CERT_CHAIN_BYTES,
  {
    certChainSize: u32(0),
    attestationCertChainSize: u32(4),
    certChain: bytes(8, CERT_CHAIN_BYTES),
    attestationCertChain: bytes(8 + CERT_CHAIN_BYTES, ATTESTATION_CERT_CHAIN_BYTES),
  },
)
