import { hash } from 'node:crypto'
import { concatBytes, utf8 } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import { canonicalJson, isJsonObject, type JsonObject, parseJson } from '../../core/json.ts'
import { fail, type Outcome, ok } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { AuditEvent, AuditHead, AuditRow } from '../ports.ts'

const LABEL = utf8('vouchsafe/audit/1\0')
const CHAIN_BYTES = 32

/** What an empty log ends with. */
export const EMPTY_HEAD: AuditHead = { sequence: 0, chain: '0'.repeat(2 * CHAIN_BYTES), at: undefined }

export const sha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(hash('sha256', concatBytes(...parts), 'buffer'))

/**
 * Chain value after `entry`: SHA-256(label ‖ 0 ‖ value before, 32 bytes ‖ the entry's text in UTF-8).
 * @param before 64 lower-case hexadecimal digits
 */
export const chainAfter = (before: string, entry: string): string =>
  toHex(sha256(LABEL, new Uint8Array(Buffer.from(before, 'hex')), utf8(entry)))

/** Replicas' clocks are never equal: one that is this much behind writes the other's second, and follows it. */
export const SKEW_SECONDS = 2

/** The time of an entry that is written behind `head` at `at`: never before the one that the log ends with. */
export const entryTime = (head: AuditHead, at: UnixSeconds): UnixSeconds => Math.max(at, head.at ?? at)

/**
 * The row that an event makes behind `head`. Pure: the broker calls it within the transaction that saw the head.
 * @returns the row, or AUDIT_TIME_INVALID where `at` lies more than 2 seconds before the entry that the log ends with;
 * within them the entry has the time of that one, so that the log's time never goes back
 * @throws TypeError for a time that is not whole seconds, or text that is not well-formed Unicode
 */
export function nextRow(head: AuditHead, event: AuditEvent, at: UnixSeconds): Outcome<AuditRow> {
  if (!Number.isSafeInteger(at)) throw new TypeError('at is whole seconds since 1970')
  const last = head.at ?? at
  if (at < last - SKEW_SECONDS) return fail('AUDIT_TIME_INVALID', 'at', { expected: `at or after ${last}`, actual: at })
  const sequence = head.sequence + 1
  const entry = entryText(sequence, entryTime(head, at), event)
  return ok({ sequence, entry, chain: chainAfter(head.chain, entry) })
}

/**
 * That a log does not end later than it can: where no entry behind it could be written, none is anchored or signed.
 * @param path of the entry that it ends with
 * @returns AUDIT_TIME_INVALID where `at` is more than 2 seconds later than `now`
 */
export const notAhead = (at: UnixSeconds, now: UnixSeconds, path: string): Outcome<void> =>
  at <= now + SKEW_SECONDS
    ? ok(undefined)
    : fail('AUDIT_TIME_INVALID', path, { expected: `at or before ${now + SKEW_SECONDS}`, actual: at })

/** Member by member: what a caller's object has beside these is not recorded. */
function entryText(sequence: number, at: UnixSeconds, event: AuditEvent): string {
  const { type, tenant, keyId, policyDigest, lease, challengeId, decisionDigest, codes, actor, acceptedRisks } = event
  const row = event.row === null ? {} : { row: event.row }
  const texts = [
    type,
    tenant,
    keyId,
    policyDigest,
    lease,
    challengeId,
    decisionDigest,
    actor,
    ...codes,
    ...acceptedRisks,
    event.row,
  ]
  if (!texts.every((text) => text === null || text.isWellFormed()))
    throw new TypeError('an event is told in well-formed Unicode')
  return canonicalJson({
    ...{ sequence, at, type, tenant, keyId, policyDigest, lease, challengeId, decisionDigest },
    ...{ codes: [...codes], actor, acceptedRisks: [...acceptedRisks], ...row },
  })
}

/** An entry as it is read back. */
export interface AuditEntry extends AuditEvent {
  readonly sequence: number
  readonly at: UnixSeconds
}

const MEMBERS = [
  ...['sequence', 'at', 'type', 'tenant', 'keyId', 'policyDigest', 'lease', 'challengeId', 'decisionDigest'],
  ...['codes', 'actor', 'acceptedRisks'],
]

/** The entry of a row, or undefined where its text is not one that `nextRow` makes. */
export function readEntry(text: string): AuditEntry | undefined {
  const json = parseJson(text, '', 'integers')
  if (!json.ok || !isJsonObject(json.value) || canonicalJson(json.value) !== text) return undefined
  const { row, ...entry } = json.value
  if (!isEntry(entry)) return undefined
  const read = { ...entry, row: row ?? null } as unknown as AuditEntry
  return row === undefined || (typeof row === 'string' && isOfKeyRow(read)) ? read : undefined
}

/** Whether an entry tells that a key's row was written: there is one for each time. */
export const isOfKeyRow = ({ type }: Pick<AuditEvent, 'type'>): boolean =>
  type === 'key.registered' || type === 'key.changed'

function isEntry(value: JsonObject): boolean {
  const isText = (member: unknown): boolean => typeof member === 'string'
  const isTextOrNull = (member: unknown): boolean => member === null || isText(member)
  const isTexts = (member: unknown): boolean => Array.isArray(member) && member.every(isText)
  return (
    Object.keys(value).length === MEMBERS.length &&
    MEMBERS.every((name) => Object.hasOwn(value, name)) &&
    Number.isSafeInteger(value.sequence) &&
    Number.isSafeInteger(value.at) &&
    [value.type, value.tenant, value.keyId, value.actor].every(isText) &&
    [value.policyDigest, value.lease, value.challengeId, value.decisionDigest].every(isTextOrNull) &&
    [value.codes, value.acceptedRisks].every(isTexts)
  )
}

/**
 * Where a log ends whose last row this is; `undefined` is an empty log.
 * @throws Error for a row that `nextRow` did not make
 */
export function headOf(last: AuditRow | undefined): AuditHead {
  if (last === undefined) return EMPTY_HEAD
  const entry = readEntry(last.entry)
  if (entry === undefined) throw new Error(`row ${last.sequence} of the audit log is not one that was written by it`)
  return { sequence: last.sequence, chain: last.chain, at: entry.at }
}
