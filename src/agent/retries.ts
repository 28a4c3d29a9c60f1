import type { Fault, Outcome } from '../core/outcome.ts'
import { mayHelpToAsk } from './refusal.ts'

export interface Patience {
  /** in all, 1 or more */
  readonly attempts: number
  /** resolves after so many milliseconds */
  readonly sleep: (milliseconds: number) => Promise<void>
  /** told before each pause what is waited for */
  readonly onPause?: (pause: Pause) => void
}

export interface Pause {
  readonly fault: Fault
  readonly milliseconds: number
  /** attempts that are left */
  readonly left: number
}

const FIRST_MILLISECONDS = 1000
const LONGEST_MILLISECONDS = 30_000

/** Tries again, after longer and longer pauses, while the outcome is inconclusive. A refusal is final: nothing is asked twice for it. */
export async function untilDecided<T>(
  { attempts, sleep, onPause }: Patience,
  attempt: () => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  for (let made = 1; ; made++) {
    const outcome = await attempt()
    if (outcome.ok || made >= attempts || !mayHelpToAsk(outcome.faults)) return outcome
    const milliseconds = Math.min(FIRST_MILLISECONDS * 2 ** (made - 1), LONGEST_MILLISECONDS)
    onPause?.({ fault: outcome.faults[0], milliseconds, left: attempts - made })
    await sleep(milliseconds)
  }
}
