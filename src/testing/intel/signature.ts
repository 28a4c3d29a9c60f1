import { p256 } from '@noble/curves/nist.js'
import { flipBit } from '../bytes.ts'

/**
 * What stands for an ECDSA signature of 64 bytes.
 * `valid` · `tampered` one bit turned over · `zero` · `r-zero`, `s-zero`, `r-is-n`, `s-is-n` one half is 0 or the order n ·
 * `s-negated` (r, n − s), which is another valid signature
 */
export type EcdsaForm = 'valid' | 'tampered' | 'zero' | 'r-zero' | 's-zero' | 'r-is-n' | 's-is-n' | 's-negated'

const N = p256.Point.Fn.ORDER
const toBytes = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, '0'), 'hex')

/** @param raw  valid r ‖ s over P-256, big-endian, 64 bytes */
export function ecdsaForm(raw: Uint8Array, form: EcdsaForm): Uint8Array {
  if (form === 'valid') return raw
  if (form === 'tampered') return flipBit(raw, 8 * 63)
  if (form === 'zero') return new Uint8Array(64)
  const out = Uint8Array.from(raw)
  if (form === 'r-zero' || form === 's-zero')
    return out.fill(0, form === 'r-zero' ? 0 : 32, form === 'r-zero' ? 32 : 64)
  if (form === 's-negated') out.set(toBytes(N - BigInt(`0x${Buffer.from(raw.subarray(32)).toString('hex')}`)), 32)
  else out.set(toBytes(N), form === 'r-is-n' ? 0 : 32)
  return out
}
