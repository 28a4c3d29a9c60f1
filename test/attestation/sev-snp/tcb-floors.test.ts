import { describe, expect, it } from 'vitest'
import { PRODUCT_FACTS, productOf } from '../../../src/attestation/sev-snp/products.ts'
import { BULLETINS_WITHOUT_FLOOR, floorsFor, TCB_FLOORS } from '../../../src/attestation/sev-snp/tcb-floors.ts'
import { parseRfc3339 } from '../../../src/core/time.ts'

const at = (day: string): number => parseRfc3339(`${day}T00:00:00Z`) ?? Number.NaN
const levels = (floors: ReturnType<typeof floorsFor>) =>
  Object.fromEntries(floors.levels.map(({ component, minimum }) => [component, minimum]))
const cpuid = (family: number, model: number, stepping: number) => ({ family, model, stepping })

const GENOA = { product: 'Genoa', cpuid: cpuid(0x19, 0x11, 1) } as const
const TODAY = at('2026-08-01')

describe('TCB_FLOORS', () => {
  it('is dated, sourced, and asks for something', () => {
    for (const floor of TCB_FLOORS) {
      expect(floor.publishedOn).toMatch(/^202\d-\d{2}-\d{2}$/)
      expect(at(floor.publishedOn)).toBeGreaterThan(0)
      expect(floor.bulletin).toMatch(/^AMD-SB-\d{4}$/)
      expect(floor.cve).toMatch(/^CVE-\d{4}-\d+$/)
      expect(floor.source.length).toBeGreaterThan(10)
      expect(Object.keys(floor.minimum).length + floor.platformInfo.length).toBeGreaterThan(0)
      for (const level of Object.values(floor.minimum)) expect(level > 0 && level <= 255).toBe(true)
    }
    expect(BULLETINS_WITHOUT_FLOOR.every((b) => b.because.length > 0)).toBe(true)
  })

  it('keys microcode by processor and belongs to the product that its processor is of', () => {
    for (const floor of TCB_FLOORS) {
      if (floor.minimum.microcode !== undefined) expect(floor.cpuid).toBeDefined()
      if (floor.cpuid !== undefined) expect(productOf(floor.cpuid)).toBe(floor.product)
      if (floor.minimum.fmc !== undefined) expect(PRODUCT_FACTS[floor.product].structVersion).toBe(1)
    }
  })
})

describe('floorsFor', () => {
  it('rises with the bulletins, and a judgement at an earlier time stays as it was', () => {
    expect(floorsFor(GENOA, at('2024-12-09'))).toEqual({ levels: [], platformInfo: [], notCovered: [] })
    expect(floorsFor(GENOA, at('2024-12-10')).platformInfo).toEqual([
      { protection: 'aliasCheckComplete', source: 'AMD-SB-3015 (CVE-2024-21944)' },
    ])
    expect(levels(floorsFor(GENOA, at('2025-02-02')))).toEqual({})
    expect(levels(floorsFor(GENOA, at('2025-02-03')))).toEqual({ snp: 0x17, microcode: 0x54 })
    expect(levels(floorsFor(GENOA, at('2025-10-13')))).toEqual({ snp: 0x1b, microcode: 0x56 })
  })

  it('names the bulletins that ask for the level', () => {
    expect(floorsFor(GENOA, TODAY).levels).toEqual([
      { component: 'snp', minimum: 0x1b, source: 'AMD-SB-3020 (CVE-2025-0033)' },
      {
        ...{ component: 'microcode', minimum: 0x56 },
        source: 'AMD-SB-3020 (CVE-2025-0033), AMD-SB-3027 (CVE-2025-29943)',
      },
    ])
  })

  it.each([
    ['Milan', cpuid(0x19, 0x01, 1), { snp: 0x18, microcode: 0xdb }],
    ['Milan', cpuid(0x19, 0x01, 2), { snp: 0x18, microcode: 0x44 }],
    ['Genoa', cpuid(0x19, 0x11, 2), { snp: 0x1b, microcode: 0x51 }],
    ['Genoa', cpuid(0x19, 0xa0, 2), { snp: 0x1b, microcode: 0x19 }],
    ['Turin', cpuid(0x1a, 0x02, 1), { snp: 4, microcode: 0x51 }],
    ['Turin', cpuid(0x1a, 0x11, 0), { snp: 4, microcode: 0x47 }],
  ] as const)('asks of %s %o for %o', (product, processor, expected) => {
    expect(levels(floorsFor({ product, cpuid: processor }, TODAY))).toEqual(expected)
  })

  it('says which bulletins number microcode without naming this processor', () => {
    expect(floorsFor(GENOA, TODAY).notCovered).toEqual([])
    const bergamo = floorsFor({ product: 'Genoa', cpuid: cpuid(0x19, 0xa0, 2) }, TODAY)
    expect(bergamo.notCovered).toEqual(['AMD-SB-3020 (CVE-2025-0033)', 'AMD-SB-3027 (CVE-2025-29943)'])
    const unknown = floorsFor({ product: 'Milan', cpuid: cpuid(0x19, 0x0f, 0) }, TODAY)
    expect(levels(unknown)).toEqual({ snp: 0x18 })
    expect(unknown.notCovered).toEqual(['AMD-SB-3019 (CVE-2024-56161)'])
  })

  it('asks a report that names no processor for the most that any of its product line needs', () => {
    expect(levels(floorsFor({ product: 'Milan', cpuid: undefined }, TODAY))).toEqual({ snp: 0x18, microcode: 0xdb })
    expect(levels(floorsFor({ product: 'Genoa', cpuid: undefined }, TODAY))).toEqual({ snp: 0x1b, microcode: 0x56 })
  })

  it('is a function of its arguments', () => {
    expect(floorsFor(GENOA, TODAY)).toEqual(floorsFor({ ...GENOA }, TODAY))
  })
})
