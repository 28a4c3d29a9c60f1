import { toHex } from '../../core/encodings.ts'
import { type CertificateSpec, certificate, ext } from '../pki/certificate.ts'
import { ia5, integer, octets } from '../pki/der.ts'
import { ecKey, type TestKey } from '../pki/keys.ts'
import { amdName } from '../pki/names.ts'
import type { AmdAuthority } from './authority.ts'
import {
  AMD_NAMES,
  type AmdProduct,
  type AmdTcb,
  LEAF_OID,
  type LeafExtensionName,
  PRODUCTS,
  tcbVersion,
  type VekKind,
} from './products.ts'

/** Changes to the AMD extensions of a leaf, applied in this order. */
export interface LeafExtensionEdits {
  /** Other value (DER, or raw bytes for hwID) of an extension. Of one that the leaf lacks: added at the end. */
  readonly value?: Readonly<Partial<Record<LeafExtensionName, Uint8Array>>>
  readonly drop?: readonly LeafExtensionName[]
  /** Repeated at the end, with the same value. */
  readonly duplicate?: readonly LeafExtensionName[]
  /** Marked critical. */
  readonly critical?: readonly LeafExtensionName[]
  /** Further extensions, DER of the whole Extension. */
  readonly append?: readonly Uint8Array[]
}

/** What to bend in a leaf. Left out, the leaf is as AMD's KDS issues it. */
export interface LeafOverrides {
  /** Key pair of the leaf; by default derived from seed, kind, product, chip or provider, and TCB, as firmware does. */
  readonly key?: TestKey
  /** Who signs and whose name stands as issuer; by default the ASK for a VCEK and the ASVK for a VLEK. */
  readonly issuedBy?: 'ark' | 'ask' | 'asvk'
  readonly commonName?: string
  /** KDS writes the hardware id without an inner tag; some tools expect a DER OCTET STRING. */
  readonly hwIdEncoding?: 'raw' | 'octet-string'
  readonly extensions?: LeafExtensionEdits
  /** Any member of the certificate: validity, algorithm, issuer name, signer, mutateTbs and so on. */
  readonly certificate?: Partial<CertificateSpec>
  /** Last change to the finished certificate, for encodings that no writer makes. */
  readonly reshape?: (der: Uint8Array) => Uint8Array
}

/** Identity of a leaf: a chip (64 bytes, 8 on Turin, where a 64-byte CHIP_ID is cut) or a cloud provider. */
export type LeafIdentity =
  | { readonly kind: 'VCEK'; readonly chipId: Uint8Array }
  | { readonly kind: 'VLEK'; readonly cspId: string }

/** A versioned endorsement key with its certificate. */
export interface AmdVek {
  readonly kind: VekKind
  readonly product: AmdProduct
  readonly tcb: AmdTcb
  readonly key: TestKey
  /** X.509 certificate, DER. */
  readonly certificate: Uint8Array
}

/** Leaves of the kit are valid longer than AMD's (7 years, 1 year), so that a fixture does not die of age. */
export const LEAF_VALIDITY = { notBefore: '2020-01-01T00:00:00Z', notAfter: '2045-01-01T00:00:00Z' } as const

/** Makes a leaf certificate under `issuer` (AMD 57230 §VCEK certificate format, 58369 for VLEK). */
export function leaf(
  seed: string,
  product: AmdProduct,
  identity: LeafIdentity,
  tcb: AmdTcb,
  issuer: AmdAuthority,
  overrides: LeafOverrides,
): AmdVek {
  const key = overrides.key ?? ecKey('P-384', `${seed}/${leafKeyLabel(product, identity, tcb)}`)
  const der = certificate({
    serial: 0,
    issuer: issuer.name,
    subject: amdName(overrides.commonName ?? AMD_NAMES[identity.kind]),
    ...LEAF_VALIDITY,
    publicKey: key,
    signer: issuer.key,
    algorithm: { kind: 'rsa-pss-sha384', trailerField: 'absent' },
    extensions: leafExtensions(product, identity, tcb, overrides),
    ...overrides.certificate,
  })
  return { kind: identity.kind, product, tcb, key, certificate: overrides.reshape?.(der) ?? der }
}

/** What a leaf's key depends on besides the seed. */
export function leafKeyLabel(product: AmdProduct, identity: LeafIdentity, tcb: AmdTcb): string {
  const owner = identity.kind === 'VCEK' ? toHex(hwId(product, identity.chipId)) : identity.cspId
  return `${identity.kind}/${product}/${owner}/${toHex(tcbVersion(product, tcb))}`
}

function hwId(product: AmdProduct, chipId: Uint8Array): Uint8Array {
  return chipId.subarray(0, PRODUCTS[product].hwIdBytes)
}

function leafExtensions(
  product: AmdProduct,
  identity: LeafIdentity,
  tcb: AmdTcb,
  { hwIdEncoding = 'raw', extensions: edits = {} }: LeafOverrides,
): Uint8Array[] {
  const { structVersion, productName, splOrder } = PRODUCTS[product]
  const values = new Map<LeafExtensionName, Uint8Array>([
    ['structVersion', integer(structVersion)],
    ['productName', ia5(productName[identity.kind])],
    ...splOrder.map((name): [LeafExtensionName, Uint8Array] => [name, integer(patchLevel(tcb, name))]),
  ])
  if (identity.kind === 'VLEK') values.set('cspID', ia5(identity.cspId))
  else {
    const id = hwId(product, identity.chipId)
    values.set('hwID', hwIdEncoding === 'raw' ? id : octets(id))
  }
  for (const [name, value] of Object.entries(edits.value ?? {})) values.set(name as LeafExtensionName, value)
  for (const name of edits.drop ?? []) values.delete(name)
  const encode = ([name, value]: [LeafExtensionName, Uint8Array]): Uint8Array =>
    ext.custom(LEAF_OID[name], value, edits.critical?.includes(name) === true)
  const repeated = [...values].filter(([name]) => edits.duplicate?.includes(name) === true)
  return [...[...values, ...repeated].map(encode), ...(edits.append ?? [])]
}

const COMPONENT: Readonly<Partial<Record<LeafExtensionName, keyof AmdTcb>>> = {
  blSPL: 'bl',
  teeSPL: 'tee',
  snpSPL: 'snp',
  ucodeSPL: 'ucode',
  fmcSPL: 'fmc',
}

function patchLevel(tcb: AmdTcb, name: LeafExtensionName): number {
  const component = COMPONENT[name]
  return component === undefined ? 0 : (tcb[component] ?? 0)
}
