import { Cursor } from '../../core/cursor.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'
import { EV, eventTypeName } from './event-types.ts'
import { looksLikeTcgLog, type TcgEvent, type TcgProfile } from './tcg.ts'

/** Register, type, SHA-1 digest, size. */
const RECORD_BYTES = 32

/** Whether bytes begin with a record of the older form, one SHA-1 digest each; no proof of anything. */
export function looksLikeSha1Log(bytes: Uint8Array): boolean {
  if (bytes.length < RECORD_BYTES || looksLikeTcgLog(bytes)) return false
  const view = new DataView(bytes.buffer, bytes.byteOffset, RECORD_BYTES)
  const isKnown = !eventTypeName(view.getUint32(4, true)).startsWith('0x')
  return view.getUint32(0, true) <= 23 && isKnown && view.getUint32(28, true) <= bytes.length - RECORD_BYTES
}

/**
 * Reads an event log of the form before crypto agility: TCG_PCR_EVENT records with a SHA-1 digest each, to the end of the
 * bytes or to a record of zeros. SHA-1 proves nothing, so such a log is shown and never judged.
 * @returns the events, those that measure nothing included, or the codes of the profile
 * @see TCG PC Client Platform Firmware Profile §10.2.1
 */
export function decodeSha1Log(bytes: Uint8Array, path: string, profile: TcgProfile): Outcome<readonly TcgEvent[]> {
  return attempt(() => {
    const { malformed, tooMany } = profile.codes
    const cursor = new Cursor(bytes, path, malformed)
    const events: TcgEvent[] = []
    while (cursor.remaining > 0) {
      if (bytes.subarray(cursor.offset).every((byte) => byte === 0)) break
      if (events.length === profile.mostEvents)
        refuse(tooMany, path, { expected: `at most ${profile.mostEvents} events` })
      const field = (name: string) => `events[${events.length}].${name}`
      const { offset } = cursor
      const register = cursor.u32(field('register'))
      const type = cursor.u32(field('type'))
      if (register > profile.highestRegister && type !== EV.NO_ACTION) {
        refuse(malformed, `${path}.${field('register')}`, {
          expected: `at most ${profile.highestRegister}`,
          actual: register,
        })
      }
      const digest = cursor.take(20, field('digest'))
      const data = cursor.take(cursor.u32(field('size')), field('data'))
      events.push({ offset, register, type, digests: new Map([['sha1', digest]]), data })
    }
    return events
  })
}
