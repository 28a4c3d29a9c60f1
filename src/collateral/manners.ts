/** What the manners of a client read of the world; injected, so that a test may live through hours. */
export interface MannersPorts {
  /** milliseconds that never go back */
  now(): number
  /** from 0 to 1, for jitter alone */
  random(): number
  sleep(milliseconds: number): Promise<void>
}

/** How much one host is asked. */
export interface HostManners {
  /** questions that are under way at a time */
  readonly concurrency: number
  /** questions that may follow one another at once */
  readonly burst: number
  readonly perSecond: number
  /** pace after the host asked for patience, until it has not done so for `calmSeconds` */
  readonly throttledPerSecond: number
  readonly calmSeconds: number
}

/** How long one question is pursued. */
export interface Patience {
  /** how often it is asked where the host fails; being told to wait does not count */
  readonly attempts: number
  /** for everything: turns, pauses, attempts */
  readonly deadlineSeconds: number
  /** before the second attempt; doubles from then on, with jitter */
  readonly firstDelaySeconds: number
  readonly longestDelaySeconds: number
}

/** What became of one attempt. */
export type Attempted<T> =
  | { readonly kind: 'settled'; readonly value: T }
  /** worth another try; `value` is the answer where there is none */
  | { readonly kind: 'failed'; readonly value: T }
  /** the host said how long to stay away, or only to stay away */
  | { readonly kind: 'throttled'; readonly value: T; readonly seconds: number | undefined }

/** Whoever waits for a turn that cannot come in time is told so. */
export type Asked<T> = { readonly kind: 'answered'; readonly value: T } | { readonly kind: 'no-turn' }

/** Whom the answer serves. What is for everybody takes its turn first: the questions about single machines may be without end. */
export type Serves = 'everybody' | 'one machine'

interface Waiting {
  /** of the turn, in the milliseconds of the ports */
  readonly deadline: number
  readonly told: (hasTurn: boolean) => void
}

/**
 * The turns of one host: at most so many questions at a time, no more than so many a second, and none while the host has
 * asked for a pause. There are two queues: whoever asks for what serves everybody is next, and in each the order is that in which they came.
 */
export class HostTurns {
  readonly #manners: HostManners
  readonly #ports: MannersPorts
  readonly #queues: Readonly<Record<Serves, Waiting[]>> = { everybody: [], 'one machine': [] }
  #isCalling = false
  #running = 0
  #tokens: number
  #filledAt: number
  #pausedUntil = Number.NEGATIVE_INFINITY
  #throttledUntil = Number.NEGATIVE_INFINITY

  constructor(manners: HostManners, ports: MannersPorts) {
    this.#manners = manners
    this.#ports = ports
    this.#tokens = manners.burst
    this.#filledAt = ports.now()
  }

  /**
   * Runs `task` when it is its turn.
   * @param deadline of the turn, in the milliseconds of the ports
   * @returns its result, or `undefined` where no turn comes before the deadline
   */
  async take<T>(serves: Serves, deadline: number, task: () => Promise<T>): Promise<T | undefined> {
    const hasTurn = await new Promise<boolean>((told) => {
      this.#queues[serves].push({ deadline, told })
      void this.#call()
    })
    if (!hasTurn) return undefined
    try {
      return await task()
    } finally {
      this.#running--
      void this.#call()
    }
  }

  /** Nobody asks for so many seconds, and slowly afterwards. */
  pause(seconds: number): void {
    const now = this.#ports.now()
    this.#fill(now)
    this.#pausedUntil = Math.max(this.#pausedUntil, now + seconds * 1000)
    this.#throttledUntil = Math.max(this.#throttledUntil, this.#pausedUntil + this.#manners.calmSeconds * 1000)
    this.#tokens = Math.min(this.#tokens, 1)
  }

  /** Calls whoever is next while there is a place. Who that is, is asked anew after each wait: another may have come first meanwhile. */
  async #call(): Promise<void> {
    if (this.#isCalling) return
    this.#isCalling = true
    while (this.#running < this.#manners.concurrency) {
      const queue = this.#queues.everybody.length > 0 ? this.#queues.everybody : this.#queues['one machine']
      const [next] = queue
      if (next === undefined) break
      const wait = this.#waitMilliseconds()
      const isInTime = this.#ports.now() + wait <= next.deadline
      if (isInTime && wait > 0) {
        await this.#ports.sleep(wait)
        continue
      }
      queue.shift()
      if (isInTime) {
        this.#running++
        this.#tokens--
      }
      next.told(isInTime)
    }
    this.#isCalling = false
  }

  #waitMilliseconds(): number {
    const now = this.#ports.now()
    this.#fill(now)
    const pause = this.#pausedUntil - now
    const next = this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) / this.#perSecond(now)) * 1000)
    return Math.max(pause, next, 0)
  }

  #fill(now: number): void {
    const burst = now < this.#throttledUntil ? 1 : this.#manners.burst
    const gained = ((now - this.#filledAt) / 1000) * this.#perSecond(now)
    this.#tokens = Math.min(burst, this.#tokens + gained)
    this.#filledAt = now
  }

  #perSecond(now: number): number {
    return now < this.#throttledUntil ? this.#manners.throttledPerSecond : this.#manners.perSecond
  }
}

/** Pause where a host asks for patience without saying how much. */
const UNSAID_PAUSE_SECONDS = 10
/** A host that asks for more is not waited for. */
const LONGEST_PAUSE_SECONDS = 3600

/**
 * Pursues one question: again after a failure, later and later, with jitter; after the pause that the host asks for; and not
 * beyond the deadline. What the last attempt brought is the answer.
 */
export async function pursue<T>(
  host: HostTurns,
  serves: Serves,
  patience: Patience,
  ports: MannersPorts,
  attempt: () => Promise<Attempted<T>>,
): Promise<Asked<T>> {
  const deadline = ports.now() + patience.deadlineSeconds * 1000
  let last: T | undefined
  let failures = 0
  for (;;) {
    const attempted = await host.take(serves, deadline, attempt)
    if (attempted === undefined) return last === undefined ? { kind: 'no-turn' } : { kind: 'answered', value: last }
    if (attempted.kind === 'settled') return { kind: 'answered', value: attempted.value }
    last = attempted.value
    if (attempted.kind === 'throttled') {
      host.pause(Math.min(attempted.seconds ?? UNSAID_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS))
      continue
    }
    failures++
    const delay = delayMilliseconds(patience, failures, ports.random())
    if (failures >= patience.attempts || ports.now() + delay > deadline) return { kind: 'answered', value: last }
    await ports.sleep(delay)
  }
}

/** Half of the doubled delay is certain, half is left to chance, so that a fleet does not come back as one. */
function delayMilliseconds({ firstDelaySeconds, longestDelaySeconds }: Patience, failures: number, random: number) {
  const doubled = Math.min(longestDelaySeconds, firstDelaySeconds * 2 ** (failures - 1))
  return Math.round(doubled * 1000 * (0.5 + random / 2))
}
