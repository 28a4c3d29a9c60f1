import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, expect } from 'vitest'
import type { Code } from '../../src/core/codes.ts'
import type { Outcome } from '../../src/core/outcome.ts'
import { safetensorsFile, type TestTensor } from '../../src/testing/index.ts'
import { newModelKey } from '../../src/weights/index.ts'

const ROOT = mkdtempSync(join(tmpdir(), 'vouchsafe-weights-'))
afterAll(() => rmSync(ROOT, { recursive: true, force: true }))

let count = 0
/** A path that nothing is at yet. */
export const fresh = (name = 'x'): string => join(ROOT, `${name}-${count++}`)

/** A folder with these files. */
export function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = fresh('folder')
  mkdirSync(root, { recursive: true })
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
  return root
}

/** Bytes by a name, the same every time, of which no two stretches are alike. */
export function bytesNamed(name: string, size: number): Uint8Array {
  const out = Buffer.alloc(size)
  for (let at = 0, i = 0; at < size; at += 32, i++)
    out.set(
      createHash('sha256')
        .update(`${name} ${i}`)
        .digest()
        .subarray(0, Math.min(32, size - at)),
      at,
    )
  return out
}

export const tensor = (name: string, dtype: string, shape: readonly number[], size: number): TestTensor => ({
  ...{ name, dtype, shape, bytes: bytesNamed(name, size) },
})

/** Two chunks and a bit, one full chunk, small ones, empty ones, and names that are hard. */
export const MODEL: readonly TestTensor[] = [
  tensor('large', 'F32', [1024, 1100], 4 * 1024 * 1100),
  tensor('full', 'F16', [1024, 1024], 2 * 1024 * 1024),
  tensor('scalar', 'BF16', [], 2),
  tensor('empty', 'U8', [0, 7], 0),
  tensor('__proto__', 'U8', [3], 3),
  tensor('constructor', 'U8', [1], 1),
  tensor('42', 'I8', [2], 2),
  tensor('7', 'I8', [2], 2),
  tensor('größe "ä"\\\n\u0001\u2028/~', 'U8', [5], 5),
  tensor('\uffee', 'U8', [1], 1),
  tensor('\u{1f600}', 'U8', [1], 1),
]

export const SMALL: readonly TestTensor[] = [
  tensor('a', 'F32', [4, 4], 64),
  tensor('b', 'F16', [3], 6),
  tensor('c', 'U8', [0], 0),
]

export const model = (tensors: readonly TestTensor[] = SMALL): Uint8Array => safetensorsFile(tensors, { format: 'pt' })

/** One key for a whole test file. */
export const KEY = newModelKey()
export const SIGNING = KEY.signing

export function accepted<T>(outcome: Outcome<T>): T {
  expect(outcome.ok ? [] : outcome.faults).toEqual([])
  if (!outcome.ok) throw new TypeError('refused')
  return outcome.value
}

/** Exactly this code, and nothing at the output path. */
export function refused(outcome: Outcome<unknown>, code: Code, output?: string): void {
  expect(outcome.ok ? ['accepted'] : outcome.faults.map((fault) => fault.code)).toEqual([code])
  if (output !== undefined) expect(existsSync(output) ? filesOf(output) : []).toEqual([])
}

/** All files below a folder, by their paths. */
export function filesOf(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => join(root, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => relative(root, path))
    .sort()
}

export const contentOf = (root: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    filesOf(root).map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(root, name)))
        .digest('hex'),
    ]),
  )
