import { describe, expect, it } from 'vitest'
import { BOARDS, modelOf } from '../../../src/attestation/nvidia/models.ts'
import {
  asciiBiosVersion,
  DRIVER_VERSION,
  driverBranch,
  ID_PART,
  isBiosVersion,
  packedVbiosVersion,
  sameBiosVersion,
} from '../../../src/attestation/nvidia/versions.ts'
import { attempt } from '../../../src/core/outcome.ts'

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
const codes = (read: () => string) => {
  const outcome = attempt(read)
  return outcome.ok ? outcome.value : outcome.faults.map((f) => f.code)
}

describe('versions', () => {
  it.each(['575.32', '545.00', '580.159.03', '590.12', '535.86.09', '610'])(
    'takes the driver release %s',
    (version) => {
      expect(DRIVER_VERSION.test(version)).toBe(true)
      expect(isBiosVersion(version)).toBe(false)
    },
  )

  it.each([
    '',
    '.',
    '..',
    '550.',
    '.550',
    '550..90',
    '550/../x',
    '550.90\n07',
    '550 90',
    '../etc',
    'x550',
    '550.90.07.1.2.3',
    `5${'5'.repeat(40)}`,
  ])('refuses %j as a driver release', (version) => {
    expect(DRIVER_VERSION.test(version)).toBe(false)
  })

  it.each(['', '../x', '8/2', 'G520 ', 'a_b', 'x'.repeat(17)])('refuses %j as a part of a manifest id', (part) => {
    expect(ID_PART.test(part)).toBe(false)
  })

  it('unpacks the VBIOS version of a GPU', () => {
    const packed = Uint8Array.of(0x00, 0x74, 0x00, 0x96, 0x2f, 0, 0, 0)
    expect(codes(() => packedVbiosVersion(packed, 'v'))).toBe('96.00.74.00.2F')
    expect(codes(() => packedVbiosVersion(packed.with(7, 1), 'v'))).toEqual(['GPU_VERSION_MALFORMED'])
    expect(codes(() => packedVbiosVersion(packed.subarray(1), 'v'))).toEqual(['GPU_VERSION_MALFORMED'])
  })

  it('takes the BIOS version of a switch as it is written', () => {
    expect(codes(() => asciiBiosVersion(ascii('96.10.55.00.0f'), 'v'))).toBe('96.10.55.00.0F')
    for (const wrong of ['96.10.55.00', '96.10.55.00.0g', '96.10.55.00.01\0', '', '96.10.55/00.01']) {
      expect(codes(() => asciiBiosVersion(ascii(wrong), 'v'))).toEqual(['GPU_VERSION_MALFORMED'])
    }
  })

  it('compares BIOS versions whatever the case, and driver branches as numbers', () => {
    expect(sameBiosVersion('96.00.5e.00.01', '96.00.5E.00.01')).toBe(true)
    expect(sameBiosVersion('96.00.5E.00.01', '96.00.5E.00.02')).toBe(false)
    expect(['545.00', '550.90.07', '1000.1'].map(driverBranch)).toEqual([545, 550, 1000])
  })
})

describe('modelOf', () => {
  it.each([
    ['1010', '0200', '882', 'H100'],
    ['1010', '0210', '886', 'H100'],
    ['G520', '0200', '885', 'H100'],
    ['G520', '0280', '895', 'H200'],
    ['G525', '0220', '886', 'B200'],
  ])('%s %s %s is a %s', (project, projectSku, chipSku, model) => {
    expect(modelOf({ project, projectSku, chipSku })).toBe(model)
  })

  it('guesses nothing: a board is known by all three', () => {
    for (const b of BOARDS) {
      expect(modelOf({ ...b, chipSku: '000' })).toBeUndefined()
      expect(modelOf({ ...b, projectSku: '0000' })).toBeUndefined()
      expect(modelOf({ ...b, project: '0000' })).toBeUndefined()
    }
  })

  it('has no board twice', () => {
    expect(new Set(BOARDS.map((b) => `${b.project} ${b.projectSku} ${b.chipSku}`)).size).toBe(BOARDS.length)
  })
})
