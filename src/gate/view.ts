import type { UnixSeconds } from '../core/time.ts'
import { type LeaseState, leaseStateOf } from './lease-state.ts'
import { type Posture, postureOf, type Restrictions, type Summary, summarize } from './posture.ts'
import type { GateStore } from './store.ts'
import { inTurns } from './turns.ts'

/** Subjects of this kind say that nothing tells the holders of the hardware apart; they cap a level and deny nothing. */
export const CONFLICT = 'conflict:'

export interface KnownMachine {
  readonly provider: string
  readonly policyDigest: string
  readonly lease: string | null
  readonly hardware: readonly string[]
  readonly subjects: readonly string[]
  readonly validUntil: UnixSeconds
  readonly jti: string | null
}

interface Entry {
  readonly posture: Posture
  /** of the restrictions it was made with */
  restrictedBy: number
  summary: Summary
}

/**
 * What a gate knows, in memory, as of its last reading of the store. Bids are decided from it alone, and it says how old it
 * is. Everything in it was committed before.
 */
export class View implements Restrictions {
  readonly maskedHardware: Restrictions['maskedHardware']
  readonly #store: GateStore
  readonly #byPolicy = new Map<string, Map<string, Entry>>()
  readonly #providers = new Set<string>()
  readonly #leases = new Map<string, LeaseState>()
  #denials: ReadonlyMap<string, string> = new Map()
  #restrictions = 0
  #revision = 0
  #readAt: UnixSeconds | undefined
  readonly #clock: () => UnixSeconds
  /** Reads what changed. Readings follow one another, so that one that begins after a commit sees it. */
  readonly refresh = inTurns(() => this.#read())

  constructor(store: GateStore, { maskedHardware }: Pick<Restrictions, 'maskedHardware'>, clock: () => UnixSeconds) {
    this.#store = store
    this.#clock = clock
    this.maskedHardware = maskedHardware
  }

  /** When the store was last read; undefined before the first time. */
  get readAt(): UnixSeconds | undefined {
    return this.#readAt
  }

  get providers(): number {
    return this.#providers.size
  }

  async #read(): Promise<void> {
    const asked = this.#clock()
    const { revision, postures, leases, denials } = await this.#store.viewSince(this.#revision)
    for (const { provider, policyDigest, posture } of postures) {
      const ofPolicy = this.#byPolicy.get(policyDigest) ?? new Map<string, Entry>()
      this.#byPolicy.set(policyDigest, ofPolicy)
      ofPolicy.set(provider, { posture: postureOf(posture), restrictedBy: -1, summary: STALE })
      this.#providers.add(provider)
    }
    for (const { lease, state } of leases) this.#leases.set(lease, leaseStateOf(state))
    if (denials !== undefined) {
      this.#denials = new Map(denials.map(({ subject, reason }) => [subject, reason]))
      this.#restrictions++
    }
    this.#revision = revision
    this.#readAt = asked
  }

  readonly denied = (subject: string): string | undefined => this.#denials.get(subject)

  readonly unresolved = (salted: string): boolean => this.#denials.has(`${CONFLICT}${salted}`)

  lease(lease: string): LeaseState | undefined {
    return this.#leases.get(lease)
  }

  posture(policyDigest: string, provider: string): Posture | undefined {
    return this.#byPolicy.get(policyDigest)?.get(provider)?.posture
  }

  /** Every machine that is known, from posture and from leases, once for each credential that was issued for it. */
  *machines(): Generator<KnownMachine> {
    for (const [policyDigest, ofPolicy] of this.#byPolicy) {
      for (const [provider, { posture }] of ofPolicy)
        for (const machine of posture.machines) {
          const about = { ...machine, provider, policyDigest, lease: null }
          yield about
          for (const issued of machine.earlier) yield { ...about, ...issued }
        }
    }
    for (const { provider, policyDigest, lease, machines } of this.#leases.values())
      for (const machine of machines) {
        const about = { ...machine, provider, policyDigest, lease }
        for (const { jti, until } of machine.earlier) yield { ...about, jti, validUntil: until }
        yield about
      }
  }

  /** Whether any evidence of this provider is known, under whatever policy. */
  knows(provider: string): boolean {
    return this.#providers.has(provider)
  }

  /** Summaries under one policy at this moment; each is made again only after something changed. */
  summaries(policyDigest: string, now: UnixSeconds): (provider: string) => Summary | undefined {
    const ofPolicy = this.#byPolicy.get(policyDigest)
    if (ofPolicy === undefined) return () => undefined
    return (provider) => {
      const entry = ofPolicy.get(provider)
      if (entry === undefined) return undefined
      if (entry.restrictedBy !== this.#restrictions || entry.summary.until <= now) {
        entry.summary = summarize(entry.posture, provider, now, this)
        entry.restrictedBy = this.#restrictions
      }
      return entry.summary
    }
  }
}

const STALE: Summary = {
  level: 0,
  until: 0,
  validUntil: '',
  contested: false,
  refusals: [],
  machines: 0,
  gpuCount: 0,
  gpus: new Map(),
}
