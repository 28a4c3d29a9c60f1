import type { Decoded } from '../../attestation/kind.ts'
import type { DeviceReport } from '../../attestation/nvidia/device.ts'
import { type DeviceClass, OPAQUE_FIELDS } from '../../attestation/nvidia/opaque-fields.ts'
import { SPDM_HEADER, type SpdmReport } from '../../attestation/nvidia/spdm.ts'
import { decodeGpuReport } from '../../attestation/nvidia-gpu/index.ts'
import { decodeSwitchReport } from '../../attestation/nvidia-switch/index.ts'
import { isZero } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { FieldView, SectionView } from './model.ts'
import { GPU_OPAQUE, type OpaqueMeanings, SWITCH_OPAQUE } from './opaque-meanings.ts'
import { problemOf } from './problems.ts'
import type { ReportView } from './snp.ts'

export const inspectGpu = (bytes: Uint8Array): ReportView =>
  inspectSpdm('gpu', bytes, decodeGpuReport(bytes, 'report'), GPU_OPAQUE)

export const inspectSwitch = (bytes: Uint8Array): ReportView =>
  inspectSpdm('switch', bytes, decodeSwitchReport(bytes, 'report'), SWITCH_OPAQUE)

/** Every part of a measurements exchange: header, blocks, opaque data, signature; the header alone where it is refused. */
function inspectSpdm<R extends DeviceReport>(
  device: DeviceClass,
  bytes: Uint8Array,
  outcome: Outcome<Decoded<R>>,
  meanings: OpaqueMeanings<R>,
): ReportView {
  const header: SectionView = {
    title: 'SPDM 1.1 GET_MEASUREMENTS and MEASUREMENTS (DMTF DSP0274)',
    fields: headerFields(bytes, outcome.ok),
  }
  if (!outcome.ok) {
    const sections = bytes.length < SPDM_HEADER.sizeBytes ? [] : [header]
    return { sections, problems: outcome.faults.map(problemOf) }
  }
  const report = outcome.value.value
  const { spdm } = report
  const view = fieldIn(spdm)
  const nonce = view('responderNonce', spdm.responderNonce, 'random bytes of the device; not the challenge')
  const signature = [
    view('r', spdm.signature.subarray(0, 48), 'big-endian; ECDSA P-384 with SHA-384'),
    view('s', spdm.signature.subarray(48), 'big-endian'),
  ]
  return {
    problems: [],
    sections: [
      header,
      measurementSection(spdm, view),
      { title: 'Responder', fields: [nonce] },
      { title: 'Opaque data, signed with the measurements', fields: opaqueFields(device, report, meanings, view) },
      { title: `Signature over bytes 0–${spdm.signedBytes.length - 1}`, fields: signature },
    ],
  }
}

type View = (name: string, value: Uint8Array, meaning: string, number?: number) => FieldView

/** Decoded fields are views into one private copy of the report, so their place in it is the place in the report. */
function fieldIn({ signedBytes }: SpdmReport): View {
  return (name, value, meaning, number) => ({
    name,
    ...(number === undefined ? {} : { number }),
    offset: value.byteOffset - signedBytes.byteOffset,
    sizeBytes: value.length,
    hex: toHex(value),
    meaning,
    parts: [],
  })
}

const HEADER_MEANINGS: Readonly<Record<keyof typeof SPDM_HEADER.fields, (raw: Uint8Array) => string>> = {
  requestVersion: () => 'SPDM 1.1',
  requestCode: () => 'GET_MEASUREMENTS',
  requestParam1: () => 'a signature is asked for',
  requestParam2: () => 'all measurement blocks',
  requestNonce: () => 'the verifier’s challenge',
  slotId: () => 'certificate slot 0',
  responseVersion: () => 'SPDM 1.1',
  responseCode: () => 'MEASUREMENTS',
  responseParam1: () => 'as fixed',
  responseParam2: () => 'slot 0',
  numberOfBlocks: ([count = 0]) => `${count} blocks`,
  measurementRecordLength: ([low = 0, middle = 0, high = 0]) =>
    `${low | (middle << 8) | (high << 16)} bytes of blocks follow`,
}

function headerFields(bytes: Uint8Array, accepted: boolean): FieldView[] {
  return SPDM_HEADER.ordered.map(([name, { offset, sizeBytes }]) => {
    const raw = bytes.subarray(offset, offset + sizeBytes)
    const meaning = accepted ? HEADER_MEANINGS[name as keyof typeof HEADER_MEANINGS](raw) : ''
    return { name, offset, sizeBytes, hex: toHex(raw), meaning, parts: [] }
  })
}

/** A manifest counts from 0, the report from 1: both numbers are told, since half of all confusion is about them. */
function measurementSection(spdm: SpdmReport, view: View): SectionView {
  const blocks = [...spdm.measurements]
  const zero = blocks.filter(([, value]) => isZero(value)).map(([index]) => index)
  const fields = blocks
    .filter(([, value]) => !isZero(value))
    .map(([index, value]) => view(`measurement ${index}`, value, `manifest index ${index - 1}`, index))
  const note = zero.length === 0 ? {} : { note: `all zero: blocks ${ranges(zero)}` }
  return { title: `Measurements, ${blocks.length} blocks`, fields, ...note }
}

/** `1, 3–5, 9` */
function ranges(numbers: readonly number[]): string {
  const runs: [first: number, last: number][] = []
  for (const n of numbers) {
    const run = runs.at(-1)
    if (run !== undefined && run[1] === n - 1) run[1] = n
    else runs.push([n, n])
  }
  return runs.map(([a, b]) => (a === b ? `${a}` : `${a}–${b}`)).join(', ')
}

/** In the order of the report. */
function opaqueFields<R extends DeviceReport>(
  device: DeviceClass,
  report: R,
  meanings: OpaqueMeanings<R>,
  view: View,
): FieldView[] {
  return OPAQUE_FIELDS.filter((row) => row.devices.includes(device))
    .flatMap((row) => {
      const data = report.spdm.opaque.optional(row.name)
      if (data === undefined) return []
      const value = meanings[row.name]?.(report, data)
      return [view(row.name, data, value === undefined ? row.meaning : `${value} (${row.meaning})`, row.id)]
    })
    .sort((a, b) => a.offset - b.offset)
}
