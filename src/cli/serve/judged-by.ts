import type { CollateralSet } from '../../attestation/collateral.ts'
import { fromUtf8 } from '../../core/encodings.ts'
import { attempt, take } from '../../core/outcome.ts'
import { prepareCollateral } from '../../index.ts'
import { checkReferenceValue } from '../../policy/reference-values.ts'
import { faultText } from '../faults.ts'
import { readTree, UsageError } from '../input.ts'
import { epochOfFiles } from './judging.ts'

/** What evidence is judged by, as it was read from the operator's files. */
export interface JudgedBy {
  readonly collateral: CollateralSet
  /** the highest `tcbEvaluationDataNumber` of Intel's documents in it; 0 without any */
  readonly epoch: number
  readonly referenceValues: readonly string[]
}

/**
 * Reads collateral and signed reference values, folders with the folders in them.
 * @throws UsageError for a path that cannot be read or a file that is nothing known: half of what should be there is no start
 */
export async function readJudgedBy(
  collateral: readonly string[],
  referenceValues: readonly string[],
): Promise<JudgedBy> {
  const files = (await Promise.all(collateral.map(readTree))).flat()
  const sorted = await prepareCollateral(files)
  if (sorted.faults.length > 0) throw new UsageError(`collateral that cannot be read:\n${faultText(sorted.faults)}`)
  const values = (await Promise.all(referenceValues.map(readTree))).flat().map(({ name, bytes }) => {
    const text = attempt(() => {
      const read = take(fromUtf8(bytes, name))
      take(checkReferenceValue(read, name))
      return read.trim()
    })
    if (!text.ok) throw new UsageError(`${name} is no signed reference value:\n${faultText(text.faults)}`)
    return text.value
  })
  return { collateral: sorted.collateral, epoch: epochOfFiles(sorted.collateral), referenceValues: values }
}

/** What is judged by now. It is read anew on demand, one reading after another, and what is older than what is in use never takes its place. */
export class CurrentJudgedBy {
  readonly #read: () => Promise<JudgedBy>
  #current: JudgedBy
  #reading: Promise<unknown> = Promise.resolve()

  constructor(first: JudgedBy, read: () => Promise<JudgedBy>) {
    this.#current = first
    this.#read = read
  }

  get current(): JudgedBy {
    return this.#current
  }

  /** @throws UsageError where it cannot be read, or is older; what is in use then stays */
  reread(): Promise<void> {
    const reading = this.#reading.then(async () => {
      const now = await this.#read()
      this.#current = notOlder(this.#current, now)
    })
    // Whoever asked for this reading is told how it failed; the next one does not depend on it.
    this.#reading = reading.catch(() => undefined)
    return reading
  }
}

/** Signed reference values stay as they were: a gate has them for its life. */
function notOlder(before: JudgedBy, now: JudgedBy): JudgedBy {
  if (now.epoch < before.epoch) throw new UsageError(`the collateral is older (${now.epoch}) than what is in use`)
  return { ...now, referenceValues: before.referenceValues }
}
