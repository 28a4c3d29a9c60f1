/** Product lines that AMD's KDS knows. Bergamo, Siena and Genoa-X are Genoa. */
export type AmdProduct = 'Milan' | 'Genoa' | 'Turin'

/** Versioned chip endorsement key (bound to a chip) or versioned loaded endorsement key (bound to a cloud provider). */
export type VekKind = 'VCEK' | 'VLEK'

/** TCB_VERSION by component; `fmc` exists on Turin only. Each 0..255. */
export interface AmdTcb {
  readonly fmc?: number
  readonly bl: number
  readonly tee: number
  readonly snp: number
  readonly ucode: number
}

/** Extensions of a leaf certificate, named as AMD 57230 and 58369 name them, below 1.3.6.1.4.1.3704.1. */
export const LEAF_OID = {
  structVersion: '1.3.6.1.4.1.3704.1.1',
  productName: '1.3.6.1.4.1.3704.1.2',
  blSPL: '1.3.6.1.4.1.3704.1.3.1',
  teeSPL: '1.3.6.1.4.1.3704.1.3.2',
  snpSPL: '1.3.6.1.4.1.3704.1.3.3',
  spl4: '1.3.6.1.4.1.3704.1.3.4',
  spl5: '1.3.6.1.4.1.3704.1.3.5',
  spl6: '1.3.6.1.4.1.3704.1.3.6',
  spl7: '1.3.6.1.4.1.3704.1.3.7',
  ucodeSPL: '1.3.6.1.4.1.3704.1.3.8',
  fmcSPL: '1.3.6.1.4.1.3704.1.3.9',
  hwID: '1.3.6.1.4.1.3704.1.4',
  cspID: '1.3.6.1.4.1.3704.1.5',
} as const

export type LeafExtensionName = keyof typeof LEAF_OID

/** Authorities of one product: root, and the issuers of VCEKs and VLEKs. */
export type AuthorityRole = 'ark' | 'ask' | 'asvk'

interface ProductFacts {
  readonly serial: Readonly<Record<AuthorityRole, Uint8Array>>
  readonly structVersion: number
  /** productName of a VCEK and of a VLEK. */
  readonly productName: Readonly<Record<VekKind, string>>
  /** Bytes of CHIP_ID that identify the chip, and length of hwID. */
  readonly hwIdBytes: number
  /** Component at each byte of TCB_VERSION. */
  readonly tcbBytes: readonly (keyof AmdTcb | undefined)[]
  /** Security patch levels in the order the certificate lists them. */
  readonly splOrder: readonly LeafExtensionName[]
  readonly cpuid: readonly [family: number, model: number, stepping: number]
  /** A TCB above every floor that AMD's bulletins had set by 2026, with room below each component. */
  readonly tcb: AmdTcb
  readonly mitVector: number
}

const _ = undefined
const ZEN3_BYTES = ['bl', 'tee', _, _, _, _, 'snp', 'ucode'] as const
const ZEN3_SPLS = ['blSPL', 'teeSPL', 'spl4', 'spl5', 'spl6', 'spl7', 'snpSPL', 'ucodeSPL'] as const

const serial = (product: number, ask: number) => ({
  ark: Uint8Array.of(product, 0, 0),
  ask: Uint8Array.of(product, 0, ask),
  asvk: Uint8Array.of(product, 1, 1),
})

/** What differs between the products in certificates and reports (AMD 56860, 57230, 58369). */
export const PRODUCTS: Readonly<Record<AmdProduct, ProductFacts>> = {
  Milan: {
    serial: serial(1, 1),
    structVersion: 0,
    productName: { VCEK: 'Milan-B0', VLEK: 'Milan' },
    hwIdBytes: 64,
    tcbBytes: ZEN3_BYTES,
    splOrder: ZEN3_SPLS,
    cpuid: [0x19, 0x01, 1],
    tcb: { bl: 5, tee: 1, snp: 0x1c, ucode: 0xdf },
    mitVector: 0x0b,
  },
  Genoa: {
    serial: serial(2, 2),
    structVersion: 0,
    productName: { VCEK: 'Genoa', VLEK: 'Genoa' },
    hwIdBytes: 64,
    tcbBytes: ZEN3_BYTES,
    splOrder: ZEN3_SPLS,
    cpuid: [0x19, 0x11, 1],
    tcb: { bl: 11, tee: 1, snp: 0x1c, ucode: 0x58 },
    mitVector: 0x3f,
  },
  Turin: {
    serial: serial(3, 1),
    structVersion: 1,
    productName: { VCEK: 'Turin', VLEK: 'Turin' },
    hwIdBytes: 8,
    tcbBytes: ['fmc', 'bl', 'tee', 'snp', _, _, _, 'ucode'],
    splOrder: ['fmcSPL', 'blSPL', 'teeSPL', 'snpSPL', 'spl5', 'spl6', 'spl7', 'ucodeSPL'],
    cpuid: [0x1a, 0x02, 1],
    tcb: { fmc: 2, bl: 2, tee: 2, snp: 5, ucode: 0x54 },
    mitVector: 0x3f,
  },
}

/** TCB_VERSION, 8 bytes, in the layout of the product (AMD 56860, TCB_VERSION). */
export function tcbVersion(product: AmdProduct, tcb: AmdTcb): Uint8Array {
  return Uint8Array.from(PRODUCTS[product].tcbBytes, (component) => {
    const value = component === undefined ? 0 : tcb[component]
    if (value === undefined || value < 0 || value > 255)
      throw new TypeError(`${component} of a ${product} TCB is ${value}`)
    return value
  })
}

/** Common names of the authorities and of the leaves they issue. */
export const AMD_NAMES = {
  ark: (product: AmdProduct) => `ARK-${product}`,
  ask: (product: AmdProduct) => `SEV-${product}`,
  asvk: (product: AmdProduct) => `SEV-VLEK-${product}`,
  VCEK: 'SEV-VCEK',
  VLEK: 'SEV-VLEK',
} as const
