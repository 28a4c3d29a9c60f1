import type { CollateralFile, CollateralSet } from '../../attestation/collateral.ts'
import { readEvidence } from '../../attestation/envelopes/index.ts'
import { sorted } from '../../collateral/cache/answer.ts'
import type { CollateralCache } from '../../collateral/cache/cache.ts'
import { requestKey } from '../../collateral/cache/key.ts'
import { readClock, rememberUsed, scopeOf } from '../../collateral/cache/remember.ts'
import { judgedByNewest, lacksCollateral } from '../../collateral/lacking.ts'
import type { PackedAnswer } from '../../collateral/pack/pack.ts'
import { createVerificationCache } from '../../core/context.ts'
import { type Fault, finding } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { Decision } from '../../decision/decision.ts'
import { withFindings } from '../../decision/with-findings.ts'
import { type Evidence, prepareCollateral, type VerifyContext, verify } from '../../index.ts'
import { type FreshnessOptions, freshnessFrom, leaseFrom, policyFrom, timeOfJudgement } from '../arguments.ts'
import { BUILT_AT } from '../build.ts'
import { collateralFiles, packKeyFrom } from '../collateral/files.ts'
import { openCache, usersCache } from '../collateral/options.ts'
import { type Supplied, type SupplyOptions, supplyMissing } from '../collateral/supply.ts'
import { faultText } from '../faults.ts'
import { readFiles, readTree } from '../input.ts'
import { anchorsFrom } from '../trust-anchors.ts'

export interface DecideOptions extends SupplyOptions {
  readonly policy?: string
  readonly challenge?: string
  readonly nonce?: string
  readonly freshness: string | true
  readonly collateral?: readonly string[]
  readonly packKey?: string
  readonly referenceValues?: readonly string[]
  readonly lease?: string
  readonly trustAnchor?: readonly string[]
  readonly at?: string
}

/** A decision, and the collateral that gives it again. */
export interface Decided {
  readonly decision: Decision
  /** as the judgement itself has it, before what only this run knows was added */
  readonly judged: Decision
  readonly answers: readonly PackedAnswer[]
  /** the judgement with these files and no other collateral of the verifier's */
  readonly judgeWith: (files: readonly CollateralFile[]) => Promise<Decision>
}

/** Judges with what was given; where that waits for collateral, obtains it and judges again; and remembers what was used. */
export async function decide(evidencePath: string, options: DecideOptions): Promise<Decided> {
  let cache = options.cache === undefined ? undefined : await openCache(options.cache)
  try {
    const clock = await clockOf(options.at, cache)
    const { evidence, context, given } = await caseOf(evidencePath, options, clock.now)
    const judge = (collateral: CollateralSet) => verify(evidence, { ...context, collateral })
    const held = await told(given)
    const first = await judge(held)
    let [judged, supplied]: [Decision, Supplied] = [first, { collateral: held, objects: [], faults: [] }]
    let clockFaults = clock.faults
    if (lacksCollateral(first) && (cache !== undefined || options.offline !== true)) {
      if (cache === undefined) {
        cache = await usersCache()
        clockFaults = (await clockOf(options.at, cache)).faults
      }
      supplied = await supplyMissing(evidence, options, cache, held, context, [context.policy])
      const { decision, collateral } = await judgedByNewest(judge, held, supplied.collateral)
      judged = decision
      supplied = { ...supplied, collateral }
    }
    const rollback = cache === undefined ? [] : await remembered(cache, judged, evidence, supplied.collateral, context)
    return {
      decision: withFindings(judged, [
        ...clockFaults.map((f) => finding(f, 'set')),
        ...rollback.map((f) => finding(f, 'collateral')),
        // What was decided without it is not changed by what could not be fetched.
        ...(judged.verdict === 'inconclusive' ? supplied.faults.map(({ item, fault: f }) => finding(f, item)) : []),
      ]),
      judged,
      answers: [
        ...given.map((file) => ({ key: undefined, files: [file] })),
        ...supplied.objects.map(({ request, files }) => ({ key: requestKey(request), files })),
      ].filter(({ files }) => files.length > 0),
      judgeWith: async (files) => judge((await prepareCollateral(files)).collateral),
    }
  } finally {
    await cache?.close()
  }
}

interface Clock {
  readonly now: UnixSeconds
  readonly faults: readonly Fault[]
}

async function clockOf(at: string | undefined, cache: CollateralCache | undefined): Promise<Clock> {
  if (at === undefined && cache !== undefined) {
    const { now, clockFaults } = await readClock(cache, BUILT_AT)
    return { now, faults: clockFaults }
  }
  const { now, clockFaults } = timeOfJudgement(at)
  return { now, faults: clockFaults }
}

async function caseOf(path: string, options: DecideOptions, now: UnixSeconds) {
  const freshness: FreshnessOptions = {
    ...(options.challenge === undefined ? {} : { challenge: options.challenge }),
    ...(options.nonce === undefined ? {} : { nonce: options.nonce }),
    ...(typeof options.freshness === 'string' ? { noFreshness: options.freshness } : {}),
  }
  const [files, expected, policy, lease] = await Promise.all([
    readFiles(path),
    freshnessFrom(freshness),
    options.policy === undefined ? null : policyFrom(options.policy),
    options.lease === undefined ? null : leaseFrom(options.lease),
  ])
  const injectedAnchors = (await Promise.all((options.trustAnchor ?? []).map(anchorsFrom))).flat()
  const packKey = options.packKey === undefined ? undefined : await packKeyFrom(options.packKey)
  const given = await collateralFiles(options.collateral ?? [], packKey)
  const references = (await Promise.all((options.referenceValues ?? []).map(readTree))).flat()
  const evidence: Evidence = files.length === 1 && files[0] !== undefined ? files[0].bytes : files
  const context: Omit<VerifyContext, 'collateral'> = {
    now,
    policy,
    freshness: expected,
    lease,
    physical: 'unknown',
    referenceValues: references.map((r) => new TextDecoder().decode(r.bytes).trim()),
    injectedAnchors,
    cache: createVerificationCache(),
  }
  return { evidence, context, given }
}

/** What cannot be read is told on stderr, and is missing. */
async function told(given: readonly CollateralFile[]): Promise<CollateralSet> {
  const { collateral, faults } = await prepareCollateral(given)
  if (faults.length > 0) process.stderr.write(`collateral left out:\n${faultText(faults)}\n`)
  return collateral
}

async function remembered(
  cache: CollateralCache,
  decision: Decision,
  evidence: Evidence,
  collateral: CollateralSet,
  { now, injectedAnchors }: Pick<VerifyContext, 'now' | 'injectedAnchors'>,
): Promise<readonly Fault[]> {
  const read = readEvidence(evidence instanceof Uint8Array ? [{ name: 'evidence', bytes: evidence }] : evidence)
  const beside = read.ok ? await sorted(read.value.collateral) : collateral
  return rememberUsed(cache, scopeOf(injectedAnchors), decision, [collateral, beside], now)
}
