import { type Fault, fault } from '../core/outcome.ts'
import type { Policy } from './policy.ts'
import { policyShape } from './rules-policy.ts'

/**
 * What an extending policy says looser than its preset, or so that both cannot hold. `policy` was read with the preset's
 * values wherever it says nothing.
 * @returns POLICY_EXTENDS_INVALID for each such member
 */
export function looserThanPreset(preset: Policy, policy: Policy): readonly Fault[] {
  const clashes: string[] = []
  policyShape.both(preset, policy, '', clashes)
  const looser = policyShape.looser(preset, policy, '', 'does-not-exist')
  const other = clashes.filter((path) => !looser.some((l) => l.path === path))
  return [
    ...looser.map(({ path, floor, tenant }) =>
      fault('POLICY_EXTENDS_INVALID', path, {
        expected: `${floor}, or stricter, as in ${preset.name}`,
        actual: tenant,
      }),
    ),
    ...other.map((path) => fault('POLICY_EXTENDS_INVALID', path, { expected: `compatible with ${preset.name}` })),
  ]
}

/** The preset tightened by the policy: its deny lists stay in force beside the policy's own. */
export function tightened(preset: Policy, policy: Policy): Policy {
  const both = policyShape.both(preset, policy, '', [])
  if (both === undefined) throw new TypeError('checked by looserThanPreset')
  return both
}
