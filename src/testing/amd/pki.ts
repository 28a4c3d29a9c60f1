import { type CrlSpec, crl, type RevokedEntry } from '../pki/crl.ts'
import type { TestKey } from '../pki/keys.ts'
import { keyId } from '../pki/spki.ts'
import { type AmdAuthority, type AmdTestPkiOptions, authority } from './authority.ts'
import { type AmdVek, type LeafOverrides, leaf } from './leaf.ts'
import type { AmdProduct, AmdTcb, AuthorityRole } from './products.ts'

export interface VcekSpec extends LeafOverrides {
  readonly product: AmdProduct
  /** 64 bytes; on Turin the first 8 count. */
  readonly chipId: Uint8Array
  readonly tcb: AmdTcb
}

export interface VlekSpec extends LeafOverrides {
  readonly product: AmdProduct
  readonly cspId: string
  readonly tcb: AmdTcb
}

export interface AmdCrlSpec extends Partial<Omit<CrlSpec, 'revoked' | 'thisUpdate' | 'nextUpdate' | 'signer'>> {
  readonly product: AmdProduct
  /** Which of KDS's two lists of the product. They differ in nothing but their number and what they revoke. */
  readonly endpoint: 'vcek' | 'vlek'
  readonly revoked: readonly RevokedEntry[]
  /** RFC 3339 in UTC, whole seconds. */
  readonly thisUpdate: string
  /** Left out: no nextUpdate in the list. */
  readonly nextUpdate?: string
  /** By default the product's ARK. */
  readonly signer?: TestKey
}

/** AMD's certificate hierarchies with keys of the kit. */
export interface AmdTestPki {
  readonly seed: string
  /** ARK (root), ASK (issues VCEKs) or ASVK (issues VLEKs). The same for every seed: their keys are fixed. */
  authority(product: AmdProduct, role: AuthorityRole): AmdAuthority
  vcek(spec: VcekSpec): AmdVek
  vlek(spec: VlekSpec): AmdVek
  /** Revocation list, DER. */
  crl(spec: AmdCrlSpec): Uint8Array
}

/**
 * Hierarchies for Milan, Genoa and Turin that look like AMD's: names, serials, extensions and algorithms are AMD's, keys
 * are the kit's, authorities are valid from 2020 to 2045. Leaf keys derive from `seed`, chip (or provider) and TCB, so the
 * same chip at another TCB has another key. Everything is deterministic.
 */
export function createAmdTestPki(seed: string, options: AmdTestPkiOptions = {}): AmdTestPki {
  const issuer = (product: AmdProduct, role: AuthorityRole) => authority(product, role, options)
  return {
    seed,
    authority: issuer,
    vcek: ({ product, chipId, tcb, ...overrides }) =>
      leaf(seed, product, { kind: 'VCEK', chipId }, tcb, issuer(product, overrides.issuedBy ?? 'ask'), overrides),
    vlek: ({ product, cspId, tcb, ...overrides }) =>
      leaf(seed, product, { kind: 'VLEK', cspId }, tcb, issuer(product, overrides.issuedBy ?? 'asvk'), overrides),
    crl({ product, endpoint, ...spec }) {
      const ark = issuer(product, 'ark')
      return crl({
        issuer: ark.name,
        signer: ark.key,
        algorithm: { kind: 'rsa-pss-sha384', trailerField: 'absent' },
        number: endpoint === 'vcek' ? 4 : 2,
        authorityKeyId: keyId(ark.key.spki),
        ...spec,
      })
    },
  }
}
