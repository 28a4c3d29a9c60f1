import { concatBytes } from '../../core/bytes.ts'
import { digest } from '../pki/pss.ts'

/** A log and the registers of the machine that it is presented for. */
export interface TestEventLog {
  readonly log: Uint8Array
  /** RTMR0 to RTMR3, 48 bytes each */
  readonly rtmrs: readonly Uint8Array[]
}

/** Something that was measured into RTMR0 to RTMR3. */
export interface TestExtension {
  readonly register: number
  /** 48 bytes */
  readonly digest: Uint8Array
}

/** What hardware makes of these extensions. */
export function extended(extensions: readonly TestExtension[]): readonly Uint8Array[] {
  const rtmrs: Uint8Array[] = [0, 1, 2, 3].map(() => new Uint8Array(48))
  for (const e of extensions)
    rtmrs[e.register] = digest('sha384', concatBytes(rtmrs[e.register] ?? new Uint8Array(), e.digest))
  return rtmrs
}

/** What is wrong with a log, and who is to blame. */
export interface LogFault<T> {
  readonly what: string
  /** `sent`: the machine measured the right events, and another log is sent · `measured`: the machine measured it like this */
  readonly by: 'sent' | 'measured'
  readonly apply: (events: readonly T[]) => readonly T[]
}

/** Edits that logs of any form share. */
export const edits = <T extends { readonly register: number }>() => ({
  drop: (at: number) => (events: readonly T[]) => events.filter((_, i) => i !== at),
  /** exchanges an event with the next one of its register */
  reorder: (at: number) => (events: readonly T[]) => {
    const next = events.findIndex((e, i) => i > at && e.register === events[at]?.register)
    return events.map((e, i) => (i === at ? events[next] : i === next ? events[at] : e) ?? e)
  },
  duplicate: (at: number) => (events: readonly T[]) => events.flatMap((e, i) => (i === at ? [e, e] : [e])),
  change: (at: number, to: (event: T) => T) => (events: readonly T[]) => events.map((e, i) => (i === at ? to(e) : e)),
  insert: (at: number, event: T) => (events: readonly T[]) => events.toSpliced(at, 0, event),
})
