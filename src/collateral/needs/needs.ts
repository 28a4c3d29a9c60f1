import type { Fault, NonEmpty } from '../../core/outcome.ts'
import type { CollateralRequest } from '../objects.ts'

/** Objects that belong together. Where the first of them is not published, none is of use. */
export interface Together {
  /** each is of use with all the others only: a key's certificate without its authority's would look like a stranger's */
  readonly whole: NonEmpty<CollateralRequest>
  readonly beside: readonly CollateralRequest[]
}

/** What one need may be met with, the likelier first: the evidence does not always say which of them it is. */
export type Need = NonEmpty<Together>

/** A fault of one item of the evidence. */
export interface NeedFault {
  readonly item: string
  readonly fault: Fault
}

/** What judging a piece of evidence takes from the vendors. */
export interface Needs {
  readonly needs: readonly Need[]
  /**
   * what no vendor hands out to a verifier: COLLATERAL_CHIP_MASKED · COLLATERAL_VLEK_NOT_SERVED · TDX_PCK_CERT_MISSING ·
   * SGX_PCK_CERT_MISSING
   */
  readonly faults: readonly NeedFault[]
}

export const NOTHING: Needs = { needs: [], faults: [] }

/** A need that one object meets. */
export const need = (request: CollateralRequest): Need => [{ whole: [request], beside: [] }]

/** Every object that these needs may be met with, for whoever fetches ahead of time. */
export const requestsIn = (needs: readonly Need[]): readonly CollateralRequest[] =>
  needs.flatMap((alternatives) => alternatives.flatMap(({ whole, beside }) => [...whole, ...beside]))
