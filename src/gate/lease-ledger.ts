import { toRfc3339, type UnixSeconds } from '../core/time.ts'
import { eventOf } from './events.ts'
import { contested, dueAt, type LeaseState, type Step } from './lease-state.ts'
import type { GateChange } from './store.ts'

/** Where a lease is kept for the transaction; `LeaseRow` is what the view and the schedule are made of. */
export const ledgerOf = (lease: string): string => `lease:${lease}`

/**
 * The row of a lease, and the revocation of every credential of `before` whose machine does not count any more.
 */
export function changeOf(
  state: LeaseState,
  now: UnixSeconds,
  { before, reason, due }: { readonly before: LeaseState; readonly reason: string; readonly due?: UnixSeconds } = {
    before: state,
    reason: '',
  },
): GateChange {
  const row = {
    lease: state.lease,
    provider: state.provider,
    dueAt: due ?? dueAt(state, now),
    state: { ...state } as unknown as LeaseJson,
  }
  const standing = new Set(state.machines.map((m) => m.jti))
  const revoked = before.machines.flatMap((m) => (m.jti === null || standing.has(m.jti) ? [] : [m.jti]))
  return {
    leases: [row],
    denials: revoked.map((jti) => ({ subject: `jti:${jti}`, reason, since: now })),
    events: revoked.map((jti) => eventOf('credential.revoked', now, { ...aboutOf(state), jti, reason })),
  }
}

type LeaseJson = NonNullable<GateChange['leases']>[number]['state']

const aboutOf = ({ lease, provider, policyDigest }: LeaseState) => ({ lease, provider, policyDigest })

/** Another live lease showed one of its devices: nothing of it counts until it is attested again. */
export function contestedChange(before: LeaseState, now: UnixSeconds): GateChange {
  const state = contested(before)
  const change = changeOf(state, now, { before, reason: 'another lease has the device', due: now })
  const suspended = eventOf('key.suspended', now, { ...aboutOf(state), cause: 'contested' })
  return { ...change, events: [...(change.events ?? []), suspended] }
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
