import { type Fault, fault } from './outcome.ts'
import { toRfc3339, type UnixSeconds } from './time.ts'

/** What the edge knows about the time when it reads its clock. Nothing is optional: what is not kept is said. */
export interface ClockReading {
  readonly now: UnixSeconds
  /** when this release was built: no true clock is earlier */
  readonly builtAt: UnixSeconds
  /** the latest instant that the store has written down */
  readonly lastPersisted: UnixSeconds | { readonly notKept: string }
  /** the check before this one: wall clock, and seconds that really passed since by a monotonic clock */
  readonly previous: { readonly now: UnixSeconds; readonly elapsedSeconds: number } | { readonly notKept: string }
  /** readings of other sources at the same moment */
  readonly otherSources: readonly UnixSeconds[]
}

export const CLOCK_TOLERANCE_SECONDS = 300

/**
 * Whether a clock reading may be judged by: expired collateral revives under a clock that was set back (THREATS T56).
 * @returns CLOCK_BEFORE_BUILD · CLOCK_WENT_BACK · CLOCK_JUMP · CLOCK_SOURCES_DISAGREE, the first that holds; empty if sound
 */
export function checkClock(reading: ClockReading): readonly Fault[] {
  const { now, builtAt, lastPersisted, previous, otherSources } = reading
  // NaN compares with nothing and would pass every check below.
  if (![now, builtAt, ...otherSources].every(Number.isSafeInteger))
    throw new TypeError('times are whole seconds since 1970')
  const told = (code: Parameters<typeof fault>[0], expected: string) => [
    fault(code, 'now', { expected, actual: toRfc3339(now) }),
  ]
  if (now < builtAt) return told('CLOCK_BEFORE_BUILD', `at or after ${toRfc3339(builtAt)}`)
  if (typeof lastPersisted === 'number' && now < lastPersisted)
    return told('CLOCK_WENT_BACK', `at or after ${toRfc3339(lastPersisted)}`)
  if ('now' in previous && Math.abs(now - previous.now - previous.elapsedSeconds) > CLOCK_TOLERANCE_SECONDS) {
    return told(
      'CLOCK_JUMP',
      `within ${CLOCK_TOLERANCE_SECONDS} s of ${toRfc3339(previous.now + Math.round(previous.elapsedSeconds))}`,
    )
  }
  const other = otherSources.find((o) => Math.abs(o - now) > CLOCK_TOLERANCE_SECONDS)
  if (other !== undefined)
    return told('CLOCK_SOURCES_DISAGREE', `within ${CLOCK_TOLERANCE_SECONDS} s of ${toRfc3339(other)}`)
  return []
}
