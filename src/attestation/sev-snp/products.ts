import type { AmdProduct } from '../../core/trust-anchors.ts'

/** Combined family, model and stepping, as CPUID(1) yields them and reports of version 3 and later carry them. */
export interface Cpuid {
  readonly family: number
  readonly model: number
  readonly stepping: number
}

/**
 * Product lines by processor family and model (AMD 57230). Bergamo and Siena (0xA0…) and Genoa-X (stepping 2) are Genoa
 * for AMD's key service. Venice is left out on purpose: the layout of its TCB is not published.
 */
const MODELS: readonly { family: number; first: number; last: number; product: AmdProduct }[] = [
  { family: 0x19, first: 0x00, last: 0x0f, product: 'Milan' },
  { family: 0x19, first: 0x10, last: 0x1f, product: 'Genoa' },
  { family: 0x19, first: 0xa0, last: 0xaf, product: 'Genoa' },
  { family: 0x1a, first: 0x00, last: 0x11, product: 'Turin' },
]

/** The product line of a processor; undefined for one that this verifier does not know. */
export function productOf(cpuid: Pick<Cpuid, 'family' | 'model'>): AmdProduct | undefined {
  return MODELS.find((m) => m.family === cpuid.family && m.first <= cpuid.model && cpuid.model <= m.last)?.product
}

/** What differs between product lines in certificates of their chips (AMD 57230, VCEK certificate extensions). */
export interface ProductFacts {
  /** structVersion extension, which selects the set of SPL extensions */
  readonly structVersion: 0 | 1
  /** leading bytes of CHIP_ID that identify the chip; the rest is zero */
  readonly hwIdBytes: 64 | 8
}

export const PRODUCT_FACTS: Readonly<Record<AmdProduct, ProductFacts>> = {
  Milan: { structVersion: 0, hwIdBytes: 64 },
  Genoa: { structVersion: 0, hwIdBytes: 64 },
  Turin: { structVersion: 1, hwIdBytes: 8 },
}

export const isAmdProduct = (text: string | undefined): text is AmdProduct =>
  text !== undefined && Object.hasOwn(PRODUCT_FACTS, text)
