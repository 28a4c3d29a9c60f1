import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { judgingWithVendors } from '../../src/cli/serve/judging.ts'
import type { Vendors } from '../../src/cli/serve/vendors.ts'
import { CollateralCache } from '../../src/collateral/cache/cache.ts'
import { cachedFetch, createVendorClient } from '../../src/collateral/index.ts'
import { toRfc3339 } from '../../src/core/time.ts'
import { createVerificationCache, prepareCollateral } from '../../src/index.ts'
import type { AmdMachine } from '../../src/testing/index.ts'
import { stockOf } from '../collateral/bare.ts'
import { Fleet } from '../collateral/fleet.ts'
import { SimulatedTime } from '../collateral/simulated-time.ts'
import { VendorObjects } from '../collateral/vendor-objects.ts'
import { ASKED, amdAnchors, bundle, bundleItem, cpu, cpuPolicy, NOW } from '../reject/stage.ts'
import { scratchFolder } from './run.ts'

const DAY = 86_400
const folder = scratchFolder()
const machine = (listDays: number) => cpu({ crl: { thisUpdate: toRfc3339(NOW - listDays * DAY) } })
/** One machine, and two lists of its product that are both in date. */
const OLDER = machine(30)
const NEWER = machine(1)
const EVIDENCE = bundle([bundleItem('cpu', 'amd/snp-report', NEWER.report, [])])
const RECENT = cpuPolicy({}, { collateral: { maxAgeSeconds: 7 * DAY } })

const objects = new VendorObjects()
const publish = (of: AmdMachine) => stockOf(of)(objects)
let fleet: Fleet
beforeAll(async () => {
  fleet = await Fleet.start(objects)
})
afterAll(() => fleet.close())
afterEach(() => {
  fleet.heal()
  fleet.forget()
})

let files = 0
/** Judges as a service does, at a time that the test sets. */
async function judging(held: readonly Uint8Array[], policy = RECENT) {
  const clock = { now: NOW }
  const now = () => clock.now
  const cache = new CollateralCache(join(folder, `${files++}.db`))
  const client = createVendorClient({
    ...{ exchange: fleet.exchange, ports: new SimulatedTime(NOW) },
    patience: { attempts: 1, deadlineSeconds: 5 },
  })
  const vendors: Vendors = {
    ...{ cache, waitSeconds: 5, reach: (number) => number },
    fetchObject: cachedFetch(client, cache, now, { scope: '', useHeld: 'while in date', failureSeconds: 5 }),
    tend: () => cache.settled(),
    stop: () => undefined,
    close: () => cache.close(),
  }
  const onError = (error: unknown) => expect.unreachable(String(error))
  const { judge } = judgingWithVendors({ vendors, clock: now, sharedEpoch: async () => 0, onError })
  const { collateral } = await prepareCollateral(held.map((bytes, i) => ({ name: `${i}`, bytes })))
  const told = async () => {
    const { verdict, findings } = await judge(EVIDENCE, {
      ...{ now: clock.now, policy, collateral, freshness: ASKED, lease: null, physical: 'unknown' },
      ...{ referenceValues: [], injectedAnchors: amdAnchors(NEWER), cache: createVerificationCache() },
    })
    return [verdict, ...findings.map(({ code }) => code)]
  }
  return { told, clock, close: vendors.close }
}

const listsAsked = () => fleet.count(/\/crl$/)
const UNOBTAINED = ['inconclusive', 'COLLATERAL_TOO_OLD', 'COLLATERAL_UNAVAILABLE']

describe('a list that is in date, and older than the policy takes', () => {
  it('among the operator’s files is asked for anew; one that is not too old is not', async () => {
    publish(NEWER)
    const { told, close } = await judging([OLDER.crl])
    expect(await told()).toEqual(['accept'])
    expect(listsAsked()).toBe(1)
    await close()
    fleet.forget()
    const contented = await judging([OLDER.crl], cpuPolicy())
    expect(await contented.told()).toEqual(['accept'])
    expect(listsAsked()).toBe(0)
    await contented.close()
  })

  it('in the cache is asked for anew, once a minute at most, and what is missing is said to be that', async () => {
    publish(OLDER)
    const { told, clock, close } = await judging([])
    expect(await told()).toEqual(UNOBTAINED)
    for (const seconds of [1, 58]) {
      clock.now += seconds
      expect(await told()).toEqual(UNOBTAINED)
    }
    expect(listsAsked()).toBe(2)
    publish(NEWER)
    clock.now += 2
    expect(await told()).toEqual(['accept'])
    expect(await told()).toEqual(['accept'])
    expect(listsAsked()).toBe(3)
    await close()
  })

  it('is inconclusive while its vendor is down, with the reason', async () => {
    publish(NEWER)
    fleet.break(/crl$/, 'server error')
    const { told, clock, close } = await judging([OLDER.crl])
    expect(await told()).toEqual([...UNOBTAINED.slice(0, 2), 'COLLATERAL_VENDOR_FAILED', 'COLLATERAL_UNAVAILABLE'])
    fleet.heal()
    clock.now += 5
    expect(await told()).toEqual(['accept'])
    await close()
  })

  it('is not forgotten where it names who was revoked, whatever a newer one says', async () => {
    publish(NEWER)
    const { told, close } = await judging([cpu({ wrong: 'crl-ask-revoked' }).crl])
    expect(await told()).toEqual(['reject', 'X509_REVOKED'])
    await close()
  })
})
