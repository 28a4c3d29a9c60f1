import type { Finding } from '../core/outcome.ts'
import { gateFinding } from './finding.ts'

/** Ends an answer with one finding of the gate; never leaves `answered`. Carries no stack: it is data. */
export class Ended {
  readonly finding: Finding
  constructor(finding: Finding) {
    this.finding = finding
  }
}

/** Ends the surrounding `answered` with this finding. */
export function end(...args: Parameters<typeof gateFinding>): never {
  throw new Ended(gateFinding(...args))
}
