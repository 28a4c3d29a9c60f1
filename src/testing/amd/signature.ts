import { p384 } from '@noble/curves/nist.js'
import { reversed } from '../../core/bytes.ts'

const BLOCK_BYTES = 512
const COMPONENT_BYTES = 72

/**
 * What stands in the signature block of a report.
 * `valid` as AMD writes it: r and s little-endian in 72 bytes each, the rest zero · `zero` as an unsigned report ·
 * `big-endian` r and s the other way round · `r-high-byte`, `s-high-byte` a byte above the low 48 of a valid component ·
 * `tail-byte` a byte behind two valid components · `r-zero` … `s-is-n` the component is 0 or the order n ·
 * `r-plus-n`, `s-plus-n` the component plus n, which fits 48 bytes only for a `chosenKey` ·
 * `s-negated` (r, n − s), which is another valid signature
 */
export type SnpSignature =
  | 'valid'
  | 'zero'
  | 'big-endian'
  | 'r-high-byte'
  | 's-high-byte'
  | 'tail-byte'
  | 'r-zero'
  | 's-zero'
  | 'r-is-n'
  | 's-is-n'
  | 'r-plus-n'
  | 's-plus-n'
  | 's-negated'

/**
 * The 512-byte signature block (AMD 56860, SIGNATURE field of ATTESTATION_REPORT).
 * @param raw  valid r ‖ s, big-endian, each as long as the order of its curve (48 bytes for P-384)
 */
export function signatureBlock(raw: Uint8Array, kind: SnpSignature): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES)
  const r = raw.subarray(0, raw.length / 2)
  const s = raw.subarray(raw.length / 2)
  if (kind === 'zero') return block
  if (kind === 'big-endian') {
    block.set(r, 0)
    block.set(s, COMPONENT_BYTES)
    return block
  }
  const n = p384.Point.Fn.ORDER
  const component = (value: bigint, which: 'r' | 's'): bigint => {
    if (kind === `${which}-zero`) return 0n
    if (kind === `${which}-is-n`) return n
    if (kind === `${which}-plus-n`) return value + n
    return kind === `${which}-negated` ? n - value : value
  }
  block.set(littleEndian(component(bigEndian(r), 'r')), 0)
  block.set(littleEndian(component(bigEndian(s), 's')), COMPONENT_BYTES)
  const stray = { 'r-high-byte': 60, 's-high-byte': COMPONENT_BYTES + 60, 'tail-byte': 200 } as const
  if (kind === 'r-high-byte' || kind === 's-high-byte' || kind === 'tail-byte') block[stray[kind]] = 1
  return block
}

const bigEndian = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

const littleEndian = (value: bigint): Uint8Array =>
  reversed(Buffer.from(value.toString(16).padStart(2 * COMPONENT_BYTES, '0'), 'hex'))
