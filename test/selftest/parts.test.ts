import { describe, expect, it } from 'vitest'
import { type Code, isCode } from '../../src/core/codes.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { fault, finding } from '../../src/core/outcome.ts'
import { PRESET_NAMES, presetPolicy } from '../../src/policy/index.ts'
import { redactor } from '../../src/selftest/redact.ts'
import type { TenantView } from '../../src/selftest/report.ts'
import { SYMPTOMS } from '../../src/selftest/symptoms.ts'
import { assumedLease, nextLevel, outcomeOf } from '../../src/selftest/tenants.ts'
import { collateralFile, inSlot, td } from '../reject/intel-stage.ts'
import { cpu, cpuScene, secondsOf } from '../reject/stage.ts'
import { anchorFromCertificate } from '../support/anchors.ts'
import { tried } from './support.ts'

describe('SYMPTOMS', () => {
  it('speaks of codes that there are, in short steps, each once', () => {
    expect(Object.keys(SYMPTOMS).filter((code) => !isCode(code))).toEqual([])
    for (const { seen, tryInOrder } of Object.values(SYMPTOMS)) {
      expect(seen).toMatch(/\.$/)
      expect(new Set(tryInOrder).size).toBe(tryInOrder.length)
      expect(tryInOrder.filter((step) => step.length > 100)).toEqual([])
    }
  })
})

describe('redactor', () => {
  const tokens = new Map<string, string>()
  const tokenOf = (identity: string) => {
    const token = tokens.get(identity) ?? `~token${tokens.size}`
    tokens.set(identity, token)
    return token
  }
  const clean = redactor(['node-7.example', 'abcdef'], tokenOf)

  it('replaces what is known, whatever holds it, and equal ones alike', () => {
    const [a, b, nested] = clean(['on node-7.example', 'node-7.example', { deep: ['abcdef'] }] as const)
    expect(a).toBe(`on ${b}`)
    expect(JSON.stringify(nested)).not.toContain('abcdef')
  })

  it.each([
    'GPU-0a1b2c3d-0000-1111-2222-333344445555',
    'https://10.0.3.7:8790/quote?x=1',
    '10.0.3.7:8790',
    `akash1${'q'.repeat(38)}`,
  ])('replaces what has the form of an identity: %s', (text) => {
    expect(clean(`at ${text} today`)).toMatch(/^at ~token\d+ today$/)
  })

  it('replaces the values of findings about identities, proved or not, and no measurement', () => {
    const hex = 'ab'.repeat(32)
    const about = (code: Code, path: string) => finding(fault(code, path, { expected: hex, actual: hex }), 'cpu')
    expect(JSON.stringify(clean(about('SNP_VCEK_CHIP_MISMATCH', 'cpu.chipId')))).not.toContain(hex)
    expect(clean(about('GPU_MEASUREMENT_MISMATCH', 'gpu-0.measurements[9]')).actual).toBe(hex)
    expect(clean(`sha256:${hex}`)).toBe(`sha256:${hex}`)
  })

  it('leaves our own words alone, whatever a machine is called', () => {
    const named = redactor(['fail', 'a'], tokenOf)
    expect(named({ state: 'fail', seen: ['host fail', 'a b'] })).toEqual({
      state: 'fail',
      seen: [`host ${tokenOf('fail')}`, 'a b'],
    })
  })

  it('leaves its own tokens alone', () => {
    const once = clean('node-7.example')
    expect(clean(once)).toBe(once)
  })
})

describe('outcomeOf', () => {
  const view = (verdict: TenantView['verdict'], asked = false, applies = true): TenantView => ({
    ...{ policy: 'p', asked, applies, verdict, level: 0, wanted: 2, findings: [], assumed: '' },
  })
  it.each<[string, readonly TenantView[], string]>([
    ['nobody asked', [], 'inconclusive'],
    ['one preset accepts', [view('accept'), view('reject')], 'eligible'],
    [
      'a preset that says nothing of the machine refuses',
      [view('inconclusive'), view('reject', false, false)],
      'inconclusive',
    ],
    ['a preset refuses', [view('inconclusive'), view('reject')], 'ineligible'],
    ['the one that was asked for refuses', [view('accept'), view('reject', true)], 'ineligible'],
    ['one of two that were asked for is open', [view('accept', true), view('inconclusive', true)], 'inconclusive'],
    ['both accept', [view('accept', true), view('accept', true)], 'eligible'],
  ])('%s', (_, tenants, outcome) => {
    expect(outcomeOf(tenants, [])).toBe(outcome)
  })

  it('calls nothing eligible while a source fails', () => {
    expect(outcomeOf([view('accept')], [{ id: 'source.nvml', state: 'fail' }])).toBe('ineligible')
    expect(outcomeOf([view('accept')], [{ id: 'clock', state: 'missing' }])).toBe('inconclusive')
    expect(outcomeOf([view('accept')], [{ id: 'source.nvml', state: 'skip' }])).toBe('eligible')
  })
})

describe('what is assumed', () => {
  const [cpuPreset, gpuPreset] = PRESET_NAMES.map(presetPolicy)
  it('is a lease of all GPUs that there are, and of one for a policy that needs one', () => {
    if (cpuPreset === undefined || gpuPreset === undefined) throw new TypeError('two presets')
    expect(assumedLease(cpuPreset, 0)).toEqual({ teeType: 'cpu' })
    expect(assumedLease(cpuPreset, 8)).toEqual({ teeType: 'cpu-gpu', gpuCount: 8 })
    expect(assumedLease(gpuPreset, 0)).toEqual({ teeType: 'cpu-gpu', gpuCount: 1 })
  })
  it('ends at the top of the ladder', () => {
    expect(nextLevel(4)?.level).toBe(5)
    expect(nextLevel(5)).toBeUndefined()
  })
})

describe('what will not last', () => {
  it('names lists that end within thirty days, and no others', async () => {
    const { ahead } = await tried(cpuScene(cpu()))
    for (const { at } of ahead)
      expect(secondsOf(at ?? '') - secondsOf('2026-08-01T00:00:00Z')).toBeLessThan(30 * 86_400)
  })

  it('knows bulletins of later days', async () => {
    const at = '2024-12-01T00:00:00Z'
    const machine = cpu({ at, wrong: 'tcb-below-advisory' })
    const { ahead } = await tried(cpuScene(machine), { clock: () => secondsOf(at) })
    expect(ahead.map(({ what }) => what).join('\n')).toMatch(/AMD-SB-\d+ .*will ask for \w+ \d+, this machine reports/)
  })

  it('compares Intel lists of two evaluation numbers', async () => {
    const machine = td()
    const evidence = inSlot(machine.quote)
    const anchors = [anchorFromCertificate(machine.trustedRoot, 'intel/sgx-root')]
    const alone = await tried({ evidence, collateral: [collateralFile(machine.collateral)], anchors })
    expect(alone.ahead.filter(({ what }) => what.includes('evaluation'))).toEqual([])

    const outdated = (content: JsonObject): JsonObject =>
      JSON.parse(JSON.stringify(content).replaceAll('"tcbStatus":"UpToDate"', '"tcbStatus":"OutOfDate"'))
    const early = td({ tcbEvaluationDataNumber: 21, qeEvaluationDataNumber: 21, tcbInfo: outdated })
    const collateral = [machine, early].map((one) => collateralFile(one.collateral))
    const both = await tried({ evidence, collateral, anchors })
    expect(both.ahead).toContainEqual({
      what: 'cpu: TCB UpToDate by evaluation 20, OutOfDate by evaluation 21',
      at: undefined,
      advice: 'Install the BIOS and microcode of the newer list before it becomes the standard one.',
    })
  })
})
