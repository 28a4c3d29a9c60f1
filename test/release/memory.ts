import { createHash } from 'node:crypto'
import { canonicalJson, type Json } from '../../src/core/json.ts'
import { fail, ok } from '../../src/core/outcome.ts'
import { toRfc3339 } from '../../src/core/time.ts'
import type { AuditWriter } from '../../src/release/options.ts'
import type {
  AuditHead,
  AuditRow,
  CheckpointRow,
  KeyName,
  KeyRow,
  ReleaseRow,
  ReleaseStore,
  SharedEpochs,
} from '../../src/release/ports.ts'

/** A store of this process, whose rows tests may bend. */
export function memoryReleases(): ReleaseStore & {
  readonly rows: Map<string, KeyRow>
  readonly log: AuditRow[]
  epochsNow: SharedEpochs
  isFull: boolean
} {
  const rows = new Map<string, KeyRow>()
  const releases: ReleaseRow[] = []
  const log: AuditRow[] = []
  const at = ({ tenant, keyId }: KeyName) => `${tenant} ${keyId}`
  const head = (): AuditHead => {
    const last = log.at(-1)
    if (last === undefined) return { sequence: 0, chain: '0'.repeat(64), at: undefined }
    return { sequence: last.sequence, chain: last.chain, at: (JSON.parse(last.entry) as { at: number }).at }
  }
  const store = {
    rows,
    log,
    epochsNow: { policy: 0, collateral: 0 },
    isFull: false,
    key: async (name: KeyName) => rows.get(at(name)),
    keys: async (tenant: string) => [...rows.values()].filter((r) => r.tenant === tenant),
    transact: async <T>(name: KeyName | null, decide: Parameters<ReleaseStore['transact']>[1]): Promise<T> => {
      const key = name === null ? undefined : rows.get(at(name))
      const own = releases.filter((r) => name !== null && at(r) === at(name))
      const change = decide({ head: head(), key, releases: own, epochs: store.epochsNow })
      if (store.isFull && change.entries.length > 0) throw new Error('disk full')
      const { release } = change
      if (release !== undefined && releases.some((r) => r.challengeId === release.challengeId))
        throw new Error('unique')
      log.push(...change.entries)
      if (change.key !== undefined) rows.set(at(change.key), change.key)
      if (release !== undefined) releases.push(release)
      if (change.epochs !== undefined) store.epochsNow = change.epochs
      return change.result as T
    },
    auditHead: async () => head(),
    auditRows: async (after: number, limit: number) => log.slice(after, after + limit),
    putCheckpoint: async (_: CheckpointRow) => undefined,
    checkpoints: async () => [],
    epochs: async () => store.epochsNow,
    close: async () => undefined,
  }
  return store as ReturnType<typeof memoryReleases>
}

export const plainAudit: AuditWriter = {
  rows: (head, at, events) => {
    if (head.at !== undefined && at < head.at) return fail('AUDIT_TIME_INVALID', 'audit.at', { actual: toRfc3339(at) })
    let { sequence, chain } = head
    const rows = events.map((event) => {
      const entry = canonicalJson({ at, ...event } as unknown as Json)
      chain = createHash('sha256').update(chain).update(entry).digest('hex')
      return { sequence: ++sequence, entry, chain }
    })
    return ok(rows)
  },
}
