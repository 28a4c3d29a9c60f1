import { isIPv6 } from 'node:net'
import type { UnixSeconds } from '../core/time.ts'

export interface RateLimit {
  /** requests at once */
  readonly burst: number
  /** and this many a second after that */
  readonly perSecond: number
}

/** Whoever asks more often than that starts with a full bucket again: nobody can make the service remember without end. */
const MOST_CLIENTS = 10_000

/**
 * The network of an address: whoever has one IPv6 address has all that begin with its 64 bits, and may ask from another each
 * time. An IPv4 address is a network of its own, however it is written; what is no address, too.
 */
function networkOf(client: string): string {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(client)?.[1]
  if (mapped !== undefined || !isIPv6(client)) return mapped ?? client
  const [before = '', behind = ''] = client.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const zeros = Array.from({ length: 8 - groups(before).length - groups(behind).length }, () => '0')
  return [...groups(before), ...zeros, ...groups(behind)].slice(0, 4).join(':')
}

/** A token bucket for each client, in memory. */
export class RateLimiter {
  readonly #limit: RateLimit
  readonly #buckets = new Map<string, { tokens: number; at: UnixSeconds }>()

  constructor(limit: RateLimit) {
    this.#limit = limit
  }

  /** Whether this request may pass. @param from address of the client @param at seconds, with fractions or without */
  admits(from: string, at: number): boolean {
    const client = networkOf(from)
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
