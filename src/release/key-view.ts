import type { Policy } from '../policy/policy.ts'
import type { KeyLimits, KeyName, KeyRow, KeyState, ReleaseRow } from './ports.ts'

/** A key as administrators see it: nothing of what is sealed. */
export interface KeyView extends KeyName {
  readonly policyDigest: string
  readonly state: KeyState
  readonly limits: KeyLimits
  readonly registeredAt: number
  readonly kek: string
}

/** One key with what became of it. */
export interface KeyDetails extends KeyView {
  readonly policy: Policy
  /** how often it went out */
  readonly released: number
  /** the last hundred times, oldest first; the audit log has all */
  readonly releases: readonly ReleaseRow[]
}

export const viewOf = ({ tenant, keyId, policyDigest, state, limits, registeredAt, sealed }: KeyRow): KeyView => ({
  ...{ tenant, keyId, policyDigest, state, limits, registeredAt },
  kek: sealed.kek,
})
