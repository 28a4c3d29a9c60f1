import { type Fault, fail, failed, fault, type Outcome, ok } from '../core/outcome.ts'
import { contradictionsOf } from './consistency.ts'
import { deepFreeze } from './freeze.ts'
import type { Policy } from './policy.ts'
import { MOST_ALTERNATIVES } from './rules-cpu.ts'
import { policyShape } from './rules-policy.ts'

/**
 * The floor of a marketplace and the policy of a tenant as one policy: what it accepts, both accept. The tenant can only
 * tighten. A member at which the tenant's value is the one that it takes when left out counts as not said, and the floor's
 * rule applies; any other value that admits what the floor refuses is refused by name.
 * @returns the policy, or POLICY_BELOW_FLOOR (every loosening member) · POLICY_UNSATISFIABLE (rules that exclude one another) ·
 * LIMIT_POLICY (each alternative of one with each of the other are too many) · POLICY_ACKNOWLEDGEMENT_MISSING ·
 * POLICY_MEASUREMENT_REQUIRED · POLICY_PROFILE_NOT_RELEASABLE
 */
export function compose(floor: Policy, tenant: Policy): Outcome<Policy> {
  const [looser, ...more] = policyShape.looser(floor, tenant, '', 'is-no-loosening').map(
    (l): Fault =>
      fault('POLICY_BELOW_FLOOR', l.path, {
        expected: `${l.floor}, or stricter`,
        actual: l.tenant,
        source: floor.name,
      }),
  )
  if (looser !== undefined) return failed([looser, ...more])
  const clashes: string[] = []
  const both = policyShape.both(floor, tenant, '', clashes)
  if (both === undefined) {
    return fail('POLICY_UNSATISFIABLE', clashes[0] ?? '', {
      expected: 'a value that both policies accept',
      source: floor.name,
    })
  }
  const alternatives = both.require.cpu.any.length
  if (alternatives > MOST_ALTERNATIVES) {
    return fail('LIMIT_POLICY', '/require/cpu/any', {
      expected: `at most ${MOST_ALTERNATIVES} alternatives`,
      actual: alternatives,
      source: floor.name,
    })
  }
  const composed = { ...both, name: `${tenant.name} under ${floor.name}` }
  const [contradiction, ...others] = contradictionsOf(composed)
  return contradiction === undefined ? ok(deepFreeze(composed)) : failed([contradiction, ...others])
}
