import type { CollateralSet } from '../../attestation/collateral.ts'
import type { CollateralCache } from '../../collateral/cache/cache.ts'
import { cachedFetch, heldOnly } from '../../collateral/cache/fetch.ts'
import { scopeOf } from '../../collateral/cache/remember.ts'
import { obtainCollateral } from '../../collateral/index.ts'
import { leastIssuedAt, unlessHeld } from '../../collateral/lacking.ts'
import type { NeedFault } from '../../collateral/needs/index.ts'
import type { FetchedObject, FetchObject } from '../../collateral/objects.ts'
import type { Evidence, Policy, VerifyContext } from '../../index.ts'
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

/**
 * Obtains what a piece of evidence needs beyond what is held: from the cache, and from the vendors unless off line.
 * @param policies by which it is judged: what one of them calls too old is looked for anew
 */
export async function supplyMissing(
  evidence: Evidence,
  options: SupplyOptions,
  cache: CollateralCache,
  held: CollateralSet,
  { now, injectedAnchors }: Pick<VerifyContext, 'now' | 'injectedAnchors'>,
  policies: readonly (Policy | null)[],
): Promise<Supplied> {
  const clock = () => now
  const issuedAt = leastIssuedAt(policies, now)
  const online = async (): Promise<FetchObject> => {
    const scope = scopeOf(injectedAnchors)
    const fetchSince = cachedFetch(await vendorClient(options, SOON), cache, clock, { scope, useHeld: 'while in date' })
    return (request) => fetchSince(request, issuedAt)
  }
  const fetchObject = options.offline === true ? heldOnly(cache, clock) : await online()
  const obtained = await obtainCollateral(evidence, {
    fetchObject: unlessHeld(fetchObject, held, now, { evaluationNumber: 0, issuedAt }),
    held,
    injectedAnchors,
  })
  return options.offline === true ? { ...obtained, faults: [] } : obtained
}
