import type { ChildProcessWithoutNullStreams } from 'node:child_process'

/** A service in a process of its own. */
export interface Running {
  readonly address: string
  /** what it logged until now */
  log(): string
  signal(name: 'SIGHUP' | 'SIGTERM'): void
  /** ends it, and says how it ended */
  end(): Promise<{ readonly exit: number | null; readonly log: string; readonly stdout: string }>
}

const children: ChildProcessWithoutNullStreams[] = []

/** For `afterAll`: none outlives its tests, whatever became of them. */
export function endAll(): void {
  for (const child of children) child.kill('SIGKILL')
}

/** Resolves once it says where it listens. */
export function running(child: ChildProcessWithoutNullStreams): Promise<Running> {
  children.push(child)
  let stdout = ''
  let log = ''
  child.stderr.on('data', (chunk) => {
    log += chunk
  })
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve))
  return new Promise((resolve, reject) => {
    closed.then(() => reject(new Error(`ended: ${log}`)))
    child.stdout.on('data', (chunk) => {
      stdout += chunk
      const address = /^listening on (\S+)$/m.exec(stdout)?.[1]
      if (address === undefined) return
      const end = async () => {
        child.kill('SIGTERM')
        return { exit: await closed, log, stdout }
      }
      resolve({ address, end, log: () => log, signal: (name) => child.kill(name) })
    })
  })
}
