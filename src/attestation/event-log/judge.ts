import { latin1 } from '../../core/bytes.ts'
import { LIMITS } from '../../core/limits.ts'
import { attemptAsync, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { EventLogClaims } from '../claims.ts'
import { judgeCcel, looksLikeCcel } from './ccel.ts'
import { composeHashOf } from './compose.ts'
import { type DstackLogVersion, judgeDstackLog } from './dstack.ts'
import { type Digest, RTMR_BYTES, RTMR_INDEXES } from './replay.ts'

/** What of an authenticated quote, and of the order, a log is judged by. Nothing is optional. */
export interface EventLogOptions {
  /** prefix of the paths in faults */
  readonly path: string
  /** as declared outside the log; a CCEL has none and is not affected */
  readonly dstackVersion: DstackLogVersion
  /** 48 bytes; where it names a compose hash, a dstack log must name the same */
  readonly mrConfigId: Uint8Array
}

/**
 * Judges an event log, CCEL or dstack by its content, against the registers of an authenticated quote.
 * @param log the bytes as they arrived
 * @param rtmrs RTMR0 to RTMR3 of the quote, 48 bytes each
 * @param digest of the judgement's context
 * @returns what the log proves, or LIMIT_EVENT_LOG_BYTES and the codes of `judgeCcel` and `judgeDstackLog` ·
 * TDX_COMPOSE_MISMATCH
 * @throws TypeError for registers of another number or size
 */
export async function judgeEventLog(
  log: Uint8Array,
  rtmrs: readonly Uint8Array[],
  digest: Digest,
  { path, dstackVersion, mrConfigId }: EventLogOptions,
): Promise<Outcome<EventLogClaims>> {
  if (rtmrs.length !== RTMR_INDEXES.length || rtmrs.some((r) => r.length !== RTMR_BYTES))
    throw new TypeError('rtmrs are four registers of 48 bytes')
  const launched = composeHashOf(mrConfigId)
  return attemptAsync(async (): Promise<EventLogClaims> => {
    if (log.length > LIMITS.eventLogBytes) {
      refuse('LIMIT_EVENT_LOG_BYTES', path, {
        expected: `at most ${LIMITS.eventLogBytes} bytes`,
        actual: `${log.length} bytes`,
      })
    }
    if (looksLikeCcel(log)) return take(await judgeCcel(log, rtmrs, digest, path))
    if (!/^\s*\[/.test(latin1(log.subarray(0, 64))))
      return refuse('TDX_EVENT_LOG_MALFORMED', path, { expected: 'a record of Spec ID Event03, or a JSON list' })
    const judged = take(await judgeDstackLog(log, dstackVersion, rtmrs, digest, path))
    if (launched !== undefined && launched !== judged.claims.composeHash) {
      refuse('TDX_COMPOSE_MISMATCH', `${path}.compose-hash`, {
        expected: `${launched} of MRCONFIGID`,
        actual: judged.claims.composeHash,
      })
    }
    return judged
  })
}

/**
 * Judges the log that travelled with a quote. Several logs of one boot say the same or contradict each other: one is taken.
 * @returns the claims; undefined where no log is there; LIMIT_EVENT_LOG_COUNT for more than one
 */
export async function judgeEventLogs(
  logs: readonly Uint8Array[],
  rtmrs: readonly Uint8Array[],
  digest: Digest,
  options: EventLogOptions,
): Promise<Outcome<EventLogClaims | undefined>> {
  const [log, ...more] = logs
  if (log === undefined) return { ok: true, value: undefined }
  if (more.length === 0) return judgeEventLog(log, rtmrs, digest, options)
  return attemptAsync(async () =>
    refuse('LIMIT_EVENT_LOG_COUNT', options.path, { expected: 'one event log', actual: logs.length }),
  )
}
