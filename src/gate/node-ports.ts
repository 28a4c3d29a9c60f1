import { randomBytes } from 'node:crypto'
import type { RandomBytes, Scheduler } from './ports.ts'

/** Randomness of Node's cryptographic generator. */
export const nodeRandom: RandomBytes = (sizeBytes) => new Uint8Array(randomBytes(sizeBytes))

/** Timers of Node that do not keep the process alive. */
export const nodeScheduler: Scheduler = (everySeconds, task) => {
  const timer = setInterval(task, everySeconds * 1000)
  timer.unref()
  return () => clearInterval(timer)
}
