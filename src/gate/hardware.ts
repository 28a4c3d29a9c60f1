import { CHALLENGE_MAX_SECONDS } from '../attestation/challenge.ts'
import type { Code } from '../core/codes.ts'
import type { JsonObject } from '../core/json.ts'
import type { UnixSeconds } from '../core/time.ts'

/** A provider account's signed word that the hardware is its own. */
export interface Claim {
  readonly provider: string
  /** since when without a gap */
  readonly since: UnixSeconds
  /** the last fresh, signed evidence */
  readonly provedAt: UnixSeconds
  readonly until: UnixSeconds
  /**
   * it and the holder both answered fresh challenges at about the same time after the conflict began: nothing tells them
   * apart, and no later answer of either alone does
   */
  readonly isEven: boolean
}

export interface LeaseUse {
  readonly lease: string
  readonly provider: string
  readonly until: UnixSeconds
}

/** All that is known of one piece of hardware. Plain JSON; the body of a `HardwareRow`. */
export interface Holders {
  readonly holder: Claim | null
  /** others that hold evidence of it, and signed for it, while the holder's claim lives */
  readonly challengers: readonly Claim[]
  /** since when there are challengers */
  readonly contestedSince: UnixSeconds | null
  /** every account that ever showed it, and when last: the cap counts them */
  readonly accounts: readonly { readonly provider: string; readonly seenAt: UnixSeconds }[]
  /** of what one guest has alone: the lease that has it */
  readonly use: LeaseUse | null
}

export const NOBODY: Holders = { holder: null, challengers: [], contestedSince: null, accounts: [], use: null }

export const holdersOf = (json: JsonObject | undefined): Holders =>
  json === undefined ? NOBODY : (json as unknown as Holders)

export interface HardwareRules {
  /** provider accounts that may show one chip, at least 1 */
  readonly accountsPerChip: number
  /** how long an account counts after it last showed the chip, seconds */
  readonly accountMemorySeconds: number
}

export interface Claimed {
  readonly holders: Holders
  /** GATE_CHIP_CAP refuses outright; GATE_HARDWARE_CONFLICT leaves level 1 */
  readonly refusal: Code | null
}

/**
 * A provider signed for fresh evidence of this hardware. The first claim stands while it is renewed; whoever comes while it
 * lives is a challenger, whatever it shows: any tenant can relay a provider's evidence, so a second claim proves nothing
 * against the first. A claim that ran out, or was released, makes room.
 * @see GATE.md §7, rules 1 to 5
 */
export function claim(
  before: Holders,
  by: Pick<Claim, 'provider' | 'until'>,
  now: UnixSeconds,
  rules: HardwareRules,
): Claimed {
  const accounts = accountsWith(before, by.provider, now, rules)
  if (accounts === undefined) return { holders: before, refusal: 'GATE_CHIP_CAP' }
  const living = before.holder !== null && before.holder.until > now ? before.holder : null
  const rest = before.challengers.filter((c) => c.until > now && c.provider !== by.provider)
  const isHolder = living === null || living.provider === by.provider
  const known = [living, ...before.challengers].find((c) => c?.provider === by.provider && c.until > now)
  const own: Claim = {
    ...{ provider: by.provider, until: by.until, since: known?.since ?? now, provedAt: now },
    isEven: !isHolder && known?.isEven === true,
  }
  // What was even with a claim that ran out has nobody to be even with.
  const others = living === null ? rest.map((c) => ({ ...c, isEven: false })) : rest
  const [holder, challengers] = isHolder ? [own, others] : [living, [...others, own]]
  const contestedSince = challengers.length === 0 ? null : (before.contestedSince ?? now)
  const after = challengers.map((c) => ({ ...c, isEven: c.isEven || areEven(holder, c, contestedSince) }))
  return {
    holders: { ...before, accounts, holder, challengers: after, contestedSince },
    refusal: isHolder ? null : 'GATE_HARDWARE_CONFLICT',
  }
}

const areEven = (holder: Claim, challenger: Claim, contestedSince: UnixSeconds | null): boolean =>
  contestedSince !== null &&
  holder.provedAt > contestedSince &&
  challenger.provedAt > contestedSince &&
  Math.abs(challenger.provedAt - holder.provedAt) <= CHALLENGE_MAX_SECONDS

/**
 * Whether a challenger is even with the holder. Then both stay at level 1 until one of them releases, a claim runs out, or
 * somebody settles it.
 */
export const isUnresolved = ({ holder, challengers }: Holders, now: UnixSeconds): boolean =>
  holder !== null && holder.until > now && challengers.some((c) => c.until > now && c.isEven)

/** Whether this account holds the hardware, or challenges who does: nobody else has a say in it. */
export const isParty = ({ holder, challengers }: Holders, provider: string): boolean =>
  [holder, ...challengers].some((c) => c?.provider === provider)

/**
 * The provider gives its claim up. Whoever signs for fresh evidence next holds it; challengers have to prove themselves again.
 * A lease that has the device keeps it: only its end, or evidence without the device, gives that back.
 */
export function release(before: Holders, provider: string): Holders {
  const challengers = before.challengers.filter((c) => c.provider !== provider)
  return {
    ...before,
    holder: before.holder?.provider === provider ? null : before.holder,
    challengers: before.holder?.provider === provider ? [] : challengers,
    contestedSince: before.holder?.provider === provider || challengers.length === 0 ? null : before.contestedSince,
  }
}

/** Somebody looked into a conflict and decided: this provider's claim stands, the others' are gone. */
export function settle(before: Holders, provider: string): Holders {
  const known = [before.holder, ...before.challengers].find((c) => c?.provider === provider)
  return {
    ...before,
    holder: known == null ? null : { ...known, isEven: false },
    challengers: [],
    contestedSince: null,
  }
}

export interface Used {
  readonly holders: Holders
  readonly refusal: Code | null
  /** the lease that has the device too: it has to be attested again as well */
  readonly rival: string | null
}

/**
 * A lease showed fresh evidence with this hardware. Nobody signed for it, so it takes nothing from a provider that did.
 * @param exclusive whether one guest has it alone (a GPU or switch), so that two leases cannot both be true
 */
export function useInLease(
  before: Holders,
  by: LeaseUse,
  exclusive: boolean,
  now: UnixSeconds,
  rules: HardwareRules,
): Used {
  const accounts = accountsWith(before, by.provider, now, rules)
  if (accounts === undefined) return { holders: before, refusal: 'GATE_CHIP_CAP', rival: null }
  const seen = { ...before, accounts }
  const { holder, use } = before
  if (holder !== null && holder.until > now && holder.provider !== by.provider)
    return { holders: seen, refusal: 'GATE_HARDWARE_CONFLICT', rival: null }
  if (!exclusive) return { holders: seen, refusal: null, rival: null }
  if (use !== null && use.lease !== by.lease && use.until > now)
    return { holders: seen, refusal: 'GATE_DEVICE_IN_USE', rival: use.lease }
  return { holders: { ...seen, use: by }, refusal: null, rival: null }
}

/** The lease is closed, or does not have the device any more. */
export const giveBack = (before: Holders, lease: string): Holders =>
  before.use?.lease === lease ? { ...before, use: null } : before

/** @returns undefined where this account is new and one more than the cap; whoever came before keeps its place */
function accountsWith(
  { accounts }: Holders,
  provider: string,
  now: UnixSeconds,
  { accountsPerChip, accountMemorySeconds }: HardwareRules,
): Holders['accounts'] | undefined {
  const remembered = accounts.filter((a) => a.seenAt > now - accountMemorySeconds)
  const others = remembered.filter((a) => a.provider !== provider)
  if (others.length === remembered.length && others.length >= accountsPerChip) return undefined
  return [...others, { provider, seenAt: now }]
}
