import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { safetensorsFile } from '../src/testing/index.ts'
import { unwrapKey, wrapKey } from '../src/weights/aead.ts'
import { newModelKey, openModel, rewrapModel, sealModel } from '../src/weights/index.ts'
import { signed } from '../src/weights/keys.ts'
import { median } from './measure.ts'

/** Least rate of sealing over that of AES-256-GCM alone, and most time of rewrapping over that of its cryptography. */
export const WEIGHTS_FLOORS = { seal: 0.7, open: 0.7, rewrap: 2 }

const CHUNK_BYTES = 2 * 1024 * 1024
/** Large enough that starting threads, which a run does once, weighs little. */
const MODEL_BYTES = 1024 * 1024 * 1024
const TENSORS = 16
const ROUNDS = 3

export interface WeightsFigures {
  /** MiB a second, by the clock */
  readonly aes: number
  readonly seal: number
  readonly open: number
  /** processor time of the cipher alone over that of the work, medians of the rounds' own ratios: the disk's speed is not ours */
  readonly sealRatio: number
  readonly openRatio: number
  /** milliseconds of processor time, of 1,000 tensors */
  readonly rewrap: number
  readonly rewrapAlone: number
  readonly rewrapRatio: number
}

export async function weightsFigures(): Promise<WeightsFigures> {
  const root = mkdtempSync(join(tmpdir(), 'vouchsafe-bench-'))
  try {
    return { ...(await rates(root)), ...(await rewraps(root)) }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

async function rates(root: string) {
  const key = newModelKey()
  const [input, sealed, opened] = [join(root, 'in'), join(root, 'sealed'), join(root, 'opened')]
  writeModel(input)
  const cipher = await aesAlone()
  const rounds: Readonly<Record<'aes' | 'seal' | 'open', Spent>>[] = []
  // The first round warms up, and makes the files that later ones replace.
  for (let round = 0; round <= ROUNDS; round++) {
    const aes = await spent(() => cipher.run())
    const seal = await spent(() => sealModel({ input: join(input, 'm.safetensors'), output: sealed, key }))
    const again = { input: join(sealed, 'm.safetensors'), output: opened, key, plainTensors: 'refuse' } as const
    const open = await spent(() => openModel(again))
    if (round > 0) rounds.push({ aes, seal, open })
  }
  await cipher.close()
  const of = (value: (round: (typeof rounds)[number]) => number) => median(rounds.map(value))
  const rate = ({ clock }: Spent) => (MODEL_BYTES / 1024 / 1024 / clock) * 1000
  return {
    ...{ aes: of((r) => rate(r.aes)), seal: of((r) => rate(r.seal)), open: of((r) => rate(r.open)) },
    sealRatio: of((r) => r.aes.processor / r.seal.processor),
    openRatio: of((r) => r.aes.processor / r.open.processor),
  }
}

/** Milliseconds, of the processors over all threads. */
interface Spent {
  readonly clock: number
  readonly processor: number
}

async function spent(work: () => Promise<unknown>): Promise<Spent> {
  const [start, before] = [performance.now(), process.cpuUsage()]
  const outcome = await work()
  const { user, system } = process.cpuUsage(before)
  if (outcome !== undefined && (outcome as { ok: boolean }).ok !== true) throw new TypeError(JSON.stringify(outcome))
  return { clock: performance.now() - start, processor: (user + system) / 1000 }
}

function writeModel(folder: string): void {
  mkdirSync(folder)
  const each = MODEL_BYTES / TENSORS
  const head = safetensorsFile(
    Array.from({ length: TENSORS }, (_, i) => ({ name: `t${i}`, dtype: 'U8', shape: [0], bytes: new Uint8Array(0) })),
  )
  const text = Buffer.from(head).toString('utf8', 8).trimEnd()
  const sized = text.replaceAll(
    /"t(\d+)":\{[^}]*\}/g,
    (_, i) => `"t${i}":{"dtype":"U8","shape":[${each}],"data_offsets":[${i * each},${(Number(i) + 1) * each}]}`,
  )
  const padded = sized.padEnd(Math.ceil(sized.length / 8) * 8)
  const file = openSync(join(folder, 'm.safetensors'), 'w')
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded.length))
  writeSync(file, length)
  writeSync(file, padded)
  const random = randomBytes(CHUNK_BYTES)
  for (let at = 0; at < MODEL_BYTES; at += CHUNK_BYTES) writeSync(file, random)
  closeSync(file)
}

/** node:crypto alone on every processor: chunks of the same size in memory, nothing read, nothing written. */
async function aesAlone() {
  const script = `
    const { parentPort } = require('node:worker_threads')
    const { createCipheriv, randomBytes } = require('node:crypto')
    const [key, chunk] = [randomBytes(32), randomBytes(${CHUNK_BYTES})]
    parentPort.on('message', (chunks) => {
      for (let i = 0; i < chunks; i++) {
        const cipher = createCipheriv('aes-256-gcm', key, randomBytes(12))
        cipher.update(chunk)
        cipher.final()
        cipher.getAuthTag()
      }
      parentPort.postMessage(chunks)
    })`
  const workers = Array.from({ length: availableParallelism() }, () => new Worker(script, { eval: true }))
  const share = MODEL_BYTES / CHUNK_BYTES / workers.length
  return {
    run: async (): Promise<undefined> => {
      await Promise.all(
        workers.map((worker) => {
          worker.postMessage(share)
          return new Promise((done) => worker.once('message', done))
        }),
      )
      return undefined
    },
    close: () => Promise.all(workers.map((worker) => worker.terminate())),
  }
}

const REWRAPPED = 1000

async function rewraps(root: string) {
  let [from, to] = [newModelKey(), newModelKey()]
  const tensors = Array.from({ length: REWRAPPED }, (_, i) => ({
    ...{
      name: `model.layers.${i}.self_attn.q_proj.weight`,
      dtype: 'F16',
      shape: [32, 64],
      bytes: new Uint8Array(4096),
    },
  }))
  const [plain, sealed] = [join(root, 'many.safetensors'), join(root, 'many')]
  const file = openSync(plain, 'w')
  writeSync(file, safetensorsFile(tensors))
  closeSync(file)
  if (!(await sealModel({ input: plain, output: sealed, key: from })).ok) throw new TypeError('not sealed')
  const input = join(sealed, 'many.safetensors')
  const header = readFileSync(input).subarray(8, 500_000)
  const rounds: { readonly whole: number; readonly alone: number }[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const { processor: alone } = await spent(async () => {
      const dataKey = new Uint8Array(32)
      for (let i = 0; i < REWRAPPED; i++) {
        const opened = unwrapKey(from.encryption, wrapKey(from.encryption, dataKey))
        if (opened === undefined) throw new TypeError('not unwrapped')
      }
      if (to.signing !== undefined) signed(to.signing, header)
    })
    const { processor: whole } = await spent(() => rewrapModel({ input, from, to }))
    ;[from, to] = [to, from]
    if (round > 0) rounds.push({ whole, alone })
  }
  return {
    rewrap: median(rounds.map((r) => r.whole)),
    rewrapAlone: median(rounds.map((r) => r.alone)),
    rewrapRatio: median(rounds.map((r) => r.whole / r.alone)),
  }
}
