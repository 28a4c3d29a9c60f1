export { CONFIDENTIAL_MODELS, type GpuStanding, standingOf } from './gpu-models.ts'
export { lintSdl, type SdlLint, type SdlService } from './lint.ts'
