import type { UnixSeconds } from '../core/time.ts'
import { headOf } from '../release/audit/entry.ts'
import type {
  AuditHead,
  AuditRow,
  CheckpointRow,
  HeldSession,
  KeyName,
  KeyRow,
  ReleaseChange,
  ReleaseRow,
  ReleaseStore,
  ReleaseView,
  SharedEpochs,
} from '../release/ports.ts'
import { kept } from './copies.ts'
import { checkChange } from './release-change.ts'

/** A broker's store in memory, as `memoryStore` is the gate's: for tests, and for trying things out. */
export function memoryReleaseStore(): ReleaseStore {
  return new MemoryReleaseStore()
}

const idOf = ({ tenant, keyId }: KeyName): string => JSON.stringify([tenant, keyId])

class MemoryReleaseStore implements ReleaseStore {
  readonly #keys = new Map<string, KeyRow>()
  readonly #releases = new Map<string, ReleaseRow[]>()
  readonly #answered = new Set<string>()
  readonly #audit: AuditRow[] = []
  readonly #checkpoints = new Map<number, CheckpointRow>()
  readonly #sessions = new Map<string, HeldSession>()
  #epochs: SharedEpochs = { policy: 0, collateral: 0 }
  #isClosed = false

  async key(name: KeyName): Promise<KeyRow | undefined> {
    this.#open()
    return structuredClone(this.#keys.get(idOf(name)))
  }

  async keys(tenant: string): Promise<readonly KeyRow[]> {
    this.#open()
    const rows = [...this.#keys.values()].filter((row) => row.tenant === tenant)
    return structuredClone(rows.sort((a, b) => (a.keyId < b.keyId ? -1 : 1)))
  }

  async transact<T>(name: KeyName | null, decide: (view: ReleaseView) => ReleaseChange<T>): Promise<T> {
    this.#open()
    const view: ReleaseView = {
      head: headOf(this.#audit.at(-1)),
      key: name === null ? undefined : structuredClone(this.#keys.get(idOf(name))),
      releases: name === null ? [] : structuredClone(this.#releases.get(idOf(name)) ?? []),
      epochs: this.#epochs,
    }
    const { result, ...change } = decide(view)
    checkChange(name, view, { ...change, result })
    this.#write(kept(change))
    return result
  }

  #write({ entries, key, release, epochs }: Omit<ReleaseChange<unknown>, 'result'>): void {
    if (release !== undefined) {
      if (this.#answered.has(release.challengeId)) throw new Error(`challenge ${release.challengeId} was answered`)
      this.#answered.add(release.challengeId)
      this.#releases.set(idOf(release), [...(this.#releases.get(idOf(release)) ?? []), release])
    }
    this.#audit.push(...entries)
    if (key !== undefined) this.#keys.set(idOf(key), key)
    if (epochs !== undefined) this.#epochs = epochs
  }

  async auditHead(): Promise<AuditHead> {
    this.#open()
    return headOf(this.#audit.at(-1))
  }

  async auditRows(after: number, limit: number): Promise<readonly AuditRow[]> {
    this.#open()
    return structuredClone(this.#audit.slice(after, after + limit))
  }

  async putCheckpoint(checkpoint: CheckpointRow): Promise<void> {
    this.#open()
    const known = this.#checkpoints.get(checkpoint.size)
    if (known !== undefined && known.statement !== checkpoint.statement)
      throw new Error(`there is another checkpoint of size ${checkpoint.size}`)
    this.#checkpoints.set(checkpoint.size, kept(checkpoint))
  }

  async checkpoints(afterSize: number, limit: number): Promise<readonly CheckpointRow[]> {
    this.#open()
    const rows = [...this.#checkpoints.values()].filter(({ size }) => size > afterSize)
    return structuredClone(rows.sort((a, b) => a.size - b.size).slice(0, limit))
  }

  async epochs(): Promise<SharedEpochs> {
    this.#open()
    return this.#epochs
  }

  async putSession(session: HeldSession): Promise<void> {
    this.#open()
    if (this.#sessions.has(session.id)) throw new Error('there is a session of this id')
    this.#sessions.set(session.id, structuredClone(session))
  }

  async session(id: string): Promise<HeldSession | undefined> {
    this.#open()
    return structuredClone(this.#sessions.get(id))
  }

  async pruneSessions(now: UnixSeconds): Promise<void> {
    this.#open()
    for (const { id, expiresAt } of this.#sessions.values()) if (expiresAt < now) this.#sessions.delete(id)
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  #open(): void {
    if (this.#isClosed) throw new Error('the store is closed')
  }
}
