import { utf8 } from '../../core/bytes.ts'
import { fromHex } from '../../core/encodings.ts'
import { canonicalJson, isJsonObject, type Json, parseJson } from '../../core/json.ts'
import { LIMITS } from '../../core/limits.ts'
import { attempt, type Outcome, refuse, take } from '../../core/outcome.ts'
import { looksLikeDstackLog } from '../event-log/index.ts'
import type { EvidenceSet } from '../evidence.ts'
import { kindOf } from '../registry.ts'
import { refuseNamed } from './akash.ts'
import { Members } from './members.ts'

/** The answer of a dstack guest agent: a quote in hexadecimal with its event log as text. */
export const isDstackQuote = (value: Json): boolean =>
  isJsonObject(value) && typeof value.quote === 'string' && typeof value.event_log === 'string'

/**
 * dstack's quote response. `report_data` and `vm_config` are the sender's words and are not read.
 * @returns the set, or JSON_* · HEX_NOT_CANONICAL · LIMIT_EVIDENCE_BYTES · ENV_MOCK_EVIDENCE ·
 * ENV_TDREPORT_NOT_QUOTE · ENV_KIND_MISMATCH · TDX_EVENT_LOG_MALFORMED
 * @see ../shared/spec/intel-dcap.md §11
 */
export function readDstackQuote(value: Json): Outcome<EvidenceSet> {
  return attempt(() => {
    const members = new Members(value, '')
    const quote = members.text('quote')
    const { value: log, path } = members.required('event_log')
    for (const informational of ['report_data', 'vm_config', 'hash_algorithm', 'prefix'])
      members.optional(informational)
    members.end()
    const sizeBytes = quote.length >> 1
    if (sizeBytes > LIMITS.evidenceBytes)
      refuse('LIMIT_EVIDENCE_BYTES', '/quote', { expected: `at most ${LIMITS.evidenceBytes}`, actual: sizeBytes })
    const bytes = take(fromHex(quote, sizeBytes, '/quote'))
    const kind = kindOf(bytes)
    refuseNamed(kind, '/quote')
    if (kind !== 'intel/tdx-quote')
      return refuse('ENV_KIND_MISMATCH', '/quote', { expected: 'intel/tdx-quote', actual: kind })
    const events = take(parseJson(String(log), path))
    if (!looksLikeDstackLog(events)) refuse('TDX_EVENT_LOG_MALFORMED', path, { expected: 'a list of events' })
    return {
      carrier: 'dstack/quote',
      binding: 'raw',
      items: [{ id: 'cpu', kind, bytes, endorsements: [], eventLogs: [eventLogBytes(events)] }],
    }
  })
}

/**
 * A log that came as JSON, in its canonical form (RFC 8785): spaces and the order of members are not evidence, and the same log
 * in two files is one.
 */
export const eventLogBytes = (events: Json): Uint8Array => utf8(canonicalJson(events))
