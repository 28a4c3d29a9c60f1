import { describe, expect, it } from 'vitest'
import { type AuthenticRim, compareMeasurements } from '../../../src/attestation/nvidia/rim/index.ts'
import {
  activeIndexes,
  type NvidiaArchitecture,
  type RimFault,
  type RimKind,
  reportedMeasurements,
} from '../../../src/testing/nvidia/index.ts'
import { accepted, authenticated, testPki, testRim, verdictOn } from './rim-support.ts'

const VERSIONS = {
  hopper: { driver: '550.144.03', vbios: '96.00.74.00.20', 'switch-bios': '' },
  blackwell: { driver: '580.95.05', vbios: '97.00.88.00.0F', 'switch-bios': '' },
  ls10: { driver: '', vbios: '', 'switch-bios': '96.10.73.00.01' },
} as const

const manifest = async (architecture: NvidiaArchitecture, kind: RimKind, wrong?: RimFault): Promise<AuthenticRim> =>
  accepted(await authenticated(testRim({ architecture, kind, version: VERSIONS[architecture][kind], wrong }).bytes))

const report = (architecture: NvidiaArchitecture): Map<number, Uint8Array> => {
  const blocks = architecture === 'ls10' ? 31 : 64
  const values = reportedMeasurements(testPki.seed, architecture, VERSIONS[architecture], blocks)
  return new Map(values.map((value, i) => [i + 1, value]))
}

const block = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))

const pair = async (of: { driver?: RimFault; vbios?: RimFault } = {}) => ({
  driver: await manifest('hopper', 'driver', of.driver),
  vbios: await manifest('hopper', 'vbios', of.vbios),
})

const GH100 = [...activeIndexes('hopper', 'driver'), ...activeIndexes('hopper', 'vbios')].sort((a, b) => a - b)

describe('compareMeasurements', () => {
  it.each(['hopper', 'blackwell'] as const)('matches every active index of %s', async (architecture) => {
    const rims = { driver: await manifest(architecture, 'driver'), vbios: await manifest(architecture, 'vbios') }
    const compared = accepted(compareMeasurements({ report: report(architecture), nvdec0Disabled: false, rims }))
    const active = [...activeIndexes(architecture, 'driver'), ...activeIndexes(architecture, 'vbios')]
    expect(compared).toEqual({
      status: 'match',
      matched: active.sort((a, b) => a - b),
      mismatched: [],
      skipped: [],
      rims: [rims.driver, rims.vbios].map((r) => ({ id: r.tagId, version: r.version, sha256: r.sha256 })),
    })
  })

  it('matches every active index of a switch', async () => {
    const rims = { bios: await manifest('ls10', 'switch-bios') }
    const compared = accepted(compareMeasurements({ report: report('ls10'), nvdec0Disabled: false, rims }))
    expect([compared.status, compared.matched.length]).toEqual(['match', 31])
  })

  it.each(GH100)('RJ-GPU-17: finds a changed value at index %i', async (index) => {
    const changed = report('hopper').set(index + 1, new Uint8Array(48).fill(0xab))
    const rims = await pair()
    const source = activeIndexes('hopper', 'driver').includes(index) ? 'driver' : 'vbios'
    const compared = accepted(compareMeasurements({ report: changed, nvdec0Disabled: false, rims }))
    expect(compared.status).toBe('mismatch')
    expect(compared.mismatched).toEqual([
      { index, source, golden: rims[source].entries.get(index)?.alternatives, runtime: 'ab'.repeat(48) },
    ])
    expect(compared.matched).toEqual(GH100.filter((i) => i !== index))
  })

  it('carries nothing over from one pair of manifests to another', async () => {
    const compare = (rims: { driver: AuthenticRim; vbios: AuthenticRim }) =>
      compareMeasurements({ report: report('hopper'), nvdec0Disabled: false, rims })
    const good = await pair()
    const bad = { driver: good.driver, vbios: await manifest('hopper', 'vbios', 'golden-other') }
    for (let i = 0; i < 2; i++) {
      expect(accepted(compare(good)).status).toBe('match')
      expect(accepted(compare(bad)).status).toBe('mismatch')
      expect(verdictOn(compare({ driver: good.driver, vbios: good.driver }))).toBe('GPU_RIM_CONFLICT')
      // What is a driver's manifest is not one of a switch, whatever was found before.
      const bios = compareMeasurements({ report: report('hopper'), nvdec0Disabled: false, rims: { bios: good.driver } })
      expect(accepted(bios).matched).toEqual(activeIndexes('hopper', 'driver'))
    }
  })

  it('RJ-GPU-17: finds a changed golden value', async () => {
    const rims = await pair({ driver: 'golden-other' })
    const compared = accepted(compareMeasurements({ report: report('hopper'), nvdec0Disabled: false, rims }))
    expect(compared.mismatched.map((m) => [m.index, m.source])).toEqual([[7, 'driver']])
  })

  it.each([
    ['absent', undefined, 'NA'],
    ['empty', '', ''],
    ['one byte short', (value: Uint8Array) => value.slice(1), 94],
    ['one byte long', (value: Uint8Array) => Uint8Array.of(...value, 0), 98],
  ] as const)('takes a block that is %s for a mismatch', async (_, change, shown) => {
    const blocks = report('hopper')
    const value = blocks.get(22) ?? new Uint8Array()
    if (change === undefined) blocks.delete(22)
    else blocks.set(22, change === '' ? new Uint8Array() : change(value))
    const compared = accepted(compareMeasurements({ report: blocks, nvdec0Disabled: false, rims: await pair() }))
    const [mismatch, ...more] = compared.mismatched
    expect([mismatch?.index, more.length]).toEqual([21, 0])
    expect(typeof shown === 'number' ? mismatch?.runtime.length : mismatch?.runtime).toBe(shown)
  })

  it('accepts any one of several alternatives, an all-zero one too', async () => {
    const rims = await pair()
    const several = [...rims.driver.entries].filter(([, e]) => e.active && e.alternatives.length > 1)
    expect(several.length).toBeGreaterThan(5)
    expect(several.some(([, e]) => e.alternatives.includes('00'.repeat(48)))).toBe(true)
    for (const [index, { alternatives }] of several) {
      for (const value of alternatives) {
        const blocks = report('hopper').set(index + 1, block(value))
        expect(accepted(compareMeasurements({ report: blocks, nvdec0Disabled: false, rims })).status).toBe('match')
      }
    }
  })

  it('compares nothing that is inactive or in no manifest', async () => {
    const blocks = report('hopper')
      .set(14, new Uint8Array(48).fill(0xcd))
      .set(64, new Uint8Array(48).fill(0xcd))
      .set(200, new Uint8Array(48).fill(0xcd))
    const compared = accepted(compareMeasurements({ report: blocks, nvdec0Disabled: false, rims: await pair() }))
    expect([compared.status, compared.matched.length]).toEqual(['match', 33])
  })

  it('leaves index 35 out, with a reason, where NVDEC0 is disabled and only there', async () => {
    const blocks = report('hopper').set(36, new Uint8Array(48).fill(0xab))
    const rims = await pair()
    const disabled = accepted(compareMeasurements({ report: blocks, nvdec0Disabled: true, rims }))
    expect([disabled.status, disabled.matched.includes(35), disabled.matched.length]).toEqual(['match', false, 32])
    expect(disabled.skipped).toEqual([{ index: 35, because: expect.stringContaining('NVDEC0') }])
    const enabled = accepted(compareMeasurements({ report: blocks, nvdec0Disabled: false, rims }))
    expect([enabled.status, enabled.mismatched.map((m) => m.index), enabled.skipped]).toEqual(['mismatch', [35], []])
  })

  it.each([
    ['RJ-GPU-19: one index active in both', { driver: 'index-conflict' }, 'GPU_RIM_CONFLICT'],
    ['RJ-GPU-18: an index inactive in the driver manifest', { driver: 'index-inactive' }, 'GPU_RIM_INDEX_MISSING'],
    ['RJ-GPU-18: an index inactive in the VBIOS manifest', { vbios: 'index-inactive' }, 'GPU_RIM_INDEX_MISSING'],
    ['RJ-GPU-18: an index without resource', { vbios: 'index-absent' }, 'GPU_RIM_INDEX_MISSING'],
  ] as const)('%s', async (_, wrong, code) => {
    const input = { report: report('hopper'), nvdec0Disabled: false }
    expect(verdictOn(compareMeasurements({ ...input, rims: await pair(wrong) }))).toBe(code)
    expect(verdictOn(compareMeasurements({ ...input, rims: await pair() }))).toBe('accepted')
  })

  it.each(['index-inactive', 'index-absent'] as const)('RJ-GPU-18: %s in the manifest of a switch', async (wrong) => {
    const rims = { bios: await manifest('ls10', 'switch-bios', wrong) }
    expect(verdictOn(compareMeasurements({ report: report('ls10'), nvdec0Disabled: false, rims }))).toBe(
      'GPU_RIM_INDEX_MISSING',
    )
  })

  it('refuses one manifest in both places', async () => {
    const { driver } = await pair()
    const rims = { driver, vbios: driver }
    expect(verdictOn(compareMeasurements({ report: report('hopper'), nvdec0Disabled: false, rims }))).toBe(
      'GPU_RIM_CONFLICT',
    )
  })

  it('compares an index more than the product is known for', async () => {
    const { driver, vbios } = await pair()
    const entries = new Map(driver.entries).set(41, { active: true, alternatives: ['ab'.repeat(48)], sizeBytes: 48 })
    const rims = { driver: { ...driver, entries }, vbios }
    const compared = accepted(compareMeasurements({ report: report('hopper'), nvdec0Disabled: false, rims }))
    expect(compared.mismatched.map((m) => m.index)).toEqual([41])
  })

  it('never matches on nothing', async () => {
    const { driver, vbios } = await pair()
    const inactive = (of: AuthenticRim): AuthenticRim => ({
      ...of,
      product: 'GX999',
      entries: new Map([...of.entries].map(([i, e]) => [i, { ...e, active: false }])),
    })
    const input = { report: report('hopper'), nvdec0Disabled: false }
    const empty = { driver: inactive(driver), vbios: inactive(vbios) }
    expect(verdictOn(compareMeasurements({ ...input, rims: empty }))).toBe('RIM_EMPTY')
    const entries = new Map([[35, { active: true, alternatives: ['00'.repeat(48)], sizeBytes: 48 }]])
    const only35 = { driver: { ...empty.driver, entries }, vbios: empty.vbios }
    expect(verdictOn(compareMeasurements({ ...input, nvdec0Disabled: true, rims: only35 }))).toBe('RIM_EMPTY')
  })
})
