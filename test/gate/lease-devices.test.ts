import { describe, expect, it } from 'vitest'
import { hardwareDigest, releaseStatement } from '../../src/gate/identity.ts'
import { codesOf, GPU_POLICY, leaseId, orderOf, PROVIDER, signFor, type TestGate, testGate } from './support.ts'

/** Leases `1`, `2` … that each bought `count` machines of one GPU. */
async function leased(leases: number, count = 1): Promise<TestGate> {
  const t = await testGate()
  for (let n = 1; n <= leases; n++) {
    const order = orderOf({ units: 1, count }, `${n}`)
    await t.gate.openLease({ lease: leaseId(`${n}`), order, policy: GPU_POLICY, hostData: null })
  }
  return t
}

const found = (t: TestGate, n: string) => codesOf(t.gate.lease(leaseId(n), GPU_POLICY))

const revoked = (t: TestGate) => t.events.flatMap((e) => (e.type === 'credential.revoked' ? [e.jti] : []))

describe('a machine of a lease', () => {
  it('loses every credential that has not run out when its chip is denied', async () => {
    const t = await leased(1)
    await t.lease(leaseId('1'), { gpus: ['a'] })
    t.pass(25 * 60)
    await t.lease(leaseId('1'), { gpus: ['a'] }, { purpose: 'reattest' })
    t.pass(10 * 60)
    const { hardware } = await t.lease(leaseId('1'), { gpus: ['a'] }, { purpose: 'reattest' })
    await t.gate.deny({ kind: 'chip', value: hardware[0] ?? '', reason: 'leaked' })
    expect(revoked(t)).toEqual([1, 2].map((n) => t.issued[n]?.jti))
  })

  it('is one guest, whichever GPU it shows', async () => {
    const t = await leased(1, 2)
    await t.lease(leaseId('1'), { guest: 'one', gpus: ['a'] })
    const again = await t.lease(leaseId('1'), { guest: 'one', gpus: ['b'] })
    expect([again.verdict, codesOf(again)]).toEqual(['inconclusive', ['GATE_REPLICA_MISSING']])
    expect((await t.lease(leaseId('1'), { guest: 'two', gpus: ['a'] })).verdict).toBe('accept')
    expect(found(t, '1')).toEqual([])
  })
})

describe('a GPU in a live lease', () => {
  it('takes its credential with it when another replaces it, and keeps it when its machine only answers again', async () => {
    const t = await leased(2)
    await t.lease(leaseId('1'), { guest: 'one', gpus: ['a'] })
    await t.lease(leaseId('1'), { guest: 'one', gpus: ['a'] }, { purpose: 'reattest' })
    expect(t.types()).not.toContain('credential.revoked')
    await t.lease(leaseId('1'), { guest: 'one', gpus: ['b'] })
    expect(revoked(t)).toEqual([0, 1].map((n) => t.issued[n]?.jti))
    await t.lease(leaseId('1'), { guest: 'two', gpus: ['c'] })
    expect(revoked(t)).toEqual([0, 1, 2].map((n) => t.issued[n]?.jti))
    const { denials } = await t.options.store.viewSince(0)
    expect(denials?.map((d) => d.subject)).toEqual([0, 1, 2].map((n) => `jti:${t.issued[n]?.jti}`).sort())
    expect((await t.lease(leaseId('2'), { guest: 'three', gpus: ['a'] })).verdict).toBe('accept')
    expect(found(t, '1')).toEqual([])
  })

  it.each(['failed', 'contested'])('is free once that lease is closed, though it was %s before', async (how) => {
    const t = await leased(3)
    await t.lease(leaseId('1'), { gpus: ['a'] })
    if (how === 'failed') await t.lease(leaseId('1'), { gpus: ['a'], amd: { tcb: { snp: 1 } } }, { policy: GPU_POLICY })
    else await t.lease(leaseId('2'), { gpus: ['a'] })
    expect(codesOf(await t.lease(leaseId('3'), { gpus: ['a'] }))).toEqual(['GATE_DEVICE_IN_USE'])
    await t.gate.closeLease(leaseId('1'))
    expect((await t.lease(leaseId('3'), { gpus: ['a'] })).verdict).toBe('accept')
    expect(found(t, '1')).toEqual(['GATE_LEASE_CLOSED'])
    t.pass(24 * 3600)
    await t.gate.keepLeases()
    const due = await t.options.store.leasesDue(t.now() + 3600, 64)
    expect(due.map((row) => row.lease)).not.toContain(t.events.find((e) => e.type === 'lease.closed')?.lease)
  })

  it('is not freed because its provider gives its claim up', async () => {
    const t = await leased(2)
    const first = await t.lease(leaseId('1'), { gpus: ['a'] })
    await t.posture(PROVIDER, { gpus: ['a'] })
    const hardwareIds = first.decision?.items.flatMap((i) => i.hardwareId ?? []) ?? []
    const about = { provider: PROVIDER, at: t.now() }
    const statement = releaseStatement({
      verifierKeyId: 'verifier-1',
      ...about,
      hardwareDigest: hardwareDigest(hardwareIds),
    })
    await t.gate.releaseHardware({ ...about, hardwareIds, proof: signFor(PROVIDER, statement) })
    expect(codesOf(await t.lease(leaseId('2'), { gpus: ['a'] }))).toEqual(['GATE_DEVICE_IN_USE'])
    expect((await t.lease(leaseId('2'), { gpus: ['b'] })).verdict).toBe('accept')
  })
})
