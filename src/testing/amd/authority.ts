import { type CertificateSpec, certificate, ext } from '../pki/certificate.ts'
import { bits } from '../pki/der.ts'
import { rsaKey, type TestKey } from '../pki/keys.ts'
import { amdName } from '../pki/names.ts'
import type { RsaTestKeyName } from '../pki/rsa-test-keys.ts'
import { keyId } from '../pki/spki.ts'
import { AMD_NAMES, type AmdProduct, type AuthorityRole, PRODUCTS } from './products.ts'

/** Extensions of an AMD authority. */
export type AuthorityExtension =
  | 'keyUsage'
  | 'subjectKeyId'
  | 'authorityKeyId'
  | 'basicConstraints'
  | 'crlDistributionPoint'

/** What to bend in an authority's certificate. */
export interface AuthorityOverrides {
  /** Any member of the certificate. `publicKey` changes what the certificate says, not the key the authority signs with. */
  readonly certificate?: Partial<CertificateSpec>
  /** Another encoding (DER of the whole Extension) of one extension, or `absent`. */
  readonly replace?: Readonly<Partial<Record<AuthorityExtension, Uint8Array | 'absent'>>>
  /** Extensions (DER) after the usual ones. */
  readonly append?: readonly Uint8Array[]
}

/** What to bend in a hierarchy. Whatever is bent is signed by the genuine parent key. */
export interface AmdTestPkiOptions {
  /** The same names and serials with other keys: a self-consistent hierarchy under a foreign root. */
  readonly rogue?: boolean
  readonly ark?: AuthorityOverrides
  readonly ask?: AuthorityOverrides
  readonly asvk?: AuthorityOverrides
}

/** One certificate authority of the test hierarchy. */
export interface AmdAuthority {
  readonly role: AuthorityRole
  readonly key: TestKey
  /** Subject, DER Name. */
  readonly name: Uint8Array
  /** X.509 certificate, DER. */
  readonly certificate: Uint8Array
}

export const AUTHORITY_VALIDITY = { notBefore: '2020-01-01T00:00:00Z', notAfter: '2045-01-01T00:00:00Z' } as const

/** An authority with the names, serials, extensions and algorithms of AMD's own (AMD 57230, 58369) and a key of the kit. */
export function authority(product: AmdProduct, role: AuthorityRole, options: AmdTestPkiOptions): AmdAuthority {
  const overrides = options[role] ?? {}
  const key = keyOf(product, role, options)
  const arkKey = keyOf(product, 'ark', options)
  const name = amdName(AMD_NAMES[role](product))
  const der = certificate({
    serial: PRODUCTS[product].serial[role],
    issuer: amdName(AMD_NAMES.ark(product)),
    subject: name,
    ...AUTHORITY_VALIDITY,
    publicKey: key,
    signer: arkKey,
    algorithm: { kind: 'rsa-pss-sha384', trailerField: 'explicit' },
    extensions: [...extensionsOf(product, role, key, arkKey, overrides), ...(overrides.append ?? [])],
    ...overrides.certificate,
  })
  return { role, key, name, certificate: der }
}

/**
 * keyCertSign as every ASK and ASVK of AMD spells it: 03 02 01 04, one unused bit and a zero bit before it, where DER
 * would have two unused bits (X.690 §11.2.2). A verifier that insists on DER here refuses AMD.
 */
const INTERMEDIATE_KEY_USAGE = ext.custom('2.5.29.15', bits(Uint8Array.of(0x04), 1), true)

function keyOf(product: AmdProduct, role: AuthorityRole, options: AmdTestPkiOptions): TestKey {
  if (options.rogue === true) return rsaKey(role === 'ark' ? 'rogue-ark' : 'rogue-ask')
  return rsaKey(`${role}-${product.toLowerCase() as Lowercase<AmdProduct>}` satisfies RsaTestKeyName)
}

function extensionsOf(
  product: AmdProduct,
  role: AuthorityRole,
  key: TestKey,
  arkKey: TestKey,
  { replace = {} }: AuthorityOverrides,
): Uint8Array[] {
  const isRoot = role === 'ark'
  const endpoint = role === 'asvk' ? 'vlek' : 'vcek'
  const usual: Record<AuthorityExtension, Uint8Array> = {
    keyUsage: isRoot ? ext.keyUsage(['keyCertSign', 'cRLSign']) : INTERMEDIATE_KEY_USAGE,
    subjectKeyId: ext.subjectKeyId(keyId(key.spki)),
    authorityKeyId: ext.authorityKeyId(keyId(arkKey.spki)),
    basicConstraints: isRoot ? ext.basicConstraints(true) : ext.basicConstraints(true, 0),
    crlDistributionPoint: ext.crlDistributionPoint(`https://kdsintf.amd.com/${endpoint}/v1/${product}/crl`),
  }
  const order: readonly AuthorityExtension[] = isRoot
    ? ['keyUsage', 'subjectKeyId', 'basicConstraints', 'crlDistributionPoint']
    : ['subjectKeyId', 'authorityKeyId', 'basicConstraints', 'keyUsage', 'crlDistributionPoint']
  return order.flatMap((name) => {
    const chosen = replace[name] ?? usual[name]
    return chosen === 'absent' ? [] : [chosen]
  })
}
