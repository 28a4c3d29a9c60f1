// Plain JavaScript: the SDK is installed for this test alone, so nothing here may count on its types.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bid, Order } from '@akashnetwork/chain-sdk/private-types/akash.v1beta5'
import { leaseRef, orderRef } from '../../../src/gate/akash-ids.ts'
import { readBid, readOrder } from '../../../src/gate/akash-objects.ts'

const ID = {
  owner: 'akash1qufa3xzrf34qvwyejkhvnc4psf49fftaw0asmh',
  dseq: 18412345,
  gseq: 1,
  oseq: 1,
  provider: 'akash1q7spv2cw06yszgfp4f9ed59lkka6ytn8g4tkjf',
  bseq: 0,
}
const GPU = {
  units: { val: new TextEncoder().encode('8') },
  attributes: [{ key: 'vendor/nvidia/model/h100', value: 'true' }],
}
const bid = Bid.fromPartial({ id: ID, state: 1, resourcesOffer: [{ resources: { id: 1, gpu: GPU }, count: 2 }] })
const TEXT = `${ID.owner}/18412345/1/1/${ID.provider}/0`

test('a bid of the SDK, as made and as it comes off the wire', () => {
  for (const object of [bid, Bid.decode(Bid.encode(bid).finish())]) {
    const read = readBid(object)
    assert.ok(read.ok, JSON.stringify(read))
    assert.equal(read.value.ref.bid, TEXT)
    assert.deepEqual(read.value.offer, [{ units: 8, count: 2, models: ['H100'] }])
    assert.equal(leaseRef(object.id).value.bid, TEXT)
  }
})

test('an order of the SDK', () => {
  const order = Order.fromPartial({
    id: ID,
    state: 1,
    spec: {
      requirements: { attributes: [{ key: 'tee/type', value: 'cpu-gpu' }] },
      resources: [{ resource: { id: 1, gpu: GPU }, count: 1 }],
    },
  })
  assert.equal(orderRef(order).value.order, `${ID.owner}/18412345/1/1`)
  const read = readOrder(Order.decode(Order.encode(order).finish()))
  assert.ok(read.ok, JSON.stringify(read))
  assert.deepEqual([read.value.teeType, read.value.units], ['cpu-gpu', [{ units: 8, count: 1, models: ['H100'] }]])
})
