import { toRfc3339, type UnixSeconds } from '../core/time.ts'
import { eventOf } from './events.ts'
import { contested, credentialsOf, dueAt, type LeaseState, renews, type Step } from './lease-state.ts'
import type { GateChange, HardwareRow } from './store.ts'

/** Where a lease is kept for the transaction; `LeaseRow` is what the view and the schedule are made of. */
export const ledgerOf = (lease: string): string => `lease:${lease}`

/** What one transaction writes of a lease: the state that the next transaction reads, and the row that everybody sees. */
export interface LeaseWrite {
  readonly rows: readonly HardwareRow[]
  readonly change: GateChange
}

/**
 * A lease with its next due time, and the revocation of every credential of `before` whose machine does not count any more. A
 * machine that answers again with all that it had keeps its earlier credential up to that credential's own end.
 */
export function written(
  after: LeaseState,
  now: UnixSeconds,
  { before, reason, due }: { readonly before: LeaseState; readonly reason: string; readonly due?: UnixSeconds },
): LeaseWrite {
  const state: LeaseState = { ...after, dueAt: due ?? dueAt(after, now) }
  const json = { ...state } as unknown as LeaseJson
  const gone = before.machines.filter((m) => !state.machines.some((n) => renews(n, m)))
  const revoked = gone.flatMap((m) => credentialsOf(m).map(({ jti }) => jti))
  return {
    rows: [{ id: ledgerOf(state.lease), holders: json }],
    change: {
      leases: [{ lease: state.lease, provider: state.provider, dueAt: state.dueAt, state: json }],
      denials: revoked.map((jti) => ({ subject: `jti:${jti}`, reason, since: now })),
      events: revoked.map((jti) => eventOf('credential.revoked', now, { ...aboutOf(state), jti, reason })),
    },
  }
}

/** Several writes of one transaction, in this order. */
export const merged = (writes: readonly LeaseWrite[]): LeaseWrite => ({
  rows: writes.flatMap((w) => w.rows),
  change: {
    leases: writes.flatMap((w) => w.change.leases ?? []),
    denials: writes.flatMap((w) => w.change.denials ?? []),
    events: writes.flatMap((w) => w.change.events ?? []),
  },
})

/** The same write, and what else it tells. */
export const telling = ({ rows, change }: LeaseWrite, events: readonly ReturnType<typeof eventOf>[]): LeaseWrite => ({
  rows,
  change: { ...change, events: [...(change.events ?? []), ...events] },
})

type LeaseJson = NonNullable<GateChange['leases']>[number]['state']

/** What every event of a lease says. */
export const aboutOf = ({ lease, provider, policyDigest }: LeaseState) => ({ lease, provider, policyDigest })

/** Another live lease showed one of its devices: nothing of it counts until it is attested again. */
export function contestedWrite(before: LeaseState, now: UnixSeconds): LeaseWrite {
  const write = written(contested(before), now, { before, reason: 'another lease has the device', due: now })
  return telling(write, [eventOf('key.suspended', now, { ...aboutOf(before), cause: 'contested' })])
}

/** What a step of the ladder tells. */
export function stepEvents(
  state: LeaseState,
  step: Step,
  now: UnixSeconds,
  cause: 'outage' | 'evidence',
): ReturnType<typeof eventOf>[] {
  const about = { ...aboutOf(state), cause }
  switch (step) {
    case 'asked':
      return []
    case 'stale':
      return [eventOf('lease.stale', now, about)]
    case 'suspended':
      return [eventOf('key.suspended', now, about)]
    case 'close-recommended':
      return [eventOf('lease.close.recommended', now, { ...about, reason: `since ${toRfc3339(state.askedAt ?? now)}` })]
  }
}
