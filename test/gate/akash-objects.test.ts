import { expect, it, test } from 'vitest'
import { attempt } from '../../src/core/outcome.ts'
import { bidRef, leaseRef, orderRef, unsigned } from '../../src/gate/akash-ids.ts'
import { readBid, readOrder } from '../../src/gate/akash-objects.ts'
import { describeEvidence, evidenceJson } from '../support/evidence.ts'
import { account, bidOf, leaseId, OWNER, orderOf, PROVIDER } from './support.ts'

const TEXT = `${OWNER}/18412345/1/1/${PROVIDER}/0`
const refused = (outcome: { readonly ok: boolean; readonly faults?: readonly { readonly code: string }[] }) =>
  outcome.ok ? 'accepted' : outcome.faults?.map((f) => f.code).join()

test.each([
  ['text', '18412345'],
  ['a number', 18412345],
  ['a bigint', 18412345n],
  ['a Long', { low: 18412345, high: 0, unsigned: true }],
])('an id has one text, its dseq as %s', (_, dseq) => {
  const id = leaseId(dseq as never)
  for (const given of [id, { id }, { bid: { id } }, { bid_id: id }, { bid: { bidId: id } }])
    expect(bidRef(given)).toMatchObject({ ok: true, value: { bid: TEXT, provider: PROVIDER } })
  expect(leaseRef({ lease: { lease_id: id } })).toMatchObject({ ok: true, value: { bid: TEXT } })
  expect(orderRef({ order: { id } })).toMatchObject({ ok: true, value: { order: `${OWNER}/18412345/1/1` } })
})

test('the whole of 64 bits is a sequence number, and no more', () => {
  const read = (value: unknown) => attempt(() => unsigned(value, 'u64', 'dseq'))
  expect(read('18446744073709551615')).toEqual({ ok: true, value: '18446744073709551615' })
  expect(read({ low: -1, high: -1, unsigned: true })).toEqual({ ok: true, value: '18446744073709551615' })
  for (const wrong of [
    ...['18446744073709551616', '99999999999999999999', '', '01', '+1', '-1', '1.0', '1e3', ' 1', '0x1', '１'],
    ...[-1, -0, 1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, -1n, 2n ** 64n, null, undefined, true, [], {}],
    ...[
      { low: 1, high: -1, unsigned: false },
      { low: 1.5, high: 0, unsigned: true },
      { low: 1, high: 0 },
    ],
    Object.create({ low: 1, high: 0, unsigned: true }),
  ])
    expect(refused(read(wrong)), String(wrong)).toBe('GATE_OBJECT_MALFORMED')
  expect(refused(attempt(() => unsigned('4294967296', 'u32', 'gseq')))).toBe('GATE_OBJECT_MALFORMED')
})

it.each([
  ['an owner that is no address', { ...leaseId(), owner: 'akash1owner0000000000000000000000000000000000' }],
  ['an owner in capitals', { ...leaseId(), owner: OWNER.toUpperCase() }],
  ['another chain', { ...leaseId(), owner: OWNER.replace('akash', 'osmos') }],
  ['no provider', { ...leaseId(), provider: undefined }],
  ['a negative bseq', { ...leaseId(), bseq: -1 }],
  ['two spellings at once', { bid: { id: leaseId(), bid_id: leaseId() } }],
  ['members of a prototype', Object.create(leaseId())],
  ['a list', [leaseId()]],
  ['null', null],
])('%s is malformed', (_, value) => {
  expect(refused(bidRef(value))).toBe('GATE_OBJECT_MALFORMED')
})

test('a polluted prototype supplies nothing', () => {
  const bare = { owner: OWNER, dseq: '1', gseq: 1, oseq: 1 }
  try {
    Object.assign(Object.prototype, { provider: PROVIDER })
    expect(refused(bidRef(bare))).toBe('GATE_OBJECT_MALFORMED')
  } finally {
    delete (Object.prototype as Record<string, unknown>).provider
  }
})

test('SDK objects read like JSON', () => {
  const sdk = {
    id: leaseId(18412345n),
    state: 1,
    resourcesOffer: [
      {
        resources: {
          gpu: {
            units: { val: new TextEncoder().encode('8') },
            attributes: [{ key: 'vendor/nvidia/model/h100/ram/80Gi', value: 'true' }],
          },
        },
        count: 1,
      },
    ],
  }
  const json = readBid(bidOf({ units: 8 }))
  expect(readBid(sdk)).toEqual(json)
  expect(json).toMatchObject({ ok: true, value: { offer: [{ units: 8, count: 1, models: ['H100'] }] } })
})

test.each<[string, string, number | undefined]>([
  ['one digit', 'OA==', 8],
  ['three digits', 'MTI4', 128],
  ['nothing', 'MA==', 0],
  ['not canonical', 'OA', undefined],
  ['no digits', 'Oi8=', undefined],
  ['hexadecimal digits', 'MHg4', undefined],
])('the JSON that SDKs make of their bytes is base64 of digits: %s', (_, val, units) => {
  const offer = [{ resources: { gpu: { units: { val }, attributes: [] } }, count: 1 }]
  const read = readBid({ id: leaseId(), state: 'open', resourcesOffer: offer })
  if (units === undefined) expect(refused(read)).toBe('GATE_OBJECT_MALFORMED')
  else expect(read).toMatchObject({ ok: true, value: { offer: [{ units, count: 1 }] } })
})

test('orders say what was bought, and attributes are there once', () => {
  expect(readOrder(orderOf({ units: 2, count: 3 }))).toMatchObject({
    ok: true,
    value: { teeType: 'cpu-gpu', units: [{ units: 2, count: 3, models: ['H100'] }] },
  })
  const order = orderOf()
  const attributes = [...order.order.spec.requirements.attributes, { key: 'tee/type', value: 'cpu-gpu' }]
  const twice = { order: { ...order.order, spec: { ...order.order.spec, requirements: { attributes } } } }
  expect(refused(readOrder(twice))).toBe('GATE_OBJECT_MALFORMED')
  const other = { ...bidOf(), provider: { owner: account(5), attributes: [] } }
  expect(refused(readBid(other))).toBe('GATE_SCOPE_MISMATCH')
})

describeEvidence('akash/bids', () => {
  it('has a bid, an order, a lease and a provider that belong together', () => {
    const [bid, order, lease, provider] = ['bid-cpu-gpu', 'order-cpu-gpu', 'lease-active', 'provider'].map((name) =>
      evidenceJson<{ [key: string]: unknown }>(`akash/bids/${name}.json`),
    )
    const read = readBid({ ...bid, ...order, provider })
    expect(read).toMatchObject({
      ok: true,
      value: { isOpen: true, teeType: 'cpu-gpu', advertisedModels: ['H100'], offer: [{ units: 1, models: ['H100'] }] },
    })
    expect(leaseRef(lease)).toMatchObject({ ok: true, value: { bid: read.ok ? read.value.ref.bid : '' } })
  })
})
