import type { Claims } from '../attestation/claims.ts'
import type { Decision } from '../decision/decision.ts'

/** What stands for an identifier in one report; equal ones get equal tokens. */
export type TokenOf = (identifier: string) => string

/** Members of claims by which hardware or an instance of it can be told from others of its kind. */
const IDENTIFYING = new Set([
  ...['chipId', 'cspId', 'reportId', 'reportIdMa', 'hostData', 'mrConfigId', 'reportData'],
  ...['akSerial', 'ikSerial', 'pdi', 'ueid', 'devicePdi', 'switchPdis', 'gpuPdis'],
  ...['ppid', 'platformInstanceId', 'moduleId', 'instanceId'],
  ...['qualifyingData', 'qualifiedSigner', 'publicKey'],
])

/** Every identifier in what was proved. */
export const identifiersIn = (decisions: readonly Decision[]): readonly string[] =>
  decisions.flatMap(({ items }) =>
    items.flatMap(({ claims, hardwareId }) => [
      ...(hardwareId === undefined ? [] : [hardwareId, ...hardwareId.split(':').slice(1)]),
      ...(claims === undefined ? [] : identifiersOf(claims)),
    ]),
  )

function identifiersOf(value: Claims | object): readonly string[] {
  return Object.entries(value).flatMap(([name, member]: [string, unknown]): readonly string[] => {
    if (IDENTIFYING.has(name))
      return [member].flat().filter((text): text is string => typeof text === 'string' && text.length >= 8)
    return typeof member === 'object' && member !== null ? identifiersOf(member) : []
  })
}

/** GPU-…, as NVIDIA writes UUIDs, and any other; addresses of Akash; URLs; IP addresses. */
const TELLING: readonly RegExp[] = [
  /\b(?:GPU-|MIG-)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
  /\bakash1[a-z0-9]{38}\b/g,
  /\bhttps?:\/\/[^\s"'<>]+/gi,
  /\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b/g,
]

/** Where a finding speaks of an identity, its values and its place are one, proved or not; vendors' objects are named by identities. */
const SPEAKS_OF_IDENTITY =
  /amd-vcek|nvidia-ocsp|chip|hwid|serial|uuid|ueid|qualif|ppid|pdi|instance|lease|host(?!ic)|nonce|reportdata|report_data|challenge/i
const LONG_HEX = /\b[0-9a-f]{12,}\b/gi
/** Members of a finding that say what was found, and where. */
const FOUND: readonly string[] = ['path', 'expected', 'actual']
/** Members whose words are ours: a machine may be called `fail`. */
const OURS = new Set(['format', 'outcome', 'state', 'verdict', 'code', 'hint', 'kind', 'anchor'])
/** nonces in base64 */
const LONG_BASE64 = /[A-Za-z0-9+/]{40,}={0,2}/g

/**
 * Replaces every identity of hardware, machine and lease, so that the rest can be shown to anybody. Digests of evidence,
 * collateral and policies stay, by which a reader who has them can tell what was judged.
 * @param identifiers what is known to be one, besides what has the form of one; below four characters it would be a part of
 * other words and is left
 * @param tokenOf a text with fewer than 12 hexadecimal digits in a row, so that a token stays what it is when it is met again
 * @returns a function that gives a copy of any plain value, of the same shape: only texts change
 */
export function redactor(identifiers: readonly string[], tokenOf: TokenOf): <T>(value: T) => T {
  // Longer ones first: one may be part of another.
  const known = [...new Set(identifiers)].filter((text) => text.length >= 4).sort((a, b) => b.length - a.length)
  const clean = (text: string): string => {
    const replaced = known.reduce((rest, one) => rest.split(one).join(tokenOf(one)), text)
    return TELLING.reduce((rest, pattern) => rest.replace(pattern, (found) => tokenOf(found)), replaced)
  }
  const identity = (text: string): string =>
    [LONG_HEX, LONG_BASE64].reduce((rest, pattern) => rest.replace(pattern, (found) => tokenOf(found)), clean(text))
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return clean(value)
    if (Array.isArray(value)) return value.map(walk)
    if (typeof value !== 'object' || value === null) return value
    const told = 'code' in value && 'path' in value ? FOUND.map((name) => (value as Record<string, unknown>)[name]) : []
    const telling =
      told.length > 0 && SPEAKS_OF_IDENTITY.test([(value as Record<string, unknown>).code, ...told].join(' '))
    return Object.fromEntries(
      Object.entries(value).map(([name, member]: [string, unknown]) => {
        if (OURS.has(name)) return [name, member]
        const isValue = telling && FOUND.includes(name) && typeof member === 'string'
        return [name, isValue ? identity(member) : walk(member)]
      }),
    )
  }
  return <T>(value: T) => walk(value) as T
}
