import type { DatabaseSync } from 'node:sqlite'

interface Job {
  run(): unknown
  resolve(value: unknown): void
  reject(reason: unknown): void
}

/** Jobs of one transaction: enough to share the cost of writing to disk, few enough not to hold others up. */
const MOST_JOBS = 256

/**
 * Runs what is asked for in the same turn of the event loop as one transaction, so that hundreds of callers share one
 * write to disk. Each job is atomic by itself: one that throws is rolled back alone. A promise resolves once its
 * transaction is on disk; where it cannot be written, every job of it is rejected.
 */
export class GroupCommit {
  readonly #database: DatabaseSync
  #queue: Job[] = []
  #scheduled = false
  #closed = false

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  run<T>(job: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('the store is closed'))
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ run: job, resolve: (value) => resolve(value as T), reject })
      this.#schedule()
    })
  }

  /** Writes what is queued, and takes nothing more. */
  close(): void {
    while (this.#queue.length > 0) this.#flush()
    this.#closed = true
  }

  #schedule(): void {
    if (this.#scheduled || this.#queue.length === 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
      this.#schedule()
    })
  }

  #flush(): void {
    const jobs = this.#queue.splice(0, MOST_JOBS)
    if (jobs.length === 0) return
    const settled: (() => void)[] = []
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      for (const job of jobs) settled.push(this.#settle(job))
      this.#database.exec('COMMIT')
    } catch (error) {
      this.#rollback()
      for (const job of jobs) job.reject(error)
      return
    }
    for (const settle of settled) settle()
  }

  /** Whatever failed has been told to every caller; that there is no transaction left to end is as good. */
  #rollback(): void {
    try {
      this.#database.exec('ROLLBACK')
    } catch {
      // SQLite ended it itself.
    }
  }

  #settle(job: Job): () => void {
    this.#database.exec('SAVEPOINT job')
    let value: unknown
    try {
      value = job.run()
    } catch (error) {
      // A full disk ends the whole transaction by itself: then this fails too, and nothing of it is taken for written.
      this.#database.exec('ROLLBACK TO job; RELEASE job')
      return () => job.reject(error)
    }
    this.#database.exec('RELEASE job')
    return () => job.resolve(value)
  }
}
