import { fromUtf8, toHex } from '../../core/encodings.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import { type Outcome, refuse } from '../../core/outcome.ts'
import type { DstackClaims } from '../claims.ts'
import type { DstackEvent, DstackRuntimeEvent } from './dstack.ts'

/** What dstack measures last, before it starts the application. */
const BOUNDARY = 'system-ready'

/** Names that are dstack's own before the boundary, each at most once; every boot measures the ones required. */
const TRUSTED: Readonly<Record<string, 'required' | 'optional'>> = {
  'system-preparing': 'optional',
  'app-id': 'required',
  'compose-hash': 'required',
  'instance-id': 'required',
  'boot-mr-done': 'optional',
  'mr-kms': 'optional',
  'os-image-hash': 'optional',
  'key-provider': 'required',
  'storage-fs': 'optional',
  'gpu-policy-hash': 'optional',
  'gpu-attestation': 'optional',
  [BOUNDARY]: 'required',
}

const isTrusted = (name: string): boolean => Object.hasOwn(TRUSTED, name)

/**
 * What dstack itself measured, inside `attempt`: names of its own, before `system-ready` alone, each exactly once. After it the
 * application may emit any name, so one of these names there is refused rather than passed over.
 * @param events of a log that was replayed, digests recomputed
 * @returns the claims and the place of `system-ready`, or ends with TDX_EVENT_AFTER_BOUNDARY · TDX_EVENT_DUPLICATE ·
 * TDX_EVENT_MISSING · TDX_EVENT_PAYLOAD_INVALID
 * @see ../shared/spec/intel-dcap.md §11
 */
export function dstackClaims(
  events: readonly DstackEvent[],
  path: string,
): { readonly claims: DstackClaims; readonly boundary: number } {
  const boundary = events.findIndex((e) => e.kind === 'runtime' && e.name === BOUNDARY)
  const trusted = new Map<string, DstackRuntimeEvent>()
  events.forEach((event, i) => {
    if (event.kind !== 'runtime' || !isTrusted(event.name)) return
    const at = `${path}/${i}`
    if (boundary >= 0 && i > boundary) refuse('TDX_EVENT_AFTER_BOUNDARY', at, { actual: event.name })
    if (trusted.has(event.name)) refuse('TDX_EVENT_DUPLICATE', at, { actual: event.name })
    trusted.set(event.name, event)
  })
  for (const [name, presence] of Object.entries(TRUSTED))
    if (presence === 'required' && !trusted.has(name)) refuse('TDX_EVENT_MISSING', path, { expected: name })
  const payload = (name: string, ...sizes: readonly number[]) => payloadOf(trusted.get(name), sizes, path)
  return {
    boundary,
    claims: {
      appId: payload('app-id', 20) ?? '',
      composeHash: payload('compose-hash', 32) ?? '',
      instanceId: payload('instance-id', 20, 0) || undefined,
      osImageHash: payload('os-image-hash', 32),
      keyProvider: keyProvider(trusted.get('key-provider'), path),
      mrKms: payload('mr-kms'),
      gpuPolicyHash: payload('gpu-policy-hash'),
      gpuAttestationSha256: gpuAttestation(trusted.get('gpu-attestation'), path),
    },
  }
}

/** @param sizes bytes that the payload may have; none listed: any but none */
function payloadOf(event: DstackRuntimeEvent | undefined, sizes: readonly number[], path: string): string | undefined {
  if (event === undefined) return undefined
  const { length } = event.payload
  if (sizes.length === 0 ? length === 0 : !sizes.includes(length))
    invalid(event, path, sizes.length === 0 ? 'not empty' : `${sizes.join(' or ')} bytes`, `${length} bytes`)
  return toHex(event.payload)
}

function keyProvider(event: DstackRuntimeEvent | undefined, path: string): { name: string; id: string } {
  const { name, id } = jsonPayload(event, path)
  if (typeof name !== 'string' || typeof id !== 'string') return invalid(event, path, 'texts name and id')
  return { name, id }
}

function gpuAttestation(event: DstackRuntimeEvent | undefined, path: string): string | undefined {
  if (event === undefined) return undefined
  const { evidence_sha256: sha256 } = jsonPayload(event, path)
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256))
    return invalid(event, path, 'evidence_sha256, 64 lower-case hexadecimal digits')
  return sha256
}

function jsonPayload(event: DstackRuntimeEvent | undefined, path: string) {
  const value = takePayload(fromUtf8(event?.payload ?? new Uint8Array(), path), event, path)
  const object = takePayload(parseJson(value, path), event, path)
  return isJsonObject(object) ? object : invalid(event, path, 'a JSON object')
}

const takePayload = <T>(outcome: Outcome<T>, event: DstackRuntimeEvent | undefined, path: string): T =>
  outcome.ok ? outcome.value : invalid(event, path, 'strict JSON', outcome.faults[0].code)

const invalid = (event: DstackRuntimeEvent | undefined, path: string, expected: string, actual?: string): never =>
  refuse('TDX_EVENT_PAYLOAD_INVALID', `${path}.${event?.name ?? ''}`, {
    expected,
    ...(actual === undefined ? {} : { actual }),
  })
