import { execFileSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { modelKeyFile, newModelKey } from '../src/weights/index.ts'

/** Most memory of sealing and of opening a model of `GIBIBYTES`. */
export const LARGE_MODEL_CEILING = 256

const GIBIBYTES = 20
const SHARDS = 4
const TENSORS = 40
const GIBIBYTE = 1024 ** 3
const CHILD = fileURLToPath(new URL('large-model-child.ts', import.meta.url))

export interface LargeModelFigures {
  readonly gibibytes: number
  /** MiB: highest resident memory of a process that did nothing else */
  readonly seal: number
  readonly open: number
  readonly seconds: number
}

/** Why it cannot be measured here; undefined where it can. The sealed and the opened model both take their full size. */
export function largeModelAbsent(): string | undefined {
  const { bavail, bsize } = statfsSync(tmpdir())
  const [free, needed] = [(bavail * bsize) / GIBIBYTE, 2 * GIBIBYTES + 1]
  return free < needed ? `${tmpdir()} has ${free.toFixed(0)} GiB, and it takes ${needed}` : undefined
}

/** Seals and opens a sparse model of 20 GiB in four files, each in a process of its own. */
export function largeModelFigures(): LargeModelFigures {
  const root = mkdtempSync(join(tmpdir(), 'vouchsafe-bench-'))
  try {
    const [model, sealed, opened] = [join(root, 'model'), join(root, 'sealed'), join(root, 'opened')]
    const key = join(root, 'key.jwk')
    mkdirSync(model)
    for (let shard = 0; shard < SHARDS; shard++) writeSparse(join(model, `model-${shard}.safetensors`))
    const file = openSync(key, 'wx', 0o600)
    writeSync(file, modelKeyFile(newModelKey()))
    closeSync(file)
    const start = performance.now()
    const seal = peak('seal', model, sealed, key)
    const open = peak('open', sealed, opened, key)
    return { gibibytes: GIBIBYTES, seal, open, seconds: (performance.now() - start) / 1000 }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

const peak = (...args: readonly string[]): number =>
  Number(execFileSync(process.execPath, [CHILD, ...args], { encoding: 'utf8' })) / 1024

/** A header and a hole behind it. */
function writeSparse(path: string): void {
  const each = (GIBIBYTES * GIBIBYTE) / SHARDS / TENSORS
  const tensors = Array.from({ length: TENSORS }, (_, i): [string, object] => [
    `model.layers.${i}.mlp.up_proj.weight`,
    { dtype: 'U8', shape: [each], data_offsets: [i * each, (i + 1) * each] },
  ])
  const text = JSON.stringify(Object.fromEntries(tensors))
  const header = text.padEnd(Math.ceil(text.length / 8) * 8)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const file = openSync(path, 'wx')
  writeSync(file, length)
  writeSync(file, header)
  ftruncateSync(file, 8 + header.length + TENSORS * each)
  closeSync(file)
}
