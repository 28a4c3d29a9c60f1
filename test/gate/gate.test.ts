import { describe, expect, it, test } from 'vitest'
import { DEFAULT_RULES } from '../../src/gate/core.ts'
import type { DenialKind } from '../../src/gate/denylist.ts'
import { GateError } from '../../src/gate/finding.ts'
import { hardwareDigest, releaseStatement } from '../../src/gate/identity.ts'
import { verify } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { cpuPolicy, policyOf } from '../reject/stage.ts'
import {
  account,
  answerOf,
  type Bought,
  bidOf,
  CPU_POLICY,
  codesOf,
  GPU_POLICY,
  leaseId,
  nonceOf,
  OTHER,
  OWNER,
  orderOf,
  PROVIDER,
  signFor,
  type TestGate,
  testGate,
} from './support.ts'

const oneBid = (t: TestGate, bid: unknown = bidOf(), policy = CPU_POLICY) => {
  const [row] = t.gate.decideBids([bid as never], policy)
  if (row === undefined) throw new TypeError('no row')
  return row
}

/** A challenge of the provider and an answer to it that nothing is wrong with but the missing signature. */
async function asked(t: TestGate) {
  const record = await t.gate.issueChallenge({ purpose: 'posture', provider: PROVIDER, policy: CPU_POLICY })
  const answer = {
    ...{ challengeId: String(record.id), policy: CPU_POLICY, provider: PROVIDER, holderJkt: null },
    ...{ advertised: { teeType: 'cpu' as const, gpuCount: 0, gpuModel: null }, providerProof: null },
  }
  return { record, answer, evidence: answerOf(nonceOf(record)) }
}

test('posture opens bids, evidence of its own machine opens a lease, and neither opens the other', async () => {
  const t = await testGate()
  expect(codesOf(oneBid(t))).toEqual(['GATE_EVIDENCE_NEEDED'])
  const gpu = await t.posture(PROVIDER, { gpus: ['a', 'b'] })
  expect(gpu).toMatchObject({ verdict: 'accept', level: 2, basis: 'posture', findings: [], enforced: true })
  expect(gpu.credential).toMatch(/^credential-/)
  expect(oneBid(t, bidOf({ units: 2 }), GPU_POLICY)).toMatchObject({ verdict: 'accept', level: 2, basis: 'posture' })

  await t.gate.openLease({ lease: leaseId(), order: orderOf({ units: 2 }), policy: GPU_POLICY, hostData: null })
  expect(codesOf(t.gate.lease(leaseId(), GPU_POLICY))).toEqual(['GATE_EVIDENCE_NEEDED'])
  expect(await t.lease(leaseId(), { gpus: ['a', 'b'] })).toMatchObject({ verdict: 'accept', basis: 'lease' })
  const row = t.gate.requireAttested({ lease: leaseId(), policy: GPU_POLICY })
  expect(row).toMatchObject({ verdict: 'accept', level: 2, status: 'attested', validUntil: '2026-08-01T00:30:00Z' })
  expect(t.issued.map((r) => [r.purpose, r.subject, r.lease, r.ttlSeconds, r.hardware.length])).toEqual([
    ['posture', PROVIDER, null, 21_600, 3],
    ['lease', PROVIDER, `${OWNER}/18412345/1/1/${PROVIDER}/0`, 1800, 3],
  ])
  expect(t.types()).toEqual([
    ...['posture.changed', 'credential.issued', 'lease.opened', 'lease.attested', 'credential.issued'],
  ])
  expect(JSON.stringify(t.events)).not.toContain('amd-chip:0')
  expect(t.errors).toEqual([])

  const fresh = await testGate()
  await fresh.gate.openLease({ lease: leaseId(), order: orderOf(), policy: CPU_POLICY, hostData: null })
  await fresh.lease(leaseId())
  expect(codesOf(oneBid(fresh))).toEqual(['GATE_EVIDENCE_NEEDED'])
})

describe('a challenge', () => {
  it('is used up by one answer, accepted or not', async () => {
    const t = await testGate()
    const { answer, evidence } = await asked(t)
    expect(codesOf(await t.gate.verify(new Uint8Array([1]), answer))).toEqual(['GATE_IDENTITY_MISMATCH'])
    expect(await t.gate.verify(evidence, answer)).toMatchObject({ verdict: 'reject', decision: null })
    expect(codesOf(await t.gate.verify(evidence, answer))).toEqual(['GATE_CHALLENGE_USED'])
  })

  it('is used up once, however many answer at the same time', async () => {
    const t = await testGate()
    const { answer, evidence } = await asked(t)
    const answers = await Promise.all(Array.from({ length: 8 }, () => t.gate.verify(evidence, answer)))
    expect(answers.flatMap(codesOf).filter((code) => code !== 'GATE_CHALLENGE_USED')).toEqual([
      'GATE_IDENTITY_MISMATCH',
    ])
  })

  it('is for a purpose of the gate’s own', async () => {
    const t = await testGate()
    const ask = (purpose: string) => t.gate.issueChallenge({ purpose, provider: PROVIDER, policy: CPU_POLICY } as never)
    expect(await ask('posture')).toMatchObject({ purpose: 'posture' })
    for (const purpose of ['selftest', 'a"} 1\nfake', 'constructor'])
      await expect(ask(purpose)).rejects.toThrow(TypeError)
  })

  it('is refused where it was never issued, and past its end', async () => {
    const t = await testGate()
    const { answer, evidence } = await asked(t)
    expect(codesOf(await t.gate.verify(evidence, { ...answer, challengeId: 'x' }))).toEqual(['GATE_CHALLENGE_UNKNOWN'])
    t.pass(121)
    expect(codesOf(await t.gate.verify(evidence, answer))).toEqual(['BIND_CHALLENGE_EXPIRED'])
  })

  it('does not leave the gate before it is stored', async () => {
    const store = memoryStore()
    const t = await testGate({ store })
    await t.gate.refresh()
    store.putChallenge = () => Promise.reject(new Error('disk full'))
    await expect(asked(t)).rejects.toMatchObject({ name: 'GateError', code: 'GATE_STORE_UNAVAILABLE' })
  })
})

describe('what fails opens nothing', () => {
  it.each(['consumeChallenge', 'updateHardware'] as const)('a store whose %s fails', async (method) => {
    const store = memoryStore()
    const t = await testGate({ store })
    await t.gate.refresh()
    store[method] = () => Promise.reject(new Error('disk full'))
    expect(await t.posture(PROVIDER)).toMatchObject({ verdict: 'inconclusive', credential: null })
    delete (store as Partial<typeof store>)[method]
    expect(codesOf(oneBid(t))).toEqual(['GATE_EVIDENCE_NEEDED'])
    expect(t.errors).toHaveLength(1)
  })

  it('a store that fails is named as that', async () => {
    const store = memoryStore()
    const t = await testGate({ store })
    const { answer, evidence } = await asked(t)
    store.consumeChallenge = () => Promise.reject(new Error('disk full'))
    expect(codesOf(await t.gate.verify(evidence, answer))).toEqual(['GATE_STORE_UNAVAILABLE'])
  })

  it('a collateral source, a signer and a look-up of account keys that fail', async () => {
    const down = () => Promise.reject(new Error('down'))
    const collateral = await (await testGate({ collateral: down })).posture(PROVIDER)
    expect([collateral.verdict, codesOf(collateral)]).toEqual(['inconclusive', ['COLLATERAL_UNAVAILABLE']])
    const keys = await (await testGate({ verifyProviderProof: down })).posture(PROVIDER)
    expect([keys.verdict, codesOf(keys)]).toEqual(['inconclusive', ['GATE_IDENTITY_UNAVAILABLE']])
    const signer = await (await testGate({ signer: { issue: down } })).posture(PROVIDER)
    expect([signer.verdict, codesOf(signer), signer.credential]).toEqual([
      ...['inconclusive', ['GATE_SIGNER_UNAVAILABLE'], null],
    ])
  })
})

describe('evidence that opens nothing', () => {
  it('rests on anchors that are not pinned', async () => {
    const t = await testGate({}, verify)
    const decision = await t.posture(PROVIDER)
    expect([decision.verdict, codesOf(decision), decision.credential]).toEqual([
      'reject',
      ['GATE_ANCHORS_INJECTED'],
      null,
    ])
    expect(codesOf(oneBid(t))).toEqual(['GATE_ANCHORS_INJECTED'])
  })

  it('was judged by a policy for development', async () => {
    const policy = cpuPolicy({}, { profile: 'development' })
    const t = await testGate()
    expect(codesOf(await t.posture(PROVIDER, {}, { policy }))).toEqual(['GATE_POLICY_DEVELOPMENT'])
    expect(codesOf(oneBid(t, bidOf(), policy))).toEqual(['GATE_POLICY_DEVELOPMENT'])
  })

  it('shows hardware without identity, unless the marketplace deals with such', async () => {
    const masked = { amd: { report: { chipId: new Uint8Array(64), maskChipKey: 1 } } } as never
    const policy = cpuPolicy({ maskedChipId: 'allowed' })
    const refusedOne = await (await testGate()).posture(PROVIDER, masked, { policy })
    expect(refusedOne.verdict).toBe('reject')
    const vlek = { amd: { kind: 'VLEK' as const, report: { chipId: new Uint8Array(64) } } }
    const vlekPolicy = cpuPolicy({ maskedChipId: 'allowed', signingKeys: ['vcek', 'vlek'] })
    const refused = await (await testGate()).posture(PROVIDER, vlek, { policy: vlekPolicy })
    expect([refused.decision?.verdict, codesOf(refused)]).toEqual(['accept', ['GATE_HARDWARE_MASKED']])
    const rules = { ...DEFAULT_RULES, maskedHardware: 'allowed' as const }
    const dealt = await (await testGate({ rules })).posture(PROVIDER, vlek, { policy: vlekPolicy })
    expect(dealt.verdict).toBe('accept')
  })

  it('is decided honestly where a policy asks for what posture cannot show', async () => {
    const policy = policyOf({
      ...{ version: 1, name: 'closed', extends: 'cpu-confidential' },
      require: { level: 5 },
      referenceValues: { signers: [{ kid: 'a', kty: 'OKP', crv: 'Ed25519', x: `${'A'.repeat(42)}E` }] },
    })
    const t = await testGate()
    const decision = await t.posture(PROVIDER, {}, { policy })
    expect(decision.verdict).not.toBe('accept')
    expect(codesOf(oneBid(t, bidOf(), policy))).toEqual(['GATE_NOT_ACCEPTED'])
  })
})

describe('bids', () => {
  it('that are lost, malformed or under a denied provider, subject or TCB are refused by name', async () => {
    const t = await testGate()
    await t.posture(PROVIDER)
    expect(oneBid(t)).toMatchObject({ verdict: 'accept' })
    expect(codesOf(oneBid(t, bidOf({}, { state: 'lost' })))).toEqual(['GATE_BID_NOT_OPEN'])
    expect(oneBid(t, { bid: { ...bidOf().bid, id: null } })).toMatchObject({ bid: null, verdict: 'reject' })
    expect(codesOf(oneBid(t, 5))).toEqual(['GATE_OBJECT_MALFORMED'])
    for (const [kind, value] of [
      ['provider', PROVIDER],
      ['product', 'Genoa'],
    ] as const) {
      await t.gate.deny({ kind, value, reason: 'recalled' })
      expect(codesOf(oneBid(t))).toEqual(['GATE_SUBJECT_DENIED'])
      await t.gate.allow({ kind, value })
      expect(oneBid(t).verdict).toBe('accept')
    }
    await t.gate.deny({ kind: 'provider', value: OTHER, reason: 'left' })
    expect(codesOf(oneBid(t, bidOf({}, { provider: OTHER })))).toEqual(['GATE_SUBJECT_DENIED'])
  })

  it('are refused with the row, and in shadow mode only reported', async () => {
    const t = await testGate()
    const thrown = () => t.gate.requireEligible({ bid: bidOf(), policy: CPU_POLICY })
    expect(thrown).toThrow(GateError)
    expect(thrown).toThrow(expect.objectContaining({ code: 'GATE_EVIDENCE_NEEDED', row: oneBid(t) }))
    const shadow = await testGate({ enforce: false })
    const row = shadow.gate.requireEligible({ bid: bidOf(), policy: CPU_POLICY })
    expect(row).toMatchObject({ verdict: 'inconclusive', enforced: false })
    expect(t.gate.metrics()).toContain(
      'vouchsafe_decisions_total{verdict="inconclusive",code="GATE_EVIDENCE_NEEDED"} 3',
    )
  })
})

describe('a bid', () => {
  it('whose members throw is refused alone', async () => {
    const t = await testGate()
    await t.posture(PROVIDER)
    const revoked = Proxy.revocable({}, {})
    revoked.revoke()
    const { bid } = bidOf()
    const listed = (list: unknown[]) => ({ bid: { ...bid, resources_offer: list } })
    const own = Object.assign([...bid.resources_offer], {
      map: () => {
        throw new TypeError('a list’s own')
      },
    })
    const hostile = [
      {
        get bid() {
          throw new TypeError('a getter')
        },
      },
      revoked.proxy,
      listed(new Array(3)),
      listed(new Array(257).fill(bid.resources_offer[0])),
    ]
    const rows = t.gate.decideBids([bidOf(), ...hostile, listed(own), bidOf()] as never[], CPU_POLICY)
    const refused = hostile.map(() => 'GATE_OBJECT_MALFORMED')
    expect(rows.map((r) => codesOf(r)[0] ?? r.verdict)).toEqual(['accept', ...refused, 'accept', 'accept'])
    expect(t.errors).toHaveLength(2)
  })

  it('names itself once, or the same twice', async () => {
    const t = await testGate()
    await t.posture(PROVIDER)
    expect(oneBid(t, { ...bidOf(), id: leaseId() }).verdict).toBe('accept')
    expect(codesOf(oneBid(t, { ...bidOf(), id: leaseId('2') }))).toEqual(['GATE_SCOPE_MISMATCH'])
  })

  it('offers no machine and no GPU twice', async () => {
    const t = await testGate()
    await t.posture(PROVIDER, { chip: 'c1', gpus: ['a', 'b'] })
    await t.posture(PROVIDER, { chip: 'c2', gpus: ['c'] })
    await t.posture(PROVIDER, { chip: 'c3', gpus: ['d'] })
    const of = (...offers: readonly Bought[]) => {
      const { bid } = bidOf()
      const resources_offer = offers.flatMap((offer) => bidOf(offer).bid.resources_offer)
      return t.gate
        .decideBids([{ bid: { ...bid, resources_offer } }], GPU_POLICY)
        .map((r) => codesOf(r)[0] ?? r.verdict)
    }
    const refused = ['GATE_ATTRIBUTE_MISMATCH']
    for (const offer of [[{ units: 2 }], [{ units: 1, count: 4 }], [{ units: 1, count: 2 }, { units: 2 }]])
      expect(of(...offer)).toEqual(['accept'])
    expect(of({ units: 2, count: 2 })).toEqual(refused)
    expect(of({ units: 2 }, { units: 2 })).toEqual(refused)
    expect(of({ units: 3 })).toEqual(refused)
  })
})

test('a store that gives no posture or lease opens nothing', async () => {
  const t = await testGate()
  await t.posture(PROVIDER)
  expect(oneBid(t).verdict).toBe('accept')
  const { postures } = await t.options.store.viewSince(0)
  for (const posture of [{ machines: null }, { machines: [] }, { machines: [{}] }]) {
    const store = memoryStore()
    await store.commit({ postures: postures.map((row) => ({ ...row, posture })) })
    const broken = await testGate({ store })
    await expect(broken.gate.refresh()).rejects.toThrow(TypeError)
    expect(codesOf(oneBid(broken))).toEqual(['GATE_DENYLIST_UNAVAILABLE'])
  }
})

describe('one chip under two accounts', () => {
  it('stays with the first while it renews, whoever else shows it', async () => {
    const t = await testGate()
    await t.posture(PROVIDER)
    const second = await t.posture(OTHER)
    expect([second.verdict, second.level, codesOf(second)]).toEqual(['reject', 1, ['GATE_HARDWARE_CONFLICT']])
    expect(t.events.find((e) => e.type === 'hw.conflict')).toMatchObject({ providers: [PROVIDER, OTHER] })
    expect(oneBid(t).verdict).toBe('accept')
    expect(codesOf(oneBid(t, bidOf({}, { provider: OTHER })))).toEqual(['GATE_HARDWARE_CONFLICT'])
    t.pass(3600)
    expect((await t.posture(PROVIDER)).verdict).toBe('accept')
    expect(oneBid(t).verdict).toBe('accept')
  })

  it('caps both once both answer fresh challenges at the same time, until somebody settles it', async () => {
    const t = await testGate()
    await t.posture(PROVIDER)
    await t.posture(OTHER)
    t.pass(600)
    const { hardware } = await t.posture(PROVIDER)
    expect((await t.posture(OTHER)).verdict).toBe('reject')
    expect(codesOf(oneBid(t))).toEqual(['GATE_HARDWARE_CONFLICT'])
    const level1 = cpuPolicy({}, {}, { level: 1 })
    expect((await t.posture(PROVIDER, {}, { policy: level1 })).verdict).toBe('accept')
    expect(oneBid(t, bidOf(), level1)).toMatchObject({ verdict: 'accept', level: 1, contested: true })
    await t.gate.settleConflict({ hardware, provider: PROVIDER })
    expect(oneBid(t)).toMatchObject({ verdict: 'accept', contested: false })
  })

  it('goes over when the first releases it, or lets it run out', async () => {
    const t = await testGate()
    const { decision } = await t.posture(PROVIDER)
    const hardwareIds = decision?.items.flatMap((i) => i.hardwareId ?? []) ?? []
    const about = { provider: PROVIDER, hardwareIds, at: t.now() }
    const right = releaseStatement({
      ...{ provider: PROVIDER, verifierKeyId: 'verifier-1' },
      ...{ hardwareDigest: hardwareDigest(hardwareIds), at: t.now() },
    })
    await expect(t.gate.releaseHardware({ ...about, proof: signFor(OTHER, right) })).rejects.toMatchObject({
      code: 'GATE_IDENTITY_MISMATCH',
    })
    const elsewhere = await testGate({ verifierKeyId: 'another' })
    const proof = signFor(PROVIDER, right)
    await expect(elsewhere.gate.releaseHardware({ ...about, proof })).rejects.toMatchObject({
      code: 'GATE_IDENTITY_MISMATCH',
    })
    await t.gate.releaseHardware({ ...about, proof })
    await expect(t.gate.releaseHardware({ ...about, proof })).rejects.toMatchObject({ code: 'GATE_RELEASE_USED' })
    expect((await t.posture(OTHER)).verdict).toBe('accept')
    t.pass(6 * 3600)
    expect((await t.posture(account(300))).verdict).toBe('accept')
  })
})

test('bad evidence in a provider’s name changes nothing unless its account signed for it', async () => {
  const t = await testGate()
  await t.posture(PROVIDER)
  const old = { amd: { tcb: { snp: 1 } } }
  expect((await t.posture(PROVIDER, old, { proof: () => null })).verdict).toBe('reject')
  expect(oneBid(t).verdict).toBe('accept')
  expect((await t.posture(PROVIDER, old)).verdict).toBe('reject')
  expect(codesOf(oneBid(t))).toEqual(['GATE_NOT_ACCEPTED'])
})

describe('a credential of a posture', () => {
  const revoked = async (t: Awaited<ReturnType<typeof testGate>>) => [
    ((await t.options.store.viewSince(0)).denials ?? [])
      .flatMap((d) => (/^jti:/.test(d.subject) ? [d.subject] : []))
      .sort(),
    t.events.flatMap((e) => (e.type === 'credential.revoked' ? [`jti:${e.jti}`] : [])).sort(),
  ]
  const jtis = (t: Awaited<ReturnType<typeof testGate>>) => t.issued.map((r) => `jti:${r.jti}`).sort()

  it('stands while the machine is shown again as it was, and falls with all before it once it is refused', async () => {
    const t = await testGate()
    for (let n = 0; n < 2; n++, t.pass(60)) await t.posture(PROVIDER)
    expect(await revoked(t)).toEqual([[], []])
    expect((await t.posture(PROVIDER, { amd: { report: { policy: 0xb0000n } } })).verdict).toBe('reject')
    expect(await revoked(t)).toEqual([jtis(t), jtis(t)])
    expect(jtis(t)).toHaveLength(2)
  })

  it('falls when its machine is taken apart for another', async () => {
    const t = await testGate()
    await t.posture(PROVIDER, { chip: 'c1', gpus: ['a'] })
    await t.posture(PROVIDER, { chip: 'c2', gpus: ['b'] })
    expect(await revoked(t)).toEqual([[], []])
    await t.posture(PROVIDER, { chip: 'c2', gpus: ['a'] })
    const first = `jti:${t.issued[0]?.jti}`
    expect(await revoked(t)).toEqual([[first], [first]])
  })

  it('falls when nothing tells two accounts apart, whosever it is', async () => {
    const t = await testGate()
    await t.posture(PROVIDER)
    await t.posture(OTHER)
    t.pass(600)
    await t.posture(PROVIDER)
    expect(await revoked(t)).toEqual([[], []])
    await t.posture(OTHER)
    expect(await revoked(t)).toEqual([jtis(t), jtis(t)])
    expect(jtis(t)).toHaveLength(2)
  })
})

test('what was read more than five seconds ago decides nothing', async () => {
  const t = await testGate()
  await t.posture(PROVIDER)
  t.pass(5)
  expect(oneBid(t).verdict).toBe('accept')
  t.pass(1)
  expect(codesOf(oneBid(t))).toEqual(['GATE_DENYLIST_UNAVAILABLE'])
})

test('a denied credential is revoked, and its machine left as it is', async () => {
  const t = await testGate()
  await t.posture(PROVIDER)
  const jti = t.issued[0]?.jti ?? ''
  await t.gate.deny({ kind: 'jti', value: 'another', reason: 'stolen' })
  expect(t.types()).not.toContain('credential.revoked')
  await t.gate.deny({ kind: 'jti', value: jti, reason: 'stolen' })
  expect(t.events.at(-1)).toMatchObject({ type: 'credential.revoked', jti, provider: PROVIDER, reason: 'stolen' })
  expect(oneBid(t).verdict).toBe('accept')
})

test('what no evidence could ever match is not put on the deny-list', async () => {
  const t = await testGate()
  const entry = (kind: DenialKind, value: string) => t.gate.deny({ kind, value, reason: 'x' })
  await entry('measurement', 'ab'.repeat(48))
  await entry('provider', PROVIDER)
  for (const value of ['AB'.repeat(48), 'ab'.repeat(20)])
    await expect(entry('measurement', value)).rejects.toThrow(TypeError)
  await expect(entry('provider', PROVIDER.toUpperCase())).rejects.toThrow(TypeError)
  expect((await t.options.store.viewSince(0)).denials).toHaveLength(2)
})

test('a denied chip takes its credentials with it', async () => {
  const t = await testGate()
  const { hardware } = await t.posture(PROVIDER)
  const [chip = ''] = hardware
  await t.gate.deny({ kind: 'chip', value: chip, reason: 'leaked' })
  expect(t.types().slice(-2)).toEqual(['denylist.changed', 'credential.revoked'])
  expect(t.events.at(-1)?.jti).toBe(t.issued[0]?.jti)
  expect(codesOf(await t.posture(PROVIDER))).toEqual(['GATE_CHIP_DENIED'])
  await expect(t.gate.deny({ kind: 'chip', value: 'x', reason: '' })).rejects.toThrow(TypeError)
})

test('two processes that share a store see one another', async () => {
  const store = memoryStore()
  const [a, b] = [await testGate({ store }), await testGate({ store, random: (n) => new Uint8Array(n).fill(9) })]
  await a.gate.refresh()
  await b.gate.refresh()
  await a.posture(PROVIDER)
  expect(codesOf(oneBid(b))).toEqual(['GATE_EVIDENCE_NEEDED'])
  await b.gate.refresh()
  expect(oneBid(b).verdict).toBe('accept')
  expect(b.types()).toEqual(a.types())
})

describe('a gate’s options', () => {
  it.each(['collateral', 'clock', 'random', 'scheduler', 'verifyProviderProof', 'physical', 'onError'] as const)(
    '%s is a function, from the start',
    async (name) => {
      await expect(testGate()).resolves.toBeDefined()
      await expect(testGate({ [name]: {} })).rejects.toThrow(`gate: ${name} is a function`)
    },
  )
})
