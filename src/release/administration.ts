import { type Fault, fail, failed, fault, type NonEmpty, type Outcome, ok } from '../core/outcome.ts'
import { digestOfPolicy } from '../index.ts'
import { canonicalPolicy } from '../policy/digest.ts'
import type { Policy } from '../policy/policy.ts'
import { type Approval, approved, type ChangeKind, eventsOf } from './approval.ts'
import { auditRows } from './audit-entries.ts'
import { isKeyName, isSameRow, type OpenRow, rowMac, type SoundKey, saysTampered } from './key-row.ts'
import { type KeyDetails, type KeyView, viewOf } from './key-view.ts'
import { checkedLimits, reachable, widens } from './limits.ts'
import type { KeyKeeping } from './options.ts'
import type { AuditEvent, AuditRow, KeyLimits, KeyName, KeyRow } from './ports.ts'
import { isRetired, seenKey } from './seen-key.ts'
import { bringsSigningKey } from './weights-secret.ts'

export interface Registration extends KeyName {
  /** overwritten by nobody here; the caller forgets it. `weightsSecret` makes the one for sealed weights */
  readonly secret: Uint8Array
  readonly policy: Policy
  readonly limits: KeyLimits
}

export interface Rewrapped {
  readonly rewrapped: readonly string[]
  /** keys that were left as they are, with the reason */
  readonly left: readonly { readonly keyId: string; readonly faults: readonly Fault[] }[]
}

type Subject = Pick<AuditEvent, 'tenant' | 'keyId' | 'policyDigest'>

const MOST_SECRET_BYTES = 64 * 1024
const RELEASES_SHOWN = 100

/**
 * Registers keys and changes them. Each change and its audit entry are one transaction, and a change that opens more than before
 * names two administrators. Who they are is for the caller to prove.
 */
export class Administration {
  readonly #keeping: KeyKeeping

  constructor(keeping: KeyKeeping) {
    this.#keeping = keeping
  }

  /**
   * Registers a key under its policy; where there is or was one of this name already, it is replaced, which takes a second
   * administrator. So a key whose row was tampered with becomes sound again.
   * @returns ADMIN_REQUEST_INVALID · ADMIN_POLICY_RELEASES_NOTHING · ADMIN_KEY_RETIRED · ADMIN_APPROVAL_MISSING · ADMIN_KEY_CHANGED ·
   * RELEASE_* of vault and store on refusal
   */
  async register({ secret, policy, limits, ...name }: Registration, approval: Approval): Promise<Outcome<KeyView>> {
    const { tenant, keyId } = name
    if (!isKeyName(tenant) || !isKeyName(keyId)) return invalid('key', 'names of up to 128 printable characters')
    if (secret.length === 0 || secret.length > MOST_SECRET_BYTES)
      return invalid('secret', `1 to ${MOST_SECRET_BYTES} bytes`)
    if (!isKeyName(approval.by)) return invalid('by', 'the name of an administrator')
    if (bringsSigningKey(secret))
      return invalid('secret.keys.d', 'no private key, as vouchsafe weights release-key writes it')
    const checked = checkedLimits(limits)
    if (!checked.ok) return checked
    if (policy.keyRelease === 'none' || policy.profile !== 'production')
      return fail('ADMIN_POLICY_RELEASES_NOTHING', 'policy.keyRelease')
    const canBeReached = reachable(checked.value, policy)
    if (!canBeReached.ok) return canBeReached
    const policyDigest = await digestOfPolicy(policy)
    return this.#stored(async () => {
      const { vault, clock } = this.#keeping
      const seen = await seenKey(this.#keeping, { tenant, keyId })
      if (!seen.ok) return seen
      const { row: before, newest } = seen.value
      if (isRetired(seen.value)) return fail('ADMIN_KEY_RETIRED', 'key')
      const isThere = before !== undefined || newest.revision > 0
      const may = await this.#mayChange({ tenant, keyId, policyDigest }, approval, isThere)
      if (!may.ok) return may
      const sealed = await vault.seal(secret, { tenant, keyId, policyDigest })
      if (!sealed.ok) return sealed
      const row: OpenRow = {
        ...{ tenant, keyId, policyDigest, revision: newest.revision + 1 },
        policy: new TextDecoder().decode(canonicalPolicy(policy)),
        sealed: sealed.value,
        limits: checked.value,
        state: 'active',
        registeredAt: clock(),
      }
      return this.#write(before, row, 'key.registered', isThere ? 'replace' : 'register', approval)
    })
  }

  suspend(name: KeyName, approval: Approval): Promise<Outcome<KeyView>> {
    return this.#change(name, approval, 'suspend', (row) => ok({ ...row, state: 'suspended' }))
  }

  /** Takes a second administrator. */
  resume(name: KeyName, approval: Approval): Promise<Outcome<KeyView>> {
    return this.#change(name, approval, 'resume', (row) => ok({ ...row, state: 'active' }))
  }

  /** For good. */
  retire(name: KeyName, approval: Approval): Promise<Outcome<KeyView>> {
    return this.#change(name, approval, 'retire', (row) => ok({ ...row, state: 'retired' }))
  }

  /** Takes a second administrator where anything becomes possible that was not. Faults name members of `limits` by their bare names. */
  async changeLimits(name: KeyName, limits: KeyLimits, approval: Approval): Promise<Outcome<KeyView>> {
    const checked = checkedLimits(limits, '')
    if (!checked.ok) return checked
    return this.#change(name, approval, 'limits', (row, policy) => {
      const canBeReached = reachable(checked.value, policy, '')
      return canBeReached.ok ? ok({ ...row, limits: checked.value }) : canBeReached
    })
  }

  /**
   * Puts every key of a tenant under the vault's current KEK. A key that cannot be proved or opened stays as it is and is named.
   * @returns RELEASE_AUDIT_UNAVAILABLE where the store fails
   */
  async rewrapAll(tenant: string, approval: Approval): Promise<Outcome<Rewrapped>> {
    if (!isKeyName(approval.by)) return invalid('by', 'the name of an administrator')
    return this.#stored(async () => {
      const { store, vault } = this.#keeping
      const rewrapped: string[] = []
      const left: { keyId: string; faults: readonly Fault[] }[] = []
      for (const { keyId } of await store.keys(tenant)) {
        // Which KEK a key is under, a row says that was proved: whoever passes over another loses the key with the old KEK.
        const sound = await this.#soundToChange({ tenant, keyId }, approval)
        if (sound.ok && sound.value.row.sealed.kek === vault.currentKek) continue
        const done = sound.ok ? await this.#rewrap(sound.value, approval) : sound
        if (done.ok) rewrapped.push(keyId)
        else left.push({ keyId, faults: done.faults })
      }
      const about = { tenant, keyId: '', policyDigest: null }
      const told = await this.#tell(eventsOf('kek.rotated', about, [vault.currentKek], approval, false, null))
      return told.ok ? ok({ rewrapped, left }) : told
    })
  }

  async #rewrap({ row, binding }: SoundKey, approval: Approval): Promise<Outcome<KeyView>> {
    const { vault } = this.#keeping
    const secret = await vault.open(row.sealed, binding)
    if (!secret.ok) return secret
    try {
      const sealed = await vault.seal(secret.value, binding)
      if (!sealed.ok) return sealed
      return this.#write(row, { ...successor(row), sealed: sealed.value }, 'key.changed', 'rewrap', approval)
    } finally {
      secret.value.fill(0)
    }
  }

  /** @returns ADMIN_KEY_UNKNOWN · those of `soundKey` · RELEASE_AUDIT_UNAVAILABLE · AUDIT_CHAIN_BROKEN · AUDIT_TIME_INVALID */
  show(name: KeyName): Promise<Outcome<KeyDetails>> {
    return this.#stored(async () => {
      const sound = await this.#sound(name)
      if (!sound.ok) return sound
      const { row, policy } = sound.value
      const { store } = this.#keeping
      const released = await store.released(name)
      const releases = await store.releases(name, Math.max(released - RELEASES_SHOWN, 0), RELEASES_SHOWN)
      return ok({ ...viewOf(row), policy, released, releases })
    })
  }

  /** As stored; `show` proves one. */
  list(tenant: string): Promise<Outcome<readonly KeyView[]>> {
    return this.#stored(async () => ok((await this.#keeping.store.keys(tenant)).map(viewOf)))
  }

  #change(
    name: KeyName,
    approval: Approval,
    kind: ChangeKind,
    change: (row: OpenRow, policy: Policy) => Outcome<OpenRow>,
  ): Promise<Outcome<KeyView>> {
    return this.#stored(async () => {
      if (!isKeyName(approval.by)) return invalid('by', 'the name of an administrator')
      const sound = await this.#soundToChange(name, approval)
      if (!sound.ok) return sound
      const { row, policy } = sound.value
      if (row.state === 'retired') return fail('ADMIN_KEY_RETIRED', 'key')
      const changed = change(successor(row), policy)
      if (!changed.ok) return changed
      const after = changed.value
      const opensMore = (after.state === 'active' && row.state !== 'active') || widens(after.limits, row.limits)
      const may = await this.#mayChange(row, approval, opensMore)
      return may.ok ? this.#write(row, after, 'key.changed', kind, approval) : may
    })
  }

  async #sound(name: KeyName): Promise<Outcome<SoundKey>> {
    const seen = await seenKey(this.#keeping, name)
    return seen.ok ? seen.value.sound : seen
  }

  /** The key, proved; that it is not as it was written is written down. */
  async #soundToChange(name: KeyName, approval: Approval): Promise<Outcome<SoundKey>> {
    const sound = await this.#sound(name)
    if (sound.ok || !saysTampered(sound.faults)) return sound
    return this.#refused({ ...name, policyDigest: null }, approval, sound.faults)
  }

  /** A refusal is written down too. */
  async #mayChange(about: Subject, approval: Approval, opensMore: boolean): Promise<Outcome<void>> {
    if (approved(approval, opensMore)) return ok(undefined)
    return this.#refused(about, approval, [fault('ADMIN_APPROVAL_MISSING', 'approvedBy')])
  }

  /** The refusal, once it is written; another one where that cannot be. */
  async #refused(about: Subject, approval: Approval, faults: NonEmpty<Fault>): Promise<Outcome<never>> {
    const codes = faults.map((f) => f.code)
    const told = await this.#tell(eventsOf('admin.refused', about, codes, approval, false, null))
    return told.ok ? failed(faults) : told
  }

  async #write(
    before: KeyRow | undefined,
    after: OpenRow,
    type: 'key.registered' | 'key.changed',
    kind: ChangeKind,
    approval: Approval,
  ): Promise<Outcome<KeyView>> {
    const { store, vault, audit, clock } = this.#keeping
    const mac = await rowMac(vault, after)
    if (!mac.ok) return mac
    const key: KeyRow = { ...after, mac: mac.value }
    const events = eventsOf(type, key, [kind], approval, kind !== 'register', key.mac)
    const written = await store.transact<Outcome<AuditRow>>(key, (view) => {
      const isAsSeen =
        before === undefined ? view.key === undefined : view.key !== undefined && isSameRow(view.key, before)
      if (!isAsSeen) return { entries: [], result: fail('ADMIN_KEY_CHANGED', 'key') }
      const rows = auditRows(view.head, clock(), events)
      if (!rows.ok) return { entries: [], result: rows }
      const epochs = { ...view.epochs, policy: view.epochs.policy + 1 }
      return { entries: rows.value, key, epochs, result: ok(lastOf(rows.value)) }
    })
    if (!written.ok) return written
    const settled = await audit.settle(written.value)
    return settled.ok ? ok(viewOf(key)) : settled
  }

  async #tell([event]: ReturnType<typeof eventsOf>): Promise<Outcome<void>> {
    const told = await this.#keeping.audit.record(event)
    return told.ok ? ok(undefined) : told
  }

  async #stored<T>(ask: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
    try {
      return await ask()
    } catch (error) {
      this.#keeping.onError(error)
      return fail('RELEASE_AUDIT_UNAVAILABLE', 'store')
    }
  }
}

const invalid = (path: string, expected: string) => fail('ADMIN_REQUEST_INVALID', path, { expected })

/** The same as the next revision. */
const successor = (row: OpenRow): OpenRow => ({ ...row, revision: row.revision + 1 })

/** The last of a list that has one. */
const lastOf = (rows: readonly [...AuditRow[], AuditRow]): AuditRow => rows[rows.length - 1] as AuditRow

export const createAdministration = (keeping: KeyKeeping): Administration => new Administration(keeping)
