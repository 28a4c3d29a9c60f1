import type { UnixSeconds } from '../core/time.ts'

export interface RateLimit {
  /** requests at once */
  readonly burst: number
  /** and this many a second after that */
  readonly perSecond: number
}

/** Whoever asks more often than that starts with a full bucket again: nobody can make the service remember without end. */
const MOST_CLIENTS = 10_000

/** A token bucket for each client, in memory. */
export class RateLimiter {
  readonly #limit: RateLimit
  readonly #buckets = new Map<string, { tokens: number; at: UnixSeconds }>()

  constructor(limit: RateLimit) {
    this.#limit = limit
  }

  /** Whether this request may pass. @param at seconds, with fractions or without */
  admits(client: string, at: number): boolean {
    const { burst, perSecond } = this.#limit
    const known = this.#buckets.get(client) ?? { tokens: burst, at }
    const tokens = Math.min(burst, known.tokens + Math.max(0, at - known.at) * perSecond)
    this.#buckets.delete(client)
    this.#buckets.set(client, { tokens: tokens >= 1 ? tokens - 1 : tokens, at })
    if (this.#buckets.size > MOST_CLIENTS) {
      const [oldest] = this.#buckets.keys()
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    return tokens >= 1
  }
}
