import { type CertificateSpec, certificate } from '../pki/certificate.ts'
import { generalizedTime, seq, tlvAt, tlvsIn } from '../pki/der.ts'
import type { TestKey } from '../pki/keys.ts'
import { must } from './bytes.ts'

/** A certificate of the kit together with what is needed to issue under it and to answer for it. */
export interface IssuedCertificate {
  readonly der: Uint8Array
  /** Name, DER. */
  readonly subject: Uint8Array
  /** Unsigned big-endian magnitude. */
  readonly serial: Uint8Array
  readonly key: TestKey
  /** Absent on a root. */
  readonly issuer?: IssuedCertificate
}

/** A change to a certificate before it is signed by its rightful issuer. */
export type CertificateEdit = (spec: CertificateSpec) => CertificateSpec

export interface IssueSpec {
  readonly subject: Uint8Array
  readonly serial: Uint8Array
  readonly key: TestKey
  readonly issuer?: IssuedCertificate
  readonly notBefore: string
  readonly notAfter: string
  readonly extensions: readonly Uint8Array[]
  /** NVIDIA's RIM authorities write GeneralizedTime for dates before 2050, against RFC 5280 §4.1.2.5. */
  readonly generalizedValidity?: boolean
  readonly edit?: CertificateEdit | undefined
}

/** Issues a certificate; self-signed without an issuer. */
export function issue(of: IssueSpec): IssuedCertificate {
  const plain: CertificateSpec = {
    serial: of.serial,
    issuer: of.issuer?.subject ?? of.subject,
    subject: of.subject,
    notBefore: of.notBefore,
    notAfter: of.notAfter,
    publicKey: of.key,
    signer: of.issuer?.key ?? of.key,
    extensions: of.extensions,
  }
  const spec = of.edit?.(plain) ?? plain
  const der = certificate(of.generalizedValidity === true ? withGeneralizedValidity(spec) : spec)
  return { der, subject: spec.subject, serial: of.serial, key: of.key, ...(of.issuer && { issuer: of.issuer }) }
}

function withGeneralizedValidity(spec: CertificateSpec): CertificateSpec {
  const validity = seq(generalizedTime(spec.notBefore), generalizedTime(spec.notAfter))
  const rewrite = (tbs: Uint8Array): Uint8Array => {
    const parts = tlvsIn(tlvAt(tbs, 0).content)
    // version [0] (absent in v1) · serial · algorithm · issuer · validity
    const at = must(parts[0], 'first member')[0] === 0xa0 ? 4 : 3
    return seq(...parts.with(at, validity))
  }
  return { ...spec, mutateTbs: (tbs) => spec.mutateTbs?.(rewrite(tbs)) ?? rewrite(tbs) }
}
