/** Every way a key may be written: raw, hex, base64 and base64url at each of the three places of a group. */
export function spellings(key: Buffer): readonly Buffer[] {
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), key]).toString('base64')
    // Digits that the bytes beside the key have a part in are left out.
    return text.slice(offset === 0 ? 0 : 4, 40)
  })
  const hex = key.toString('hex')
  const texts = [hex, hex.toUpperCase(), ...base64, ...base64.map((t) => t.replaceAll('+', '-').replaceAll('/', '_'))]
  return [key, ...texts.map((text) => Buffer.from(text, 'latin1'))]
}

const PREFIX_BYTES = 8

/** How often any of these keys, in any spelling, stands in some bytes; these are gone through once, whatever the number of keys. */
export function searchFor(keys: readonly Buffer[]): (haystack: Buffer) => number {
  const needles = new Map<bigint, Buffer[]>()
  for (const needle of keys.flatMap(spellings)) {
    const prefix = needle.readBigUInt64LE(0)
    needles.set(prefix, [...(needles.get(prefix) ?? []), needle])
  }
  return (haystack) => {
    let count = 0
    for (let at = 0; at + PREFIX_BYTES <= haystack.length; at++)
      for (const needle of needles.get(haystack.readBigUInt64LE(at)) ?? [])
        if (haystack.subarray(at, at + needle.length).equals(needle)) count++
    return count
  }
}
