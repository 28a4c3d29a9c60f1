import { take } from '../../src/core/outcome.ts'
import { headOf, isOfKeyRow, nextRow } from '../../src/release/audit/entry.ts'
import type { AuditEvent, AuditRow, KeyRow, ReleaseChange, ReleaseRow, ReleaseView } from '../../src/release/ports.ts'

export const NAME = { tenant: 'acme', keyId: 'llama' }

export const keyRow = (revision = 1, more: Partial<KeyRow> = {}): KeyRow => ({
  ...NAME,
  policyDigest: `sha256:${'ab'.repeat(32)}`,
  policy: '{"policy":1}',
  sealed: { kek: 'kek-1', algorithm: 'A256GCM', data: 'AAAA' },
  limits: {
    releases: 3,
    window: { releases: 1, seconds: 60 },
    leases: 'unlimited',
    chips: 2,
    onlyLeases: ['a/1/1/1/b/0', 'a/2/1/1/b/0'],
  },
  state: 'active',
  registeredAt: 100,
  revision,
  mac: 'BBBB',
  ...more,
})

export const eventOf = (type: AuditEvent['type'], more: Partial<AuditEvent> = {}): AuditEvent => ({
  ...NAME,
  type,
  policyDigest: null,
  lease: null,
  challengeId: null,
  decisionDigest: null,
  codes: [],
  actor: 'gate',
  acceptedRisks: [],
  row: null,
  ...more,
})

/** Registers or changes a key. @param told what the log says of it @param mac of which row */
export const writeKey =
  (key: KeyRow, at = 100, told: readonly AuditEvent['type'][] = ['key.registered'], mac: string | null = key.mac) =>
  ({ head }: ReleaseView): ReleaseChange<number> => {
    const { tenant, keyId } = key
    const entries: AuditRow[] = []
    for (const type of told) {
      const row = isOfKeyRow({ type }) ? mac : null
      const before = entries.length === 0 ? head : headOf(entries.at(-1))
      entries.push(take(nextRow(before, eventOf(type, { tenant, keyId, row }), at)))
    }
    return { entries, key, result: head.sequence + entries.length }
  }

/** Records a release without looking who was there before: the store must. */
export const release =
  (challengeId: string, more: Partial<ReleaseRow> = {}, at = 100) =>
  ({ head }: ReleaseView): ReleaseChange<number> => {
    const { tenant, keyId } = { ...NAME, ...more }
    const row = take(nextRow(head, eventOf('key.released', { challengeId, tenant, keyId }), at))
    const released = { tenant, keyId, at, lease: 'a/1/1/1/b/0', hardware: ['cpu:1', 'gpu:2'], challengeId }
    return { entries: [row], release: { ...released, auditSequence: row.sequence, ...more }, result: row.sequence }
  }
