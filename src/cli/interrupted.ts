import { discardUnfinished } from '../files/whole-file.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Where a signal ends a command that does not ask for it, what the command had not finished goes first: parts of a model in the
 * clear, or of a file with keys.
 */
export function discardWhenInterrupted(): void {
  for (const signal of SIGNALS) {
    const end = (): void => {
      // A service ends by itself, and finishes what it writes.
      if (process.listenerCount(signal) > 1) return
      process.off(signal, end)
      if (discardUnfinished() > 0)
        process.stderr.write('\nvouchsafe: interrupted; files that were finished stay, the one under way was removed\n')
      process.kill(process.pid, signal)
    }
    process.on(signal, end)
  }
}
