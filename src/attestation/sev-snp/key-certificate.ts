import { refuse, take } from '../../core/outcome.ts'
import type { AmdProduct, AnchorRole } from '../../core/trust-anchors.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import { commonName, nameText } from '../../core/x509/names.ts'
import type { ValidatedPath } from '../../core/x509/path.ts'
import { type KeyKind, namedKind, type OfferedKey } from './endorsements.ts'
import { PRODUCT_FACTS } from './products.ts'
import { type VekExtensions, vekExtensions } from './vek-extensions.ts'

const KIND_OF_ROLE: Partial<Record<AnchorRole, KeyKind>> = { 'amd/ask': 'vcek', 'amd/asvk': 'vlek' }

/**
 * Holds the certificate of a key, whose path is valid, against AMD's rules for it, inside `attempt`: a P-384 key; the
 * extensions of its product; one kind and one product line in its names, extensions, issuer and root.
 * Ends it with X509_KEY_UNSUPPORTED · SNP_VCEK_EXTENSION_INVALID · SNP_SIGNER_KIND_MISMATCH · SNP_PRODUCT_MISMATCH.
 * @see AMD 57230 and 58369, certificate formats
 */
export function checkKeyCertificate(
  key: OfferedKey,
  path: ValidatedPath,
): { readonly kind: KeyKind; readonly product: AmdProduct; readonly extensions: VekExtensions } {
  const certificate = key.value
  const { publicKey } = certificate
  if (publicKey.kind !== 'ec' || publicKey.curve !== 'P-384') {
    refuse('X509_KEY_UNSUPPORTED', 'chain[0]', {
      expected: 'P-384',
      actual: publicKey.kind === 'ec' ? publicKey.curve : `RSA of ${publicKey.modulusBits} bits`,
    })
  }
  const extensions = take(vekExtensions(certificate))
  const issuer = issuerNamed(certificate)
  const kind = extensions.cspId === undefined ? 'vcek' : 'vlek'
  const others = {
    subject: namedKind(certificate),
    issuer: path.certificates.length === 1 ? KIND_OF_ROLE[path.anchor.role] : issuer?.kind,
    place: key.kind,
  }
  for (const [where, other] of Object.entries(others)) {
    if (other !== kind) {
      refuse('SNP_SIGNER_KIND_MISMATCH', `chain[0].${where}`, {
        expected: `${kind}, as in its extensions`,
        actual: `${other ?? 'neither'}: ${nameText(certificate.subject)} under ${nameText(certificate.issuer)}`,
      })
    }
  }
  const product = commonProduct(extensions, issuer?.product, path)
  const { structVersion } = PRODUCT_FACTS[product]
  if (extensions.structVersion !== structVersion) {
    refuse('SNP_VCEK_EXTENSION_INVALID', 'vek.structVersion', {
      expected: `${structVersion} for ${product}`,
      actual: extensions.structVersion,
    })
  }
  return { kind, product, extensions }
}

/** Kind and product in the name of an ASK (`SEV-Genoa`) or ASVK (`SEV-VLEK-Genoa`). */
function issuerNamed(certificate: Certificate): { kind: KeyKind; product: string } | undefined {
  const [, vlek, product = ''] = /^SEV-(VLEK-)?([A-Za-z0-9]+)$/.exec(commonName(certificate.issuer) ?? '') ?? []
  return product === '' ? undefined : { kind: vlek === undefined ? 'vcek' : 'vlek', product }
}

/** Key, ASK and ARK must name one product line; an anchor that states none is asked for its name. */
function commonProduct(extensions: VekExtensions, issuer: string | undefined, path: ValidatedPath): AmdProduct {
  const arkName = path.certificates[1] === undefined ? undefined : commonName(path.certificates[1].issuer)
  const root = path.anchor.product ?? arkName?.replace(/^ARK-/, '') ?? issuer
  const { product } = extensions
  if (product === undefined || product !== issuer || product !== root) {
    return refuse('SNP_PRODUCT_MISMATCH', 'chain[0].productName', {
      expected: `${issuer} (issuer), ${root} (root)`,
      actual: extensions.productName,
    })
  }
  return product
}
