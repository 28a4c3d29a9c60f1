import { latin1 } from '../../core/bytes.ts'
import { type Der, decodeDer, smallInteger, TAG } from '../../core/der.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'
import type { AmdProduct } from '../../core/trust-anchors.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import type { SnpTcb } from '../claims.ts'
import { isAmdProduct } from './products.ts'

/** AMD's arc, below which the extensions of VCEK and VLEK certificates lie (AMD 57230, 58369). */
export const AMD_EXTENSION_ARC = '1.3.6.1.4.1.3704.1.'

const SUFFIX = {
  structVersion: '1',
  productName: '2',
  blSPL: '3.1',
  teeSPL: '3.2',
  snpSPL: '3.3',
  spl4: '3.4',
  spl5: '3.5',
  spl6: '3.6',
  spl7: '3.7',
  ucodeSPL: '3.8',
  fmcSPL: '3.9',
  hwID: '4',
  cspID: '5',
} as const

type ExtensionName = keyof typeof SUFFIX

/** Extensions that the other structVersion has and this one must not have. */
const FOREIGN: Readonly<Record<0 | 1, ExtensionName>> = { 0: 'fmcSPL', 1: 'spl4' }
const RESERVED_SPLS: Readonly<Record<0 | 1, readonly ExtensionName[]>> = {
  0: ['spl4', 'spl5', 'spl6', 'spl7'],
  1: ['spl5', 'spl6', 'spl7'],
}

/** What AMD certifies about an endorsement key: the firmware level it was derived for, and its chip or its cloud provider. */
export interface VekExtensions {
  readonly structVersion: 0 | 1
  /** productName without its stepping; undefined for a product that this verifier does not know */
  readonly product: AmdProduct | undefined
  /** as the certificate spells it, e.g. `Milan-B0` */
  readonly productName: string
  readonly tcb: SnpTcb
  /** 64 bytes, 8 on Turin; VCEK only */
  readonly hwId: Uint8Array | undefined
  /** VLEK only */
  readonly cspId: string | undefined
}

const decodedBefore = new WeakMap<Certificate, Outcome<VekExtensions>>()

/**
 * Decodes AMD's extensions of an endorsement key certificate, once per certificate. Every extension of the layout that
 * structVersion names is there once, and in its one DER form; hwID is raw as AMD's key service writes it, or an OCTET STRING.
 * @returns the extensions, or SNP_VCEK_EXTENSION_INVALID
 * @see AMD 57230, VCEK certificate extensions; AMD 58369, VLEK certificate extensions
 */
export function vekExtensions(certificate: Certificate): Outcome<VekExtensions> {
  const known = decodedBefore.get(certificate)
  if (known !== undefined) return known
  const outcome = attempt(() => decodeVekExtensions(certificate))
  decodedBefore.set(certificate, outcome)
  return outcome
}

function decodeVekExtensions(certificate: Certificate): VekExtensions {
  const find = (name: ExtensionName) => certificate.extensions.get(AMD_EXTENSION_ARC + SUFFIX[name])?.value
  const required = (name: ExtensionName) => find(name) ?? invalid(name, 'present', 'absent')
  const integer = (name: ExtensionName): number => {
    const der = derOf(required(name), TAG.integer)
    const value = der === undefined ? undefined : smallInteger(der)
    return value !== undefined && value <= 255 ? value : invalid(name, 'a DER INTEGER from 0 to 255')
  }

  const structVersion = integer('structVersion')
  if (structVersion !== 0 && structVersion !== 1) return invalid('structVersion', '0 or 1', `${structVersion}`)
  const foreign = FOREIGN[structVersion]
  if (find(foreign) !== undefined) invalid(foreign, `absent with structVersion ${structVersion}`, 'present')
  for (const name of RESERVED_SPLS[structVersion]) {
    const level = integer(name)
    if (level !== 0) invalid(name, '0', `${level}`)
  }
  const productName = ia5(required('productName'), 'productName')
  const line = productName.replace(/-[A-Z]\d$/, '')
  const product = isAmdProduct(line) ? line : undefined
  const hwId = find('hwID')
  const cspId = find('cspID')
  if (hwId === undefined && cspId === undefined) invalid('hwID', 'hwID or CSP_ID', 'neither')
  if (hwId !== undefined && cspId !== undefined) invalid('cspID', 'hwID or CSP_ID', 'both')
  return {
    structVersion,
    product,
    productName,
    tcb: {
      fmc: structVersion === 1 ? integer('fmcSPL') : undefined,
      bootloader: integer('blSPL'),
      tee: integer('teeSPL'),
      snp: integer('snpSPL'),
      microcode: integer('ucodeSPL'),
    },
    hwId: hwId === undefined ? undefined : hardwareId(hwId, structVersion),
    cspId: cspId === undefined ? undefined : ia5(cspId, 'cspID'),
  }
}

/** Decided by length, never by the first byte: a raw id may begin like an OCTET STRING. */
function hardwareId(value: Uint8Array, structVersion: 0 | 1): Uint8Array {
  const sizeBytes = structVersion === 0 ? 64 : 8
  if (value.length === sizeBytes) return value
  const wrapped = value.length === sizeBytes + 2 ? derOf(value, TAG.octetString) : undefined
  return wrapped?.content ?? invalid('hwID', `${sizeBytes} bytes`, `${value.length} bytes`)
}

function ia5(value: Uint8Array, name: ExtensionName): string {
  const text = latin1(derOf(value, TAG.ia5String)?.content ?? new Uint8Array())
  return /^[\x20-\x7e]+$/.test(text) ? text : invalid(name, 'a DER IA5String')
}

function derOf(value: Uint8Array, tag: number): Der | undefined {
  const der = decodeDer(value, 'extension')
  return der.ok && der.value.tag === tag ? der.value : undefined
}

function invalid(name: ExtensionName, expected: string, actual?: string): never {
  return refuse('SNP_VCEK_EXTENSION_INVALID', `vek.${name}`, { expected, ...(actual === undefined ? {} : { actual }) })
}
