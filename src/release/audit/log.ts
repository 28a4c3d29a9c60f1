import { toHex } from '../../core/encodings.ts'
import { type Outcome, ok } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { CredentialKeySet, CredentialSigner } from '../../decision/credential/index.ts'
import type { AuditEvent, AuditHead, AuditRow, CheckpointRow, ReleaseStore } from '../ports.ts'
import type { AuditAnchor, AuditEnd } from './anchor.ts'
import { available } from './available.ts'
import { signCheckpoint } from './checkpoint.ts'
import { nextRow, notAhead } from './entry.ts'
import { type FollowedLog, rowPath } from './followed-log.ts'
import type { KeyRevisions } from './key-revisions.ts'
import { allCheckpoints, rowsAfter } from './rows.ts'
import { verifyAudit } from './verify.ts'

export interface AuditLogOptions {
  readonly store: ReleaseStore
  /** signs checkpoints */
  readonly signer: CredentialSigner
  /** whose checkpoints of earlier times count, the signer's own key among them */
  readonly keys: CredentialKeySet
  readonly anchor: AuditAnchor
  readonly clock: () => UnixSeconds
}

/** The log of one process, verified when it was opened, and every row since when it was read. */
export interface AuditLog {
  /** what the log says of keys, as far as it was followed */
  readonly keys: KeyRevisions
  /** Reads the log to its end. @returns AUDIT_CHAIN_BROKEN · AUDIT_TIME_INVALID · RELEASE_AUDIT_UNAVAILABLE */
  follow(): Promise<Outcome<void>>
  /**
   * Writes an event that belongs to no other change. Durable, and anchored, when it resolves.
   * @returns its row, or AUDIT_TIME_INVALID · AUDIT_CHAIN_BROKEN · RELEASE_AUDIT_UNAVAILABLE
   */
  record(event: AuditEvent): Promise<Outcome<AuditRow>>
  /**
   * Follows the log to its end and remembers outside the database that it has got this far: what a broker waits for between its
   * transaction and the key.
   * @param end a row that was committed
   * @returns AUDIT_CHAIN_BROKEN · AUDIT_TIME_INVALID where the log is not what was written and followed before ·
   * RELEASE_AUDIT_UNAVAILABLE where it cannot be read or anchored
   */
  settle(end: AuditEnd): Promise<Outcome<void>>
  /**
   * Signs what the log is now; every so often, and before an export.
   * @returns undefined for an empty log; or AUDIT_CHAIN_BROKEN · AUDIT_TIME_INVALID · RELEASE_AUDIT_UNAVAILABLE
   */
  checkpoint(): Promise<Outcome<CheckpointRow | undefined>>
}

/**
 * Opens the log, which verifies all of it: nothing is released behind a log that was tampered with, or is ahead of the clock.
 * @returns the log, or what `verifyAudit` refuses · AUDIT_TIME_INVALID · AUDIT_ANCHOR_UNAVAILABLE · RELEASE_AUDIT_UNAVAILABLE
 */
export async function createAuditLog(options: AuditLogOptions): Promise<Outcome<AuditLog>> {
  const { store, keys, anchor } = options
  // The anchor first: the log may grow meanwhile, and must hold what was anchored before.
  const end = await anchor.read()
  if (!end.ok) return end
  const verified = await available(async () =>
    verifyAudit({ rows: rowsAfter(store), checkpoints: await allCheckpoints(store), keys, anchor: end.value }),
  )
  if (!verified.ok) return verified
  const { head } = verified.value
  // What the anchor remembers was followed before; a clock that was set back can be set right under a log that is open.
  const isNow = head.sequence > end.value.sequence ? checkTime(head, options.clock) : ok(undefined)
  if (!isNow.ok) return isNow
  const log = new Log(options, verified.value.log, end.value)
  const settled = await log.settle(head)
  return settled.ok ? ok(log) : settled
}

const checkTime = ({ at = 0, sequence }: AuditHead, clock: () => UnixSeconds): Outcome<void> =>
  notAhead(at, clock(), rowPath(sequence))

class Log implements AuditLog {
  readonly #options: AuditLogOptions
  readonly #log: FollowedLog
  #anchored: AuditEnd
  /** rows that somebody waits for */
  readonly #awaited = new Set<AuditEnd>()
  /** how often `settle` was asked, and the last time that has been answered */
  #asked = 0
  #settled = 0
  #anchoring: Promise<unknown> = Promise.resolve()
  #signing: Promise<unknown> = Promise.resolve()

  constructor(options: AuditLogOptions, log: FollowedLog, anchored: AuditEnd) {
    this.#options = options
    this.#log = log
    this.#anchored = anchored
  }

  get keys(): KeyRevisions {
    return this.#log.keys
  }

  follow(): Promise<Outcome<void>> {
    return available(() => this.#log.readOn(this.#options.store, [], this.#options.clock))
  }

  record(event: AuditEvent): Promise<Outcome<AuditRow>> {
    return available(async () => {
      const { store, clock } = this.#options
      const row = await store.transact(null, ({ head }) => {
        const made = nextRow(head, event, clock())
        return { entries: made.ok ? [made.value] : [], result: made }
      })
      if (!row.ok) return row
      const settled = await this.settle(row.value)
      return settled.ok ? row : settled
    })
  }

  /** Whoever comes while one is written shares the next look and the next write. */
  settle(end: AuditEnd): Promise<Outcome<void>> {
    const awaited = { sequence: end.sequence, chain: end.chain }
    this.#awaited.add(awaited)
    const ticket = ++this.#asked
    const turn = this.#anchoring.then(async (): Promise<Outcome<void>> => {
      if (ticket <= this.#settled) return ok(undefined)
      const asked = this.#asked
      // A log that was cut off and grew again must not become what the anchor remembers.
      const { store, clock } = this.#options
      const followed = await this.#log.readOn(store, [...this.#awaited], clock)
      if (!followed.ok) return followed
      const { head } = this.#log
      if (head.sequence > this.#anchored.sequence) {
        await this.#options.anchor.write(head)
        this.#anchored = head
      }
      this.#settled = asked
      return followed
    })
    this.#anchoring = turn.catch(() => undefined)
    return available(() => turn).finally(() => this.#awaited.delete(awaited))
  }

  checkpoint(): Promise<Outcome<CheckpointRow | undefined>> {
    const turn = this.#signing.then(() => available(() => this.#checkpoint()))
    this.#signing = turn.catch(() => undefined)
    return turn
  }

  async #checkpoint(): Promise<Outcome<CheckpointRow | undefined>> {
    const { store, signer, clock } = this.#options
    const followed = await this.follow()
    if (!followed.ok) return followed
    const isNow = checkTime(this.#log.head, clock)
    if (!isNow.ok) return isNow
    const { sequence: size, chain } = this.#log.head
    const root = toHex(this.#log.tree.root())
    if (size === 0) return ok(undefined)
    const known = await this.#known(size)
    if (known !== undefined) return ok(known)
    const signed = await signCheckpoint({ size, root, chain, at: clock() }, signer)
    try {
      await store.putCheckpoint(signed)
    } catch (error) {
      // Another replica may have been faster; its statement is as good.
      const others = await this.#known(size)
      if (others === undefined) throw error
      return ok(others)
    }
    return ok(signed)
  }

  async #known(size: number): Promise<CheckpointRow | undefined> {
    return (await this.#options.store.checkpoints(size - 1, 1)).find((c) => c.size === size)
  }
}
