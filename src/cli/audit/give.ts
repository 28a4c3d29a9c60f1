import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  type AuditSource,
  allCheckpoints,
  exportLines,
  firstRows,
  proveConsistency,
  proveInclusion,
} from '../../release/audit/index.ts'
import type { CheckpointRow } from '../../release/ports.ts'
import { UsageError } from '../input.ts'
import { jsonText } from '../style.ts'
import { wholeNumber } from './show.ts'
import { withLog } from './source.ts'

/** `vouchsafe audit export SOURCE`: everything, as lines of JSON, to standard output or a new file. */
export function exportLog(path: string, { out }: { readonly out?: string }): Promise<void> {
  return withLog(path, async (source) => {
    const lines = Readable.from(withLineFeeds(source))
    if (out === undefined) return pipeline(lines, process.stdout, { end: false })
    await pipeline(lines, createWriteStream(out, { flags: 'wx', mode: 0o600, flush: true })).catch((error: unknown) => {
      throw new UsageError(`cannot write ${out}: ${error instanceof Error ? error.message : 'error'}`)
    })
  })
}

async function* withLineFeeds(source: AuditSource): AsyncGenerator<string> {
  for await (const line of exportLines(source)) yield `${line}\n`
}

export interface ProveOptions {
  readonly row?: string
  readonly since?: string
}

/** `vouchsafe audit prove SOURCE`: for one row that it is in the newest checkpoint, or that the log since a checkpoint has only grown. */
export function prove(path: string, options: ProveOptions): Promise<void> {
  const { row, since } = options
  if ((row === undefined) === (since === undefined))
    throw new UsageError('either --row says which entry is proved, or --since the size of an earlier checkpoint')
  return withLog(path, async (source) => {
    const checkpoints = await allCheckpoints(source)
    const newest = checkpoints.at(-1)
    if (newest === undefined) throw new UsageError('the log has no checkpoint yet, and a proof leads to one')
    const [last] = await source.auditRows(newest.size - 1, 1)
    if (last === undefined) throw new UsageError('the log is shorter than its checkpoint: see audit verify')
    const proof =
      row !== undefined
        ? await proveInclusion(source, within('--row', row, newest), newest)
        : proveConsistency(await firstRows(source, newest.size), earlier(checkpoints, since ?? '', newest), newest)
    process.stdout.write(`${jsonText(proof)}\n`)
  })
}

function within(option: string, text: string, newest: CheckpointRow): number {
  const number = wholeNumber(option, text)
  if (number < 1 || number > newest.size)
    throw new UsageError(`${option} is between 1 and ${newest.size}, where the newest checkpoint ends`)
  return number
}

function earlier(checkpoints: readonly CheckpointRow[], text: string, newest: CheckpointRow): CheckpointRow {
  const size = within('--since', text, newest)
  const checkpoint = checkpoints.find((c) => c.size === size)
  if (checkpoint === undefined)
    throw new UsageError(`no checkpoint has ${size} rows; there are ${checkpoints.map((c) => c.size).join(', ')}`)
  return checkpoint
}
