import { decodeHclReport, decodeRuntimeData, looksLikeHclReport } from '../../attestation/azure-cvm/index.ts'
import type { EvidenceItem } from '../../attestation/evidence.ts'
import {
  type Attest,
  decodeAttest,
  decodePublicArea,
  decodeTpmQuote,
  looksLikeAttest,
  looksLikePublicArea,
  type PublicArea,
} from '../../attestation/tpm/index.ts'
import type { Context } from '../../core/context.ts'
import { type Outcome, ok } from '../../core/outcome.ts'
import { decodePem, looksLikePem } from '../../core/pem.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import { field } from './cbor-kinds.ts'
import type { FieldView, SectionView } from './model.ts'
import { problemOf } from './problems.ts'
import type { ReportView } from './snp.ts'

const shown = (name: string, bytes: Uint8Array, meaning = ''): readonly FieldView[] =>
  field(bytes, name, bytes, meaning)

function attestSection(attest: Attest): SectionView {
  const { bytes, extraData, qualifiedSigner, pcrDigest, selections } = attest
  const selected = selections.map(({ bank, pcrs }) => `${bank}:${pcrs.join(',')}`).join(' ')
  const counters = `resetCount ${attest.resetCount}, restartCount ${attest.restartCount}, clock ${attest.clock} ms`
  return {
    title: `TPMS_ATTEST of a quote over ${selected}`,
    fields: [
      ...field(bytes, 'extraData', extraData, 'asked by the verifier'),
      ...field(bytes, 'qualifiedSigner', qualifiedSigner, 'names from the hierarchy down to the key'),
      ...field(bytes, 'pcrDigest', pcrDigest, 'over the values, under the hash of the signature'),
    ],
    note: `${counters}${attest.safe ? '' : ', clock not known to be right'}, firmware ${attest.firmwareVersion.toString(16)}`,
  }
}

function publicSection({ attributes, attributeBits, kind, nameAlg, scheme, spki }: PublicArea): SectionView {
  const set = Object.entries(attributes).flatMap(([name, isSet]) => (isSet ? [name] : []))
  return {
    title: `TPMT_PUBLIC, ${kind === 'rsa' ? 'RSA' : kind}, named under ${nameAlg}, ${scheme === undefined ? 'any scheme' : `${scheme.name} ${scheme.hash}`}`,
    fields: shown('publicKey', spki, 'SubjectPublicKeyInfo'),
    note: `attributes 0x${attributeBits.toString(16).padStart(8, '0')}: ${set.join(', ') || 'none of those that matter'}`,
  }
}

/** A TPM quote with its key and the PCR values that came with it. */
export function inspectTpmQuote(bytes: Uint8Array): ReportView {
  const outcome = decodeTpmQuote(bytes, 'quote')
  if (!outcome.ok) return { sections: [], problems: outcome.faults.map(problemOf) }
  const { attest, key, pcrs, signature } = outcome.value.value
  const values = [...pcrs].map(([bank, list]) => ({
    title: `PCR values of the bank ${bank}, as they were shown`,
    fields: [...list].flatMap(([index, value]) => shown(`PCR${index}`, value)),
  }))
  const keySection =
    key.form === 'public-area'
      ? publicSection(key.area)
      : { title: 'Attestation key, bare', fields: shown('publicKey', key.spki, 'SubjectPublicKeyInfo') }
  const signed = {
    ...attestSection(attest),
    title: `${attestSection(attest).title}, ${signature.scheme} ${signature.hash}`,
  }
  return { problems: [], sections: [signed, keySection, ...values] }
}

/** Certificates of the key, in the order they came. */
export async function tpmCertificates(
  { endorsements }: EvidenceItem,
  context: Context,
): Promise<Outcome<readonly Certificate[]>> {
  const certificates: Certificate[] = []
  for (const [i, bytes] of endorsements.entries()) {
    const blocks = looksLikePem(bytes) ? decodePem(bytes, `certificates[${i}]`) : ok([{ der: bytes }])
    if (!blocks.ok) return blocks
    for (const { der } of blocks.value) {
      const decoded = await context.certificate(der, `certificates[${i}]`)
      if (!decoded.ok) return decoded
      certificates.push(decoded.value)
    }
  }
  return ok(certificates)
}

/** What REPORT_DATA of an Azure VM covers. */
export function runtimeSection({ bytes, hash }: NonNullable<EvidenceItem['runtimeData']>): ReportView {
  const data = decodeRuntimeData(bytes, 'runtimeData')
  const title = `Azure runtime data, ${bytes.length} bytes, covered under ${hash}`
  if (!data.ok) return { sections: [{ title, fields: [] }], problems: data.faults.map(problemOf) }
  return {
    sections: [{ title, fields: shown('HCLAkPub', data.value.akSpki, 'signs the quotes of the TPM') }],
    problems: [],
  }
}

/** A TPM's or Azure's structure that is no evidence by itself; undefined for other bytes. */
export function inspectTpmPart(bytes: Uint8Array): ReportView | undefined {
  if (looksLikeAttest(bytes)) {
    const attest = decodeAttest(bytes, 'attest')
    if (!attest.ok) return { sections: [], problems: attest.faults.map(problemOf) }
    return { sections: [attestSection(attest.value)], problems: [] }
  }
  if (looksLikeHclReport(bytes)) {
    const hcl = decodeHclReport(bytes, 'hcl')
    if (!hcl.ok) return { sections: [], problems: hcl.faults.map(problemOf) }
    const { hardware, hardwareReport, hash, runtimeData } = hcl.value
    const report = { title: `Azure HCL report of ${hardware.toUpperCase()}`, fields: shown('report', hardwareReport) }
    const runtime = runtimeSection({ bytes: runtimeData, hash })
    return { sections: [report, ...runtime.sections], problems: runtime.problems }
  }
  if (!looksLikePublicArea(bytes)) return undefined
  const area = decodePublicArea(bytes, 'public')
  return area.ok ? { sections: [publicSection(area.value)], problems: [] } : undefined
}
