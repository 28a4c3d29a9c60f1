import { type CertificateSpec, certificate, ext } from '../pki/certificate.ts'
import type { KeyUsageBit } from '../pki/extensions.ts'
import type { TestKey } from '../pki/keys.ts'
import { keyId } from '../pki/spki.ts'
import { intelName } from './names.ts'

/** Extensions that every certificate of Intel's hierarchy has, in its order. */
const ORDER = ['authorityKeyId', 'crlDistributionPoint', 'subjectKeyId', 'keyUsage', 'basicConstraints'] as const
export type IntelExtension = (typeof ORDER)[number]

/** What to bend in a certificate. Whatever is bent is signed by the genuine issuer unless the signer is what is bent. */
export interface IntelCertificateEdits {
  /** Any member of the certificate. `publicKey` changes what the certificate says, not the key its owner signs with. */
  readonly certificate?: Partial<CertificateSpec>
  /** Another encoding (DER of the whole Extension) of one extension, or `absent`. */
  readonly replace?: Readonly<Partial<Record<IntelExtension, Uint8Array | 'absent'>>>
  /** Extensions (DER) after the usual ones. */
  readonly append?: readonly Uint8Array[]
}

export interface IntelCertificateSpec {
  readonly commonName: string
  readonly key: TestKey
  readonly issuer: { readonly commonName: string; readonly key: TestKey }
  /** Bytes are an unsigned big-endian magnitude. */
  readonly serial: Uint8Array
  readonly validity: { readonly notBefore: string; readonly notAfter: string }
  readonly keyUsage: readonly KeyUsageBit[]
  /** DER of the whole Extension. */
  readonly basicConstraints: Uint8Array
  readonly crlUrl: string
  /** Extensions (DER) that only this kind of certificate has. */
  readonly extensions?: readonly Uint8Array[]
}

/** An X.509 certificate (DER) with the fields, order and algorithms of Intel's: ECDSA with SHA-256 over P-256. */
export function intelCertificate(spec: IntelCertificateSpec, edits: IntelCertificateEdits = {}): Uint8Array {
  const usual: Record<IntelExtension, Uint8Array> = {
    authorityKeyId: ext.authorityKeyId(keyId(spec.issuer.key.spki)),
    crlDistributionPoint: ext.crlDistributionPoint(spec.crlUrl),
    subjectKeyId: ext.subjectKeyId(keyId(spec.key.spki)),
    keyUsage: ext.keyUsage(spec.keyUsage),
    basicConstraints: spec.basicConstraints,
  }
  const extensions = ORDER.flatMap((which) => {
    const chosen = edits.replace?.[which] ?? usual[which]
    return chosen === 'absent' ? [] : [chosen]
  })
  return certificate({
    serial: spec.serial,
    issuer: intelName(spec.issuer.commonName),
    subject: intelName(spec.commonName),
    ...spec.validity,
    publicKey: spec.key,
    signer: spec.issuer.key,
    extensions: [...extensions, ...(spec.extensions ?? []), ...(edits.append ?? [])],
    ...edits.certificate,
  })
}
