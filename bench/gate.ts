import type { ListedBid } from '../src/gate/akash-objects.ts'
import { DEFAULT_RULES } from '../src/gate/core.ts'
import { Gate } from '../src/gate/gate.ts'
import type { Machine } from '../src/gate/posture.ts'
import { createVerificationCache, NO_COLLATERAL, type Policy, parsePolicy, verify } from '../src/index.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { median } from './measure.ts'

const NOW = 1_785_542_400
const PROVIDERS = 10_000
const GPUS_EACH = 10
const CHARSET = '023456789acdefghjklmnpqrstuvwxyz'

/** What the gate holds to: bids a second on one core, milliseconds for 50 bids at the 99th percentile, memory. */
export const GATE_FLOORS = { bidsPerSecond: 500_000, p99Milliseconds: 1, megabytes: 200 } as const

export interface GateFigures {
  readonly bidsPerSecond: number
  readonly p99Milliseconds: number
  /** heap and buffers that 100,000 known GPUs take, MiB */
  readonly megabytes: number
}

function account(n: number): string {
  let text = ''
  for (let i = 0, rest = n; i < 38; i++, rest = Math.floor(rest / 32)) text = (CHARSET[rest % 32] ?? '0') + text
  return `akash1${text}`
}

function policy(): Policy {
  const parsed = parsePolicy(JSON.stringify({ version: 1, name: 'bench', extends: 'h100-confidential' }))
  if (!parsed.ok) throw new TypeError(parsed.faults[0].code)
  return parsed.value
}

/** 43 characters, as a salted id has them. */
const digestText = (n: number): string => n.toString(36).padStart(43, 'x')

/** Two machines of five H100 for each provider. */
const machinesOf = (n: number): readonly Machine[] =>
  [0, 1].map((m) => ({
    hardware: [
      `amd-chip:${digestText(2 * n + m)}`,
      ...Array.from({ length: GPUS_EACH / 2 }, (_, g) => `nvidia-gpu:${digestText((2 * n + m) * GPUS_EACH + g)}`),
    ],
    gpuModels: Array.from({ length: GPUS_EACH / 2 }, () => 'H100'),
    teeType: 'cpu-gpu',
    level: 2,
    decidedAt: NOW,
    validUntil: NOW + 21_600,
    evidenceDigest: `sha256:${'0'.repeat(64)}`,
    subjects: [
      `measurement:${digestText(n)}`,
      'product:Genoa',
      'product:H100',
      'tcb:Genoa/10.0.23.72',
      'tcb:H100/96.00',
    ],
    refusals: [],
    decisionCodes: [],
    contested: false,
    jti: digestText(n).slice(0, 22),
    earlier: [],
  }))

const bidOf = (n: number) => ({
  bid: {
    id: {
      owner: account(9),
      dseq: String(18_000_000 + n),
      gseq: 1,
      oseq: 1,
      provider: account(100 + (n % PROVIDERS)),
      bseq: 0,
    },
    state: 'open',
    price: { denom: 'uakt', amount: '4200.000000000000000000' },
    resources_offer: [
      {
        resources: {
          id: 1,
          gpu: { units: { val: '4' }, attributes: [{ key: 'vendor/nvidia/model/h100', value: 'true' }] },
        },
        count: 1,
      },
    ],
  },
})

/** Times `decideBids` over bids of known providers, on this one thread, and weighs what it knows. */
export async function gateFigures(): Promise<GateFigures> {
  const rules = policy()
  const store = memoryStore()
  const gate = new Gate(
    {
      ...{ store, signer: null, collateral: async () => NO_COLLATERAL, clock: () => NOW },
      random: (size) => new Uint8Array(size),
      scheduler: () => () => undefined,
      verifyProviderProof: async () => false,
      physical: () => 'unknown',
      ...{ referenceValues: [], injectedAnchors: [], cache: createVerificationCache(), salt: new Uint8Array(32) },
      ...{ verifierKeyId: 'bench', issuer: 'bench', audience: ['bench'], rules: DEFAULT_RULES, enforce: true },
      onError: (error) => {
        throw error
      },
    },
    verify,
  )
  const [probe] = gate.decideBids([bidOf(0)], rules)
  const before = used()
  for (let n = 0; n < PROVIDERS; n++) {
    const posture = { machines: machinesOf(n), requiredLevel: 2 }
    const about = { provider: account(100 + n), policyDigest: probe?.policyDigest ?? '' }
    await store.commit({
      postures: [{ ...about, decidedAt: NOW, validUntil: NOW + 21_600, posture: { ...posture } as never }],
    })
  }
  await gate.refresh()
  // As they come off the wire: text that was parsed, not put together.
  const bids = JSON.parse(JSON.stringify(Array.from({ length: PROVIDERS }, (_, n) => bidOf(n)))) as ListedBid[]
  const megabytes = (used() - before) / 2 ** 20
  const batches = Array.from({ length: PROVIDERS / 50 }, (_, n) => bids.slice(50 * n, 50 * (n + 1)))
  for (const batch of batches) {
    if (gate.decideBids(batch, rules).some((row) => row.verdict !== 'accept'))
      throw new TypeError('the gate refused what it should admit')
  }
  const rates: number[] = []
  for (let round = 0; round < 50; round++) {
    const start = busy()
    for (const batch of batches) gate.decideBids(batch, rules)
    rates.push((bids.length * 1000) / (busy() - start))
  }
  // Reading the clock of the processor costs as much as a few bids, so calls are timed in rounds of their own.
  const calls: number[] = []
  for (const batch of [...batches, ...batches, ...batches, ...batches, ...batches]) {
    const start = busy()
    gate.decideBids(batch, rules)
    calls.push(busy() - start)
  }
  calls.sort((a, b) => a - b)
  return { bidsPerSecond: median(rates), p99Milliseconds: calls[Math.floor(calls.length * 0.99)] ?? 0, megabytes }
}

/** Milliseconds of processor time of the whole process: what other processes take does not count, our collector's work does. */
function busy(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function used(): number {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
