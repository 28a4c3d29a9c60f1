import { toRfc3339 } from '../../core/time.ts'
import { type AuditEntry, readEntry, rowsAfter } from '../../release/audit/index.ts'
import type { AuditRow } from '../../release/ports.ts'
import { UsageError } from '../input.ts'
import { dim, jsonText, padEnd, safe, wrap } from '../style.ts'
import { withLog } from './source.ts'

export interface ShowOptions {
  readonly after: string
  readonly limit: string
  readonly tenant?: string
  readonly key?: string
  readonly json?: boolean
}

/** `vouchsafe audit show SOURCE`: the entries, as they are; whether they are genuine, `verify` says. */
export function showRows(path: string, options: ShowOptions): Promise<void> {
  const [after, limit] = [wholeNumber('--after', options.after), wholeNumber('--limit', options.limit)]
  return withLog(path, async (source) => {
    const shown: Shown[] = []
    for await (const row of rowsAfter(source, after)) {
      if (shown.length === limit) break
      const entry = readEntry(row.entry)
      if (entry === undefined || isAsked(entry, options)) shown.push({ row, entry })
    }
    const text = options.json === true ? jsonText(shown.map(asJson)) : shown.map(line).join('\n') || 'no entries'
    process.stdout.write(`${text}\n`)
  })
}

interface Shown {
  readonly row: AuditRow
  readonly entry: AuditEntry | undefined
}

export function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`${option} takes a whole number, not ${text}`)
  return Number(text)
}

const isAsked = (entry: AuditEntry, { tenant, key }: ShowOptions): boolean =>
  (tenant === undefined || entry.tenant === tenant) && (key === undefined || entry.keyId === key)

/** What is not an entry of ours is shown as the text that it is. */
const asJson = ({ row, entry }: Shown): object => ({
  ...(entry ?? { entry: row.entry }),
  sequence: row.sequence,
  chain: row.chain,
})

function line({ row, entry }: Shown): string {
  const start = `${padEnd(String(row.sequence), 7)}`
  if (entry === undefined) return wrap(`not an entry: ${safe(row.entry)}`, start, undefined, '       ')
  const { at, type, tenant, keyId, lease, codes, actor, acceptedRisks } = entry
  const parts = [
    toRfc3339(at),
    safe(type),
    safe(`${tenant}/${keyId}`),
    ...(lease === null ? [] : [`lease ${safe(lease)}`]),
    ...codes.map(safe),
    ...acceptedRisks.map((risk) => `accepted ${safe(risk)}`),
    dim(`by ${safe(actor)}`),
  ]
  return wrap(parts.join(' '), start, undefined, '       ')
}
