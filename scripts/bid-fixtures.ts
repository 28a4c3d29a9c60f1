/*
 * The auction of fixtures/: four bids on two orders in the spelling of Akash's REST interface, and what a gate knows of the
 * providers. A real gate judged what their machines answered; only here it takes the test kit's roots for the vendors'.
 */
import { createHash } from 'node:crypto'
import type { FixtureBids } from '../src/cli/fixtures.ts'
import { utf8 } from '../src/core/bytes.ts'
import { createVerificationCache } from '../src/core/context.ts'
import { fromBase64 } from '../src/core/encodings.ts'
import type { JsonObject } from '../src/core/json.ts'
import { take } from '../src/core/outcome.ts'
import { DEFAULT_RULES } from '../src/gate/core.ts'
import { Gate } from '../src/gate/gate.ts'
import { accountAddress, prepareCollateral, verify } from '../src/index.ts'
import type { Policy } from '../src/policy/index.ts'
import { memoryStore } from '../src/stores/memory.ts'
import {
  type AmdFault,
  amdMachine,
  anchorFromCertificate,
  type NvidiaMachine,
  type NvidiaMachineSpec,
  nvidiaMachine,
  testChipId,
} from '../src/testing/index.ts'

/** How one machine answers, as the gateway spells it. */
type Quote = (cpu: ReturnType<typeof amdMachine>, gpus: NvidiaMachine) => JsonObject

interface Bidder {
  readonly file: string
  readonly title: string
  /** GPUs that it offers, one machine */
  readonly gpus: 1 | 8
  /** the machine that it showed earlier; undefined where it showed none */
  readonly shown: { readonly wrong?: AmdFault } | undefined
  readonly verdict: 'accept' | 'reject' | 'inconclusive'
  readonly codes: FixtureBids['rows'][number]['codes']
}

const BIDDERS: readonly Bidder[] = [
  {
    ...{ file: 'attested', gpus: 1, shown: {}, verdict: 'accept', codes: [] },
    title: 'its machine answered this morning: SNP, one H100, patched',
  },
  {
    ...{
      file: 'debug-guest',
      gpus: 1,
      shown: { wrong: 'policy-debug' },
      verdict: 'reject',
      codes: ['GATE_NOT_ACCEPTED'],
    },
    title: 'its machine answered with a guest that the host may debug',
  },
  {
    ...{ file: 'more-gpus', gpus: 8, shown: {}, verdict: 'reject', codes: ['GATE_ATTRIBUTE_MISMATCH'] },
    title: 'offers eight H100; its machine proved one',
  },
  {
    ...{ file: 'no-evidence', gpus: 1, shown: undefined, verdict: 'inconclusive', codes: ['GATE_EVIDENCE_NEEDED'] },
    title: 'advertises everything and never answered a challenge',
  },
]

const DSEQ = { 1: '18412345', 8: '18412346' } as const
const sha256 = (text: string): Uint8Array => new Uint8Array(createHash('sha256').update(text).digest())

/** An account that nobody has the key of. */
const account = (seed: string, name: string): Promise<string> => accountAddress(sha256(`${seed}/${name}`), 'akash')

/** @returns files by their path in fixtures/, and the part of the index that speaks of them */
export async function bidFixtures(
  seed: string,
  now: number,
  policies: readonly Policy[],
  gpus: Omit<NvidiaMachineSpec, 'nonce'>,
  quote: Quote,
): Promise<{ readonly files: ReadonlyMap<string, JsonObject>; readonly index: FixtureBids }> {
  const owner = await account(seed, 'tenant')
  const providers = await Promise.all(BIDDERS.map(({ file }) => account(seed, file)))
  const providerOf = (i: number): string => providers[i] ?? ''
  const bids = BIDDERS.map((bidder, i) => bid(owner, providerOf(i), bidder.gpus))
  const listed = BIDDERS.map((bidder, i) => provider(providerOf(i), bidder.file))
  const postures = await known(seed, now, policies, gpus, quote, providers)
  return {
    files: new Map<string, JsonObject>([
      ...BIDDERS.map(({ file }, i) => [`bids/${file}.json`, bids[i] ?? {}] as const),
      ['bids/orders.json', { orders: [order(owner, 1), order(owner, 8)] }],
      ['bids/providers.json', { providers: listed }],
      ['known.json', { postures: postures as unknown as JsonObject[] }],
    ]),
    index: {
      folder: 'bids',
      known: 'known.json',
      rows: BIDDERS.map(({ title, gpus: units, verdict, codes }, i) => ({
        ...{ bid: `${owner}/${DSEQ[units]}/1/1/${providerOf(i)}/0`, title, verdict, codes },
      })),
    },
  }
}

/** What the store of a gate holds after every machine answered its challenge under each of the policies. */
async function known(
  seed: string,
  now: number,
  policies: readonly Policy[],
  spec: Omit<NvidiaMachineSpec, 'nonce'>,
  quote: Quote,
  providers: readonly string[],
) {
  const all: NvidiaMachineSpec = { ...spec, gpuCount: BIDDERS.length, nonce: new Uint8Array(32) }
  const made = nvidiaMachine(seed, all)
  const cpu = amdMachine(seed)
  const vendors = [
    ...[cpu.crl, cpu.intermediate, made.driverRim.bytes, made.vbiosRim.bytes],
    ...made.ocspResponses.map(({ der }) => der),
  ]
  const { collateral } = await prepareCollateral(vendors.map((bytes, i) => ({ name: `${i}`, bytes })))
  let drawn = 0
  const store = memoryStore()
  const gate = new Gate(
    {
      ...{ store, signer: null, collateral: async () => collateral, clock: () => now, rules: DEFAULT_RULES },
      random: (size) => sha256(`${seed}/random/${drawn++}`).subarray(0, size),
      scheduler: () => () => undefined,
      verifyProviderProof: async () => true,
      ...{ physical: () => 'unknown' as const, referenceValues: [], cache: createVerificationCache() },
      injectedAnchors: [
        anchorFromCertificate(cpu.trustedArk, 'amd/ark'),
        anchorFromCertificate(made.roots.device, 'nvidia/device-root'),
        anchorFromCertificate(made.roots.rim, 'nvidia/rim-root'),
      ],
      ...{ salt: sha256(`${seed}/salt`), verifierKeyId: 'fixtures', issuer: 'fixtures', audience: ['fixtures'] },
      enforce: true,
      onError: (error) => {
        throw error
      },
    },
    async (evidence, context) => ({ ...(await verify(evidence, context)), injectedAnchors: [] }),
  )
  const answerUnder = async (policy: Policy, i: number, provider: string, shown: { readonly wrong?: AmdFault }) => {
    const challenge = await gate.issueChallenge({ purpose: 'posture', provider, policy })
    const nonce = take(fromBase64(String(challenge.nonce), 'nonce'))
    const machine = amdMachine(seed, {
      ...{ chipId: testChipId('Genoa', `${seed}/${i}`), report: { reportData: nonce } },
      ...shown,
    })
    const { gpus: answered, ...rest } = nvidiaMachine(seed, { ...all, nonce: nonce.subarray(0, 32) })
    const evidence = utf8(JSON.stringify(quote(machine, { ...rest, gpus: answered.slice(i, i + 1) })))
    await gate.verify(evidence, {
      ...{ challengeId: String(challenge.id), policy, provider, holderJkt: null },
      advertised: { teeType: 'cpu-gpu', gpuCount: 1, gpuModel: 'H100' },
      providerProof: 'signed',
    })
  }
  for (const policy of policies) {
    for (const [i, { shown }] of BIDDERS.entries())
      if (shown !== undefined) await answerUnder(policy, i, providers[i] ?? '', shown)
  }
  return (await store.viewSince(0)).postures
}

const resources = (gpus: number): JsonObject => ({
  id: 1,
  cpu: { units: { val: '8000' }, attributes: [] },
  gpu: { units: { val: `${gpus}` }, attributes: [{ key: 'vendor/nvidia/model/h100', value: 'true' }] },
  memory: { quantity: { val: '34359738368' }, attributes: [] },
  storage: [{ name: 'default', quantity: { val: '107374182400' }, attributes: [] }],
  endpoints: [{ kind: 'SHARED_HTTP', sequence_number: 0 }],
})

const price = (gpus: number, each: number): JsonObject => ({
  denom: 'uakt',
  amount: `${gpus * each}.000000000000000000`,
})

const order = (owner: string, gpus: Bidder['gpus']): JsonObject => ({
  id: { owner, dseq: DSEQ[gpus], gseq: 1, oseq: 1 },
  state: 'open',
  spec: {
    name: 'confidential-gpu',
    requirements: {
      signed_by: { all_of: [], any_of: [] },
      attributes: [{ key: 'tee/type', value: 'cpu-gpu' }],
    },
    resources: [{ resource: resources(gpus), count: 1, price: price(gpus, 5000) }],
  },
  created_at: DSEQ[gpus],
})

const bid = (owner: string, provider: string, gpus: Bidder['gpus']): JsonObject => ({
  bid: {
    id: { owner, dseq: DSEQ[gpus], gseq: 1, oseq: 1, provider, bseq: 0 },
    state: 'open',
    price: price(gpus, 4200),
    created_at: `${Number(DSEQ[gpus]) + 6}`,
    resources_offer: [{ resources: resources(gpus), count: 1 }],
  },
})

const provider = (owner: string, name: string): JsonObject => ({
  owner,
  host_uri: `https://${name}.example:8443`,
  attributes: [
    { key: 'tee/type', value: 'cpu-gpu' },
    { key: 'capabilities/gpu/vendor/nvidia/model/h100', value: 'true' },
  ],
})
