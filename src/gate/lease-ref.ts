import type { Code } from '../core/codes.ts'
import type { Fault, Outcome } from '../core/outcome.ts'
import { finding } from '../core/outcome.ts'
import { type BidRef, leaseRef } from './akash-ids.ts'
import { GateError, type GateItem, gateFinding } from './finding.ts'

/** The value, or a GateError with what was found: for calls that cannot go on without it. */
export function need<T>(outcome: Outcome<T>, item: GateItem): T {
  if (outcome.ok) return outcome.value
  const [first, ...more] = outcome.faults
  const told = (fault: Fault) => finding(fault, item)
  throw new GateError([told(first), ...more.map(told)], undefined)
}

/** The lease as one text. @throws GateError with GATE_OBJECT_MALFORMED */
export const needLease = (lease: unknown): BidRef => need(leaseRef(lease), 'lease')

/** Ends a call with one finding. @throws GateError */
export function denied(item: GateItem, code: Code, path: string, actual: string): never {
  throw new GateError([gateFinding(item, code, path, { actual })], undefined)
}
