import type { Policy } from './policy.ts'

/** A rule of a policy, by its path, with what it says. */
export interface NamedRule {
  readonly path: string
  readonly value: string
}

/**
 * The rule by which no machine without lease can ever meet the policy: judged without one it is always APPRAISAL_LEASE_MISSING,
 * or worse. undefined where a machine may meet it without lease.
 */
export function ruleOfLease({ require: { lease, leaseBinding, gpu } }: Policy): NamedRule | undefined {
  if (lease !== 'if-given') return { path: 'require.lease', value: lease }
  if (leaseBinding !== 'none') return { path: 'require.leaseBinding', value: leaseBinding }
  if (typeof gpu === 'object' && gpu.count === 'lease') return { path: 'require.gpu.count', value: gpu.count }
  return undefined
}
