import { describe, expect, it } from 'vitest'
import type { GpuClaims } from '../../src/attestation/claims.ts'
import type { RevocationReport } from '../../src/attestation/kind.ts'
import { fault } from '../../src/core/outcome.ts'
import { type AppraisalSubject, type AppraisedItem, appraise, type LeaseTerms } from '../../src/policy/index.ts'
import {
  codes,
  cpuItem,
  documentWith,
  documentWithGpu,
  gpuItem,
  type Json,
  NVIDIA_GOOD,
  policyOf,
  subjectOf,
  switchItem,
  unmet,
} from './support.ts'

const AT = 'policy#/require/gpu'
const machine = (gpus: readonly AppraisedItem[], change: Partial<AppraisalSubject> = {}) =>
  subjectOf([cpuItem(), ...gpus], change)
const gpus = (n: number, change: Partial<GpuClaims> = {}) => Array.from({ length: n }, (_, i) => gpuItem(change, i))
const lease = (change: Partial<LeaseTerms> = {}): LeaseTerms => ({
  teeType: 'cpu-gpu',
  gpuCount: 1,
  gpuModel: undefined,
  hostData: undefined,
  ...change,
})

function judged(rule: Json, bad: Partial<GpuClaims>, expected: string[], good: Partial<GpuClaims> = {}) {
  const document = documentWithGpu(rule)
  expect(unmet(document, machine([gpuItem(good)]))).toEqual([])
  expect(unmet(document, machine([gpuItem(bad)]))).toEqual(expected)
}

describe('how many GPUs', () => {
  it('RJ-GPU-01 none, where some are required', () => {
    expect(unmet(documentWithGpu(), machine([]))).toEqual([`GPU_COUNT_ZERO set.gpu.count ${AT}/count`])
    expect(codes(documentWithGpu(), machine(gpus(1)))).toEqual([])
    const byLease = documentWithGpu({ count: 'lease' })
    expect(codes(byLease, machine([], { lease: lease() }))).toEqual(['GPU_COUNT_ZERO'])
    // Zero of zero is no pass either: a policy for GPUs needs one.
    expect(codes(byLease, machine([], { lease: lease({ gpuCount: 0 }) }))).toEqual(['GPU_COUNT_ZERO'])
    expect(codes(byLease, machine([], { lease: lease({ teeType: 'cpu', gpuCount: undefined }) }))).toEqual([
      'GPU_COUNT_ZERO',
    ])
  })

  it('RJ-GPU-02 fewer and more than leased or named', () => {
    const eight = { count: 8, models: ['H100', 'B200'] }
    const blackwell = { architecture: 'BLACKWELL', model: 'B200' } as const
    expect(codes(documentWithGpu(eight), machine(gpus(8, blackwell)))).toEqual([])
    for (const n of [7, 9]) {
      expect(unmet(documentWithGpu(eight), machine(gpus(n, blackwell)))).toEqual([
        `GPU_COUNT_MISMATCH set.gpu.count ${AT}/count`,
      ])
    }
    const byLease = documentWithGpu({ ...eight, count: 'lease' })
    expect(codes(byLease, machine(gpus(8, blackwell), { lease: lease({ gpuCount: 8 }) }))).toEqual([])
    for (const n of [7, 9]) {
      expect(codes(byLease, machine(gpus(n, blackwell), { lease: lease({ gpuCount: 8 }) }))).toEqual([
        'GPU_COUNT_MISMATCH',
      ])
    }
    // A lease that is given is compared with a number too.
    expect(codes(documentWithGpu(eight), machine(gpus(8, blackwell), { lease: lease({ gpuCount: 4 }) }))).toEqual([
      'GPU_COUNT_MISMATCH',
    ])
    expect(codes(documentWithGpu(), machine(gpus(1), { lease: lease({ teeType: 'cpu' }) }))).toEqual([
      'GPU_COUNT_MISMATCH',
    ])
  })

  it('counts what was shown, proved or not', () => {
    const two = machine(gpus(1), {
      presented: [
        { id: 'cpu', kind: 'amd/snp-report' },
        { id: 'gpu-0', kind: 'nvidia/gpu-report' },
        { id: 'gpu-1', kind: 'nvidia/gpu-report' },
      ],
    })
    expect(codes(documentWithGpu({ count: 2, models: 'any' }), two)).toEqual([])
    expect(codes(documentWithGpu({ count: 1 }), two)).toEqual(['GPU_COUNT_MISMATCH'])
  })

  it('needs the lease to count by it', () => {
    const document = documentWithGpu({ count: 'lease' })
    const told = [`APPRAISAL_LEASE_MISSING set.lease.gpuCount ${AT}/count`]
    expect(unmet(document, machine(gpus(1)))).toEqual(told)
    expect(unmet(document, machine(gpus(1), { lease: lease({ gpuCount: undefined }) }))).toEqual(told)
    expect(unmet(document, machine(gpus(1), { lease: lease() }))).toEqual([])
  })

  it('refuses every GPU and switch where the policy says none, and asks nothing where it says any', () => {
    const found = [gpuItem({ model: 'H200' }), switchItem()]
    expect(unmet(documentWith(), machine(found))).toEqual([
      `GPU_NOT_EXPECTED gpu-0 ${AT}`,
      `GPU_NOT_EXPECTED switch-0 ${AT}`,
    ])
    expect(codes(documentWith(), machine([]))).toEqual([])
    const unproved = machine([], {
      presented: [
        { id: 'cpu', kind: 'amd/snp-report' },
        { id: 'gpu-0', kind: 'nvidia/gpu-report' },
      ],
    })
    expect(codes(documentWith(), unproved)).toEqual(['GPU_NOT_EXPECTED'])
    expect(codes(documentWith({}, {}, { gpu: 'any' }), machine(found))).toEqual([])
  })

  it('holds the GPUs against the lease even where the policy does not rely on them', () => {
    const any = documentWith({}, {}, { gpu: 'any' })
    const leased = (change: Partial<LeaseTerms>) => ({ lease: lease({ gpuModel: 'H200', gpuCount: 8, ...change }) })
    expect(unmet(any, machine(gpus(8, { model: 'H200' }), leased({})))).toEqual([])
    expect(unmet(any, machine(gpus(7, { model: 'H200' }), leased({})))).toEqual([
      'GPU_COUNT_MISMATCH set.gpu.count lease#/gpuCount',
    ])
    expect(unmet(any, machine([], leased({})))).toEqual(['GPU_COUNT_ZERO set.gpu.count lease#/gpuCount'])
    expect(unmet(any, machine(gpus(1), leased({ gpuCount: 1 })))).toEqual([
      'GPU_MODEL_MISMATCH gpu-0.model lease#/gpuModel',
    ])
    expect(codes(any, machine(gpus(1), leased({ gpuCount: undefined, gpuModel: undefined })))).toEqual([])
  })
})

describe('which GPUs', () => {
  it('RJ-GPU-24 the model, of the policy and of the lease', () => {
    judged({}, { model: 'H200' }, [`GPU_MODEL_MISMATCH gpu-0.model ${AT}/models`])
    judged({}, { model: undefined }, [`APPRAISAL_CLAIM_MISSING gpu-0.model ${AT}/models`])
    const any = documentWithGpu({ models: 'any' })
    expect(codes(any, machine([gpuItem({ model: undefined })]))).toEqual([])
    const board = { model: undefined, project: '1010', projectSku: '0205', chipSku: '862' }
    expect(appraise(policyOf(documentWithGpu()), machine([gpuItem(board)])).faults.map((f) => f.fault)).toMatchObject([
      { expected: 'H100', actual: 'an unknown board: project 1010, SKU 0205, chip SKU 862' },
    ])
    const leased = { lease: lease({ gpuModel: 'h100' }) }
    expect(codes(any, machine([gpuItem()], leased))).toEqual([])
    expect(unmet(any, machine([gpuItem({ model: 'H200' })], leased))).toEqual([
      'GPU_MODEL_MISMATCH gpu-0.model lease#/gpuModel',
    ])
    expect(codes(any, machine([gpuItem({ model: undefined })], leased))).toEqual(['APPRAISAL_CLAIM_MISSING'])
  })

  it('the devices, by identity', () => {
    judged({ deviceIds: ['41ffeeb20009e0be49'] }, { ikSerial: '41ffeeb20009e0be4a' }, [
      `GPU_DEVICE_NOT_ALLOWED gpu-0.ikSerial ${AT}/deviceIds`,
    ])
  })

  it('RJ-GPU-23 driver and VBIOS, numerically', () => {
    const driver = (driverVersion: string) => ({ driverVersion })
    const told = [`GPU_VERSION_BELOW_MINIMUM gpu-0.driverVersion ${AT}/minDriver`]
    judged({ minDriver: '550.90.07' }, driver('535.86.09'), told, driver('550.90.07'))
    judged({ minDriver: '550.90' }, driver('550.9'), told, driver('550.144'))
    judged({ minDriver: '550' }, driver('545.00'), told, driver('550.0'))
    judged({ minDriver: '550' }, driver('not-a-version'), told)
    judged({ denyDrivers: ['550.54.14'] }, driver('550.54.14'), [
      `GPU_VERSION_BELOW_MINIMUM gpu-0.driverVersion ${AT}/denyDrivers`,
    ])
    const vbios = (vbiosVersion: string) => ({ vbiosVersion })
    const toldVbios = [`GPU_VERSION_BELOW_MINIMUM gpu-0.vbiosVersion ${AT}/minVbios`]
    judged({ minVbios: '96.00.CF.00.01' }, vbios('96.00.74.00.20'), toldVbios, vbios('96.00.D0.00.00'))
    judged({ minVbios: '96.00.9F.00.01' }, vbios('96.00.74.00.20'), toldVbios, vbios('96.00.cf.00.01'))
    judged({ denyVbios: ['96.00.74.00.1c'] }, vbios('96.00.74.00.1C'), [
      `GPU_VERSION_BELOW_MINIMUM gpu-0.vbiosVersion ${AT}/denyVbios`,
    ])
  })

  it('judges every GPU, not the first', () => {
    const blackwell = { architecture: 'BLACKWELL', model: 'B200' } as const
    const items = [gpuItem(blackwell, 0), gpuItem({ ...blackwell, driverVersion: '535.1' }, 1)]
    expect(unmet(documentWithGpu({ count: 2, models: ['B200'], minDriver: '550' }), machine(items))).toEqual([
      `GPU_VERSION_BELOW_MINIMUM gpu-1.driverVersion ${AT}/minDriver`,
    ])
  })
})

describe('their mode', () => {
  const told = (code: string) => [`${code} gpu-0.featureFlag ${AT}/modes`]

  it('RJ-GPU-12 CC mode: a GPU in PPCIE mode where CC is asked for', () => {
    judged({ modes: ['SPT'] }, { featureFlag: 'PPCIE', protectedPcie: true }, told('GPU_CC_MODE'))
    judged({ modes: ['SPT', 'MPT'] }, { featureFlag: undefined, protectedPcie: true }, told('GPU_CC_MODE'))
  })

  it('another multi-GPU mode', () => {
    judged({ modes: ['SPT'] }, { featureFlag: 'MPT' }, told('GPU_MODE_NOT_ALLOWED'))
    const board = documentWithGpu({ modes: ['PPCIE'], count: 'lease' })
    expect(unmet(board, machine([gpuItem()], { lease: lease() }))).toEqual(told('GPU_MODE_NOT_ALLOWED'))
  })

  it('a report that does not say its mode', () => {
    const silent = { featureFlag: undefined, protectedPcie: undefined }
    judged({ modes: ['SPT'] }, silent, told('GPU_MODE_UNKNOWN'))
    judged({ modes: ['SPT', 'MPT'] }, silent, told('GPU_MODE_UNKNOWN'), {
      featureFlag: undefined,
      protectedPcie: false,
    })
    judged({ modes: ['SPT', 'PPCIE'] }, { featureFlag: undefined, protectedPcie: false }, told('GPU_MODE_UNKNOWN'))
    expect(codes(documentWithGpu({ modes: ['SPT', 'MPT', 'PPCIE'] }), machine([gpuItem(silent)]))).toEqual([])
    expect(codes(documentWithGpu(), machine([gpuItem(silent)]))).toEqual([])
  })
})

describe('several Hopper GPUs', () => {
  const PPCIE = { featureFlag: 'PPCIE', protectedPcie: true } as const
  const switches = (n: number) => Array.from({ length: n }, (_, i) => switchItem({}, i))
  const board = (g: number, s: number, change: Partial<GpuClaims> = PPCIE) =>
    machine([...gpus(g, change), ...switches(s)])
  const eight = documentWithGpu({ count: 8 })
  const told = ['GPU_NVLINK_NOT_PROTECTED set.gpu.nvLink policy#/acceptRisks']
  const incomplete = [`GPU_TOPOLOGY_INCOMPLETE set.gpu.board ${AT}`]

  it('RJ-GPU-15 need a whole board in PPCIE mode, or the named risk', () => {
    const models = ['H100', 'B200']
    expect(unmet(documentWithGpu({ count: 4, models }), machine(gpus(4)))).toEqual(told)
    expect(unmet(documentWithGpu({ count: 2, models }), machine(gpus(2)))).toEqual(told)
    expect(codes(documentWithGpu({ count: 4 }, { acceptRisks: ['plain-nvlink'] }), machine(gpus(4)))).toEqual([])
    const other = { acceptRisks: ['open-quote-oracle'] }
    expect(codes(documentWithGpu({ count: 4, models }, other), machine(gpus(4)))).toEqual(['GPU_NVLINK_NOT_PROTECTED'])
    expect(codes(eight, board(8, 4))).toEqual([])
    expect(unmet(eight, board(8, 3))).toEqual([...incomplete, ...told])
    expect(unmet(eight, board(8, 0))).toEqual([...incomplete, ...told])
    expect(unmet(eight, board(8, 4, { featureFlag: 'SPT', protectedPcie: false }))).toEqual(told)
    expect(unmet(eight, board(8, 4, { featureFlag: undefined, protectedPcie: undefined }))).toEqual(told)
    expect(codes(eight, board(8, 4, { featureFlag: undefined, protectedPcie: true }))).toEqual([])
  })

  it('RJ-GPU-13 in PPCIE mode, whose CC mode is off, are a whole board whatever the tenant accepts', () => {
    const accepting = (rule: Json) => documentWithGpu(rule, { acceptRisks: ['plain-nvlink'] })
    for (const modes of ['any', ['PPCIE'], ['PPCIE', 'SPT']]) {
      expect(codes(accepting({ count: 8, modes }), board(8, 4))).toEqual([])
      for (const [g, s] of [
        [1, 0],
        [1, 4],
        [7, 4],
        [8, 0],
        [8, 3],
      ] as const) {
        expect(unmet(accepting({ count: g, modes: modes === 'any' ? modes : ['PPCIE', 'SPT'] }), board(g, s))).toEqual(
          incomplete,
        )
      }
    }
    // By the status alone, by the flag alone, and where the two disagree.
    for (const said of [
      { featureFlag: undefined, protectedPcie: true },
      { featureFlag: 'PPCIE', protectedPcie: false },
      { featureFlag: 'SPT', protectedPcie: true },
    ] as const) {
      expect(unmet(documentWithGpu(), machine([gpuItem(said)]))).toEqual(incomplete)
    }
    expect(codes(documentWithGpu(), machine([gpuItem({ featureFlag: 'SPT', protectedPcie: false })]))).toEqual([])
  })

  it('counts the board as it was shown: a device that is not proved has a finding of its own', () => {
    const whole = board(8, 4)
    const withoutOne = (id: string) => ({ ...whole, items: whole.items.filter((item) => item.id !== id) })
    expect(codes(eight, withoutOne('gpu-7'))).toEqual([])
    expect(codes(eight, withoutOne('switch-3'))).toEqual([])
  })

  it('one GPU, or another architecture, has no such need', () => {
    expect(codes(documentWithGpu(), machine(gpus(1)))).toEqual([])
    const blackwell = { architecture: 'BLACKWELL', model: 'B200' } as const
    expect(codes(documentWithGpu({ count: 4, models: ['B200'] }), machine(gpus(4, blackwell)))).toEqual([])
  })
})

describe('manifests and revocation', () => {
  const unavailable = { status: 'unavailable', missing: ['NV_GPU_DRIVER_GH100_550.90.07'] } as const
  const mismatch = {
    status: 'mismatch',
    matched: [0],
    mismatched: [{ index: 9, source: 'vbios', golden: ['aa'], runtime: 'bb' }],
    skipped: [],
    rims: [],
  } as const
  const report = (
    chain: RevocationReport['chain'],
    status: RevocationReport['status'],
    ...faults: ReturnType<typeof fault>[]
  ): RevocationReport => ({ chain, status, stapled: false, faults })

  it('RJ-GPU-30 no manifest is inconclusive, unless none is asked for', () => {
    judged({}, { measurements: unavailable }, [`GPU_RIM_UNAVAILABLE gpu-0.measurements ${AT}/rim`])
    expect(codes(documentWithGpu({ rim: 'none' }), machine([gpuItem({ measurements: unavailable })]))).toEqual([])
    expect(codes(documentWithGpu(), machine([gpuItem(), switchItem({ measurements: unavailable })]))).toEqual([
      'GPU_RIM_UNAVAILABLE',
    ])
  })

  it('RJ-GPU-17 a mismatch, with its indexes', () => {
    judged({}, { measurements: mismatch }, [`GPU_MEASUREMENT_MISMATCH gpu-0.measurements ${AT}/rim`])
  })

  it.each([
    ['required', 'GPU_OCSP_UNAVAILABLE'],
    ['stapled', 'OCSP_MISSING'],
  ])('RJ-GPU-20 %s revocation without an answer', (revocation, code) => {
    const document = documentWithGpu({ revocation })
    const withReports = (...reports: RevocationReport[]) => machine([gpuItem({}, 0, reports)])
    const rim = report('nvidia-rim', 'good')
    expect(codes(document, withReports(...NVIDIA_GOOD))).toEqual([])
    expect(unmet(document, withReports(report('nvidia-device', 'notGiven'), rim))).toEqual([
      `${code} gpu-0.revocation.nvidia-device ${AT}/revocation`,
    ])
    expect(unmet(document, withReports(rim))).toEqual([`${code} gpu-0.revocation.nvidia-device ${AT}/revocation`])
    expect(unmet(document, withReports(report('nvidia-device', 'good')))).toEqual([
      `OCSP_MISSING gpu-0.revocation.nvidia-rim ${AT}/revocation`,
    ])
    const stale = report(
      'nvidia-device',
      'unknown',
      fault('OCSP_STALE', 'ocsp[0]', { expected: 'later', actual: 'earlier' }),
    )
    expect(unmet(document, withReports(stale, rim))).toEqual([`OCSP_STALE gpu-0.ocsp[0] ${AT}/revocation`])
    expect(unmet(document, withReports(report('nvidia-device', 'unknown'), rim))).toEqual([
      `GPU_REVOCATION_UNKNOWN gpu-0.revocation.nvidia-device ${AT}/revocation`,
    ])
    expect(codes(document, machine([gpuItem(), switchItem({}, 0, [])]))).toEqual([code, 'OCSP_MISSING'])
  })

  it('RJ-GPU-20 answers that came with the evidence are none that the verifier obtained', () => {
    const judged = (revocation: string, stapled: boolean) =>
      unmet(
        documentWithGpu({ revocation }),
        machine([
          gpuItem(
            {},
            0,
            NVIDIA_GOOD.map((r) => ({ ...r, stapled: stapled && r.chain === 'nvidia-device' })),
          ),
        ]),
      )
    expect(judged('required', false)).toEqual([])
    expect(judged('stapled', true)).toEqual([])
    expect(judged('required', true)).toEqual([`GPU_OCSP_UNAVAILABLE gpu-0.revocation.nvidia-device ${AT}/revocation`])
  })

  it('is not looked at where the policy says so', () => {
    expect(codes(documentWithGpu({ revocation: 'none' }), machine([gpuItem({}, 0, [])]))).toEqual([])
    // Manifests that are not asked for bring no chain that matters.
    expect(
      codes(
        documentWithGpu({ rim: 'none' }),
        machine([gpuItem({}, 0, [report('nvidia-device', 'good'), report('nvidia-rim', 'notGiven')])]),
      ),
    ).toEqual([])
  })
})
