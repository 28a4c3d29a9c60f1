import { type EvidenceSet, isCpuKind } from '../attestation/evidence.ts'
import type { BindingJudgement } from '../attestation/evidence-set/binding.ts'
import type { Appraisal } from '../policy/appraisal.ts'
import type { GpuBinding, Level } from './decision.ts'

export interface Grounds {
  /** every item proved, revocation answered or waived by name, no debug, TCB at or above the floor, members distinct */
  readonly genuine: boolean
  readonly binding: BindingJudgement
  /** the launch measurement is in the reference set: by bare digest, or vouched for by a signer */
  readonly measured: 'no' | 'digest' | 'vouched'
  readonly statements: Appraisal['statements']
}

/** AEP-83's sidecar signs any 64 bytes for anyone, so nothing above `measured` can rest on what it signs (akash.md §5). */
const OPEN_QUOTING_CAP: Level = 3

export const signsForAnyone = (set: EvidenceSet): boolean => set.carrier === 'akash/aep-83'

/**
 * The rung of the ladder that the grounds reach; each rests on the ones below it. Levels 4 and 5 rest on statements of a
 * vouched reference value: what an image does is not in its digest.
 * @see ARCHITECTURE §5
 */
export function levelOf(set: EvidenceSet, grounds: Grounds): Level {
  const states = (guarantee: string) => grounds.statements.some((s) => s.guarantee === guarantee)
  if (!grounds.genuine) return 0
  if (!grounds.binding.fresh) return 1
  if (grounds.measured === 'no') return 2
  if (signsForAnyone(set)) return OPEN_QUOTING_CAP
  // Reports can be carried over into another envelope, so a closed image must be vouched for, whatever brought them.
  if (grounds.measured !== 'vouched' || !states('workload-pinned') || !states('closed-quoting')) return 3
  return grounds.binding.keyBound && states('key-in-tee') ? 5 : 4
}

/**
 * How the GPUs are tied to the CPU. `shared-nonce` proves freshness and may be relayed; `measured-guest` needs measured
 * code that takes evidence from its own driver only (`gpu-local`) and commits to the list. Nothing today proves `tdisp`.
 */
export function gpuBindingOf(set: EvidenceSet, grounds: Grounds): GpuBinding {
  const hasBoth = set.items.some((i) => i.kind === 'nvidia/gpu-report') && set.items.some((i) => isCpuKind(i.kind))
  if (!hasBoth || !grounds.genuine || !grounds.binding.fresh) return 'none'
  const states = (guarantee: string) => grounds.statements.some((s) => s.guarantee === guarantee)
  // An image that signs anything for anyone would commit to a list of the host's choosing as well.
  const local =
    grounds.measured === 'vouched' && states('gpu-local') && states('closed-quoting') && !signsForAnyone(set)
  return local && grounds.binding.composite ? 'measured-guest' : 'shared-nonce'
}

const BINDING_ORDER: readonly GpuBinding[] = ['none', 'shared-nonce', 'measured-guest', 'tdisp']

export const bindingAtLeast = (actual: GpuBinding, required: GpuBinding): boolean =>
  BINDING_ORDER.indexOf(actual) >= BINDING_ORDER.indexOf(required)
