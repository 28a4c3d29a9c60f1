import { isOfKeyRow, readEntry } from '../release/audit/entry.ts'
import type {
  AuditRow,
  KeyName,
  KeyRow,
  RecordedRelease,
  ReleaseRow,
  ReleaseView,
  SharedEpochs,
} from '../release/ports.ts'
import type { AskedRelease } from '../release/usage.ts'
import type { LogEnd } from './log-end.ts'

/** What a transaction is about. */
export interface Transaction {
  readonly name: KeyName | null
  /** null where nothing may be released */
  readonly asked: AskedRelease | null
}

/**
 * What a store must not write, whoever asks: rows that do not continue the log, a key or a release without its audit entry,
 * a release that was not asked about, epochs that go back, anything of another key.
 * @throws Error with the first of them
 */
export function checkChange(
  about: Transaction,
  view: ReleaseView,
  { entries, key, release, epochs }: RecordedRelease<unknown>,
  end: LogEnd,
): void {
  checkEntries(view.head.sequence, entries, end)
  if (key !== undefined) checkKey(about.name, key, entries)
  if (release !== undefined) {
    checkRelease(about, { release, entries }, end)
    if (view.key === undefined && key === undefined) throw new Error('a release is of a key that is registered')
  }
  if (epochs !== undefined) checkEpochs(view.epochs, epochs)
}

function checkEntries(after: number, entries: readonly AuditRow[], end: LogEnd): void {
  for (const [i, row] of entries.entries()) {
    if (row.sequence !== after + 1 + i) throw new Error(`audit row ${row.sequence} does not continue row ${after + i}`)
    if (!/^[0-9a-f]{64}$/.test(row.chain)) throw new Error(`audit row ${row.sequence} has no chain value`)
    end.of(row)
  }
}

/** Which revision a row is, its writer knows: the store cannot prove the one that it has. It sees to it that each is counted. */
function checkKey(name: KeyName | null, key: KeyRow, entries: readonly AuditRow[]): void {
  if (!isOf(name, key)) throw new Error('a key is written by a transaction about it')
  if (!Number.isSafeInteger(key.revision) || key.revision < 1)
    throw new Error('a revision is a whole number above zero')
  const told = entries
    .map(({ entry }) => readEntry(entry))
    .filter((e) => e !== undefined && isOfKeyRow(e) && isOf(name, e))
  if (told.length !== 1) throw new Error('a key is written together with the one audit entry that counts its revision')
  if (told[0]?.row !== key.mac) throw new Error('the audit entry of a key tells the MAC of the row that is written')
}

function checkEpochs(seen: SharedEpochs, next: SharedEpochs): void {
  for (const name of ['policy', 'collateral'] as const)
    if (!Number.isSafeInteger(next[name]) || next[name] < seen[name]) throw new Error(`the ${name} epoch goes back`)
}

/** What the store counts is what it was asked about. */
function checkRelease(
  { name, asked }: Transaction,
  { release, entries }: { readonly release: ReleaseRow; readonly entries: readonly AuditRow[] },
  end: LogEnd,
): void {
  const { auditSequence, at, challengeId, lease, hardware } = release
  if (!isOf(name, release)) throw new Error('a release is recorded by a transaction about its key')
  if (asked === null) throw new Error('a release is recorded by the transaction that asked about it')
  if (challengeId !== asked.challengeId || lease !== asked.lease || !asked.chips.every((id) => hardware.includes(id)))
    throw new Error('a release is the one that was asked about')
  const entry = entries.find(({ sequence }) => sequence === auditSequence)
  if (entry === undefined) throw new Error('a release is recorded together with its audit entry')
  if (end.of(entry).at !== at) throw new Error('a release has the time of its audit entry')
}

const isOf = (name: KeyName | null, row: KeyName): boolean => row.tenant === name?.tenant && row.keyId === name.keyId
