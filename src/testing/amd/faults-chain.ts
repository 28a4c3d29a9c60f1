import { ext } from '../pki/certificate.ts'
import { nul, tlvAt, tlvsIn } from '../pki/der.ts'
import { shifted } from '../pki/instants.ts'
import { rsaKey } from '../pki/keys.ts'
import { amdName } from '../pki/names.ts'
import { derivedSalt } from '../pki/pss.ts'
import { rsaSpki, subjectPublicKey } from '../pki/spki.ts'
import { type AuthorityOverrides, authority } from './authority.ts'
import { type FaultTable, faultTable, type MachineCrl, type MachinePlan, otherProduct } from './plan.ts'
import { AMD_NAMES } from './products.ts'
import type { TableOptions } from './table.ts'

type From<T> = (plan: MachinePlan) => T

/** The intermediate of either kind, bent and signed by the genuine root. */
const intermediate = (what: string, row: string, overrides: From<AuthorityOverrides>) => ({
  what,
  stage: 'chain' as const,
  rows: [row],
  bend: (plan: MachinePlan) => ({ pki: { ...plan.pki, ask: overrides(plan), asvk: overrides(plan) } }),
})

/** The root, bent and trusted as it is. */
const root = (
  what: string,
  row: string,
  overrides: From<AuthorityOverrides>,
  stage: 'chain' | 'revocation' = 'chain',
) => ({
  what,
  stage,
  rows: [row],
  bend: (plan: MachinePlan) => ({ pki: { ...plan.pki, ark: overrides(plan) } }),
})

const list = (what: string, row: string, crl: From<MachineCrl>) => ({
  what,
  stage: 'revocation' as const,
  rows: [row],
  bend: (plan: MachinePlan) => ({ crl: { ...plan.crl, ...crl(plan) } }),
})

const table = (what: string, tableOptions: TableOptions) => ({
  what,
  stage: 'table' as const,
  rows: [],
  bend: () => ({ tableOptions }),
})

const revoked = (what: string, crlRevokes: MachinePlan['crlRevokes']) => ({
  what,
  stage: 'revocation' as const,
  rows: ['RJ-X5-09'],
  bend: () => ({ crlRevokes }),
})

const unknownCritical = ext.custom('1.3.6.1.4.1.99999.1', nul(), true)

/** Faults in the authorities, the revocation list and the certificate table. */
export const CHAIN_FAULTS = faultTable({
  'chain-rogue-ark': {
    what: 'self-consistent chain under a foreign root with the genuine names and serials',
    stage: 'chain',
    rows: ['RJ-X5-01', 'RJ-SNP-39'],
    bend: (plan) => ({ pki: { ...plan.pki, rogue: true } }),
  },
  'chain-ask-as-ark': {
    what: 'the intermediate presented as the root',
    stage: 'chain',
    rows: ['RJ-X5-01'],
    bend: () => ({ rootSlot: 'intermediate' }),
  },
  'ask-expired': intermediate('intermediate expired a second ago', 'RJ-X5-07', ({ at }) => ({
    certificate: { notAfter: shifted(at, -1) },
  })),
  'ask-not-yet-valid': intermediate('intermediate valid from a second hence', 'RJ-X5-07', ({ at }) => ({
    certificate: { notBefore: shifted(at, 1) },
  })),
  'ask-not-ca': intermediate('intermediate with CA false', 'RJ-X5-02', () => ({
    replace: { basicConstraints: ext.basicConstraints(false) },
  })),
  'ask-no-basic-constraints': intermediate('intermediate without basicConstraints', 'RJ-X5-02', () => ({
    replace: { basicConstraints: 'absent' },
  })),
  'ask-no-cert-sign': intermediate('intermediate whose key usage lacks keyCertSign', 'RJ-X5-06', () => ({
    replace: { keyUsage: ext.keyUsage(['cRLSign']) },
  })),
  'ask-unknown-critical-ext': intermediate('critical extension nobody knows in the intermediate', 'RJ-X5-08', () => ({
    append: [unknownCritical],
  })),
  'ask-duplicate-extension': intermediate('two basicConstraints in the intermediate', 'RJ-X5-26', () => ({
    append: [ext.basicConstraints(true, 0)],
  })),
  'ask-issuer-name': intermediate('intermediate names the root of another product', 'RJ-X5-05', ({ product }) => ({
    certificate: { issuer: amdName(AMD_NAMES.ark(otherProduct(product))) },
  })),
  'ask-signature-tampered': intermediate('signature of the intermediate with one bit changed', 'RJ-X5-01', () => ({
    certificate: { tamperSignature: true },
  })),
  'ask-pss-salt32': intermediate('intermediate signed with a salt of 32 bytes', 'RJ-X5-25', () => ({
    certificate: { algorithm: { kind: 'rsa-pss-sha384', saltLength: 32 } },
  })),
  'ask-rsa-16384': intermediate('intermediate with an RSA modulus of 16384 bits', 'RJ-X5-24', () => ({
    certificate: { publicKey: { spki: rsaSpki(hugeModulus(), Uint8Array.of(1, 0, 1)) } },
  })),
  'ask-rsa-2048': intermediate('intermediate with an RSA modulus of 2048 bits', 'RJ-X5-24', () => ({
    certificate: { publicKey: rsaKey('small-2048') },
  })),
  'ask-rsa-huge-exponent': intermediate('intermediate with a public exponent above 2^255', 'RJ-X5-24', (plan) => ({
    certificate: { publicKey: { spki: withHugeExponent(plan) } },
  })),
  'ark-expired': root('trusted root expired a second ago', 'RJ-X5-07', ({ at }) => ({
    certificate: { notAfter: shifted(at, -1) },
  })),
  'ark-not-yet-valid': root('trusted root valid from a second hence', 'RJ-X5-07', ({ at }) => ({
    certificate: { notBefore: shifted(at, 1) },
  })),
  'ark-path-length-0': root('trusted root that allows no intermediate', 'RJ-X5-03', () => ({
    replace: { basicConstraints: ext.basicConstraints(true, 0) },
  })),
  'ark-no-crl-sign': root(
    'trusted root that may not sign lists',
    'RJ-X5-12',
    () => ({ replace: { keyUsage: ext.keyUsage(['keyCertSign']) } }),
    'revocation',
  ),

  'crl-ask-revoked': revoked('intermediate revoked', ['intermediate']),
  'crl-ark-revoked': revoked('root revoked by its own list', ['ark']),
  'crl-ask-on-hold': list('intermediate on hold', 'RJ-X5-09', ({ product, kind, pki }) => ({
    revoked: [
      {
        serial: serialOf(authority(product, kind === 'VCEK' ? 'ask' : 'asvk', pki).certificate),
        date: '2025-01-01T00:00:00Z',
        reason: 'certificateHold',
      },
    ],
  })),
  'crl-expired': list('list ended a second ago', 'RJ-X5-13', ({ at }) => ({ nextUpdate: shifted(at, -1) })),
  'crl-future': list('list begins a second hence', 'RJ-X5-14', ({ at }) => ({ thisUpdate: shifted(at, 1) })),
  'crl-no-nextupdate': {
    ...list('list without an end', 'RJ-X5-14', () => ({})),
    bend: ({ crl: { nextUpdate: _, ...crl } }) => ({ crl }),
  },
  'crl-signed-by-ask': list('list signed by the intermediate', 'RJ-X5-11', ({ product, kind, pki }) => ({
    signer: authority(product, kind === 'VCEK' ? 'ask' : 'asvk', pki).key,
  })),
  'crl-wrong-issuer': list('list issued in the name of the intermediate', 'RJ-X5-11', ({ product, kind }) => ({
    issuer: amdName(AMD_NAMES[kind === 'VCEK' ? 'ask' : 'asvk'](product)),
  })),
  'crl-signature-tampered': list('signature of the list with one bit changed', 'RJ-X5-11', () => ({
    tamperSignature: true,
  })),
  'crl-pss-salt32': list('list signed with a salt of 32 bytes', 'RJ-X5-12', () => ({
    algorithm: { kind: 'rsa-pss-sha384', saltLength: 32 },
  })),
  'crl-other-product': {
    ...list('list of another product', 'RJ-X5-11', () => ({})),
    bend: ({ product }) => ({ crlProduct: otherProduct(product) }),
  },
  'crl-unknown-critical-ext': list('critical extension nobody knows in the list', 'RJ-X5-12', () => ({
    extensions: [unknownCritical],
  })),
  'crl-delta': list('delta list', 'RJ-X5-12', () => ({ extensions: [ext.deltaCrlIndicator(1)] })),

  'table-offset-wraps': table('offset and length of the root’s entry add up past 2^32', { offset: { 0: 0xfffffff0 } }),
  'table-offset-in-header': table('a body that begins inside the header', { offset: { 0: 24 } }),
  'table-length-past-end': table('a body longer than the table', { length: { 2: 0x10000 } }),
  'table-truncated-header': table('a table that ends inside its header', { truncate: 30 }),
  'table-no-terminator': table('header without its zero entry', { withoutTerminator: true }),
  'table-duplicate-vek': { ...table('the leaf’s entry twice', {}), bend: () => ({ tableRepeatsVek: true }) },
})

/** Serial number of a certificate, content octets. */
export function serialOf(certificate: Uint8Array): Uint8Array {
  const [tbs = new Uint8Array()] = tlvsIn(tlvAt(certificate, 0).content)
  const [, serial = new Uint8Array()] = tlvsIn(tlvAt(tbs, 0).content)
  return tlvAt(serial, 0).content
}

function hugeModulus(): Uint8Array {
  const modulus = derivedSalt('huge modulus', new Uint8Array(), 2048)
  modulus[0] = (modulus[0] ?? 0) | 0x80
  modulus[2047] = (modulus[2047] ?? 0) | 1
  return modulus
}

function withHugeExponent({ product, kind, pki }: MachinePlan): Uint8Array {
  const { key } = authority(product, kind === 'VCEK' ? 'ask' : 'asvk', pki)
  const [modulus = new Uint8Array()] = tlvsIn(tlvAt(subjectPublicKey(key.spki), 0).content)
  const exponent = new Uint8Array(32)
  exponent[0] = 0x80
  exponent[31] = 1
  return rsaSpki(tlvAt(modulus, 0).content, exponent)
}

export type ChainFault = typeof CHAIN_FAULTS extends FaultTable<infer Name> ? Name : never
