import { indexOfBytes, latin1, utf8 } from '../../core/bytes.ts'
import { isJsonObject, type Json, pointer } from '../../core/json.ts'
import { LIMITS } from '../../core/limits.ts'
import { attempt, type NonEmpty, type Outcome, refuse } from '../../core/outcome.ts'
import type { EvidenceItem, EvidenceKind, EvidenceSet } from '../evidence.ts'
import { spdmLength } from '../nvidia/spdm.ts'
import { kindOf } from '../registry.ts'
import { Members, typeOf } from './members.ts'

const PLATFORMS = {
  snp: { cpu: 'amd/snp-report', gpu: false },
  'snp-gpu': { cpu: 'amd/snp-report', gpu: true },
  tdx: { cpu: 'intel/tdx-quote', gpu: false },
  'tdx-gpu': { cpu: 'intel/tdx-quote', gpu: true },
} as const satisfies Record<string, { cpu: EvidenceKind; gpu: boolean }>

export type AkashPlatform = keyof typeof PLATFORMS

export const platformHasGpu = (platform: AkashPlatform): boolean => PLATFORMS[platform].gpu

/** An AEP-83 answer, alone or as `{ nonce, quote }` as tools save it. The saved nonce is never an expectation. */
export const isAkashQuote = (value: Json): boolean =>
  isJsonObject(value) && (hasLabel(value) || (isJsonObject(value.quote) && hasLabel(value.quote)))

const hasLabel = (value: { readonly [key: string]: Json | undefined }): boolean =>
  ['tee_platform', 'teePlatform', 'tee_type'].some((name) => Object.hasOwn(value, name))

/**
 * Akash's quote response (AEP-83), in the spellings of the REST gateway and of the SDK.
 * @returns the set, or ENV_KIND_UNKNOWN · ENV_KIND_MISMATCH · ENV_MOCK_EVIDENCE · ENV_TDREPORT_NOT_QUOTE ·
 * ENV_EVIDENCE_EMPTY · ENV_STRING_NOT_PRINTABLE · ENV_BASE64_NOT_CANONICAL · JSON_* · LIMIT_EVIDENCE_BYTES ·
 * LIMIT_GPU_COUNT · GPU_INDEX_INVALID · GPU_PEM_SPLIT_INVALID · GPU_TRAILING_BYTES
 * @see AEP-83; ../shared/spec/akash.md §4
 */
export function readAkashQuote(value: Json): Outcome<EvidenceSet> {
  return attempt(() => {
    const outer = new Members(value, '')
    const wrapped = outer.optional('quote')
    if (wrapped !== undefined) {
      for (const saved of ['nonce', 'lease', 'lease_id', 'leaseId']) outer.optional(saved)
      outer.end()
    }
    const quote = wrapped === undefined ? outer : new Members(wrapped.value, wrapped.path)
    // A sender that names a test mode is refused by name: no verifier of ours is chosen by the evidence.
    if (quote.optional('test_purpose', 'testPurpose') !== undefined) {
      refuse('ENV_KIND_UNKNOWN', pointer(quote.path, 'test_purpose'), { actual: 'test-only evidence' })
    }
    const label = quote.text('tee_platform', 'teePlatform', 'tee_type')
    if (!Object.hasOwn(PLATFORMS, label)) {
      refuse('ENV_KIND_UNKNOWN', pointer(quote.path, 'tee_platform'), {
        expected: Object.keys(PLATFORMS).join(', '),
        actual: label,
      })
    }
    const platformLabel = label as AkashPlatform
    const report = quote.evidence('report')
    const chain = quote.optionalEvidence('cert_chain', 'certChain')
    const auxblob = quote.optionalEvidence('auxblob')
    const tlsBound = quote.optionalFlag('tls_bound', 'tlsBound') ?? false
    const gpuReports = quote.optionalArray('gpu_reports', 'gpuReports')
    quote.end()

    const kind = kindOf(report)
    if (kind !== PLATFORMS[platformLabel].cpu && kind !== 'unknown') {
      refuseNamed(kind, pointer(quote.path, 'report'))
      refuse('ENV_KIND_MISMATCH', pointer(quote.path, 'report'), { expected: label, actual: kind })
    }
    const cpu: EvidenceItem = {
      id: 'cpu',
      kind: PLATFORMS[platformLabel].cpu,
      bytes: report,
      endorsements: [chain, auxblob].filter((e) => e !== undefined),
    }
    const items: NonEmpty<EvidenceItem> = [
      cpu,
      ...(gpuReports === undefined ? [] : gpuItems(gpuReports.values, gpuReports.path)),
    ]
    return { carrier: 'akash/aep-83', items, platformLabel, tlsBound, binding: 'raw' }
  })
}

/** Kinds that are refused under a name of their own wherever they turn up. */
export function refuseNamed(kind: ReturnType<typeof kindOf>, path: string): void {
  if (kind === 'mock') refuse('ENV_MOCK_EVIDENCE', path)
  if (kind === 'intel/tdreport') refuse('ENV_TDREPORT_NOT_QUOTE', path, { actual: '1024 bytes, a TDREPORT' })
}

function gpuItems(values: readonly Json[], path: string): EvidenceItem[] {
  if (values.length > LIMITS.gpuCount)
    refuse('LIMIT_GPU_COUNT', path, { expected: `at most ${LIMITS.gpuCount}`, actual: values.length })
  const items = values.map((value, position) => {
    const members = new Members(value, pointer(path, position))
    const index = members.required('device_index', 'deviceIndex')
    if (typeof index.value !== 'number')
      refuse('JSON_TYPE_MISMATCH', index.path, { expected: 'number', actual: typeOf(index.value) })
    const report = members.evidence('report')
    members.end()
    return { index: index.value, report, path: pointer(members.path, 'report') }
  })
  const expected = items.map((_, i) => i)
  const actual = items.map((i) => Number(i.index)).sort((a, b) => a - b)
  if (actual.some((index, i) => index !== expected[i])) {
    refuse('GPU_INDEX_INVALID', path, { expected: expected.join(', '), actual: actual.join(', ') })
  }
  return items
    .sort((a, b) => Number(a.index) - Number(b.index))
    .map(({ index, report, path: at }) => gpuItem(`gpu-${index}`, report, at))
}

const PEM_BEGIN = utf8('-----BEGIN CERTIFICATE-----')

/**
 * Splits SPDM ‖ [CEC report] ‖ PEM chain. The SPDM part ends where its own lengths say; what stands between it and the
 * first certificate is a CEC report, which nothing signs for us and nobody reads; it stays with the item as `unread`.
 */
export function gpuItem(id: string, packed: Uint8Array, path: string): EvidenceItem {
  refuseNamed(kindOf(packed), path)
  const pem = indexOfBytes(packed, PEM_BEGIN)
  if (pem <= 0)
    refuse('GPU_PEM_SPLIT_INVALID', path, {
      expected: 'report, then PEM chain',
      actual: latin1(packed.subarray(0, 24)),
    })
  const front = packed.subarray(0, pem)
  const length = spdmLength(front)
  const between = length.ok ? front.length - length.value : 0
  if (between > CEC_MAXIMUM_BYTES) {
    refuse('GPU_TRAILING_BYTES', path, {
      expected: `at most ${CEC_MAXIMUM_BYTES} bytes of a CEC report`,
      actual: `${between} bytes`,
    })
  }
  const endorsements = [packed.subarray(pem)]
  // A front that does not come apart is handed on whole: its decoder says what is wrong with it, under the GPU's own name.
  if (!length.ok || between < CEC_MINIMUM_BYTES) return { id, kind: 'nvidia/gpu-report', bytes: front, endorsements }
  const [bytes, unread] = [front.subarray(0, length.value), front.subarray(length.value)]
  return { id, kind: 'nvidia/gpu-report', bytes, endorsements, unread }
}

/** A CEC report is a signed structure of its own; anything shorter than one P-384 signature cannot be one. */
const CEC_MINIMUM_BYTES = 96
/** NVML hands out no more. */
const CEC_MAXIMUM_BYTES = 4096
