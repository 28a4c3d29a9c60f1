import { stat } from 'node:fs/promises'
import { Administration } from '../../release/administration.ts'
import type { Approval } from '../../release/approval.ts'
import { unanchoredAudit } from '../../release/audit-entries.ts'
import type { ReleaseStore, RotatingVault } from '../../release/ports.ts'
import { fileVault } from '../../release/vault/index.ts'
import { timeOfJudgement } from '../arguments.ts'
import { faultText } from '../faults.ts'
import { UsageError } from '../input.ts'

/** Where keys are kept; options win over the environment. */
export interface PlaceOptions {
  readonly store?: string
  readonly kek?: string
}

export interface ApprovalOptions {
  readonly by: string
  readonly approvedBy?: string
}

export const STORE_VARIABLE = 'VOUCHSAFE_KEY_STORE'
export const KEK_VARIABLE = 'VOUCHSAFE_KEK_FILE'

export function placeOf(options: PlaceOptions): { readonly store: string; readonly kek: string } {
  const store = options.store ?? process.env[STORE_VARIABLE]
  const kek = options.kek ?? process.env[KEK_VARIABLE]
  if (store === undefined || store === '')
    throw new UsageError(`--store FILE or ${STORE_VARIABLE} says where keys are kept`)
  if (kek === undefined || kek === '') throw new UsageError(`--kek FILE or ${KEK_VARIABLE} says where the KEK file is`)
  return { store, kek }
}

export const approvalOf = ({ by, approvedBy }: ApprovalOptions): Approval => ({ by, approvedBy: approvedBy ?? null })

/** Runs `use` with the keys of an existing store: a mistyped name is no new store. @throws UsageError */
export async function withKeys<T>(
  options: PlaceOptions,
  use: (administration: Administration, vault: RotatingVault) => Promise<T>,
): Promise<T> {
  const { store: path, kek } = placeOf(options)
  if (!(await isThere(path))) throw new UsageError(`${path} does not exist; vouchsafe keys init makes a key store`)
  const { now, clockFaults } = timeOfJudgement(undefined)
  if (clockFaults.length > 0) throw new UsageError(faultText(clockFaults))
  const vault = await fileVault(kek)
  if (!vault.ok) throw new UsageError(faultText(vault.faults))
  const store = await openStore(path)
  const failures: unknown[] = []
  try {
    const clock = () => now
    const audit = unanchoredAudit(store, clock)
    const onError = (error: unknown) => failures.push(error)
    const done = await use(new Administration({ vault: vault.value, store, audit, clock, onError }), vault.value)
    for (const failure of failures) process.stderr.write(`vouchsafe: ${path}: ${messageOf(failure)}\n`)
    return done
  } finally {
    await store.close()
    await vault.value.close()
  }
}

async function openStore(path: string): Promise<ReleaseStore> {
  // Loaded here, since no other command needs it.
  const { sqliteReleaseStore } = await import('../../stores/sqlite-release.ts')
  try {
    return sqliteReleaseStore(path)
  } catch (error) {
    throw new UsageError(`${path}: ${messageOf(error)}`)
  }
}

/** Makes an empty store. @throws UsageError where the file exists */
export async function makeStore(path: string): Promise<void> {
  if (await isThere(path)) throw new UsageError(`${path} exists already`)
  await (await openStore(path)).close()
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )
