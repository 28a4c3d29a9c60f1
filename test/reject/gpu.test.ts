import { describe, expect, test } from 'vitest'
import { compositeReportData, derivedGpuNonce } from '../../src/attestation/evidence-set/binding.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { toBase64 } from '../../src/core/encodings.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Decision } from '../../src/decision/decision.ts'
import {
  activeIndexes,
  akashGpuReport,
  type GpuReportSpec,
  type NvidiaMachine,
  type NvidiaMachineSpec,
  REPORT_FAULTS,
  type ReportFault,
  reportedMeasurements,
  rim,
} from '../../src/testing/index.ts'
import {
  alone,
  BOARD,
  CPU,
  firstOf,
  h100,
  judgedIn,
  kitRow,
  leased,
  named,
  ONE_H100,
  plainNvLink,
  settingOf,
  TWO_H100,
  twinIn,
} from './machines.ts'
import { accepted, type Check, type Judged, refused, row, rowTitle } from './row.ts'
import { referenceValue, SIGNED_BY_TEAM } from './signer.ts'
import {
  akashScene,
  amdAnchors,
  amdCollateral,
  bothScene,
  cpu,
  cpuPolicy,
  gpuPolicy,
  gpuScene,
  gpus,
  type How,
  json,
  judged,
  LEASE,
  loneGpu,
  NONCE,
  nonceOf,
  nvidiaAnchors,
  nvidiaCollateral,
  ONE_GPU,
  type Scene,
  SEED,
} from './stage.ts'

const ONE = gpus()
const TWO = gpus(TWO_H100.spec)

const one = (change: Partial<NvidiaMachineSpec> = {}, more: How = {}) => judgedIn(ONE_H100, change, more)
const two = (change: Partial<NvidiaMachineSpec> = {}, more: How = {}) => judgedIn(TWO_H100, change, more)
const good = () => twinIn(ONE_H100)

const digest = nodeCrypto.digest

/** One GPU that the report data of the CPU covers. */
async function composite(nonce: Uint8Array | Promise<Uint8Array>, how: How): Promise<Decision> {
  const nvidia = gpus({ nonce: await nonce })
  const digests = await Promise.all(nvidia.gpus.map((g) => digest('sha256', g.report)))
  const reportData = await compositeReportData(digest, NONCE, undefined, digests)
  const scene = bothScene(cpu({ report: { reportData } }), nvidia, { binding: 'composite' })
  return judged(scene, { lease: LEASE, ...how })
}

/** Many cases of one check, e.g. one for each index. */
const each = <T>(list: readonly T[], name: (of: T) => string, check: (of: T) => Judged | Promise<Judged>) =>
  Object.fromEntries(list.map((of): [string, Check] => [name(of), () => check(of)]))

const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, i) => (i === at ? byte ^ (1 << (at % 8)) : byte))

describe('how many, and which', () => {
  row('RJ-GPU-01', {
    twin: good,
    bad: {
      'snp-gpu with an empty list': () => one({ wrong: 'gpu-none' }),
      'snp-gpu without a list': () =>
        judged(akashScene(CPU, undefined, { tee_platform: 'snp-gpu' }), { ...ONE_H100.how }),
      'snp-gpu under a policy that asks for no GPU': () =>
        judged(akashScene(CPU, { ...ONE, gpus: [] }), { policy: cpuPolicy() }),
      'a policy that asks for one, no label, no lease': () =>
        judged(bothScene(CPU, { ...ONE, gpus: [] }), { policy: gpuPolicy({ count: 1 }) }),
    },
  })

  const eight = (shown: number, gpuCount: number, count: 'lease' | number) =>
    two({ gpuCount: shown }, { policy: plainNvLink({ count }), lease: leased(gpuCount) })
  row('RJ-GPU-02', {
    twin: { ...each(['7 of 8', '9 of 8', '8 leased, 4 in the policy'], String, () => eight(8, 8, 'lease')) },
    bad: {
      '7 of 8': () => eight(7, 8, 'lease'),
      '9 of 8': () => eight(9, 8, 'lease'),
      '8 leased, 4 in the policy': () => eight(8, 8, 4),
    },
  })
  row('RJ-GPU-02', {
    about: 'a GPU beside a lease of none',
    twin: () => one({}, { policy: gpuPolicy({ count: 1 }), lease: null }),
    bad: () => one({}, { policy: gpuPolicy({ count: 1 }), lease: { ...LEASE, teeType: 'cpu', gpuModel: undefined } }),
  })

  const all = two
  row('RJ-GPU-03', {
    twin: {
      'one report at two indexes': () => all(),
      'one GPU that answers twice': () => all(),
      'two attestation keys under one identity': () => all(),
      'one GPU shown eight times': () => all({ gpuCount: 8 }, { lease: leased(8) }),
      'one switch in two places': () => twinIn(BOARD),
    },
    bad: {
      'one report at two indexes': () => all({ wrong: 'gpu-repeated' }),
      'one GPU that answers twice': () => all({ wrong: 'gpu-repeated-anew' }),
      'two attestation keys under one identity': () => all({ wrong: 'identity-shared' }),
      'one GPU shown eight times': () => all({ gpuCount: 8, wrong: 'gpu-all-one' }, { lease: leased(8) }),
      'one switch in two places': {
        code: 'GPU_NOT_DISTINCT',
        also: ['GPU_TOPOLOGY_MISMATCH'],
        check: () => judgedIn(BOARD, { wrong: 'switch-repeated' }),
      },
    },
  })

  const indexed = (...indexes: readonly (number | string)[]) => {
    const gpu_reports = TWO.gpus.map((gpu, i) => ({
      device_index: indexes[i] ?? 0,
      report: toBase64(akashGpuReport(gpu)),
    }))
    return judged(akashScene(CPU, TWO, { gpu_reports }), TWO_H100.how)
  }
  row('RJ-GPU-04', {
    twin: () => indexed(0, 1),
    bad: {
      '0, 0': () => indexed(0, 0),
      '0, 2': () => indexed(0, 2),
      '1, 2': () => indexed(1, 2),
      '0, -1': () => indexed(0, -1),
      '0, 4294967297': () => indexed(0, 2 ** 32 + 1),
    },
  })
  test('RJ-GPU-04 takes the indexes in any order', async () => accepted(await indexed(1, 0)))

  const h200: Partial<NvidiaMachineSpec> = {
    gpu: (report) => ({ ...report, project: 'G520', projectSku: '0280', chipSku: '895' }),
  }
  const unknown: Partial<NvidiaMachineSpec> = { gpu: (report) => ({ ...report, projectSku: '9999' }) }
  const of = (gpuModel: string | undefined): How => ({ lease: { ...LEASE, gpuModel } })
  row('RJ-GPU-24', {
    twin: {
      'H100 leased, H200 shown': () => one(h200, of('H200')),
      'H200 leased, H100 shown': good,
      'H100 shown, H200 in the policy': () => one(h200, { ...of(undefined), policy: h100({ models: ['H200'] }) }),
      'a board that is nobody’s': () => one(h200, of(undefined)),
    },
    bad: {
      'H100 leased, H200 shown': () => one(h200, of('H100')),
      'H200 leased, H100 shown': () => one({}, of('H200')),
      'H100 shown, H200 in the policy': () => one({}, { ...of(undefined), policy: h100({ models: ['H200'] }) }),
      'a board that is nobody’s': { code: 'APPRAISAL_CLAIM_MISSING', check: () => one(unknown, of(undefined)) },
    },
  })

  const driver = (driverVersion: string, rule: JsonObject) => one({ driverVersion }, { policy: h100(rule) })
  const vbios = (vbiosVersion: string, rule: JsonObject) => one({ vbiosVersion }, { policy: h100(rule) })
  row('RJ-GPU-23', {
    twin: {
      '535.x': () => driver('550.90.07', {}),
      '550.54.15 under 550.90.07': () => driver('550.90.07', {}),
      'a driver below the tenant’s own minimum': () => driver('580.95.05', { minDriver: '580.95.05' }),
      'a driver that is denied': () => driver('550.144.03', { denyDrivers: ['550.127.05'] }),
      'a VBIOS below the minimum': () => vbios('96.00.CF.00.01', { minVbios: '96.00.CF.00.01' }),
      'a VBIOS that is denied': () => vbios('96.00.74.00.20', { denyVbios: ['96.00.74.00.1C'] }),
    },
    bad: {
      '535.x': () => driver('535.86.09', {}),
      '550.54.15 under 550.90.07': () => driver('550.54.15', {}),
      'a driver below the tenant’s own minimum': () => driver('580.65.06', { minDriver: '580.95.05' }),
      'a driver that is denied': () => driver('550.127.05', { denyDrivers: ['550.127.05'] }),
      'a VBIOS below the minimum': () => vbios('96.00.9F.00.01', { minVbios: '96.00.CF.00.01' }),
      'a VBIOS that is denied': () => vbios('96.00.74.00.1C', { denyVbios: ['96.00.74.00.1C'] }),
    },
  })
})

describe('the nonce', () => {
  const faults = named('RJ-GPU-05').filter((wrong) => wrong.endsWith('nonce-differs'))
  row('RJ-GPU-05', {
    about: 'in NVIDIA evidence alone',
    twin: () => alone(gpus(BOARD.spec)),
    bad: {
      ...each(faults, String, (wrong) => alone(gpus({ ...settingOf(wrong).spec, wrong }))),
      'the last GPU': () => alone(gpus({ ...TWO_H100.spec, wrong: 'nonce-mixed' })),
      'the last switch': () => alone(gpus({ ...BOARD.spec, wrong: 'switch-nonce' })),
      'the second half of the challenge': () => alone(gpus({ nonce: NONCE.subarray(32) })),
      'another challenge': async () => alone(gpus(), { freshness: { kind: 'nonce', nonce: await nonceOf('B') } }),
    },
  })
  kitRow('RJ-GPU-05', { codes: Object.fromEntries(named('RJ-GPU-05').map((w) => [w, 'BIND_SET_NOT_UNIFORM'])) })

  row('RJ-GPU-29', {
    about: 'in NVIDIA evidence alone',
    twin: () => alone(gpus(BOARD.spec)),
    bad: each(named('RJ-GPU-29'), String, (wrong) => alone(gpus({ ...settingOf(wrong).spec, wrong }))),
  })
  kitRow('RJ-GPU-29', { codes: Object.fromEntries(named('RJ-GPU-29').map((w) => [w, 'BIND_SET_NOT_UNIFORM'])) })

  const derived = derivedGpuNonce(digest, NONCE, undefined)
  const shown = async (nonce: Uint8Array | Promise<Uint8Array>, binding: string, how: How, machine = CPU) =>
    judged(bothScene(machine, gpus({ nonce: await nonce }), { binding }), { lease: LEASE, ...how })
  const raw = NONCE.subarray(0, 32)
  row('RJ-GPU-06', {
    twin: {
      'of a bundle that says derived': () => shown(derived, 'derived', { policy: h100({ nonce: 'derived' }) }),
      'of a bundle that says derived, under a policy that takes both': () =>
        shown(derived, 'derived', { policy: h100() }),
      'of a bundle that says raw': () => shown(raw, 'raw', { policy: h100() }),
      'of a bundle that says composite': () => composite(derived, { policy: h100({ nonce: 'composite' }) }),
      'of Akash': good,
    },
    bad: {
      'of a bundle that says derived': () => shown(raw, 'derived', { policy: h100({ nonce: 'derived' }) }),
      'of a bundle that says derived, under a policy that takes both': () => shown(raw, 'derived', { policy: h100() }),
      'of a bundle that says raw': () => shown(raw, 'raw', { policy: h100({ nonce: 'derived' }) }),
      'of a bundle that says composite': () => composite(raw, { policy: h100({ nonce: 'composite' }) }),
      'of Akash': () => one({}, { policy: h100({ nonce: 'derived' }) }),
    },
  })
})

describe('the bytes of the report', () => {
  kitRow('RJ-GPU-07', {
    and: [
      'report/signature-not-requested',
      'report/operation-one-block',
      'switch-report/signature-not-requested',
      'switch-report/operation-one-block',
    ],
  })
  kitRow('RJ-GPU-08', {
    codes: { 'report/empty': 'GPU_PEM_SPLIT_INVALID', 'switch-report/empty': 'ENV_EVIDENCE_EMPTY' },
  })
  kitRow('RJ-GPU-09')
  kitRow('RJ-GPU-10')
  kitRow('RJ-GPU-28')

  const packed = (cecBytes: number) => {
    const report = akashGpuReport(firstOf(ONE), { cec: new Uint8Array(cecBytes).fill(0xa5) })
    return judged(akashScene(CPU, ONE, { gpu_reports: [{ device_index: 0, report: toBase64(report) }] }), ONE_H100.how)
  }
  kitRow('RJ-GPU-26')
  row('RJ-GPU-26', {
    about: 'which are too few for the CEC report that Akash puts there',
    twin: () => packed(96),
    bad: { 'one byte': () => packed(1), '95 bytes': () => packed(95) },
  })
})

describe('the signature', () => {
  kitRow('RJ-GPU-11', {
    codes: { 'report/signature-der': 'GPU_TRAILING_BYTES', 'switch-report/signature-der': 'GPU_TRAILING_BYTES' },
  })

  // Offsets of what the decoder has no opinion on: nonces, one byte of every measurement, the signature itself.
  const { report } = firstOf(ONE)
  const record = 45 + 64 * 55
  const free = [
    ...range(4, 36),
    ...range(0, 64).map((block) => 45 + block * 55 + 7 + (block % 48)),
    ...range(record, record + 32),
    ...range(report.length - 96, report.length),
  ]
  const shown = (bytes: Uint8Array) => {
    const gpu = { ...firstOf(ONE), report: bytes }
    return judged(akashScene(CPU, { ...ONE, gpus: [gpu] }), ONE_H100.how)
  }
  row('RJ-GPU-11', {
    about: 'one bit of every byte that no decoder looks at',
    twin: () => shown(report),
    bad: each(
      free,
      (at) => `byte ${at}`,
      (at) => shown(flipped(report, at)),
    ),
  })
})

function range(from: number, before: number): readonly number[] {
  return Array.from({ length: before - from }, (_, i) => from + i)
}

describe('the mode', () => {
  const passed: How = { policy: h100({ modes: ['SPT', 'MPT'] }) }
  const singly: How = { policy: h100({ modes: ['SPT'] }) }
  /** Covered by the report data of a guest whose publisher vouches for so much; the GPU's nonce is derived. */
  const vouched = (...guarantees: string[]) =>
    composite(derivedGpuNonce(digest, NONCE, undefined), {
      policy: gpuPolicy({ devtools: 'excluded', binding: 'measured-guest', nonce: 'composite' }, SIGNED_BY_TEAM),
      referenceValues: [referenceValue({ guarantees })],
    })
  row('RJ-GPU-12', {
    twin: {
      'a GPU in PPCIE mode, which has CC mode off': () => one({}, passed),
      'the same without the flag, by its PPCIE status': () => one({ generation: 'r550' }, passed),
      'a flag that does not exist': () => one({}, passed),
      'MPT where SPT alone is allowed': () => one({}, singly),
      'no flag where it matters': () => one({ wrong: 'report/feature-flag-missing' }, passed),
      'two GPUs in two modes': () => two(),
      'devtools mode not excluded': () => vouched('gpu-local', 'closed-quoting'),
    },
    bad: {
      'a GPU in PPCIE mode, which has CC mode off': () => one({ featureFlag: 'ppcie' }, passed),
      'the same without the flag, by its PPCIE status': () => one({ featureFlag: 'ppcie', generation: 'r550' }, passed),
      'a flag that does not exist': {
        code: 'GPU_REPORT_UNSUPPORTED',
        check: () => one({ wrong: 'report/feature-flag-3' }, passed),
      },
      'MPT where SPT alone is allowed': {
        code: 'GPU_MODE_NOT_ALLOWED',
        check: () => one({ featureFlag: 'mpt' }, singly),
      },
      'no flag where it matters': {
        code: 'GPU_MODE_UNKNOWN',
        check: () => one({ wrong: 'report/feature-flag-missing' }, singly),
      },
      'two GPUs in two modes': { code: 'GPU_MODE_MIXED', check: () => two({ wrong: 'mode-mixed' }) },
      'devtools mode not excluded': {
        code: 'GPU_DEVTOOLS_NOT_EXCLUDED',
        check: () => vouched('workload-pinned', 'closed-quoting', 'key-in-tee'),
      },
    },
  })
})

/** A board whose devices agree on `count` switches, so that nothing but the number is wrong. */
const smallBoard = (gpuCount: number, switchCount: number): Promise<Decision> =>
  judgedIn(BOARD, { gpuCount, switchCount }, { policy: plainNvLink({ modes: ['PPCIE'] }), lease: leased(gpuCount) })

describe('several GPUs', () => {
  const complete = () => smallBoard(8, 4)
  row('RJ-GPU-13', {
    twin: complete,
    bad: {
      '8 GPUs, 3 switches that agree': () => smallBoard(8, 3),
      '7 GPUs, 4 switches that agree': () => smallBoard(7, 4),
      '8 GPUs, 1 switch': () => smallBoard(8, 1),
      '8 GPUs, no switch': () => smallBoard(8, 0),
      'one GPU alone, under the preset': () => one({ featureFlag: 'ppcie' }, { policy: h100() }),
      'a switch left out': {
        code: 'GPU_TOPOLOGY_INCOMPLETE',
        also: ['GPU_TOPOLOGY_MISMATCH', 'GPU_NVLINK_NOT_PROTECTED'],
        check: () => judgedIn(BOARD, { wrong: 'switch-missing' }),
      },
      'a fifth switch that no GPU sees': {
        code: 'GPU_TOPOLOGY_INCOMPLETE',
        also: ['GPU_TOPOLOGY_MISMATCH', 'GPU_NVLINK_NOT_PROTECTED'],
        check: () => judgedIn(BOARD, { wrong: 'switch-extra' }),
      },
    },
  })
  kitRow('RJ-GPU-14', {
    but: ['switch-extra'],
    and: ['switch-position-repeated', 'switch-unlocked'],
    codes: {
      'switch-identity': 'GPU_TOPOLOGY_IDENTITY',
      'switch-pdi': 'GPU_TOPOLOGY_IDENTITY',
      'switch-unlocked': 'GPU_SWITCH_UNLOCKED',
    },
  })

  const silent = (spec: Partial<NvidiaMachineSpec>, policy = gpuPolicy({}, {})) =>
    two(spec, { policy, lease: leased(spec.gpuCount ?? 2) })
  const accepting = (spec: Partial<NvidiaMachineSpec>) => silent(spec, plainNvLink())
  const cases: Readonly<Record<string, Partial<NvidiaMachineSpec>>> = {
    'two H100': { gpuCount: 2 },
    'four H100': { gpuCount: 4 },
    'eight H100': { gpuCount: 8 },
    'four H100 in MPT mode': { gpuCount: 4, featureFlag: 'mpt' },
  }
  const inEach = (judge: (spec: Partial<NvidiaMachineSpec>) => Promise<Decision>) =>
    Object.fromEntries(Object.entries(cases).map(([name, spec]) => [name, () => judge(spec)]))
  row('RJ-GPU-15', { twin: inEach(accepting), bad: inEach(silent) })
  row('RJ-GPU-15', {
    about: 'beside a board that is protected, and GPUs that encrypt',
    twin: {
      'eight H100': () => twinIn(BOARD),
      'four H100': () =>
        judged(
          bothScene(
            CPU,
            gpus({ architecture: 'blackwell', vbiosVersion: '97.00.88.00.0F', gpuCount: 4, featureFlag: 'mpt' }),
          ),
          { policy: gpuPolicy({ models: ['B200'] }), lease: { ...LEASE, gpuCount: 4, gpuModel: 'B200' } },
        ),
    },
    bad: {
      'eight H100': () => judgedIn(BOARD, { featureFlag: 'spt', switchCount: 0 }, { policy: h100() }),
      'four H100': () => silent({ gpuCount: 4 }),
    },
  })
})

describe('the certificates', () => {
  kitRow('RJ-GPU-22', { codes: { 'report/fwid-missing': 'GPU_FWID_MISSING', 'leaf-fwid-absent': 'GPU_FWID_MISSING' } })
  kitRow('RJ-GPU-25', { codes: { 'chain-foreign-root-swapped': 'X509_SIGNATURE_INVALID' } })
  row('RJ-GPU-25', {
    about: 'at every length',
    twin: () => chainOf(5),
    bad: {
      ...each([4, 3, 2, 1], (count) => `${count} certificates`, chainOf),
      'under the pinned roots alone': () => judged({ ...akashScene(CPU, ONE), anchors: amdAnchors(CPU) }, ONE_H100.how),
    },
  })
  kitRow('RJ-GPU-27', {
    codes: { 'chain-leaf-only': 'X509_ROOT_UNTRUSTED', 'chain-empty': 'GPU_PEM_SPLIT_INVALID' },
  })

  function chainOf(count: number): Promise<Decision> {
    const { report, chainPem } = firstOf(ONE)
    const end = '-----END CERTIFICATE-----\n'
    const pem = chainPem.split(end).slice(0, count).join(end) + end
    const bytes = akashGpuReport({ report, chainPem: pem })
    return judged(akashScene(CPU, ONE, { gpu_reports: [{ device_index: 0, report: toBase64(bytes) }] }), ONE_H100.how)
  }

  // Only NVIDIA's own form has a label beside the certificates, and it has no place for CPU evidence.
  const labelled = async (arch: string, nvidia: NvidiaMachine) => {
    const { report, chainPem } = firstOf(nvidia)
    const evidence = json({ arch, evidence: toBase64(report), certificate: toBase64(utf8(chainPem)) })
    const { findings } = await judged({ ...gpuScene(nvidia), evidence }, { policy: null })
    return findings.filter((f) => f.code !== 'POLICY_MISSING')
  }
  const blackwell = gpus({ architecture: 'blackwell', vbiosVersion: '97.00.88.00.0F' })
  row('RJ-GPU-16', {
    twin: {
      'HOPPER, certificates of Blackwell': () => labelled('BLACKWELL', blackwell),
      'BLACKWELL, certificates of Hopper': () => labelled('HOPPER', ONE),
      'a label that does not exist': () => labelled('HOPPER', ONE),
      'a GPU’s report under a switch’s chain': good,
    },
    bad: {
      'HOPPER, certificates of Blackwell': () => labelled('HOPPER', blackwell),
      'BLACKWELL, certificates of Hopper': () => labelled('BLACKWELL', ONE),
      'a label that does not exist': () => labelled('RUBIN', ONE),
      'a GPU’s report under a switch’s chain': () => one({ wrong: 'switch-signs' }),
    },
  })

  kitRow('RJ-GPU-20', {
    and: ['ocsp-identity/certid-sibling', 'ocsp-identity/certid-issuer'],
    codes: {
      'ocsp-rim-missing': 'OCSP_MISSING',
      'ocsp-rim-signer/stale': 'OCSP_STALE',
      'ocsp-rim-signer/future': 'OCSP_STALE',
      'ocsp-rim-signer/no-next-update': 'OCSP_STALE',
      'ocsp-rim-signer/try-later': 'OCSP_MISSING',
    },
  })
  const asked: How = { policy: h100({ revocation: 'required' }) }
  const ofRims = ONE.ocspResponses.filter((r) => r.of.includes('/rim-')).map((r) => r.der)
  const withRims: How = {
    collateral: [...amdCollateral(CPU), ONE.driverRim.bytes, ONE.vbiosRim.bytes, ...ofRims],
  }
  row('RJ-GPU-20', {
    about: 'where nothing at all was given',
    twin: {
      'revocation required': () => one({}, asked),
      'revocation stapled': good,
    },
    bad: {
      'revocation required': () => one({}, { ...asked, ...withRims }),
      'revocation stapled': { code: 'OCSP_MISSING', check: () => one({}, withRims) },
    },
  })
  kitRow('RJ-GPU-21', { codes: { 'ocsp-unknown': 'OCSP_INVALID' } })
})

describe('the reference manifests', () => {
  const gpuOf = (edits: Partial<GpuReportSpec>) => {
    const lone = loneGpu('gpu-0', {}, edits)
    const scene = akashScene(CPU, { ...ONE, gpus: [lone] })
    return judged({ ...scene, collateral: [...scene.collateral, ...lone.ocsp] }, ONE_H100.how)
  }
  const golden = reportedMeasurements(
    SEED,
    'hopper',
    { driver: ONE_GPU.driverVersion, vbios: ONE_GPU.vbiosVersion },
    64,
  )
  const differing = (index: number): Partial<GpuReportSpec> => ({
    // Index 35 counts only where NVDEC0 is there.
    nvdec0Status: 0xaa,
    measurements: { [index]: flipped(golden[index] ?? new Uint8Array(48), 47) },
  })
  const active = [...activeIndexes('hopper', 'driver'), ...activeIndexes('hopper', 'vbios')]
  row('RJ-GPU-17', {
    about: 'each index in turn',
    twin: () => gpuOf({ nvdec0Status: 0xaa }),
    bad: each(
      active,
      (index) => `index ${index}`,
      (index) => gpuOf(differing(index)),
    ),
  })
  const inactive = range(0, 64).filter((index) => !active.includes(index))
  test(`RJ-GPU-17 compares no index that no manifest names (${inactive.length} executions)`, async () => {
    for (const index of inactive) accepted(await gpuOf(differing(index)), `index ${index}`)
  })
  kitRow('RJ-GPU-17')
  kitRow('RJ-GPU-18')
  kitRow('RJ-GPU-19')

  const folder = (...rims: readonly Uint8Array[]): How => ({
    collateral: [...amdCollateral(CPU), ...ONE.ocspResponses.map((r) => r.der), ...rims],
  })
  const version = (kind: 'driver' | 'vbios', of: string) => rim({ pki: ONE.pki, kind, version: of }).bytes
  const { driverRim, vbiosRim } = ONE
  const board = gpus(BOARD.spec)
  row('RJ-GPU-30', {
    twin: {
      ...each(['none', 'no driver', 'no VBIOS', 'other driver', 'other VBIOS'], String, () =>
        one({}, folder(driverRim.bytes, vbiosRim.bytes)),
      ),
      'no switch BIOS': () => twinIn(BOARD),
    },
    bad: {
      none: () => one({}, folder()),
      'no driver': () => one({}, folder(vbiosRim.bytes)),
      'no VBIOS': () => one({}, folder(driverRim.bytes)),
      'other driver': () => one({}, folder(version('driver', '580.159.04'), vbiosRim.bytes)),
      'other VBIOS': () => one({}, folder(driverRim.bytes, version('vbios', '96.00.FE.00.02'))),
      'no switch BIOS': () =>
        judged(
          {
            ...bothScene(CPU, board),
            collateral: [...amdCollateral(CPU), ...nvidiaCollateral(board)].filter((b) => b !== board.switchRim?.bytes),
          },
          BOARD.how,
        ),
    },
  })
})

describe('one GPU beside another', () => {
  const malformed = (Object.keys(REPORT_FAULTS) as ReportFault[]).filter((wrong) =>
    named('RJ-GPU-08').includes(`report/${wrong}`),
  )
  test(`${rowTitle('RJ-GPU-31')} (${malformed.length - 1} executions)`, async () => {
    const twin = await twinIn(TWO_H100)
    accepted(twin)
    expect(twin.items.map((i) => [i.id, i.verdict])).toEqual([
      ['cpu', 'accept'],
      ['gpu-0', 'accept'],
      ['gpu-1', 'accept'],
    ])
    for (const wrong of malformed.filter((name) => name !== 'empty')) {
      const decision = await two({ wrong: `report/${wrong}` })
      refused(decision, ['GPU_SPDM_MALFORMED'], wrong)
      const [cpuItem, first, second] = decision.items
      expect([cpuItem?.verdict, first?.verdict, second?.verdict], wrong).toEqual(['accept', 'accept', 'reject'])
      expect(second?.findings.map((f) => f.code)).toEqual(['GPU_SPDM_MALFORMED'])
      // Nothing of the first is the second's, and nothing of the whole is left standing on the first.
      expect([first?.hardwareId === undefined, second?.hardwareId, second?.claims]).toEqual([
        false,
        undefined,
        undefined,
      ])
      expect([decision.level, decision.gpuBinding, decision.validUntil]).toEqual([0, 'none', decision.decidedAt])
    }
  })

  test('RJ-GPU-31 on a board, whose other devices it says nothing about', async () => {
    const decision = await judgedIn(BOARD, { wrong: 'report/cut-signature' })
    refused(decision, ['GPU_SPDM_MALFORMED'])
    expect(decision.findings.map((f) => f.item)).toEqual(['gpu-7'])
    expect(decision.topology).toBeUndefined()
  })

  test('RJ-GPU-31 the first unreadable, the second good', async () => {
    const [a, b] = TWO.gpus
    const cut = { ...firstOf(TWO), report: firstOf(TWO).report.subarray(0, 500) }
    if (a === undefined || b === undefined) throw new TypeError('two GPUs')
    const scene: Scene = {
      ...akashScene(CPU, { ...TWO, gpus: [cut, b] }),
      anchors: [...amdAnchors(CPU), ...nvidiaAnchors(TWO)],
    }
    const decision = await judged(scene, TWO_H100.how)
    refused(decision, ['GPU_SPDM_MALFORMED'])
    expect(decision.items.map((i) => i.verdict)).toEqual(['accept', 'reject', 'accept'])
  })
})
