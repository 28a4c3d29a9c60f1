import {
  type CcelEvent,
  ccelEventName,
  decodeCcel,
  isRecomputed,
  looksLikeCcel,
} from '../../attestation/event-log/ccel.ts'
import {
  type DstackEvent,
  type DstackLogVersion,
  type DstackRuntimeEvent,
  decodeDstackLog,
  looksLikeDstackLog,
  runtimeDigest,
} from '../../attestation/event-log/dstack.ts'
import { eventTypeName } from '../../attestation/event-log/event-types.ts'
import { type Digest, type Extension, RTMR_INDEXES, replayRtmrs } from '../../attestation/event-log/replay.ts'
import { uefiVariable } from '../../attestation/event-log/uefi-variable.ts'
import { equalBytes, latin1 } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { fromUtf8, toHex } from '../../core/encodings.ts'
import { parseJson } from '../../core/json.ts'
import { LIMITS } from '../../core/limits.ts'
import { fail, type Outcome } from '../../core/outcome.ts'
import type { EventLogView, EventView } from './model.ts'
import { problemOf } from './problems.ts'

/** A CCEL area or a dstack log, by what is in it. */
export function looksLikeEventLog(bytes: Uint8Array): boolean {
  if (looksLikeCcel(bytes)) return true
  if (bytes.length > LIMITS.eventLogBytes || !/^\s*\[/.test(latin1(bytes.subarray(0, 64)))) return false
  const text = fromUtf8(bytes, '')
  const value = text.ok ? parseJson(text.value, '') : text
  return value.ok && looksLikeDstackLog(value.value)
}

/** An event as it is shown, and what it extends its register by. */
interface Shown {
  readonly view: EventView
  readonly extension: Extension
}

/**
 * Every event of a log, whether its digest can be recomputed from what the log says of it, and the registers it leads to. Nothing
 * is compared with a quote.
 * @param file its name, where it lay in a file of its own
 */
export async function eventLogView(bytes: Uint8Array, context: Context, file?: string): Promise<EventLogView> {
  const digest: Digest = (hash, input) => context.digest(hash, input)
  const form = looksLikeCcel(bytes) ? 'ccel' : 'dstack'
  const base = {
    form,
    ...(file === undefined ? {} : { file }),
    sizeBytes: bytes.length,
    sha256: await context.digestHex('sha256', bytes),
  } as const
  if (bytes.length > LIMITS.eventLogBytes)
    return unreadable(base, fail('LIMIT_EVENT_LOG_BYTES', 'log', { actual: bytes.length }))
  if (form === 'ccel') {
    const events = decodeCcel(bytes, 'log')
    if (!events.ok) return unreadable(base, events)
    const shown = await Promise.all(
      events.value.map(async (event, sequence): Promise<Shown> => {
        const recomputed = await isRecomputed(event, digest)
        return { view: eventView(sequence, event, event.type, ccelSays(event), recomputed), extension: event }
      }),
    )
    return { ...base, ...(await replayed(shown, digest)), problems: [] }
  }
  const events = decodeDstackLog(bytes, 'log')
  if (!events.ok) return unreadable(base, events)
  const version = await versionOf(events.value, digest)
  const shown = await Promise.all(events.value.map((event, i) => dstackEvent(event, i, version.number, digest)))
  return { ...base, version, ...(await replayed(shown, digest)), problems: [] }
}

type Base = Omit<EventLogView, 'registers' | 'events' | 'problems' | 'version'>

const unreadable = (base: Base, outcome: Outcome<unknown>): EventLogView => ({
  ...base,
  registers: [],
  events: [],
  problems: outcome.ok ? [] : outcome.faults.map(problemOf),
})

async function replayed(shown: readonly Shown[], digest: Digest): Promise<Pick<EventLogView, 'registers' | 'events'>> {
  const extensions = shown.map(({ extension }) => extension)
  const rtmrs = await replayRtmrs(extensions, digest)
  return {
    events: shown.map(({ view }) => view),
    registers: RTMR_INDEXES.map((index) => ({
      index,
      events: extensions.filter((e) => e.register === index).length,
      replayed: toHex(rtmrs[index] ?? new Uint8Array()),
    })),
  }
}

/** A log does not say its version; its digests, where it has any, tell. To look at, that is enough; to judge, it is not. */
async function versionOf(
  events: readonly DstackEvent[],
  digest: Digest,
): Promise<{ readonly number: DstackLogVersion; readonly because: string }> {
  const runtime = events.filter((e): e is DstackRuntimeEvent => e.kind === 'runtime')
  for (const number of [1, 2] as const) {
    for (const event of runtime) {
      if (event.statedDigest === undefined) continue
      if (equalBytes(event.statedDigest, await runtimeDigest(event, number, digest)))
        return { number, because: 'its digests are of this version' }
    }
  }
  return { number: 1, because: 'assumed: no digest in it tells' }
}

/** Name of a variable, with its value where that is short; the text of an event that has one. */
function ccelSays(event: CcelEvent): string {
  const name = ccelEventName(event)
  if (name === undefined) return printable(event.data)
  const value = uefiVariable(event.data)?.data ?? new Uint8Array()
  return value.length === 0 || value.length > SHOWN_VALUE_BYTES ? name : `${name} ${toHex(value)}`
}

const SHOWN_VALUE_BYTES = 16

async function dstackEvent(
  event: DstackEvent,
  sequence: number,
  version: DstackLogVersion,
  digest: Digest,
): Promise<Shown> {
  if (event.kind === 'boot') return { view: eventView(sequence, event, event.type, '', false), extension: event }
  const recomputed = await runtimeDigest(event, version, digest)
  const extension = { register: event.register, digest: recomputed }
  const agrees = event.statedDigest === undefined || equalBytes(event.statedDigest, recomputed)
  const text = printable(event.payload)
  const payload = text === '' ? toHex(event.payload) : JSON.stringify(text)
  const says = payload === '' ? event.name : `${event.name} ${payload}`
  return { view: eventView(sequence, extension, event.type, says, agrees), extension }
}

const eventView = (
  sequence: number,
  { register, digest }: Extension,
  type: number,
  says: string,
  recomputed: boolean,
): EventView => ({ sequence, register, type, typeName: eventTypeName(type), digest: toHex(digest), recomputed, says })

/** Text of the log, for people; empty where it is none. */
function printable(data: Uint8Array): string {
  const text = latin1(data.subarray(0, 1024)).replace(/\0+$/, '')
  return /^[\x20-\x7e\n\t]+$/.test(text) ? text : ''
}
