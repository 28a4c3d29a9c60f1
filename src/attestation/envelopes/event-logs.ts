import { equalBytes } from '../../core/bytes.ts'
import { LIMITS } from '../../core/limits.ts'
import { refuse, take } from '../../core/outcome.ts'
import { decodeCcelTable, looksLikeCcel } from '../event-log/index.ts'
import type { EvidenceItem } from '../evidence.ts'

export interface LooseFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** What a folder holds of event logs beside its evidence. */
export interface LooseEventLogs {
  readonly logs: readonly LooseFile[]
  /** ACPI tables CCEL, which say how long the log area is */
  readonly tables: readonly LooseFile[]
}

/** All logs of a folder together have a limit of their own: firmware sets an area aside whole, and most of it is padding. */
export function checkLogSizes(logs: readonly LooseFile[]): void {
  const total = logs.reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (total > LIMITS.eventLogBytes) {
    refuse('LIMIT_EVENT_LOG_BYTES', logs.at(-1)?.name ?? '', {
      expected: `at most ${LIMITS.eventLogBytes} bytes`,
      actual: `${total} bytes`,
    })
  }
}

/**
 * Hands the logs of a folder to its one TDX quote, or without one to its one TPM quote, inside `attempt`. Without a quote, or with several, nobody knows whose they
 * are: they are named as not judged. A log that the quote's carrier brought already is not repeated.
 * @returns the items, and the names of files that went to none; or ends with TDX_EVENT_LOG_MALFORMED for a table that
 * contradicts itself or the log
 */
export function withEventLogs(
  items: readonly EvidenceItem[],
  { logs, tables }: LooseEventLogs,
): { readonly items: readonly EvidenceItem[]; readonly ignored: readonly string[] } {
  const ofTd = items.filter((item) => item.kind === 'intel/tdx-quote')
  const quotes = ofTd.length > 0 ? ofTd : items.filter((item) => item.kind === 'tpm/quote')
  if (quotes.length !== 1 || logs.length === 0) return { items, ignored: [...logs, ...tables].map(({ name }) => name) }
  for (const { name, bytes } of tables) {
    const { logAreaMinimumLength } = take(decodeCcelTable(bytes, name))
    const longer = logs.find((log) => looksLikeCcel(log.bytes) && log.bytes.length > logAreaMinimumLength)
    if (longer !== undefined) {
      refuse('TDX_EVENT_LOG_MALFORMED', longer.name, {
        expected: `at most ${logAreaMinimumLength} bytes, as ${name} says`,
        actual: `${longer.bytes.length} bytes`,
      })
    }
  }
  return {
    items: items.map((item) => {
      if (item !== quotes[0]) return item
      const eventLogs = [...(item.eventLogs ?? []), ...logs.map((log) => log.bytes)]
      return { ...item, eventLogs: eventLogs.filter((log, i) => eventLogs.findIndex((o) => equalBytes(o, log)) === i) }
    }),
    ignored: [],
  }
}
