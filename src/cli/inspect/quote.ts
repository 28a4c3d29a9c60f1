import type { Tee } from '../../attestation/dcap/model.ts'
import {
  PCK_ID,
  QUOTE_HEADER,
  SGX_REPORT_BODY,
  TD_REPORT_1_0,
  TD_REPORT_1_5,
} from '../../attestation/dcap/quote-layout.ts'
import { decodeSgxQuote } from '../../attestation/sgx/index.ts'
import { decodeTdxQuote } from '../../attestation/tdx/index.ts'
import { isZero } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import type { Field, Layout } from '../../core/layout.ts'
import { layoutFields } from './layout-view.ts'
import type { Meaning } from './meanings.ts'
import type { FieldView, SectionView } from './model.ts'
import { problemOf } from './problems.ts'
import {
  BODY_DESCRIPTOR,
  CERTIFICATION,
  CERTIFICATION_MEANINGS,
  DESCRIPTOR_MEANINGS,
  HEADER_MEANINGS,
  PCK_ID_MEANINGS,
  QE_SIGNATURE,
  QE_SIGNATURE_MEANINGS,
  SIGNATURE_DATA,
  SIGNATURE_MEANINGS,
  sgxMeanings,
} from './quote-meanings.ts'
import type { ReportView } from './snp.ts'
import { TD_MEANINGS } from './td-meanings.ts'

/**
 * Every byte of a quote, by the lengths that it states itself, as far as they lead; with meanings where the decoder accepts it.
 */
export function inspectQuote(tee: Tee, bytes: Uint8Array): ReportView {
  const outcome = tee === 'TDX' ? decodeTdxQuote(bytes, 'quote') : decodeSgxQuote(bytes, 'quote')
  const problems = outcome.ok ? [] : outcome.faults.map(problemOf)
  return { sections: walk(tee, bytes, outcome.ok).sections, problems }
}

/** The PCK chain in a quote, PEM without the NUL that ends it; undefined where it only names its certificate, or is cut short. */
export const pckChainIn = (tee: Tee, bytes: Uint8Array): Uint8Array | undefined => walk(tee, bytes, false).chain

const PCK_CHAIN = 5

function walk(tee: Tee, bytes: Uint8Array, explained: boolean) {
  const walker = new Walker(bytes, explained)
  const certification = toCertification(walker, tee)
  const chain = certification === undefined ? undefined : readCertification(walker, certification)
  walker.end(certification !== undefined && walker.isWhole)
  return { sections: walker.sections, chain }
}

interface Certification {
  readonly type: number
  readonly size: number
}

/** Header, body, signatures, quoting enclave; undefined where the quote ends before its certification data. */
function toCertification(walker: Walker, tee: Tee): Certification | undefined {
  if (!walker.structure('Header of the quote (Intel DCAP)', QUOTE_HEADER, HEADER_MEANINGS)) return undefined
  const version = walker.u16(0)
  if (version === 5 && !walker.structure('Body descriptor', BODY_DESCRIPTOR, DESCRIPTOR_MEANINGS)) return undefined
  const isTd15 = version === 5 && walker.u16(QUOTE_HEADER.sizeBytes) === 3
  const asked = 'chosen by whoever asked: nonce, or hash that binds one'
  const hasBody =
    tee === 'SGX'
      ? walker.structure('Report of the enclave', SGX_REPORT_BODY, sgxMeanings(asked))
      : walker.structure(`TD report ${isTd15 ? '1.5' : '1.0'}`, isTd15 ? TD_REPORT_1_5 : TD_REPORT_1_0, TD_MEANINGS)
  if (!hasBody || !walker.structure('Signature', SIGNATURE_DATA, SIGNATURE_MEANINGS)) return undefined
  const outer = 'Certification of the attestation key'
  if (version !== 3 && !walker.structure(outer, CERTIFICATION, CERTIFICATION_MEANINGS)) return undefined
  const hashed = 'SHA-256 of attestation key and authentication data, then zeros'
  if (!walker.structure('Report of the quoting enclave', SGX_REPORT_BODY, sgxMeanings(hashed))) return undefined
  if (!walker.structure('Signature of the quoting enclave’s report', QE_SIGNATURE, QE_SIGNATURE_MEANINGS)) {
    return undefined
  }
  if (!walker.blob('qeAuthData', walker.u16(walker.at - 2), 'of the quoting enclave’s choice')) return undefined
  const at = walker.at
  if (!walker.structure('Certification of the quoting enclave', CERTIFICATION, CERTIFICATION_MEANINGS)) return undefined
  return { type: walker.u16(at), size: walker.u32(at + 2) }
}

function readCertification(walker: Walker, { type, size }: Certification): Uint8Array | undefined {
  const id = type === 1 || type === 2 || type === 3 ? PCK_ID[type] : undefined
  if (id !== undefined && id.sizeBytes === size) {
    walker.structure('How the PCK certificate is named', id, PCK_ID_MEANINGS)
    return undefined
  }
  const data = walker.blob('certificationData', size, type === PCK_CHAIN ? 'PEM, drawn below' : 'not read')
  if (data === undefined || type !== PCK_CHAIN) return undefined
  return data.at(-1) === 0 ? data.subarray(0, -1) : data
}

type Table = Layout<Readonly<Record<string, Field<unknown>>>>

/** Goes through a quote from front to back; what does not fit any more is left for `end`. */
class Walker {
  readonly sections: SectionView[] = []
  at = 0
  isWhole = true
  readonly #bytes: Uint8Array
  readonly #explained: boolean

  constructor(bytes: Uint8Array, explained: boolean) {
    this.#bytes = bytes
    this.#explained = explained
  }

  u16(offset: number): number {
    return (this.#bytes[offset] ?? 0) | ((this.#bytes[offset + 1] ?? 0) << 8)
  }

  u32(offset: number): number {
    return this.u16(offset) + this.u16(offset + 2) * 0x10000
  }

  /** A section of its own; false where the quote ends before it does. */
  structure(title: string, table: Table, meanings: Readonly<Record<string, (raw: Uint8Array) => Meaning>>): boolean {
    const raw = this.#take(table.sizeBytes)
    if (raw === undefined) return false
    const meaning = (name: string, value: Uint8Array): Meaning => meanings[name]?.(value) ?? { text: '' }
    const offset = this.at - raw.length
    this.sections.push({ title, fields: layoutFields(table, raw, offset, this.#explained ? meaning : undefined) })
    return true
  }

  /** A field of stated length in the section above it; none where that is zero. */
  blob(name: string, sizeBytes: number, meaning: string): Uint8Array | undefined {
    const raw = this.#take(sizeBytes)
    const section = this.sections.pop()
    if (section === undefined) return raw
    const more = raw === undefined || raw.length === 0 ? [] : [this.#field(name, raw, this.#explained ? meaning : '')]
    this.sections.push({ ...section, fields: [...section.fields, ...more] })
    return raw
  }

  /** Whatever is left. @param isWhole whether everything before it was told apart */
  end(isWhole: boolean): void {
    const raw = this.#bytes.subarray(this.at)
    if (raw.length === 0) return
    this.at = this.#bytes.length
    const isPadding = isWhole && isZero(raw)
    const title = isPadding ? 'Padding' : isWhole ? 'Behind the end of the quote' : 'Not told apart'
    const meaning = isPadding ? 'zeros up to the size of the guest’s buffer' : isWhole ? 'must be zero' : ''
    this.sections.push({ title, fields: [this.#field(isPadding ? 'padding' : 'rest', raw, meaning)] })
  }

  #take(sizeBytes: number): Uint8Array | undefined {
    const raw = this.#bytes.subarray(this.at, this.at + sizeBytes)
    if (raw.length < sizeBytes) {
      this.isWhole = false
      return undefined
    }
    this.at += sizeBytes
    return raw
  }

  #field(name: string, raw: Uint8Array, meaning: string): FieldView {
    return { name, offset: this.at - raw.length, sizeBytes: raw.length, hex: toHex(raw), meaning, parts: [] }
  }
}
