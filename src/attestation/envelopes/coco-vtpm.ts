import { utf8 } from '../../core/bytes.ts'
import { fromBase64, fromHex, toBase64, toHex } from '../../core/encodings.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { LIMITS } from '../../core/limits.ts'
import { attempt, type NonEmpty, type Outcome, refuse, take } from '../../core/outcome.ts'
import { decodeHclReport, decodeRuntimeData } from '../azure-cvm/index.ts'
import type { EvidenceItem, EvidenceSet } from '../evidence.ts'
import { kindOf } from '../registry.ts'
import { refuseNamed } from './akash.ts'
import { runtimeDataOf } from './azure-hcl.ts'
import { numbers } from './coco.ts'
import { asEvidence, asText, Members, typeOf } from './members.ts'
import { tpmItem } from './tpm-quote.ts'

type Member = { readonly value: Json; readonly path: string }

/** Confidential Containers' evidence of Azure's confidential VMs: HCL report, TPM quote, and the VCEK or the TD quote. */
export const isCocoAzure = (value: Json): boolean =>
  isJsonObject(value) &&
  ((isJsonObject(value.tpm_quote) && value.hcl_report !== undefined) ||
    (isJsonObject(value.quote) && Array.isArray(value.report)))

/** Confidential Containers' evidence of a plain TPM: the bare key beside the quote. */
export const isCocoTpm = (value: Json): boolean =>
  isJsonObject(value) && isJsonObject(value.tpm_quote) && value.ak_public !== undefined

/**
 * Reads versions 0 (lists of numbers), 1 and 2 (hexadecimal and base64url) of `az-snp-vtpm` and `az-tdx-vtpm`. The quote is
 * taken under the key of the HCL report; that the CPU covers that report is judged between the items. PCRs are listed
 * without their numbers: place n is PCR n, which the quote must select.
 * @returns the set, or JSON_* · HEX_NOT_CANONICAL · ENV_* · LIMIT_EVIDENCE_BYTES · TPM_RUNTIME_DATA_INVALID
 * @see ../shared/spec/tpm-and-clouds.md §4
 */
export function readCocoAzure(value: Json): Outcome<EvidenceSet> {
  return attempt(() => {
    const members = new Members(value, '')
    const version = members.optional('version')?.value ?? 0
    if (version !== 0 && version !== 1 && version !== 2)
      refuse('JSON_TYPE_MISMATCH', '/version', { expected: '1 or 2', actual: JSON.stringify(version) })
    const bytes = version === 0 ? (m: Member) => numbers(m, undefined) : base64url
    const hex = version === 0 ? (m: Member) => numbers(m, undefined) : hexadecimal
    const quote = new Members(members.required('tpm_quote', 'quote').value, '/tpm_quote')
    const report = take(decodeHclReport(bytes(members.required('hcl_report', 'report')), '/hcl_report'))
    const tdQuote = members.optional('td_quote')
    const vcek = members.optional('vcek')
    members.end()
    if (report.hardware === 'tdx' ? tdQuote === undefined || vcek !== undefined : tdQuote !== undefined)
      refuse('ENV_KIND_MISMATCH', '/hcl_report', {
        expected: 'the CPU that is shown beside it',
        actual: report.hardware,
      })
    const ak = take(decodeRuntimeData(report.runtimeData, '/hcl_report/runtime'))
    const tpm = tpmItem({
      attest: toBase64(hex(quote.required('message'))),
      rawSignature: toBase64(hex(quote.required('signature'))),
      akSpki: toBase64(ak.akSpki),
      pcrs: listed(quote.array('pcrs'), hex),
    })
    quote.end()
    const cpu: EvidenceItem = {
      id: 'cpu',
      runtimeData: runtimeDataOf(report),
      ...(tdQuote === undefined
        ? {
            kind: 'amd/snp-report',
            bytes: report.hardwareReport,
            endorsements: vcek === undefined ? [] : [version === 0 ? utf8(asPem(vcek)) : base64url(vcek)],
          }
        : { kind: 'intel/tdx-quote', bytes: tdQuoteOf(bytes(tdQuote)), endorsements: [] }),
    }
    const items: NonEmpty<EvidenceItem> = [cpu, tpm]
    return { carrier: 'coco/kbs', binding: 'raw', items }
  })
}

/** Reads CoCo's `tpm` evidence: the key as SubjectPublicKeyInfo, quote and TPMT_SIGNATURE in base64. */
export function readCocoTpm(value: Json): Outcome<EvidenceSet> {
  return attempt(() => {
    const members = new Members(value, '')
    const akSpki = toBase64(asEvidence(members.required('ak_public')))
    const quote = new Members(members.required('tpm_quote').value, '/tpm_quote')
    members.end()
    const item = tpmItem({
      attest: toBase64(quote.evidence('message')),
      signature: toBase64(quote.evidence('signature')),
      akSpki,
      pcrs: listed(quote.array('pcrs'), hexadecimal),
    })
    quote.end()
    return { carrier: 'coco/kbs', binding: 'raw', items: [item] }
  })
}

function tdQuoteOf(bytes: Uint8Array): Uint8Array {
  const kind = kindOf(bytes)
  refuseNamed(kind, '/td_quote')
  return kind === 'intel/tdx-quote'
    ? bytes
    : refuse('ENV_KIND_MISMATCH', '/td_quote', { expected: 'intel/tdx-quote', actual: kind })
}

const MOST_PCRS = 24

function listed(
  { values, path }: { values: readonly Json[]; path: string },
  hex: (m: Member) => Uint8Array,
): JsonObject {
  if (values.length > MOST_PCRS)
    refuse('JSON_TYPE_MISMATCH', path, { expected: `at most ${MOST_PCRS} PCRs`, actual: values.length })
  return {
    sha256: Object.fromEntries(values.map((value, i) => [String(i), toHex(hex({ value, path: `${path}/${i}` }))])),
  }
}

const MOST_TEXT = 2 * LIMITS.evidenceBytes

function bounded(member: Member): string {
  const text = asText(member)
  if (text.length > MOST_TEXT)
    refuse('LIMIT_EVIDENCE_BYTES', member.path, { expected: `at most ${LIMITS.evidenceBytes} bytes` })
  return text
}

function hexadecimal(member: Member): Uint8Array {
  const text = bounded(member)
  return take(fromHex(text, text.length >> 1, member.path))
}

/** base64url with padding, as CoCo's attester writes it. */
function base64url(member: Member): Uint8Array {
  const text = bounded(member)
  if (/[+/]/.test(text)) refuse('ENV_BASE64_NOT_CANONICAL', member.path, { expected: 'base64url with padding' })
  return take(fromBase64(text.replaceAll('-', '+').replaceAll('_', '/'), member.path))
}

/** PEM has line breaks, which labels must not have. */
function asPem({ value, path }: Member): string {
  if (typeof value !== 'string') return refuse('JSON_TYPE_MISMATCH', path, { expected: 'PEM', actual: typeOf(value) })
  if (value.length > MOST_TEXT)
    refuse('LIMIT_EVIDENCE_BYTES', path, { expected: `at most ${LIMITS.evidenceBytes} bytes` })
  return value
}
