import type { CollateralSet } from '../../attestation/collateral.ts'
import { headOf } from '../../attestation/dcap/document-head.ts'
import { compareUsed, rememberUsed } from '../../collateral/cache/remember.ts'
import { lacksCollateral, unlessHeld } from '../../collateral/lacking.ts'
import { besideOf, type ObtainedCollateral, obtainCollateral } from '../../collateral/source.ts'
import { until } from '../../collateral/until.ts'
import { type Finding, fault, finding } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { Decision } from '../../decision/decision.ts'
import { withFindings } from '../../decision/with-findings.ts'
import type { Judge } from '../../gate/ports.ts'
import { type Evidence, type VerifyContext, verify } from '../../index.ts'
import type { CollateralEpoch } from '../../release/index.ts'
import type { Vendors } from './vendors.ts'

/** How a service judges evidence, and how far the collateral was that it judged by. */
export interface Judging {
  readonly judge: Judge
  /** of a decision that `judge` made */
  readonly epochOf: (decision: Decision) => CollateralEpoch | null
}

const numbersOf = ({ intelDocuments }: CollateralSet): readonly number[] =>
  intelDocuments.map(({ value }) => headOf(value)?.evaluationNumber ?? 0).filter(Number.isSafeInteger)

/** The highest `tcbEvaluationDataNumber` of Intel's documents in it; 0 without any. */
export const fileEpoch = (collateral: CollateralSet): number => Math.max(0, ...numbersOf(collateral))

/** With the operator's files alone: all replicas have the same, so that whoever has older ones is behind in everything. */
export function judgingByFiles(): Judging {
  const epochs = new WeakMap<Decision, CollateralEpoch>()
  return {
    judge: async (evidence, context) => {
      const decision = await verify(evidence, context)
      epochs.set(decision, { number: fileEpoch(context.collateral), raises: true })
      return decision
    },
    epochOf: (decision) => epochs.get(decision) ?? null,
  }
}

export interface VendorJudgingOptions {
  readonly vendors: Vendors
  readonly clock: () => UnixSeconds
  /** the collateral epoch that replicas have reached together; 0 where it cannot be read */
  readonly sharedEpoch: () => Promise<number>
  readonly onError: (error: unknown) => void
}

/** What was judged, and by what. */
interface Judged {
  readonly decision: Decision
  readonly collateral: CollateralSet
  readonly now: UnixSeconds
  readonly faults: ObtainedCollateral['faults']
}

/**
 * With the operator's files first. Only where the decision waits for something that a vendor has, that is obtained from the cache and
 * the vendors, and the evidence is judged again: what is accepted or refused needs nothing more and waits for nobody. What a decision
 * rests on is compared with what was used before (COLLATERAL_ROLLBACK · COLLATERAL_EQUIVOCATION) and remembered.
 */
export function judgingWithVendors(options: VendorJudgingOptions): Judging {
  const epochs = new WeakMap<Decision, CollateralEpoch>()

  const judge: Judge = async (evidence, context) => {
    const first = await verify(evidence, context)
    if (first.verdict === 'reject' && first.collateral.length === 0) return first
    try {
      const beside = await besideOf(evidence)
      const { decision, collateral, now, faults } = await judgedFully(options, evidence, context, { first, beside })
      const epoch = epochFrom(decision, collateral, beside)
      const told = withFindings(decision, [
        ...(await compared(options.vendors, decision, collateral, beside, now)),
        // What was decided without it is not changed by what could not be fetched.
        ...(decision.verdict === 'inconclusive' ? faults.map(({ item, fault: f }) => finding(f, item)) : []),
      ])
      if (epoch !== null) epochs.set(told, epoch)
      return told
    } catch (error) {
      options.onError(error)
      return withFindings(first, [finding(fault('COLLATERAL_CACHE_UNAVAILABLE', 'collateral'), 'collateral')])
    }
  }
  return { judge, epochOf: (decision) => epochs.get(decision) ?? null }
}

async function judgedFully(
  { vendors, clock, sharedEpoch }: VendorJudgingOptions,
  evidence: Evidence,
  context: VerifyContext,
  { first, beside }: { readonly first: Decision; readonly beside: CollateralSet },
): Promise<Judged> {
  const { collateral: held, injectedAnchors, cache, now } = context
  const least = vendors.reach(await sharedEpoch())
  const isBehind = first.verdict !== 'reject' && (epochFrom(first, held, beside)?.number ?? least) < least
  if (!lacksCollateral(first) && !isBehind) return { decision: first, collateral: held, now, faults: [] }
  const patience = AbortSignal.timeout(vendors.waitSeconds * 1000)
  const fetchObject = until(vendors.fetchObject, patience, 'COLLATERAL_DEADLINE_PASSED')
  const { collateral, faults } = await obtainCollateral(evidence, {
    fetchObject: unlessHeld(fetchObject, held, now, least),
    ...{ held, injectedAnchors, cache },
  })
  // An answer that was made for us just now is not yet valid by the time at which we began.
  const later = Math.max(now, clock())
  return { decision: await verify(evidence, { ...context, collateral, now: later }), collateral, now: later, faults }
}

/** The sender's collateral is held to what was used before, and moves nobody: it may be early, and is the sender's choice. */
async function compared(
  { cache }: Vendors,
  decision: Decision,
  collateral: CollateralSet,
  beside: CollateralSet,
  now: UnixSeconds,
): Promise<readonly Finding[]> {
  const faults = compareUsed(cache, '', decision, [collateral, beside], now)
  const all = faults.length > 0 ? faults : await rememberUsed(cache, '', decision, [collateral], now)
  return all.map((f) => finding(f, 'collateral'))
}

/** Intel numbers all of its documents together: the oldest that the decision rests on counts. */
function epochFrom(decision: Decision, own: CollateralSet, beside: CollateralSet): CollateralEpoch | null {
  const used = new Set(decision.collateral.map(({ digest }) => digest))
  const usedOf = ({ intelDocuments }: CollateralSet) => intelDocuments.filter(({ sha256 }) => used.has(sha256))
  const [ours, theirs] = [usedOf(own), usedOf(beside)]
  const held = new Set(ours.map(({ sha256 }) => sha256))
  const numbers = [...ours, ...theirs].map(({ value }) => headOf(value)?.evaluationNumber ?? 0)
  if (numbers.length === 0) return null
  return { number: Math.min(...numbers), raises: theirs.every(({ sha256 }) => held.has(sha256)) }
}
