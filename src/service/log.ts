import type { Json } from '../core/json.ts'

/** One line of a log: what happened, and what is known of it. Tokens, keys, evidence and bodies are never part of one. */
export type LogLine = Readonly<Record<string, Json>> & { readonly event: string }
export type Log = (line: LogLine) => void

/** NDJSON with the time first. A line that cannot be written is dropped: a log holds up no request. */
export const lineLog =
  (write: (text: string) => void, clock: () => number): Log =>
  (line) => {
    try {
      write(`${JSON.stringify({ at: new Date(clock() * 1000).toISOString(), ...line })}\n`)
    } catch {
      // Nobody is left to tell.
    }
  }

/** What may be told of an error of ours: its name and where, never the values in its message. */
export const errorLine = (error: unknown): LogLine => ({
  event: 'error',
  name: error instanceof Error ? error.name : typeof error,
  stack: error instanceof Error ? frames(error.stack) : [],
})

const frames = (stack = ''): readonly string[] =>
  stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim())
