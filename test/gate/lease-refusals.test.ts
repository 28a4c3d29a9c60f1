import { describe, expect, it } from 'vitest'
import { DEFAULT_RULES } from '../../src/gate/core.ts'
import type { GateStore } from '../../src/gate/store.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { cpuPolicy } from '../reject/stage.ts'
import {
  bidOf,
  CPU_POLICY,
  codesOf,
  GPU_POLICY,
  leaseId,
  orderOf,
  PROVIDER,
  type TestGate,
  testGate,
} from './support.ts'

const MASKED = { amd: { report: { chipId: new Uint8Array(64), maskChipKey: true } } }
const MASKED_POLICY = cpuPolicy({ maskedChipId: 'allowed' })
const allowing = { rules: { ...DEFAULT_RULES, maskedHardware: 'allowed' as const } }

const opened = async (t: TestGate, policy = CPU_POLICY, order: unknown = orderOf()): Promise<TestGate> => {
  await t.gate.openLease({ lease: leaseId(), order, policy, hostData: null })
  return t
}

describe('a lease on hardware without identity', () => {
  it('is refused by the rule that refuses such a posture, and accepted by the other', async () => {
    const strict = await opened(await testGate(), MASKED_POLICY)
    const refused = await strict.lease(leaseId(), MASKED, { policy: MASKED_POLICY })
    expect([refused.verdict, codesOf(refused), refused.credential]).toEqual(['reject', ['GATE_HARDWARE_MASKED'], null])
    expect(codesOf(strict.gate.lease(leaseId(), MASKED_POLICY))).toEqual(['GATE_NOT_ACCEPTED'])
    const lax = await opened(await testGate(allowing), MASKED_POLICY)
    expect((await lax.lease(leaseId(), MASKED, { policy: MASKED_POLICY })).verdict).toBe('accept')
  })

  it('is refused by a gate with the rule though another gate on the same store recorded it', async () => {
    const store = memoryStore()
    const lax = await opened(await testGate({ store, ...allowing }), MASKED_POLICY)
    const strict = await testGate({ store })
    await lax.posture(PROVIDER, MASKED, { policy: MASKED_POLICY })
    await lax.lease(leaseId(), MASKED, { policy: MASKED_POLICY })
    await strict.gate.refresh()
    const found = ({ gate }: TestGate) => [
      gate.decideBids([bidOf()], MASKED_POLICY).flatMap(codesOf),
      codesOf(gate.lease(leaseId(), MASKED_POLICY)),
    ]
    expect(found(lax)).toEqual([[], []])
    expect(found(strict)).toEqual([['GATE_HARDWARE_MASKED'], ['GATE_HARDWARE_MASKED']])
  })
})

describe('a chip that comes onto the deny-list while a machine answers', () => {
  /** Two processes on one store; `meanwhile` runs in the second before the first one's next transaction. */
  async function two() {
    const store = memoryStore()
    const before: { transaction?: () => Promise<void>; signature?: () => Promise<void> } = {}
    const hooked: GateStore = new Proxy(store, {
      get: (target, name) => {
        const method = Reflect.get(target, name).bind(target)
        if (name !== 'updateHardware') return method
        return async (...args: unknown[]) => {
          const run = before.transaction
          delete before.transaction
          await run?.()
          return method(...args)
        }
      },
    })
    const signer = {
      issue: async ({ jti }: { jti: string }) => {
        await before.signature?.()
        return `credential-${jti}`
      },
    }
    const first = await testGate({ store: hooked, signer })
    const second = await testGate({ store })
    const { hardware } = await (await opened(first)).lease(leaseId())
    const deny = () => second.gate.deny({ kind: 'chip', value: hardware[0] ?? '', reason: 'leaked' })
    return { first, before, deny }
  }

  it.each(['transaction', 'signature'] as const)('before the %s is refused, and accepted without it', async (when) => {
    const { first, before, deny } = await two()
    expect((await first.lease(leaseId(), {}, { purpose: 'reattest' })).verdict).toBe('accept')
    before[when] = deny
    const denied = await first.lease(leaseId(), {}, { purpose: 'reattest' })
    expect([denied.verdict, codesOf(denied), denied.credential]).toEqual(['reject', ['GATE_CHIP_DENIED'], null])
  })
})

describe('an order that leaves a choice of models', () => {
  const orderFor = (...models: readonly string[]) => {
    const order = orderOf({ units: 1 })
    for (const { resource } of order.order.spec.resources)
      resource.gpu.attributes = models.map((model) => ({ key: `vendor/nvidia/model/${model}`, value: 'true' }))
    return order
  }

  it('is served by one of those, and by nothing else', async () => {
    const wrong = await opened(await testGate(), GPU_POLICY, orderFor('h200', 'b200'))
    const refused = await wrong.lease(leaseId(), { gpus: ['a'] })
    expect([refused.verdict, codesOf(refused), refused.decision?.verdict]).toEqual([
      'reject',
      ['GPU_MODEL_MISMATCH'],
      'accept',
    ])
    const right = await opened(await testGate(), GPU_POLICY, orderFor('h200', 'h100'))
    expect((await right.lease(leaseId(), { gpus: ['a'] })).verdict).toBe('accept')
  })
})

it('a lease cannot be opened again with another binding of its guests', async () => {
  const t = await opened(await testGate())
  const again = (hostData: string | null) =>
    t.gate.openLease({ lease: leaseId(), order: orderOf(), policy: CPU_POLICY, hostData })
  await expect(again('ab'.repeat(32))).rejects.toMatchObject({ code: 'GATE_SCOPE_MISMATCH' })
  await again(null)
})
