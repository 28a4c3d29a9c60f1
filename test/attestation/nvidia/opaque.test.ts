import { describe, expect, it } from 'vitest'
import { splitOpaque } from '../../../src/attestation/nvidia/opaque.ts'
import { type DeviceClass, OPAQUE_FIELDS, opaqueFieldOf } from '../../../src/attestation/nvidia/opaque-fields.ts'
import { pdisOf } from '../../../src/attestation/nvidia/pdi.ts'
import type { Code } from '../../../src/core/codes.ts'
import { attempt, type Outcome } from '../../../src/core/outcome.ts'

const field = (type: number, data: readonly number[], size = data.length): number[] => [
  type & 0xff,
  type >> 8,
  size & 0xff,
  size >> 8,
  ...data,
]

const split = (device: DeviceClass, ...fields: readonly (readonly number[])[]) =>
  attempt(() => splitOpaque(device, Uint8Array.from(fields.flat()), 'opaque'))

const codes = (outcome: Outcome<unknown>): readonly Code[] => (outcome.ok ? [] : outcome.faults.map((f) => f.code))

describe('the table of opaque fields', () => {
  it('means one thing by an id for each device class', () => {
    for (const device of ['gpu', 'switch'] as const) {
      const ids = OPAQUE_FIELDS.filter((f) => f.devices.includes(device)).map((f) => f.id)
      expect(new Set(ids).size).toBe(ids.length)
      for (const id of ids) expect(opaqueFieldOf(device, id)?.id).toBe(id)
    }
  })

  it('has none of the ids that NVIDIA has not given out', () => {
    for (const id of [0, 27, 28, 31, 37, 255, 65535]) expect(opaqueFieldOf('gpu', id)).toBeUndefined()
    for (const id of [0, 3, 11, 32, 36, 255]) expect(opaqueFieldOf('switch', id)).toBeUndefined()
  })
})

describe('splitOpaque', () => {
  it('takes fields in any order, and none at all', () => {
    const outcome = split('gpu', field(36, [1, 0]), field(34, [1, 0]), field(12, []))
    expect(outcome.ok && outcome.value.optionalU16('FEATURE_FLAG')).toBe(1)
    expect(outcome.ok && outcome.value.optional('MSRSCNT')).toEqual(new Uint8Array())
    expect(outcome.ok && outcome.value.optional('FWID')).toBeUndefined()
    expect(codes(split('gpu'))).toEqual([])
  })

  it.each([
    ['a field twice', 'gpu', [field(34, [0, 0]), field(34, [0, 0])], 'GPU_OPAQUE_DUPLICATE'],
    ['type 255', 'gpu', [field(255, [0])], 'GPU_REPORT_UNSUPPORTED'],
    ['an id of nobody', 'gpu', [field(37, [0])], 'GPU_REPORT_UNSUPPORTED'],
    ['an id beyond one byte', 'gpu', [field(0x0106, [0])], 'GPU_REPORT_UNSUPPORTED'],
    ['a GPU field in a switch', 'switch', [field(11, [0x55])], 'GPU_REPORT_UNSUPPORTED'],
    ['a switch field in a GPU', 'gpu', [field(26, new Array(128).fill(1))], 'GPU_REPORT_UNSUPPORTED'],
    ['data past the end', 'gpu', [field(34, [0, 0], 3)], 'GPU_SPDM_MALFORMED'],
    ['a header cut short', 'gpu', [[34, 0, 2]], 'GPU_SPDM_MALFORMED'],
    ['a firmware id of 47 bytes', 'gpu', [field(20, new Array(47).fill(1))], 'GPU_OPAQUE_MALFORMED'],
    ['a VBIOS version of 9 bytes', 'gpu', [field(6, new Array(9).fill(0))], 'GPU_VERSION_MALFORMED'],
    ['a BIOS version of 15 bytes', 'switch', [field(6, new Array(15).fill(0x30))], 'GPU_VERSION_MALFORMED'],
  ] as const)('refuses %s', (_, device, fields, code) => {
    expect(codes(split(device, ...fields))).toEqual([code])
  })
})

describe('pdisOf', () => {
  const pdi = (n: number): number[] => [n, 0, 0, 0, 0, 0, 0, n + 1]
  const table = Uint8Array.from([...pdi(1), ...pdi(3), ...new Array(8).fill(0), ...pdi(1)])

  it('names each neighbour once and no unused link', () => {
    expect(pdisOf(table, 'big-endian')).toEqual(['0100000000000002', '0300000000000004'])
  })

  it('turns round what a GPU writes', () => {
    expect(pdisOf(table, 'little-endian')).toEqual(['0200000000000001', '0400000000000003'])
  })
})
