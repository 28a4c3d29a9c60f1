import { readFile } from 'node:fs/promises'
import type { GateStore } from '../../gate/store.ts'
import { fileVault, pkcs11Vault, type ReleaseStore, type RotatingVault } from '../../release/index.ts'
import { UsageError } from '../input.ts'
import { isThere, messageOf } from '../keys/opened.ts'
import type { ServiceConfig, TlsConfig } from './config.ts'
import { Refused } from './refused.ts'
import { privateBytes, privateText } from './secrets.ts'

/** Gate and keys in one database. */
export interface Stores {
  readonly gate: GateStore
  readonly release: ReleaseStore
}

/** @throws UsageError where there is none: a mistyped name is no new store */
export async function openStores(config: ServiceConfig['store']): Promise<Stores> {
  try {
    if ('sqlite' in config) {
      if (!(await isThere(config.sqlite)))
        throw new Error(
          'it does not exist; restore it from its backup, or make another folder with vouchsafe serve --init',
        )
      const { sqliteReleaseStore, sqliteStore } = await import('../../stores/index.ts')
      return { gate: sqliteStore(config.sqlite), release: sqliteReleaseStore(config.sqlite) }
    }
    const connectionString = await privateText(config.postgres.urlFile)
    const { postgresReleaseStore, postgresStore } = await import('../../stores/index.ts')
    const gate = await postgresStore({ connectionString })
    return { gate, release: await postgresReleaseStore({ connectionString }) }
  } catch (error) {
    if (error instanceof UsageError) throw error
    // What a driver says of a URL may have the password in it.
    const about =
      'sqlite' in config ? `${config.sqlite}: ${messageOf(error)}` : safeError(config.postgres.urlFile, error)
    throw new UsageError(`the store cannot be opened: ${about}`)
  }
}

function safeError(urlFile: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'no connection'
  return `the database that ${urlFile} names: ${code}`
}

/** @throws Refused with RELEASE_VAULT_UNAVAILABLE */
export async function openVault(config: ServiceConfig['kek']): Promise<RotatingVault> {
  const vault = 'file' in config ? await fileVault(config.file) : await pkcs11Vault(config.pkcs11)
  if (!vault.ok) throw new Refused(vault.faults)
  return vault.value
}

export interface TlsFiles {
  readonly cert: Uint8Array
  readonly key: Uint8Array
}

/** The certificate's chain in PEM, and its key, which nobody else may read. @throws UsageError */
export async function readTls(config: TlsConfig): Promise<TlsFiles | undefined> {
  if (typeof config === 'string') return undefined
  const cert = await readFile(config.certificate).catch((error: unknown) => {
    throw new UsageError(`cannot read ${config.certificate}: ${messageOf(error)}`)
  })
  return { cert, key: await privateBytes(config.key) }
}
