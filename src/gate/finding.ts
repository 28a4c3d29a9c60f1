import type { Code } from '../core/codes.ts'
import { type FaultDetail, type Finding, fault, finding, type NonEmpty } from '../core/outcome.ts'

/** What a finding of the gate is about. */
export type GateItem = 'bid' | 'lease' | 'posture' | 'challenge' | 'hardware' | 'gate'

/** A finding under the code's own verdict and hint; shared and frozen where it says nothing of one bid. */
export const gateFinding = (item: GateItem, code: Code, path: string, detail: FaultDetail = {}): Finding =>
  finding(fault(code, path, detail), item)

export type GateVerdict = 'accept' | 'reject' | 'inconclusive'

/** One that rejects decides, else one that lacks something; only without any is it an accept. */
export function verdictFrom(findings: readonly Finding[]): GateVerdict {
  if (findings.length === 0) return 'accept'
  return findings.some((f) => f.verdict === 'reject') ? 'reject' : 'inconclusive'
}

/** Thrown where a call must not go on: it carries what was found, and the first code as `code`. */
export class GateError<Row = unknown> extends Error {
  override readonly name = 'GateError'
  readonly code: Code
  readonly findings: NonEmpty<Finding>
  /** the decision row that refused; undefined where it never came to one */
  readonly row: Row | undefined

  constructor(findings: NonEmpty<Finding>, row: Row | undefined) {
    super(findings.map((f) => `${f.code} at ${f.path}: ${f.hint}`).join(' '))
    this.code = findings[0].code
    this.findings = findings
    this.row = row
  }
}
