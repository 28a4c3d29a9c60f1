import { refuse } from '../../core/outcome.ts'
import type { AmdProduct } from '../../core/trust-anchors.ts'
import type { SnpTcb } from '../claims.ts'

export type TcbComponent = keyof SnpTcb

/** In the order in which people list them. */
export const TCB_COMPONENTS: readonly TcbComponent[] = ['fmc', 'bootloader', 'tee', 'snp', 'microcode']

const MILAN_AND_GENOA: readonly (TcbComponent | 'reserved')[] = [
  ...(['bootloader', 'tee', 'reserved', 'reserved', 'reserved', 'reserved', 'snp', 'microcode'] as const),
]
const TURIN: readonly (TcbComponent | 'reserved')[] = [
  ...(['fmc', 'bootloader', 'tee', 'snp', 'reserved', 'reserved', 'reserved', 'microcode'] as const),
]

/** TCB_VERSION byte by byte (AMD 56860, TCB_VERSION): the layout belongs to the product line, not to the report version. */
export const TCB_BYTES: Readonly<Record<AmdProduct, readonly (TcbComponent | 'reserved')[]>> = {
  Milan: MILAN_AND_GENOA,
  Genoa: MILAN_AND_GENOA,
  Turin: TURIN,
}

/**
 * Decodes a TCB_VERSION of 8 bytes, inside `attempt`.
 * Ends it with SNP_RESERVED_NOT_ZERO where a byte is set that the product does not use, or with SNP_PRODUCT_MISMATCH where
 * the bytes as a whole are those of another product.
 */
export function decodeTcb(bytes: Uint8Array, product: AmdProduct, path: string): SnpTcb {
  const stray = strayByte(bytes, TCB_BYTES[product])
  if (stray >= 0) {
    const other = product === 'Turin' ? 'Genoa' : 'Turin'
    if (strayByte(bytes, TCB_BYTES[other]) < 0) {
      refuse('SNP_PRODUCT_MISMATCH', path, { expected: `the layout of ${product}`, actual: `the layout of ${other}` })
    }
    refuse('SNP_RESERVED_NOT_ZERO', `${path}[${stray}]`, {
      expected: 'zero',
      actual: `0x${bytes[stray]?.toString(16)}`,
    })
  }
  const [b0 = 0, b1 = 0, b2 = 0, b3 = 0, , , b6 = 0, b7 = 0] = bytes
  return product === 'Turin'
    ? { fmc: b0, bootloader: b1, tee: b2, snp: b3, microcode: b7 }
    : { fmc: undefined, bootloader: b0, tee: b1, snp: b6, microcode: b7 }
}

/** Index of the first byte that is set and reserved, or -1. */
const strayByte = (bytes: Uint8Array, layout: readonly (TcbComponent | 'reserved')[]): number =>
  layout.findIndex((component, i) => component === 'reserved' && bytes[i] !== 0)

/** Components in which two TCBs differ. A TCB is never compared as one number. */
export const differingComponents = (a: SnpTcb, b: SnpTcb): readonly TcbComponent[] =>
  TCB_COMPONENTS.filter((c) => a[c] !== b[c])

/** A minimum per component; components left out have none. */
export type TcbMinimum = { readonly [C in TcbComponent]?: number }

/** Components of `tcb` that are below `minimum`. One that the product does not have is below every minimum. */
export const componentsBelow = (tcb: SnpTcb, minimum: TcbMinimum): readonly TcbComponent[] =>
  TCB_COMPONENTS.filter((c) => {
    const least = minimum[c]
    return least !== undefined && (tcb[c] ?? -1) < least
  })

/** Components of `tcb` that are above those of `limit`, e.g. REPORTED above CURRENT. */
export const componentsAbove = (tcb: SnpTcb, limit: SnpTcb): readonly TcbComponent[] =>
  TCB_COMPONENTS.filter((c) => (tcb[c] ?? 0) > (limit[c] ?? 0))
