import { concatBytes, equalBytes } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { toHex } from '../../core/encodings.ts'
import { refuse } from '../../core/outcome.ts'
import type { ReplayedRegister, RtmrIndex } from '../claims.ts'

export type Digest = Context['digest']

/** Bytes of an RTMR and of what is measured into it: SHA-384. */
export const RTMR_BYTES = 48

export const RTMR_INDEXES: readonly RtmrIndex[] = [0, 1, 2, 3]

/** An extension of a register, with the digest (48 bytes) that went into it. */
export interface Extension {
  readonly register: RtmrIndex
  readonly digest: Uint8Array
}

/**
 * The four registers after these extensions, in the order of the log: RTMR := SHA-384(RTMR ‖ digest), from zero.
 * @see ../shared/spec/intel-dcap.md §10
 */
export function replayRtmrs(extensions: readonly Extension[], digest: Digest): Promise<readonly Uint8Array[]> {
  return Promise.all(
    RTMR_INDEXES.map(async (index) => {
      let rtmr: Uint8Array = new Uint8Array(RTMR_BYTES)
      for (const e of extensions) if (e.register === index) rtmr = await digest('sha384', concatBytes(rtmr, e.digest))
      return rtmr
    }),
  )
}

/**
 * Compares the replayed registers with those of the quote, inside `attemptAsync`. All four count: a register that the log
 * does not explain is one that something unknown was measured into.
 * @param rtmrs RTMR0 to RTMR3 of the quote, 48 bytes each
 * @returns the registers, or ends with TDX_EVENT_LOG_MISMATCH, which names the first that differs
 */
export async function takeReplayed(
  extensions: readonly Extension[],
  rtmrs: readonly Uint8Array[],
  digest: Digest,
  path: string,
): Promise<readonly ReplayedRegister[]> {
  const replayed = await replayRtmrs(extensions, digest)
  return RTMR_INDEXES.map((index) => {
    const events = extensions.filter((e) => e.register === index).length
    const [expected, actual] = [rtmrs[index] ?? new Uint8Array(), replayed[index] ?? new Uint8Array()]
    if (!equalBytes(expected, actual)) {
      refuse('TDX_EVENT_LOG_MISMATCH', `${path}.rtmr${index}`, {
        expected: `${toHex(expected)} of the quote`,
        actual: `${toHex(actual)} after ${events} events`,
      })
    }
    return { index, events, matches: true }
  })
}
