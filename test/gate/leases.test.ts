import { describe, expect, it, test } from 'vitest'
import { atDue, dueAt, opened, withFailure, withMiss } from '../../src/gate/lease-state.ts'
import {
  CPU_POLICY,
  codesOf,
  GPU_POLICY,
  leaseId,
  OTHER,
  orderOf,
  PROVIDER,
  type TestGate,
  testGate,
} from './support.ts'

async function leased(bought: Parameters<typeof orderOf>[0] = {}, policy = CPU_POLICY): Promise<TestGate> {
  const t = await testGate()
  await t.gate.openLease({ lease: leaseId(), order: orderOf(bought), policy, hostData: null })
  return t
}

const found = (t: TestGate, policy = CPU_POLICY) => codesOf(t.gate.lease(leaseId(), policy))

describe('a lease', () => {
  it('has to be opened with its own order, which asks for a TEE', async () => {
    const t = await testGate()
    const open = (order: unknown) => t.gate.openLease({ lease: leaseId(), order, policy: CPU_POLICY, hostData: null })
    await expect(open(orderOf({ tee: null }))).rejects.toMatchObject({ code: 'GATE_TEE_NOT_ORDERED' })
    await expect(open(orderOf({ tee: 'cpu-gpu' }))).rejects.toMatchObject({ code: 'GATE_TEE_NOT_ORDERED' })
    await expect(open(orderOf({}, '5'))).rejects.toMatchObject({ code: 'GATE_SCOPE_MISMATCH' })
    await expect(open({})).rejects.toMatchObject({ code: 'GATE_OBJECT_MALFORMED' })
    const ask = t.gate.issueChallenge({ purpose: 'lease', lease: leaseId(), policy: CPU_POLICY, teeKey: null })
    await expect(ask).rejects.toMatchObject({ code: 'GATE_LEASE_UNKNOWN' })
    expect(found(t)).toEqual(['GATE_LEASE_UNKNOWN'])
    await open(orderOf())
    await open(orderOf())
    expect(t.types()).toEqual(['lease.opened'])
    expect(found(t)).toEqual(['GATE_EVIDENCE_NEEDED'])
    expect(found(t, GPU_POLICY)).toEqual(['GATE_SCOPE_MISMATCH'])
  })

  it('is judged against what was bought', async () => {
    const t = await leased({ units: 2 }, GPU_POLICY)
    const fewer = await t.lease(leaseId(), { gpus: ['a'] })
    expect(fewer.decision?.findings.map((f) => f.code)).toEqual(['GPU_COUNT_MISMATCH'])
    expect(found(t, GPU_POLICY)).toEqual(['GATE_NOT_ACCEPTED'])
    expect((await t.lease(leaseId(), { gpus: ['a', 'b'] })).verdict).toBe('accept')
    expect(found(t, GPU_POLICY)).toEqual([])
    const other = await leased({ units: 1, model: 'h200' }, GPU_POLICY)
    const model = await other.lease(leaseId(), { gpus: ['a'] })
    expect(model.decision?.findings.map((f) => f.code)).toEqual(['GPU_MODEL_MISMATCH'])
  })

  it('needs as many different machines as it has replicas', async () => {
    const t = await leased({ count: 2 })
    expect(codesOf(await t.lease(leaseId(), { guest: 'one' }))).toEqual(['GATE_REPLICA_MISSING'])
    expect(await t.lease(leaseId(), { guest: 'one' })).toMatchObject({ verdict: 'inconclusive', credential: null })
    expect(found(t)).toEqual(['GATE_REPLICA_MISSING'])
    expect((await t.lease(leaseId(), { guest: 'two' })).verdict).toBe('accept')
    expect(found(t)).toEqual([])
    t.pass(31 * 60)
    await t.gate.refresh()
    expect(found(t)).toEqual(['GATE_DECISION_EXPIRED'])
  })

  it('frees its devices when it is closed', async () => {
    const t = await leased({ units: 1 }, GPU_POLICY)
    await t.lease(leaseId(), { gpus: ['a'] })
    await t.gate.openLease({
      lease: leaseId('2'),
      order: orderOf({ units: 1 }, '2'),
      policy: GPU_POLICY,
      hostData: null,
    })
    await t.gate.closeLease(leaseId())
    expect(found(t, GPU_POLICY)).toEqual(['GATE_LEASE_CLOSED'])
    expect(t.types().slice(-2)).toEqual(['credential.revoked', 'lease.closed'])
    expect((await t.lease(leaseId('2'), { gpus: ['a'] })).verdict).toBe('accept')
    const again = t.gate.openLease({
      lease: leaseId(),
      order: orderOf({ units: 1 }),
      policy: GPU_POLICY,
      hostData: null,
    })
    await expect(again).rejects.toMatchObject({ code: 'GATE_LEASE_CLOSED' })
    await expect(t.gate.closeLease(leaseId('9'))).rejects.toMatchObject({ code: 'GATE_LEASE_UNKNOWN' })
  })

  it('cannot be served by hardware that another provider signed for', async () => {
    const t = await leased()
    await t.posture(OTHER)
    expect(codesOf(await t.lease(leaseId()))).toEqual(['GATE_HARDWARE_CONFLICT'])
    expect(found(t)).toEqual(['GATE_NOT_ACCEPTED'])
  })

  it('is suspended by a chip that is denied', async () => {
    const t = await leased()
    const { hardware } = await t.lease(leaseId())
    await t.gate.deny({ kind: 'chip', value: hardware[0] ?? '', reason: 'leaked' })
    expect(found(t)).toEqual(['GATE_CHIP_DENIED'])
    expect(t.types().slice(-3)).toEqual(['denylist.changed', 'credential.revoked', 'key.suspended'])
  })
})

test('a GPU in two live leases: the first counts again once it is attested again, the second does not', async () => {
  const t = await leased({ units: 1 }, GPU_POLICY)
  await t.gate.openLease({ lease: leaseId('2'), order: orderOf({ units: 1 }, '2'), policy: GPU_POLICY, hostData: null })
  await t.lease(leaseId(), { gpus: ['a'] })
  const second = await t.lease(leaseId('2'), { gpus: ['a'] })
  expect([second.verdict, codesOf(second)]).toEqual(['reject', ['GATE_DEVICE_IN_USE']])
  expect(t.events.filter((e) => e.type === 'key.suspended').map((e) => e.cause)).toEqual(['contested', 'contested'])
  expect(t.events.find((e) => e.type === 'credential.revoked')?.jti).toBe(t.issued[0]?.jti)
  expect(found(t, GPU_POLICY)).toEqual(['GATE_DEVICE_IN_USE'])
  expect((await t.lease(leaseId(), { gpus: ['a'] }, { purpose: 'reattest' })).verdict).toBe('accept')
  expect(found(t, GPU_POLICY)).toEqual([])
  expect(codesOf(t.gate.lease(leaseId('2'), GPU_POLICY))).toEqual(['GATE_DEVICE_IN_USE'])
})

describe('the ladder of misses', () => {
  it('goes from stale to suspended to a recommended close, and one answer leads back', async () => {
    const t = await leased()
    await t.lease(leaseId())
    const seen: string[][] = []
    const round = async (seconds: number) => {
      const before = t.events.length
      t.pass(seconds)
      await t.gate.keepLeases()
      seen.push(t.types().slice(before) as string[])
    }
    await round(14 * 60) // nothing is due: 15 minutes, and the test's randomness moves that by nothing
    await round(61)
    await round(30)
    await round(60)
    await round(120)
    await round(120)
    expect(seen).toEqual([
      [],
      ['lease.due'],
      ['lease.stale', 'lease.due'],
      ['key.suspended', 'lease.due'],
      ['lease.close.recommended', 'lease.due'],
      ['lease.due'],
    ])
    expect(t.events.find((e) => e.type === 'key.suspended')?.cause).toBe('outage')
    expect(found(t)).toEqual(['GATE_DECISION_EXPIRED'])
    expect((await t.lease(leaseId(), {}, { purpose: 'reattest' })).verdict).toBe('accept')
    expect(found(t)).toEqual([])
  })

  it('is climbed once a round, however many processes keep the same leases', async () => {
    const t = await leased()
    await t.lease(leaseId())
    t.pass(901)
    await Promise.all([1, 2, 3, 4].map(() => t.gate.keepLeases()))
    expect(t.types().slice(-2)).toEqual(['credential.issued', 'lease.due'])
    expect(found(t)).toEqual([])
    t.pass(30)
    await Promise.all([1, 2, 3, 4].map(() => t.gate.keepLeases()))
    expect(t.types().slice(-2)).toEqual(['lease.stale', 'lease.due'])
  })

  it('is not kept from others by a closed lease whose row says that it is due', async () => {
    const t = await leased()
    const { store } = t.options
    const [row] = (await store.viewSince(0)).leases
    if (row === undefined) throw new TypeError('no lease')
    await t.gate.closeLease(leaseId())
    await store.commit({ leases: [{ ...row, dueAt: t.now() }] })
    expect((await store.leasesDue(t.now(), 64)).length).toBe(1)
    await t.gate.keepLeases()
    expect(await store.leasesDue(t.now() + 86_400, 64)).toEqual([])
  })

  it('is jumped by evidence that is refused', async () => {
    const t = await leased()
    await t.lease(leaseId())
    await t.lease(leaseId(), { amd: { tcb: { snp: 1 } } })
    expect(t.types().slice(-3)).toEqual(['credential.revoked', 'lease.failed', 'key.suspended'])
    expect(t.events.findLast((e) => e.type === 'key.suspended')?.cause).toBe('evidence')
    expect(t.events.findLast((e) => e.type === 'lease.failed')?.codes?.length).toBeGreaterThan(0)
    expect(found(t)).toEqual(['GATE_NOT_ACCEPTED'])
    await t.lease(leaseId(), { amd: { tcb: { snp: 1 } } })
    expect(t.types().at(-1)).toBe('lease.close.recommended')
  })

  it('is not climbed because collateral is missing', async () => {
    const t = await leased()
    await t.lease(leaseId())
    const before = t.events.length
    const source = t.options.collateral
    Object.assign(t.options, { collateral: async (e: Uint8Array) => ({ ...(await source(e)), crls: [] }) })
    expect((await t.lease(leaseId(), {}, { purpose: 'reattest' })).verdict).toBe('inconclusive')
    expect(t.events.length).toBe(before)
    expect(found(t)).toEqual([])
  })

  it('asks a new lease only after its pods had time to start', () => {
    const ref = { bid: 'l', order: 'o', provider: PROVIDER, owner: 'x' }
    const fresh = opened(ref, [{ teeType: 'cpu', gpuCount: 0, gpuModels: [], count: 1 }], 'sha256:0', null)
    expect(dueAt(fresh, 0)).toBe(300)
    const asked = atDue(fresh, 300)
    expect([asked.step, dueAt(asked.state, 300)]).toEqual(['asked', 330])
    const missed: ReturnType<typeof withMiss>[] = []
    for (let n = 0; n < 4; n++) missed.push(withMiss(missed.at(-1)?.state ?? asked.state))
    expect(missed.map((m) => [m.step, dueAt(m.state, 0)])).toEqual([
      ['stale', 60],
      ['suspended', 120],
      ['close-recommended', 120],
      ['asked', 120],
    ])
    expect(withFailure(fresh, ['X']).step).toBe('suspended')
  })
})
