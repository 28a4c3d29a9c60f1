import { equalBytes, latin1 } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import { LIMITS } from '../../core/limits.ts'
import { attempt, attemptAsync, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { CcelClaims, EventLogClaims, RtmrIndex } from '../claims.ts'
import { EV, eventTypeName } from './event-types.ts'
import { interpreted, measured } from './events.ts'
import { type Digest, type Extension, takeReplayed } from './replay.ts'
import { decodeTcgLog, looksLikeTcgLog, type TcgProfile } from './tcg.ts'
import { EFI_GLOBAL_VARIABLE, type UefiVariable, uefiVariable } from './uefi-variable.ts'

/** Register 0 of a TD is MRTD, 1 to 4 are RTMR0 to RTMR3; the log of a TD has one algorithm. */
const PROFILE: TcgProfile = {
  highestRegister: 4,
  algorithms: ['sha384'],
  mostEvents: LIMITS.eventLogEvents,
  codes: { malformed: 'TDX_EVENT_LOG_MALFORMED', tooMany: 'LIMIT_EVENT_LOG_COUNT' },
}

const REGISTERS: ReadonlyMap<number, RtmrIndex> = new Map([
  [1, 0],
  [2, 1],
  [3, 2],
  [4, 3],
])

/** An event of firmware or boot loader that was measured into an RTMR. */
export interface CcelEvent extends Extension {
  readonly type: number
  /** what the log says of it; whether this was hashed is to be computed */
  readonly data: Uint8Array
}

export const looksLikeCcel = looksLikeTcgLog

/**
 * Reads the log area of a TD, without cryptography: the measured events, without those that measure nothing (EV_NO_ACTION).
 * @param bytes the area with or without its padding
 * @returns the events, or TDX_EVENT_LOG_MALFORMED · LIMIT_EVENT_LOG_COUNT
 * @see ../shared/spec/intel-dcap.md §10
 */
export function decodeCcel(bytes: Uint8Array, path: string): Outcome<readonly CcelEvent[]> {
  return attempt(() =>
    take(decodeTcgLog(bytes, path, PROFILE)).events.flatMap(({ register: number, type, digests, data }, i) => {
      if (type === EV.NO_ACTION) return []
      const register = REGISTERS.get(number)
      const digest = digests.get('sha384')
      if (register === undefined || digest === undefined) {
        return refuse('TDX_EVENT_LOG_MALFORMED', `${path}.events[${i}].register`, {
          expected: '1 to 4, RTMR0 to RTMR3',
          actual: `${number}, which is MRTD: nothing extends it`,
        })
      }
      return [{ register, type, digest, data }]
    }),
  )
}

/** Events whose data is what is hashed, on all firmware. Of others the log may say anything. */
export const DATA_IS_HASHED: ReadonlySet<number> = new Set([
  ...[EV.SEPARATOR, EV.ACTION, EV.EFI_ACTION, EV.EFI_VARIABLE_DRIVER_CONFIG, EV.EFI_GPT_EVENT],
])

/** Whether the digest of an event is that of its data. */
export const isRecomputed = async (event: CcelEvent, digest: Digest): Promise<boolean> =>
  equalBytes(event.digest, await digest('sha384', event.data))

/**
 * Judges a CCEL area: replayed to the registers of the quote, separators in their place, and what can be recomputed
 * interpreted. All else is told by digest only.
 * @param rtmrs RTMR0 to RTMR3 of the quote, 48 bytes each
 * @returns the claims, or TDX_EVENT_LOG_MALFORMED · LIMIT_EVENT_LOG_COUNT · TDX_EVENT_DIGEST_MISMATCH ·
 * TDX_EVENT_LOG_MISMATCH · TDX_EVENT_SEPARATOR_INVALID · TDX_EVENT_AFTER_BOUNDARY · TDX_EVENT_DUPLICATE ·
 * TDX_EVENT_PAYLOAD_INVALID
 */
export function judgeCcel(
  bytes: Uint8Array,
  rtmrs: readonly Uint8Array[],
  digest: Digest,
  path: string,
): Promise<Outcome<EventLogClaims>> {
  return attemptAsync(async () => {
    const events = take(decodeCcel(bytes, path))
    const recomputed = await Promise.all(events.map((event) => isRecomputed(event, digest)))
    events.forEach((event, i) => {
      if (recomputed[i] === true || !DATA_IS_HASHED.has(event.type)) return
      refuse('TDX_EVENT_DIGEST_MISMATCH', `${path}.events[${i}]`, {
        expected: `SHA-384 of the data of an ${eventTypeName(event.type)}`,
        actual: toHex(event.digest),
      })
    })
    const registers = await takeReplayed(events, rtmrs, digest, path)
    const boundaries = await takeSeparators(events, digest, path)
    const named = events.map((event, i) => ({
      event: measured(event, i),
      data: event.data,
      name: recomputed[i] === true ? ccelEventName(event) : undefined,
      beforeBoundary: i < (boundaries.get(event.register) ?? 0),
    }))
    const claims = firmwareClaims(named, path)
    return {
      form: 'ccel',
      registers,
      events: named.flatMap(({ event, data, name, beforeBoundary }) =>
        name === undefined ? [] : [interpreted(event, name, data, beforeBoundary)],
      ),
      digestOnly: named.filter((n) => n.name === undefined).map((n) => n.event),
      claims,
    }
  })
}

/** What firmware hashes where all went well. */
export const SEPARATORS: readonly Uint8Array[] = [new Uint8Array(4), new Uint8Array(4).fill(0xff)]

/** Those that firmware measures into; later stages may close theirs as well, once. */
const FIRMWARE_REGISTERS: readonly RtmrIndex[] = [0, 1]

/**
 * Place of the separator of each register that has one. Before it firmware alone measures, so a second one is how events of the
 * system are passed off as those of firmware. What was measured tells a separator: its type is covered by no digest, and the
 * sender of the log could give the first one another.
 */
async function takeSeparators(
  events: readonly CcelEvent[],
  digest: Digest,
  path: string,
): Promise<ReadonlyMap<RtmrIndex, number>> {
  const digests = await Promise.all(SEPARATORS.map((data) => digest('sha384', data)))
  const places = new Map<RtmrIndex, number>()
  const invalid = (place: string, expected: string, actual: string): never =>
    refuse('TDX_EVENT_SEPARATOR_INVALID', `${path}.${place}`, { expected, actual })
  events.forEach((event, i) => {
    const isSeparator = digests.some((d) => equalBytes(d, event.digest))
    if (!isSeparator && event.type === EV.SEPARATOR)
      invalid(`events[${i}]`, SEPARATORS.map(toHex).join(' or '), toHex(event.data.subarray(0, 8)))
    if (!isSeparator) return
    if (places.has(event.register)) invalid(`events[${i}]`, `one separator in RTMR${event.register}`, 'a second one')
    places.set(event.register, i)
  })
  for (const register of FIRMWARE_REGISTERS)
    if (!places.has(register)) invalid(`rtmr${register}`, 'one separator', 'none')
  return places
}

/** What the data of an event is called, worth something once it was recomputed; undefined where its data has no form that we read. */
export function ccelEventName({ type, data }: Pick<CcelEvent, 'type' | 'data'>): string | undefined {
  switch (type) {
    case EV.SEPARATOR:
      return 'separator'
    case EV.ACTION:
    case EV.EFI_ACTION: {
      const text = latin1(data)
      return /^[\x20-\x7e]{1,256}$/.test(text) ? text : undefined
    }
    case EV.EFI_VARIABLE_DRIVER_CONFIG:
    case EV.EFI_VARIABLE_BOOT:
    case EV.EFI_VARIABLE_BOOT2:
    case EV.EFI_VARIABLE_AUTHORITY:
      return uefiVariable(data)?.name
    case EV.EFI_GPT_EVENT:
      return 'GPT'
    default:
      return undefined
  }
}

/** Variables of secure boot: firmware measures each once into RTMR0, before the separator. */
export const SECURE_BOOT_VARIABLES: ReadonlySet<string> = new Set(['SecureBoot', 'PK', 'KEK', 'db', 'dbx'])

interface NamedEvent {
  readonly event: { readonly register: RtmrIndex; readonly type: number; readonly sequence: number }
  readonly data: Uint8Array
  readonly name: string | undefined
  readonly beforeBoundary: boolean
}

function firmwareClaims(events: readonly NamedEvent[], path: string): CcelClaims {
  const seen = new Map<string, UefiVariable>()
  for (const { event, data, name, beforeBoundary } of events) {
    if (event.type !== EV.EFI_VARIABLE_DRIVER_CONFIG || name === undefined || !SECURE_BOOT_VARIABLES.has(name)) continue
    const at = `${path}.events[${event.sequence}]`
    if (!beforeBoundary || event.register !== 0)
      refuse('TDX_EVENT_AFTER_BOUNDARY', at, { expected: 'in RTMR0 before its separator', actual: name })
    if (seen.has(name)) refuse('TDX_EVENT_DUPLICATE', at, { actual: name })
    const variable = uefiVariable(data)
    if (variable !== undefined) seen.set(name, variable)
  }
  const secureBoot = seen.get('SecureBoot')
  if (secureBoot === undefined) return { secureBoot: undefined }
  const text = `${toHex(secureBoot.guid)} ${toHex(secureBoot.data)}`
  if (text !== `${EFI_GLOBAL_VARIABLE} 00` && text !== `${EFI_GLOBAL_VARIABLE} 01`)
    refuse('TDX_EVENT_PAYLOAD_INVALID', `${path}.SecureBoot`, {
      expected: `${EFI_GLOBAL_VARIABLE} 00 or 01`,
      actual: text,
    })
  return { secureBoot: text.endsWith('01') }
}
