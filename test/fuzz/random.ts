/** A small generator (sfc32): the same seed gives the same numbers on every machine. */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter: number

  /** @param seed any text; @param index which of the independent streams of this seed, 0 … 2^32 − 1 */
  constructor(seed: string, index: number) {
    const [a, b] = hashOf(seed)
    this.#a = a
    this.#b = b ^ index
    this.#c = Math.imul(index, 0x9e3779b1)
    this.#counter = 1
    for (let i = 0; i < 12; i++) this.next()
  }

  /** A whole number from 0 to 2^32 − 1. */
  next(): number {
    const out = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + out) | 0
    return out >>> 0
  }

  /** A whole number from 0 to `bound` − 1. */
  below(bound: number): number {
    return Math.floor((this.next() / 2 ** 32) * bound)
  }

  pick<T>(list: readonly T[]): T {
    const chosen = list[this.below(list.length)]
    if (chosen === undefined) throw new TypeError('nothing to pick from')
    return chosen
  }
}

const hashes = new Map<string, readonly [number, number]>()

/** Two FNV-1a hashes of different bases. */
function hashOf(seed: string): readonly [number, number] {
  const known = hashes.get(seed)
  if (known !== undefined) return known
  const fnv = (basis: number): number =>
    [...seed].reduce((hash, c) => Math.imul(hash ^ (c.codePointAt(0) ?? 0), 0x01000193), basis)
  const made = [fnv(0x811c9dc5), fnv(0x050c5d1f)] as const
  hashes.set(seed, made)
  return made
}
