import { copyOf } from '../../core/bytes.ts'
import type { Code } from '../../core/codes.ts'
import { ecdsaComponentsInRange } from '../../core/crypto/ecdsa.ts'
import { Cursor } from '../../core/cursor.ts'
import { bytes, decodeLayout, layout, u8 } from '../../core/layout.ts'
import { attempt, type Outcome, refuse, take } from '../../core/outcome.ts'
import { type OpaqueData, splitOpaque } from './opaque.ts'
import type { DeviceClass } from './opaque-fields.ts'

/**
 * The fixed part of a report: GET_MEASUREMENTS request of 37 bytes, then the MEASUREMENTS response up to its record. After it
 * come the measurement record, the responder's nonce (32), the length of the opaque data (u16), the opaque data, and the
 * signature (96).
 * @see DMTF DSP0274 1.1 §10.11; ../shared/spec/nvidia-gpu.md §1
 */
export const SPDM_HEADER = layout('SPDM_MEASUREMENTS', 45, {
  requestVersion: u8(0),
  requestCode: u8(1),
  requestParam1: u8(2),
  requestParam2: u8(3),
  requestNonce: bytes(4, 32),
  slotId: u8(36),
  responseVersion: u8(37),
  responseCode: u8(38),
  responseParam1: u8(39),
  responseParam2: u8(40),
  numberOfBlocks: u8(41),
  measurementRecordLength: bytes(42, 3),
})

const NONCE_BYTES = 32
const SIGNATURE_BYTES = 96
const DMTF = 1
const DMTF_VALUE_TYPE_DIGEST = 1
/** DMTFSpecMeasurementValueType and its size stand before the value, inside the measurement. */
const DMTF_HEADER_BYTES = 3

/** What every report says at these places. A signature over all blocks (0x01, 0xFF) was asked of slot 0. */
const FIXED: readonly (readonly [field: keyof typeof SPDM_HEADER.fields, value: number, code: Code])[] = [
  ['requestVersion', 0x11, 'GPU_SPDM_VERSION'],
  ['requestCode', 0xe0, 'GPU_SPDM_VERSION'],
  ['requestParam1', 0x01, 'GPU_SPDM_VERSION'],
  ['requestParam2', 0xff, 'GPU_SPDM_VERSION'],
  ['slotId', 0, 'GPU_REPORT_UNSUPPORTED'],
  ['responseVersion', 0x11, 'GPU_SPDM_VERSION'],
  ['responseCode', 0x60, 'GPU_SPDM_VERSION'],
  ['responseParam1', 0, 'GPU_REPORT_UNSUPPORTED'],
  ['responseParam2', 0, 'GPU_REPORT_UNSUPPORTED'],
]

/** A signed measurements exchange. Nothing in it is proved; byte fields are views into a private copy. */
export interface SpdmReport {
  /** the verifier's challenge, 32 bytes */
  readonly requestNonce: Uint8Array
  /** values by index, from 1 without a gap; as the device measured them, usually SHA-384 */
  readonly measurements: ReadonlyMap<number, Uint8Array>
  /** random bytes of the device, 32; not the challenge */
  readonly responderNonce: Uint8Array
  readonly opaque: OpaqueData
  /** request and response without the signature: what the signature covers */
  readonly signedBytes: Uint8Array
  /** r ‖ s, big-endian, 96 bytes, both in [1, n − 1] */
  readonly signature: Uint8Array
}

interface Extent {
  readonly header: { readonly requestNonce: Uint8Array; readonly numberOfBlocks: number }
  readonly measurementRecord: Uint8Array
  readonly responderNonce: Uint8Array
  readonly opaqueData: Uint8Array
  readonly signedBytes: number
  readonly signature: Uint8Array
  readonly cursor: Cursor
}

/** Follows the report's own length fields; versions and codes come first, so that an SPDM error answer is named as one. */
function extentOf(input: Uint8Array, path: string): Extent {
  for (const [name, expected, code] of FIXED) {
    const { offset } = SPDM_HEADER.fields[name]
    const actual = input[offset]
    if (actual === undefined) {
      return refuse('GPU_SPDM_MALFORMED', path, {
        expected: `${name} at offset ${offset}`,
        actual: `${input.length} bytes`,
      })
    }
    if (actual !== expected) refuse(code, `${path}.${name}`, { expected: hexByte(expected), actual: hexByte(actual) })
  }
  const cursor = new Cursor(input, path, 'GPU_SPDM_MALFORMED')
  const codes = { size: 'GPU_SPDM_MALFORMED', reserved: 'GPU_SPDM_MALFORMED' } as const
  const header = take(decodeLayout(SPDM_HEADER, cursor.take(SPDM_HEADER.sizeBytes, 'header'), path, codes))
  const [low = 0, middle = 0, high = 0] = header.measurementRecordLength
  const recordLength = low | (middle << 8) | (high << 16)
  if (recordLength === 0) refuse('GPU_SPDM_MALFORMED', `${path}.measurementRecordLength`, { actual: 0 })
  const measurementRecord = cursor.take(recordLength, 'measurementRecord')
  const responderNonce = cursor.take(NONCE_BYTES, 'responderNonce')
  const opaqueData = cursor.take(cursor.u16('opaqueLength'), 'opaqueData')
  const signedBytes = cursor.offset
  const signature = cursor.take(SIGNATURE_BYTES, 'signature')
  return { header, measurementRecord, responderNonce, opaqueData, signedBytes, signature, cursor }
}

const hexByte = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`

/**
 * Length of the exchange by its own length fields, for carriers that put other things behind it.
 * @returns bytes, at most `input.length`; or GPU_SPDM_VERSION · GPU_REPORT_UNSUPPORTED · GPU_SPDM_MALFORMED
 */
export function spdmLength(input: Uint8Array, path = 'report'): Outcome<number> {
  return attempt(() => extentOf(input, path).cursor.offset)
}

/** Whether the bytes begin as an SPDM 1.x GET_MEASUREMENTS request does. */
export const looksLikeSpdm = (input: Uint8Array): boolean => (input[0] ?? 0) >> 4 === 1 && input[1] === 0xe0

/**
 * Number of measurement blocks a report claims, for telling device classes apart before anything is decoded.
 * @returns undefined where the bytes are no measurements exchange, or end before the number
 */
export const claimedBlocks = (input: Uint8Array): number | undefined =>
  looksLikeSpdm(input) ? input[SPDM_HEADER.fields.numberOfBlocks.offset] : undefined

/**
 * Decodes a measurements exchange: every version, code and length exact, blocks numbered from 1 without a gap, DMTF digests,
 * opaque fields of this device class, no byte behind the signature.
 * @returns the report, or GPU_SPDM_VERSION · GPU_SPDM_MALFORMED · GPU_MEASUREMENT_INDEX · GPU_REPORT_UNSUPPORTED ·
 * GPU_OPAQUE_DUPLICATE · GPU_OPAQUE_MALFORMED · GPU_VERSION_MALFORMED · GPU_TRAILING_BYTES · GPU_SIGNATURE_INVALID (r or s
 * outside [1, n − 1])
 * @see DMTF DSP0274 1.1 §10.11
 */
export function decodeSpdm(device: DeviceClass, input: Uint8Array, path: string): Outcome<SpdmReport> {
  return attempt(() => {
    const received = copyOf(input) // what is judged later must be what was decoded, whatever the caller does with its array
    const extent = extentOf(received, path)
    const measurements = blocksOf(extent.measurementRecord, extent.header.numberOfBlocks, path)
    const opaque = splitOpaque(device, extent.opaqueData, `${path}.opaqueData`)
    // Last, so that a length field that is too small is named as such and not by the bytes it leaves over.
    extent.cursor.end('GPU_TRAILING_BYTES')
    if (!ecdsaComponentsInRange('P-384', extent.signature)) {
      refuse('GPU_SIGNATURE_INVALID', `${path}.signature`, { expected: 'r and s in [1, n − 1]' })
    }
    return {
      requestNonce: extent.header.requestNonce,
      measurements,
      responderNonce: extent.responderNonce,
      opaque,
      signedBytes: received.subarray(0, extent.signedBytes),
      signature: extent.signature,
    }
  })
}

function blocksOf(record: Uint8Array, numberOfBlocks: number, path: string): ReadonlyMap<number, Uint8Array> {
  const at = `${path}.measurementRecord`
  const cursor = new Cursor(record, at, 'GPU_SPDM_MALFORMED')
  const values = new Map<number, Uint8Array>()
  while (cursor.remaining > 0) {
    const position = values.size + 1
    const index = cursor.u8('index')
    const specification = cursor.u8('measurementSpecification')
    if (specification !== DMTF) {
      refuse('GPU_SPDM_MALFORMED', `${at}[${position}].measurementSpecification`, {
        expected: DMTF,
        actual: specification,
      })
    }
    const measurementSize = cursor.u16('measurementSize')
    const valueType = cursor.u8('valueType')
    const valueSize = cursor.u16('valueSize')
    if (measurementSize !== DMTF_HEADER_BYTES + valueSize) {
      refuse('GPU_SPDM_MALFORMED', `${at}[${position}].measurementSize`, {
        expected: DMTF_HEADER_BYTES + valueSize,
        actual: measurementSize,
      })
    }
    const value = cursor.take(valueSize, 'value')
    if (valueType !== DMTF_VALUE_TYPE_DIGEST) {
      refuse('GPU_REPORT_UNSUPPORTED', `${at}[${position}].valueType`, { expected: '0x01', actual: hexByte(valueType) })
    }
    if (index !== position)
      refuse('GPU_MEASUREMENT_INDEX', `${at}[${position}].index`, { expected: position, actual: index })
    values.set(index, value)
  }
  if (values.size !== numberOfBlocks) {
    refuse('GPU_MEASUREMENT_INDEX', `${path}.numberOfBlocks`, { expected: values.size, actual: numberOfBlocks })
  }
  return values
}
