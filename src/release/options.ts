import type { NonEmpty, Outcome } from '../core/outcome.ts'
import type { UnixSeconds } from '../core/time.ts'
import type { Gate } from '../gate/gate.ts'
import type { GateClock, RandomBytes } from '../gate/ports.ts'
import type { GateStore } from '../gate/store.ts'
import type { AuditEvent, AuditHead, AuditRow, ReleaseStore, Vault } from './ports.ts'

/** Makes entries of the audit log; what it made is written by the store, in one transaction with what it tells of. */
export interface AuditWriter {
  /**
   * The rows that continue this head, one for each event. Synchronous and pure.
   * @returns AUDIT_TIME_INVALID where the log has a later entry already
   */
  rows(head: AuditHead, at: UnixSeconds, events: NonEmpty<AuditEvent>): Outcome<readonly AuditRow[]>
}

/** What administration needs; a broker needs more. */
export interface KeyKeeping {
  readonly vault: Vault
  readonly store: ReleaseStore
  readonly audit: AuditWriter
  readonly clock: GateClock
  /** told of faults that no caller hears of: a store or vault that is down */
  readonly onError: (error: unknown) => void
}

/** Everything a broker reaches for. Nothing is optional. */
export interface BrokerOptions extends KeyKeeping {
  /** asks the challenges, judges the evidence and knows the leases */
  readonly gate: Gate
  /** the gate's own store: sessions are asked and used up in it, atomically between all processes */
  readonly challenges: Pick<GateStore, 'putChallenge' | 'consumeChallenge' | 'burn'>
  readonly random: RandomBytes
  /**
   * Whose lease this is, by its six-field id. undefined where it is unknown or has ended. Synchronous, from memory; `leaseOwner` serves where tenants are named by their account.
   */
  readonly tenantOf: (workload: string) => string | undefined
  /** epoch of the collateral that this replica judges by (tcbEvaluationDataNumber and the like, one number); never lowers */
  readonly collateralEpoch: () => number
}
