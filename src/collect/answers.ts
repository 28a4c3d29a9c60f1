import {
  compositeReportData,
  derivedGpuNonce,
  derivedQualifyingData,
  keyReportData,
} from '../attestation/evidence-set/binding.ts'
import { nodeCrypto } from '../core/crypto/node.ts'
import type { EvidencePart, Question } from './collector.ts'

const { digest } = nodeCrypto

/**
 * REPORT_DATA of the CPU's report, 64 bytes, by the table of docs/evidence.md.
 * @param before the parts that a composite report covers, in the order of the bundle
 */
export async function reportDataFor(question: Question, before: readonly EvidencePart[]): Promise<Uint8Array> {
  const { nonce, key, binding } = question
  if (binding === 'composite') {
    const gpus = before.filter((part) => part.format === 'nvidia/gpu-report')
    const digests = await Promise.all(gpus.map((gpu) => digest('sha256', gpu.data)))
    return compositeReportData(digest, nonce, key, digests)
  }
  return key === undefined ? nonce : keyReportData(digest, nonce, key)
}

/** Nonce of every GPU and switch, 32 bytes. */
export async function deviceNonceFor(question: Question): Promise<Uint8Array> {
  const { nonce, key, binding } = question
  return binding === 'raw' ? (await reportDataFor(question, [])).slice(0, 32) : derivedGpuNonce(digest, nonce, key)
}

/** Qualifying data of a TPM's quote: 64 bytes in the raw form, 32 in the others, which every TPM takes. */
export async function qualifyingDataFor(question: Question): Promise<Uint8Array> {
  const { nonce, key, binding } = question
  return binding === 'raw' ? reportDataFor(question, []) : derivedQualifyingData(digest, nonce, key)
}
