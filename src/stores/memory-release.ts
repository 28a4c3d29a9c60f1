import type { UnixSeconds } from '../core/time.ts'
import type {
  AuditHead,
  AuditRow,
  CheckpointRow,
  HeldSession,
  KeyName,
  KeyRow,
  RecordedRelease,
  ReleaseChange,
  ReleaseRow,
  ReleaseStore,
  ReleaseView,
  SharedEpochs,
  UsageView,
} from '../release/ports.ts'
import type { AskedRelease, Usage } from '../release/usage.ts'
import { kept } from './copies.ts'
import { LogEnd } from './log-end.ts'
import { checkChange, type Transaction } from './release-change.ts'

/** A broker's store in memory, as `memoryStore` is the gate's: for tests, and for trying things out. */
export function memoryReleaseStore(): ReleaseStore {
  return new MemoryReleaseStore()
}

const idOf = ({ tenant, keyId }: KeyName): string => JSON.stringify([tenant, keyId])

/** How many different ones of these are not there. */
const newTo = (known: ReadonlySet<string>, ids: readonly string[]): number =>
  new Set(ids.filter((id) => !known.has(id))).size

/** The releases of one key, and whom it went to. */
class KeyUses {
  readonly releases: ReleaseRow[] = []
  readonly #leases = new Set<string>()
  readonly #chips = new Set<string>()

  of({ lease, chips, nthLast }: AskedRelease): Omit<Usage, 'isAnswered'> {
    return {
      releases: this.releases.length,
      nthLastAt: nthLast === null ? null : (this.releases.at(-nthLast)?.at ?? null),
      leases: this.#leases.size + newTo(this.#leases, [lease]),
      chips: this.#chips.size + newTo(this.#chips, chips),
    }
  }

  record(release: ReleaseRow, chips: readonly string[]): void {
    this.releases.push(release)
    this.#leases.add(release.lease)
    for (const chip of chips) this.#chips.add(chip)
  }
}

class MemoryReleaseStore implements ReleaseStore {
  readonly #keys = new Map<string, KeyRow>()
  readonly #uses = new Map<string, KeyUses>()
  readonly #answered = new Set<string>()
  readonly #audit: AuditRow[] = []
  readonly #end = new LogEnd()
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
    return this.#changed({ name, asked: null }, this.#view(name), decide)
  }

  async recordRelease<T>(
    name: KeyName,
    asked: AskedRelease,
    decide: (view: UsageView) => RecordedRelease<T>,
  ): Promise<T> {
    const usage = { ...this.#usesOf(name).of(asked), isAnswered: this.#answered.has(asked.challengeId) }
    return this.#changed({ name, asked }, { ...this.#view(name), usage }, decide)
  }

  #view(name: KeyName | null): ReleaseView {
    this.#open()
    const key = name === null ? undefined : structuredClone(this.#keys.get(idOf(name)))
    return { head: this.#end.of(this.#audit.at(-1)), key, epochs: this.#epochs }
  }

  #changed<View extends ReleaseView, T>(about: Transaction, view: View, decide: (view: View) => RecordedRelease<T>): T {
    const { result, ...change } = decide(view)
    checkChange(about, view, { ...change, result }, this.#end)
    this.#write(kept(change), about.asked)
    return result
  }

  #write(
    { entries, key, release, epochs }: Omit<RecordedRelease<unknown>, 'result'>,
    asked: AskedRelease | null,
  ): void {
    if (release !== undefined && asked !== null) {
      if (this.#answered.has(release.challengeId)) throw new Error(`challenge ${release.challengeId} was answered`)
      this.#answered.add(release.challengeId)
      const uses = this.#usesOf(release)
      uses.record(release, asked.chips)
      this.#uses.set(idOf(release), uses)
    }
    this.#audit.push(...entries)
    if (key !== undefined) this.#keys.set(idOf(key), key)
    if (epochs !== undefined) this.#epochs = epochs
  }

  #usesOf(name: KeyName): KeyUses {
    return this.#uses.get(idOf(name)) ?? new KeyUses()
  }

  async released(name: KeyName): Promise<number> {
    this.#open()
    return this.#usesOf(name).releases.length
  }

  async releases(name: KeyName, after: number, limit: number): Promise<readonly ReleaseRow[]> {
    this.#open()
    return structuredClone(this.#usesOf(name).releases.slice(after, after + limit))
  }

  async auditHead(): Promise<AuditHead> {
    this.#open()
    return this.#end.of(this.#audit.at(-1))
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
