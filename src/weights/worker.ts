import { parentPort } from 'node:worker_threads'
import { type Done, type Files, perform, type Task } from './tasks.ts'

/** What `Workers` asks a thread for. */
export interface Request {
  readonly id: number
  readonly files: Files
  readonly tasks: readonly Task[]
}

/** An error crosses threads without the members that say what the operating system refused. */
export type Answer = { readonly id: number } & (
  | { readonly done: readonly Done[] }
  | { readonly failure: { readonly message: string; readonly code: string | undefined } }
)

parentPort?.on('message', ({ id, files, tasks }: Request) => {
  parentPort?.postMessage(answer())

  function answer(): Answer {
    try {
      return { id, done: tasks.map((task) => perform(files, task)) }
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException
      return { id, failure: { message, code } }
    }
  }
})
