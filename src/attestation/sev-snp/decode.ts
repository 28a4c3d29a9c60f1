import { copyOf, isZero } from '../../core/bytes.ts'
import { ecdsaComponentsInRange } from '../../core/crypto/ecdsa.ts'
import { decodeLayout } from '../../core/layout.ts'
import { attempt, fail, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { AmdProduct } from '../../core/trust-anchors.ts'
import type { SnpFirmwareVersion, SnpGuestPolicy, SnpPlatformInfo, SnpTcb } from '../claims.ts'
import { type Decoded, decoded } from '../kind.ts'
import { type Cpuid, PRODUCT_FACTS, productOf } from './products.ts'
import {
  type CommonReportFields,
  SNP_REPORT_BYTES,
  SNP_REPORT_V2,
  SNP_REPORT_V3,
  SNP_REPORT_V5,
  SNP_SIGNED_BYTES,
} from './report-layout.ts'
import { decodeTcb } from './tcb.ts'

/** An ATTESTATION_REPORT as a structure. Nothing in it is proved; byte fields are views into a private copy. */
export interface SnpReport {
  readonly version: 2 | 3 | 4 | 5
  readonly guestSvn: number
  readonly policy: SnpGuestPolicy
  readonly familyId: Uint8Array
  readonly imageId: Uint8Array
  /** 0–3 */
  readonly vmpl: number
  readonly currentTcb: SnpTcb
  readonly platformInfo: SnpPlatformInfo
  readonly signingKey: 'vcek' | 'vlek'
  readonly authorKeyEnabled: boolean
  readonly maskChipKey: boolean
  readonly reportData: Uint8Array
  readonly measurement: Uint8Array
  readonly hostData: Uint8Array
  readonly idKeyDigest: Uint8Array
  readonly authorKeyDigest: Uint8Array
  readonly reportId: Uint8Array
  readonly reportIdMa: Uint8Array
  readonly reportedTcb: SnpTcb
  /** both undefined in version 2, which does not carry CPUID: the certificates then name the product */
  readonly cpuid: Cpuid | undefined
  readonly product: AmdProduct | undefined
  /** 64 bytes; all zero where the platform masks it */
  readonly chipId: Uint8Array
  readonly committedTcb: SnpTcb
  readonly currentFirmware: SnpFirmwareVersion
  readonly committedFirmware: SnpFirmwareVersion
  readonly launchTcb: SnpTcb
  /** undefined before version 5, where the bytes are reserved */
  readonly launchMitVector: bigint | undefined
  readonly currentMitVector: bigint | undefined
  /** the 672 bytes that the signature covers, as received */
  readonly signedBytes: Uint8Array
  /** r ‖ s, big-endian, 96 bytes, both in [1, n − 1] */
  readonly signature: Uint8Array
}

/**
 * Decodes an attestation report of version 2 to 5, exactly 1184 bytes, every reserved bit at its fixed value.
 * @returns the report, or SNP_SIZE_MISMATCH · SNP_VERSION_UNSUPPORTED · SNP_RESERVED_NOT_ZERO · SNP_SIGNATURE_ALGORITHM ·
 * SNP_HOST_REQUESTED · SNP_VMPL_MISMATCH · SNP_SIGNER_UNSUPPORTED · SNP_POLICY_RESERVED_BIT · SNP_REPORT_MALFORMED ·
 * SNP_PRODUCT_MISMATCH · SNP_SIGNATURE_NOT_CANONICAL · SNP_SIGNATURE_RANGE
 * @see AMD 56860, ATTESTATION_REPORT
 */
export function decodeSnpReport(input: Uint8Array, path: string): Outcome<Decoded<SnpReport>> {
  if (input.length !== SNP_REPORT_BYTES) {
    return fail('SNP_SIZE_MISMATCH', path, { expected: `${SNP_REPORT_BYTES} bytes`, actual: `${input.length} bytes` })
  }
  return attempt(() => {
    const received = copyOf(input) // what is judged later must be what was decoded, whatever the caller does with its array
    const { version, fields, cpuid, launchMitVector, currentMitVector } = fieldsOf(received, path)
    checkSignatureAlgorithm(fields.signatureAlgo, path)
    checkVmpl(fields.vmpl, path)
    const keyInfo = decodeKeyInfo(fields.keyInfo, path)
    const policy = decodeGuestPolicy(fields.policy, path)
    if (!keyInfo.authorKeyEnabled && !isZero(fields.authorKeyDigest)) {
      refuse('SNP_REPORT_MALFORMED', `${path}.authorKeyDigest`, { expected: 'zero, as AUTHOR_KEY_EN is clear' })
    }
    const product = productIn(cpuid, fields.chipId, path)
    // Versions without CPUID predate Turin, so their TCBs have the layout that Milan and Genoa share.
    const tcb = (name: 'currentTcb' | 'reportedTcb' | 'committedTcb' | 'launchTcb') =>
      decodeTcb(fields[name], product ?? 'Milan', `${path}.${name}`)
    return decoded<SnpReport>({
      version,
      guestSvn: fields.guestSvn,
      policy,
      familyId: fields.familyId,
      imageId: fields.imageId,
      vmpl: fields.vmpl,
      currentTcb: tcb('currentTcb'),
      platformInfo: decodePlatformInfo(fields.platformInfo),
      ...keyInfo,
      reportData: fields.reportData,
      measurement: fields.measurement,
      hostData: fields.hostData,
      idKeyDigest: fields.idKeyDigest,
      authorKeyDigest: fields.authorKeyDigest,
      reportId: fields.reportId,
      reportIdMa: fields.reportIdMa,
      reportedTcb: tcb('reportedTcb'),
      cpuid,
      product,
      chipId: fields.chipId,
      committedTcb: tcb('committedTcb'),
      currentFirmware: { major: fields.currentMajor, minor: fields.currentMinor, build: fields.currentBuild },
      committedFirmware: { major: fields.committedMajor, minor: fields.committedMinor, build: fields.committedBuild },
      launchTcb: tcb('launchTcb'),
      launchMitVector,
      currentMitVector,
      signedBytes: received.subarray(0, SNP_SIGNED_BYTES),
      signature: decodeSignature(fields, path),
    })
  })
}

const CODES_OF_LAYOUT = { size: 'SNP_SIZE_MISMATCH', reserved: 'SNP_RESERVED_NOT_ZERO' } as const

interface VersionedFields {
  readonly version: SnpReport['version']
  readonly fields: CommonReportFields
  readonly cpuid: Cpuid | undefined
  readonly launchMitVector: bigint | undefined
  readonly currentMitVector: bigint | undefined
}

function fieldsOf(bytes: Uint8Array, path: string): VersionedFields {
  const version = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  switch (version) {
    case 2: {
      const fields = take(decodeLayout(SNP_REPORT_V2, bytes, path, CODES_OF_LAYOUT))
      return { version, fields, cpuid: undefined, launchMitVector: undefined, currentMitVector: undefined }
    }
    case 3:
    case 4: {
      const fields = take(decodeLayout(SNP_REPORT_V3, bytes, path, CODES_OF_LAYOUT))
      return { version, fields, cpuid: cpuidOf(fields), launchMitVector: undefined, currentMitVector: undefined }
    }
    case 5: {
      const fields = take(decodeLayout(SNP_REPORT_V5, bytes, path, CODES_OF_LAYOUT))
      const { launchMitVector, currentMitVector } = fields
      return { version, fields, cpuid: cpuidOf(fields), launchMitVector, currentMitVector }
    }
    default:
      return refuse('SNP_VERSION_UNSUPPORTED', `${path}.version`, { expected: '2 to 5', actual: version })
  }
}

const cpuidOf = (fields: { cpuidFamily: number; cpuidModel: number; cpuidStepping: number }): Cpuid => ({
  family: fields.cpuidFamily,
  model: fields.cpuidModel,
  stepping: fields.cpuidStepping,
})

function checkSignatureAlgorithm(algorithm: number, path: string): void {
  if (algorithm !== 1) {
    refuse('SNP_SIGNATURE_ALGORITHM', `${path}.signatureAlgo`, {
      expected: '1 (ECDSA P-384 with SHA-384)',
      actual: algorithm,
    })
  }
}

const REQUESTED_BY_HOST = 0xffffffff

function checkVmpl(vmpl: number, path: string): void {
  if (vmpl === REQUESTED_BY_HOST) refuse('SNP_HOST_REQUESTED', `${path}.vmpl`, { actual: '0xffffffff' })
  if (vmpl > 3) refuse('SNP_VMPL_MISMATCH', `${path}.vmpl`, { expected: '0 to 3', actual: vmpl })
}

const bit = (word: number, n: number): boolean => ((word >>> n) & 1) === 1

function decodeKeyInfo(word: number, path: string): Pick<SnpReport, 'authorKeyEnabled' | 'maskChipKey' | 'signingKey'> {
  if (word >>> 5 !== 0) {
    refuse('SNP_RESERVED_NOT_ZERO', `${path}.keyInfo`, { expected: 'bits 31:5 zero', actual: `0x${word.toString(16)}` })
  }
  const key = (word >>> 2) & 7
  if (key > 1) {
    refuse('SNP_SIGNER_UNSUPPORTED', `${path}.keyInfo.signingKey`, {
      expected: '0 (VCEK) or 1 (VLEK)',
      actual: key === 7 ? '7 (none)' : key,
    })
  }
  return { authorKeyEnabled: bit(word, 0), maskChipKey: bit(word, 1), signingKey: key === 0 ? 'vcek' : 'vlek' }
}

/** POLICY (AMD 56860, GUEST_POLICY): bit 17 must be one, bits 63:26 zero. */
function decodeGuestPolicy(policy: bigint, path: string): SnpGuestPolicy {
  const low = Number(policy & 0xffffffffn)
  if (!bit(low, 17) || policy >> 26n !== 0n) {
    refuse('SNP_POLICY_RESERVED_BIT', `${path}.policy`, {
      expected: 'bit 17 one, bits 63:26 zero',
      actual: `0x${policy.toString(16)}`,
    })
  }
  return {
    abiMajor: (low >>> 8) & 0xff,
    abiMinor: low & 0xff,
    smtAllowed: bit(low, 16),
    migrationAgentAllowed: bit(low, 18),
    debugAllowed: bit(low, 19),
    singleSocketRequired: bit(low, 20),
    cxlAllowed: bit(low, 21),
    memAes256XtsRequired: bit(low, 22),
    raplDisabledRequired: bit(low, 23),
    ciphertextHidingRequired: bit(low, 24),
    pageSwapDisabled: bit(low, 25),
  }
}

/** PLATFORM_INFO. Bits 63:8 have no meaning yet: they are passed on, and appraisal refuses them with SNP_PLATFORM_RESERVED_BIT. */
function decodePlatformInfo(info: bigint): SnpPlatformInfo {
  const low = Number(info & 0xffn)
  return {
    smtEnabled: bit(low, 0),
    tsmeEnabled: bit(low, 1),
    eccEnabled: bit(low, 2),
    raplDisabled: bit(low, 3),
    ciphertextHidingDramEnabled: bit(low, 4),
    aliasCheckComplete: bit(low, 5),
    iommuWriteSafe: bit(low, 6),
    sevTioEnabled: bit(low, 7),
    unknownBits: ((info >> 8n) << 8n).toString(16),
  }
}

function productIn(cpuid: Cpuid | undefined, chipId: Uint8Array, path: string): AmdProduct | undefined {
  if (cpuid !== undefined) {
    const hex = (n: number) => `0x${n.toString(16)}`
    return (
      productOf(cpuid) ??
      refuse('SNP_PRODUCT_MISMATCH', `${path}.cpuid`, {
        expected: 'a Milan, Genoa or Turin processor',
        actual: `family ${hex(cpuid.family)}, model ${hex(cpuid.model)}`,
      })
    )
  }
  const looksLikeTurin = !isZero(chipId) && isZero(chipId.subarray(PRODUCT_FACTS.Turin.hwIdBytes))
  if (looksLikeTurin) {
    refuse('SNP_PRODUCT_MISMATCH', `${path}.chipId`, {
      expected: '64 bytes, as in every processor that writes version 2',
      actual: '8 bytes, as in Turin, whose TCB has another layout',
    })
  }
  return undefined
}

/** AMD's little-endian components of 72 bytes as r ‖ s. These bytes are not signed, so each signature has one spelling. */
function decodeSignature(fields: CommonReportFields, path: string): Uint8Array {
  for (const name of ['signatureRUpper', 'signatureSUpper'] as const) {
    if (!isZero(fields[name])) refuse('SNP_SIGNATURE_NOT_CANONICAL', `${path}.${name}`, { expected: 'zero' })
  }
  const signature = new Uint8Array(96)
  for (let i = 0; i < 48; i++) {
    signature[47 - i] = fields.signatureR[i] ?? 0
    signature[95 - i] = fields.signatureS[i] ?? 0
  }
  if (!ecdsaComponentsInRange('P-384', signature)) {
    refuse('SNP_SIGNATURE_RANGE', `${path}.signature`, { expected: 'r and s from 1 to n - 1' })
  }
  return signature
}

/**
 * Whether bytes are an SEV-SNP report: its length, or what stands at the start of every report, so that one that was cut or
 * extended on its way is named as such. No proof of anything.
 */
export function looksLikeSnpReport(bytes: Uint8Array): boolean {
  const [version = 0, ...upper] = bytes.subarray(0, 4)
  if (upper.length !== 3 || upper.some((b) => b !== 0)) return false
  if (bytes.length === SNP_REPORT_BYTES) return true
  if (bytes.length < 0x38 || version < 2 || version > 5) return false
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return view.getUint32(0x30, true) < 4 && view.getUint32(0x34, true) === 1
}
