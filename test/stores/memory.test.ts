import { expect, test } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'

const challenge = (id: string, expiresAt = 100) => ({ id, record: { v: 1 }, expiresAt })

test('a challenge is consumed once, never after its end, and its id is never taken twice', async () => {
  const store = memoryStore()
  await store.putChallenge(challenge('a'))
  await expect(store.putChallenge(challenge('a'))).rejects.toThrow('exists')
  expect(await store.consumeChallenge('a', 101)).toEqual({ kind: 'expired' })
  const all = await Promise.all([1, 2, 3].map(() => store.consumeChallenge('a', 100)))
  expect(all.map((c) => c.kind)).toEqual(['consumed', 'used', 'used'])
  expect(await store.consumeChallenge('b', 0)).toEqual({ kind: 'unknown' })
  await store.prune(100 + 24 * 3600 + 1, 10)
  expect(await store.consumeChallenge('a', 0)).toEqual({ kind: 'unknown' })
})

test('an update that throws changes nothing, and one that returns changes all of it', async () => {
  const store = memoryStore()
  const fails = store.updateHardware(['x'], () => {
    throw new Error('no')
  })
  await expect(fails).rejects.toThrow('no')
  const unclonable = { rows: [{ id: 'x', holders: { f: (() => 0) as never } }], result: 0 }
  await expect(store.updateHardware(['x'], () => unclonable)).rejects.toThrow()
  expect([await store.hardware(['x']), await store.eventsAfter(0, 9)]).toEqual([[], []])
  const holders = { n: 1 }
  await store.updateHardware(['x'], () => ({ rows: [{ id: 'x', holders }], change: { events: [{ a: 1 }] }, result: 0 }))
  holders.n = 2
  expect(await store.hardware(['x', 'y'])).toEqual([{ id: 'x', holders: { n: 1 } }])
  expect(await store.eventsAfter(0, 9)).toEqual([{ sequence: 1, event: { a: 1 } }])
  await store.updateHardware(['x'], () => ({ rows: [], removed: ['x'], result: 0 }))
  expect(await store.hardware(['x'])).toEqual([])
})

test('a view tells what changed since, and the deny-list only where it did', async () => {
  const store = memoryStore()
  const lease = { lease: 'l', provider: 'p', dueAt: 5, state: {} }
  await store.commit({ leases: [lease], denials: [{ subject: 's', reason: 'r', since: 0 }] })
  const first = await store.viewSince(0)
  expect(first).toMatchObject({ leases: [lease], denials: [{ subject: 's' }], postures: [] })
  expect(await store.viewSince(first.revision)).toEqual({ ...first, leases: [], denials: undefined })
  await store.commit({ withdrawnDenials: ['s'] })
  expect((await store.viewSince(first.revision)).denials).toEqual([])
  expect([await store.leasesDue(4, 9), await store.leasesDue(5, 9)]).toEqual([[], [lease]])
})

test('ids burn once, cursors stay, old events go, and a closed store does nothing', async () => {
  const store = memoryStore()
  expect([await store.burn('j', 5), await store.burn('j', 5)]).toEqual([true, false])
  await store.moveCursor('hook', 3)
  expect([await store.cursor('hook'), await store.cursor('other')]).toEqual([3, 0])
  for (const n of [1, 2, 3]) await store.commit({ events: [{ n }] })
  await store.prune(0, 2)
  expect((await store.eventsAfter(0, 9)).map((e) => e.sequence)).toEqual([2, 3])
  expect((await store.eventsAfter(2, 9)).map((e) => e.sequence)).toEqual([3])
  await store.close()
  await expect(store.cursor('hook')).rejects.toThrow('closed')
})
