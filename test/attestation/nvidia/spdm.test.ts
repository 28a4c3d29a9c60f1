import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeSpdm, SPDM_HEADER, spdmLength } from '../../../src/attestation/nvidia/spdm.ts'
import { decodeGpuReport, nvidiaGpu } from '../../../src/attestation/nvidia-gpu/index.ts'
import { decodeSwitchReport, nvidiaSwitch } from '../../../src/attestation/nvidia-switch/index.ts'
import type { Code } from '../../../src/core/codes.ts'
import type { Outcome } from '../../../src/core/outcome.ts'
import { last, machineOf, NONCE, SMALL_BOARD } from './support.ts'

const GPU = last(machineOf().gpus).report
const SWITCH = last(machineOf(SMALL_BOARD).switches).report

const codes = (outcome: Outcome<unknown>): readonly Code[] => (outcome.ok ? [] : outcome.faults.map((f) => f.code))

/** Codes with which a decoder may refuse; anything else would be a verdict it has no business with. */
const DECODE_CODES: readonly Code[] = [
  'GPU_SPDM_VERSION',
  'GPU_SPDM_MALFORMED',
  'GPU_MEASUREMENT_INDEX',
  'GPU_REPORT_UNSUPPORTED',
  'GPU_OPAQUE_DUPLICATE',
  'GPU_OPAQUE_MALFORMED',
  'GPU_VERSION_MALFORMED',
  'GPU_NVDEC0_INVALID',
  'GPU_TRAILING_BYTES',
  'GPU_SIGNATURE_INVALID',
]

const changed = (report: Uint8Array, offset: number, value: number): Uint8Array => {
  const copy = report.slice()
  copy[offset] = value
  return copy
}

describe('decodeSpdm', () => {
  it('finds every part by the lengths of the report', () => {
    const outcome = decodeSpdm('gpu', GPU, 'report')
    if (!outcome.ok) throw new TypeError('refused')
    const { requestNonce, measurements, responderNonce, signedBytes, signature } = outcome.value
    expect([...requestNonce]).toEqual([...NONCE])
    expect([...measurements.keys()]).toEqual(Array.from({ length: 64 }, (_, i) => i + 1))
    expect([...measurements.values()].every((v) => v.length === 48)).toBe(true)
    expect(responderNonce).toHaveLength(32)
    expect(signedBytes.length + signature.length).toBe(GPU.length)
    expect([...signature]).toEqual([...GPU.subarray(-96)])
  })

  it('keeps what it decoded when the caller changes the bytes', () => {
    const bytes = GPU.slice()
    const outcome = decodeSpdm('gpu', bytes, 'report')
    bytes.fill(0)
    expect(outcome.ok && [...outcome.value.requestNonce]).toEqual([...NONCE])
  })

  it.each([
    ['requestVersion', 0x12, 'GPU_SPDM_VERSION'],
    ['requestCode', 0xe1, 'GPU_SPDM_VERSION'],
    ['requestParam1', 0x00, 'GPU_SPDM_VERSION'],
    ['requestParam2', 0x01, 'GPU_SPDM_VERSION'],
    ['slotId', 0x01, 'GPU_REPORT_UNSUPPORTED'],
    ['responseVersion', 0x10, 'GPU_SPDM_VERSION'],
    ['responseCode', 0x7f, 'GPU_SPDM_VERSION'],
    ['responseParam1', 0x01, 'GPU_REPORT_UNSUPPORTED'],
    ['responseParam2', 0x01, 'GPU_REPORT_UNSUPPORTED'],
    ['numberOfBlocks', 63, 'GPU_MEASUREMENT_INDEX'],
    ['numberOfBlocks', 0, 'GPU_MEASUREMENT_INDEX'],
  ] as const)('refuses %s = 0x%s', (field, value, code) => {
    const bytes = changed(GPU, SPDM_HEADER.fields[field].offset, value)
    const outcome = decodeSpdm('gpu', bytes, 'report')
    expect(codes(outcome)).toEqual([code])
    expect(outcome.ok ? '' : outcome.faults[0].path).toBe(`report.${field}`)
  })

  it('names an SPDM error answer before it misses the rest of it', () => {
    expect(codes(decodeSpdm('gpu', changed(GPU, 38, 0x7f).subarray(0, 41), 'report'))).toEqual(['GPU_SPDM_VERSION'])
  })

  it('refuses every truncation with a code of the decoder', () => {
    for (let length = 0; length < GPU.length; length++) {
      const [code, ...more] = codes(decodeGpuReport(GPU.subarray(0, length), 'report'))
      expect([code, more], `${length} bytes`).toEqual(['GPU_SPDM_MALFORMED', []])
    }
  })

  it('refuses bytes behind the signature', () => {
    for (const report of [GPU, SWITCH]) {
      const longer = new Uint8Array(report.length + 1)
      longer.set(report)
      const outcome = report === GPU ? decodeGpuReport(longer, 'report') : decodeSwitchReport(longer, 'report')
      expect(codes(outcome)).toEqual(['GPU_TRAILING_BYTES'])
    }
  })
})

describe('spdmLength', () => {
  it('is the length of the report, whatever follows it', () => {
    const packed = new Uint8Array(GPU.length + 3000).fill(0x2d)
    packed.set(GPU)
    expect(spdmLength(packed)).toEqual({ ok: true, value: GPU.length })
    expect(spdmLength(GPU)).toEqual({ ok: true, value: GPU.length })
  })

  it('is never more than there is', () => {
    expect(codes(spdmLength(GPU.subarray(0, -1)))).toEqual(['GPU_SPDM_MALFORMED'])
    expect(codes(spdmLength(new Uint8Array()))).toEqual(['GPU_SPDM_MALFORMED'])
  })
})

describe('recognise', () => {
  it('tells a GPU and a switch apart, and neither from anything else', () => {
    expect([nvidiaGpu.recognise(GPU), nvidiaSwitch.recognise(GPU)]).toEqual([true, false])
    expect([nvidiaGpu.recognise(SWITCH), nvidiaSwitch.recognise(SWITCH)]).toEqual([false, true])
    for (const other of [new Uint8Array(), new Uint8Array(1184).fill(2), new TextEncoder().encode('-----BEGIN CERT')]) {
      expect([nvidiaGpu.recognise(other), nvidiaSwitch.recognise(other)]).toEqual([false, false])
    }
  })

  it('still knows a report whose SPDM version is wrong, so that it is refused for that', () => {
    expect(nvidiaGpu.recognise(changed(GPU, 0, 0x12))).toBe(true)
  })
})

describe('any bytes', () => {
  const isOutcome = (outcome: Outcome<unknown>) =>
    outcome.ok || outcome.faults.every((f) => DECODE_CODES.includes(f.code))

  it('come back as an outcome with a code of the decoder', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        expect(isOutcome(decodeGpuReport(bytes, 'report')) && isOutcome(decodeSwitchReport(bytes, 'report'))).toBe(true)
      }),
      { numRuns: 500, seed: 1 },
    )
  })

  it('do so too as mutants of a good report', () => {
    const mutation = fc.array(fc.tuple(fc.nat(GPU.length - 1), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 8,
    })
    fc.assert(
      fc.property(mutation, fc.nat(GPU.length), (edits, cut) => {
        const mutant = GPU.slice(0, edits.length % 2 === 0 ? GPU.length : cut)
        for (const [at, value] of edits) if (at < mutant.length) mutant[at] = value
        expect(isOutcome(decodeGpuReport(mutant, 'report')) && isOutcome(decodeSwitchReport(mutant, 'report'))).toBe(
          true,
        )
      }),
      { numRuns: 2000, seed: 2 },
    )
  })
})
