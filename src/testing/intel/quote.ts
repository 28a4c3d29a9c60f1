import { concatBytes } from '../../core/bytes.ts'
import { flipBit, littleEndian, must } from '../bytes.ts'
import type { TestKey } from '../pki/keys.ts'
import { digest } from '../pki/pss.ts'
import { type Patch, patched, written } from './fields.ts'
import {
  BODY_TYPE,
  QUOTE_HEADER_BYTES,
  QUOTE_HEADER_FIELDS,
  type QuoteBodyKind,
  type QuoteHeader,
  SGX_REPORT_BYTES,
  SGX_REPORT_FIELDS,
  type SgxReport,
  TD_REPORT_BYTES,
  TD_REPORT_FIELDS,
  type TdReport,
} from './report-fields.ts'
import { type EcdsaForm, ecdsaForm } from './signature.ts'

/** What a length field says, from what it should say. */
type Lie = (sizeBytes: number) => number

/** Length fields of the authentication data that may lie. */
export type QuoteLength = 'auth' | 'outer' | 'qeAuth' | 'certification'

/** The quoting enclave's part. */
export interface QuotingEnclave {
  readonly report: SgxReport
  /** The bytes that the enclave hashes behind its key, 32 in genuine quotes. */
  readonly authData: Uint8Array
  /** REPORTDATA[32..63]; zero in genuine quotes. 32 bytes. */
  readonly reportDataTail: Uint8Array
  /** By default the PCK of the platform. */
  readonly signer?: TestKey
  readonly signature: EcdsaForm
}

/** Certification data, type 5 by default: the PCK chain in PEM. */
export interface Certification {
  readonly type: number
  readonly data: Uint8Array
}

/** Everything a quote is made from; it is signed over whatever stands here. */
export interface QuoteSpec {
  /** Which shape: 3, 4 or 5. The number that the header shows is a field of its own. */
  readonly layout: 3 | 4 | 5
  readonly header: QuoteHeader
  readonly body:
    | { readonly kind: 'sgx'; readonly report: SgxReport }
    | { readonly kind: Exclude<QuoteBodyKind, 'sgx'>; readonly report: TdReport }
  /** Lies of a version 5 quote about its body. */
  readonly descriptor: { readonly type?: number; readonly sizeBytes?: number }
  /** Written over header, descriptor and body before they are signed; offsets of the quote. */
  readonly patches: readonly Patch[]
  readonly attestationKey: TestKey
  /** By default the attestation key. */
  readonly signer?: TestKey
  readonly signature: EcdsaForm
  /** The key as the quote shows it, 64 bytes; the quoting enclave vouches for the one of `vouchedKey`. */
  readonly shownKey?: Uint8Array
  readonly vouchedKey?: Uint8Array
  readonly qe: QuotingEnclave
  readonly certification: Certification
  /** Type of the certification data that holds the quoting enclave's part, in versions 4 and 5. */
  readonly outerType: number
  readonly lengths: Readonly<Partial<Record<QuoteLength, Lie>>>
  /** Last change to the finished quote. */
  readonly afterSigning: (quote: Uint8Array, offsets: QuoteOffsets) => Uint8Array
}

/** Where the parts of a quote begin. */
export interface QuoteOffsets {
  readonly body: number
  /** Length of the authentication data, 4 bytes. */
  readonly authLength: number
  readonly signature: number
  readonly attestationKey: number
  /** Type and length of the certification data around the quoting enclave's part; undefined in version 3. */
  readonly outer: number | undefined
  readonly qeReport: number
  readonly qeSignature: number
  /** Length of the QE authentication data, 2 bytes; the data follow. */
  readonly qeAuthLength: number
  /** Type (2 bytes) and length (4 bytes) of the certification data; the data follow. */
  readonly certification: number
}

const bodyBytes = ({ body }: Pick<QuoteSpec, 'body'>): Uint8Array =>
  body.kind === 'sgx'
    ? written(SGX_REPORT_FIELDS, SGX_REPORT_BYTES, body.report)
    : written(TD_REPORT_FIELDS, TD_REPORT_BYTES[body.kind], body.report)

/** x ‖ y of an elliptic-curve key, as quotes carry it. */
export const rawPoint = (key: TestKey): Uint8Array => must(key.publicPoint, 'point of an RSA key').subarray(1)

export function quoteOffsets(spec: Pick<QuoteSpec, 'layout' | 'body' | 'qe'>): QuoteOffsets {
  const body = QUOTE_HEADER_BYTES + (spec.layout === 5 ? 6 : 0)
  const authLength = body + (spec.body.kind === 'sgx' ? SGX_REPORT_BYTES : TD_REPORT_BYTES[spec.body.kind])
  const signature = authLength + 4
  const attestationKey = signature + 64
  const outer = spec.layout === 3 ? undefined : attestationKey + 64
  const qeReport = outer === undefined ? attestationKey + 64 : outer + 6
  const qeSignature = qeReport + SGX_REPORT_BYTES
  const qeAuthLength = qeSignature + 64
  const certification = qeAuthLength + 2 + spec.qe.authData.length
  return { body, authLength, signature, attestationKey, outer, qeReport, qeSignature, qeAuthLength, certification }
}

/**
 * A quote of any version (intel-dcap.md §1), signed by its attestation key and vouched for by the quoting enclave.
 * @param pck  key of the platform, which signs the QE report
 */
export function quote(spec: QuoteSpec, pck: TestKey): Uint8Array {
  const signed = signedPart(spec)
  const auth = authData(spec, signed, pck)
  const whole = concatBytes(signed, littleEndian(said(spec, 'auth', auth.length), 4), auth)
  return spec.afterSigning(whole, quoteOffsets(spec))
}

const said = ({ lengths }: QuoteSpec, which: QuoteLength, sizeBytes: number): number =>
  lengths[which]?.(sizeBytes) ?? sizeBytes

function signedPart(spec: QuoteSpec): Uint8Array {
  const body = bodyBytes(spec)
  const descriptor = concatBytes(
    littleEndian(spec.descriptor.type ?? BODY_TYPE[spec.body.kind], 2),
    littleEndian(spec.descriptor.sizeBytes ?? body.length, 4),
  )
  const header = written(QUOTE_HEADER_FIELDS, QUOTE_HEADER_BYTES, spec.header)
  return patched(concatBytes(header, ...(spec.layout === 5 ? [descriptor] : []), body), spec.patches)
}

function authData(spec: QuoteSpec, signed: Uint8Array, pck: TestKey): Uint8Array {
  const key = rawPoint(spec.attestationKey)
  const signature = ecdsaForm((spec.signer ?? spec.attestationKey).signRaw(signed, 'sha256'), spec.signature)
  const qe = qePart(spec, spec.vouchedKey ?? key, pck)
  const shown = spec.shownKey ?? key
  if (spec.layout === 3) return concatBytes(signature, shown, qe)
  return concatBytes(
    signature,
    shown,
    littleEndian(spec.outerType, 2),
    littleEndian(said(spec, 'outer', qe.length), 4),
    qe,
  )
}

function qePart(spec: QuoteSpec, vouched: Uint8Array, pck: TestKey): Uint8Array {
  const { qe, certification } = spec
  const reportData = concatBytes(digest('sha256', vouched, qe.authData), qe.reportDataTail)
  const report = written(SGX_REPORT_FIELDS, SGX_REPORT_BYTES, { ...qe.report, reportData })
  return concatBytes(
    report,
    ecdsaForm((qe.signer ?? pck).signRaw(report, 'sha256'), qe.signature),
    littleEndian(said(spec, 'qeAuth', qe.authData.length), 2),
    qe.authData,
    littleEndian(certification.type, 2),
    littleEndian(said(spec, 'certification', certification.data.length), 4),
    certification.data,
  )
}

/** Turns over the lowest bit of the byte at an offset of a finished quote. */
export const flippedAt =
  (where: (offsets: QuoteOffsets) => number): QuoteSpec['afterSigning'] =>
  (made, offsets) =>
    flipBit(made, 8 * where(offsets))
