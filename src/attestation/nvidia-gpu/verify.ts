import { authentic, type KindVerifier } from '../kind.ts'
import type { ArchitectureFacts } from '../nvidia/architectures.ts'
import { type DeviceKind, judgeDevice } from '../nvidia/device.ts'
import { driverBranch } from '../nvidia/versions.ts'
import { toGpuClaims } from './claims.ts'
import { gpuRimSlots } from './collateral.ts'
import { decodeGpuReport, type GpuReport, looksLikeGpuReport } from './decode.ts'

/** Hopper drivers from this branch on write the firmware id; Blackwell's always have. */
const FWID_SINCE_BRANCH = 550

const fwidRequired = (report: GpuReport, facts: ArchitectureFacts): boolean =>
  facts.architecture === 'BLACKWELL' || driverBranch(report.driverVersion) >= FWID_SINCE_BRANCH

const KIND: DeviceKind<GpuReport> = {
  kind: 'nvidia/gpu-report',
  device: 'gpu',
  decode: decodeGpuReport,
  fwidRequired,
  rimSlots: gpuRimSlots,
  claims: (proved, measurements) => authentic(toGpuClaims(authentic(proved), measurements)),
}

/**
 * Proves that a report was signed by the attestation key of the GPU its five certificates name, and compares its measurements
 * with the driver and VBIOS manifests of exactly its versions. The nonce, and what must hold between devices, are judged by
 * the evidence set.
 * @see ../shared/spec/nvidia-gpu.md §§1–7
 */
export const nvidiaGpu: KindVerifier = {
  kind: KIND.kind,
  recognise: looksLikeGpuReport,
  decode: decodeGpuReport,
  withoutPadding: (bytes) => bytes,
  verify: (item, collateral, context) => judgeDevice(KIND, item, collateral, context),
}
