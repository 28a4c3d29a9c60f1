import { headOf, isOfKeyRow, readEntry } from '../release/audit/entry.ts'
import type { AuditRow, KeyName, KeyRow, ReleaseChange, ReleaseView, SharedEpochs } from '../release/ports.ts'

/**
 * What a store must not write, whoever asks: rows that do not continue the log, a key or a release without its audit entry,
 * epochs that go back, anything of another key.
 * @throws Error with the first of them
 */
export function checkChange(name: KeyName | null, view: ReleaseView, change: ReleaseChange<unknown>): void {
  checkEntries(view.head.sequence, change.entries)
  if (change.key !== undefined) checkKey(name, change.key, change.entries)
  if (change.release !== undefined) {
    const { auditSequence } = change.release
    if (!isOf(name, change.release)) throw new Error('a release is recorded by a transaction about its key')
    if (view.key === undefined && change.key === undefined) throw new Error('a release is of a key that is registered')
    if (!change.entries.some(({ sequence }) => sequence === auditSequence))
      throw new Error('a release is recorded together with its audit entry')
  }
  if (change.epochs !== undefined) checkEpochs(view.epochs, change.epochs)
}

function checkEntries(after: number, entries: readonly AuditRow[]): void {
  for (const [i, row] of entries.entries()) {
    if (row.sequence !== after + 1 + i) throw new Error(`audit row ${row.sequence} does not continue row ${after + i}`)
    if (!/^[0-9a-f]{64}$/.test(row.chain)) throw new Error(`audit row ${row.sequence} has no chain value`)
    headOf(row)
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

const isOf = (name: KeyName | null, row: KeyName): boolean => row.tenant === name?.tenant && row.keyId === name.keyId
