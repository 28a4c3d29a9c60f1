import type { ItemFault } from '../attestation/evidence-set/binding.ts'
import type { ItemJudgement, NotChecked } from '../attestation/kind.ts'
import type { Finding } from '../core/outcome.ts'
import type { Verdict } from './decision.ts'

/** A manifest that was there and was refused is no missing one: what refused it is told, and nothing else. */
export const repeatsRefusedManifest = (
  { item, fault: { code } }: ItemFault,
  judgements: readonly ItemJudgement[],
): boolean =>
  code === 'GPU_RIM_UNAVAILABLE' &&
  judgements.some((j) => j.id === item && j.faults.length > 0 && j.faults.every((f) => f.code !== code))

/** A label without its GPUs and a policy that wants GPUs say the same thing, which is told once. */
export const repeatsMissingGpus = ({ fault: { code } }: ItemFault, members: readonly ItemFault[]): boolean =>
  code === 'GPU_COUNT_ZERO' && members.some((m) => m.fault.code === code)

/** Equal entries once, in the order they came in; equal are those of the same key. */
export function distinct<T extends Finding | NotChecked>(entries: readonly T[], keyOf: (entry: T) => string): T[] {
  const seen = new Set<string>()
  return entries.filter((entry) => {
    const key = keyOf(entry)
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

/** What refuses stands before what is only missing; within each, the order of the contract. */
export const refusalsFirst = (findings: readonly Finding[]): Finding[] => [
  ...findings.filter((f) => f.verdict === 'reject'),
  ...findings.filter((f) => f.verdict === 'inconclusive'),
]

export const verdictFrom = (findings: readonly { readonly verdict: 'reject' | 'inconclusive' }[]): Verdict =>
  findings.some((f) => f.verdict === 'reject') ? 'reject' : findings.length > 0 ? 'inconclusive' : 'accept'
