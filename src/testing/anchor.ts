import { createHash } from 'node:crypto'
import type { AmdProduct, AnchorRole, TrustAnchor } from '../core/trust-anchors.ts'
import { decodeCertificate } from '../core/x509/certificate.ts'
import { commonName } from '../core/x509/names.ts'

const PRODUCTS: readonly AmdProduct[] = ['Milan', 'Genoa', 'Turin']

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** An injected anchor that trusts the key of a certificate (DER), as `--trust-anchor` makes one. */
export function anchorFromCertificate(der: Uint8Array, role: AnchorRole): TrustAnchor {
  const decoded = decodeCertificate(der, 'anchor')
  if (!decoded.ok) throw new TypeError(`not a certificate: ${JSON.stringify(decoded.faults)}`)
  const { subject, serial, notBefore, notAfter, publicKey } = decoded.value
  const name = commonName(subject) ?? ''
  return {
    id: `injected/${name}`,
    role,
    product: PRODUCTS.find((p) => name.endsWith(`-${p}`)),
    subject: subject.der,
    serial,
    notBefore,
    notAfter,
    spki: publicKey.spki,
    spkiSha256: sha256(publicKey.spki),
    certificateSha256: sha256(der),
    injected: true,
  }
}
