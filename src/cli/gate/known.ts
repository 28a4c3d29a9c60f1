import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createVerificationCache } from '../../core/context.ts'
import type { UnixSeconds } from '../../core/time.ts'
import { DEFAULT_RULES } from '../../gate/core.ts'
import type { Gate } from '../../gate/gate.ts'
import { nodeRandom } from '../../gate/node-ports.ts'
import type { GateStore } from '../../gate/store.ts'
import { createGate } from '../../index.ts'
import { memoryStore } from '../../stores/memory.ts'
import { UsageError } from '../input.ts'

/**
 * A gate that decides by what the store knows and learns nothing: it asks no questions, so nobody can answer one.
 * @param enforce false where it only reports (shadow mode)
 */
export async function decidingGate(store: GateStore, now: UnixSeconds, enforce: boolean): Promise<Gate> {
  const gate = createGate({
    store,
    signer: null,
    collateral: async () => {
      throw new TypeError('the command line answers no challenge')
    },
    clock: () => now,
    random: nodeRandom,
    scheduler: () => () => undefined,
    verifyProviderProof: async () => false,
    physical: () => 'unknown',
    referenceValues: [],
    injectedAnchors: [],
    cache: createVerificationCache(),
    salt: nodeRandom(32), // ids in the store are salted already, and none is added
    verifierKeyId: 'vouchsafe gate',
    issuer: 'vouchsafe gate',
    audience: ['vouchsafe gate'],
    rules: DEFAULT_RULES,
    enforce,
    onError: (error) => {
      throw error
    },
  })
  await gate.refresh()
  return gate
}

/**
 * Runs `use` with a store that knows what the file knows, or nothing where there is no file. The file may be that of a
 * running gate: it is copied in one snapshot, opened for reading only, and the copy is removed afterwards.
 * @throws UsageError where the file is not the store of a gate, or of a later version
 */
export async function withStore<T>(path: string | undefined, use: (store: GateStore) => Promise<T>): Promise<T> {
  if (path === undefined) return use(memoryStore())
  const folder = await mkdtemp(join(tmpdir(), 'vouchsafe-gate-'))
  try {
    const store = await copyOf(path, join(folder, 'copy.db'))
    try {
      return await use(store)
    } finally {
      await store.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function copyOf(path: string, copy: string): Promise<GateStore> {
  // Node calls its SQLite experimental, on stderr, and no other command needs to hear that.
  const [{ DatabaseSync }, { sqliteStore }] = await Promise.all([
    import('node:sqlite'),
    import('../../stores/sqlite.ts'),
  ])
  try {
    if (!(await stat(path)).isFile()) throw new Error('it is not a file')
    const database = new DatabaseSync(path, { readOnly: true })
    try {
      // An empty file would become an empty store, and look as if nothing were known of anybody.
      const { n } = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as { readonly n: number }
      if (n === 0) throw new Error('it is empty')
      database.prepare('VACUUM INTO ?').run(copy)
    } finally {
      database.close()
    }
    return sqliteStore(copy)
  } catch (error) {
    const why = error instanceof Error ? error.message.replaceAll(copy, path) : String(error)
    throw new UsageError(`cannot read the store ${path}: ${why}`)
  }
}
