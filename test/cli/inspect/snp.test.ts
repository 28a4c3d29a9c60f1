import { describe, expect, test } from 'vitest'
import { SNP_REPORT_LAYOUTS } from '../../../src/attestation/sev-snp/index.ts'
import type { FieldView, PartView } from '../../../src/cli/inspect/model.ts'
import { inspectSnp } from '../../../src/cli/inspect/snp.ts'
import { PLATFORM_BITS, POLICY_BITS } from '../../../src/cli/inspect/snp-meanings.ts'
import { toHex } from '../../../src/core/encodings.ts'
import { type AmdMachineOptions, type AmdProduct, amdMachine } from '../../../src/testing/index.ts'

const report = (options: AmdMachineOptions = {}): Uint8Array => amdMachine('inspect', options).report
const fields = (bytes: Uint8Array): readonly FieldView[] => inspectSnp(bytes).sections.flatMap((s) => s.fields)

function field(bytes: Uint8Array, name: string): FieldView {
  const found = fields(bytes).find((f) => f.name === name)
  if (found === undefined) throw new TypeError(`no field ${name}`)
  return found
}

const part = (of: FieldView, name: string): PartView | undefined => of.parts.find((p) => p.name === name)

describe('every field of a report is shown', () => {
  test.each([2, 3, 4, 5] as const)('version %i: names, offsets, sizes and bytes are those of the layout', (version) => {
    const bytes = report({ report: { version } })
    const view = inspectSnp(bytes)
    expect(view.problems).toEqual([])
    const shown = view.sections.flatMap((s) => s.fields)
    const named = SNP_REPORT_LAYOUTS[version].ordered.map(([name, f]) => [
      f.kind === 'zero' ? 'reserved' : name,
      f.offset,
      f.sizeBytes,
    ])
    expect(shown.map((f) => [f.name, f.offset, f.sizeBytes])).toEqual(named)
    // Together they are the report, byte for byte: nothing is left out and nothing is shown twice.
    expect(shown.map((f) => f.hex).join('')).toBe(toHex(bytes))
    expect(shown.filter((f) => f.meaning === '')).toEqual([])
  })

  test('version 2 has no CPUID and no mitigation vectors, version 5 has both', () => {
    const names = (version: number) => fields(report({ report: { version } })).map((f) => f.name)
    expect(names(2)).not.toContain('cpuidFamily')
    expect(names(3)).toContain('cpuidFamily')
    expect(names(4)).not.toContain('launchMitVector')
    expect(names(5)).toEqual(expect.arrayContaining(['cpuidFamily', 'launchMitVector', 'currentMitVector']))
  })
})

/** The usual words with one bit turned over, written without the decoder. */
const POLICY = 0x30000n
const PLATFORM = 0x25n

describe('every bit is explained', () => {
  test.each(POLICY_BITS)('policy bit %i, %s', (bit, name, whenSet, whenClear) => {
    for (const set of [true, false]) {
      const policy = set ? POLICY | (1n << BigInt(bit)) : POLICY & ~(1n << BigInt(bit))
      // A report that contradicts itself is still a report to look at.
      const shown = part(field(report({ report: { policy } }), 'policy'), name)
      expect(shown).toEqual({ at: `bit ${bit}`, name, value: set ? 1 : 0, meaning: set ? whenSet : whenClear })
    }
  })

  test.each(PLATFORM_BITS)('platform bit %i, %s', (bit, name, whenSet, whenClear) => {
    for (const set of [true, false]) {
      const platformInfo = set ? PLATFORM | (1n << BigInt(bit)) : PLATFORM & ~(1n << BigInt(bit))
      const shown = part(field(report({ report: { platformInfo } }), 'platformInfo'), name)
      expect(shown).toEqual({ at: `bit ${bit}`, name, value: set ? 1 : 0, meaning: set ? whenSet : whenClear })
    }
  })

  test('platform bits without a published meaning are told as such', () => {
    expect(field(report({ report: { platformInfo: 0x125 } }), 'platformInfo').meaning).toContain('0x100')
  })

  test('the least firmware ABI that the guest demands', () => {
    const policy = field(report({ report: { policy: 0x3011f } }), 'policy')
    expect(policy.meaning).toContain('firmware ABI 1.31 or later')
    expect(part(policy, 'abiMajor')?.value).toBe(1)
    expect(part(policy, 'abiMinor')?.value).toBe(31)
  })

  test('bits of the key information', () => {
    const vcek = field(report(), 'keyInfo')
    expect(vcek.parts.map((p) => [p.at, p.name, p.value])).toEqual([
      ['bit 0', 'authorKeyEnabled', 0],
      ['bit 1', 'maskChipKey', 0],
      ['bits 2–4', 'signingKey', 0],
    ])
    expect(vcek.meaning).toBe('signed by the VCEK')
    expect(part(field(report({ kind: 'VLEK' }), 'keyInfo'), 'signingKey')?.value).toBe(1)
    const masked = field(report({ report: { maskChipKey: true, authorKeyEn: true } }), 'keyInfo')
    expect(masked.parts.map((p) => p.value)).toEqual([1, 1, 0])
  })
})

describe('components of a TCB are named by product', () => {
  const COMPONENTS: Readonly<Record<AmdProduct, readonly (readonly [at: string, name: string, value: number])[]>> = {
    Milan: [
      ['byte 0', 'bootloader', 5],
      ['byte 1', 'tee', 1],
      ['byte 6', 'snp', 0x1c],
      ['byte 7', 'microcode', 0xdf],
    ],
    Genoa: [
      ['byte 0', 'bootloader', 11],
      ['byte 1', 'tee', 1],
      ['byte 6', 'snp', 0x1c],
      ['byte 7', 'microcode', 0x58],
    ],
    Turin: [
      ['byte 0', 'fmc', 2],
      ['byte 1', 'bootloader', 2],
      ['byte 2', 'tee', 2],
      ['byte 3', 'snp', 5],
      ['byte 7', 'microcode', 0x54],
    ],
  }

  test.each(['Milan', 'Genoa', 'Turin'] as const)('%s', (product) => {
    const bytes = report({ product })
    for (const name of ['currentTcb', 'reportedTcb', 'committedTcb', 'launchTcb']) {
      expect(field(bytes, name).parts.map((p) => [p.at, p.name, p.value])).toEqual(COMPONENTS[product])
    }
    expect(field(bytes, 'cpuidFamily').meaning).toContain(product)
  })

  test('a version 2 report, which names no product, has the layout before Turin', () => {
    expect(field(report({ report: { version: 2 } }), 'reportedTcb').parts.map((p) => p.name)).toEqual([
      'bootloader',
      'tee',
      'snp',
      'microcode',
    ])
  })
})

describe('a report that the decoder refuses', () => {
  test.each([
    ['vmpl-host', 'SNP_HOST_REQUESTED'],
    ['policy-mbo17-clear', 'SNP_POLICY_RESERVED_BIT'],
  ] as const)('%s: its bytes are shown without meanings, and why', (wrong, code) => {
    const bytes = report({ wrong })
    const { sections, problems } = inspectSnp(bytes)
    expect(problems.map((p) => p.code)).toEqual([code])
    const shown = sections.flatMap((s) => s.fields)
    expect(shown.map((f) => f.hex).join('')).toBe(toHex(bytes))
    expect(shown.filter((f) => f.name !== 'reserved').every((f) => f.meaning === '' && f.parts.length === 0)).toBe(true)
  })

  test('a reserved byte that is set is marked', () => {
    const bytes = report()
    bytes[0x4c] = 1
    const { sections, problems } = inspectSnp(bytes)
    expect(problems.map((p) => p.code)).toEqual(['SNP_RESERVED_NOT_ZERO'])
    expect(sections[0]?.fields.find((f) => f.offset === 0x4c)).toMatchObject({
      name: 'reserved',
      hex: '01000000',
      meaning: 'must be zero',
    })
  })

  test.each([0, 1, 1183, 1185])('%i bytes have no fields to show', (size) => {
    const { sections, problems } = inspectSnp(new Uint8Array(size).fill(2, 0, 1))
    expect(sections).toEqual([])
    expect(problems.map((p) => p.code)).toEqual(['SNP_SIZE_MISMATCH'])
  })

  test('an unknown version', () => {
    const bytes = report()
    bytes[0] = 6
    expect(inspectSnp(bytes)).toMatchObject({ sections: [], problems: [{ code: 'SNP_VERSION_UNSUPPORTED' }] })
  })
})
