import { createVerificationCache } from '../../core/context.ts'
import { attempt, type Finding } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { Decision } from '../../decision/decision.ts'
import { address } from '../../gate/akash-ids.ts'
import type { BidRow } from '../../gate/bids.ts'
import { gateFinding, verdictFrom } from '../../gate/finding.ts'
import { prepareCollateral, verify } from '../../index.ts'
import type { Policy } from '../../policy/index.ts'
import { freshnessFrom, leaseFrom } from '../arguments.ts'
import { collateralFiles } from '../collateral/files.ts'
import { faultText } from '../faults.ts'
import { readFiles, UsageError } from '../input.ts'
import { anchorsFrom } from '../trust-anchors.ts'

export interface EvidenceOptions {
  /** `PROVIDER=PATH`, each provider once */
  readonly evidence?: readonly string[]
  readonly challenge?: readonly string[]
  readonly collateral?: readonly string[]
  readonly lease?: string
  readonly trustAnchor?: readonly string[]
}

/** Evidence that somebody gave by hand for a provider, as it was judged. */
export interface GivenEvidence {
  readonly provider: string
  readonly path: string
  /** whether a challenge was given that it had to answer */
  readonly isAsked: boolean
  readonly decision: Decision
}

/**
 * Judges evidence that was given by hand. It is never a posture: no gate used up the challenge that it answers, and the
 * provider's account did not sign for it.
 */
export async function judgeGiven(
  options: EvidenceOptions,
  policy: Policy,
  now: UnixSeconds,
): Promise<readonly GivenEvidence[]> {
  const pairs = (options.evidence ?? []).map(pairOf)
  const twice = pairs.find(([provider], i) => pairs.findIndex(([other]) => other === provider) !== i)
  if (twice !== undefined) throw new UsageError(`--evidence is given twice for ${twice[0]}`)
  if (pairs.length === 0) {
    const idle = (['challenge', 'collateral', 'lease', 'trustAnchor'] as const).find((o) => options[o] !== undefined)
    if (idle === undefined) return []
    throw new UsageError(`--${idle === 'trustAnchor' ? 'trust-anchor' : idle} says how --evidence is judged`)
  }
  const asked = await Promise.all((options.challenge ?? []).map((challenge) => freshnessFrom({ challenge })))
  const questionTo = (provider: string) =>
    asked.find((f) => f.kind === 'challenge' && f.challenge.provider === provider)
  for (const freshness of asked) {
    const to = freshness.kind === 'challenge' ? freshness.challenge.provider : ''
    if (!pairs.some(([provider]) => provider === to)) throw new UsageError(`--challenge: no --evidence of ${to}`)
    if (questionTo(to) !== freshness) throw new UsageError(`--challenge is given twice for ${to}`)
  }
  const injectedAnchors = (await Promise.all((options.trustAnchor ?? []).map(anchorsFrom))).flat()
  const { collateral, faults } = await prepareCollateral(await collateralFiles(options.collateral ?? [], undefined))
  if (faults.length > 0) process.stderr.write(`collateral left out:\n${faultText(faults)}\n`)
  const lease = options.lease === undefined ? null : await leaseFrom(options.lease)
  const cache = createVerificationCache()
  const given: GivenEvidence[] = []
  for (const [provider, path] of pairs) {
    const freshness = questionTo(provider)
    const decision = await verify(await readFiles(path), {
      ...{ now, policy, lease, collateral, injectedAnchors, cache },
      freshness: freshness ?? { kind: 'notGiven' },
      physical: 'unknown',
      referenceValues: [],
    })
    given.push({ provider, path, isAsked: freshness !== undefined, decision })
  }
  return given
}

function pairOf(text: string): readonly [provider: string, path: string] {
  const at = text.indexOf('=')
  const [provider, path] = [text.slice(0, at), text.slice(at + 1)]
  if (at < 0 || path === '' || !attempt(() => address(provider, 'provider')).ok)
    throw new UsageError(`--evidence takes PROVIDER=PATH with an akash1… address, not ${text}`)
  return [provider, path]
}

/**
 * The row of a bid whose provider the store knows nothing of, with what the evidence by hand showed. It adds reasons and
 * takes none away, so that the row is never an accept; its level stays that of the posture, which there is none of.
 */
export function withEvidence(row: BidRow, given: GivenEvidence | undefined): BidRow {
  const [first] = row.findings
  if (given === undefined || first?.code !== 'GATE_EVIDENCE_NEEDED') return row
  const { decision, isAsked } = given
  const needed = gateFinding('posture', 'GATE_EVIDENCE_NEEDED', first.path, {
    expected: "an answer to a gate's challenge, which the provider's account signs for",
    actual: `evidence by hand, ${isAsked ? 'to a challenge that no gate used up' : 'which needs a challenge'}`,
  })
  // That nobody asked is no fault of the machine, and is what the gate's own finding says.
  const shown = decision.findings.filter((f) => f.code !== 'BIND_CHALLENGE_MISSING')
  const of = (verdict: Finding['verdict']) => shown.filter((f) => f.verdict === verdict)
  const findings = [...of('reject'), needed, ...of('inconclusive')]
  return { ...row, findings, verdict: verdictFrom(findings) }
}
