import { describe, test } from 'vitest'
import { decodeChallenge, issueChallengeRecord } from '../../src/attestation/challenge.ts'
import { concatBytes, utf8 } from '../../src/core/bytes.ts'
import type { Code } from '../../src/core/codes.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { toBase64 } from '../../src/core/encodings.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { take } from '../../src/core/outcome.ts'
import { compositeReportData, derivedGpuNonce, prepareCollateral } from '../../src/index.ts'
import { policyDigest } from '../../src/policy/digest.ts'
import { type AkashPackingFault, akashGpuReport, type NvidiaMachineSpec } from '../../src/testing/index.ts'
import { accepted, type Check, refused } from './row.ts'
import { referenceValue, SIGNED_BY_TEAM } from './signer.ts'
import {
  akashQuote,
  akashScene,
  amdAnchors,
  amdCollateral,
  bothScene,
  bundle,
  bundleItem,
  cpu,
  cpuPolicy,
  cpuScene,
  gpuDocument,
  gpuPolicy,
  gpus,
  type How,
  judged,
  LEASE,
  NONCE,
  NOW,
  nvidiaAnchors,
  nvidiaCollateral,
  nvidiaItems,
  policyOf,
  type Scene,
} from './stage.ts'

/**
 * Codes that no row of the catalogue has, because the catalogue names the attacks and these are what else can be wrong with
 * a set, a carrier or a folder. As with the rows: exactly the code, beside an accepted twin.
 */
function pair(code: Code, what: string, { twin, bad }: { twin: Check; bad: Readonly<Record<string, Check>> }): void {
  test(`${code}: ${what}`, async () => {
    accepted(await twin())
    for (const [name, check] of Object.entries(bad)) refused(await check(), [code], name)
  })
}

const { digest } = nodeCrypto
const CPU = cpu()
const ONE = gpus()
const item = bundleItem('cpu', 'amd/snp-report', CPU.report, [CPU.table])
const scene = (evidence: Scene['evidence']): Scene => ({
  evidence,
  collateral: [...amdCollateral(CPU), ...nvidiaCollateral(ONE)],
  anchors: [...amdAnchors(CPU), ...nvidiaAnchors(ONE)],
})
const good = () => judged(cpuScene(CPU))
const WITH_GPU: How = { policy: gpuPolicy(), lease: LEASE }

describe('carriers', () => {
  const many = (count: number) =>
    bundle([item, ...Array.from({ length: count - 1 }, (_, i) => ({ ...item, id: `cpu-${i}` }))])
  pair('LIMIT_ITEM_COUNT', 'more items than a machine has', {
    twin: good,
    bad: { '33': () => judged(scene(many(33))), '1000': () => judged(scene(bundle(Array(1000).fill({})))) },
  })

  const raw = (report: Uint8Array) => ({ name: 'report.bin', bytes: report })
  const files = (...more: readonly { name: string; bytes: Uint8Array }[]) =>
    scene([{ name: 'table.bin', bytes: CPU.table }, ...more])
  const quote = utf8(JSON.stringify(akashQuote(CPU, undefined)))
  const another = cpu({ report: { guestSvn: 1 } })
  pair('ENV_ITEM_DUPLICATE', 'two answers to one question', {
    twin: () => judged(files(raw(CPU.report))),
    bad: {
      'one id twice': () => judged(scene(bundle([item, item]))),
      'two CPU reports in a bundle': () =>
        judged(scene(bundle([item, { ...item, id: 'cpu-1', data: toBase64(another.report) }]))),
      'two CPU reports in a folder': () =>
        judged(files(raw(CPU.report), { name: 'second.bin', bytes: another.report })),
      'two quotes in a folder': () => judged(files({ name: 'a.json', bytes: quote }, { name: 'b.json', bytes: quote })),
    },
  })

  const made = new Uint8Array(1024)
  made[0] = 0x81
  const inQuote = (report: Uint8Array) => judged(akashScene(CPU, undefined, { report: toBase64(report) }))
  pair('ENV_TDREPORT_NOT_QUOTE', 'a report that only its own machine can check', {
    twin: good,
    bad: {
      'in a quote': () => inQuote(made),
      'as a file': () => judged(scene(made)),
      'in a bundle': () => judged(scene(bundle([{ ...item, data: toBase64(made) }]))),
      'as configfs-tsm JSON': () => judged(scene(utf8(JSON.stringify({ outblob: toBase64(made) })))),
    },
  })
  const mock = utf8('MOCK attestation report of a provider that plays')
  pair('ENV_MOCK_EVIDENCE', 'what the provider makes up in its mock mode', {
    twin: good,
    bad: {
      'in a quote': () => inQuote(mock),
      'as a file': () => judged(scene(mock)),
      'as configfs-tsm JSON': () => judged(scene(utf8(JSON.stringify({ outblob: toBase64(mock) })))),
      'of a GPU': () => {
        const report = toBase64(concatBytes(utf8('MGPU'), mock))
        return judged(akashScene(CPU, ONE, { gpu_reports: [{ device_index: 0, report }] }), WITH_GPU)
      },
    },
  })

  const packed = (wrong: AkashPackingFault) => {
    const reports = ONE.gpus.map((gpu, i) => ({
      device_index: i,
      report: toBase64(akashGpuReport(gpu, { wrong })),
    }))
    return judged(akashScene(CPU, ONE, { gpu_reports: reports }), WITH_GPU)
  }
  pair('GPU_PEM_SPLIT_INVALID', 'a GPU report that does not come apart', {
    twin: () => judged(akashScene(CPU, ONE), WITH_GPU),
    bad: { 'no chain': () => packed('no-pem'), 'the chain first': () => packed('pem-first') },
  })
})

describe('collateral', () => {
  const folder = async (...files: readonly Uint8Array[]) =>
    (await prepareCollateral(files.map((bytes, i) => ({ name: `file-${i}`, bytes })))).faults
  pair('COLLATERAL_UNRECOGNISED', 'a file that is none of the kinds', {
    twin: () => folder(CPU.crl, CPU.vek, ONE.driverRim.bytes),
    bad: {
      text: () => folder(utf8('see attachment')),
      nothing: () => folder(new Uint8Array()),
      'an empty sequence': () => folder(Uint8Array.of(0x30, 0)),
    },
  })
  pair('LIMIT_COLLATERAL_BYTES', 'more bytes than a folder may have', {
    twin: () => folder(CPU.crl),
    bad: { 'in one file': () => folder(new Uint8Array(16_777_217)) },
  })
  pair('LIMIT_COLLATERAL_COUNT', 'more files than a folder may have', {
    twin: () => folder(...Array.from({ length: 4096 }, () => CPU.crl)),
    bad: { 'one more': () => folder(...Array.from({ length: 4097 }, () => CPU.crl)) },
  })
})

describe('the challenge record', async () => {
  const policy = cpuPolicy()
  const record = await issueChallengeRecord(
    {
      id: 'challenge-1',
      purpose: 'lease',
      provider: 'provider-1',
      lease: 'lease-1',
      policyDigest: await policyDigest(policy, (bytes) => digest('sha256', bytes)),
      verifierKeyId: 'test',
      iat: NOW - 10,
      exp: NOW + 110,
    },
    await digest('sha256', utf8('rand')),
    digest,
  )
  const decoded = (change: JsonObject) => decodeChallenge({ ...record, ...change })
  /** Judged against an edited record by a machine that answered the nonce in it. */
  const answered = (change: JsonObject) => {
    const challenge = take(decoded(change))
    const machine = cpu({ report: { reportData: challenge.nonce } })
    const lease = { ...LEASE, teeType: 'cpu', gpuCount: undefined, gpuModel: undefined } as const
    return judged(cpuScene(machine), { policy, freshness: { kind: 'challenge', challenge }, lease })
  }
  pair('BIND_CHALLENGE_INVALID', 'a record that was edited or is none', {
    twin: () => answered({}),
    bad: {
      'the lease edited': () => answered({ lease: 'lease-2' }),
      'a member added': () => answered({ note: 'trust me' }),
      'its end moved': () => answered({ exp: NOW + 100 }),
      'another nonce': () => answered({ nonce: toBase64(NONCE) }),
      'no object': () => decodeChallenge('challenge'),
      'another version': () => decoded({ v: 2 }),
      'no purpose of ours': () => decoded({ purpose: 'trust' }),
      'about a posture, and yet for a lease': () => decoded({ purpose: 'posture' }),
      'longer than a challenge lives': () => decoded({ exp: NOW + 111 }),
      'ended before it began': () => decoded({ exp: NOW - 10 }),
      'an id that is empty': () => decoded({ id: '' }),
      'random bytes of another length': () => decoded({ rand: toBase64(NONCE) }),
    },
  })
})

describe('several devices', () => {
  const two: How = {
    policy: gpuPolicy({ count: 2 }, { acceptRisks: ['plain-nvlink'] }),
    lease: { ...LEASE, gpuCount: 2 },
  }
  const pairOf = (wrong?: NvidiaMachineSpec['wrong'], how = two) =>
    judged(akashScene(CPU, gpus({ gpuCount: 2, wrong })), how)
  // The other driver has no manifest here, and is older than the usual policy takes.
  const anyDriver = {
    ...two,
    policy: gpuPolicy({ count: 2, rim: 'none', minDriver: '550.0' }, { acceptRisks: ['plain-nvlink'] }),
  }
  pair('GPU_MODE_MIXED', 'GPUs in different modes', {
    twin: () => pairOf(),
    bad: { 'one in another': () => pairOf('mode-mixed') },
  })
  pair('GPU_DRIVER_MIXED', 'GPUs under different drivers', {
    twin: () => pairOf(undefined, anyDriver),
    bad: { 'one under another': () => pairOf('driver-mixed', anyDriver) },
  })

  const board: How = {
    policy: gpuPolicy({ count: 8, modes: ['PPCIE'] }),
    lease: { ...LEASE, gpuCount: 8 },
  }
  const boardOf = (wrong?: NvidiaMachineSpec['wrong']) =>
    judged(bothScene(CPU, gpus({ gpuCount: 8, switchCount: 4, featureFlag: 'ppcie', wrong })), board)
  pair('GPU_SWITCH_UNLOCKED', 'a switch that is not locked', {
    twin: () => boardOf(),
    bad: { 'one of four': () => boardOf('switch-unlocked') },
  })
  pair('GPU_TOPOLOGY_IDENTITY', 'a switch that goes by the name of another', {
    twin: () => boardOf(),
    bad: { 'certified for another': () => boardOf('switch-identity') },
  })
})

describe('the level', () => {
  const nonce = derivedGpuNonce(digest, NONCE, undefined)
  const guarded = (binding: string) => policyOf(gpuDocument({ binding, nonce: 'composite' }, SIGNED_BY_TEAM))
  /** One GPU, covered by the report data of a guest whose publisher vouches for so much. */
  const shown = async (guarantees: readonly string[], binding = 'measured-guest') => {
    const nvidia = gpus({ nonce: await nonce })
    const digests = await Promise.all(nvidia.gpus.map((g) => digest('sha256', g.report)))
    const machine = cpu({ report: { reportData: await compositeReportData(digest, NONCE, undefined, digests) } })
    const items = [bundleItem('cpu', 'amd/snp-report', machine.report, [machine.table]), ...nvidiaItems(nvidia)]
    return judged(
      {
        evidence: bundle(items, { binding: 'composite' }),
        collateral: [...amdCollateral(machine), ...nvidiaCollateral(nvidia)],
        anchors: [...amdAnchors(machine), ...nvidiaAnchors(nvidia)],
      },
      { policy: guarded(binding), lease: LEASE, referenceValues: [referenceValue({ guarantees })] },
    )
  }
  pair('GPU_BINDING_INSUFFICIENT', 'GPUs that may sit in another machine', {
    twin: () => shown(['gpu-local', 'closed-quoting']),
    bad: {
      'nobody says where the guest takes them from': () => shown(['workload-pinned', 'closed-quoting']),
      'the guest commits to any list it is given': () => shown(['gpu-local']),
    },
  })

  const level4 = cpuPolicy({}, SIGNED_BY_TEAM, { level: 4 })
  const vouched = (guarantees: readonly string[]) =>
    judged(cpuScene(CPU), { policy: level4, referenceValues: [referenceValue({ guarantees })] })
  pair('APPRAISAL_LEVEL_TOO_LOW', 'an image whose publisher vouches for too little', {
    twin: () => vouched(['workload-pinned', 'closed-quoting']),
    bad: { 'the workload is not pinned': () => vouched(['closed-quoting']) },
  })
})
