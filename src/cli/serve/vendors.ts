import { setTimeout as sleep } from 'node:timers/promises'
import type { CollateralCache } from '../../collateral/cache/cache.ts'
import {
  type CachedFetch,
  type CollateralRequest,
  cachedFetch,
  createVendorClient,
  type Exchange,
  type FetchObject,
  NODE_CLIENT_PORTS,
  networkExchange,
} from '../../collateral/index.ts'
import { until } from '../../collateral/until.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { Metrics } from '../../gate/metrics.ts'
import type { Log } from '../../service/log.ts'
import { openCache } from '../collateral/options.ts'
import { readText } from '../input.ts'
import type { VendorsConfig } from './vendors-config.ts'

/** A vendor that failed is left alone for so long, whoever asks for the same object meanwhile. */
const FAILURE_SECONDS = 5
/** For one attempt; whoever waits for it asks again by itself. */
const ATTEMPT_SECONDS = 10

/** The counters of this room, by name. */
export const VENDOR_COUNTERS = {
  vouchsafe_collateral_fetches_total: 'Questions to vendors, by vendor and outcome.',
  vouchsafe_collateral_cache_hits_total: 'Objects given from the cache, by vendor.',
} as const

export interface VendorPorts {
  readonly clock: () => UnixSeconds
  readonly log: Log
  readonly metrics: Pick<Metrics, 'count'>
}

/** The vendors of a running service, with its cache in front of them. */
export interface Vendors {
  readonly cache: CollateralCache
  readonly waitSeconds: number
  /** never waits beyond `stop`; how long a judgement waits is its own business */
  readonly fetchObject: CachedFetch
  /** Documents of Intel's below this number are asked for anew from now on. @returns the number, which never lowers */
  reach(evaluationNumber: number): number
  /** Forgets what ended long ago. @throws what failed in the background since */
  tend(): Promise<void>
  /** Nobody is asked or waited for any longer. */
  stop(): void
  /** When nobody judges any more. @throws what failed in the background since it was told last */
  close(): Promise<void>
}

/** @throws UsageError where the cache or the authorities cannot be read */
export async function openVendors(config: VendorsConfig, ports: VendorPorts): Promise<Vendors> {
  const { waitSeconds, authorities } = config
  const { clock, metrics } = ports
  const ca = authorities === null ? {} : { ca: [await readText(authorities)] }
  const stopping = new AbortController()
  const client = counted(clientOf(config, networkExchange({ signal: stopping.signal, ...ca })), ports)
  const cache = await openCache(config.cache)
  let least = 0
  return {
    ...{ cache, waitSeconds },
    fetchObject: cachedFetch(until(client, stopping.signal, 'COLLATERAL_UNAVAILABLE'), cache, clock, {
      ...{ scope: '', useHeld: 'while in date', failureSeconds: FAILURE_SECONDS },
      leastEvaluationNumber: () => least,
      onHeld: (request) => metrics.count('vouchsafe_collateral_cache_hits_total', { vendor: vendorOf(request) }),
    }),
    reach: (evaluationNumber) => {
      least = Math.max(least, evaluationNumber)
      return least
    },
    tend: async () => {
      await cache.prune(clock())
      await cache.settled()
    },
    stop: () => stopping.abort(),
    close: () => {
      stopping.abort()
      return cache.close()
    },
  }
}

const clientOf = ({ addresses, waitSeconds }: VendorsConfig, exchange: Exchange): FetchObject =>
  createVendorClient({
    ...addresses,
    exchange,
    // A pause that a host asked for keeps no process alive.
    ports: { ...NODE_CLIENT_PORTS, sleep: (milliseconds) => sleep(milliseconds, undefined, { ref: false }) },
    patience: { attempts: 1, deadlineSeconds: waitSeconds },
    attemptSeconds: Math.min(ATTEMPT_SECONDS, waitSeconds),
    // A mirror of one's own cannot know the nonce of a question; NVIDIA's responder does.
    ocspAnswers: addresses.services?.['nvidia-ocsp'] === undefined ? 'fresh' : 'kept',
  })

const vendorOf = ({ kind }: CollateralRequest): string => kind.split('-')[0] ?? kind

/** Counts what became of each question, and tells the operator what failed: the kind of the object alone, no chip's name. */
const counted =
  (client: FetchObject, { metrics, log }: Pick<VendorPorts, 'metrics' | 'log'>): FetchObject =>
  async (request) => {
    const outcome = await client(request)
    const vendor = vendorOf(request)
    const told = outcome.ok ? 'fetched' : outcome.faults[0].code
    metrics.count('vouchsafe_collateral_fetches_total', { vendor, outcome: told })
    if (!outcome.ok) log({ event: 'collateral.failed', vendor, object: request.kind, codes: [told] })
    return outcome
  }
