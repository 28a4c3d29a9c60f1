import { equalBytes, utf8 } from '../../core/bytes.ts'
import { sha256 } from './entry.ts'

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

/** Hash of one entry's text (RFC 9162 §2.1.1): 0x00 before it. */
export const leafHash = (entry: string | Uint8Array): Uint8Array =>
  sha256(LEAF, typeof entry === 'string' ? utf8(entry) : entry)

const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array => sha256(NODE, left, right)

/** A tree that grows at its right end and keeps only the roots of its full subtrees, largest first: at most one for each bit of its size. */
export class MerkleTree {
  readonly #full: Uint8Array[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  append(leaf: Uint8Array): void {
    let hash = leaf
    // As many subtrees become one as the size ends in ones.
    for (let size = this.#size; size % 2 === 1; size = Math.floor(size / 2))
      hash = nodeHash(this.#full.pop() ?? leaf, hash)
    this.#full.push(hash)
    this.#size++
  }

  /** The tree's hash; that of nothing where it is empty. */
  root(): Uint8Array {
    return (
      this.#full.reduceRight<Uint8Array | undefined>(
        (right, left) => (right ? nodeHash(left, right) : left),
        undefined,
      ) ?? sha256()
    )
  }
}

export function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const tree = new MerkleTree()
  for (const leaf of leaves) tree.append(leaf)
  return tree.root()
}

/** Largest power of two below `size`, which is at least 2. */
function split(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}

/**
 * PATH(index, leaves) of RFC 9162 §2.1.3.1: the hashes that lead from one leaf to the root, nearest first. Of the leaves, which
 * come in their order, no more is kept than the path.
 * @throws TypeError for an index that is not in the tree, or fewer leaves than its size
 */
export async function inclusionPath(
  leaves: AsyncIterable<Uint8Array>,
  size: number,
  index: number,
): Promise<readonly Uint8Array[]> {
  if (!(Number.isSafeInteger(index) && index >= 0 && index < size)) throw new TypeError('no such leaf')
  const each = leaves[Symbol.asyncIterator]()
  const next = async (): Promise<Uint8Array> => {
    const { value, done } = await each.next()
    if (done === true) throw new TypeError(`fewer leaves than ${size}`)
    return value
  }
  const rootOfNext = async (count: number): Promise<Uint8Array> => {
    const tree = new MerkleTree()
    for (let i = 0; i < count; i++) tree.append(await next())
    return tree.root()
  }
  const pathIn = async (count: number, at: number): Promise<readonly Uint8Array[]> => {
    if (count === 1) {
      await next()
      return []
    }
    const k = split(count)
    if (at < k) {
      const path = await pathIn(k, at)
      return [...path, await rootOfNext(count - k)]
    }
    const left = await rootOfNext(k)
    return [...(await pathIn(count - k, at - k)), left]
  }
  return pathIn(size, index)
}

/** Whether `path` leads from `leaf` at `index` to the root of a tree of `size` leaves (RFC 9162 §2.1.3.2). */
export function isIncluded(
  { leaf, index, path }: { readonly leaf: Uint8Array; readonly index: number; readonly path: readonly Uint8Array[] },
  { size, root }: { readonly size: number; readonly root: Uint8Array },
): boolean {
  if (!(Number.isSafeInteger(index) && index >= 0 && Number.isSafeInteger(size) && index < size)) return false
  let [at, last, hash] = [index, size - 1, leaf]
  for (const sibling of path) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash)
      // A subtree that has no right neighbour goes up as it is.
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)]
    } else hash = nodeHash(hash, sibling)
    ;[at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
  }
  return last === 0 && equalBytes(hash, root)
}

/**
 * PROOF(oldSize, leaves) of RFC 9162 §2.1.4.1: the hashes from which both the earlier root and the present one follow.
 * @throws TypeError for a size that the tree did not have
 */
export function consistencyPath(leaves: readonly Uint8Array[], oldSize: number): readonly Uint8Array[] {
  if (!(Number.isSafeInteger(oldSize) && oldSize > 0 && oldSize <= leaves.length)) throw new TypeError('no such size')
  return subproof(leaves, oldSize, true)
}

function subproof(leaves: readonly Uint8Array[], oldSize: number, isWhole: boolean): readonly Uint8Array[] {
  if (oldSize === leaves.length) return isWhole ? [] : [rootOf(leaves)]
  const k = split(leaves.length)
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)]
  return oldSize <= k
    ? [...subproof(left, oldSize, isWhole), rootOf(right)]
    : [...subproof(right, oldSize - k, false), rootOf(left)]
}

export interface TreeHead {
  readonly size: number
  readonly root: Uint8Array
}

/** Whether the later tree begins with all leaves of the earlier one (RFC 9162 §2.1.4.2). */
export function isConsistent(earlier: TreeHead, later: TreeHead, path: readonly Uint8Array[]): boolean {
  const sizes = [earlier.size, later.size]
  if (!sizes.every((size) => Number.isSafeInteger(size) && size > 0) || earlier.size > later.size) return false
  if (earlier.size === later.size) return path.length === 0 && equalBytes(earlier.root, later.root)
  let [at, last] = [earlier.size - 1, later.size - 1]
  while (at % 2 === 1) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
  // Where the earlier tree is one full subtree of the later, its root is not sent again.
  const [first, ...rest] = at === 0 ? [earlier.root, ...path] : path
  if (first === undefined) return false
  let [oldHash, newHash] = [first, first]
  for (const sibling of rest) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      ;[oldHash, newHash] = [nodeHash(sibling, oldHash), nodeHash(sibling, newHash)]
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)]
    } else newHash = nodeHash(newHash, sibling)
    ;[at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
  }
  return last === 0 && equalBytes(oldHash, earlier.root) && equalBytes(newHash, later.root)
}
