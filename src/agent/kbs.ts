import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { Collector, EvidencePart, Question } from '../collect/index.ts'
import { utf8 } from '../core/bytes.ts'
import { toBase64 } from '../core/encodings.ts'
import { canonicalJson, type JsonObject } from '../core/json.ts'
import { attemptAsync, type NonEmpty, type Outcome, refuse, take } from '../core/outcome.ts'
import { type FlattenedJwe, openJwe } from '../release/wrap/jwe.ts'
import { type Answer, ask, type ServiceAddress } from './exchange.ts'
import { refusalOf } from './refusal.ts'

/** One resource of a Key Broker Service. */
export interface KbsRequest {
  readonly service: ServiceAddress
  /** `tenant/type/tag` */
  readonly resource: string
  readonly collectors: NonEmpty<Collector>
}

const VERSION = '0.4.0'
const BASE = '/kbs/v0'
const REPORT_DATA_BYTES = 64
const TEES: Readonly<Record<string, string>> = {
  'amd/snp-report': 'snp',
  'intel/tdx-quote': 'tdx',
  'intel/sgx-quote': 'sgx',
  'arm/cca-token': 'cca',
}

/**
 * Gets one key by the KBS protocol 0.4, as guests of Confidential Containers do. The JWE is for the key pair that was just made and
 * that the evidence covers; it carries no binding to what was asked.
 * @returns the key, which the caller overwrites; or AGENT_* · COLLECT_* · RELEASE_WRAPPED_INVALID · the codes of the service
 * @see ../shared/spec/protocols.md §1
 */
export function fetchKbs({ service, resource, collectors }: KbsRequest): Promise<Outcome<Uint8Array>> {
  return attemptAsync(async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { nonce, cookie } = await openSession(service, await teeOf(collectors))
    const headers = { Cookie: cookie }
    const body = await attestation(collectors, { nonce, 'tee-pubkey': jwkOf(publicKey) })
    const attested = take(await ask(service, { method: 'POST', path: `${BASE}/attest`, headers, body }))
    if (attested.status !== 200) return take(refusalOf(attested, 'attest'))
    const path = `${BASE}/resource/${resource.split('/').map(encodeURIComponent).join('/')}`
    const answer = take(await ask(service, { method: 'GET', path, headers }))
    if (answer.status !== 200) return take(refusalOf(answer, 'resource'))
    return take(openJwe(jweIn(answer), privateKey))
  })
}

async function openSession(service: ServiceAddress, tee: string): Promise<{ nonce: string; cookie: string }> {
  const body = { version: VERSION, tee, 'extra-params': { 'supported-hash-algorithms': ['sha384'] } }
  const answer = take(await ask(service, { method: 'POST', path: `${BASE}/auth`, body }))
  if (answer.status !== 200) return take(refusalOf(answer, 'auth'))
  const { nonce } = answer.body
  if (typeof nonce !== 'string' || nonce === '' || answer.cookie === undefined)
    return refuse('AGENT_ANSWER_INVALID', 'auth', { expected: 'a nonce and a session' })
  return { nonce, cookie: answer.cookie }
}

/** Which TEE it is has to be said before anything is attested; what the CPU's source answers to a question of nobody's tells. */
async function teeOf(collectors: NonEmpty<Collector>): Promise<string> {
  const [cpu] = await collected(collectors, 'cpu', new Uint8Array(REPORT_DATA_BYTES))
  return TEES[cpu?.format ?? ''] ?? refuse('COLLECT_CPU_TEE_ABSENT', 'cpu')
}

/** The body of `/attest`: devices answer the hash of nonce and key, the CPU that of both and of what the devices said. */
async function attestation(collectors: NonEmpty<Collector>, runtimeData: JsonObject): Promise<JsonObject> {
  const devices = await collected(collectors, 'devices', reportData(runtimeData))
  const additional =
    devices.length === 0 ? '' : JSON.stringify({ nvidia: { device_evidence_list: devices.map(device) } })
  const [cpu] = await collected(collectors, 'cpu', reportData({ 'additional-evidence': additional, ...runtimeData }))
  if (cpu === undefined) return refuse('COLLECT_CPU_TEE_ABSENT', 'cpu')
  const { data, certs, eventLog } = cpu
  return {
    'init-data': null,
    'runtime-data': runtimeData,
    'tee-evidence': {
      primary_evidence: {
        quote: toBase64(data),
        ...(certs.length === 0 ? {} : { certs: certs.map(toBase64) }),
        ...(eventLog === undefined ? {} : { cc_eventlog: toBase64(eventLog) }),
      },
      additional_evidence: additional,
    },
  }
}

async function collected(
  collectors: NonEmpty<Collector>,
  makes: Collector['makes'],
  nonce: Uint8Array,
): Promise<readonly EvidencePart[]> {
  const question: Question = { nonce, key: undefined, binding: 'raw' }
  const parts: EvidencePart[] = []
  for (const collector of collectors.filter((one) => one.makes === makes)) {
    const { evidence } = take(await collector.collect(question, []))
    if (evidence.kind === 'parts') parts.push(...evidence.parts)
  }
  return parts
}

const device = ({ data, certs: [chain] }: EvidencePart): JsonObject => ({
  evidence: toBase64(data),
  certificate: toBase64(chain ?? new Uint8Array()),
})

/** SHA-384 of the canonical JSON, at the beginning of 64 bytes. */
function reportData(value: JsonObject): Uint8Array {
  const bytes = new Uint8Array(REPORT_DATA_BYTES)
  bytes.set(
    createHash('sha384')
      .update(utf8(canonicalJson(value)))
      .digest(),
  )
  return bytes
}

function jwkOf(key: KeyObject): JsonObject {
  const { crv, kty, x, y } = key.export({ format: 'jwk' })
  return { alg: 'ECDH-ES+A256KW', crv: String(crv), kty: String(kty), x: String(x), y: String(y) }
}

function jweIn({ body }: Answer): FlattenedJwe {
  const text = (name: string): string => {
    const member = body[name]
    return typeof member === 'string' ? member : refuse('AGENT_ANSWER_INVALID', `resource.${name}`)
  }
  return {
    protected: text('protected'),
    encrypted_key: text('encrypted_key'),
    iv: text('iv'),
    ciphertext: text('ciphertext'),
    tag: text('tag'),
  }
}
