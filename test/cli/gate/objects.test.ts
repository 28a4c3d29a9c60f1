import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readMarket } from '../../../src/cli/gate/objects.ts'
import { UsageError } from '../../../src/cli/input.ts'
import { readBid } from '../../../src/gate/akash-objects.ts'
import { bidOf, leaseId, orderOf, PROVIDER } from '../../gate/support.ts'
import { scratchFolder } from '../run.ts'

const folder = scratchFolder()
let count = 0
const file = (content: unknown): string => {
  const path = join(folder, `${++count}.json`)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
const read = (...contents: readonly unknown[]) => readMarket(contents.map(file))

const bid = bidOf({ units: 1 })
const order = orderOf({ units: 1 })
const provider = { owner: PROVIDER, attributes: [{ key: 'capabilities/gpu/vendor/nvidia/model/h200', value: 'true' }] }
const lease = { id: leaseId(), state: 'active', closed_on: '0' }
const { resources_offer: resourcesOffer, ...rest } = bid.bid

describe('objects, as whoever has them writes them', () => {
  test.each<[string, unknown, number]>([
    ['wrapped', bid, 1],
    ['bare', bid.bid, 1],
    ['bare, camelCase', { ...rest, resourcesOffer }, 1],
    ['an array', [bid, bid.bid], 2],
    ["the chain's list", { bids: [bid, bid], pagination: { total: '2' } }, 2],
    ["Console's answer", { data: [bid] }, 1],
    ["Console's answer, one", { data: bid }, 1],
  ])('bids: %s', async (_, content, expected) => {
    const { bids, leases } = await read(content)
    expect(bids).toHaveLength(expected)
    expect(leases).toEqual([])
    for (const one of bids) expect(readBid(one)).toMatchObject({ ok: true, value: { ref: { provider: PROVIDER } } })
  })

  test.each<[string, unknown]>([
    ['wrapped', { lease }],
    ['bare', lease],
    ["the chain's list", { leases: [{ lease }], pagination: {} }],
    ["a deployment in Console's answer", { data: { deployment: {}, leases: [lease] } }],
  ])('leases: %s', async (_, content) => {
    const market = await read(content)
    expect(market).toMatchObject({ bids: [], leases: [expect.anything()] })
  })

  test.each<[string, unknown, unknown]>([
    ['wrapped', order, { provider }],
    ['bare', order.order, provider],
    ['lists', { orders: [order.order] }, { providers: [provider] }],
  ])('orders and providers go beside their bids: %s', async (_, ordered, advertised) => {
    for (const content of [bid, bid.bid]) {
      const { bids } = await read(ordered, content, advertised)
      expect(readBid(bids[0])).toMatchObject({ ok: true, value: { teeType: 'cpu-gpu', advertisedModels: ['H200'] } })
    }
  })

  test('what stands beside a bid already stays, and those of others do not come', async () => {
    const own = { ...provider, attributes: [] }
    const { bids } = await read(provider, { ...bid, provider: own }, orderOf({ units: 1 }, '99'))
    expect(readBid(bids[0])).toMatchObject({ ok: true, value: { teeType: undefined, advertisedModels: [] } })
  })

  test('whatever stands in a list of bids is decided as one', async () => {
    const { bids } = await read({ bids: [null, 7, {}, bid] })
    expect(bids).toHaveLength(4)
    expect(bids.map((one) => readBid(one).ok)).toEqual([false, false, false, true])
  })
})

describe('nothing is passed over', () => {
  test.each<[string, readonly unknown[], string]>([
    ['an object of no kind', [{ hello: 1 }], 'no bid, lease, order or provider'],
    ['an id alone', [leaseId()], 'no bid, lease, order or provider'],
    ['a value', [[1]], 'no bid, lease, order or provider'],
    ['JSON that ends early', ['{"bid": {'], 'JSON_SYNTAX'],
    ['a key twice', ['{"bid": {}, "bid": {}}'], 'JSON_DUPLICATE_KEY'],
    ['two orders of one name', [order, orderOf({ units: 2 })], 'given twice, and differently'],
    ['two providers of one name', [provider, { ...provider, attributes: [] }], 'given twice, and differently'],
    ['an order without id', [{ order: { spec: {} } }], 'an order that cannot be read'],
    ['a provider without owner', [{ provider: { attributes: [] } }], 'a provider without owner'],
  ])('%s', async (_, contents, message) => {
    const reading = read(bid, ...contents)
    await expect(reading).rejects.toThrow(UsageError)
    await expect(reading).rejects.toThrow(message)
  })

  test('the same order twice is one', async () => {
    expect((await read(bid, order, order)).bids).toHaveLength(1)
  })
})

test('an SDL is told by its name, by its text, or by its services', async () => {
  const yaml = join(folder, 'order.yaml')
  writeFileSync(yaml, '{ services: {} }')
  const json = file({ version: '2.0', services: { web: { image: 'nginx' } } })
  const { documents } = await readMarket([yaml, file('services:\n  web: {}\n'), json])
  expect(documents).toHaveLength(3)
  expect(documents.every((d) => d.findings.length > 0)).toBe(true)
})
