import { utf8 } from '../../src/core/bytes.ts'
import type { BidRow } from '../../src/gate/bids.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import {
  account,
  answerOf,
  bidOf,
  CPU_POLICY,
  GPU_POLICY,
  leaseId,
  nonceOf,
  OTHER,
  orderOf,
  PROVIDER,
  signFor,
  type TestGate,
  testGate,
} from '../gate/support.ts'
import { type Check, row } from './row.ts'
import { cpuPolicy } from './stage.ts'

const FOUR = ['a', 'b', 'c', 'd']

/** A gate that knows one CPU machine of the provider. */
async function known(): Promise<TestGate> {
  const t = await testGate()
  await t.posture(PROVIDER)
  return t
}

const found = (rows: readonly BidRow[]) => rows.flatMap((r) => r.findings)

const firstBid = (t: TestGate, policy = CPU_POLICY, bid = bidOf()) => found(t.gate.decideBids([bid], policy))

/** A lease opened and asked for; the answer is then given for what `answer` names. */
async function leaseAnswer(given: {
  readonly lease?: ReturnType<typeof leaseId>
  readonly policy?: typeof CPU_POLICY
}): Promise<Awaited<ReturnType<TestGate['lease']>>['findings']> {
  const t = await testGate()
  for (const lease of [leaseId(), leaseId('2'), leaseId('18412345', OTHER)])
    await t.gate.openLease({ lease, order: orderOf({}, lease.dseq), policy: CPU_POLICY, hostData: null })
  const record = await t.gate.issueChallenge({ purpose: 'lease', lease: leaseId(), policy: CPU_POLICY, teeKey: null })
  const answer = { challengeId: String(record.id), policy: CPU_POLICY, lease: leaseId(), holderJkt: null, ...given }
  return (await t.gate.verify(answerOf(nonceOf(record)), answer)).findings
}

const ANOTHER_POLICY = cpuPolicy({}, { name: 'another', freshness: { maxAgeSeconds: 60 } })

row('RJ-GATE-01', {
  twin: async () => [...(await leaseAnswer({})), ...firstBid(await known())],
  bad: {
    'an answer for another order': () => leaseAnswer({ lease: leaseId('2') }),
    'an answer for another provider': () => leaseAnswer({ lease: leaseId('18412345', OTHER) }),
    'an answer for another policy': () => leaseAnswer({ policy: ANOTHER_POLICY }),
    'a bid under another policy': async () => firstBid(await known(), ANOTHER_POLICY),
    'an order beside the bid of another': async () =>
      firstBid(await known(), CPU_POLICY, { ...bidOf(), ...orderOf({}, '2') }),
  },
})

const afterSeconds = async (seconds: number) => {
  const t = await known()
  t.pass(seconds)
  await t.gate.refresh()
  return firstBid(t)
}

row('RJ-GATE-02', {
  twin: () => afterSeconds(6 * 60 * 60 - 1),
  bad: { 'posture of six hours ago': () => afterSeconds(6 * 60 * 60) },
})

const signedBy = async (proof: (provider: string, statement: Uint8Array) => unknown): Promise<readonly never[]> => {
  const t = await testGate()
  const decision = await t.posture(PROVIDER, {}, { proof })
  return decision.findings as readonly never[]
}

row('RJ-GATE-03', {
  twin: async () => (await (await testGate()).posture(PROVIDER)).findings,
  bad: {
    'nobody signed': () => signedBy(() => null),
    'another account signed': () => signedBy((_, statement) => signFor(OTHER, statement)),
    'it signed for other hardware': () => signedBy((provider) => signFor(provider, utf8('other hardware'))),
  },
})

async function twoLeases(second: readonly string[]): Promise<TestGate> {
  const t = await testGate()
  for (const dseq of ['1', '2']) {
    const order = orderOf({ units: 1 }, dseq)
    await t.gate.openLease({ lease: leaseId(dseq), order, policy: GPU_POLICY, hostData: null })
  }
  await t.lease(leaseId('1'), { gpus: ['a'] })
  await t.lease(leaseId('2'), { gpus: second, guest: 'second' })
  return t
}

const leaseFindings = async (second: readonly string[], dseq: string) =>
  (await twoLeases(second)).gate.lease(leaseId(dseq), GPU_POLICY).findings

row('RJ-GATE-04', {
  twin: async () => [...(await leaseFindings(['b'], '1')), ...(await leaseFindings(['b'], '2'))],
  bad: {
    'the lease that showed it second': () => leaseFindings(['a'], '2'),
    'the lease that showed it first, until it is attested again': () => leaseFindings(['a'], '1'),
  },
})

/** One chip in the hands of one account after the other, each claim run out before the next. */
async function accountsOnOneChip(count: number): ReturnType<Check & (() => Promise<never>)> {
  const t = await testGate({ rules: { ...(await testGate()).options.rules, accountsPerChip: 20 } })
  let last: Awaited<ReturnType<TestGate['posture']>> | undefined
  for (let n = 0; n < count; n++) {
    last = await t.posture(account(200 + n))
    t.pass(2 * 60 * 60)
    t.pass(4 * 60 * 60 + 1)
  }
  return (last?.findings ?? []) as never
}

row('RJ-GATE-05', {
  twin: () => accountsOnOneChip(20),
  bad: { 'the twenty-first account': () => accountsOnOneChip(21) },
})

async function deniedOneSecondAgo(chip: string): Promise<ReturnType<typeof firstBid>> {
  const t = await known()
  const [shown] = (await (await testGate()).posture(PROVIDER, { chip })).hardware
  await t.gate.deny({ kind: 'chip', value: shown ?? '', reason: 'memory interposer found' })
  t.pass(1)
  return firstBid(t)
}

row('RJ-GATE-06', {
  twin: () => deniedOneSecondAgo('another chip'),
  bad: { 'its chip': () => deniedOneSecondAgo('chip') },
})

/** The collateral source knows nothing of AMD's revocation list, so the decision is inconclusive. */
async function withoutRevocation(isMissing: boolean): Promise<ReturnType<typeof firstBid>> {
  const t = await testGate()
  const source = t.options.collateral
  const collateral: typeof source = async (evidence) => ({
    ...(await source(evidence)),
    ...(isMissing ? { crls: [] } : {}),
  })
  const judged = await testGate({ collateral })
  await judged.posture(PROVIDER)
  return firstBid(judged)
}

row('RJ-GATE-07', {
  twin: () => withoutRevocation(false),
  bad: { 'no revocation list': () => withoutRevocation(true) },
})

async function offering(offer: Parameters<typeof bidOf>[0], more: object = {}): Promise<ReturnType<typeof firstBid>> {
  const t = await testGate()
  await t.posture(PROVIDER, { gpus: FOUR })
  return firstBid(t, GPU_POLICY, { ...bidOf(offer), ...more })
}

const provider = (model: string) => ({
  provider: {
    owner: PROVIDER,
    attributes: [
      { key: 'tee/type', value: 'cpu-gpu' },
      { key: `capabilities/gpu/vendor/nvidia/model/${model}`, value: 'true' },
    ],
  },
})

row('RJ-GATE-08', {
  twin: async () => [...(await offering({ units: 4 })), ...(await offering({ units: 4 }, provider('h100')))],
  bad: {
    'eight in one machine': () => offering({ units: 8 }),
    'two machines of four': () => offering({ units: 4, count: 2 }),
    'another model': () => offering({ units: 4, model: 'h200' }),
    'no GPU at all': () => offering({ units: 0 }),
    'attributes of another model': () => offering({ units: 4 }, provider('b200')),
  },
})

async function denylistOf(seconds: number): Promise<ReturnType<typeof firstBid>> {
  const t = await known()
  t.pass(seconds)
  return firstBid(t)
}

async function storeFails(whenAsked: boolean): Promise<ReturnType<typeof firstBid>> {
  const store = memoryStore()
  const t = await testGate({ store })
  await t.gate.refresh()
  const record = await t.gate.issueChallenge({ purpose: 'posture', provider: PROVIDER, policy: CPU_POLICY })
  if (whenAsked) store.viewSince = () => Promise.reject(new Error('disk full'))
  const answer = {
    ...{ challengeId: String(record.id), policy: CPU_POLICY, provider: PROVIDER, holderJkt: null },
    ...{ advertised: { teeType: 'cpu' as const, gpuCount: 0, gpuModel: null }, providerProof: null },
  }
  const { findings } = await t.gate.verify(answerOf(nonceOf(record)), answer)
  // Without its proof the twin is refused by the next check in the order.
  return findings.filter((f) => f.code !== 'GATE_IDENTITY_MISMATCH')
}

row('RJ-GATE-09', {
  twin: async () => [...(await denylistOf(5)), ...(await storeFails(false))],
  bad: {
    'read too long ago': () => denylistOf(6),
    'never read': async () => {
      const t = await testGate({ store: memoryStore() })
      return firstBid(t)
    },
    'the store fails while an answer is judged': () => storeFails(true),
  },
})
