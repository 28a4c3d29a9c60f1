import type { UnixSeconds } from '../core/time.ts'

/** A release that may be recorded, and what its key's limits ask about those before it. */
export interface AskedRelease {
  readonly challengeId: string
  readonly lease: string
  /** the salted ids of it that count as machines, which the broker's rule tells */
  readonly chips: readonly string[]
  /** of which release's time the limits ask: 1 is the last one, 2 the one before; null where they ask of none */
  readonly nthLast: number | null
}

/** What the releases of a key come to. Stores keep it beside them, so that none of them is read for it. */
export interface Usage {
  readonly releases: number
  /** when the `nthLast` release was; null where it was not asked about, or there were fewer */
  readonly nthLastAt: UnixSeconds | null
  /** different leases that had the key, the asked one among them */
  readonly leases: number
  /** different chips, the asked ones among them */
  readonly chips: number
  /** whether a release of any key answered the asked challenge */
  readonly isAnswered: boolean
}
