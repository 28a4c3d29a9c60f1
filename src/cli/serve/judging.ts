import type { CollateralSet } from '../../attestation/collateral.ts'
import { headOf } from '../../attestation/dcap/document-head.ts'
import { vekExtensions } from '../../attestation/sev-snp/vek-extensions.ts'
import { rememberUsed } from '../../collateral/cache/remember.ts'
import {
  isTooOld,
  type JudgedByNewest,
  judgedByNewest,
  lacksCollateral,
  leastIssuedAt,
  unlessHeld,
} from '../../collateral/lacking.ts'
import type { NeedFault } from '../../collateral/needs/index.ts'
import type { FetchObject } from '../../collateral/objects.ts'
import { type ObtainedCollateral, obtainCollateral } from '../../collateral/source.ts'
import { until } from '../../collateral/until.ts'
import type { Code } from '../../core/codes.ts'
import { fault, finding } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { Decision } from '../../decision/decision.ts'
import { withFindings } from '../../decision/with-findings.ts'
import type { Judge } from '../../gate/ports.ts'
import { type Evidence, type VerifyContext, verify } from '../../index.ts'
import type { Vendors } from './vendors.ts'

/** How a service judges evidence, and how far the collateral was that it judged by. */
export interface Judging {
  readonly judge: Judge
  /** what the broker calls `collateralEpoch`; of a decision that `judge` did not make it is the lowest */
  readonly epochOf: (decision: Decision) => number | null
}

/** With the operator's files alone: all replicas have the same, so that whoever has older ones is behind in everything. */
export function judgingByFiles(): Judging {
  const epochs = new WeakMap<Decision, number>()
  return {
    judge: async (evidence, context) => {
      const decision = await verify(evidence, context)
      epochs.set(decision, epochOfFiles(context.collateral))
      return decision
    },
    epochOf: (decision) => epochs.get(decision) ?? 0,
  }
}

export interface VendorJudgingOptions {
  readonly vendors: Vendors
  readonly clock: () => UnixSeconds
  /** the collateral epoch that replicas have reached together; 0 where it cannot be read */
  readonly sharedEpoch: () => Promise<number>
  readonly onError: (error: unknown) => void
}

/** A decision, and the verifier's own collateral that it was made with. */
interface Judged extends JudgedByNewest {
  readonly now: UnixSeconds
  readonly faults: ObtainedCollateral['faults']
}

/**
 * With the operator's files first. Only where the decision waits for something that a vendor has, that is obtained from the cache and
 * the vendors, and the evidence is judged again: what is accepted or refused needs nothing more and waits for nobody. What a decision
 * rests on is compared with what was used before (COLLATERAL_ROLLBACK · COLLATERAL_EQUIVOCATION) and remembered.
 */
export function judgingWithVendors(options: VendorJudgingOptions): Judging {
  const epochs = new WeakMap<Decision, number | null>()
  const judge: Judge = async (evidence, given) => {
    const { first, context } = await judgedByFiles(evidence, given)
    try {
      const { decision, collateral, now, faults } = await judgedFully(options, evidence, context, first)
      const olderThanBefore = await rememberUsed(options.vendors.cache, '', decision, [collateral], now)
      const told = withFindings(decision, [
        ...olderThanBefore.map((f) => finding(f, 'collateral')),
        // What was decided without it is not changed by what could not be fetched.
        ...(decision.verdict === 'inconclusive'
          ? [...faults, ...nothingNewer(decision)].map(({ item, fault: f }) => finding(f, item))
          : []),
      ])
      epochs.set(told, epochOfUsed(decision, collateral))
      return told
    } catch (error) {
      options.onError(error)
      return withFindings(first, [finding(fault('COLLATERAL_CACHE_UNAVAILABLE', 'collateral'), 'collateral')])
    }
  }
  const epochOf: Judging['epochOf'] = (decision) => {
    const epoch = epochs.get(decision)
    return epoch === undefined ? 0 : epoch
  }
  return { judge, epochOf }
}

/** What the policy calls too old was asked for, and nobody had a newer one: that may change, and is nothing of the machine's. */
const nothingNewer = (decision: Decision): readonly NeedFault[] =>
  isTooOld(decision)
    ? [{ item: 'collateral', fault: fault('COLLATERAL_UNAVAILABLE', 'collateral', NOTHING_NEWER) }]
    : []
const NOTHING_NEWER = { expected: 'an object of the age that the policy takes', actual: 'none that is newer' }

/** What a file says of another chip, firmware or platform: the vendor may have the object of this one. */
const ABOUT_ANOTHER: ReadonlySet<Code> = new Set<Code>([
  ...(['SNP_VCEK_CHIP_MISMATCH', 'SNP_VCEK_TCB_MISMATCH'] as const),
  ...(['TDX_FMSPC_MISMATCH', 'TDX_TCB_INFO_KIND', 'SGX_FMSPC_MISMATCH', 'SGX_TCB_INFO_KIND'] as const),
])

/**
 * Where the only VCEKs and TCB infos that the files have are those of other machines, the evidence is judged as if there were none. The
 * identities of Intel's enclaves are of no one platform, and stay.
 */
async function judgedByFiles(
  evidence: Evidence,
  context: VerifyContext,
): Promise<{ readonly first: Decision; readonly context: VerifyContext }> {
  const first = await verify(evidence, context)
  if (first.verdict !== 'reject' || !first.findings.every(({ code }) => ABOUT_ANOTHER.has(code)))
    return { first, context }
  const certificates = context.collateral.certificates.filter(({ value }) => !vekExtensions(value).ok)
  const intelDocuments = context.collateral.intelDocuments.filter(({ value }) => value.kind !== 'tcb-info')
  const without = { ...context, collateral: { ...context.collateral, certificates, intelDocuments } }
  return { first: await verify(evidence, without), context: without }
}

async function judgedFully(
  { vendors, clock, sharedEpoch }: VendorJudgingOptions,
  evidence: Evidence,
  context: VerifyContext,
  first: Decision,
): Promise<Judged> {
  const { collateral: held, injectedAnchors, cache, now, policy } = context
  const least = vendors.reach(await sharedEpoch())
  const isBehind = first.verdict !== 'reject' && (epochOfUsed(first, held) ?? least) < least
  if (!lacksCollateral(first) && !isBehind) return { decision: first, collateral: held, now, faults: [] }
  const patience = AbortSignal.timeout(vendors.waitSeconds * 1000)
  const issuedAt = leastIssuedAt([policy], now)
  const fetchSince: FetchObject = (request) => vendors.fetchObject(request, issuedAt)
  const fetchObject = until(fetchSince, patience, 'COLLATERAL_DEADLINE_PASSED')
  const { collateral, faults } = await obtainCollateral(evidence, {
    fetchObject: unlessHeld(fetchObject, held, now, { evaluationNumber: least, issuedAt }),
    ...{ held, injectedAnchors, cache },
  })
  // An answer that was made for us just now is not yet valid by the time at which we began.
  const later = Math.max(now, clock())
  const judge = (by: CollateralSet) => verify(evidence, { ...context, collateral: by, now: later })
  return { ...(await judgedByNewest(judge, held, collateral)), now: later, faults }
}

const numbersIn = (documents: CollateralSet['intelDocuments']): readonly number[] =>
  documents.map(({ value }) => headOf(value)?.evaluationNumber ?? 0).filter(Number.isSafeInteger)

/** The highest `tcbEvaluationDataNumber` of Intel's documents in it; 0 without any. */
export const epochOfFiles = ({ intelDocuments }: CollateralSet): number => Math.max(0, ...numbersIn(intelDocuments))

/** Intel numbers all of its documents together: the oldest that the decision rests on counts. A request brings no documents. */
function epochOfUsed(decision: Decision, { intelDocuments }: CollateralSet): number | null {
  const used = new Set(decision.collateral.map(({ digest }) => digest))
  const numbers = numbersIn(intelDocuments.filter(({ sha256 }) => used.has(sha256)))
  return numbers.length === 0 ? null : Math.min(...numbers)
}
