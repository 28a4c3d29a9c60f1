import { take } from '../../src/core/outcome.ts'
import { headOf, isOfKeyRow, nextRow } from '../../src/release/audit/entry.ts'
import { chipsOf } from '../../src/release/limits.ts'
import type {
  AuditEvent,
  AuditRow,
  KeyRow,
  RecordedRelease,
  ReleaseChange,
  ReleaseRow,
  ReleaseStore,
  ReleaseView,
} from '../../src/release/ports.ts'
import type { AskedRelease, Usage } from '../../src/release/usage.ts'

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

const releaseOf = (challengeId: string, more: Partial<ReleaseRow>, at: number): Omit<ReleaseRow, 'auditSequence'> => ({
  ...{ ...NAME, at, lease: 'a/1/1/1/b/0', hardware: ['cpu:1', 'nvidia-gpu:2'], challengeId },
  ...more,
})

export const askedOf = (
  { challengeId, lease, hardware }: Pick<ReleaseRow, 'challengeId' | 'lease' | 'hardware'>,
  nthLast: number | null = null,
): AskedRelease => ({ challengeId, lease, chips: chipsOf(hardware), nthLast })

/** The change that has a release in it. */
export const released =
  (challengeId: string, more: Partial<ReleaseRow> = {}, at = 100) =>
  ({ head }: ReleaseView): RecordedRelease<number> => {
    const { tenant, keyId } = { ...NAME, ...more }
    const row = take(nextRow(head, eventOf('key.released', { challengeId, tenant, keyId }), at))
    const release = { auditSequence: row.sequence, ...releaseOf(challengeId, more, at) }
    return { entries: [row], release, result: row.sequence }
  }

/** Records a release without looking who was there before: the store must. @returns the number of its audit entry */
export const record = (
  store: ReleaseStore,
  challengeId: string,
  more: Partial<ReleaseRow> = {},
  at = 100,
): Promise<number> => {
  const row = releaseOf(challengeId, more, at)
  return store.recordRelease(row, askedOf(row), released(challengeId, more, at))
}

/** What a release would be told, without one. */
export const usageOf = (
  store: ReleaseStore,
  more: Partial<ReleaseRow> = {},
  nthLast: number | null = null,
): Promise<Usage> => {
  const row = releaseOf('asked', more, 100)
  return store.recordRelease(row, askedOf(row, nthLast), ({ usage }) => ({ entries: [], result: usage }))
}
