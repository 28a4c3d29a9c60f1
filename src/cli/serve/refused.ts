import type { Fault, NonEmpty } from '../../core/outcome.ts'

/** Why a service does not start, or does not go on: faults with their codes. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly faults: NonEmpty<Fault>

  constructor(faults: NonEmpty<Fault>) {
    super(faults.map(({ code }) => code).join(', '))
    this.faults = faults
  }
}
