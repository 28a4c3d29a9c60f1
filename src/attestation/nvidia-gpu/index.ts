export { gpuRimSlots } from './collateral.ts'
export { decodeGpuReport, type FeatureFlag, type GpuReport } from './decode.ts'
export { nvidiaGpu } from './verify.ts'
