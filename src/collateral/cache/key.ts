import { createHash } from 'node:crypto'
import { toHex } from '../../core/encodings.ts'
import { type Certificate, decodeCertificate } from '../../core/x509/certificate.ts'
import { keyBits, type OcspSingle } from '../../core/x509/ocsp.ts'
import { objectName } from '../object-name.ts'
import type { CollateralRequest } from '../objects.ts'

/**
 * The object that a request asks for, as text that is the same for everybody: its name, and of an OCSP answer the CertID
 * (RFC 6960 §4.1.1) in SHA-384, which the answer itself says as well.
 * @throws TypeError where the certificates of a request for an OCSP answer cannot be decoded
 */
export const requestKey = (request: CollateralRequest): string =>
  request.kind === 'nvidia-ocsp' ? ocspKey(request, 'sha384') : objectName(request)

/**
 * Every key under which the answer to a request may be found: a responder may name a certificate by another hash than the
 * one it was asked with.
 */
export const requestKeys = (request: CollateralRequest): readonly string[] =>
  request.kind === 'nvidia-ocsp'
    ? [requestKey(request), ocspKey(request, 'sha256'), ocspKey(request, 'sha1')]
    : [requestKey(request)]

/** By the bytes of the certificate, which a caller does not change. */
const certIds = new WeakMap<
  Uint8Array,
  { readonly name: Uint8Array; readonly key: Uint8Array; readonly serial: string }
>()

type OcspRequest = Extract<CollateralRequest, { readonly kind: 'nvidia-ocsp' }>

function ocspKey({ certificate, issuer }: OcspRequest, hash: OcspSingle['hash']): string {
  const named = certIds.get(certificate) ?? namesIn(certificate, issuer)
  certIds.set(certificate, named)
  const digest = (bytes: Uint8Array): Uint8Array => createHash(hash).update(bytes).digest()
  return certIdKey({
    hash,
    issuerNameHash: digest(named.name),
    issuerKeyHash: digest(named.key),
    serial: named.serial,
  })
}

function namesIn(certificate: Uint8Array, issuer: Uint8Array) {
  const subject = decoded(certificate)
  return { name: subject.issuer.der, key: keyBits(decoded(issuer).publicKey), serial: subject.serial }
}

function decoded(der: Uint8Array): Certificate {
  const certificate = decodeCertificate(der, 'certificate')
  if (!certificate.ok) throw new TypeError('a request for an OCSP answer names two certificates')
  return certificate.value
}

export type CertId = Pick<OcspSingle, 'hash' | 'issuerNameHash' | 'issuerKeyHash' | 'serial'>

/** The key of the answer about a CertID. */
export const certIdKey = ({ hash, issuerNameHash, issuerKeyHash, serial }: CertId): string =>
  `nvidia-ocsp/${hash}/${toHex(issuerNameHash)}/${toHex(issuerKeyHash)}/${serial}`
