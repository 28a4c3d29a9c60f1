import type { ClientPorts } from '../../src/collateral/index.ts'
import { nodeRandom } from '../../src/gate/node-ports.ts'

/**
 * A clock that jumps to whoever sleeps shortest, so that minutes pass at once. Between two jumps the event loop turns a few
 * times, so that answers under way come in.
 */
export class SimulatedTime implements ClientPorts {
  readonly #start: number
  readonly #sleepers: { readonly until: number; readonly wake: () => void }[] = []
  #now = 0
  #isTurning = false

  /** @param start time of day at the beginning, in seconds since 1970 */
  constructor(start: number) {
    this.#start = start
  }

  now = (): number => this.#now
  wallClock = (): number => this.#start + Math.floor(this.#now / 1000)
  random = (): number => 0.5
  randomBytes = nodeRandom

  sleep = (milliseconds: number): Promise<void> =>
    new Promise((wake) => {
      this.#sleepers.push({ until: this.#now + milliseconds, wake })
      void this.#turn()
    })

  async #turn(): Promise<void> {
    if (this.#isTurning) return
    this.#isTurning = true
    while (this.#sleepers.length > 0) {
      await new Promise((resolve) => setTimeout(resolve, 2))
      this.#sleepers.sort((a, b) => a.until - b.until)
      const next = this.#sleepers.shift()
      if (next === undefined) break
      this.#now = Math.max(this.#now, next.until)
      next.wake()
    }
    this.#isTurning = false
  }
}
