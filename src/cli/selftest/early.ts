import type { CollateralSet } from '../../attestation/collateral.ts'
import { headOf } from '../../attestation/dcap/document-head.ts'

/** The collateral without Intel's documents of the highest evaluation number; undefined where there is one number only. */
export function withoutNewestIntel(collateral: CollateralSet): CollateralSet | undefined {
  const numberOf = (held: CollateralSet['intelDocuments'][number]) => headOf(held.value)?.evaluationNumber ?? 0
  const numbers = new Set(collateral.intelDocuments.map(numberOf))
  if (numbers.size < 2) return undefined
  const newest = Math.max(...numbers)
  return { ...collateral, intelDocuments: collateral.intelDocuments.filter((held) => numberOf(held) < newest) }
}
