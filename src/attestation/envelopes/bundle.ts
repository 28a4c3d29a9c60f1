import { fromBase64 } from '../../core/encodings.ts'
import { isJsonObject, type Json, pointer } from '../../core/json.ts'
import { LIMITS } from '../../core/limits.ts'
import { attempt, type NonEmpty, type Outcome, refuse, take } from '../../core/outcome.ts'
import { decodeHclReport } from '../azure-cvm/index.ts'
import type { BindingForm, EvidenceItem, EvidenceKind, EvidenceSet } from '../evidence.ts'
import { kindOf } from '../registry.ts'
import { refuseNamed } from './akash.ts'
import { runtimeDataOf } from './azure-hcl.ts'
import { asEvidence, Members } from './members.ts'

export const BUNDLE_KIND = 'vouchsafe/1'

/** A member `kind` says bundle; whether it is ours is the reader's question. */
export const isBundle = (value: Json): boolean =>
  isJsonObject(value) && typeof value.kind === 'string' && Object.hasOwn(value, 'items')

const FORMATS: Readonly<Record<string, EvidenceKind>> = {
  'amd/snp-report': 'amd/snp-report',
  'nvidia/gpu-report': 'nvidia/gpu-report',
  'nvidia/switch-report': 'nvidia/switch-report',
  'intel/tdx-quote': 'intel/tdx-quote',
  'intel/sgx-quote': 'intel/sgx-quote',
  'aws/nitro': 'aws/nitro',
  'arm/cca-token': 'arm/cca-token',
  'tpm/quote': 'tpm/quote',
}

/** Kinds that a log of what was measured belongs to. */
const LOGGED: ReadonlySet<EvidenceKind> = new Set(['intel/tdx-quote', 'tpm/quote'])
/** Kinds whose REPORT_DATA may cover an Azure VM's runtime data. */
const COVERING: ReadonlySet<EvidenceKind> = new Set(['intel/tdx-quote', 'amd/snp-report'])

const BINDINGS: readonly BindingForm[] = ['raw', 'derived', 'composite']

/**
 * The generic bundle: `{ "kind": "vouchsafe/1", "items": [{ "id", "format", "data", "certs"?, "eventLog"?, "hclReport"? }], "binding"?, "key"? }`,
 * bytes in base64; an event log belongs to a TDX or TPM quote, an Azure HCL report to the CPU report that covers its runtime data. A challenge, lease or time written in it is the sender's word and is not read.
 * @returns the set, or ENV_KIND_UNKNOWN · ENV_KIND_MISMATCH · ENV_ITEM_DUPLICATE · ENV_* · JSON_* · LIMIT_*
 */
export function readBundle(value: Json): Outcome<EvidenceSet> {
  return attempt(() => {
    const bundle = new Members(value, '')
    const kind = bundle.text('kind')
    if (kind !== BUNDLE_KIND) refuse('ENV_KIND_UNKNOWN', '/kind', { expected: BUNDLE_KIND, actual: kind })
    for (const informational of ['challenge', 'lease', 'collectedAt']) bundle.optional(informational)
    const { values, path } = bundle.array('items')
    if (values.length > LIMITS.itemCount)
      refuse('LIMIT_ITEM_COUNT', path, { expected: `at most ${LIMITS.itemCount}`, actual: values.length })
    const items = values.map((item, i) => readItem(item, pointer(path, i)))
    const binding = bundle.optionalText('binding') ?? 'raw'
    const form = BINDINGS.find((b) => b === binding)
    if (form === undefined)
      return refuse('ENV_KIND_UNKNOWN', '/binding', { expected: BINDINGS.join(', '), actual: binding })
    const keyMember = bundle.optional('key')
    const key = keyMember === undefined ? undefined : readKey(keyMember)
    bundle.end()

    const ids = new Set<string>()
    for (const item of items) {
      if (ids.has(item.id)) refuse('ENV_ITEM_DUPLICATE', path, { actual: item.id })
      ids.add(item.id)
    }
    const gpus = items.filter((i) => i.kind === 'nvidia/gpu-report').length
    if (gpus > LIMITS.gpuCount)
      refuse('LIMIT_GPU_COUNT', path, { expected: `at most ${LIMITS.gpuCount}`, actual: gpus })
    const [first, ...rest] = items
    if (first === undefined) return refuse('ENV_NOTHING_TO_JUDGE', path)
    const all: NonEmpty<EvidenceItem> = [first, ...rest]
    return { carrier: 'vouchsafe/bundle', items: all, binding: form, ...(key === undefined ? {} : { key }) }
  })
}

function readItem(value: Json, path: string): EvidenceItem {
  const members = new Members(value, path)
  const id = members.text('id')
  if (!/^[a-z0-9-]{1,32}$/.test(id))
    refuse('ENV_STRING_NOT_PRINTABLE', pointer(path, 'id'), { expected: 'a-z, 0-9, -', actual: id })
  const format = members.text('format')
  const kind = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined
  if (kind === undefined)
    return refuse('ENV_KIND_UNKNOWN', pointer(path, 'format'), {
      expected: Object.keys(FORMATS).join(', '),
      actual: format,
    })
  const bytes = members.evidence('data')
  const certs = members.optionalArray('certs')
  const eventLog = LOGGED.has(kind) ? members.optionalEventLog('eventLog') : undefined
  const hcl = COVERING.has(kind) ? members.optionalEvidence('hclReport') : undefined
  members.end()
  const actual = kindOf(bytes)
  if (actual !== kind && actual !== 'unknown' && !sameShape(actual, kind)) {
    refuseNamed(actual, pointer(path, 'data'))
    refuse('ENV_KIND_MISMATCH', pointer(path, 'data'), { expected: kind, actual })
  }
  if (certs !== undefined && certs.values.length > LIMITS.certificatesPerChain) {
    refuse('LIMIT_CERT_COUNT', certs.path, {
      expected: `at most ${LIMITS.certificatesPerChain}`,
      actual: certs.values.length,
    })
  }
  const endorsements = certs?.values.map((c, i) => asEvidence({ value: c, path: pointer(certs.path, i) })) ?? []
  const runtimeData =
    hcl === undefined ? undefined : runtimeDataOf(take(decodeHclReport(hcl, pointer(path, 'hclReport'))))
  return {
    ...{ id, kind, bytes, endorsements },
    ...(eventLog === undefined ? {} : { eventLogs: [eventLog] }),
    ...(runtimeData === undefined ? {} : { runtimeData }),
  }
}

/** GPU and switch reports share one form; their certificates tell them apart. */
const sameShape = (a: string, b: string): boolean => a.startsWith('nvidia/') && b.startsWith('nvidia/')

function readKey(member: { value: Json; path: string }): { spki: Uint8Array; domain: string } {
  const members = new Members(member.value, member.path)
  const spki = take(fromBase64(members.text('spki'), pointer(member.path, 'spki')))
  const domain = members.text('domain')
  members.end()
  if (spki.length === 0 || spki.length > 1024)
    refuse('LIMIT_EVIDENCE_BYTES', pointer(member.path, 'spki'), { expected: '1 to 1024 bytes' })
  return { spki, domain }
}
