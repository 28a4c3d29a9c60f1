import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { toHex } from '../src/core/encodings.ts'
import { execute, type FuzzTarget, inputOf } from '../test/fuzz/execute.ts'
import { TARGETS } from '../test/fuzz/targets.ts'
import type { Assignment, InUse, Report } from '../test/fuzz/worker.ts'

const USAGE = `npm run fuzz -- [--executions N] [--seed TEXT] [--target NAME]… [--threads N]
npm run fuzz -- --target NAME --seed TEXT --index N     runs one input again and prints it
Targets: ${TARGETS.map((t) => t.name).join(', ')}`

const MIB = 1024 * 1024
/** The bound: no input makes a decoder use more than this over idle. */
const ALLOWANCE_BYTES = 8 * MIB
const WARM_UP = 5000
/** Young objects are garbage until a collection shows otherwise; a small space for them keeps the measure honest. */
const YOUNG_MIB = 2
const HANG_SECONDS = 20

interface Job {
  readonly target: FuzzTarget
  readonly seed: string
  readonly executions: number
  readonly threads: number
}

/** A target's threads, and what they write on the board. */
class Crew {
  readonly #workers: readonly Worker[]
  readonly #reports: readonly Promise<Report>[]
  readonly #job: Job
  readonly #board: Uint32Array

  constructor(job: Job, to: number, oldMib: number | undefined) {
    const board = new SharedArrayBuffer(8 * job.threads)
    this.#job = job
    this.#board = new Uint32Array(board)
    this.#workers = Array.from({ length: job.threads }, (_, lane) => {
      const told: Assignment = {
        target: job.target.name,
        corpus: job.target.corpus(),
        seed: job.seed,
        from: 0,
        to,
        lane,
        lanes: job.threads,
        warmUp: WARM_UP,
        board,
      }
      const resourceLimits =
        oldMib === undefined ? {} : { maxOldGenerationSizeMb: oldMib, maxYoungGenerationSizeMb: YOUNG_MIB }
      return new Worker(new URL('../test/fuzz/worker.ts', import.meta.url), { workerData: told, resourceLimits })
    })
    this.#reports = this.#next()
  }

  #next(): readonly Promise<Report>[] {
    return this.#workers.map(
      (worker, lane) =>
        new Promise<Report>((resolve, reject) => {
          worker.once('message', resolve)
          worker.once('error', (error) =>
            reject(new Error(`at execution ${this.#board[2 * lane]}: ${error.stack ?? error.message}`)),
          )
        }),
    )
  }

  get executions(): number {
    return this.#workers.reduce((sum, _, lane) => sum + (this.#board[2 * lane + 1] ?? 0), 0)
  }

  /** Reports of all threads, once each has one. Rejects when a thread dies or stands still. */
  async reports(of: readonly Promise<Report>[] = this.#reports): Promise<readonly Report[]> {
    let seen = [...this.#board]
    let since = Date.now()
    let timer: NodeJS.Timeout | undefined
    const stalled = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        const now = [...this.#board]
        if (now.some((value, i) => value !== seen[i])) [seen, since] = [now, Date.now()]
        else if (Date.now() - since > HANG_SECONDS * 1000) {
          reject(
            new Error(
              `nothing moved for ${HANG_SECONDS} s; at executions ${now.filter((_, i) => i % 2 === 0).join(', ')}`,
            ),
          )
        }
        progress(this.#job, this.executions)
      }, 1000)
    })
    try {
      return await Promise.race([Promise.all(of), stalled])
    } finally {
      clearInterval(timer)
    }
  }

  async resume(): Promise<readonly Report[]> {
    const next = this.#next()
    for (const worker of this.#workers) worker.postMessage('go on')
    return this.reports(next)
  }

  async dismiss(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }
}

let started = 0
let finished = 0
let total = 0

function progress(job: Job, executions: number): void {
  if (!process.stderr.isTTY) return
  const rate = (finished + executions) / ((Date.now() - started) / 1000)
  const left = rate > 0 ? Math.round((total - finished - executions) / rate) : 0
  process.stderr.write(
    `\r\u001b[K${job.target.name}: ${executions} of ${job.executions}, ${Math.round(rate)}/s over all, about ${left} s left`,
  )
}

/** The heap that a thread of this target has in use when idle, in MiB, rounded up. */
async function idleMib(job: Job): Promise<number> {
  const probe = new Crew({ ...job, threads: 1 }, WARM_UP, undefined)
  try {
    const [report] = await probe.reports()
    return Math.ceil((report?.inUse.heap ?? 0) / MIB)
  } finally {
    await probe.dismiss()
  }
}

/** @returns what went wrong, or undefined */
async function fuzz(job: Job): Promise<string | undefined> {
  const start = Date.now()
  let crew: Crew | undefined
  let oldMib = 0
  try {
    oldMib = (await idleMib(job)) + ALLOWANCE_BYTES / MIB
    crew = new Crew(job, job.executions, oldMib)
    const idle = await crew.reports()
    const failed = idle.find((report) => report.kind === 'idle' && report.failure !== undefined)
    if (failed?.kind === 'idle' && failed.failure !== undefined)
      return told(job, failed.failure.index, failed.failure.what, failed.failure.input)
    const rssIdle = process.memoryUsage.rss()
    const done = (await crew.resume()).filter((report) => report.kind === 'done')
    const rssGrowth = process.memoryUsage.rss() - rssIdle
    for (const { tally } of done) {
      if (tally.failure !== undefined) return told(job, tally.failure.index, tally.failure.what, tally.failure.input)
    }
    const sum = (of: (report: (typeof done)[number]) => number): number =>
      done.reduce((all, report) => all + of(report), 0)
    const executions = sum((r) => r.tally.executions)
    const growth = Math.max(...done.map((r, lane) => kept(r.inUse) - kept(idle[lane]?.inUse)))
    const seconds = (Date.now() - start) / 1000
    finished += executions
    process.stderr.write(process.stderr.isTTY ? '\r\u001b[K' : '')
    console.log(
      [
        job.target.name.padEnd(22),
        `${executions} executions`,
        `${((100 * sum((r) => r.tally.accepted)) / executions).toFixed(1)} % accepted`,
        `${Math.round(executions / seconds)}/s`,
        `slowest ${Math.max(...done.map((r) => r.tally.slowestMilliseconds)).toFixed(0)} ms`,
        `kept ${(growth / MIB).toFixed(2)} MiB`,
        `rss ${rssGrowth >= 0 ? '+' : ''}${(rssGrowth / MIB).toFixed(1)} MiB`,
      ].join(', '),
    )
    return Math.max(growth, rssGrowth) > ALLOWANCE_BYTES
      ? `${job.target.name}: keeps more than 8 MiB over idle`
      : undefined
  } catch (error) {
    return `${job.target.name}: ${error instanceof Error ? error.message : String(error)} (seed ${job.seed}; heap of ${oldMib} MiB is idle plus 8)`
  } finally {
    await crew?.dismiss()
  }
}

const kept = (inUse: InUse | undefined): number => (inUse?.heap ?? 0) + (inUse?.external ?? 0)

const told = (job: Job, index: number, what: string, input: string): string =>
  `${job.target.name}: ${what}\n  again: npm run fuzz -- --target ${job.target.name} --seed ${job.seed} --index ${index}\n  input: ${input.slice(0, 400)}${input.length > 400 ? '…' : ''}`

async function again(target: FuzzTarget, seed: string, index: number): Promise<number> {
  console.log(toHex(inputOf(target, target.corpus(), seed, index)))
  const { failure, slowestMilliseconds } = await execute(target, { seed, from: index, to: index + 1, step: 1 })
  console.log(failure?.what ?? `an outcome, after ${slowestMilliseconds.toFixed(1)} ms`)
  return failure === undefined ? 0 : 1
}

function wholeNumber(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  const value = Number(text.replaceAll('_', ''))
  if (!Number.isSafeInteger(value) || value < 0 || value > 2 ** 32) throw new TypeError(`${text} is not a whole number`)
  return value
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      executions: { type: 'string' },
      seed: { type: 'string' },
      target: { type: 'string', multiple: true },
      threads: { type: 'string' },
      index: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) {
    console.log(USAGE)
    return 0
  }
  const named = values.target ?? TARGETS.map((t) => t.name)
  const unknown = named.find((name) => !TARGETS.some((t) => t.name === name))
  if (unknown !== undefined) throw new TypeError(`no target ${unknown}\n${USAGE}`)
  const targets = TARGETS.filter((t) => named.includes(t.name))
  const seed = values.seed ?? randomBytes(8).toString('hex')
  const [only] = targets
  if (values.index !== undefined && only !== undefined) return again(only, seed, wholeNumber(values.index, 0))

  const executions = wholeNumber(values.executions, 1_000_000)
  const threads = wholeNumber(values.threads, availableParallelism())
  console.log(
    `Node ${process.version}, seed ${seed}, ${executions} executions of each of ${targets.length} decoders, ${threads} threads`,
  )
  started = Date.now()
  const share = (target: FuzzTarget): number => (target.pace === 'decoder' ? executions : Math.ceil(executions / 100))
  total = targets.reduce((sum, target) => sum + share(target), 0)
  const faults: string[] = []
  for (const target of targets) {
    const fault = await fuzz({ target, seed, executions: share(target), threads })
    if (fault !== undefined) {
      faults.push(fault)
      console.log(`FAILED ${fault}`)
    }
  }
  console.log(
    `${targets.length - faults.length} decoders held, ${faults.length} did not (${Math.round((Date.now() - started) / 1000)} s)`,
  )
  return faults.length === 0 ? 0 : 1
}

process.exitCode = await main()
