import { isJsonObject, type Json } from '../../core/json.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'
import type { EvidenceSet } from '../evidence.ts'
import { kindOf } from '../registry.ts'
import { refuseNamed } from './akash.ts'
import { asEvidence, Members } from './members.ts'

/** A Linux configfs-tsm report as JSON: `outblob` is the report, `auxblob` the certificate table. */
export const isTsmReport = (value: Json): boolean => isJsonObject(value) && typeof value.outblob === 'string'

/**
 * @returns the set, or JSON_* · ENV_BASE64_NOT_CANONICAL · LIMIT_EVIDENCE_BYTES · ENV_MOCK_EVIDENCE ·
 * ENV_TDREPORT_NOT_QUOTE · ENV_UNREADABLE
 */
export function readTsmReport(value: Json): Outcome<EvidenceSet> {
  return attempt(() => {
    const members = new Members(value, '')
    const bytes = blob(members, 'outblob') ?? refuse('ENV_EVIDENCE_EMPTY', '/outblob')
    const table = blob(members, 'auxblob')
    for (const informational of ['provider', 'generation', 'inblob', 'privlevel', 'privlevel_floor', 'manifestblob'])
      members.optional(informational)
    members.end()
    const kind = kindOf(bytes)
    refuseNamed(kind, '/outblob')
    if (kind !== 'amd/snp-report' && kind !== 'intel/tdx-quote')
      return refuse('ENV_UNREADABLE', '/outblob', { actual: kind })
    return {
      carrier: 'raw',
      binding: 'raw',
      items: [{ id: 'cpu', kind, bytes, endorsements: table === undefined ? [] : [table] }],
    }
  })
}

/** Tools write these blobs in either alphabet of base64, the URL one without padding; each is taken in its canonical form. */
function blob(members: Members, name: string): Uint8Array | undefined {
  const text = members.optionalText(name)
  if (text === undefined || text === '') return undefined
  const urlAlphabet = !text.endsWith('=') && !/[+/]/.test(text) && (/[-_]/.test(text) || text.length % 4 !== 0)
  const standard = urlAlphabet
    ? `${text.replaceAll('-', '+').replaceAll('_', '/')}${'='.repeat((4 - (text.length % 4)) % 4)}`
    : text
  return asEvidence({ value: standard, path: `/${name}` })
}
