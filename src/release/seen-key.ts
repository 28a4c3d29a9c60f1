import { fail, type Outcome, ok } from '../core/outcome.ts'
import { isNewest, type NewestRow } from './audit/key-revisions.ts'
import { type SoundKey, soundKey } from './key-row.ts'
import type { KeyKeeping } from './options.ts'
import type { KeyName, KeyRow } from './ports.ts'

/** A key as an administrator finds it. */
export interface SeenKey {
  readonly row: KeyRow | undefined
  /** what the log tells of it */
  readonly newest: NewestRow
  /** the row, proved to be the newest, or why it is not: those of `soundKey` · ADMIN_KEY_UNKNOWN where there is none */
  readonly sound: Outcome<SoundKey>
}

/** Whether a key is retired, as the log tells or a row that was proved: what another row says of itself counts for nothing. */
export const isRetired = ({ newest, sound }: SeenKey): boolean =>
  newest.isRetired || (sound.ok && sound.value.row.state === 'retired')

/**
 * Row and log of one key, as they were at one moment: what is changed must be the row that the log tells of, no other.
 * @returns ADMIN_KEY_CHANGED where it was changed while it was looked at · RELEASE_AUDIT_UNAVAILABLE · AUDIT_CHAIN_BROKEN · AUDIT_TIME_INVALID;
 * it rejects where the store does
 */
export async function seenKey(
  { store, vault, audit }: Pick<KeyKeeping, 'store' | 'vault' | 'audit'>,
  name: KeyName,
): Promise<Outcome<SeenKey>> {
  const before = await audit.follow()
  if (!before.ok) return before
  const { key: row, head } = await store.transact(name, (view) => ({ entries: [], result: view }))
  // Again, up to the head that was seen with the row: another process may have written meanwhile.
  const followed = await audit.follow()
  if (!followed.ok) return followed
  const newest = audit.keys.of(name)
  if (newest.at > head.sequence) return fail('ADMIN_KEY_CHANGED', 'key')
  if (row === undefined) return ok({ row, newest, sound: fail('ADMIN_KEY_UNKNOWN', 'key') })
  const proved = await soundKey(vault, name, row, newest)
  const told = proved.ok ? isNewest(row, newest) : proved
  return ok({ row, newest, sound: told.ok ? proved : told })
}
