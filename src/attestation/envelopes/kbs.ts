import { utf8 } from '../../core/bytes.ts'
import { isJsonObject, type Json, type JsonObject, parseJson, pointer } from '../../core/json.ts'
import { LIMITS } from '../../core/limits.ts'
import { attempt, type NonEmpty, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { EvidenceItem, EvidenceSet, InitData, RuntimeData } from '../evidence.ts'
import { kindOf } from '../registry.ts'
import { refuseNamed } from './akash.ts'
import { isCocoSnp, numbers, readCocoSnp } from './coco.ts'
import { asEvidence, Members, typeOf } from './members.ts'
import { readNvidiaEvidence } from './nvidia-sdk.ts'

/** What a Confidential Containers guest sends to `/kbs/v0/attest`: evidence, and the runtime data that it commits to. */
export const isKbsAttestation = (value: Json): boolean =>
  isJsonObject(value) && Object.hasOwn(value, 'runtime-data') && Object.hasOwn(value, 'tee-evidence')

/** The session's nonce has 44 characters; a challenge of ours has 88. */
const MOST_NONCE_CHARACTERS = 128
const MOST_INIT_DATA_BYTES = 256 * 1024

/**
 * The body of `POST /kbs/v0/attest`. Nonce and key in it are the sender's words until the report data proves them
 * (`evidence-set/binding`).
 * @returns the set, or JSON_* · ENV_* · LIMIT_* · BIND_INIT_DATA_MALFORMED
 * @see ../shared/spec/protocols.md §1.2
 */
export function readKbsAttestation(value: Json): Outcome<EvidenceSet> {
  return attempt(() => {
    const body = new Members(value, '')
    const initData = readInitData(body.optional('init-data'))
    const runtime = body.required('runtime-data')
    const evidence = body.required('tee-evidence')
    body.end()
    const { items, additionalEvidence } = isComposite(evidence.value) ? readComposite(evidence) : readSingle(evidence)
    return {
      carrier: 'coco/kbs',
      binding: 'runtime-data',
      items,
      runtimeData: readRuntimeData(runtime, additionalEvidence),
      ...(initData === undefined ? {} : { initData }),
    }
  })
}

interface TeeEvidence {
  readonly items: NonEmpty<EvidenceItem>
  readonly additionalEvidence: string | undefined
}

const isComposite = (value: Json): boolean => isJsonObject(value) && Object.hasOwn(value, 'primary_evidence')

function readComposite(evidence: Member): TeeEvidence {
  const members = new Members(evidence.value, evidence.path)
  const primary = members.required('primary_evidence')
  const additional = members.required('additional_evidence')
  members.end()
  const additionalEvidence = textOf(additional, LIMITS.requestBytes)
  return { items: [readPrimary(primary), ...readAdditional(additionalEvidence, additional.path)], additionalEvidence }
}

/** Versions 0.2 and 0.3 know one piece of evidence, and hash nonce and key alone. */
const readSingle = (evidence: Member): TeeEvidence => ({
  items: [readPrimary(evidence)],
  additionalEvidence: undefined,
})

interface Member {
  readonly value: Json
  readonly path: string
}

function textOf({ value, path }: Member, mostCharacters: number): string {
  if (typeof value !== 'string')
    return refuse('JSON_TYPE_MISMATCH', path, { expected: 'string', actual: typeOf(value) })
  if (value.length > mostCharacters)
    refuse('LIMIT_REQUEST_BYTES', path, { expected: `at most ${mostCharacters} characters`, actual: value.length })
  return value
}

function readRuntimeData(member: Member, additionalEvidence: string | undefined): RuntimeData {
  const members = new Members(member.value, member.path)
  const nonce = textOf(members.required('nonce'), MOST_NONCE_CHARACTERS)
  const { value: key, path } = members.required('tee-pubkey')
  members.end()
  if (!isJsonObject(key)) return refuse('JSON_TYPE_MISMATCH', path, { expected: 'object', actual: typeOf(key) })
  return { nonce, teePubkey: key, additionalEvidence }
}

/** The evidence of the CPU by the form it has; what the guest calls its TEE decides nothing. */
function readPrimary({ value, path }: Member): EvidenceItem {
  if (isCocoSnp(value)) return take(readCocoSnp(value)).items[0]
  if (typeof value === 'string') return cpuItem(asEvidence({ value, path }), path)
  if (!isJsonObject(value)) return refuse('JSON_TYPE_MISMATCH', path, { expected: 'object', actual: typeOf(value) })
  const members = new Members(value, path)
  if (Object.hasOwn(value, 'token')) {
    const token = numbers(members.required('token'), undefined)
    members.end()
    return cpuItem(token, path)
  }
  if (!Object.hasOwn(value, 'quote')) return refuse('ENV_KIND_UNKNOWN', path, { actual: Object.keys(value).join(', ') })
  const quote = members.evidence('quote')
  // Beside a report of SNP, what the host gave for it: our own agent has no reason to take a report apart.
  const certs = members.optionalArray('certs')
  const endorsements = (certs?.values ?? []).map((cert, i) =>
    asEvidence({ value: cert, path: pointer(certs?.path ?? path, i) }),
  )
  if (endorsements.length > LIMITS.certificatesPerChain)
    refuse('LIMIT_CERT_COUNT', path, { expected: `at most ${LIMITS.certificatesPerChain}` })
  const { value: log } = members.optional('cc_eventlog') ?? { value: null }
  const eventLog = log === null ? undefined : members.optionalEventLog('cc_eventlog')
  members.end()
  const item = { ...cpuItem(quote, pointer(path, 'quote')), endorsements }
  return eventLog === undefined || item.kind !== 'intel/tdx-quote' ? item : { ...item, eventLogs: [eventLog] }
}

function cpuItem(bytes: Uint8Array, path: string): EvidenceItem {
  const kind = kindOf(bytes)
  refuseNamed(kind, path)
  switch (kind) {
    case 'amd/snp-report':
    case 'intel/tdx-quote':
    case 'intel/sgx-quote':
    case 'arm/cca-token':
      return { id: 'cpu', kind, bytes, endorsements: [] }
    default:
      return refuse('ENV_KIND_UNKNOWN', path, { actual: `${bytes.length} bytes of ${kind}` })
  }
}

/** `{"nvidia": {"device_evidence_list": […]}}`, or nothing. */
function readAdditional(text: string, path: string): readonly EvidenceItem[] {
  if (text === '') return []
  const members = new Members(take(parseJson(text, path)), path)
  const devices = members.required('nvidia')
  members.end()
  return take(readNvidiaEvidence(devices.value)).items
}

const ALGORITHM = /^[ \t]*algorithm[ \t]*=[ \t]*(["'])(sha256|sha384|sha512)\1[ \t]*(?:#.*)?$/gm

/** The TOML text whose digest the guest was launched with; only its algorithm is read. */
function readInitData(member: Member | undefined): InitData | undefined {
  if (member === undefined || member.value === null) return undefined
  const members = new Members(member.value, member.path)
  const format = textOf(members.required('format'), 16)
  const body = textOf(members.required('body'), MOST_INIT_DATA_BYTES)
  members.end()
  const [algorithm, other] = [...body.matchAll(ALGORITHM)].map((m) => m[2])
  if (format !== 'toml' || other !== undefined || !isInitDataHash(algorithm)) {
    return refuse('BIND_INIT_DATA_MALFORMED', member.path, {
      expected: 'toml with one algorithm: sha256, sha384 or sha512',
      actual: other === undefined ? (algorithm ?? format) : 'two algorithms',
    })
  }
  return { hash: algorithm, body: utf8(body) }
}

const isInitDataHash = (name: string | undefined): name is InitData['hash'] =>
  name === 'sha256' || name === 'sha384' || name === 'sha512'

/** What the CPU's report data is the hash of, in JCS. */
export const cpuRuntimeData = (data: RuntimeData): JsonObject =>
  data.additionalEvidence === undefined
    ? deviceRuntimeData(data)
    : { 'additional-evidence': data.additionalEvidence, ...deviceRuntimeData(data) }

/** What the devices' nonce is the hash of. */
export const deviceRuntimeData = ({ nonce, teePubkey }: RuntimeData): JsonObject => ({ nonce, 'tee-pubkey': teePubkey })
