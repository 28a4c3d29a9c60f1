import { utf8 } from '../../core/bytes.ts'
import { canonicalJson, isJsonObject, type Json, type JsonObject, pointer } from '../../core/json.ts'
import { LIMITS } from '../../core/limits.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'
import type { EvidenceItem, EvidenceSet } from '../evidence.ts'
import { TPM_QUOTE_FORMAT } from '../tpm/index.ts'
import { asEvidence, Members } from './members.ts'

/** A TPM quote as a document of its own. */
export const isTpmQuote = (value: Json): boolean => isJsonObject(value) && value.format === TPM_QUOTE_FORMAT

/** A quote that a carrier brings in parts, as the item that our own form of it would be. */
export const tpmItem = (
  parts: JsonObject,
  endorsements: readonly Uint8Array[] = [],
  eventLogs: readonly Uint8Array[] = [],
): EvidenceItem => ({
  id: 'tpm',
  kind: 'tpm/quote',
  bytes: utf8(canonicalJson({ ...parts, format: TPM_QUOTE_FORMAT })),
  endorsements,
  ...(eventLogs.length === 0 ? {} : { eventLogs }),
})

/**
 * `{ "format": "vouchsafe/tpm-quote/1", … }`: the members of `decodeTpmQuote`, with the key's certificates (`certs`, base64) and
 * the event log (`eventLog`, base64) beside them.
 * @returns the set, or JSON_* · ENV_* · LIMIT_*; what is wrong with the quote is told by its own kind
 */
export function readTpmQuote(value: Json): Outcome<EvidenceSet> {
  return attempt(() => {
    const members = new Members(value, '')
    const certs = members.optionalArray('certs')
    const eventLog = members.optionalEventLog('eventLog')
    if ((certs?.values.length ?? 0) > LIMITS.certificatesPerChain)
      refuse('LIMIT_CERT_COUNT', '/certs', { expected: `at most ${LIMITS.certificatesPerChain}` })
    const endorsements = certs?.values.map((c, i) => asEvidence({ value: c, path: pointer(certs.path, i) })) ?? []
    const { certs: _, eventLog: __, ...parts } = value as JsonObject
    const item = tpmItem(parts, endorsements, eventLog === undefined ? [] : [eventLog])
    return { carrier: 'tpm/quote', binding: 'raw', items: [item] }
  })
}
