import type { CollateralSet } from '../../attestation/collateral.ts'
import type { CollateralCache } from '../../collateral/cache/cache.ts'
import { cachedFetch, heldOnly } from '../../collateral/cache/fetch.ts'
import { scopeOf } from '../../collateral/cache/remember.ts'
import { obtainCollateral } from '../../collateral/index.ts'
import { unlessHeld } from '../../collateral/lacking.ts'
import type { NeedFault } from '../../collateral/needs/index.ts'
import type { FetchedObject, FetchObject } from '../../collateral/objects.ts'
import type { Evidence, VerifyContext } from '../../index.ts'
import { type VendorOptions, vendorClient } from './options.ts'

export interface SupplyOptions extends VendorOptions {
  readonly offline?: boolean
}

export interface Supplied {
  readonly collateral: CollateralSet
  readonly objects: readonly FetchedObject[]
  /** what the vendors did not bring; off line nobody expects them to */
  readonly faults: readonly NeedFault[]
}

/** Who waits for a decision wants it soon: one try for each object, and then it is said what is missing. */
const SOON = {
  patience: { attempts: 1, deadlineSeconds: 20 },
  attemptSeconds: 10,
} as const

/** Obtains what a piece of evidence needs beyond what is held: from the cache, and from the vendors unless off line. */
export async function supplyMissing(
  evidence: Evidence,
  options: SupplyOptions,
  cache: CollateralCache,
  held: CollateralSet,
  { now, injectedAnchors }: Pick<VerifyContext, 'now' | 'injectedAnchors'>,
): Promise<Supplied> {
  const clock = () => now
  const online = async (): Promise<FetchObject> =>
    cachedFetch(await vendorClient(options, SOON), cache, clock, {
      scope: scopeOf(injectedAnchors),
      useHeld: 'while in date',
    })
  const fetchObject = options.offline === true ? heldOnly(cache, clock) : await online()
  const obtained = await obtainCollateral(evidence, {
    fetchObject: unlessHeld(fetchObject, held, now),
    held,
    injectedAnchors,
  })
  return options.offline === true ? { ...obtained, faults: [] } : obtained
}
