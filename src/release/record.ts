import type { Finding } from '../core/outcome.ts'
import { toRfc3339, type UnixSeconds } from '../core/time.ts'
import { OPERATORS } from './acceptance.ts'
import { entryTime } from './audit/entry.ts'
import { auditRows } from './audit-entries.ts'
import { isSameRow, type SoundKey } from './key-row.ts'
import { brokenLimit, chipsOf, mayGoTo, nthLastOf } from './limits.ts'
import type { BrokerOptions } from './options.ts'
import type { AuditEvent, AuditRow, RecordedRelease, UsageView } from './ports.ts'
import type { Burnt, Proved } from './proof.ts'
import { releaseFinding } from './refusal.ts'
import type { AskedRelease } from './usage.ts'

/** A release that everything before the transaction speaks for. */
export interface Intended {
  readonly key: SoundKey
  readonly burnt: Burnt
  readonly proved: Proved
  readonly expiresAt: UnixSeconds
  /** epoch of policies and keys when the row was read */
  readonly policyEpoch: number
  /** of the collateral that the decision rests on */
  readonly collateralEpoch: number | null
  readonly event: AuditEvent
}

/** What its transaction is told of before. Limits that are changed until then are another row, which is refused. */
export const askedRelease = ({ key, burnt, proved }: Intended): AskedRelease => ({
  challengeId: burnt.challengeId,
  lease: burnt.workload,
  chips: chipsOf(proved.hardware),
  nthLast: nthLastOf(key.row.limits),
})

export type Recorded = { readonly refusal: Finding } | { readonly refusal: null; readonly entry: AuditRow }

/** What was found of the lease, by the gate's last reading of its store; undefined where it holds. */
export function lapsedLease({ standing }: Pick<Proved, 'standing'>): Finding | undefined {
  const [lapsed] = standing()
  if (lapsed === undefined) return undefined
  if (OPERATORS.has(lapsed)) return releaseFinding('lease', lapsed, 'lease')
  return releaseFinding('lease', 'RELEASE_LEASE_NOT_ACTIVE', 'lease', { actual: lapsed })
}

/**
 * The one transaction of a release: looks again at all that may have changed since, then writes the release and its audit
 * entry together. What was judged moments ago opens nothing by itself.
 * Refusals: RELEASE_DECISION_EXPIRED · RELEASE_LEASE_NOT_ACTIVE · RELEASE_KEY_SCOPE · RELEASE_CHALLENGE_CONSUMED ·
 * RELEASE_KEY_LIMIT · RELEASE_REPLICA_STALE · RELEASE_KEY_TAMPERED · those of the audit log
 */
export function recordIn(
  options: Pick<BrokerOptions, 'clock' | 'tenantOf'>,
  { key, burnt, proved, expiresAt, policyEpoch, collateralEpoch: collateral, event }: Intended,
  view: UsageView,
): RecordedRelease<Recorded> {
  const refused = (...about: Parameters<typeof releaseFinding>): RecordedRelease<Recorded> => ({
    entries: [],
    result: { refusal: releaseFinding(...about) },
  })
  const now = options.clock()
  const { workload, challengeId } = burnt
  if (now >= expiresAt)
    return refused('evidence', 'RELEASE_DECISION_EXPIRED', 'decision.validUntil', {
      expected: `after ${toRfc3339(now)}`,
      actual: toRfc3339(expiresAt),
    })
  const isLease = burnt.actor === 'gate'
  const tenant = isLease ? options.tenantOf(workload) : key.row.tenant
  const lapsed = lapsedLease(proved)
  if (lapsed !== undefined) return { entries: [], result: { refusal: lapsed } }
  if (tenant === undefined) return refused('lease', 'RELEASE_LEASE_NOT_ACTIVE', 'lease', { actual: 'unknown' })
  if (view.key === undefined || tenant !== key.row.tenant || !mayGoTo(view.key.limits, workload, isLease))
    return refused('key', 'RELEASE_KEY_SCOPE', 'key')
  if (view.usage.isAnswered) return refused('challenge', 'RELEASE_CHALLENGE_CONSUMED', 'challengeId')
  // The log's time, which never goes back: replicas' clocks differ, and a window is counted by one.
  const at = entryTime(view.head, now)
  const limit = brokenLimit(view.key, view.usage, { at, chips: chipsOf(proved.hardware) })
  if (limit !== undefined) return refused('key', 'RELEASE_KEY_LIMIT', limit)
  if (collateral !== null && collateral < view.epochs.collateral)
    return refused('store', 'RELEASE_REPLICA_STALE', 'epochs.collateral', {
      expected: view.epochs.collateral,
      actual: collateral,
    })
  // The row that was proved is the one that counts: another is one that was administered meanwhile, or was not.
  if (!isSameRow(view.key, key.row))
    return view.epochs.policy > policyEpoch
      ? refused('store', 'RELEASE_REPLICA_STALE', 'epochs.policy')
      : refused('key', 'RELEASE_KEY_TAMPERED', 'key')
  const rows = auditRows(view.head, now, [event])
  if (!rows.ok) return refused('store', rows.faults[0].code, 'audit')
  const [entry] = rows.value
  const isNext = collateral !== null && collateral > view.epochs.collateral
  const epochs = isNext ? { epochs: { ...view.epochs, collateral } } : {}
  const { tenant: owner, keyId } = key.row
  const { hardware } = proved
  const release = { tenant: owner, keyId, at, lease: workload, hardware, challengeId, auditSequence: entry.sequence }
  return { entries: rows.value, release, ...epochs, result: { refusal: null, entry } }
}
