import { isZero, reversed } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'

const PDI_BYTES = 8

/**
 * NVLink identities in a table of 8-byte entries, as lower-case hex in the order in which the device itself states its own.
 * Zero entries are unused links; several links to one neighbour name it once.
 * @param order `little-endian`: GPUs write their switches' PDIs that way; switches write GPUs' as they are
 */
export function pdisOf(table: Uint8Array, order: 'little-endian' | 'big-endian'): readonly string[] {
  const pdis = new Set<string>()
  for (let at = 0; at < table.length; at += PDI_BYTES) {
    const pdi = table.subarray(at, at + PDI_BYTES)
    if (!isZero(pdi)) pdis.add(toHex(order === 'little-endian' ? reversed(pdi) : pdi))
  }
  return [...pdis]
}
