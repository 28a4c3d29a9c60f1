import { createHmac } from 'node:crypto'
import { sortCollateral } from '../../src/attestation/collateral.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { Context, createVerificationCache } from '../../src/core/context.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { fromBase64, toBase64 } from '../../src/core/encodings.ts'
import type { Json, JsonObject } from '../../src/core/json.ts'
import { PINNED_ANCHORS, type TrustAnchor } from '../../src/core/trust-anchors.ts'
import type { AdvertisedMachine, GateDecision } from '../../src/gate/answer.ts'
import { DEFAULT_RULES, type GateOptions } from '../../src/gate/core.ts'
import type { GateEvent } from '../../src/gate/events.ts'
import { type ChallengeRequest, Gate } from '../../src/gate/gate.ts'
import { hardwareDigest, postureStatement } from '../../src/gate/identity.ts'
import type { GateCredentialRequest, Judge } from '../../src/gate/ports.ts'
import { type Decision, keyReportData, verify } from '../../src/index.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { type AmdMachineOptions, amdMachine, testChipId } from '../../src/testing/index.ts'
import {
  AT,
  akashQuote,
  amdAnchors,
  amdCollateral,
  bundle,
  bundleItem,
  cpuPolicy,
  gpuPolicy,
  gpus,
  json,
  loneGpu,
  NOW,
  nvidiaAnchors,
  nvidiaCollateral,
  SEED,
} from '../reject/stage.ts'

export const CPU_POLICY: Policy = cpuPolicy()
/** Level 2, as many GPUs as leased, plain NVLink accepted. */
export const GPU_POLICY: Policy = gpuPolicy({}, { acceptRisks: ['plain-nvlink'] })

const CHARSET = '023456789acdefghjklmnpqrstuvwxyz'
/** An address by its shape, different for every number. */
export function account(n: number): string {
  let text = ''
  for (let i = 0, rest = n + 1; i < 38; i++, rest = Math.floor(rest / 32)) text = (CHARSET[rest % 32] ?? '0') + text
  return `akash1${text}`
}

/** Thumbprint of nobody's key: what is tested with it never asks the holder for a proof. */
export const HOLDER_JKT = 'A'.repeat(43)

export const OWNER = account(1)
export const PROVIDER = account(100)
export const OTHER = account(101)

export const leaseId = (dseq: string | number | bigint = '18412345', provider = PROVIDER) => ({
  ...{ owner: OWNER, dseq, gseq: 1, oseq: 1 },
  ...{ provider, bseq: 0 },
})

const gpuUnits = (units: number, model = 'h100') => ({
  units: { val: String(units) },
  attributes: units === 0 ? [] : [{ key: `vendor/nvidia/model/${model}`, value: 'true' }],
})

export interface Bought {
  readonly units?: number
  readonly count?: number
  readonly model?: string
  readonly tee?: 'cpu' | 'cpu-gpu' | null
}

/** An order as the chain's REST interface shows it. */
export const orderOf = (
  { units = 0, count = 1, model = 'h100', tee = units > 0 ? 'cpu-gpu' : 'cpu' }: Bought = {},
  dseq: string | number | bigint = '18412345',
) => ({
  order: {
    id: { owner: OWNER, dseq, gseq: 1, oseq: 1 },
    state: 'open',
    spec: {
      name: 'test',
      requirements: { attributes: tee === null ? [] : [{ key: 'tee/type', value: tee }] },
      resources: [{ resource: { id: 1, gpu: gpuUnits(units, model) }, count }],
    },
  },
})

/** A bid as the chain's REST interface lists it. */
export const bidOf = (
  { units = 0, count = 1, model = 'h100' }: Bought = {},
  { dseq = '18412345', provider = PROVIDER, state = 'open' }: { dseq?: string; provider?: string; state?: string } = {},
) => ({
  bid: {
    id: leaseId(dseq, provider),
    state,
    price: { denom: 'uakt', amount: '4200.000000000000000000' },
    resources_offer: [{ resources: { id: 1, gpu: gpuUnits(units, model) }, count }],
  },
})

/** A test's account key: whoever knows the address can sign, which only tests do. */
export const signFor = (provider: string, statement: Uint8Array): string =>
  createHmac('sha256', `test account ${provider}`).update(statement).digest('hex')

/**
 * The library's own judgement with the test hierarchy taken for the vendors': the one thing that tests of the gate cannot
 * have otherwise. Everything else is judged as ever.
 */
export const trustingTestAnchors: Judge = async (evidence, context) => ({
  ...(await verify(evidence, context)),
  injectedAnchors: [],
})

export interface Shown {
  /** names the chip; equal names are one chip */
  readonly chip?: string
  /** names of the GPUs in it */
  readonly gpus?: readonly string[]
  readonly amd?: AmdMachineOptions
  /** guest, where two run on one chip */
  readonly guest?: string
  /** members of the quote that are said otherwise */
  readonly members?: JsonObject
  /** SPKI of the workload's key, which then is in the evidence and in the challenge */
  readonly spki?: Uint8Array
}

const sorter = new Context({
  now: NOW,
  anchors: PINNED_ANCHORS,
  crypto: nodeCrypto,
  cache: createVerificationCache(),
})

const CACHE = createVerificationCache()
const RIGHTS = gpus()
const devices = new Map<string, ReturnType<typeof loneGpu>['ocsp']>()
const lists = new Map<string, Uint8Array>()

/** What a machine answers to this nonce, in the shape of AEP-83. */
export function answerOf(nonce: Uint8Array, { chip = 'chip', gpus: names = [], amd = {}, guest, members }: Shown = {}) {
  const reportId = guest === undefined ? {} : { reportId: testChipId('Turin', guest).subarray(0, 32) }
  const machine = amdMachine(SEED, {
    at: AT,
    chipId: testChipId('Genoa', chip),
    ...amd,
    report: { reportData: nonce, ...reportId, ...amd.report },
  })
  const shown = names.map((label) => loneGpu(label, {}, { nonce: nonce.subarray(0, 32) }))
  shown.forEach((gpu, i) => {
    devices.set(names[i] ?? '', gpu.ocsp)
  })
  lists.set('crl', amdCollateral(machine)[0] ?? new Uint8Array())
  return json({ ...akashQuote(machine, names.length === 0 ? undefined : shown), ...members })
}

/** The same without GPUs in a bundle of ours, which can carry a key. */
export async function keyedAnswerOf(nonce: Uint8Array, spki: Uint8Array, shown: Shown = {}) {
  const item = cpuItemOf(await keyReportData(nodeCrypto.digest, nonce, spki), shown)
  return bundle([item], { key: { spki: toBase64(spki), domain: 'vouchsafe/1' } })
}

/** A report with this REPORT_DATA, as an item of a bundle. */
export function cpuItemOf(reportData: Uint8Array, shown: Shown = {}) {
  const machine = cpuMachineOf(reportData, shown)
  return bundleItem('cpu', 'amd/snp-report', machine.report, [machine.table])
}

/** The machine itself, whose revocation list the gate's collateral then has. */
export function cpuMachineOf(reportData: Uint8Array, { chip = 'chip', amd = {}, guest }: Shown = {}) {
  const chipId = testChipId('Genoa', chip)
  const reportId = guest === undefined ? {} : { reportId: testChipId('Turin', guest).subarray(0, 32) }
  const machine = amdMachine(SEED, { at: AT, chipId, ...amd, report: { reportData, ...reportId, ...amd.report } })
  lists.set('crl', amdCollateral(machine)[0] ?? new Uint8Array())
  return machine
}

export interface TestGate {
  readonly gate: Gate
  readonly options: GateOptions
  readonly events: GateEvent[]
  readonly issued: GateCredentialRequest[]
  readonly errors: unknown[]
  /** moves the clock */
  pass(seconds: number): void
  now(): number
  posture(provider: string, shown?: Shown, how?: Partial<PostureHow>): Promise<GateDecision>
  lease(lease: unknown, shown?: Shown, how?: Partial<LeaseHow>): Promise<GateDecision>
  types(): readonly string[]
}

interface PostureHow {
  readonly policy: Policy
  readonly advertised: AdvertisedMachine
  readonly proof: (provider: string, statement: Uint8Array) => unknown
  readonly holderJkt: string | null
}

interface LeaseHow {
  readonly policy: Policy
  readonly purpose: 'lease' | 'reattest' | 'key-release'
  readonly holderJkt: string | null
}

export const anchors = (): readonly TrustAnchor[] => [
  ...amdAnchors(amdMachine(SEED, { at: AT })),
  ...nvidiaAnchors(RIGHTS),
]

/** A gate over test hierarchies, with a clock of its own. */
export async function testGate(overrides: Partial<GateOptions> = {}, judge = trustingTestAnchors): Promise<TestGate> {
  let now = NOW
  let counter = 0
  const errors: unknown[] = []
  const issued: GateCredentialRequest[] = []
  const options: GateOptions = {
    store: memoryStore(),
    signer: {
      issue: async (request) => {
        issued.push(request)
        return `credential-${request.jti}`
      },
    },
    collateral: async () => {
      const files = [...lists.values(), ...nvidiaCollateral(RIGHTS), ...[...devices.values()].flat()]
      return (
        await sortCollateral(
          sorter,
          files.map((bytes, i) => ({ name: `${i}`, bytes })),
          'verifier',
        )
      ).collateral
    },
    clock: () => now,
    random: (size) => {
      const bytes = new Uint8Array(size).fill(128)
      new DataView(bytes.buffer).setUint16(0, ++counter)
      return size === 2 ? Uint8Array.of(128, 0) : bytes
    },
    scheduler: () => () => undefined,
    verifyProviderProof: async ({ provider, statement, proof }) => proof === signFor(provider, statement),
    physical: () => 'unknown',
    referenceValues: [],
    injectedAnchors: anchors(),
    cache: CACHE,
    salt: new Uint8Array(32).fill(7),
    verifierKeyId: 'verifier-1',
    issuer: 'https://gate.example',
    audience: ['market.example'],
    rules: DEFAULT_RULES,
    enforce: true,
    onError: (error) => errors.push(error),
    ...overrides,
  }
  const gate = new Gate(options, judge)
  const events: GateEvent[] = []
  gate.on('*', (event) => events.push(event))
  if (overrides.store === undefined) await gate.refresh()
  return {
    ...{ gate, options, events, issued, errors },
    pass: (seconds) => {
      now += seconds
    },
    now: () => now,
    types: () => events.map((e) => e.type),
    async posture(provider, shown = {}, how = {}) {
      const gpuCount = shown.gpus?.length ?? 0
      const policy = how.policy ?? (gpuCount > 0 ? GPU_POLICY : CPU_POLICY)
      const record = await gate.issueChallenge({ purpose: 'posture', provider, policy })
      const evidence = answerOf(nonceOf(record), shown)
      const ids = await hardwareIdsOf(options, evidence, record, judge)
      const challengeId = String(record.id)
      const nonce = toBase64(nonceOf(record))
      const statement = postureStatement({ provider, challengeId, nonce, hardwareDigest: hardwareDigest(ids) })
      return gate.verify(evidence, {
        ...{ challengeId, policy, provider, holderJkt: how.holderJkt === undefined ? HOLDER_JKT : how.holderJkt },
        advertised: how.advertised ?? {
          teeType: gpuCount > 0 ? 'cpu-gpu' : 'cpu',
          gpuCount,
          gpuModel: gpuCount > 0 ? 'H100' : null,
        },
        providerProof: (how.proof ?? signFor)(provider, statement),
      })
    },
    async lease(lease, shown = {}, how = {}) {
      const policy = how.policy ?? ((shown.gpus?.length ?? 0) > 0 ? GPU_POLICY : CPU_POLICY)
      const request: ChallengeRequest = { purpose: how.purpose ?? 'lease', lease, policy, teeKey: shown.spki ?? null }
      const record = await gate.issueChallenge(request)
      const evidence =
        shown.spki === undefined
          ? answerOf(nonceOf(record), shown)
          : await keyedAnswerOf(nonceOf(record), shown.spki, shown)
      const holderJkt = how.holderJkt === undefined ? HOLDER_JKT : how.holderJkt
      return gate.verify(evidence, { challengeId: String(record.id), policy, lease, holderJkt })
    },
  }
}

export function nonceOf(record: JsonObject): Uint8Array {
  const nonce = fromBase64(String(record.nonce), 'nonce')
  if (!nonce.ok) throw new TypeError('the record has no nonce')
  return nonce.value
}

/** What a provider finds with `vouchsafe inspect`: the ids of its own hardware. */
async function hardwareIdsOf(
  options: GateOptions,
  evidence: Uint8Array,
  record: JsonObject,
  judge: Judge,
): Promise<readonly string[]> {
  const { collateral, clock, injectedAnchors, cache } = options
  const decision: Decision = await judge(evidence, {
    ...{ now: clock(), policy: null, lease: null, physical: 'unknown', referenceValues: [] },
    freshness: { kind: 'nonce', nonce: nonceOf(record) },
    collateral: await collateral(evidence).catch(() => ({
      ...{ certificates: [], crls: [], ocspResponses: [], rims: [], intelDocuments: [], platformKeys: [] },
    })),
    ...{ injectedAnchors, cache },
  })
  return decision.items.flatMap((i) => (i.hardwareId === undefined ? [] : [i.hardwareId]))
}

export const codesOf = (found: { readonly findings: readonly { readonly code: string }[] }): readonly string[] =>
  found.findings.map((f) => f.code)

export const text = (value: Json): Uint8Array => utf8(JSON.stringify(value))
