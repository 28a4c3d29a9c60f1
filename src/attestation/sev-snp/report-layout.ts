import { bytes, type Decoding, layout, u8, u32, u64, zero } from '../../core/layout.ts'

/**
 * ATTESTATION_REPORT (AMD 56860), 1184 bytes, little-endian. What all versions share; the gaps at CPUID (0x188) and at the
 * mitigation vectors (0x1F8) are filled in per version below. Bytes 0x000 … 0x29F are signed, the rest is the signature.
 */
const COMMON = {
  version: u32(0x000),
  guestSvn: u32(0x004),
  policy: u64(0x008),
  familyId: bytes(0x010, 16),
  imageId: bytes(0x020, 16),
  vmpl: u32(0x030),
  signatureAlgo: u32(0x034),
  currentTcb: bytes(0x038, 8),
  platformInfo: u64(0x040),
  keyInfo: u32(0x048),
  reserved04c: zero(0x04c, 4),
  reportData: bytes(0x050, 64),
  measurement: bytes(0x090, 48),
  hostData: bytes(0x0c0, 32),
  idKeyDigest: bytes(0x0e0, 48),
  authorKeyDigest: bytes(0x110, 48),
  reportId: bytes(0x140, 32),
  reportIdMa: bytes(0x160, 32),
  reportedTcb: bytes(0x180, 8),
  chipId: bytes(0x1a0, 64),
  committedTcb: bytes(0x1e0, 8),
  currentBuild: u8(0x1e8),
  currentMinor: u8(0x1e9),
  currentMajor: u8(0x1ea),
  reserved1eb: zero(0x1eb, 1),
  committedBuild: u8(0x1ec),
  committedMinor: u8(0x1ed),
  committedMajor: u8(0x1ee),
  reserved1ef: zero(0x1ef, 1),
  launchTcb: bytes(0x1f0, 8),
  signatureR: bytes(0x2a0, 48),
  /** top of the 72 bytes of a component: zero for P-384, with a code of its own */
  signatureRUpper: bytes(0x2d0, 24),
  signatureS: bytes(0x2e8, 48),
  signatureSUpper: bytes(0x318, 24),
  reserved330: zero(0x330, 0x170),
} as const

const CPUID = {
  cpuidFamily: u8(0x188),
  cpuidModel: u8(0x189),
  cpuidStepping: u8(0x18a),
  reserved18b: zero(0x18b, 21),
} as const

const WITHOUT_MITIGATION_VECTORS = { reserved1f8: zero(0x1f8, 168) } as const

export const SNP_REPORT_BYTES = 0x4a0
/** The signature covers the bytes below this offset. */
export const SNP_SIGNED_BYTES = 0x2a0

/** Version 2 (firmware ABI up to 1.55). */
export const SNP_REPORT_V2 = layout('SNP_REPORT_V2', SNP_REPORT_BYTES, {
  ...COMMON,
  reserved188: zero(0x188, 24),
  ...WITHOUT_MITIGATION_VECTORS,
})

/** Versions 3 and 4 (ABI 1.56, 1.57): with the processor's family, model and stepping. */
export const SNP_REPORT_V3 = layout('SNP_REPORT_V3', SNP_REPORT_BYTES, {
  ...COMMON,
  ...CPUID,
  ...WITHOUT_MITIGATION_VECTORS,
})

/** Version 5 (ABI 1.58): with mitigation vectors. */
export const SNP_REPORT_V5 = layout('SNP_REPORT_V5', SNP_REPORT_BYTES, {
  ...COMMON,
  ...CPUID,
  launchMitVector: u64(0x1f8),
  currentMitVector: u64(0x200),
  reserved208: zero(0x208, 152),
})

export type CommonReportFields = Decoding<typeof COMMON>

/** Layout by VERSION; a version that is not here is not supported. */
export const SNP_REPORT_LAYOUTS = { 2: SNP_REPORT_V2, 3: SNP_REPORT_V3, 4: SNP_REPORT_V3, 5: SNP_REPORT_V5 } as const
