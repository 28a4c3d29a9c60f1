/** Bounds applied before anything is parsed (THREATS T60–T62). All byte counts are of the encoded input as it arrives. */
export interface Limits {
  readonly requestBytes: number
  readonly evidenceBytes: number
  /** one event log, padding included; firmware sets aside at most this */
  readonly eventLogBytes: number
  readonly eventLogEvents: number
  readonly gpuCount: number
  readonly itemCount: number
  /** files of one evidence folder, collateral beside it included */
  readonly folderFiles: number
  readonly certificatesPerChain: number
  readonly signatureChecks: number
  /** for revocation answers, lists and manifests that the sender laid beside the evidence; a whole board has some 100 */
  readonly besideSignatureChecks: number
  readonly jsonDepth: number
  readonly jsonValues: number
  readonly derDepth: number
  /** tag-length-value elements of one DER object, at all depths together */
  readonly derElements: number
  readonly cborDepth: number
  readonly xmlBytes: number
  readonly xmlDepth: number
  readonly xmlAttributes: number
  readonly policyBytes: number
  readonly policyRules: number
  readonly collateralBytes: number
  readonly collateralObjects: number
  /** header of one safetensors file, as the format itself bounds it */
  readonly modelHeaderBytes: number
  /** JSON values of such a header: about eight a tensor */
  readonly modelHeaderValues: number
  readonly modelFiles: number
  readonly keyFileBytes: number
}

export const LIMITS: Limits = {
  requestBytes: 1024 * 1024,
  evidenceBytes: 64 * 1024,
  eventLogBytes: 1024 * 1024,
  eventLogEvents: 4096,
  gpuCount: 16,
  itemCount: 32,
  folderFiles: 256,
  certificatesPerChain: 8,
  signatureChecks: 64,
  besideSignatureChecks: 128,
  jsonDepth: 32,
  jsonValues: 32_768,
  derDepth: 32,
  derElements: 131_072,
  cborDepth: 64,
  xmlBytes: 2 * 1024 * 1024,
  xmlDepth: 64,
  xmlAttributes: 32,
  policyBytes: 64 * 1024,
  policyRules: 512,
  collateralBytes: 16 * 1024 * 1024,
  collateralObjects: 4096,
  modelHeaderBytes: 100_000_000,
  modelHeaderValues: 2_000_000,
  modelFiles: 4096,
  keyFileBytes: 64 * 1024,
}
