import { type CollateralFile, type CollateralSet, NO_COLLATERAL, sortCollateral } from '../attestation/collateral.ts'
import { readEvidence } from '../attestation/envelopes/index.ts'
import { Context, createVerificationCache, type VerificationCache } from '../core/context.ts'
import { nodeCrypto } from '../core/crypto/node.ts'
import type { Fault, NonEmpty, Outcome } from '../core/outcome.ts'
import { PINNED_ANCHORS, type TrustAnchor } from '../core/trust-anchors.ts'
import type { CollateralSource } from '../gate/ports.ts'
import { type Evidence, mergeCollateral } from '../index.ts'
import { type IntelUpdate, type Need, type NeedFault, type NeedsContext, needsAfter, needsOf } from './needs/index.ts'
import type { Together } from './needs/needs.ts'
import { objectName } from './object-name.ts'
import type { CollateralRequest, FetchedObject, FetchObject } from './objects.ts'

export interface CollateralSourceOptions {
  /** a vendor client, or a cache in front of one */
  readonly fetchObject: FetchObject
  /** what the verifier has already, e.g. files of the operator's; it comes back with everything else */
  readonly held?: CollateralSet
  /** Intel's train; `standard` unless said */
  readonly intelUpdate?: IntelUpdate
  /** anchors beside the pinned ones that the judgement will have too */
  readonly injectedAnchors?: readonly TrustAnchor[]
  /** what earlier judgements proved */
  readonly cache?: VerificationCache
}

/** What was obtained for one piece of evidence. */
export interface ObtainedCollateral {
  /** to be judged with; unproved, as everything in it is until it is used */
  readonly collateral: CollateralSet
  readonly objects: readonly FetchedObject[]
  /** what could not be obtained, all inconclusive; the item is `collateral` where no single one is concerned */
  readonly faults: readonly NeedFault[]
}

/**
 * Obtains the collateral for a piece of evidence: works out what judging it takes, asks for everything at once, and then for
 * what the answers call for. Evidence that cannot be read, or is refused anyway, asks for nothing.
 */
export async function obtainCollateral(
  evidence: Evidence,
  options: CollateralSourceOptions,
): Promise<ObtainedCollateral> {
  const { held = NO_COLLATERAL, fetchObject } = options
  const files = evidence instanceof Uint8Array ? [{ name: 'evidence', bytes: evidence }] : evidence
  const read = readEvidence(files)
  if (!read.ok) return { collateral: held, objects: [], faults: [] }
  const about = needsContext(options, held)
  const { set } = read.value
  const round = new Round(fetchObject)

  const { needs, faults } = await needsOf(set, about)
  await round.meet(needs)
  const first = await sorted(about.context, round.files())
  const after = await needsAfter(set, mergeCollateral(held, first.collateral), about)
  await round.meet(after)
  const all = after.length === 0 ? first : await sorted(about.context, round.files())
  return {
    collateral: mergeCollateral(held, all.collateral),
    objects: round.objects(),
    faults: [...faults, ...round.faults(), ...all.faults],
  }
}

/**
 * `obtainCollateral` as the gate's port.
 * @param tell hears what could not be obtained; what is missing then shows in the decision as well
 */
export function createCollateralSource(
  options: CollateralSourceOptions & { readonly tell?: (faults: readonly NeedFault[]) => void },
): CollateralSource {
  return async (evidence) => {
    const { collateral, faults } = await obtainCollateral(evidence, options)
    if (faults.length > 0) options.tell?.(faults)
    return collateral
  }
}

function needsContext(options: CollateralSourceOptions, held: CollateralSet): NeedsContext {
  const { injectedAnchors = [], intelUpdate = 'standard', cache = createVerificationCache(256) } = options
  const anchors = [...PINNED_ANCHORS, ...injectedAnchors.map((a) => ({ ...a, injected: true }))]
  // Dates are the judgement's: what an object may be asked for does not depend on the day.
  return { context: new Context({ now: 0, anchors, crypto: nodeCrypto, cache }), held, intelUpdate }
}

async function sorted(context: Context, files: readonly CollateralFile[]) {
  const { collateral, faults } = await sortCollateral(context, files, 'verifier')
  return { collateral, faults: faults.map((fault): NeedFault => ({ item: 'collateral', fault })) }
}

/** Objects of one piece of evidence, each asked for once however many of its items need it. */
class Round {
  readonly #fetchObject: FetchObject
  readonly #asked = new Map<string, Promise<Outcome<FetchedObject>>>()
  /** by name, so that what several items need is there once */
  readonly #objects = new Map<string, FetchedObject>()
  readonly #faults = new Map<string, readonly Fault[]>()

  constructor(fetchObject: FetchObject) {
    this.#fetchObject = fetchObject
  }

  async meet(needs: readonly Need[]): Promise<void> {
    await Promise.all(needs.map(([first, ...others]) => this.#meetWith(first, others)))
  }

  objects = (): readonly FetchedObject[] => [...this.#objects.values()]

  files = (): readonly CollateralFile[] => this.objects().flatMap(({ files }) => files)

  faults = (): readonly NeedFault[] => [...this.#faults.values()].flat().map((fault) => ({ item: 'collateral', fault }))

  async #meetWith({ whole, beside }: Together, [next, ...others]: readonly Together[]): Promise<void> {
    // What belongs to an object that is not published is not asked for, and its absence is nobody's fault.
    if (next !== undefined && (await this.#isUnpublished(whole[0]))) return this.#meetWith(next, others)
    await Promise.all([this.#keep(whole), ...beside.map((request) => this.#keep([request]))])
  }

  async #isUnpublished(request: CollateralRequest): Promise<boolean> {
    const outcome = await this.#ask(request)
    return !outcome.ok && outcome.faults[0].code === 'COLLATERAL_NOT_PUBLISHED'
  }

  async #keep(whole: NonEmpty<CollateralRequest>): Promise<void> {
    const outcomes = await Promise.all(whole.map((request) => this.#ask(request)))
    const isWhole = outcomes.every((outcome) => outcome.ok)
    for (const [i, request] of whole.entries()) {
      const [name, outcome] = [objectName(request), outcomes[i]]
      if (outcome?.ok === false) this.#faults.set(name, outcome.faults)
      else if (outcome?.ok === true && isWhole) this.#objects.set(name, outcome.value)
    }
  }

  #ask(request: CollateralRequest): Promise<Outcome<FetchedObject>> {
    const name = objectName(request)
    const outcome = this.#asked.get(name) ?? this.#fetchObject(request)
    this.#asked.set(name, outcome)
    return outcome
  }
}
