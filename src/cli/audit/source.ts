import { open, readFile } from 'node:fs/promises'
import { type Json, parseJson } from '../../core/json.ts'
import type { CredentialKeySet } from '../../decision/credential/index.ts'
import { pinnedKeys } from '../../decision/credential/keys.ts'
import { type AuditSource, fileAnchor, readExport } from '../../release/audit/index.ts'
import { faultText } from '../faults.ts'
import { readText, UsageError } from '../input.ts'

/** What an operator can name: a database, an export, or a proof. */
export type Opened =
  | { readonly kind: 'log'; readonly source: AuditSource; readonly close: () => Promise<void> }
  | { readonly kind: 'proof'; readonly proof: Json }

const SQLITE = 'SQLite format 3\0'

/** Recognised by content: a SQLite file of ours, an export, a proof; or `postgres:` and `postgresql:` URLs. */
export async function openSource(path: string): Promise<Opened> {
  try {
    if (/^postgres(ql)?:/.test(path)) return await database(path)
    return (await begins(path, SQLITE)) ? await sqliteFile(path) : await textFile(path)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`cannot read ${path}: ${error instanceof Error ? error.message : 'error'}`)
  }
}

/** A log that is to be read, which a proof is not. */
export async function withLog<T>(path: string, use: (source: AuditSource) => Promise<T>): Promise<T> {
  const opened = await openSource(path)
  if (opened.kind === 'proof') throw new UsageError(`${path} is a proof; a log is a database or an export`)
  try {
    return await use(opened.source)
  } finally {
    await opened.close()
  }
}

async function begins(path: string, magic: string): Promise<boolean> {
  if (path === '-') return false
  const file = await open(path, 'r')
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(magic.length), 0, magic.length, 0)
    return buffer.subarray(0, bytesRead).toString('latin1') === magic
  } finally {
    await file.close()
  }
}

async function sqliteFile(path: string): Promise<Opened> {
  const { sqliteAuditLog } = await import('../../stores/sqlite-release.ts')
  const store = sqliteAuditLog(path)
  return { kind: 'log', source: store, close: () => store.close() }
}

async function database(url: string): Promise<Opened> {
  if (new URL(url).password !== '')
    throw new UsageError('a password on the command line is seen by everybody; use PGPASSWORD or a .pgpass file')
  const { postgresAuditLog } = await import('../../stores/postgres-release.ts')
  const store = await postgresAuditLog({ connectionString: url })
  return { kind: 'log', source: store, close: () => store.close() }
}

/** An export may be larger than anything else that is read; a proof is one JSON object. */
async function textFile(path: string): Promise<Opened> {
  const text = path === '-' ? await readText(path) : await readFile(path, 'utf8')
  const source = readExport(text)
  if (source !== undefined) return { kind: 'log', source, close: async () => undefined }
  const proof = parseJson(text, path)
  if (!proof.ok) throw new UsageError(`${path} is no database, export or proof of an audit log`)
  return { kind: 'proof', proof: proof.value }
}

/** A JWKS file, as the service publishes it. */
export async function keysFrom(path: string): Promise<CredentialKeySet> {
  const json = parseJson(await readText(path), path)
  if (!json.ok) throw new UsageError(`${path} is no JWKS:\n${faultText(json.faults)}`)
  try {
    const keys = Object(json.value) as CredentialKeySet
    if (!Array.isArray(keys.keys)) throw new TypeError('it has no keys')
    pinnedKeys(keys)
    return keys
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new UsageError(`${path} is no JWKS of public keys: ${error.message}`)
  }
}

export interface AnchorOptions {
  readonly anchor?: string
  readonly withoutAnchor?: string
}

/** `--anchor FILE`, or why there is none: exactly one of them. */
export function anchorFrom(
  options: AnchorOptions,
): ReturnType<ReturnType<typeof fileAnchor>['read']> | { readonly notChecked: string } {
  const { anchor, withoutAnchor } = options
  if ((anchor === undefined) === (withoutAnchor === undefined))
    throw new UsageError('a log is verified with --anchor FILE, or with --without-anchor and the reason')
  if (withoutAnchor !== undefined && withoutAnchor.trim() === '')
    throw new UsageError('--without-anchor takes a reason')
  return anchor === undefined ? { notChecked: withoutAnchor ?? '' } : fileAnchor(anchor).read()
}
