import type { Fault, NonEmpty } from '../../core/outcome.ts'
import type { CollateralRequest } from '../objects.ts'

/** Objects that belong together; where the first is not published, none of them is of use. */
export type Together = NonEmpty<CollateralRequest>

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

/** A need that one set of objects meets. */
export const need = (...together: Together): Need => [together]
