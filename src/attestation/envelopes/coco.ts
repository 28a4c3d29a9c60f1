import { concatBytes } from '../../core/bytes.ts'
import { isJsonObject, type Json } from '../../core/json.ts'
import { LIMITS } from '../../core/limits.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'
import type { EvidenceSet } from '../evidence.ts'
import { Members, typeOf } from './members.ts'

/** Confidential Containers' SNP evidence: the report as a JSON object, and the certificates beside it. */
export const isCocoSnp = (value: Json): boolean => isJsonObject(value) && isJsonObject(value.attestation_report)

/**
 * Rebuilds the 1184 bytes that were signed from their JSON form. What the JSON leaves out (reserved areas) was zero in any
 * report that this form can carry; were it not, the signature would not verify.
 * @returns the set, or JSON_TYPE_MISMATCH · JSON_UNKNOWN_KEY · LIMIT_CERT_COUNT
 */
export function readCocoSnp(value: Json): Outcome<EvidenceSet> {
  return attempt(() => {
    const members = new Members(value, '')
    const report = new Members(members.required('attestation_report').value, '/attestation_report')
    const chain = members.optionalArray('cert_chain')
    members.end()
    if ((chain?.values.length ?? 0) > LIMITS.certificatesPerChain) {
      refuse('LIMIT_CERT_COUNT', '/cert_chain', { expected: `at most ${LIMITS.certificatesPerChain}` })
    }
    const endorsements = (chain?.values ?? []).map((entry, i) => {
      const fields = new Members(entry, `/cert_chain/${i}`)
      fields.optional('cert_type')
      const data = numbers(fields.required('data'), undefined)
      fields.end()
      return data
    })
    return {
      carrier: 'coco/kbs',
      binding: 'raw',
      items: [{ id: 'cpu', kind: 'amd/snp-report', bytes: encode(report), endorsements }],
    }
  })
}

type Member = { value: Json; path: string }

/** A list of bytes, of this size where one is due; inside `attempt`. */
export function numbers(member: Member, sizeBytes: number | undefined): Uint8Array {
  const { value, path } = member
  if (!Array.isArray(value))
    return refuse('JSON_TYPE_MISMATCH', path, { expected: 'array of bytes', actual: typeOf(value) })
  const list = value as readonly Json[]
  if (list.length > LIMITS.evidenceBytes)
    refuse('LIMIT_EVIDENCE_BYTES', path, { expected: `at most ${LIMITS.evidenceBytes} bytes` })
  if (sizeBytes !== undefined && list.length !== sizeBytes) {
    refuse('JSON_TYPE_MISMATCH', path, { expected: `${sizeBytes} bytes`, actual: `${list.length} bytes` })
  }
  return Uint8Array.from(list, (n, i) => integer({ value: n, path: `${path}/${i}` }, 0xff))
}

function integer({ value, path }: Member, max: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) {
    return refuse('JSON_TYPE_MISMATCH', path, {
      expected: `integer up to ${max}`,
      actual: typeof value === 'number' ? value : typeOf(value),
    })
  }
  return value
}

function littleEndian(value: number, sizeBytes: number): Uint8Array {
  const out = new Uint8Array(sizeBytes)
  let rest = value
  for (let i = 0; i < sizeBytes; i++) {
    out[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return out
}

/** What JSON can say of an unsigned integer of this size. */
const largest = (sizeBytes: number): number => (sizeBytes >= 7 ? Number.MAX_SAFE_INTEGER : 256 ** sizeBytes - 1)

const zeros = (sizeBytes: number): Uint8Array => new Uint8Array(sizeBytes)

function encode(report: Members): Uint8Array {
  const uint = (sizeBytes: number, ...names: readonly string[]) =>
    littleEndian(integer(report.required(...names), largest(sizeBytes)), sizeBytes)
  const optionalUint = (sizeBytes: number, name: string) => {
    const member = report.optional(name)
    return member === undefined || member.value === null
      ? zeros(sizeBytes)
      : littleEndian(integer(member, largest(sizeBytes)), sizeBytes)
  }
  const array = (sizeBytes: number, name: string) => numbers(report.required(name), sizeBytes)
  const tcb = (name: string): Uint8Array => {
    const { value, path } = report.required(name)
    const fields = new Members(value, path)
    const part = (...names: readonly string[]) => littleEndian(integer(fields.required(...names), 0xff), 1)
    const fmc = fields.optional('fmc')
    const bootloader = part('bootloader')
    const tee = part('tee')
    const snp = part('snp')
    const microcode = part('microcode')
    fields.end()
    // Turin's layout begins with FMC; the others have no such component and null stands for it.
    return fmc === undefined || fmc.value === null
      ? concatBytes(bootloader, tee, zeros(4), snp, microcode)
      : concatBytes(littleEndian(integer(fmc, 0xff), 1), bootloader, tee, snp, zeros(3), microcode)
  }
  const version = (name: string): Uint8Array => {
    const { value, path } = report.required(name)
    const fields = new Members(value, path)
    const part = (part: string) => littleEndian(integer(fields.required(part), 0xff), 1)
    const bytes = concatBytes(part('build'), part('minor'), part('major'), zeros(1))
    fields.end()
    return bytes
  }
  const { value: signatureValue, path: signaturePath } = report.required('signature')
  const signature = new Members(signatureValue, signaturePath)
  const head = [
    uint(4, 'version'),
    uint(4, 'guest_svn'),
    uint(8, 'policy'),
    array(16, 'family_id'),
    array(16, 'image_id'),
    uint(4, 'vmpl'),
    uint(4, 'sig_algo'),
    tcb('current_tcb'),
    uint(8, 'plat_info'),
    uint(4, 'key_info', 'author_key_en', '_author_key_en'),
    zeros(4),
    array(64, 'report_data'),
    array(48, 'measurement'),
    array(32, 'host_data'),
    array(48, 'id_key_digest'),
    array(48, 'author_key_digest'),
    array(32, 'report_id'),
    array(32, 'report_id_ma'),
    tcb('reported_tcb'),
    optionalUint(1, 'cpuid_fam_id'),
    optionalUint(1, 'cpuid_mod_id'),
    optionalUint(1, 'cpuid_step'),
    zeros(21),
    array(64, 'chip_id'),
    tcb('committed_tcb'),
    version('current'),
    version('committed'),
    tcb('launch_tcb'),
    optionalUint(8, 'launch_mit_vector'),
    optionalUint(8, 'current_mit_vector'),
    zeros(152),
    numbers(signature.required('r'), 72),
    numbers(signature.required('s'), 72),
    zeros(512 - 144),
  ]
  signature.end()
  report.end()
  return concatBytes(...head)
}
