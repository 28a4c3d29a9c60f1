import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { GateStore, LeaseRow, PostureRow, StoredChallenge } from '../../src/gate/store.ts'

const RACERS = 64
const MOST_ROUNDS = 10_000
/** Rounds that run side by side, so that a store that shares writes is raced as it is used. */
const AT_ONCE = 50

const challenge = (id: string, expiresAt = 1000): StoredChallenge => ({
  id,
  record: { id, nested: { n: 1 } },
  expiresAt,
})
const posture = (provider: string, validUntil = 100): PostureRow => ({
  provider,
  policyDigest: 'sha256:aa',
  decidedAt: 10,
  validUntil,
  posture: { level: 2, gpus: ['a', 'b'] },
})
const lease = (name: string, dueAt: number | null): LeaseRow => ({
  lease: name,
  provider: 'p',
  dueAt,
  state: { misses: 0 },
})

/** What every store must do, races included. `open` gives an empty store of its own each time. */
export function storeContract(
  name: string,
  open: () => GateStore | Promise<GateStore>,
  rounds: number = MOST_ROUNDS,
): void {
  describe(`store contract: ${name}`, () => {
    let store: GateStore
    beforeEach(async () => {
      store = await open()
    })
    afterEach(() => store.close())

    it('gives a challenge to whoever asks first, once', async () => {
      await store.putChallenge(challenge('c'))
      expect(await store.consumeChallenge('c', 1000)).toEqual({ kind: 'consumed', challenge: challenge('c') })
      expect(await store.consumeChallenge('c', 1000)).toEqual({ kind: 'used' })
      expect(await store.consumeChallenge('d', 1000)).toEqual({ kind: 'unknown' })
    })

    it('refuses an expired challenge, and an id that is taken', async () => {
      await store.putChallenge(challenge('c', 99))
      expect(await store.consumeChallenge('c', 100)).toEqual({ kind: 'expired' })
      expect((await store.consumeChallenge('c', 99)).kind).toBe('consumed')
      await expect(store.putChallenge(challenge('c'))).rejects.toThrow()
      expect(await store.consumeChallenge('c', 99)).toEqual({ kind: 'used' })
    })

    it(`has one winner among ${RACERS} racers, ${rounds} times`, { timeout: 3_600_000 }, async () => {
      for (let round = 0; round < rounds; round += AT_ONCE) {
        const ids = Array.from({ length: AT_ONCE }, (_, i) => `r${round + i}`)
        await Promise.all(ids.map((id) => store.putChallenge(challenge(id))))
        const kinds = await Promise.all(
          ids.map((id) => Promise.all(Array.from({ length: RACERS }, () => store.consumeChallenge(id, 1)))),
        )
        for (const [i, results] of kinds.entries()) {
          const winners = results.filter((r) => r.kind === 'consumed').length
          if (winners !== 1 || results.some((r) => r.kind !== 'consumed' && r.kind !== 'used'))
            expect({ id: ids[i], kinds: results.map((r) => r.kind) }).toEqual('one winner')
        }
      }
    })

    it('burns an id once', async () => {
      const answers = await Promise.all(Array.from({ length: RACERS }, () => store.burn('jti', 1000)))
      expect(answers.filter(Boolean)).toHaveLength(1)
      expect(await store.burn('jti', 1000)).toBe(false)
      expect(await store.burn('other', 1000)).toBe(true)
    })

    it('shows what changed since a revision, and the deny-list as a whole', async () => {
      const empty = await store.viewSince(0)
      expect(empty).toEqual({ revision: 0, postures: [], leases: [], denials: [] })
      await store.commit({ postures: [posture('a'), posture('b')], leases: [lease('l', 5)] })
      const first = await store.viewSince(0)
      expect(first.postures).toEqual([posture('a'), posture('b')])
      expect(first.leases).toEqual([lease('l', 5)])
      await store.commit({ postures: [posture('a', 200)] })
      const second = await store.viewSince(first.revision)
      expect(second.postures).toEqual([posture('a', 200)])
      expect(second.leases).toEqual([])
      expect(second.denials).toBeUndefined()
      const denial = { subject: 'chip:1', reason: 'reported stolen', since: 7 }
      await store.commit({ denials: [denial, { ...denial, subject: 'chip:2' }] })
      const third = await store.viewSince(second.revision)
      expect(third.denials).toEqual([denial, { ...denial, subject: 'chip:2' }])
      expect(third.postures).toEqual([])
      await store.commit({ withdrawnDenials: ['chip:1'], denials: [{ ...denial, subject: 'chip:2', reason: 'again' }] })
      expect((await store.viewSince(third.revision)).denials).toEqual([
        { subject: 'chip:2', reason: 'again', since: 7 },
      ])
      await store.commit({ withdrawnDenials: ['chip:2'], denials: [{ ...denial, subject: 'chip:2' }] })
      expect((await store.viewSince(third.revision)).denials).toEqual([{ ...denial, subject: 'chip:2' }])
      expect((await store.viewSince((await store.viewSince(0)).revision)).denials).toBeUndefined()
    })

    it('updates hardware one after the other, and with it whatever belongs to it', async () => {
      const count = () =>
        store.updateHardware(['gpu', 'cpu'], (rows) => {
          const n = Number(rows.get('gpu')?.holders.n ?? 0) + 1
          return { rows: [{ id: 'gpu', holders: { n } }], change: { events: [{ n }] }, result: n }
        })
      const results = await Promise.all(Array.from({ length: 100 }, count))
      expect([...results].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
      expect(await store.hardware(['gpu', 'cpu'])).toEqual([{ id: 'gpu', holders: { n: 100 } }])
      expect((await store.eventsAfter(0, 1000)).map((e) => e.event.n)).toEqual(results.map((_, i) => i + 1))
    })

    it('writes nothing of an update that throws', async () => {
      await store.updateHardware(['x'], () => ({ rows: [{ id: 'x', holders: { by: 'a' } }], result: null }))
      const before = await store.viewSince(0)
      const failing = store.updateHardware(['x'], () => {
        throw new Error('no')
      })
      const beside = store.commit({ events: [{ beside: true }] })
      await expect(failing).rejects.toThrow('no')
      await beside
      expect(await store.hardware(['x'])).toEqual([{ id: 'x', holders: { by: 'a' } }])
      expect(await store.viewSince(0)).toEqual(before)
      expect((await store.eventsAfter(0, 10)).map((e) => e.event)).toEqual([{ beside: true }])
    })

    it('removes hardware rows', async () => {
      await store.updateHardware(['x', 'y'], () => ({
        rows: [
          { id: 'x', holders: {} },
          { id: 'y', holders: {} },
        ],
        result: null,
      }))
      await store.updateHardware(['x'], () => ({ rows: [], removed: ['x'], result: null }))
      expect(await store.hardware(['x', 'y', 'y'])).toEqual([{ id: 'y', holders: {} }])
    })

    it('lists leases that are due, earliest first', async () => {
      await store.commit({ leases: [lease('late', 30), lease('soon', 10), lease('closed', null), lease('now', 20)] })
      expect((await store.leasesDue(20, 10)).map((l) => l.lease)).toEqual(['soon', 'now'])
      expect((await store.leasesDue(30, 1)).map((l) => l.lease)).toEqual(['soon'])
      await store.commit({ leases: [lease('soon', null)] })
      expect((await store.leasesDue(99, 10)).map((l) => l.lease)).toEqual(['now', 'late'])
    })

    it('numbers events without a gap, and remembers how far each consumer has got', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, n) => store.commit({ events: [{ n }, { n: n + 0.5 }] })))
      const events = await store.eventsAfter(0, 1000)
      expect(events.map((e) => e.sequence)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
      expect((await store.eventsAfter(38, 1)).map((e) => e.sequence)).toEqual([39])
      expect(await store.cursor('hook')).toBe(0)
      await store.moveCursor('hook', 17)
      expect(await store.cursor('hook')).toBe(17)
      await store.moveCursor('hook', 3)
      expect(await store.cursor('hook')).toBe(17)
      await store.moveCursor('hook', 18)
      expect(await store.cursor('hook')).toBe(18)
      expect(await store.cursor('other')).toBe(0)
    })

    it('forgets what is long over, and nothing else', async () => {
      const day = 86_400
      await store.putChallenge(challenge('old', 100))
      await store.putChallenge(challenge('new', 101))
      await store.consumeChallenge('old', 1)
      await store.burn('old', 100)
      await store.burn('new', 101)
      await store.commit({ events: [{ n: 1 }, { n: 2 }, { n: 3 }] })
      await store.prune(101 + day, 2)
      expect(await store.consumeChallenge('old', 1)).toEqual({ kind: 'unknown' })
      expect((await store.consumeChallenge('new', 1)).kind).toBe('consumed')
      expect(await store.burn('new', 101)).toBe(false)
      expect((await store.eventsAfter(0, 10)).map((e) => e.sequence)).toEqual([2, 3])
      await store.commit({ events: [{ n: 4 }] })
      expect((await store.eventsAfter(3, 10)).map((e) => e.sequence)).toEqual([4])
    })

    it('keeps copies: what a caller does with its objects changes nothing', async () => {
      const row = posture('a')
      await store.commit({ postures: [row] })
      ;(row.posture as Record<string, unknown>).level = 5
      const seen = await store.viewSince(0)
      expect(seen.postures).toEqual([posture('a')])
      ;(seen.postures[0]?.posture as Record<string, unknown>).level = 5
      expect((await store.viewSince(0)).postures).toEqual([posture('a')])
    })

    it('takes any text as an id', async () => {
      for (const id of ["'; DROP TABLE challenge; --", '__proto__', 'constructor', '', 'ü\u0000x']) {
        await store.putChallenge(challenge(id))
        expect((await store.consumeChallenge(id, 1)).kind).toBe('consumed')
      }
    })
  })
}
