import type { CollateralSet } from '../../attestation/collateral.ts'
import { fromUtf8 } from '../../core/encodings.ts'
import { prepareCollateral } from '../../index.ts'
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
    const text = fromUtf8(bytes, name)
    if (!text.ok) throw new UsageError(`${name} is no signed reference value`)
    return text.value.trim()
  })
  return { collateral: sorted.collateral, epoch: epochOfFiles(sorted.collateral), referenceValues: values }
}
