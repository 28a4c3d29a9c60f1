import { createHash } from 'node:crypto'
import { attempt } from '../core/outcome.ts'
import { address } from './akash-ids.ts'
import type { GateCore } from './core.ts'
import { eventOf } from './events.ts'
import { type Holders, holdersOf, isParty, isUnresolved, release, settle } from './hardware.ts'
import { hardwareDigest, releaseStatement } from './identity.ts'
import { denied, need } from './lease-ref.ts'
import { denialOf } from './posture.ts'
import type { HardwareRow } from './store.ts'
import { CONFLICT } from './view.ts'

/**
 * What an entry names: `chip` the hardware id of a decision's item or its salted form · `tcb` product and level as
 * `Genoa/10.0.23.72` · `product` · `measurement` hex · `provider` account · `jti` of one credential.
 */
export type DenialKind = 'chip' | 'tcb' | 'product' | 'measurement' | 'provider' | 'jti'
const KINDS: readonly DenialKind[] = ['chip', 'tcb', 'product', 'measurement', 'provider', 'jti']

const RAW_CHIP = /^[a-z-]+:[0-9a-f]{64}$/
/** The digests of all kinds of evidence have 32, 48 or 64 bytes. */
const MEASUREMENT = /^([0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$/
const SALTED_CHIP = /^[a-z-]+:[A-Za-z0-9_-]{43}$/

/** @throws TypeError for a kind, chip id, measurement or provider that is none, and would never be met */
function subjectOf(core: GateCore, kind: DenialKind, value: string): string {
  if (!KINDS.includes(kind)) throw new TypeError(`kind is one of ${KINDS.join(', ')}`)
  if (typeof value !== 'string' || value === '') throw new TypeError('value is text')
  if (kind === 'measurement' && !MEASUREMENT.test(value)) throw new TypeError('a measurement is lower-case hexadecimal')
  if (kind === 'provider' && !attempt(() => address(value, 'provider')).ok)
    throw new TypeError('a provider is an akash1… address')
  if (kind !== 'chip') return `${kind}:${value}`
  if (RAW_CHIP.test(value)) return `chip:${core.salt(value)}`
  if (SALTED_CHIP.test(value)) return `chip:${value}`
  throw new TypeError('a chip is named by the hardwareId of a decision, or by its salted form')
}

/**
 * Puts an entry on the deny-list. When the promise resolves, this process admits nothing that it names; others follow with
 * their next reading. Credentials of machines it names are revoked.
 */
export async function deny(
  core: GateCore,
  entry: { readonly kind: DenialKind; readonly value: string; readonly reason: string },
): Promise<void> {
  const subject = subjectOf(core, entry.kind, entry.value)
  const { reason } = entry
  await core.refresh()
  const now = core.options.clock()
  const named = (asked: string) => (asked === subject ? reason : undefined)
  const hit = [...core.view.machines()].filter(
    // One credential that is denied leaves its machine as it is: a fresh one may be issued for it.
    (m) => (entry.kind === 'jti' ? m.jti === entry.value : denialOf(m, m.provider, named) !== undefined),
  )
  const revoked = hit.filter((m) => m.jti !== null && m.validUntil > now)
  const suspended = entry.kind === 'jti' ? [] : hit
  const leases = new Map(suspended.flatMap((m) => (m.lease === null ? [] : [[m.lease, m] as const])))
  await core.options.store.commit({
    denials: [subject, ...revoked.map((m) => `jti:${m.jti}`)].map((s) => ({ subject: s, reason, since: now })),
    events: [
      eventOf('denylist.changed', now, { subject, reason }),
      ...revoked.map(({ jti, provider, policyDigest, lease }) =>
        eventOf('credential.revoked', now, {
          ...{ provider, policyDigest, reason },
          ...(jti === null ? {} : { jti }),
          ...(lease === null ? {} : { lease }),
        }),
      ),
      ...[...leases].map(([lease, { provider, policyDigest }]) =>
        eventOf('key.suspended', now, { lease, provider, policyDigest, cause: 'evidence', reason }),
      ),
    ],
  })
  await core.refresh()
}

/** Takes an entry off the deny-list. Credentials that it revoked stay revoked. */
export async function allow(
  core: GateCore,
  entry: { readonly kind: DenialKind; readonly value: string },
): Promise<void> {
  const subject = subjectOf(core, entry.kind, entry.value)
  await core.begin()
  const event = eventOf('denylist.changed', core.options.clock(), { subject, reason: 'withdrawn' })
  await core.options.store.commit({ withdrawnDenials: [subject], events: [event] })
  await core.refresh()
}

/** How far the time of a release may lie from ours, seconds. */
const RELEASE_SECONDS = 300

/**
 * A provider gives hardware up, signed by its account: another may then sign for it without waiting for the claim to run out.
 * @param about.hardwareIds the `hardwareId`s of the decision's items
 * @param about.at seconds since 1970, within five minutes of now
 * @throws GateError with GATE_OBJECT_MALFORMED · GATE_IDENTITY_MISMATCH · GATE_DECISION_EXPIRED · GATE_RELEASE_USED
 */
export async function releaseHardware(
  core: GateCore,
  about: {
    readonly provider: string
    readonly hardwareIds: readonly string[]
    readonly at: number
    readonly proof: unknown
  },
): Promise<void> {
  const provider = need(
    attempt(() => address(about.provider, 'provider')),
    'hardware',
  )
  const now = core.options.clock()
  if (!(Math.abs(now - about.at) <= RELEASE_SECONDS)) denied('hardware', 'GATE_DECISION_EXPIRED', 'at', `${about.at}`)
  const { verifierKeyId, store } = core.options
  const asked = { provider, hardwareDigest: hardwareDigest(about.hardwareIds), at: about.at }
  const statement = releaseStatement({ verifierKeyId, ...asked })
  if ((await core.options.verifyProviderProof({ provider, statement, proof: about.proof })) !== true)
    denied('hardware', 'GATE_IDENTITY_MISMATCH', 'proof', 'another signature')
  const used = createHash('sha256').update(statement).digest('base64url')
  if (!(await store.burn(`release:${used}`, about.at + RELEASE_SECONDS)))
    denied('hardware', 'GATE_RELEASE_USED', 'at', `${about.at}`)
  const ids = about.hardwareIds.map(core.salt)
  const rows = await store.hardware(ids)
  if (!rows.some((row) => isParty(holdersOf(row.holders), provider)))
    denied('hardware', 'GATE_IDENTITY_MISMATCH', 'provider', `${provider} never signed for it`)
  await change(core, ids, (holders) => release(holders, provider))
}

/** Somebody looked into a conflict: this provider holds the hardware, and others have to prove themselves anew. */
export async function settleConflict(
  core: GateCore,
  about: { readonly hardware: readonly string[]; readonly provider: string },
): Promise<void> {
  await change(core, about.hardware, (holders) => settle(holders, about.provider))
}

async function change(core: GateCore, ids: readonly string[], change: (holders: Holders) => Holders): Promise<void> {
  await core.begin()
  await core.options.store.updateHardware(ids, (rows) => {
    const after = [...rows.values()].map(({ id, holders }) => ({ id, holders: change(holdersOf(holders)) }))
    const now = core.options.clock()
    const resolved = after.filter(({ holders }) => !isUnresolved(holders, now))
    return {
      rows: after.map(({ id, holders }) => ({ id, holders: { ...holders } as unknown as HardwareRow['holders'] })),
      change: { withdrawnDenials: resolved.map(({ id }) => `${CONFLICT}${id}`) },
      result: undefined,
    }
  })
  await core.refresh()
}
