import { concatBytes, equalBytes, latin1, utf8 } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import type { HashName } from '../../core/crypto/port.ts'
import { toHex } from '../../core/encodings.ts'
import { LIMITS } from '../../core/limits.ts'
import { attemptAsync, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { TpmBank, TpmEventLogClaims } from '../claims.ts'
import {
  ccelEventName,
  DATA_IS_HASHED,
  decodeSha1Log,
  decodeTcgLog,
  EFI_GLOBAL_VARIABLE,
  EV,
  eventTypeName,
  looksLikeSha1Log,
  SECURE_BOOT_VARIABLES,
  SEPARATORS,
  type TcgEvent,
  type TcgProfile,
  uefiVariable,
} from '../event-log/index.ts'
import { BANK_BYTES } from './algorithms.ts'
import type { PcrValues } from './pcr-file.ts'

export const TPM_LOG_PROFILE: TcgProfile = {
  highestRegister: 23,
  algorithms: ['sha1', 'sha256', 'sha384', 'sha512'],
  mostEvents: LIMITS.eventLogEvents,
  codes: { malformed: 'TPM_EVENT_LOG_MALFORMED', tooMany: 'LIMIT_EVENT_LOG_COUNT' },
}

type Digest = Context['digest']
type StrongBank = Exclude<HashName, 'sha1'>

/** PCRs that firmware alone measures into until its separator. */
const HIGHEST_FIRMWARE_PCR = 7
/** PCRs that a boot loader measures into and nothing later does: 8 and 9 (GRUB), 14 (shim). Into the others the system goes on measuring. */
const isClosed = (pcr: number): boolean => pcr <= 9 || pcr === 14
/** Above stand those of a dynamic launch and those that can be reset, which no log of the firmware explains. */
const HIGHEST_STATIC_PCR = 15

/**
 * Judges a crypto-agile event log against the PCRs of an authenticated quote: replayed in every strong bank that both have,
 * firmware's own order, and what can be recomputed interpreted. Events of PCRs that are not quoted are nobody's word and
 * are passed over.
 * @param quoted PCR values that the quote proved
 * @returns the claims, or LIMIT_EVENT_LOG_BYTES · LIMIT_EVENT_LOG_COUNT · TPM_EVENT_LOG_MALFORMED · TPM_BANK_WEAK ·
 * TPM_EVENT_LOG_MISMATCH · TPM_EVENT_ORDER_INVALID
 * @see TCG PC Client Platform Firmware Profile §§3, 10; ../shared/spec/tpm-and-clouds.md §3
 */
export function judgeTpmEventLog(
  log: Uint8Array,
  quoted: PcrValues,
  digest: Digest,
  path: string,
): Promise<Outcome<TpmEventLogClaims>> {
  return attemptAsync(async () => {
    if (log.length > LIMITS.eventLogBytes)
      refuse('LIMIT_EVENT_LOG_BYTES', path, { expected: `at most ${LIMITS.eventLogBytes} bytes`, actual: log.length })
    if (looksLikeSha1Log(log)) {
      take(decodeSha1Log(log, path, TPM_LOG_PROFILE))
      refuse('TPM_BANK_WEAK', path, { expected: 'a crypto-agile log', actual: 'SHA-1 alone' })
    }
    const { algorithms, events } = take(decodeTcgLog(log, path, TPM_LOG_PROFILE))
    const banks = [...quoted.keys()].filter((b): b is StrongBank => b !== 'sha1' && algorithms.includes(b))
    const [bank] = banks
    if (bank === undefined)
      return refuse('TPM_EVENT_LOG_MISMATCH', path, {
        expected: `digests of a quoted bank: ${[...quoted.keys()].join(', ')}`,
        actual: algorithms.join(', '),
      })
    const locality = startupLocality(events, path)
    const measured = events.filter((e) => e.type !== EV.NO_ACTION)
    for (const each of banks) await checkHashedData(measured, each, digest, path)
    const replays = await Promise.all(banks.map((b) => replayedIn(b, measured, quoted, locality, digest, path)))
    const replayed = replays.reduce((both, next) => both.filter((pcr) => next.includes(pcr)))
    return claimsOf(measured, bank, replayed, [...(quoted.get(bank)?.keys() ?? [])], digest, path)
  })
}

const LOCALITY = 'StartupLocality\0'
const LOCALITIES: readonly number[] = [0, 3, 4]

/** The locality from which the TPM was started, which PCR 0 begins with. The replay proves it: no digest covers the event. */
function startupLocality(events: readonly TcgEvent[], path: string): number {
  const told = events.flatMap(({ register, type, data }, i) =>
    type === EV.NO_ACTION && register === 0 && latin1(data.subarray(0, LOCALITY.length)) === LOCALITY
      ? [{ data, i }]
      : [],
  )
  const [first, second] = told
  if (first === undefined) return 0
  const locality = first.data[LOCALITY.length] ?? 255
  const isSound = first.data.length === LOCALITY.length + 1 && LOCALITIES.includes(locality)
  const isFirst = !events.slice(0, first.i).some((e) => e.register === 0 && e.type !== EV.NO_ACTION)
  if (!isSound || !isFirst || second !== undefined)
    refuse('TPM_EVENT_LOG_MALFORMED', `${path}.events[${(second ?? first).i}]`, {
      expected: 'one StartupLocality of 0, 3 or 4, before all else in PCR 0',
      actual: toHex(first.data.subarray(LOCALITY.length)),
    })
  return locality
}

/** Where firmware always hashes what it logs, the log says what was hashed, or lies. */
async function checkHashedData(
  events: readonly TcgEvent[],
  bank: StrongBank,
  digest: Digest,
  path: string,
): Promise<void> {
  for (const [i, event] of events.entries()) {
    if (!DATA_IS_HASHED.has(event.type) || (await isRecomputed(event, bank, digest))) continue
    refuse('TPM_EVENT_LOG_MISMATCH', `${path}.events[${i}]`, {
      expected: `${bank} of the data of an ${eventTypeName(event.type)}`,
      actual: toHex(event.digests.get(bank) ?? new Uint8Array()),
    })
  }
}

const isRecomputed = async ({ digests, data }: TcgEvent, bank: StrongBank, digest: Digest): Promise<boolean> =>
  equalBytes(digests.get(bank) ?? new Uint8Array(), await digest(bank, data))

/** Quoted PCRs that the log leads to. Of those that only the boot measures into, each must. */
async function replayedIn(
  bank: StrongBank,
  events: readonly TcgEvent[],
  quoted: PcrValues,
  locality: number,
  digest: Digest,
  path: string,
): Promise<readonly number[]> {
  const replayed: number[] = []
  for (const [pcr, expected] of quoted.get(bank) ?? []) {
    const own = events.filter((e) => e.register === pcr)
    if (pcr > HIGHEST_STATIC_PCR || (own.length === 0 && pcr > HIGHEST_FIRMWARE_PCR)) continue
    let value: Uint8Array = new Uint8Array(BANK_BYTES[bank])
    if (pcr === 0) value = value.with(-1, locality)
    for (const { digests } of own) value = await digest(bank, concatBytes(value, digests.get(bank) ?? new Uint8Array()))
    if (equalBytes(value, expected)) replayed.push(pcr)
    else if (isClosed(pcr))
      refuse('TPM_EVENT_LOG_MISMATCH', `${path}.${bank}.pcr${pcr}`, {
        expected: `${toHex(expected)} of the quote`,
        actual: `${toHex(value)} after ${own.length} events`,
      })
  }
  return replayed
}

async function claimsOf(
  events: readonly TcgEvent[],
  bank: StrongBank,
  replayed: readonly number[],
  quoted: readonly number[],
  digest: Digest,
  path: string,
): Promise<TpmEventLogClaims> {
  const recomputed = await Promise.all(events.map((event) => isRecomputed(event, bank, digest)))
  const named = events.map((event, i) => ({
    event,
    sequence: i,
    name: recomputed[i] === true ? ccelEventName(event) : undefined,
  }))
  const own = named.filter(({ event }) => replayed.includes(event.register))
  const boundaries = await separatorsIn(own, bank, digest, path)
  const hasEvents = (pcr: number): boolean => events.some((e) => e.register === pcr)
  return {
    bank: bank satisfies TpmBank,
    replayed,
    unexplained: quoted.filter((p) => p <= HIGHEST_STATIC_PCR && hasEvents(p) && !replayed.includes(p)),
    events: own.map(({ event, sequence, name }) => ({
      sequence,
      pcr: event.register,
      type: event.type,
      digest: toHex(event.digests.get(bank) ?? new Uint8Array()),
      name,
    })),
    secureBoot: secureBootIn(own, boundaries, path),
  }
}

interface NamedEvent {
  readonly event: TcgEvent
  readonly sequence: number
  readonly name: string | undefined
}

/**
 * Place of the separator of each firmware PCR but 0, into which Intel's firmware measures four zeros by another name. What was measured tells a separator, since no digest covers its type: the sender of
 * the log could call the first one something else.
 */
async function separatorsIn(
  events: readonly NamedEvent[],
  bank: StrongBank,
  digest: Digest,
  path: string,
): Promise<ReadonlyMap<number, number>> {
  const digests = await Promise.all(SEPARATORS.map((data) => digest(bank, data)))
  const places = new Map<number, number>()
  const invalid = (sequence: number, expected: string, actual: string): never =>
    refuse('TPM_EVENT_ORDER_INVALID', `${path}.events[${sequence}]`, { expected, actual })
  for (const { event, sequence } of events) {
    if (event.register === 0 || event.register > HIGHEST_FIRMWARE_PCR) continue
    const isSeparator = digests.some((d) => equalBytes(d, event.digests.get(bank) ?? new Uint8Array()))
    if (!isSeparator && event.type === EV.SEPARATOR)
      invalid(sequence, SEPARATORS.map(toHex).join(' or '), toHex(event.data.subarray(0, 8)))
    if (!isSeparator) continue
    if (places.has(event.register)) invalid(sequence, `one separator in PCR ${event.register}`, 'a second one')
    places.set(event.register, sequence)
  }
  return places
}

const SECURE_BOOT_PCR = 7
const ON = utf8('\u0001')

/** The variable SecureBoot of firmware; its fellows are held to the same order. */
function secureBootIn(
  events: readonly NamedEvent[],
  boundaries: ReadonlyMap<number, number>,
  path: string,
): boolean | undefined {
  const seen = new Map<string, Uint8Array>()
  for (const { event, sequence, name } of events) {
    if (event.type !== EV.EFI_VARIABLE_DRIVER_CONFIG || name === undefined || !SECURE_BOOT_VARIABLES.has(name)) continue
    const boundary = boundaries.get(SECURE_BOOT_PCR)
    const isInPlace = event.register === SECURE_BOOT_PCR && boundary !== undefined && sequence < boundary
    if (!isInPlace || seen.has(name))
      refuse('TPM_EVENT_ORDER_INVALID', `${path}.events[${sequence}]`, {
        expected: 'once, in PCR 7, before its separator',
        actual: `${name} in PCR ${event.register}`,
      })
    const variable = uefiVariable(event.data)
    if (name === 'SecureBoot' && (variable === undefined || toHex(variable.guid) !== EFI_GLOBAL_VARIABLE)) continue
    seen.set(name, variable?.data ?? new Uint8Array())
  }
  const value = seen.get('SecureBoot')
  return value === undefined ? undefined : equalBytes(value, ON)
}
