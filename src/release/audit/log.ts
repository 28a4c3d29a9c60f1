import { toHex } from '../../core/encodings.ts'
import { fail, type Outcome, ok } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { CredentialKeySet, CredentialSigner } from '../../decision/credential/index.ts'
import type { AuditEvent, AuditHead, AuditRow, CheckpointRow, ReleaseStore } from '../ports.ts'
import type { AuditAnchor, AuditEnd } from './anchor.ts'
import { signCheckpoint } from './checkpoint.ts'
import { nextRow } from './entry.ts'
import { leafHash, type MerkleTree } from './merkle.ts'
import { allCheckpoints, rowsAfter } from './rows.ts'
import { continued, reaches, type VerifiedAudit, verifyAudit } from './verify.ts'

export interface AuditLogOptions {
  readonly store: ReleaseStore
  /** signs checkpoints */
  readonly signer: CredentialSigner
  /** whose checkpoints of earlier times count, the signer's own key among them */
  readonly keys: CredentialKeySet
  readonly anchor: AuditAnchor
  readonly clock: () => UnixSeconds
}

/** The log of one process, verified when it was opened. */
export interface AuditLog {
  /**
   * Writes an event that belongs to no other change. Durable, and anchored, when it resolves.
   * @returns its row, or AUDIT_TIME_INVALID · AUDIT_CHAIN_BROKEN · RELEASE_AUDIT_UNAVAILABLE
   */
  record(event: AuditEvent): Promise<Outcome<AuditRow>>
  /**
   * Remembers outside the database that the log has got this far: what a broker waits for between its transaction and the key.
   * @param end a row that was committed
   * @returns AUDIT_CHAIN_BROKEN where the log no longer has what was anchored before · RELEASE_AUDIT_UNAVAILABLE where it cannot be anchored
   */
  settle(end: AuditEnd): Promise<Outcome<void>>
  /**
   * Signs what the log is now; every so often, and before an export.
   * @returns undefined for an empty log; or AUDIT_CHAIN_BROKEN · AUDIT_TIME_INVALID · RELEASE_AUDIT_UNAVAILABLE
   */
  checkpoint(): Promise<Outcome<CheckpointRow | undefined>>
}

/**
 * Opens the log, which verifies all of it: nothing is released behind a log that was tampered with.
 * @returns the log, or what `verifyAudit` refuses · AUDIT_ANCHOR_UNAVAILABLE · RELEASE_AUDIT_UNAVAILABLE
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
  const log = new Log(options, verified.value, end.value)
  const settled = await log.settle(verified.value.head)
  return settled.ok ? ok(log) : settled
}

/** What the store or the disk rejects is one refusal: nothing is released that is not written. */
async function available<T>(work: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TypeError) throw error
    return fail('RELEASE_AUDIT_UNAVAILABLE', 'audit', { actual: error instanceof Error ? error.message : 'it rejects' })
  }
}

class Log implements AuditLog {
  readonly #options: AuditLogOptions
  readonly #tree: MerkleTree
  #head: AuditHead
  #anchored: AuditEnd
  #furthest: AuditEnd
  /** how often `settle` was asked, and the last time that has been answered */
  #asked = 0
  #settled = 0
  #anchoring: Promise<unknown> = Promise.resolve()
  #signing: Promise<unknown> = Promise.resolve()

  constructor(options: AuditLogOptions, { tree, head }: VerifiedAudit, anchored: AuditEnd) {
    this.#options = options
    this.#tree = tree
    this.#head = head
    this.#anchored = anchored
    this.#furthest = anchored
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
    if (end.sequence > this.#furthest.sequence) this.#furthest = { sequence: end.sequence, chain: end.chain }
    const ticket = ++this.#asked
    const turn = this.#anchoring.then(async (): Promise<Outcome<void>> => {
      if (ticket <= this.#settled) return ok(undefined)
      const [asked, furthest] = [this.#asked, this.#furthest]
      // A log that was cut off and grew again must not become what the anchor remembers.
      const whole = await reaches(this.#options.store, this.#anchored)
      if (!whole.ok) return whole
      if (furthest.sequence > this.#anchored.sequence) {
        await this.#options.anchor.write(furthest)
        this.#anchored = furthest
      }
      this.#settled = asked
      return whole
    })
    this.#anchoring = turn.catch(() => undefined)
    return available(() => turn)
  }

  checkpoint(): Promise<Outcome<CheckpointRow | undefined>> {
    const turn = this.#signing.then(() => available(() => this.#checkpoint()))
    this.#signing = turn.catch(() => undefined)
    return turn
  }

  async #checkpoint(): Promise<Outcome<CheckpointRow | undefined>> {
    const { store, signer, clock } = this.#options
    for await (const row of rowsAfter(store, this.#head.sequence)) {
      const head = continued(this.#head, row)
      if (!head.ok) return head
      this.#tree.append(leafHash(row.entry))
      this.#head = head.value
    }
    const { sequence: size, chain } = this.#head
    if (size === 0) return ok(undefined)
    const known = await this.#known(size)
    if (known !== undefined) return ok(known)
    const signed = await signCheckpoint({ size, root: toHex(this.#tree.root()), chain, at: clock() }, signer)
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
