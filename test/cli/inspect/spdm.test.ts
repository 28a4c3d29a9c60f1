import { describe, expect, test } from 'vitest'
import type { FieldView } from '../../../src/cli/inspect/model.ts'
import type { ReportView } from '../../../src/cli/inspect/snp.ts'
import { inspectGpu, inspectSwitch } from '../../../src/cli/inspect/spdm.ts'
import { isZero } from '../../../src/core/bytes.ts'
import { toHex } from '../../../src/core/encodings.ts'
import { nvidiaMachine } from '../../../src/testing/index.ts'
import { describeEvidence, evidence } from '../../support/evidence.ts'

const NONCE = Uint8Array.from({ length: 32 }, (_, i) => i + 1)
const board = nvidiaMachine('inspect', {
  architecture: 'hopper',
  gpuCount: 8,
  switchCount: 4,
  nonce: NONCE,
  driverVersion: '580.159.03',
  vbiosVersion: '96.00.FE.00.01',
  featureFlag: 'ppcie',
})
const gpu = board.gpus[0]?.report ?? new Uint8Array()
const nvSwitch = board.switches[3]?.report ?? new Uint8Array()

const fields = (view: ReportView): readonly FieldView[] => view.sections.flatMap((s) => s.fields)
const field = (view: ReportView, name: string): FieldView | undefined => fields(view).find((f) => f.name === name)

/** What is said to lie at an offset lies there, and no two fields claim one byte. */
function expectTrue(view: ReportView, bytes: Uint8Array): void {
  expect(view.problems).toEqual([])
  let end = 0
  for (const f of fields(view)) {
    expect(f.hex).toBe(toHex(bytes.subarray(f.offset, f.offset + f.sizeBytes)))
    expect(f.offset).toBeGreaterThanOrEqual(end)
    end = f.offset + f.sizeBytes
  }
  expect(end).toBe(bytes.length)
}

describe('a GPU report', () => {
  const view = inspectGpu(gpu)

  test('every field is where it is said to be, up to the last byte', () => expectTrue(view, gpu))

  test('header, and the challenge in it', () => {
    expect(field(view, 'requestNonce')).toMatchObject({ offset: 4, sizeBytes: 32, hex: toHex(NONCE) })
    expect(field(view, 'numberOfBlocks')?.meaning).toBe('64 blocks')
    expect(field(view, 'measurementRecordLength')?.meaning).toBe('3520 bytes of blocks follow')
  })

  test('measurements by both of their numbers; those that are zero in one line', () => {
    const section = view.sections.find((s) => s.title.startsWith('Measurements'))
    for (const { name, number, meaning, hex } of section?.fields ?? []) {
      expect(name).toBe(`measurement ${number}`)
      expect(meaning).toBe(`manifest index ${(number ?? 0) - 1}`)
      expect(hex).not.toMatch(/^0*$/)
    }
    const folded = (section?.note ?? '').replace('all zero: blocks ', '').split(', ')
    const zero = folded.flatMap((run) => {
      const [first = 0, last = first] = run.split('–').map(Number)
      return Array.from({ length: last - first + 1 }, (_, i) => first + i)
    })
    const shown = section?.fields.map((f) => f.number ?? 0) ?? []
    expect([...zero, ...shown].sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, i) => i + 1))
  })

  test('opaque fields by id, in the order of the report, with their decoded values', () => {
    const opaque = view.sections.find((s) => s.title.startsWith('Opaque'))?.fields ?? []
    const said = Object.fromEntries(opaque.map((f) => [f.name, [f.number, f.meaning]]))
    expect(said.VBIOS_VERSION).toEqual([6, expect.stringMatching(/^96\.00\.FE\.00\.01 /)])
    expect(said.DRIVER_VERSION).toEqual([3, expect.stringMatching(/^580\.159\.03 /)])
    expect(said.PROJECT).toEqual([17, expect.stringMatching(/^1010 /)])
    expect(said.NVDEC0_STATUS).toEqual([11, expect.stringMatching(/^disabled /)])
    expect(said.PROTECTED_PCIE_STATUS).toEqual([21, expect.stringMatching(/^on /)])
    expect(said.FEATURE_FLAG).toEqual([36, expect.stringMatching(/^PPCIE /)])
    expect(said.BOARD_ID).toEqual([14, expect.stringMatching(/^0x3b1 /)])
    const pdis = board.switches.map((s) => toHex(s.device.pdi))
    for (const pdi of pdis) expect(said.SWITCH_PDI?.[1]).toContain(pdi)
  })

  test('where the signature lies', () => {
    expect(view.sections.at(-1)).toMatchObject({
      title: `Signature over bytes 0–${gpu.length - 97}`,
      fields: [
        { name: 'r', offset: gpu.length - 96, sizeBytes: 48 },
        { name: 's', offset: gpu.length - 48, sizeBytes: 48 },
      ],
    })
  })

  test('refused: the header without meanings, and why', () => {
    const longer = new Uint8Array(gpu.length + 1)
    longer.set(gpu)
    const refused = inspectGpu(longer)
    expect(refused.problems.map((p) => p.code)).toEqual(['GPU_TRAILING_BYTES'])
    expect(fields(refused)).toHaveLength(12)
    expect(fields(refused).every((f) => f.meaning === '')).toBe(true)
    expect(inspectGpu(gpu.subarray(0, 44))).toMatchObject({ sections: [], problems: [{ code: 'GPU_SPDM_MALFORMED' }] })
  })
})

describe('a switch report', () => {
  const view = inspectSwitch(nvSwitch)

  test('every field is where it is said to be, up to the last byte', () => expectTrue(view, nvSwitch))

  test('what a switch says, and what it does not', () => {
    expect(field(view, 'BIOS_VERSION')?.meaning).toMatch(/^96\.10\./)
    expect(field(view, 'LOCK_STATUS')?.meaning).toMatch(/^locked /)
    expect(field(view, 'POSITION_ID')?.meaning).toMatch(/^3 /)
    expect(field(view, 'DEVICE_PDI')?.meaning).toMatch(new RegExp(`^${toHex(board.switches[3]?.device.pdi ?? NONCE)} `))
    for (const { device } of board.gpus) expect(field(view, 'GPU_PDIS')?.meaning).toContain(toHex(device.pdi))
    expect(field(view, 'DRIVER_VERSION')).toBeUndefined()
  })
})

describeEvidence('nvidia', () => {
  test.each(['gpu-hopper-545.00-full', 'gpu-hopper-580.159.03', 'gpu-blackwell-575.32'])('%s', (name) => {
    const bytes = evidence(`nvidia/${name}/report.bin`)
    const view = inspectGpu(bytes)
    expectTrue(view, bytes)
    expect(fields(view).filter((f) => f.name.startsWith('measurement ') && isZero(Buffer.from(f.hex, 'hex')))).toEqual(
      [],
    )
  })
})
