import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Done, type Files, perform, type Task } from './tasks.ts'
import type { Answer, Request } from './worker.ts'

/** Beyond this many the disk is what one waits for, and each costs memory. */
const MOST_WORKERS = 8
/** So that a thread has its next work at hand when it is done with one. */
const LANES_PER_WORKER = 2
/** What one message carries: enough work to be worth it, even where tensors are tiny. */
const BATCH = { bytes: 8 * 1024 * 1024, tasks: 256 }

/** The sources run as they are in a checkout, and as JavaScript in the package. */
/** The build joins modules, but not this one: wherever the part with this line lies in dist, it is one folder deep. */
const SCRIPT = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : '../weights/worker.js', import.meta.url)

/**
 * Threads that perform tasks, as many as there are processors, started by the first file that is worth it. Memory does not
 * depend on the size of files: a thread holds one piece of a chunk at a time. Close it when done.
 */
export class Workers {
  #threads: readonly Thread[] | undefined

  /**
   * Performs all tasks, in any order.
   * @param onDone told of each task as it is done, with its place in `tasks`; when it throws, no further work is begun
   * @throws what `onDone` throws, and what reading and writing throw; by then no thread works on the files any more
   */
  async run(
    files: Files,
    tasks: Iterable<Task>,
    onDone: (place: number, task: Task, done: Done) => void,
  ): Promise<void> {
    const batches = inBatches(tasks)
    const first = batches.next()
    if (first.done === true) return
    const second = batches.next()
    if (second.done === true) {
      for (const [i, task] of first.value.tasks.entries()) onDone(i, task, perform(files, task))
      return
    }
    const waiting = [first.value, second.value]
    const next = (): Batch | undefined => waiting.shift() ?? (batches.next().value as Batch | undefined)
    let failed = false
    const lane = async (thread: Thread): Promise<void> => {
      for (let batch = next(); batch !== undefined && !failed; batch = next()) {
        try {
          const done = await thread.ask(files, batch.tasks)
          for (const [i, task] of batch.tasks.entries()) onDone(batch.place + i, task, done[i] ?? 'short')
        } catch (error) {
          failed = true
          throw error
        }
      }
    }
    const ends = await Promise.allSettled(
      this.#started().flatMap((t) => Array.from({ length: LANES_PER_WORKER }, () => lane(t))),
    )
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  async close(): Promise<void> {
    await Promise.all((this.#threads ?? []).map((thread) => thread.close()))
    this.#threads = undefined
  }

  #started(): readonly Thread[] {
    this.#threads ??= Array.from({ length: Math.min(availableParallelism(), MOST_WORKERS) }, () => new Thread())
    return this.#threads
  }
}

interface Batch {
  /** place of its first task among all */
  readonly place: number
  readonly tasks: readonly Task[]
}

function* inBatches(tasks: Iterable<Task>): Generator<Batch, undefined> {
  let batch: Task[] = []
  let [place, bytes] = [0, 0]
  for (const task of tasks) {
    batch.push(task)
    bytes += task.bytes
    if (bytes < BATCH.bytes && batch.length < BATCH.tasks) continue
    yield { place, tasks: batch }
    place += batch.length
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield { place, tasks: batch }
}

class Thread {
  readonly #worker = new Worker(SCRIPT)
  readonly #asked = new Map<number, PromiseWithResolvers<readonly Done[]>>()
  #next = 0

  constructor() {
    this.#worker.on('message', (answer: Answer) => {
      const asked = this.#asked.get(answer.id)
      this.#asked.delete(answer.id)
      if ('done' in answer) asked?.resolve(answer.done)
      else asked?.reject(Object.assign(new Error(answer.failure.message), { code: answer.failure.code }))
    })
    this.#worker.on('error', (error) => {
      for (const asked of this.#asked.values()) asked.reject(error)
    })
  }

  ask(files: Files, tasks: readonly Task[]): Promise<readonly Done[]> {
    const id = this.#next++
    const asked = Promise.withResolvers<readonly Done[]>()
    this.#asked.set(id, asked)
    this.#worker.postMessage({ id, files, tasks } satisfies Request)
    return asked.promise
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}
