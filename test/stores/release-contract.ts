import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { take } from '../../src/core/outcome.ts'
import { chainAfter, EMPTY_HEAD, nextRow } from '../../src/release/audit/entry.ts'
import type { ReleaseStore } from '../../src/release/ports.ts'
import { askedOf, eventOf, keyRow, NAME, record, released, usageOf, writeKey } from './release-rows.ts'

const RACERS = 64
/** Rounds of every race: VOUCHSAFE_RACES, of which 10,000 is the figure that counts. */
export const rounds = (unlessSaid: number): number => Number(process.env.VOUCHSAFE_RACES ?? unlessSaid)

/** Ten thousand rounds take hours on a busy machine. */
export const RACE_MILLISECONDS = 12 * 3_600_000

/** Whether every row continues the one before it. */
export async function chainHolds(store: ReleaseStore): Promise<boolean> {
  let [sequence, chain] = [0, EMPTY_HEAD.chain]
  for (;;) {
    const rows = await store.auditRows(sequence, 1000)
    for (const row of rows) {
      if (row.sequence !== sequence + 1 || row.chain !== chainAfter(chain, row.entry)) return false
      ;[sequence, chain] = [row.sequence, row.chain]
    }
    if (rows.length === 0) return (await store.auditHead()).chain === chain
  }
}

/** What every store of a broker must do, races between two replicas included. `open` gives two of them over one empty store. */
export function releaseContract(
  name: string,
  open: () => Promise<readonly [ReleaseStore, ReleaseStore]>,
  races: number = rounds(200),
): void {
  describe(`release store contract: ${name}`, () => {
    let store: ReleaseStore
    let other: ReleaseStore
    beforeEach(async () => {
      ;[store, other] = await open()
    })
    afterEach(async () => {
      await store.close()
      await other.close()
    })

    it('is empty at first', async () => {
      expect(await store.auditHead()).toEqual(EMPTY_HEAD)
      expect([await store.key(NAME), await store.keys('acme'), await store.auditRows(0, 9)]).toEqual([
        undefined,
        [],
        [],
      ])
      expect([await store.checkpoints(0, 9), await store.epochs()]).toEqual([[], { policy: 0, collateral: 0 }])
      const seen = await store.transact(NAME, (view) => ({ entries: [], result: view }))
      expect(seen).toEqual({ head: EMPTY_HEAD, key: undefined, epochs: { policy: 0, collateral: 0 } })
      expect([await store.released(NAME), await store.releases(NAME, 0, 9)]).toEqual([0, []])
    })

    it('holds a session for every replica, once and until it ends', async () => {
      const evidence = new Uint8Array([0, 1, 255])
      const held = {
        id: '0'.repeat(32),
        workload: 'kbs',
        nonce: 'AA==',
        evidence,
        expiresAt: 200,
        kek: 'kek-1',
        mac: 'AA==',
      }
      await store.putSession(held)
      expect(await other.session(held.id)).toEqual(held)
      expect(await other.session('1'.repeat(32))).toBeUndefined()
      await expect(other.putSession({ ...held, workload: 'other' })).rejects.toThrow()
      await store.pruneSessions(200)
      expect(await other.session(held.id)).toEqual(held)
      await store.pruneSessions(201)
      expect(await other.session(held.id)).toBeUndefined()
    })

    it('keeps a key as it was given, and writes it with the one entry that counts it', async () => {
      await store.transact(NAME, writeKey(keyRow(1)))
      expect(await other.key(NAME)).toEqual(keyRow(1))
      await other.transact(NAME, writeKey(keyRow(2, { state: 'suspended', limits: UNLIMITED })))
      expect(await store.key(NAME)).toEqual(keyRow(2, { state: 'suspended', limits: UNLIMITED }))
      for (const revision of [0, -1, 2.5])
        await expect(store.transact(NAME, writeKey(keyRow(revision)))).rejects.toThrow('revision')
      for (const told of [[], ['admin.approved'], ['key.changed', 'key.changed']] as const)
        await expect(store.transact(NAME, writeKey(keyRow(3), 100, told))).rejects.toThrow('counts')
      for (const mac of [null, 'CCCC'])
        await expect(store.transact(NAME, writeKey(keyRow(3), 100, ['key.changed'], mac))).rejects.toThrow('MAC')
      const others = { ...keyRow(3), keyId: 'other' }
      await expect(store.transact(NAME, (view) => ({ ...writeKey(others)(view), key: keyRow(3) }))).rejects.toThrow(
        'counts',
      )
      await expect(store.transact(null, writeKey(keyRow(3)))).rejects.toThrow()
      await expect(store.transact({ ...NAME, tenant: 'x' }, writeKey(keyRow(3)))).rejects.toThrow()
      expect((await store.key(NAME))?.revision).toBe(2)
      expect((await store.auditHead()).sequence).toBe(2)
    })

    it('lists the keys of a tenant in order', async () => {
      for (const keyId of ['b', 'a', 'c']) await store.transact({ ...NAME, keyId }, writeKey(keyRow(1, { keyId })))
      const foreign = { tenant: 'other', keyId: 'a' }
      await store.transact(foreign, writeKey(keyRow(1, foreign)))
      expect((await other.keys('acme')).map((k) => k.keyId)).toEqual(['a', 'b', 'c'])
      expect((await other.keys('nobody')).length).toBe(0)
    })

    it('writes releases with their entries, and shows them oldest first', async () => {
      await store.transact(NAME, writeKey(keyRow()))
      for (const [i, id] of ['z', 'y', 'x'].entries()) await record(store, id, { lease: id }, 100 + i)
      const view = await other.transact(NAME, (seen) => ({ entries: [], result: seen }))
      const releases = await other.releases(NAME, 0, 9)
      expect(releases.map((r) => [r.challengeId, r.auditSequence, r.at])).toEqual([
        ['z', 2, 100],
        ['y', 3, 101],
        ['x', 4, 102],
      ])
      expect(releases[0]).toMatchObject({ ...NAME, lease: 'z', hardware: ['cpu:1', 'nvidia-gpu:2'] })
      expect([await other.releases(NAME, 1, 1), await other.releases(NAME, 2, 9)]).toEqual([
        [releases[1]],
        [releases[2]],
      ])
      expect([await other.released(NAME), await other.released({ ...NAME, keyId: 'other' })]).toEqual([3, 0])
      expect(view.head).toEqual(await store.auditHead())
      expect(view.head.at).toBe(102)
      expect(await chainHolds(other)).toBe(true)
    })

    it('tells what the releases of a key come to, with the one that is asked about', async () => {
      const second = { ...NAME, keyId: 'second' }
      await store.transact(NAME, writeKey(keyRow()))
      await store.transact(second, writeKey(keyRow(1, second)))
      const none = { releases: 0, nthLastAt: null, leases: 1, chips: 1, isAnswered: false }
      expect(await usageOf(store, {}, 1)).toEqual(none)
      await record(store, 'a', { lease: 'l1', hardware: ['cpu:1', 'nvidia-gpu:1'] }, 100)
      await record(other, 'b', { lease: 'l1', hardware: ['cpu:1', 'cpu:2', 'cpu:2'] }, 105)
      await record(store, 'c', { lease: 'l2', hardware: ['cpu:3', 'nvidia-gpu:2'] }, 109)
      const usage = (lease: string, ...hardware: string[]) => usageOf(other, { lease, hardware })
      expect(await usage('l1', 'cpu:1')).toMatchObject({ releases: 3, leases: 2, chips: 3 })
      expect(await usage('l3', 'cpu:4', 'cpu:5', 'cpu:4', 'cpu:3')).toMatchObject({ releases: 3, leases: 3, chips: 5 })
      expect(await usage('cpu:1', 'l1')).toMatchObject({ leases: 3, chips: 4 })
      expect(await usage('l2', 'nvidia-gpu:9')).toMatchObject({ leases: 2, chips: 3 })
      const times = [1, 2, 3, 4, null].map(async (nth) => (await usageOf(store, {}, nth)).nthLastAt)
      expect(await Promise.all(times)).toEqual([109, 105, 100, null, null])
      // Another key has had none of it, though the challenge is answered for all.
      expect(await usageOf(store, second, 1)).toEqual(none)
      expect((await usageOf(store, { ...second, challengeId: 'a' })).isAnswered).toBe(true)
    })

    it('counts what was written, and no release that was not', async () => {
      await store.transact(NAME, writeKey(keyRow()))
      await record(store, 'a', { lease: 'l1' })
      const before = await usageOf(other)
      const row = { ...NAME, challengeId: 'b', lease: 'l2', hardware: ['cpu:9'] }
      const thrown = store.recordRelease(NAME, askedOf(row), (view) => {
        released('b', row)(view)
        throw new Error('no')
      })
      await expect(thrown).rejects.toThrow('no')
      await expect(record(other, 'a', { lease: 'l2', hardware: ['cpu:9'] })).rejects.toThrow()
      expect(await usageOf(store)).toEqual(before)
      await Promise.all(
        Array.from({ length: 20 }, (_, i) => record(i % 2 === 0 ? store : other, `r${i}`, { lease: `r${i % 3}` })),
      )
      expect(await usageOf(store, { lease: 'r0' })).toMatchObject({ releases: 21, leases: 4, chips: 1 })
      expect((await other.releases(NAME, 0, 99)).length).toBe(21)
    })

    it('records one release for a challenge, whoever asks and for whichever key', async () => {
      const second = { ...NAME, keyId: 'second' }
      await store.transact(NAME, writeKey(keyRow()))
      await store.transact(second, writeKey(keyRow(1, second)))
      await record(store, 'c')
      await expect(record(other, 'c')).rejects.toThrow()
      await expect(record(other, 'c', second)).rejects.toThrow()
      expect((await store.auditHead()).sequence).toBe(3)
    })

    it('writes nothing of a change that is not whole', async () => {
      await store.transact(NAME, writeKey(keyRow()))
      const head = await store.auditHead()
      const row = (sequence: number) => ({ ...take(nextRow(head, eventOf('key.refused'), 100)), sequence })
      const asked = askedOf({ challengeId: 'c', lease: 'a/1/1/1/b/0', hardware: ['cpu:1'] })
      const recorded = (more: Parameters<typeof released>[1], about: Partial<typeof asked> = {}) =>
        store.recordRelease(NAME, { ...asked, ...about }, released('c', more))
      const wrong: readonly (() => Promise<unknown>)[] = [
        () => store.recordRelease(NAME, asked, (view) => ({ ...released('c')(view), entries: [] })),
        () => store.transact(NAME, released('c')),
        () => record(store, 'c', { keyId: 'none' }),
        () => recorded({ keyId: 'other' }),
        () => recorded({ lease: 'a/2/1/1/b/0' }),
        () => recorded({ challengeId: 'd' }),
        () => recorded({}, { chips: ['cpu:2'] }),
        () => recorded({ at: 99 }),
        () => recorded({ auditSequence: 1 }),
        () => store.transact(null, () => ({ entries: [row(1)], result: 0 })),
        () => store.transact(null, () => ({ entries: [row(3)], result: 0 })),
        () => store.transact(null, () => ({ entries: [{ ...row(2), entry: '{}' }], result: 0 })),
        () => store.transact(null, () => ({ entries: [{ ...row(2), chain: 'x' }], result: 0 })),
        () =>
          store.transact(NAME, (view) => {
            writeKey(keyRow(2))(view)
            throw new Error('no')
          }),
      ]
      for (const attempt of wrong) await expect(attempt()).rejects.toThrow()
      const beside = record(store, 'beside')
      await expect(wrong[0]?.()).rejects.toThrow()
      expect(await beside).toBe(2)
      expect([await store.key(NAME), (await store.auditHead()).sequence]).toEqual([keyRow(), 2])
    })

    it(`has one winner among ${RACERS} racers on two replicas, ${races} times`, {
      timeout: RACE_MILLISECONDS,
    }, async () => {
      for (let round = 0; round < races; round++) {
        const name = { tenant: 'race', keyId: `k${round}` }
        await store.transact(name, writeKey(keyRow(1, name)))
        const racers = Array.from({ length: RACERS }, (_, i) => record(i % 2 === 0 ? store : other, `c${round}`, name))
        const won = (await Promise.allSettled(racers)).filter((r) => r.status === 'fulfilled')
        if (won.length !== 1) expect({ round, won: won.length }).toEqual('one winner')
      }
      expect((await store.auditHead()).sequence).toBe(2 * races)
      expect(await chainHolds(other)).toBe(true)
    })

    it('orders what both replicas write', async () => {
      const refuse = (s: ReleaseStore, i: number) =>
        s.transact(null, ({ head }) => {
          const at = Math.max(head.at ?? 0, i)
          const row = take(nextRow(head, eventOf('key.refused', { actor: `${i}` }), at))
          return { entries: [row], result: row.sequence }
        })
      const numbers = await Promise.all(Array.from({ length: 100 }, (_, i) => refuse(i % 2 === 0 ? store : other, i)))
      expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
      expect(await chainHolds(store)).toBe(true)
      expect((await other.auditRows(98, 9)).map((r) => r.sequence)).toEqual([99, 100])
      expect((await other.auditRows(10, 2)).map((r) => r.sequence)).toEqual([11, 12])
    })

    it('keeps checkpoints, one of each size', async () => {
      for (const size of [4, 1, 2]) await store.putCheckpoint({ size, statement: `s${size}` })
      await other.putCheckpoint({ size: 2, statement: 's2' })
      await expect(other.putCheckpoint({ size: 2, statement: 'forged' })).rejects.toThrow()
      expect(await other.checkpoints(1, 9)).toEqual([
        { size: 2, statement: 's2' },
        { size: 4, statement: 's4' },
      ])
      expect((await other.checkpoints(0, 1)).map((c) => c.size)).toEqual([1])
    })

    it('moves epochs forward, for all replicas', async () => {
      const move = (policy: number, collateral: number) =>
        store.transact(null, () => ({ entries: [], epochs: { policy, collateral }, result: null }))
      await move(1, 20260701)
      expect(await other.epochs()).toEqual({ policy: 1, collateral: 20260701 })
      await expect(move(0, 20260701)).rejects.toThrow('policy epoch')
      await expect(move(2, 20260700)).rejects.toThrow('collateral epoch')
      await move(2, 20260701)
      const seen = await other.transact(null, (view) => ({ entries: [], result: view.epochs }))
      expect(seen).toEqual({ policy: 2, collateral: 20260701 })
    })

    it('keeps copies, and takes any text without NUL as a name', async () => {
      // No NUL: a broker takes no such name, and node:sqlite of Node 22 cuts a text there when it reads it.
      for (const text of ["'; DROP TABLE audit; --", '__proto__', 'constructor', 'üx', '\\0', '\\u0000']) {
        const name = { tenant: text, keyId: text }
        const row = keyRow(1, name)
        await store.transact(name, writeKey(row))
        await record(store, text, { ...name, lease: text, hardware: [text] })
        ;(row.sealed as { data: string }).data = 'changed'
        expect(await other.key(name)).toEqual(keyRow(1, name))
        const [release] = await other.releases(name, 0, 1)
        expect([release?.challengeId, release?.lease, release?.hardware]).toEqual([text, text, [text]])
        const usage = await usageOf(other, { ...name, lease: text, hardware: [text], challengeId: text })
        expect(usage).toMatchObject({ leases: 1, chips: 1, isAnswered: true })
      }
      expect(await chainHolds(store)).toBe(true)
    })

    it('does nothing after it was closed', async () => {
      await store.close()
      await expect(store.auditHead()).rejects.toThrow()
      await expect(store.transact(null, () => ({ entries: [], result: 0 }))).rejects.toThrow()
      await expect(record(store, 'c')).rejects.toThrow()
      ;[store] = await open()
    })
  })
}

const UNLIMITED = {
  releases: 'unlimited',
  window: 'unlimited',
  leases: 'unlimited',
  chips: 'unlimited',
  onlyLeases: 'any',
} as const
