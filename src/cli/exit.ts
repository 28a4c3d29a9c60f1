import type { Verdict } from '../decision/decision.ts'

/** Exit codes that scripts can trust (ARCHITECTURE §7). */
export const EXIT = { ok: 0, reject: 1, usage: 2, inconclusive: 3 } as const

export const exitCodeOf = (verdict: Verdict): number =>
  verdict === 'accept' ? EXIT.ok : verdict === 'reject' ? EXIT.reject : EXIT.inconclusive
