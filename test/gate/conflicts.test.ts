import { describe, expect, it } from 'vitest'
import { hardwareDigest, releaseStatement } from '../../src/gate/identity.ts'
import { account, bidOf, CPU_POLICY, OTHER, PROVIDER, signFor, type TestGate, testGate } from './support.ts'

/** Holder and challenger both answered within two minutes after the conflict began. */
async function unresolved() {
  const t = await testGate()
  const { decision, hardware } = await t.posture(PROVIDER)
  t.pass(10)
  await t.posture(OTHER)
  t.pass(10)
  await t.posture(PROVIDER)
  await t.posture(OTHER)
  return { t, hardware, hardwareIds: decision?.items.flatMap((i) => i.hardwareId ?? []) ?? [] }
}

const verdicts = (t: TestGate) =>
  t.gate
    .decideBids(
      [PROVIDER, OTHER].map((provider) => bidOf({}, { provider })),
      CPU_POLICY,
    )
    .map((row) => row.verdict)

function released(t: TestGate, provider: string, hardwareIds: readonly string[]): Promise<void> {
  const at = t.now()
  const statement = releaseStatement({
    verifierKeyId: 'verifier-1',
    provider,
    at,
    hardwareDigest: hardwareDigest(hardwareIds),
  })
  return t.gate.releaseHardware({ provider, hardwareIds, at, proof: signFor(provider, statement) })
}

describe('a conflict that nothing resolves', () => {
  it('is not resolved by an answer of one alone, however much later', async () => {
    const { t } = await unresolved()
    t.pass(121)
    expect((await t.posture(PROVIDER)).verdict).toBe('reject')
    t.pass(3600)
    expect((await t.posture(OTHER)).verdict).toBe('reject')
    expect(verdicts(t)).toEqual(['reject', 'reject'])
  })

  it('ends when a claim runs out', async () => {
    const { t } = await unresolved()
    t.pass(5 * 3600)
    await t.posture(PROVIDER)
    t.pass(3601)
    expect((await t.posture(PROVIDER)).verdict).toBe('accept')
    expect(verdicts(t)).toEqual(['accept', 'reject'])
  })

  it('is nothing to a stranger, who can release what it never signed for to nobody', async () => {
    const { t, hardwareIds } = await unresolved()
    await expect(released(t, account(777), hardwareIds)).rejects.toMatchObject({ code: 'GATE_IDENTITY_MISMATCH' })
    expect(verdicts(t)).toEqual(['reject', 'reject'])
    await released(t, OTHER, hardwareIds)
    expect(verdicts(t)).toEqual(['accept', 'reject'])
  })

  it('stays when one of two challengers releases that was never even with the holder', async () => {
    const { t, hardwareIds } = await unresolved()
    t.pass(300)
    await t.posture(account(777))
    await released(t, account(777), hardwareIds)
    expect(verdicts(t)).toEqual(['reject', 'reject'])
  })

  it('is settled for one of them', async () => {
    const { t, hardware } = await unresolved()
    await t.gate.settleConflict({ hardware, provider: PROVIDER })
    t.pass(10)
    expect((await t.posture(PROVIDER)).verdict).toBe('accept')
    expect(verdicts(t)).toEqual(['accept', 'reject'])
  })
})
