import { expect, test } from 'vitest'
import { bidOf, CPU_POLICY, codesOf, GPU_POLICY, leaseId, orderOf, PROVIDER, testGate } from './support.ts'

test('posture opens bids, lease evidence opens leases', async () => {
  const t = await testGate()
  expect(codesOf(t.gate.decideBids([bidOf()], CPU_POLICY)[0]!)).toEqual(['GATE_EVIDENCE_NEEDED'])
  const cpu = await t.posture(PROVIDER)
  expect([cpu.verdict, cpu.findings, cpu.decision?.findings]).toEqual(['accept', [], []])
  expect(t.gate.requireEligible({ bid: bidOf(), policy: CPU_POLICY }).verdict).toBe('accept')
  const gpu = await t.posture(PROVIDER, { gpus: ['a', 'b'] })
  expect([gpu.verdict, gpu.findings, gpu.decision?.findings]).toEqual(['accept', [], []])
  const [row] = t.gate.decideBids([bidOf({ units: 2 })], GPU_POLICY)
  expect(row).toMatchObject({ verdict: 'accept', level: 2 })
  await t.gate.openLease({ lease: leaseId(), order: orderOf({ units: 2 }), policy: GPU_POLICY, hostData: null })
  const lease = await t.lease(leaseId(), { gpus: ['a', 'b'] })
  expect([lease.verdict, lease.findings, lease.decision?.findings]).toEqual(['accept', [], []])
  expect(t.gate.requireAttested({ lease: leaseId(), policy: GPU_POLICY })).toMatchObject({
    verdict: 'accept',
    level: 2,
  })
  expect(t.types()).toEqual([])
  expect(t.errors).toEqual([])
  console.log(t.gate.metrics(), t.issued)
})
