import { equalBytes, indexOfBytes, isZero, latin1, utf8 } from '../../core/bytes.ts'
import { fromUtf8 } from '../../core/encodings.ts'
import { type Json, parseJson } from '../../core/json.ts'
import { LIMITS } from '../../core/limits.ts'
import { attempt, type NonEmpty, type Outcome, refuse, take } from '../../core/outcome.ts'
import { looksLikePem } from '../../core/pem.ts'
import { decodeHclReport } from '../azure-cvm/index.ts'
import type { CollateralFile } from '../collateral.ts'
import { isIntelCollateral, looksLikeIntelText } from '../dcap/collateral-files.ts'
import { looksLikeCcel, looksLikeCcelTable, looksLikeDstackLog } from '../event-log/index.ts'
import type { EvidenceItem, EvidenceSet } from '../evidence.ts'
import { kindOf } from '../registry.ts'
import { looksLikeCertificateTable } from '../sev-snp/certificate-table.ts'
import { gpuItem, isAkashQuote, readAkashQuote, refuseNamed } from './akash.ts'
import { isAzureHcl, readAzureHcl, runtimeDataOf } from './azure-hcl.ts'
import { isBundle, readBundle } from './bundle.ts'
import { isCocoSnp, readCocoSnp } from './coco.ts'
import { isCocoAzure, isCocoTpm, readCocoAzure, readCocoTpm } from './coco-vtpm.ts'
import { eventLogBytes, isDstackQuote, readDstackQuote } from './dstack.ts'
import { checkLogSizes, type LooseFile, withEventLogs } from './event-logs.ts'
import { isKbsAttestation, readKbsAttestation } from './kbs.ts'
import { isNvidiaEvidence, readNvidiaEvidence } from './nvidia-sdk.ts'
import { isTpmQuote, readTpmQuote } from './tpm-quote.ts'
import { isTsmReport, readTsmReport } from './tsm.ts'

/** One file of evidence. The name serves to pair files of one folder and to name them in messages; it proves nothing. */
export interface EvidenceFile {
  readonly name: string
  readonly bytes: Uint8Array
}

export interface ReadEvidence {
  readonly set: EvidenceSet
  /** certificates, revocation lists, OCSP answers, manifests and files of Intel's that lay beside the evidence */
  readonly collateral: readonly CollateralFile[]
  /** names of files that are neither */
  readonly ignored: readonly string[]
}

const JSON_CARRIERS: readonly { is: (value: Json) => boolean; read: (value: Json) => Outcome<EvidenceSet> }[] = [
  { is: isBundle, read: readBundle },
  { is: isTpmQuote, read: readTpmQuote },
  { is: isAkashQuote, read: readAkashQuote },
  { is: isDstackQuote, read: readDstackQuote },
  { is: isTsmReport, read: readTsmReport },
  { is: isKbsAttestation, read: readKbsAttestation },
  { is: isCocoSnp, read: readCocoSnp },
  { is: isCocoAzure, read: readCocoAzure },
  { is: isCocoTpm, read: readCocoTpm },
  { is: isNvidiaEvidence, read: readNvidiaEvidence },
]

/**
 * Takes evidence out of its envelope, recognised by content: raw report or quote, Akash quote response, NVIDIA SDK JSON,
 * configfs-tsm JSON, CoCo evidence and what its guests attest with, Azure HCL report, TPM quote, dstack's quote response, the generic
 * bundle; one file, or the files of one
 * folder, where the event log beside a TDX quote is handed to it.
 * Limits hold over all files together; of a folder, collateral has limits of its own.
 * @returns the set, or LIMIT_REQUEST_BYTES · LIMIT_ITEM_COUNT · LIMIT_GPU_COUNT · ENV_EVIDENCE_EMPTY · ENV_UNREADABLE · ENV_NOTHING_TO_JUDGE · ENV_ITEM_DUPLICATE · BIND_COMPOSITE_MISMATCH and the codes of the
 * envelope recognised
 */
export function readEvidence(files: readonly EvidenceFile[]): Outcome<ReadEvidence> {
  return attempt(() => {
    const [only, ...more] = files
    if (only === undefined) return refuse('ENV_NOTHING_TO_JUDGE', 'evidence')
    if (more.length === 0) return { set: take(readOne(only.bytes, '')), collateral: [], ignored: [] }
    return readFolder(files)
  })
}

function checkSize(total: number, path: string): void {
  if (total > LIMITS.requestBytes) {
    refuse('LIMIT_REQUEST_BYTES', path, { expected: `at most ${LIMITS.requestBytes} bytes`, actual: `${total} bytes` })
  }
}

/** One file that must be evidence as a whole. */
export function readOne(bytes: Uint8Array, path: string): Outcome<EvidenceSet> {
  return attempt(() => {
    if (bytes.length === 0) refuse('ENV_EVIDENCE_EMPTY', path)
    checkSize(bytes.length, path)
    if (looksLikeJson(bytes)) {
      const value = take(parseJson(take(fromUtf8(bytes, path)), path))
      if (looksLikeDstackLog(value)) refuseLogAlone(path)
      const carrier = JSON_CARRIERS.find((c) => c.is(value))
      if (carrier !== undefined) return take(carrier.read(value))
      if (isIntelCollateral(value)) refuse('ENV_NOTHING_TO_JUDGE', path, { actual: 'collateral only' })
      return refuse('ENV_UNREADABLE', path, { actual: 'JSON of no known carrier' })
    }
    if (isAzureHcl(bytes)) return take(readAzureHcl(bytes))
    if (looksLikeCcel(bytes) || looksLikeCcelTable(bytes)) refuseLogAlone(path)
    if (looksLikePem(bytes) || bytes[0] === 0x30)
      return refuse('ENV_NOTHING_TO_JUDGE', path, { actual: 'certificates only' })
    if (kindOf(bytes) === 'unknown' && looksLikeIntelText(bytes))
      return refuse('ENV_NOTHING_TO_JUDGE', path, { actual: 'collateral only' })
    return { carrier: 'raw', items: [rawItem(bytes, path)], binding: 'raw' }
  })
}

const refuseLogAlone = (path: string): never =>
  refuse('ENV_NOTHING_TO_JUDGE', path, { actual: 'an event log without its quote' })

const looksLikeJson = (bytes: Uint8Array): boolean => /^\s*[[{]/.test(latin1(bytes.subarray(0, 64)))

const PEM_BEGIN = utf8('-----BEGIN CERTIFICATE-----')

function rawItem(bytes: Uint8Array, path: string): EvidenceItem {
  if (bytes.length > LIMITS.evidenceBytes) {
    refuse('LIMIT_EVIDENCE_BYTES', path, {
      expected: `at most ${LIMITS.evidenceBytes} bytes`,
      actual: `${bytes.length} bytes`,
    })
  }
  const kind = kindOf(bytes)
  refuseNamed(kind, path)
  switch (kind) {
    case 'nvidia/gpu-report':
      return indexOfBytes(bytes, PEM_BEGIN) > 0
        ? gpuItem('gpu-0', bytes, path)
        : { id: 'gpu-0', kind, bytes, endorsements: [] }
    case 'nvidia/switch-report':
      return { id: 'switch-0', kind, bytes, endorsements: [] }
    case 'amd/snp-report':
    case 'intel/tdx-quote':
    case 'intel/sgx-quote':
    case 'aws/nitro':
    case 'arm/cca-token':
      return { id: 'cpu', kind, bytes, endorsements: [] }
    case 'tpm/quote':
      return { id: 'tpm', kind, bytes, endorsements: [] }
    default:
      return refuse('ENV_UNREADABLE', path, { actual: `${bytes.length} bytes of no known form` })
  }
}

const stem = (name: string): string => name.split('.')[0] ?? name

/** What is proved by itself and sorted later, under limits of its own. */
const looksLikeCollateral = (bytes: Uint8Array): boolean =>
  looksLikePem(bytes) || bytes[0] === 0x30 || /^\s*</.test(latin1(bytes.subarray(0, 64)))

function readFolder(files: readonly EvidenceFile[]): ReadEvidence {
  if (files.length > LIMITS.folderFiles) {
    refuse('LIMIT_ITEM_COUNT', 'evidence', {
      expected: `at most ${LIMITS.folderFiles} files`,
      actual: `${files.length} files`,
    })
  }
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1))
  const carriers: EvidenceSet[] = []
  const raw: { item: EvidenceItem; name: string }[] = []
  const tables: Uint8Array[] = []
  const collateral: CollateralFile[] = []
  const ignored: string[] = []
  const logs: LooseFile[] = []
  const logTables: LooseFile[] = []
  const hclReports: LooseFile[] = []
  let total = 0
  for (const { name, bytes } of sorted) {
    if (bytes.length === 0) refuse('ENV_EVIDENCE_EMPTY', name)
    if (looksLikeCollateral(bytes)) {
      collateral.push({ name, bytes })
      continue
    }
    if (looksLikeCcel(bytes)) {
      logs.push({ name, bytes })
      checkLogSizes(logs)
      continue
    }
    total += bytes.length
    checkSize(total, name)
    if (looksLikeJson(bytes)) {
      // JSON that readers could read differently may be evidence to one of them: it is refused, not passed over.
      const value = take(parseJson(take(fromUtf8(bytes, name)), name))
      const carrier = JSON_CARRIERS.find((c) => c.is(value))
      if (carrier !== undefined) carriers.push(take(carrier.read(value)))
      else if (looksLikeDstackLog(value)) logs.push({ name, bytes: eventLogBytes(value) })
      else if (isIntelCollateral(value)) collateral.push({ name, bytes })
      else ignored.push(name)
    } else if (isAzureHcl(bytes)) {
      hclReports.push({ name, bytes })
    } else if (looksLikeCcelTable(bytes)) {
      logTables.push({ name, bytes })
    } else if (looksLikeCertificateTable(bytes)) {
      tables.push(bytes)
    } else if (kindOf(bytes) === 'unknown') {
      if (looksLikeIntelText(bytes)) collateral.push({ name, bytes })
      else ignored.push(name)
    } else {
      raw.push({ item: rawItem(bytes, name), name })
    }
  }
  const hasTdQuote =
    raw.some(({ item }) => item.kind === 'intel/tdx-quote') ||
    carriers.some((c) => c.items.some((i) => i.kind === 'intel/tdx-quote'))
  const beside = hclReports.filter(({ bytes }) => hasTdQuote && isOfTd(bytes))
  for (const report of hclReports) if (!beside.includes(report)) carriers.push(take(readAzureHcl(report.bytes)))
  const carried = distinct(carriers.flatMap((c) => c.items))
  const loose = raw.filter(({ item }) => !carried.some((c) => sameEvidence(c, item)))
  const { items, ignored: unclaimed } = withEventLogs(
    numbered([...carried, ...paired(loose, collateral)]).map((item) =>
      item.kind === 'amd/snp-report' && tables.length > 0
        ? { ...item, endorsements: [...item.endorsements, ...tables] }
        : item,
    ),
    { logs, tables: logTables },
  )
  checkCounts(items)
  const [first, ...rest] = items.map((item) => withRuntimeData(item, beside))
  if (first === undefined)
    return refuse('ENV_NOTHING_TO_JUDGE', 'evidence', { actual: `${files.length} files, none of them evidence` })
  const labelled = carriers.filter((c) => c.platformLabel !== undefined || c.key !== undefined)
  if (labelled.length > 1)
    refuse('ENV_ITEM_DUPLICATE', 'evidence', { expected: 'one carrier', actual: `${labelled.length}` })
  const all: NonEmpty<EvidenceItem> = [first, ...rest]
  const carrier = labelled[0] ?? carriers[0]
  checkCovered(carrier, all)
  const base = carrier ?? { carrier: 'raw' as const, binding: 'raw' as const }
  return { set: { ...base, items: all }, collateral, ignored: [...ignored, ...unclaimed] }
}

/** Two carriers of one folder may bring the same report of a VM: it counts once, with what the first of them brings. */
function distinct(items: readonly EvidenceItem[]): readonly EvidenceItem[] {
  return items.filter((item, i) => !items.slice(0, i).some((before) => isSameReport(before, item)))
}

const isSameReport = (a: EvidenceItem, b: EvidenceItem): boolean =>
  a.runtimeData !== undefined &&
  b.runtimeData !== undefined &&
  sameEvidence(a, b) &&
  a.runtimeData.hash === b.runtimeData.hash &&
  equalBytes(a.runtimeData.bytes, b.runtimeData.bytes)

/** A guest that commits to its device evidence has no devices beside it. */
function checkCovered(request: EvidenceSet | undefined, all: readonly EvidenceItem[]): void {
  if (request?.runtimeData?.additionalEvidence === undefined) return
  const covered = new Set(request.items.map(({ bytes }) => bytes))
  const extra = all.find(({ kind, bytes }) => kind.startsWith('nvidia/') && !covered.has(bytes))
  if (extra !== undefined)
    refuse('BIND_COMPOSITE_MISMATCH', extra.id, { expected: 'devices in additional_evidence alone', actual: 'another' })
}

const isOfTd = (bytes: Uint8Array): boolean => {
  const report = decodeHclReport(bytes, 'hcl')
  return report.ok && report.value.hardware === 'tdx'
}

/** The TDREPORT in an HCL report is proved by nobody; the TD quote beside it is, and covers the same runtime data. */
function withRuntimeData(item: EvidenceItem, [hcl, ...more]: readonly LooseFile[]): EvidenceItem {
  if (hcl === undefined || item.kind !== 'intel/tdx-quote') return item
  if (more.length > 0)
    refuse('ENV_ITEM_DUPLICATE', hcl.name, { expected: 'one HCL report', actual: `${more.length + 1}` })
  return { ...item, runtimeData: runtimeDataOf(take(decodeHclReport(hcl.bytes, hcl.name))) }
}

function checkCounts(items: readonly EvidenceItem[]): void {
  const gpus = items.filter((i) => i.kind === 'nvidia/gpu-report').length
  if (items.length > LIMITS.itemCount)
    refuse('LIMIT_ITEM_COUNT', 'evidence', { expected: `at most ${LIMITS.itemCount}`, actual: items.length })
  if (gpus > LIMITS.gpuCount)
    refuse('LIMIT_GPU_COUNT', 'evidence', { expected: `at most ${LIMITS.gpuCount}`, actual: gpus })
}

/** The same evidence in two files: firmware hands out quotes in areas of fixed size, and some tools cut the zeros behind. */
function sameEvidence(a: EvidenceItem, b: EvidenceItem): boolean {
  const [short, long] = a.bytes.length < b.bytes.length ? [a.bytes, b.bytes] : [b.bytes, a.bytes]
  if (short.length !== long.length && a.kind !== 'intel/tdx-quote') return false
  return equalBytes(short, long.subarray(0, short.length)) && isZero(long.subarray(short.length))
}

/** A GPU or switch report without chain takes the PEM file of the same stem, or the only one where there is one report. */
function paired(
  raw: readonly { item: EvidenceItem; name: string }[],
  collateral: readonly CollateralFile[],
): EvidenceItem[] {
  const bare = raw.filter(({ item }) => item.kind.startsWith('nvidia/') && item.endorsements.length === 0)
  const chains = collateral.filter((c) => looksLikePem(c.bytes))
  return raw.map(({ item, name }) => {
    if (!bare.some((b) => b.item === item)) return item
    const chain =
      chains.find((c) => stem(c.name) === stem(name)) ??
      (bare.length === 1 && chains.length === 1 ? chains[0] : undefined)
    return chain === undefined ? item : { ...item, endorsements: [chain.bytes] }
  })
}

/** Items from several files get the numbers of their order. */
function numbered(items: readonly EvidenceItem[]): EvidenceItem[] {
  const counts = new Map<string, number>()
  return items.map((item) => {
    if (item.id === 'cpu' && !counts.has('cpu')) {
      counts.set('cpu', 1)
      return item
    }
    const prefix = item.id.replace(/-\d+$/, '')
    const n = counts.get(prefix) ?? 0
    counts.set(prefix, n + 1)
    return { ...item, id: `${prefix}-${n}` }
  })
}
