import { concatBytes, equalBytes, utf8 } from '../../core/bytes.ts'
import { fromHex, fromUtf8, toHex } from '../../core/encodings.ts'
import { canonicalJson, isJsonObject, type Json, parseJson, pointer } from '../../core/json.ts'
import { LIMITS } from '../../core/limits.ts'
import { attempt, attemptAsync, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { EventLogClaims, RtmrIndex } from '../claims.ts'
import { Members } from '../envelopes/members.ts'
import { dstackClaims } from './dstack-claims.ts'
import { DSTACK_RUNTIME } from './event-types.ts'
import { interpreted, measured } from './events.ts'
import { type Digest, type Extension, RTMR_BYTES, RTMR_INDEXES, takeReplayed } from './replay.ts'

/**
 * How a dstack guest hashes its events: `event_log_version` of its app-compose.json, 1 where that says nothing. The log does
 * not say it, and only the declared version is ever tried.
 */
export type DstackLogVersion = 1 | 2

/** An event of firmware or boot loader in RTMR0 to RTMR2: whatever the log says of it, only its digest counts. */
export interface DstackBootEvent extends Extension {
  readonly kind: 'boot'
  readonly type: number
}

/** An event of dstack or of the application in RTMR3. */
export interface DstackRuntimeEvent {
  readonly kind: 'runtime'
  readonly register: 3
  readonly type: typeof DSTACK_RUNTIME
  readonly name: string
  readonly payload: Uint8Array
  /** 48 bytes; undefined where the sender left it out, as recent versions do */
  readonly statedDigest: Uint8Array | undefined
}

export type DstackEvent = DstackBootEvent | DstackRuntimeEvent

/** A list of events as the dstack guest agent gives it; no proof of anything. */
export const looksLikeDstackLog = (value: Json): boolean =>
  Array.isArray(value) && isJsonObject(value[0]) && Object.hasOwn(value[0], 'imr') && Object.hasOwn(value[0], 'digest')

/**
 * Reads a dstack event log, strict JSON, without cryptography.
 * @returns the events, or UTF8_INVALID · JSON_* · HEX_NOT_CANONICAL · ENV_STRING_NOT_PRINTABLE · TDX_EVENT_LOG_MALFORMED ·
 * LIMIT_EVENT_LOG_COUNT · LIMIT_JSON_*
 * @see ../shared/spec/intel-dcap.md §11
 */
export function decodeDstackLog(bytes: Uint8Array, path: string): Outcome<readonly DstackEvent[]> {
  return attempt(() => {
    const list = take(parseJson(take(fromUtf8(bytes, path)), path, 'integers'))
    if (!Array.isArray(list) || list.length === 0)
      return refuse('TDX_EVENT_LOG_MALFORMED', path, { expected: 'a list of events' })
    if (list.length > LIMITS.eventLogEvents)
      refuse('LIMIT_EVENT_LOG_COUNT', path, { expected: `at most ${LIMITS.eventLogEvents}`, actual: list.length })
    return (list as readonly Json[]).map((value, i) => readEvent(value, pointer(path, i)))
  })
}

function readEvent(value: Json, path: string): DstackEvent {
  const members = new Members(value, path)
  const register = readNumber(members, 'imr', RTMR_INDEXES.length - 1) as RtmrIndex
  const type = readNumber(members, 'event_type', 0xffffffff)
  const digestText = members.text('digest')
  const name = members.text('event')
  const payloadText = members.text('event_payload')
  members.end()
  const digest = () => take(fromHex(digestText, RTMR_BYTES, pointer(path, 'digest')))
  if (register !== 3) return { kind: 'boot', register, type, digest: digest() }
  const malformed = (member: string, expected: string, actual: string): never =>
    refuse('TDX_EVENT_LOG_MALFORMED', pointer(path, member), { expected, actual })
  if (type !== DSTACK_RUNTIME) return malformed('event_type', `${DSTACK_RUNTIME} in RTMR3`, `${type}`)
  if (name === '' || name.length > MOST_NAME_CHARACTERS)
    malformed('event', `1 to ${MOST_NAME_CHARACTERS} characters`, `${name.length}`)
  const payload = take(fromHex(payloadText, payloadText.length >> 1, pointer(path, 'event_payload')))
  return { kind: 'runtime', register, type, name, payload, statedDigest: digestText === '' ? undefined : digest() }
}

const MOST_NAME_CHARACTERS = 256

function readNumber(members: Members, name: string, most: number): number {
  const { value, path } = members.required(name)
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most) return value
  return refuse('TDX_EVENT_LOG_MALFORMED', path, { expected: `0 to ${most}`, actual: JSON.stringify(value) })
}

/**
 * Digest (48 bytes) of an event of RTMR3: SHA-384 over LE32(type) ‖ ":" ‖ name ‖ ":" ‖ payload in version 1, over the RFC 8785
 * form of `{ name, payload, type }` in version 2. The two can never be the same bytes.
 * @see ../shared/spec/intel-dcap.md §11
 */
export function runtimeDigest(
  { type, name, payload }: DstackRuntimeEvent,
  version: DstackLogVersion,
  digest: Digest,
): Promise<Uint8Array> {
  if (version === 2) return digest('sha384', utf8(canonicalJson({ name, payload: toHex(payload), type })))
  const head = new Uint8Array(4)
  new DataView(head.buffer).setUint32(0, type, true)
  return digest('sha384', concatBytes(head, utf8(`:${name}:`), payload))
}

/**
 * Judges a dstack log: the digests of RTMR3 recomputed, all registers replayed to those of the quote, and the names of the
 * platform interpreted before `system-ready`, each once.
 * @param rtmrs RTMR0 to RTMR3 of the quote, 48 bytes each
 * @returns the claims, or what `decodeDstackLog` gives · TDX_EVENT_DIGEST_MISMATCH · TDX_EVENT_LOG_MISMATCH ·
 * TDX_EVENT_AFTER_BOUNDARY · TDX_EVENT_DUPLICATE · TDX_EVENT_MISSING · TDX_EVENT_PAYLOAD_INVALID
 */
export function judgeDstackLog(
  bytes: Uint8Array,
  version: DstackLogVersion,
  rtmrs: readonly Uint8Array[],
  digest: Digest,
  path: string,
): Promise<Outcome<EventLogClaims & { readonly form: 'dstack-v1' | 'dstack-v2' }>> {
  return attemptAsync(async () => {
    const events = take(decodeDstackLog(bytes, path))
    const extensions = await Promise.all(
      events.map((event, i) => extensionOf(event, version, digest, pointer(path, i))),
    )
    const registers = await takeReplayed(extensions, rtmrs, digest, path)
    const { claims, boundary } = dstackClaims(events, path)
    const told = extensions.map((extension, i) => ({ event: measured(extension, i), of: events[i] }))
    return {
      form: version === 1 ? 'dstack-v1' : 'dstack-v2',
      registers,
      events: told.flatMap(({ event, of }) =>
        of?.kind === 'runtime' ? [interpreted(event, of.name, of.payload, event.sequence < boundary)] : [],
      ),
      digestOnly: told.flatMap(({ event, of }) => (of?.kind === 'boot' ? [event] : [])),
      claims,
    }
  })
}

/** What a supplied digest says is never taken for what was measured: it is compared, and the recomputed one is replayed. */
async function extensionOf(
  event: DstackEvent,
  version: DstackLogVersion,
  digest: Digest,
  path: string,
): Promise<Extension & { readonly type: number }> {
  if (event.kind === 'boot') return event
  if (version === 1 && event.name.includes(':')) {
    // `a` with payload `b:c` and `a:b` with payload `c` are the same hashed bytes: only one of the readings is taken.
    refuse('TDX_EVENT_LOG_MALFORMED', pointer(path, 'event'), { expected: 'no colon in version 1', actual: event.name })
  }
  const recomputed = await runtimeDigest(event, version, digest)
  if (event.statedDigest !== undefined && !equalBytes(event.statedDigest, recomputed)) {
    refuse('TDX_EVENT_DIGEST_MISMATCH', pointer(path, 'digest'), {
      expected: `${toHex(recomputed)} of ${event.name}, log version ${version}`,
      actual: toHex(event.statedDigest),
    })
  }
  return { register: event.register, type: event.type, digest: recomputed }
}
