import type { Lease } from '../attestation/evidence-set/group.ts'
import type { Decision, Level } from '../decision/decision.ts'
import type { Policy } from '../policy/policy.ts'
import { isUnasked } from './layers.ts'
import type { Layer, SelftestReport, TenantView } from './report.ts'

/**
 * The lease that a self-test assumes, for there is none: all GPUs that are there. A policy with rules for GPUs is never met
 * without one, so it is tried with at least one.
 * @param gpus how many are there, or how many the operator says there should be
 */
export function assumedLease({ require: { gpu } }: Policy, gpus: number): Lease {
  return typeof gpu === 'string' && (gpu === 'none' || gpus === 0)
    ? { teeType: 'cpu' }
    : { teeType: 'cpu-gpu', gpuCount: Math.max(gpus, 1) }
}

export const leaseWords = ({ teeType, gpuCount }: Lease): string =>
  teeType === 'cpu' ? 'a lease without GPUs' : `a lease of ${gpuCount} ${gpuCount === 1 ? 'GPU' : 'GPUs'}`

/** Whether a policy speaks of a machine with so many GPUs at all. */
export const applies = ({ require: { gpu } }: Policy, gpus: number): boolean => gpus > 0 || typeof gpu === 'string'

export const tenantView = (
  policy: Policy,
  { asked, gpus }: { readonly asked: boolean; readonly gpus: number },
  decision: Decision,
): TenantView => ({
  policy: policy.name,
  asked,
  applies: applies(policy, gpus),
  verdict: decision.verdict === 'reject' && decision.findings.every(isUnasked) ? 'inconclusive' : decision.verdict,
  level: decision.level,
  wanted: policy.require.level,
  findings: decision.findings,
  assumed: leaseWords(assumedLease(policy, gpus)),
})

/**
 * `eligible`: every policy that was asked for accepts, or where none was, one of the presets. `ineligible`: one that was
 * asked for refuses, or where none was, a preset that speaks of this machine does and none accepts. Anything else is open:
 * there was nothing to judge, or something was missing.
 * @param beside clock and sources: evidence may be sound while the driver says that the GPU is in DevTools mode, and what the
 * clock spoils nobody can tell. Either keeps a machine from being called eligible.
 */
export function outcomeOf(
  tenants: readonly TenantView[],
  beside: readonly Pick<Layer, 'id' | 'state'>[],
): SelftestReport['outcome'] {
  const outcome = saidBy(tenants)
  if (outcome !== 'eligible') return outcome
  if (beside.some(({ state }) => state === 'fail')) return 'ineligible'
  return beside.some(({ id, state }) => id === 'clock' && state === 'missing') ? 'inconclusive' : outcome
}

function saidBy(tenants: readonly TenantView[]): SelftestReport['outcome'] {
  const asked = tenants.filter((t) => t.asked)
  const counted = asked.length === 0 ? tenants.filter((t) => t.applies) : asked
  const accepts = counted.filter(({ verdict }) => verdict === 'accept').length
  if (accepts > 0 && (asked.length === 0 || accepts === counted.length)) return 'eligible'
  return counted.some(({ verdict }) => verdict === 'reject') ? 'ineligible' : 'inconclusive'
}

/** What each rung of the ladder wants beside the ones below it (ARCHITECTURE §5). */
const NEEDS: Readonly<Record<Exclude<Level, 0>, string>> = {
  1: 'every item proved, its certificates unrevoked, its firmware at or above the published floors, and debugging off.',
  2: 'an answer to a challenge of this minute; saved evidence has none.',
  3: 'a policy that lists the launch measurement of the guest image, or signed reference values of whoever builds it.',
  4: 'a signed reference value that vouches for the image as workload-pinned and closed-quoting. The sidecar of AEP-83 signs any report data for anyone and stays at 3.',
  5: 'the key of the workload inside the report data, and an image vouched for as key-in-tee.',
}

export function nextLevel(level: Level): SelftestReport['nextLevel'] {
  const next = ([1, 2, 3, 4, 5] as const).find((above) => above === level + 1)
  return next === undefined ? undefined : { level: next, needs: NEEDS[next] }
}

/** The highest rung that any of these judgements grants. */
export const bestLevel = (decisions: readonly Pick<Decision, 'level'>[]): Level =>
  decisions.reduce<Level>((best, { level }) => (level > best ? level : best), 0)
