import { latin1 } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import { refuse } from '../../core/outcome.ts'

/** A driver release: groups of letters and digits with single dots between them, the first a number, e.g. `580.159.03`. */
export const DRIVER_VERSION = /^[0-9]{1,6}(\.[0-9A-Za-z]{1,8}){0,4}$/

/** PROJECT, PROJECT_SKU, CHIP_SKU and CHIP_INFO, e.g. `G520`, `0200`, `885`, `GB100`. */
export const ID_PART = /^[0-9A-Za-z]{1,16}$/

const BIOS_VERSION = /^[0-9A-Fa-f]{2}(\.[0-9A-Fa-f]{2}){4}$/

/** Whether a version is of a VBIOS or a switch BIOS, by its form: five hexadecimal pairs. No driver release looks like that. */
export const isBiosVersion = (version: string): boolean => BIOS_VERSION.test(version)

/** BIOS versions are compared, and made part of ids, in capitals. */
export const sameBiosVersion = (a: string, b: string): boolean => a.toUpperCase() === b.toUpperCase()

/**
 * VBIOS version of a GPU out of its 8 packed bytes: `00 74 00 96 20 00 00 00` is `96.00.74.00.20`. Ends the surrounding
 * `attempt` with GPU_VERSION_MALFORMED where the three bytes that have no place in the version are not zero.
 * @see ../shared/spec/nvidia-gpu.md §2, id 6
 */
export function packedVbiosVersion(data: Uint8Array, path: string): string {
  const [b0 = 0, b1 = 0, b2 = 0, b3 = 0, b4 = 0, ...rest] = data
  if (data.length !== 8 || rest.some((b) => b !== 0)) {
    refuse('GPU_VERSION_MALFORMED', path, {
      expected: '5 bytes, then 3 zero bytes',
      actual: toHex(data.subarray(0, 16)),
    })
  }
  return (
    toHex(Uint8Array.of(b3, b2, b1, b0, b4))
      .toUpperCase()
      .match(/../g) ?? []
  ).join('.')
}

/** BIOS version of a switch, ASCII as it is. Ends the surrounding `attempt` with GPU_VERSION_MALFORMED. */
export function asciiBiosVersion(data: Uint8Array, path: string): string {
  const text = latin1(data.subarray(0, 32))
  if (data.length > 32 || !isBiosVersion(text)) {
    refuse('GPU_VERSION_MALFORMED', path, { expected: 'five hexadecimal pairs', actual: text })
  }
  return text.toUpperCase()
}

/** First group of a driver release that `DRIVER_VERSION` accepted. */
export const driverBranch = (driverVersion: string): number => Number.parseInt(driverVersion, 10)
