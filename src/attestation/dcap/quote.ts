import { copyOf, equalBytes, isZero } from '../../core/bytes.ts'
import { spkiOfCoordinates } from '../../core/crypto/ecdsa.ts'
import { Cursor } from '../../core/cursor.ts'
import { fromHex, toHex } from '../../core/encodings.ts'
import { type Decoding, decodeLayout } from '../../core/layout.ts'
import { LIMITS } from '../../core/limits.ts'
import { attempt, refuse, take } from '../../core/outcome.ts'
import { type CertificationData, readCertification } from './certification.ts'
import { DCAP_CODES } from './codes.ts'
import type { SgxReportBody, Tee } from './model.ts'
import { QUOTE_HEADER, SGX_REPORT_BODY, TD_REPORT_1_0, TD_REPORT_1_5 } from './quote-layout.ts'

/** A quote as a structure, its body still as bytes. Nothing in it is proved; byte fields are views into a private copy. */
export interface DcapQuote {
  /** up to its declared end, without the zeros that a buffer may leave behind it */
  readonly sizeBytes: number
  readonly version: 3 | 4 | 5
  readonly bodyType: BodyType
  /** of the length that its type has */
  readonly body: Uint8Array
  /** header, descriptor and body as received: what the attestation key signed */
  readonly signedBytes: Uint8Array
  /** r ‖ s, big-endian, 64 bytes */
  readonly signature: Uint8Array
  /** x ‖ y, big-endian, 64 bytes */
  readonly attestationKey: Uint8Array
  readonly attestationSpki: Uint8Array
  readonly qeReport: SgxReportBody
  /** the 384 bytes that the PCK signed */
  readonly qeReportBytes: Uint8Array
  /** r ‖ s, big-endian, 64 bytes */
  readonly qeReportSignature: Uint8Array
  /** as the QE hashed it behind the attestation key; 32 bytes in every quote seen */
  readonly qeAuthData: Uint8Array
  readonly certification: CertificationData
}

/** 1 SGX report · 2 TD report 1.0 · 3 TD report 1.5 */
export type BodyType = 1 | 2 | 3

const BODY_BYTES: Readonly<Record<BodyType, number>> = {
  1: SGX_REPORT_BODY.sizeBytes,
  2: TD_REPORT_1_0.sizeBytes,
  3: TD_REPORT_1_5.sizeBytes,
}

/** What one TEE's quotes may be. */
const RULES: Readonly<Record<Tee, { teeType: number; versions: readonly number[]; bodyTypes: readonly BodyType[] }>> = {
  SGX: { teeType: 0, versions: [3, 4, 5], bodyTypes: [1] },
  TDX: { teeType: 0x81, versions: [4, 5], bodyTypes: [2, 3] },
}

const ECDSA_P256 = 2
const QE_REPORT_CERTIFICATION = 6
const INTEL_QE_VENDOR = take(fromHex('939a7233f79c4ca9940a0db3957f0607', 16, 'QE vendor id'))
/** Guests hand out quotes in buffers of 5,006 or 8,000 bytes, filled up with zeros. */
const MOST_PADDED_BYTES = 8192

/**
 * Decodes a quote of the given TEE inside `attempt`: version 3 (SGX), 4 or 5, ECDSA P-256, Intel's QE, every length exact,
 * and nothing behind it but zeros, up to 8,192 bytes in all. Ends it with LIMIT_EVIDENCE_BYTES · ENV_KIND_MISMATCH (another
 * TEE's) · the codes `size` to `certData` of `DCAP_CODES`.
 * @see ../shared/spec/intel-dcap.md §1
 */
export function decodeQuote(input: Uint8Array, tee: Tee, path: string): DcapQuote {
  const codes = DCAP_CODES[tee]
  if (input.length > LIMITS.evidenceBytes) {
    refuse('LIMIT_EVIDENCE_BYTES', path, { expected: `at most ${LIMITS.evidenceBytes}`, actual: input.length })
  }
  const bytes = copyOf(input) // what is judged later must be what was decoded, whatever the caller does with its array
  const cursor = new Cursor(bytes, path, codes.size)
  const version = checkHeader(cursor.take(QUOTE_HEADER.sizeBytes, 'header'), tee, `${path}.header`)
  const bodyType = version === 5 ? readBodyType(cursor, tee, path) : tee === 'SGX' ? 1 : 2
  const body = cursor.take(BODY_BYTES[bodyType], 'body')
  const signedBytes = bytes.subarray(0, cursor.offset)
  const signatureData = cursor.take(cursor.u32('signatureData.size'), 'signatureData')
  const sizeBytes = cursor.offset
  checkPadding(bytes, sizeBytes, tee, path)
  return { sizeBytes, version, bodyType, body, signedBytes, ...readSignatureData(signatureData, version, tee, path) }
}

/**
 * A quote as far as it declares itself, so that one quote has one digest in whatever buffer it came. Bytes that do not
 * decode come back as they are. No proof of anything.
 */
export function withoutPadding(bytes: Uint8Array, tee: Tee): Uint8Array {
  const quote = attempt(() => decodeQuote(bytes, tee, 'quote'))
  return quote.ok ? declaredPart(bytes, quote.value) : bytes
}

/** The bytes that a quote was decoded from, up to its end: the same array where nothing is behind it, whose digest may be known. */
export const declaredPart = (bytes: Uint8Array, { sizeBytes }: DcapQuote): Uint8Array =>
  sizeBytes === bytes.length ? bytes : bytes.subarray(0, sizeBytes)

/** Up to the end of the QE vendor id. */
const RECOGNISED_BYTES = 28
/** SEV-SNP reports, whose versions 4 and 5 may begin alike, have this length and no key type. */
const SNP_REPORT_BYTES = 1184

/**
 * Whether bytes begin as a quote of that TEE: Intel's QE in the header, or any other's in one of a supported version. What
 * is cut short, or of another version, is thus named as what it is. No proof of anything.
 */
export function looksLikeQuote(bytes: Uint8Array, tee: Tee): boolean {
  if (bytes.length < RECOGNISED_BYTES) return false
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const { teeType, versions } = RULES[tee]
  if (view.getUint32(4, true) !== teeType) return false
  if (equalBytes(bytes.subarray(12, RECOGNISED_BYTES), INTEL_QE_VENDOR)) return true
  const isTyped = versions.includes(view.getUint16(0, true)) && view.getUint16(2, true) !== 0
  return isTyped && bytes.length > SNP_REPORT_BYTES
}

function checkHeader(bytes: Uint8Array, tee: Tee, path: string): DcapQuote['version'] {
  const codes = DCAP_CODES[tee]
  const { teeType, versions } = RULES[tee]
  const header = take(decodeLayout(QUOTE_HEADER, bytes, path, { size: codes.size, reserved: codes.size }))
  const { version } = header
  if (!versions.includes(version) || (version !== 3 && version !== 4 && version !== 5)) {
    return refuse(codes.version, `${path}.version`, { expected: versions.join(', '), actual: version })
  }
  if (header.teeType !== teeType) {
    refuse('ENV_KIND_MISMATCH', `${path}.teeType`, { expected: `${teeType} (${tee})`, actual: header.teeType })
  }
  if (header.attestationKeyType !== ECDSA_P256) {
    refuse(codes.keyType, `${path}.attestationKeyType`, {
      expected: `${ECDSA_P256} (ECDSA P-256)`,
      actual: header.attestationKeyType,
    })
  }
  if (!equalBytes(header.qeVendorId, INTEL_QE_VENDOR)) {
    refuse(codes.vendor, `${path}.qeVendorId`, { expected: toHex(INTEL_QE_VENDOR), actual: toHex(header.qeVendorId) })
  }
  return version
}

function readBodyType(cursor: Cursor, tee: Tee, path: string): BodyType {
  const code = DCAP_CODES[tee].bodyType
  const { bodyTypes } = RULES[tee]
  const type = cursor.u16('bodyType')
  const sizeBytes = cursor.u32('bodySize')
  const known = bodyTypes.find((t) => t === type)
  if (known === undefined) {
    return refuse(code, `${path}.bodyType`, { expected: `${bodyTypes.join(' or ')} for ${tee}`, actual: type })
  }
  if (sizeBytes !== BODY_BYTES[known]) {
    refuse(code, `${path}.bodySize`, { expected: `${BODY_BYTES[known]} for type ${type}`, actual: sizeBytes })
  }
  return known
}

function checkPadding(bytes: Uint8Array, end: number, tee: Tee, path: string): void {
  const { trailing } = DCAP_CODES[tee]
  if (end === bytes.length) return
  if (bytes.length > MOST_PADDED_BYTES) {
    refuse(trailing, path, { expected: `at most ${MOST_PADDED_BYTES} bytes`, actual: `${bytes.length} bytes` })
  }
  if (!isZero(bytes.subarray(end))) {
    refuse(trailing, path, { expected: `${end} bytes, then zeros`, actual: `${bytes.length} bytes` })
  }
}

type SignatureData = Omit<DcapQuote, 'sizeBytes' | 'version' | 'bodyType' | 'body' | 'signedBytes'>

function readSignatureData(bytes: Uint8Array, version: number, tee: Tee, path: string): SignatureData {
  const codes = DCAP_CODES[tee]
  const at = `${path}.signatureData`
  const cursor = new Cursor(bytes, at, codes.size)
  const signature = cursor.take(64, 'signature')
  const attestationKey = cursor.take(64, 'attestationKey')
  const rest = new Cursor(cursor.take(cursor.remaining, 'rest'), at, codes.certData)
  const qe = version === 3 ? rest : insideQeReportCertification(rest, tee, at)
  const qeReportBytes = qe.take(SGX_REPORT_BODY.sizeBytes, 'qeReport')
  return {
    signature,
    attestationKey,
    attestationSpki: spkiOfCoordinates('P-256', attestationKey),
    qeReport: take(decodeSgxReport(qeReportBytes, `${at}.qeReport`, codes.certData)),
    qeReportBytes,
    qeReportSignature: qe.take(64, 'qeReportSignature'),
    qeAuthData: qe.take(qe.u16('qeAuthData.size'), 'qeAuthData'),
    certification: readCertification(qe, at, codes.certData),
  }
}

/** Versions 4 and 5 wrap everything about the QE in certification data of their own type; it fills the rest exactly. */
function insideQeReportCertification(cursor: Cursor, tee: Tee, path: string): Cursor {
  const code = DCAP_CODES[tee].certData
  const type = cursor.u16('certificationType')
  if (type !== QE_REPORT_CERTIFICATION) {
    refuse(code, `${path}.certificationType`, { expected: QE_REPORT_CERTIFICATION, actual: type })
  }
  const inner = cursor.take(cursor.u32('certificationSize'), 'qeReportCertification')
  cursor.end()
  return new Cursor(inner, path, code)
}

export type SgxReportFields = Decoding<(typeof SGX_REPORT_BODY)['fields']>

/** The 384 bytes of an enclave's report; `reserved` where a byte that must be zero is not. */
export const decodeSgxReport = (bytes: Uint8Array, path: string, reserved: Parameters<typeof refuse>[0]) =>
  decodeLayout(SGX_REPORT_BODY, bytes, path, { size: reserved, reserved })
