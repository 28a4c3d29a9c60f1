import { fail, type Outcome, ok } from '../core/outcome.ts'
import type { UnixSeconds } from '../core/time.ts'
import { isLeaseId } from '../decision/credential/lease-id.ts'
import { ruleOfLease } from '../policy/lease-needed.ts'
import type { Policy } from '../policy/policy.ts'
import type { KeyLimits, KeyState } from './ports.ts'
import type { Usage } from './usage.ts'

/** One release more than there were. */
export interface NextRelease {
  readonly at: UnixSeconds
  /** salted ids that count as machines */
  readonly chips: readonly string[]
}

/** GPUs move between machines: a machine is told by what else its vendors certify. @param hardware salted ids */
export const chipsOf = (hardware: readonly string[]): readonly string[] =>
  hardware.filter((id) => !id.startsWith('nvidia-'))

/** Which of the releases before tells whether the window is full: so many as fit into it ago. */
export const nthLastOf = ({ window }: KeyLimits): number | null => (window === 'unlimited' ? null : window.releases)

const exceeds = (count: number, limit: number | 'unlimited'): boolean => limit !== 'unlimited' && count > limit

/**
 * Which limit a further release would break; undefined where it breaks none. Leases that it may go to are another question.
 * @param usage as asked with `nthLastOf` these limits
 */
export function brokenLimit(
  { limits, state }: { readonly limits: KeyLimits; readonly state: KeyState },
  usage: Usage,
  { at, chips }: NextRelease,
): string | undefined {
  if (state !== 'active') return 'key.state'
  if (exceeds(usage.releases + 1, limits.releases)) return 'key.limits.releases'
  if (limits.window !== 'unlimited' && usage.nthLastAt !== null && usage.nthLastAt > at - limits.window.seconds)
    return 'key.limits.window'
  if (exceeds(usage.leases, limits.leases)) return 'key.limits.leases'
  // What shows no identity cannot be counted.
  if (limits.chips !== 'unlimited' && (chips.length === 0 || usage.chips > limits.chips)) return 'key.limits.chips'
  return undefined
}

/**
 * A workload without lease is nobody's: a key goes to it only where its limits name it, and `any` means any lease. One that is
 * called as a lease is, which no session is opened for, is none.
 */
export const mayGoTo = ({ onlyLeases }: KeyLimits, workload: string, isLease: boolean): boolean =>
  isLeaseId(workload) === isLease && (onlyLeases === 'any' ? isLease : onlyLeases.includes(workload))

/** Whether anything is possible under the new limits that was not under the old ones. */
export function widens(after: KeyLimits, before: KeyLimits): boolean {
  const number = (limit: number | 'unlimited') => (limit === 'unlimited' ? Number.POSITIVE_INFINITY : limit)
  const grows = (['releases', 'leases', 'chips'] as const).some((name) => number(after[name]) > number(before[name]))
  return grows || windowWidens(after.window, before.window) || leasesWiden(after.onlyLeases, before.onlyLeases)
}

function windowWidens(after: KeyLimits['window'], before: KeyLimits['window']): boolean {
  if (before === 'unlimited') return false
  return after === 'unlimited' || after.releases > before.releases || after.seconds < before.seconds
}

function leasesWiden(after: KeyLimits['onlyLeases'], before: KeyLimits['onlyLeases']): boolean {
  // Any lease means no workload without one: to name one opens what was shut.
  if (before === 'any') return after !== 'any' && !after.every(isLeaseId)
  return after === 'any' || after.some((lease) => !before.includes(lease))
}

const MOST_LEASES = 1000

/**
 * @param within what stands before a member's name where a fault names it
 * @returns the limits, or ADMIN_REQUEST_INVALID: every member is there, a whole number above zero or what says that there is none
 */
export function checkedLimits(limits: KeyLimits, within = 'limits.'): Outcome<KeyLimits> {
  const invalid = (member: string, expected: string) =>
    fail('ADMIN_REQUEST_INVALID', `${within}${member}`, { expected })
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0
  for (const name of ['releases', 'leases', 'chips'] as const)
    if (limits[name] !== 'unlimited' && !isCount(limits[name]))
      return invalid(name, 'a whole number above zero, or unlimited')
  const { window, onlyLeases } = limits
  if (window !== 'unlimited' && !(isCount(window?.releases) && isCount(window.seconds)))
    return invalid('window', 'releases and seconds, or unlimited')
  const isLease = (lease: unknown) => typeof lease === 'string' && /^[\x21-\x7e]{1,512}$/.test(lease)
  const isList = Array.isArray(onlyLeases) && onlyLeases.length > 0 && onlyLeases.length <= MOST_LEASES
  if (onlyLeases !== 'any' && !(isList && onlyLeases.every(isLease))) return invalid('onlyLeases', 'lease ids, or any')
  return ok({ releases: limits.releases, window, leases: limits.leases, chips: limits.chips, onlyLeases })
}

/**
 * Whether some machine may get a key of these limits under this policy. Workloads that are no leases are judged without one.
 * @param within as for `checkedLimits`
 * @returns ADMIN_REQUEST_INVALID where the limits name such workloads alone and the policy cannot be met without a lease
 */
export function reachable({ onlyLeases }: KeyLimits, policy: Policy, within = 'limits.'): Outcome<void> {
  if (onlyLeases === 'any' || onlyLeases.some(isLeaseId)) return ok(undefined)
  const rule = ruleOfLease(policy)
  if (rule === undefined) return ok(undefined)
  return fail('ADMIN_REQUEST_INVALID', `${within}onlyLeases`, {
    expected:
      'a lease among them, or a policy that can be met without one (with a number of GPUs, not that of the lease)',
    actual: `workloads without lease, while the policy says ${rule.path}: ${rule.value}`,
  })
}
