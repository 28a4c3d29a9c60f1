import { createHash } from 'node:crypto'
import type { VerificationCache } from '../core/context.ts'
import { toHex } from '../core/encodings.ts'
import type { Finding, NonEmpty } from '../core/outcome.ts'
import type { TrustAnchor } from '../core/trust-anchors.ts'
import { canonicalPolicy } from '../policy/digest.ts'
import type { Policy } from '../policy/policy.ts'
import { createQuestions, type Questions } from './challenge-mac.ts'
import { EventHub } from './events.ts'
import type { HardwareRules } from './hardware.ts'
import { createSalt, type Salt } from './identity.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import type {
  CollateralSource,
  GateClock,
  GateSigner,
  Judge,
  PhysicalSource,
  ProviderProofVerifier,
  RandomBytes,
  Scheduler,
} from './ports.ts'
import type { GateStore } from './store.ts'
import { View } from './view.ts'

export interface GateRules extends HardwareRules {
  /** whether machines whose chip id is masked may be dealt with, where the policy lets them: nobody can count those */
  readonly maskedHardware: 'refused' | 'allowed'
  /** how old the last reading of store and deny-list may be when bids are decided, seconds */
  readonly viewMaxAgeSeconds: number
  /** how often a lease is attested again, seconds; each time moved by up to a fifth either way */
  readonly reattestSeconds: number
}

/** What a marketplace starts from. */
export const DEFAULT_RULES: GateRules = {
  accountsPerChip: 20,
  accountMemorySeconds: 90 * 24 * 60 * 60,
  maskedHardware: 'refused',
  // The store is read every second: what another process denied is known in a few.
  viewMaxAgeSeconds: 5,
  reattestSeconds: 15 * 60,
}

/** Everything a gate reaches for. Nothing is optional; what there is none of is said. */
export interface GateOptions {
  readonly store: GateStore
  /** null: decisions only, no credentials */
  readonly signer: GateSigner | null
  readonly collateral: CollateralSource
  readonly clock: GateClock
  readonly random: RandomBytes
  readonly scheduler: Scheduler
  readonly verifyProviderProof: ProviderProofVerifier
  readonly physical: PhysicalSource
  /** signed reference values (JWS, compact) of all tenants; a policy is told those that name a signer of its own. Not changed afterwards */
  readonly referenceValues: readonly string[]
  /** anchors beside the pinned ones, for tests: a decision that rests on one is refused as that */
  readonly injectedAnchors: readonly TrustAnchor[]
  readonly cache: VerificationCache
  /** 32 secret bytes; the same for all processes of one marketplace */
  readonly salt: Uint8Array
  /** who asks: named in every challenge */
  readonly verifierKeyId: string
  readonly issuer: string
  readonly audience: NonEmpty<string>
  readonly rules: GateRules
  /** false: decides and reports, and lets pass (shadow mode) */
  readonly enforce: boolean
  /** told of faults that no caller hears of: a failed background reading, a listener that threw, a store that is down */
  readonly onError: (error: unknown) => void
}

const FUNCTIONS = ['collateral', 'clock', 'random', 'scheduler', 'verifyProviderProof', 'physical', 'onError'] as const
const POSITIVE = ['accountsPerChip', 'accountMemorySeconds', 'viewMaxAgeSeconds', 'reattestSeconds'] as const

/** What the parts of one gate share. */
export class GateCore {
  readonly options: GateOptions
  readonly judge: Judge
  readonly view: View
  readonly hub: EventHub
  readonly metrics: Metrics
  readonly salt: Salt
  readonly questions: Questions
  readonly #digests = new WeakMap<Policy, string>()
  #begun: Promise<void> | undefined

  /** @throws TypeError for options that cannot be meant */
  constructor(options: GateOptions, judge: Judge) {
    for (const name of FUNCTIONS)
      if (typeof options[name] !== 'function') throw new TypeError(`gate: ${name} is a function`)
    for (const name of POSITIVE) {
      const value = options.rules[name]
      if (!(Number.isSafeInteger(value) && value > 0)) throw new TypeError(`gate: rules.${name} is a positive integer`)
    }
    if (!['refused', 'allowed'].includes(options.rules.maskedHardware))
      throw new TypeError('gate: rules.maskedHardware is refused or allowed')
    if (typeof options.enforce !== 'boolean') throw new TypeError('gate: enforce is true or false')
    if (options.audience.length === 0) throw new TypeError('gate: audience names at least one')
    this.options = options
    this.judge = judge
    this.salt = createSalt(options.salt)
    this.questions = createQuestions(options.salt)
    this.view = new View(options.store, options.rules, options.clock)
    this.hub = new EventHub(options.store, options.onError)
    this.metrics = createMetrics({
      vouchsafe_decisions_total: 'Decisions on bids, by verdict and code.',
      vouchsafe_verifications_total: 'Answers to challenges, by purpose, verdict and code.',
      vouchsafe_challenges_total: 'Challenges issued, by purpose.',
      vouchsafe_credentials_total: 'Credentials signed, by purpose.',
    })
    this.metrics.gauge('vouchsafe_providers_known', 'Providers of which evidence is known.', () => this.view.providers)
    this.metrics.gauge('vouchsafe_view_age_seconds', 'Age of the last reading of the store.', () => this.viewAge ?? -1)
  }

  /** Seconds since the store was last read, by our clock either way; undefined before the first time. */
  get viewAge(): number | undefined {
    const { readAt } = this.view
    return readAt === undefined ? undefined : Math.abs(this.options.clock() - readAt)
  }

  get isViewCurrent(): boolean {
    const age = this.viewAge
    return age !== undefined && age <= this.options.rules.viewMaxAgeSeconds
  }

  /** `sha256:` and 64 digits, as `digestOfPolicy`; policies are frozen, so each is digested once. */
  digestOf(policy: Policy): string {
    const known = this.#digests.get(policy)
    if (known !== undefined) return known
    if (typeof policy !== 'object' || policy === null || !Object.isFrozen(policy))
      throw new TypeError('policy is what parsePolicy or compose returned')
    const digest = `sha256:${toHex(createHash('sha256').update(canonicalPolicy(policy)).digest())}`
    this.#digests.set(policy, digest)
    return digest
  }

  /** The first reading; every call that commits waits for it, so that no event of its own is missed. */
  begin(): Promise<void> {
    this.#begun ??= this.#firstReading()
    return this.#begun
  }

  async #firstReading(): Promise<void> {
    try {
      await this.hub.handOn()
      await this.view.refresh()
    } catch (error) {
      this.#begun = undefined
      throw error
    }
  }

  /** Reads what was committed, here or by other processes, and hands its events on. */
  async refresh(): Promise<void> {
    await this.begin()
    await this.view.refresh()
    await this.hub.handOn()
  }

  /** 16 random bytes as text: ids of challenges and credentials. */
  newId(): string {
    return Buffer.from(this.options.random(16)).toString('base64url')
  }

  count(name: 'vouchsafe_verifications_total', purpose: string, verdict: string, findings: readonly Finding[]): void {
    const [first] = findings
    this.metrics.count(name, { purpose, verdict, code: first?.code ?? 'none' })
  }
}
