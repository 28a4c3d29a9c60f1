export { decodeHclReport, type HclReport, looksLikeHclReport } from './hcl-report.ts'
export { decodeRuntimeData, type RuntimeData } from './runtime-data.ts'
