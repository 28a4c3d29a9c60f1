/**
 * Orders dotted versions number by number, so that 550.9 < 550.90 < 550.144; parts that are not written count as 0.
 * @param radix 10 for drivers and firmware, 16 for VBIOS
 * @returns negative, zero or positive; undefined where one of them is no such version
 */
export function compareVersions(a: string, b: string, radix: 10 | 16 = 10): number | undefined {
  const left = partsOf(a, radix)
  const right = partsOf(b, radix)
  if (left === undefined || right === undefined) return undefined
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function partsOf(version: string, radix: 10 | 16): readonly number[] | undefined {
  if (!VERSION[radix].test(version)) return undefined
  return version.split('.').map((digits) => Number.parseInt(digits, radix))
}

const VERSION = {
  10: /^[0-9]{1,5}(\.[0-9]{1,5}){0,5}$/,
  16: /^[0-9a-fA-F]{2}(\.[0-9a-fA-F]{2}){0,5}$/,
} as const
