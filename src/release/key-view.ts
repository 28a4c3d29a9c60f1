import type { KeyLimits, KeyName, KeyRow, KeyState } from './ports.ts'

/** A key as administrators see it: nothing of what is sealed. */
export interface KeyView extends KeyName {
  readonly policyDigest: string
  readonly state: KeyState
  readonly limits: KeyLimits
  readonly registeredAt: number
  readonly kek: string
}

export const viewOf = ({ tenant, keyId, policyDigest, state, limits, registeredAt, sealed }: KeyRow): KeyView => ({
  ...{ tenant, keyId, policyDigest, state, limits, registeredAt },
  kek: sealed.kek,
})
