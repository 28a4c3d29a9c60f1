import type { Outcome } from '../core/outcome.ts'
import type { Decision } from '../decision/decision.ts'
import type { Gate } from '../gate/gate.ts'
import type { GateClock, RandomBytes } from '../gate/ports.ts'
import type { GateStore } from '../gate/store.ts'
import type { KeyRevisions } from './audit/key-revisions.ts'
import type { AuditEvent, AuditRow, ReleaseStore, Vault } from './ports.ts'

/** What of the audit log a broker uses: `createAuditLog` makes it. */
export interface AuditTrail {
  /** Which row of each key is the newest, as far as this process has followed the log. */
  readonly keys: Pick<KeyRevisions, 'of' | 'check'>
  /** Follows the log to its end. @returns AUDIT_CHAIN_BROKEN · AUDIT_TIME_INVALID · RELEASE_AUDIT_UNAVAILABLE */
  follow(): Promise<Outcome<void>>
  /** Writes an event that belongs to no other change. @returns its row, or AUDIT_TIME_INVALID · AUDIT_CHAIN_BROKEN · RELEASE_AUDIT_UNAVAILABLE */
  record(event: AuditEvent): Promise<Outcome<AuditRow>>
  /**
   * Waits until the log was followed this far, and is known outside the database to have got there.
   * @returns AUDIT_CHAIN_BROKEN · AUDIT_TIME_INVALID · RELEASE_AUDIT_UNAVAILABLE where it cannot
   */
  settle(end: Pick<AuditRow, 'sequence' | 'chain'>): Promise<Outcome<void>>
}

/** What administration needs; a broker needs more. */
export interface KeyKeeping {
  readonly vault: Vault
  readonly store: ReleaseStore
  readonly audit: AuditTrail
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
  /**
   * How far the collateral is that a decision of this replica rests on (tcbEvaluationDataNumber and the like, one number); null where it
   * rests on none that is numbered, and no replica can be behind.
   */
  readonly collateralEpoch: (decision: Decision) => number | null
}
