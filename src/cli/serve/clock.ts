import { performance } from 'node:perf_hooks'
import { checkClock } from '../../core/clock.ts'
import type { Fault } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import { BUILT_AT } from '../build.ts'

/** The wall clock, compared with what the log has written down and with a clock that nobody sets. */
export class ServiceClock {
  #previous: { readonly now: UnixSeconds; readonly monotonic: number } | undefined

  readonly now = (): UnixSeconds => Math.floor(Date.now() / 1000)

  /**
   * @param lastPersisted time of the last audit entry; undefined in an empty log
   * @returns CLOCK_BEFORE_BUILD · CLOCK_WENT_BACK · CLOCK_JUMP since the last check; empty if sound
   */
  check(lastPersisted: UnixSeconds | undefined): readonly Fault[] {
    const [now, monotonic] = [this.now(), performance.now() / 1000]
    const previous = this.#previous
    this.#previous = { now, monotonic }
    return checkClock({
      ...{ now, builtAt: BUILT_AT, otherSources: [] },
      lastPersisted: lastPersisted ?? { notKept: 'the log is empty' },
      previous:
        previous === undefined
          ? { notKept: 'this is the first check' }
          : { now: previous.now, elapsedSeconds: monotonic - previous.monotonic },
    })
  }
}
