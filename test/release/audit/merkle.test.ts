import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../src/core/encodings.ts'
import {
  consistencyPath,
  inclusionPath,
  isConsistent,
  isIncluded,
  leafHash,
  MerkleTree,
  rootOf,
} from '../../../src/release/audit/merkle.ts'

/** Entries and roots that implementations of RFC 6962 agree upon (Certificate Transparency's own vectors). */
const ENTRIES = [
  ...['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'],
].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')))
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

/** RFC 9162 §2.1.1 word for word, and slowly. */
function definition(entries: readonly Uint8Array[]): Buffer {
  const [first] = entries
  const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
  if (first === undefined) return sha()
  if (entries.length === 1) return sha(Uint8Array.of(0), first)
  let k = 1
  while (k * 2 < entries.length) k *= 2
  return sha(Uint8Array.of(1), definition(entries.slice(0, k)), definition(entries.slice(k)))
}

async function* inTurn(hashes: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* hashes
}
const pathOf = (hashes: readonly Uint8Array[], index: number) => inclusionPath(inTurn(hashes), hashes.length, index)

const leaves = ENTRIES.map(leafHash)
const many = Array.from({ length: 70 }, (_, i) => leafHash(`entry ${i}`))

describe('the Merkle tree', () => {
  it('has the known roots', () => {
    for (const [size, root] of ROOTS.entries()) {
      expect(toHex(rootOf(leaves.slice(0, size)))).toBe(root)
      expect(definition(ENTRIES.slice(0, size)).toString('hex')).toBe(root)
    }
  })

  it('has the known paths', async () => {
    const path = async (index: number, size: number) => (await pathOf(leaves.slice(0, size), index)).map(toHex)
    expect(await path(0, 1)).toEqual([])
    expect(await path(0, 8)).toEqual([
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ])
    expect(await path(2, 3)).toEqual(['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'])
    expect(consistencyPath(leaves, 1).map(toHex)).toEqual(await path(0, 8))
    expect(consistencyPath(leaves.slice(0, 5), 2).map(toHex)).toEqual([
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ])
  })

  it('grows as its definition says', () => {
    const tree = new MerkleTree()
    for (const [i, leaf] of many.entries()) {
      tree.append(leaf)
      const entries = Array.from({ length: i + 1 }, (_, n) => Buffer.from(`entry ${n}`))
      expect(Buffer.from(tree.root()).equals(definition(entries))).toBe(true)
    }
    expect(tree.size).toBe(many.length)
  })

  it('has no path to a leaf that is not there', async () => {
    await expect(pathOf(many, 70)).rejects.toThrow(TypeError)
    await expect(pathOf(many, -1)).rejects.toThrow(TypeError)
    await expect(inclusionPath(inTurn(many), 71, 3)).rejects.toThrow('fewer leaves than 71')
    expect(await pathOf(many, 69)).toHaveLength(3)
  })

  it('proves every leaf of every size, and no other', async () => {
    for (let size = 1; size <= 20; size++) {
      const some = many.slice(0, size)
      const head = { size, root: rootOf(some) }
      for (const [index, leaf] of some.entries()) {
        const path = await pathOf(some, index)
        expect(isIncluded({ leaf, index, path }, head)).toBe(true)
        for (let other = -1; other <= size; other++)
          if (other !== index) expect(isIncluded({ leaf, index: other, path }, head)).toBe(false)
        const wrong = [...path, leaf]
        expect(isIncluded({ leaf, index, path: wrong }, head)).toBe(false)
        expect(isIncluded({ leaf, index, path: [...path].reverse() }, head)).toBe(path.length < 2)
        for (let cut = 0; cut < path.length; cut++)
          expect(isIncluded({ leaf, index, path: path.filter((_, i) => i !== cut) }, head)).toBe(false)
        expect(isIncluded({ leaf: leafHash('x'), index, path }, head)).toBe(false)
      }
    }
  })

  it('proves that every size continues every smaller one, and no other log', () => {
    for (let size = 1; size <= 20; size++) {
      const later = { size, root: rootOf(many.slice(0, size)) }
      for (let old = 1; old <= size; old++) {
        const earlier = { size: old, root: rootOf(many.slice(0, old)) }
        const path = consistencyPath(many.slice(0, size), old)
        expect(isConsistent(earlier, later, path)).toBe(true)
        expect(isConsistent({ ...earlier, root: leafHash('x') }, later, path)).toBe(false)
        expect(isConsistent(earlier, { ...later, root: leafHash('x') }, path)).toBe(false)
        expect(isConsistent(earlier, later, [...path, leafHash('x')])).toBe(false)
        for (let cut = 0; cut < path.length; cut++)
          expect(
            isConsistent(
              earlier,
              later,
              path.filter((_, i) => i !== cut),
            ),
          ).toBe(false)
        if (old < size) expect(isConsistent(later, earlier, path)).toBe(false)
      }
    }
    expect(isConsistent({ size: 0, root: rootOf([]) }, { size: 1, root: leafHash('x') }, [])).toBe(false)
  })

  it('answers any path with yes or no', () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.array(hash, { maxLength: 40 }), hash, hash, (a, b, path, x, y) => {
        expect(isIncluded({ leaf: x, index: a, path }, { size: b, root: y })).toBe(false)
        expect(isConsistent({ size: a, root: x }, { size: b, root: y }, path)).toBe(false)
      }),
    )
  })
})
