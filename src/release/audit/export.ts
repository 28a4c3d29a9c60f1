import { canonicalJson, isJsonObject, parseJson } from '../../core/json.ts'
import type { AuditRow, CheckpointRow } from '../ports.ts'
import { type AuditSource, allCheckpoints, rowsAfter } from './rows.ts'

/** First line of an export. */
export const EXPORT_FORMAT = 'vouchsafe/audit-export/1'

/** A log as lines of JSON: the format, every row, every checkpoint. It verifies wherever the public key is known. */
export async function* exportLines(source: AuditSource): AsyncGenerator<string> {
  yield canonicalJson({ format: EXPORT_FORMAT })
  // Before the rows: rows that come meanwhile are then behind the last checkpoint, never a checkpoint without its rows.
  const checkpoints = await allCheckpoints(source)
  for await (const { sequence, entry, chain } of rowsAfter(source))
    yield canonicalJson({ row: { sequence, entry, chain } })
  for (const { size, statement } of checkpoints) yield canonicalJson({ checkpoint: { size, statement } })
}

/** An export as a source, or undefined where the text is none. Whether its rows are those of the log, `verifyAudit` tells. */
export function readExport(text: string): AuditSource | undefined {
  const rows: AuditRow[] = []
  const checkpoints: CheckpointRow[] = []
  const lines = text.split('\n')
  if (lines.pop() !== '' || lines.shift() !== canonicalJson({ format: EXPORT_FORMAT })) return undefined
  for (const line of lines) {
    const json = parseJson(line, '', 'integers')
    if (!json.ok || !isJsonObject(json.value)) return undefined
    const { row, checkpoint } = json.value
    if (isRow(row)) rows.push(row)
    else if (isCheckpoint(checkpoint)) checkpoints.push(checkpoint)
    else return undefined
  }
  return {
    auditRows: async (after, limit) => rows.slice(after, after + limit),
    checkpoints: async (afterSize, limit) => checkpoints.filter(({ size }) => size > afterSize).slice(0, limit),
  }
}

const isRow = (value: unknown): value is AuditRow => {
  const { sequence, entry, chain } = Object(value) as Record<string, unknown>
  return typeof sequence === 'number' && typeof entry === 'string' && typeof chain === 'string'
}
const isCheckpoint = (value: unknown): value is CheckpointRow => {
  const { size, statement } = Object(value) as Record<string, unknown>
  return typeof size === 'number' && typeof statement === 'string'
}
