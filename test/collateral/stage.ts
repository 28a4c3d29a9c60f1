import { createVendorClient, type FetchObject, type VendorClientOptions } from '../../src/collateral/index.ts'
import { parseRfc3339 } from '../../src/core/time.ts'
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
