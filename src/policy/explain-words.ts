import type { AllowList } from './policy.ts'

/** Takes one sentence about a member. */
export type Say = (member: string, text: string) => void

/** `a`, `a or b`, `a, b or c` */
export const or = (values: readonly (string | number)[]): string =>
  [values.slice(0, -1).join(', '), ...values.slice(-1)].filter((part) => part !== '').join(' or ')

/** A rule that lists digests is told by how many it lists, never by the digests. */
export function listed(list: AllowList<string>, member: string, subject: string, say: Say): void {
  if (list !== 'any')
    say(member, `${subject} must be ${list.length === 1 ? 'the one' : `one of ${list.length}`} in the policy.`)
}
