import { p384 } from '@noble/curves/nist.js'
import { concatBytes } from '../../core/bytes.ts'
import { integer, seq } from '../pki/der.ts'
import type { TestKey } from '../pki/keys.ts'
import { littleEndian } from './bytes.ts'
import { encodeOpaque, type OpaqueField } from './opaque.ts'

/** One DMTF measurement block; whatever is not given is what a device writes. */
export interface MeasurementBlock {
  /** Counted from 1. */
  readonly index: number
  readonly value: Uint8Array
  /** 1 = DMTF. */
  readonly specification?: number
  readonly valueType?: number
  readonly valueSize?: number
  /** 3 + valueSize on the wire. */
  readonly measurementSize?: number
}

/** How the 96 bytes of the signature are written. `negated` is (r, n − s): another encoding of the same, valid signature. */
export type SignatureForm =
  | 'r-s'
  | 'swapped'
  | 'negated'
  | 'r-zero'
  | 's-zero'
  | 'zero'
  | 'r-order'
  | 's-order'
  | 'all-ones'
  | 'der'
  | 'one-byte-short'
  | 'one-byte-long'

/** Every field of a report: GET_MEASUREMENTS request followed by the MEASUREMENTS response (SPDM 1.1, DMTF DSP0274). */
export interface SpdmFields {
  readonly requestVersion: number
  readonly requestCode: number
  readonly requestParam1: number
  readonly requestParam2: number
  /** Request nonce, the verifier's challenge; 32 bytes. */
  readonly nonce: Uint8Array
  readonly slot: number
  readonly responseVersion: number
  readonly responseCode: number
  readonly responseParam1: number
  readonly responseParam2: number
  readonly blocks: readonly MeasurementBlock[]
  /** Number of blocks written where it is to differ from `blocks.length`. */
  readonly blockCount?: number
  /** Length of the measurement record written where it is to differ from what the blocks take. */
  readonly recordLength?: number
  /** The device's own random bytes, not the challenge; 32 bytes. */
  readonly responderNonce: Uint8Array
  readonly opaque: readonly OpaqueField[]
  /** Bytes behind the last opaque field, inside the opaque data. */
  readonly opaqueRest?: Uint8Array
  readonly opaqueLength?: number
  readonly signer: TestKey
  readonly signatureForm: SignatureForm
  /** Changes the bytes before they are signed. */
  readonly patch?: (unsigned: Uint8Array) => Uint8Array
  /** Changes the signed bytes. */
  readonly tamper?: (report: Uint8Array) => Uint8Array
}

function encodeBlock(block: MeasurementBlock): Uint8Array {
  const valueSize = block.valueSize ?? block.value.length
  return concatBytes(
    Uint8Array.of(block.index & 0xff, block.specification ?? 1),
    littleEndian(block.measurementSize ?? 3 + valueSize, 2),
    Uint8Array.of(block.valueType ?? 1),
    littleEndian(valueSize, 2),
    block.value,
  )
}

/** The report as NVML or NSCQ hands it out, signed by `fields.signer` over request and response. */
export function encodeReport(fields: SpdmFields): Uint8Array {
  const record = concatBytes(...fields.blocks.map(encodeBlock))
  const opaque = concatBytes(encodeOpaque(fields.opaque), fields.opaqueRest ?? new Uint8Array())
  const plain = concatBytes(
    Uint8Array.of(fields.requestVersion, fields.requestCode, fields.requestParam1, fields.requestParam2),
    fields.nonce,
    Uint8Array.of(fields.slot),
    Uint8Array.of(fields.responseVersion, fields.responseCode, fields.responseParam1, fields.responseParam2),
    Uint8Array.of((fields.blockCount ?? fields.blocks.length) & 0xff),
    littleEndian(fields.recordLength ?? record.length, 3),
    record,
    fields.responderNonce,
    littleEndian(fields.opaqueLength ?? opaque.length, 2),
    opaque,
  )
  const unsigned = fields.patch?.(plain) ?? plain
  const report = concatBytes(unsigned, inForm(fields.signer.signRaw(unsigned, 'sha384'), fields.signatureForm))
  return fields.tamper?.(report) ?? report
}

const ORDER = p384.Point.Fn.ORDER

const scalar = (value: bigint): Uint8Array =>
  Uint8Array.from({ length: 48 }, (_, i) => Number((value >> BigInt(8 * (47 - i))) & 0xffn))

const toBigInt = (bytes: Uint8Array): bigint => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)

/** `raw` (r ‖ s, 48 bytes each, big-endian) written another way. */
export function inForm(raw: Uint8Array, form: SignatureForm): Uint8Array {
  const r = raw.subarray(0, 48)
  const s = raw.subarray(48)
  const zero = new Uint8Array(48)
  switch (form) {
    case 'r-s':
      return raw
    case 'swapped':
      return concatBytes(s, r)
    case 'negated':
      return concatBytes(r, scalar(ORDER - toBigInt(s)))
    case 'r-zero':
      return concatBytes(zero, s)
    case 's-zero':
      return concatBytes(r, zero)
    case 'zero':
      return concatBytes(zero, zero)
    case 'r-order':
      return concatBytes(scalar(ORDER), s)
    case 's-order':
      return concatBytes(r, scalar(ORDER))
    case 'all-ones':
      return new Uint8Array(96).fill(0xff)
    case 'der':
      return seq(integer(r), integer(s))
    case 'one-byte-short':
      return raw.subarray(0, 95)
    case 'one-byte-long':
      return concatBytes(raw, Uint8Array.of(0))
  }
}
