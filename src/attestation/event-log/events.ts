import { toHex } from '../../core/encodings.ts'
import type { InterpretedEvent, MeasuredEvent } from '../claims.ts'
import type { Extension } from './replay.ts'

/** @param sequence place among the measured events of the log, from 0 */
export const measured = (
  { register, type, digest }: Extension & { readonly type: number },
  sequence: number,
): MeasuredEvent => ({ sequence, register, type, digest: toHex(digest) })

/** Longer ones (a dbx) would swell every decision. */
const SHOWN_PAYLOAD_BYTES = 1024

/** An event that was recomputed: its digest covers name and payload. */
export const interpreted = (
  event: MeasuredEvent,
  name: string,
  payload: Uint8Array,
  beforeBoundary: boolean,
): InterpretedEvent => ({
  ...event,
  name,
  payload: payload.length > SHOWN_PAYLOAD_BYTES ? undefined : toHex(payload),
  beforeBoundary,
})
