import type { CryptoPort } from '../../../src/core/crypto/port.ts'
import type { Outcome } from '../../../src/core/outcome.ts'
import { authenticateOcsp, decodeOcsp, type OcspResponse, type OcspSubject } from '../../../src/core/x509/ocsp.ts'
import { type CertificateSpec, certificate, ext, PURPOSE } from '../../../src/testing/pki/certificate.ts'
import { ecKey } from '../../../src/testing/pki/keys.ts'
import { name } from '../../../src/testing/pki/names.ts'
import { type OcspResponseSpec, ocspResponse, type SingleResponseSpec } from '../../../src/testing/pki/ocsp.ts'
import { certificateOf, contextAt, decoded, FROM, KEYS, LEAF_USAGE, NAMES, NOW, serialOf, TO } from './pki.ts'

export const RESPONDER_KEY = ecKey('P-384', 'x509 ocsp responder')
export const RESPONDER_NAME = name([
  ['CN', 'Test OCSP'],
  ['O', 'Vouchsafe'],
])
export const NONCE = Uint8Array.of(1, 2, 3)

/** The certificate asked about: the leaf, issued by 'sub'. */
export const SUBJECT: OcspSubject = {
  serial: decoded(certificateOf('leaf')).serial,
  issuerName: NAMES.sub,
  issuerKey: decoded(certificateOf('sub')).publicKey,
}

export const CERT_ID = {
  hash: 'sha384',
  issuerNameDer: NAMES.sub,
  issuerSpki: KEYS.sub.spki,
  serial: serialOf('leaf'),
} as const

export const SINGLE: SingleResponseSpec = {
  certId: CERT_ID,
  status: 'good',
  thisUpdate: '2026-07-31T00:00:00Z',
  nextUpdate: '2026-08-07T00:00:00Z',
}

/** What to change in the answer, and in the certificate of the delegated responder. */
export type OcspChange = Partial<Omit<OcspResponseSpec, 'responder' | 'nonce'>> & {
  readonly responder?: Partial<CertificateSpec>
  readonly responderId?: OcspResponseSpec['responder']
  readonly nonce?: Uint8Array | undefined
}

export const OCSP_GOOD: OcspChange = {}

export const responderCertificate = (over: Partial<CertificateSpec> = {}): Uint8Array =>
  certificate({
    serial: 77,
    issuer: NAMES.sub,
    subject: RESPONDER_NAME,
    notBefore: FROM,
    notAfter: TO,
    publicKey: RESPONDER_KEY,
    signer: KEYS.sub,
    extensions: [ext.extKeyUsage([PURPOSE.ocspSigning], true), LEAF_USAGE],
    ...over,
  })

/** An answer by a responder that 'sub' certified, to the question about the leaf with `NONCE`. */
export function ocsp(change: OcspChange = {}): Uint8Array {
  const { responder, responderId, ...rest } = change
  const nonce = 'nonce' in change ? change.nonce : NONCE
  const { nonce: _, ...over } = rest
  return ocspResponse({
    responder: responderId ?? { name: RESPONDER_NAME },
    signer: RESPONDER_KEY,
    certificates: [responderCertificate(responder)],
    responses: [SINGLE],
    producedAt: '2026-07-31T00:00:00Z',
    ...(nonce === undefined ? {} : { nonce }),
    ...over,
  })
}

/** Decodes and authenticates that answer as the one to the question with `NONCE`, unless `asked` says otherwise. */
export async function authenticate(
  change: OcspChange = {},
  o: { asked?: Uint8Array | { notAsked: string }; now?: number; subject?: OcspSubject; crypto?: CryptoPort } = {},
): Promise<Outcome<OcspResponse>> {
  const decodedResponse = decodeOcsp(ocsp(change), 'ocsp')
  if (!decodedResponse.ok) return decodedResponse
  const context = contextAt(o.now ?? NOW, ...(o.crypto === undefined ? [] : [o.crypto]))
  return authenticateOcsp(context, 'collateral', decodedResponse.value, o.subject ?? SUBJECT, o.asked ?? NONCE, 'ocsp')
}
