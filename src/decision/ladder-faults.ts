import type { EvidenceSet } from '../attestation/evidence.ts'
import type { ItemFault } from '../attestation/evidence-set/binding.ts'
import { type Fault, fault } from '../core/outcome.ts'
import { acceptsRisk, type GpuRule, type Policy } from '../policy/policy.ts'
import { bindingAtLeast, type Grounds, type gpuBindingOf, type levelOf, signsForAnyone } from './level.ts'

/**
 * What a policy asks of the ladder and the machine did not reach.
 * BIND_QUOTE_ORACLE · APPRAISAL_LEVEL_TOO_LOW · GPU_BINDING_INSUFFICIENT
 */
export function ladderFaults(
  policy: Policy,
  level: ReturnType<typeof levelOf>,
  gpuBinding: ReturnType<typeof gpuBindingOf>,
  set: EvidenceSet,
  grounds: Grounds,
): ItemFault[] {
  const faults: ItemFault[] = []
  const add = (f: Fault) => faults.push({ item: 'set', fault: f })
  // A level that is missed because something else was refused would only repeat that refusal.
  if (!grounds.genuine || !grounds.binding.fresh) return faults
  const acceptsOracle = acceptsRisk(policy, 'open-quote-oracle')
  const closed = !signsForAnyone(set) && grounds.statements.some((s) => s.guarantee === 'closed-quoting')
  if ((policy.require.level > 3 || policy.keyRelease !== 'none') && !closed && !acceptsOracle) {
    add(
      fault('BIND_QUOTE_ORACLE', 'set.level', {
        expected: 'an image vouched for as closed-quoting',
        actual: set.carrier,
        source: 'policy#/acceptRisks',
      }),
    )
  } else if (level < policy.require.level) {
    add(
      fault('APPRAISAL_LEVEL_TOO_LOW', 'set.level', {
        expected: policy.require.level,
        actual: level,
        source: 'policy#/require/level',
      }),
    )
  }
  const gpu = gpuRule(policy)
  if (gpu !== undefined && !bindingAtLeast(gpuBinding, gpu.binding)) {
    add(
      fault('GPU_BINDING_INSUFFICIENT', 'set.gpuBinding', {
        expected: gpu.binding,
        actual: gpuBinding,
        source: 'policy#/require/gpu/binding',
      }),
    )
  }
  return faults
}

/** The rule for GPUs, where the policy has one. */
export const gpuRule = ({ require }: Policy): GpuRule | undefined =>
  typeof require.gpu === 'string' ? undefined : require.gpu
