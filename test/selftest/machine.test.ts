import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { renderSelftest } from '../../src/cli/selftest/render.ts'
import { selftest } from '../../src/cli/selftest/run.ts'
import { deviceNonceFor } from '../../src/collect/answers.ts'
import { type Collector, nvmlCollector, tpmCollector, tsmCollector } from '../../src/collect/index.ts'
import { CODES, type Code } from '../../src/core/codes.ts'
import { presetPolicy } from '../../src/policy/index.ts'
import { SYMPTOMS } from '../../src/selftest/symptoms.ts'
import { amdMachine } from '../../src/testing/index.ts'
import {
  type Answers,
  answersOf,
  forgetRecordings,
  GCC,
  record,
  recordedLibrary,
  u32s,
} from '../collect/nvml/recording.ts'
import { SoftwareTpm, SWTPM, TSS } from '../collect/tpm/swtpm.ts'
import { TsmKernel, type TsmTrouble } from '../collect/tsm-kernel.ts'
import {
  AT,
  amdAnchors,
  amdCollateral,
  cpu,
  gpuPolicy,
  gpus,
  NOW,
  nvidiaAnchors,
  nvidiaCollateral,
  SEED,
} from '../reject/stage.ts'
import { describeWith } from '../support/tools.ts'
import { settingsFor, sourceOf } from './support.ts'

const SCENE = {
  collateral: [...amdCollateral(cpu()), ...nvidiaCollateral(gpus())],
  anchors: [...amdAnchors(cpu()), ...nvidiaAnchors(gpus())],
}

/** The kernel of an SNP guest, which answers whatever it is asked. */
const kernel = (trouble: TsmTrouble = {}): Collector =>
  tsmCollector({
    files: new TsmKernel(
      {
        name: 'sev_guest',
        report: (reportData) => amdMachine(SEED, { at: AT, report: { reportData } }).report,
        auxblob: () => cpu().table,
      },
      trouble,
    ),
  })

describe('a CPU by itself', () => {
  it('is eligible for tenants who need no GPU, and says so', async () => {
    const report = await selftest(sourceOf({ collectors: [kernel()] }), await settingsFor(SCENE))
    expect(report.outcome).toBe('eligible')
    expect(report.tenants.map(({ policy, applies, verdict }) => ({ policy, applies, verdict }))).toEqual([
      { policy: 'cpu-confidential', applies: true, verdict: 'accept' },
      { policy: 'h100-confidential', applies: false, verdict: 'reject' },
    ])
    expect(renderSelftest(report)).toContain('answers our challenge selftest')
    expect(report.level).toBe(2)
    expect(report.nextLevel?.level).toBe(3)
  })

  it('is refused where the GPU preset was asked for', async () => {
    const settings = await settingsFor(SCENE, { policies: [presetPolicy('h100-confidential')] })
    const report = await selftest(sourceOf({ collectors: [kernel()] }), settings)
    expect(report.outcome).toBe('ineligible')
    expect(renderSelftest(report)).toContain('still eligible for cpu-confidential')
  })

  it('does not take an answer that came too late', async () => {
    let calls = 0
    const clock = () => NOW + 121 * Math.min(1, calls++)
    const report = await selftest(sourceOf({ collectors: [kernel()] }), await settingsFor(SCENE, { clock }))
    expect(report.outcome).toBe('ineligible')
    expect(report.layers.find(({ id }) => id === 'freshness')?.findings.map(({ code }) => code)).toContain(
      'BIND_CHALLENGE_EXPIRED',
    )
  })

  it('is never eligible by a clock that cannot be believed', async () => {
    const clockFaults = [{ code: 'CLOCK_BEFORE_BUILD', path: 'clock' } as const]
    const report = await selftest(sourceOf({ collectors: [kernel()] }), await settingsFor(SCENE, { clockFaults }))
    expect(report.outcome).toBe('inconclusive')
  })

  it.each<[string, TsmTrouble, Code]>([
    ['configfs may not be used', { fails: { mkdir: 'EACCES' } }, 'COLLECT_TSM_PERMISSION'],
    ['somebody writes in between', { intruders: 3 }, 'COLLECT_TSM_GENERATION_CHANGED'],
    ['the hardware gives none', { fails: { outblob: 'EIO' } }, 'COLLECT_TSM_REPORT_FAILED'],
  ])('from red to green: %s', async (_, trouble, code) => {
    const settings = await settingsFor(SCENE)
    const red = await selftest(sourceOf({ collectors: [kernel(trouble)] }), settings)
    expect(red).toMatchObject({ outcome: 'inconclusive', tenants: [], evidenceDigest: undefined })
    const told = renderSelftest(red).replace(/\s+/g, ' ')
    expect(told).toContain(`${code} ${CODES[code].title}`)
    expect(told).toContain(CODES[code].hint)
    for (const step of SYMPTOMS[code]?.tryInOrder ?? []) expect(told).toContain(step)
    expect((await selftest(sourceOf({ collectors: [kernel()] }), settings)).outcome).toBe('eligible')
  })
})

describeWith([GCC], 'a machine with a GPU on recorded answers', () => {
  let library = ''
  const folder = recordedLibrary()
  beforeAll(() => {
    library = folder
  })
  afterEach(forgetRecordings)

  /** The real collector over a driver whose GPU answers what it is asked. */
  const nvml = (changed: Answers = {}): Collector => {
    const real = nvmlCollector({ library })
    return {
      ...real,
      probe: () => {
        record({ ...answersOf(gpus().gpus), ...changed })
        return real.probe()
      },
      async collect(question, before) {
        const nonce = await deviceNonceFor(question)
        record({ ...answersOf(gpus({ nonce }).gpus), ...changed })
        return real.collect(question, before)
      },
    }
  }
  const machine = (changed: Answers = {}) => sourceOf({ collectors: [kernel(), nvml(changed)] })

  it('goes the whole way to eligible, on injected anchors', async () => {
    const report = await selftest(machine(), await settingsFor(SCENE))
    expect(report.tenants.map(({ verdict }) => verdict)).toEqual(['accept', 'accept'])
    expect(report.outcome).toBe('eligible')
    expect(report.injectedAnchors).toHaveLength(3)
    expect(report.layers.filter(({ state }) => state !== 'pass').map(({ id }) => id)).toEqual(['tpm'])
    expect(report.chains.map(({ item, links }) => [item, links.length, links[0]?.anchor])).toEqual([
      ['cpu', 3, 'injected'],
      ['gpu-0', 5, 'injected'],
    ])
    expect(renderSelftest(report)).toContain('but for the injected trust anchors')
  })

  it('asks in the form that a policy wants', async () => {
    const policies = [gpuPolicy({ nonce: 'composite' })]
    const report = await selftest(machine(), await settingsFor(SCENE, { policies }))
    expect(report.tenants.find(({ asked }) => asked)?.findings).toEqual([])
    expect(report.outcome).toBe('eligible')
  })

  it.each<[string, Answers, Code]>([
    [
      'confidential mode is off',
      { nvmlSystemGetConfComputeSettings: { returns: 0, bytes: u32s(0, 2, 0, 0, 0) } },
      'COLLECT_GPU_CC_OFF',
    ],
    ['the driver is not loaded', { nvmlInit_v2: { returns: 9 } }, 'COLLECT_NVML_DRIVER_NOT_LOADED'],
    ['library and driver differ', { nvmlInit_v2: { returns: 18 } }, 'COLLECT_NVML_VERSION_MISMATCH'],
  ])('judges the CPU where %s, and from red to green', async (_, changed, code) => {
    const settings = await settingsFor(SCENE, { policies: [presetPolicy('h100-confidential')] })
    const red = await selftest(machine(changed), settings)
    expect(red.outcome).toBe('ineligible')
    expect(red.tenants[0]).toMatchObject({ policy: 'cpu-confidential', verdict: 'accept' })
    const told = renderSelftest(red).replace(/\s+/g, ' ')
    expect(told).toContain('source: nvml')
    expect(told).toContain(CODES[code].hint)
    expect((await selftest(machine(), settings)).outcome).toBe('eligible')
  })

  it('tells of DevTools mode although the evidence does not', async () => {
    const changed = { nvmlSystemGetConfComputeSettings: { returns: 0, bytes: u32s(0, 2, 1, 1, 0) } }
    const report = await selftest(machine(changed), await settingsFor(SCENE))
    expect(report.layers.find(({ id }) => id === 'source.nvml')?.state).toBe('fail')
    expect(report.outcome).toBe('ineligible')
  })

  it('hides every identity on request, and nothing else', async () => {
    const plain = await selftest(machine(), await settingsFor(SCENE))
    const tokenOf = (identity: string) => `~${identity.length}`
    const hidden = JSON.stringify(await selftest(machine(), await settingsFor(SCENE, { tokenOf })))
    const shown = JSON.stringify(plain)
    const chip = /chip ([0-9a-f]{8})/.exec(shown)?.[1] ?? 'no chip'
    expect(hidden).not.toContain(chip)
    expect(shown).toContain('GPU-00000000-0000-0000-0000-000000000000')
    expect(hidden).not.toContain('GPU-00000000')
    expect(hidden).toContain(plain.evidenceDigest)
  })
})

describeWith([SWTPM, TSS], 'a TPM beside the CPU', () => {
  it('takes a quote through tpm2-tss and judges it; an answer to another question is refused', async () => {
    const software = await new SoftwareTpm().ready()
    try {
      const tpm = tpmCollector({ tcti: software.tcti, ak: { create: 'ecc' }, bank: 'sha256', registers: [0, 7] })
      const report = await selftest(sourceOf({ collectors: [kernel()], tpm }), await settingsFor(SCENE))
      expect(report.layers.find(({ id }) => id === 'tpm')).toMatchObject({ state: 'pass', findings: [] })
      expect(report.outcome).toBe('eligible')

      const replayed: Collector = {
        ...tpm,
        collect: (question, before) => tpm.collect({ ...question, nonce: new Uint8Array(64).fill(9) }, before),
      }
      const other = await selftest(sourceOf({ collectors: [kernel()], tpm: replayed }), await settingsFor(SCENE))
      const line = other.layers.find(({ id }) => id === 'tpm')
      expect({ state: line?.state, codes: line?.findings.map(({ code }) => code) }).toEqual({
        state: 'fail',
        codes: ['BIND_NONCE_MISMATCH'],
      })
    } finally {
      await software.stop()
    }
  })

  it('says what is wrong with a TPM that does not answer', async () => {
    const tpm = tpmCollector({ tcti: 'swtpm:path=/nowhere', ak: { create: 'ecc' }, bank: 'sha256', registers: [0] })
    const report = await selftest(sourceOf({ tpm }), await settingsFor(SCENE))
    expect(report.outcome).toBe('inconclusive')
    expect(renderSelftest(report)).toContain('COLLECT_TPM_UNREACHABLE')
  })
})
