import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import { execute, type FuzzTarget, type Tally } from './execute.ts'
import type { Corpus } from './mutate.ts'
import { TARGETS } from './targets.ts'

/** What a fuzzing thread is told. It fuzzes one target, with the numbers `lane`, `lane + lanes`, … below `to`. */
export interface Assignment {
  readonly target: string
  /** Made outside, because making keys and signing documents takes more memory than any decoder may. */
  readonly corpus: Corpus
  readonly seed: string
  readonly from: number
  readonly to: number
  readonly lane: number
  readonly lanes: number
  /** Executions after which code is compiled and caches are filled: what is in use then is idle. */
  readonly warmUp: number
  /** Two numbers a lane: the execution that runs now, and how many have run. */
  readonly board: SharedArrayBuffer
}

/** Bytes that a thread keeps alive. */
export interface InUse {
  readonly heap: number
  /** array buffers and the memory of WebAssembly */
  readonly external: number
}

export type Report =
  | { readonly kind: 'idle'; readonly inUse: InUse; readonly failure: Tally['failure'] }
  | { readonly kind: 'done'; readonly inUse: InUse; readonly tally: Tally }

const port = parentPort
if (port === null) throw new TypeError('runs as a thread of scripts/fuzz.ts')
const told = workerData as Assignment
const known = TARGETS.find((t) => t.name === told.target)
if (known === undefined) throw new TypeError(`no target ${told.target}`)
const target: FuzzTarget = { ...known, corpus: () => told.corpus }
const board = new Uint32Array(told.board)
const here = 2 * told.lane

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function inUse(): InUse {
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return { heap: heapUsed, external }
}

let executions = 0
const share = (from: number, to: number) => ({ seed: told.seed, from: from + told.lane, to, step: told.lanes })
const before = (index: number): void => {
  board[here] = index
  board[here + 1] = executions++
}

const answer = (report: Report): void => port.postMessage(report)
const warmEnd = Math.min(told.to, told.from + told.warmUp)
const warm = await execute(target, share(told.from, warmEnd), before)
answer({ kind: 'idle', inUse: inUse(), failure: warm.failure })

port.once('message', async () => {
  const rest = await execute(target, share(warmEnd, told.to), before)
  const tally: Tally = {
    executions: warm.executions + rest.executions,
    accepted: warm.accepted + rest.accepted,
    slowestMilliseconds: Math.max(warm.slowestMilliseconds, rest.slowestMilliseconds),
    failure: rest.failure,
  }
  answer({ kind: 'done', inUse: inUse(), tally })
  port.once('message', () => port.close())
})
