import { expect, test } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import { storeContract } from './contract.ts'

storeContract('memory', () => memoryStore())

test('what cannot be copied changes nothing', async () => {
  const store = memoryStore()
  const holders = { f: (() => 0) as never }
  const change = { events: [{ a: 1 }] }
  await expect(
    store.updateHardware(['x'], () => ({ rows: [{ id: 'x', holders }], change, result: 0 })),
  ).rejects.toThrow()
  await expect(store.commit({ events: [{ a: 1 }, holders] })).rejects.toThrow()
  expect([await store.hardware(['x']), await store.eventsAfter(0, 9)]).toEqual([[], []])
})

test('a closed store does nothing', async () => {
  const store = memoryStore()
  await store.close()
  await expect(store.cursor('hook')).rejects.toThrow('closed')
  await expect(store.burn('id', 1)).rejects.toThrow('closed')
})
