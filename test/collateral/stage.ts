import {
  type CollateralSourceOptions,
  createVendorClient,
  type FetchObject,
  type ObtainedCollateral,
  obtainCollateral,
  type VendorClientOptions,
} from '../../src/collateral/index.ts'
import { parseRfc3339 } from '../../src/core/time.ts'
import {
  createVerificationCache,
  type Decision,
  type Evidence,
  type TrustAnchor,
  type VerifyContext,
  verify,
} from '../../src/index.ts'
import type { Fleet } from './fleet.ts'
import { SimulatedTime } from './simulated-time.ts'

export function secondsOf(instant: string): number {
  const at = parseRfc3339(instant)
  if (at === undefined) throw new TypeError(instant)
  return at
}

export interface FleetClient {
  readonly fetchObject: FetchObject
  readonly time: SimulatedTime
}

/** A client of the fleet whose waiting takes no time. */
export function clientOf(fleet: Fleet, at: string, options: VendorClientOptions = {}): FleetClient {
  const time = new SimulatedTime(secondsOf(at))
  return { time, fetchObject: createVendorClient({ exchange: fleet.exchange, ports: time, ...options }) }
}

/** What is judged from nothing but itself, and how. */
export interface Bare {
  readonly evidence: Evidence
  readonly at: string
  readonly anchors: readonly TrustAnchor[]
  readonly how: Pick<VerifyContext, 'policy' | 'freshness'> & Partial<Pick<VerifyContext, 'lease'>>
}

export interface JudgedBare {
  readonly decision: Decision
  readonly obtained: ObtainedCollateral
}

const cache = createVerificationCache()

/** Obtains what the evidence needs and judges it. */
export async function judgedBare(
  { evidence, at, anchors, how }: Bare,
  fetchObject: FetchObject,
  options: Partial<CollateralSourceOptions> = {},
): Promise<JudgedBare> {
  const obtained = await obtainCollateral(evidence, { fetchObject, injectedAnchors: anchors, ...options })
  const decision = await verify(evidence, {
    now: secondsOf(at),
    lease: null,
    physical: 'unknown',
    referenceValues: [],
    injectedAnchors: anchors,
    cache,
    ...how,
    collateral: obtained.collateral,
  })
  return { decision, obtained }
}

export const codesOf = ({ obtained }: JudgedBare): readonly string[] =>
  [...new Set(obtained.faults.map(({ fault }) => fault.code))].sort()
