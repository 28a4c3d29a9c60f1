import type { Fault } from '../../core/outcome.ts'

/** One thing that was looked at. */
export type Check =
  /** as it should be */
  | { readonly id: string; readonly state: 'ok'; readonly seen: string }
  /** something to mend, which its code says how */
  | { readonly id: string; readonly state: 'wrong'; readonly fault: Fault }
  /** not looked at, or nothing to look at */
  | { readonly id: string; readonly state: 'skipped'; readonly because: string }

export const good = (id: string, seen: string): Check => ({ id, state: 'ok', seen })
export const wrong = (id: string, fault: Fault): Check => ({ id, state: 'wrong', fault })
export const skipped = (id: string, because: string): Check => ({ id, state: 'skipped', because })
