import { concatBytes, utf8 } from '../../core/bytes.ts'
import { drawnBytes } from '../bytes.ts'

export { flipBit, littleEndian, must } from '../bytes.ts'

/** Bytes of the NVIDIA side of the kit, see `drawnBytes`. */
export const seededBytes = (seed: string, label: string, length: number): Uint8Array<ArrayBuffer> =>
  drawnBytes('nvidia', seed, label, length)

/** ASCII with a terminating NUL, then NULs up to `size` where one is given. */
export function nulTerminated(text: string, size = text.length + 1): Uint8Array<ArrayBuffer> {
  if (text.length >= size) throw new TypeError(`"${text}" does not fit ${size} bytes with its NUL`)
  return concatBytes(utf8(text), new Uint8Array(size - text.length))
}
