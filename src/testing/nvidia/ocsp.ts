import { parseRfc3339, toRfc3339 } from '../../core/time.ts'
import { ext, PURPOSE } from '../pki/certificate.ts'
import type { CrlReason } from '../pki/crl.ts'
import { nul } from '../pki/der.ts'
import { name } from '../pki/names.ts'
import { type CertIdSpec, ocspResponse } from '../pki/ocsp.ts'
import { keyId } from '../pki/spki.ts'
import { flipBit, must, seededBytes } from './bytes.ts'
import { type IssuedCertificate, issue } from './issue.ts'
import { p384Key } from './keys.ts'

/** Ways an answer is worth nothing. Each is validly signed by whoever signs it, except `signature`. */
export const OCSP_FAULTS = {
  'responder-without-purpose': { what: 'the responder’s certificate lacks the OCSP signing purpose' },
  'responder-expired': { what: 'the responder’s certificate ended before the answer was produced' },
  'responder-above': { what: 'the responder of the authority above the issuer; under a root, as responder-stranger' },
  'responder-stranger': { what: 'delegated by an authority with the issuer’s name and another key' },
  'responder-self-made': { what: 'the responder’s certificate names the issuer and is signed by its own key' },
  signature: { what: 'one bit of the answer’s signature turned over' },
  'certid-sibling': { what: 'good for another serial number of the same issuer' },
  'certid-issuer': { what: 'the right serial number under another issuer’s key' },
  stale: { what: 'nextUpdate an hour ago', row: 'RJ-GPU-20' },
  future: { what: 'thisUpdate in an hour', row: 'RJ-GPU-20' },
  'no-next-update': { what: 'no end is given', row: 'RJ-GPU-20' },
  'nonce-other': { what: 'a nonce nobody asked for' },
  'try-later': { what: 'status tryLater, without a body', row: 'RJ-GPU-20' },
} as const satisfies Record<string, { readonly what: string; readonly row?: string }>

/** Names of the faults of `OCSP_FAULTS`. */
export type OcspFault = keyof typeof OCSP_FAULTS

export interface OcspSpec {
  /** The certificate asked about; not a root. */
  readonly certificate: IssuedCertificate
  /** Time of the answer, RFC 3339; it holds from an hour before to a day after. */
  readonly at: string
  readonly status?: 'good' | 'unknown' | { readonly revoked: { readonly date: string; readonly reason?: CrlReason } }
  /** Hash of the CertID; NVIDIA's Python verifier asks with SHA-384, the C++ one with SHA-1. */
  readonly hash?: CertIdSpec['hash']
  /** Echoed where given; a cached or stapled answer has none. */
  readonly nonce?: Uint8Array
  /** Signed by the issuer's own key instead of a delegated responder; as legal as the other way. */
  readonly direct?: boolean
  readonly wrong?: OcspFault | undefined
}

const NO_CHECK = '1.3.6.1.5.5.7.48.1.5'

/** `instant` moved by whole hours. */
export const hoursAfter = (instant: string, hours: number): string =>
  toRfc3339(must(parseRfc3339(instant), `time in ${instant}`) + hours * 3600)

/** Answer of the responder that the certificate's own issuer delegated (RFC 6960 §4.2.2.2), DER. */
export function ocspAnswer(seed: string, of: OcspSpec): Uint8Array {
  const { certificate, at, wrong } = of
  const issuer = must(certificate.issuer, 'issuer: a root has no OCSP status')
  if (wrong === 'try-later') {
    return ocspResponse({
      responder: { name: issuer.subject },
      signer: issuer.key,
      certificates: [],
      responses: [],
      producedAt: at,
      status: 3,
    })
  }
  const responder = of.direct === true ? issuer : responderOf(seed, delegatorOf(seed, issuer, wrong), of)
  const nonce = wrong === 'nonce-other' ? flipBit(must(of.nonce, 'nonce to differ from'), 0) : of.nonce
  return ocspResponse({
    responder: { name: responder.subject },
    signer: responder.key,
    certificates: of.direct === true ? [] : [responder.der],
    responses: [
      {
        certId: certIdOf(of, issuer),
        status: of.status ?? 'good',
        thisUpdate: hoursAfter(at, wrong === 'future' ? 1 : wrong === 'stale' ? -25 : -1),
        ...(wrong === 'no-next-update' ? {} : { nextUpdate: hoursAfter(at, wrong === 'stale' ? -1 : 24) }),
      },
    ],
    producedAt: hoursAfter(at, wrong === 'stale' ? -25 : wrong === 'future' ? 1 : -1),
    ...(nonce && { nonce }),
    tamperSignature: wrong === 'signature',
  })
}

function delegatorOf(seed: string, issuer: IssuedCertificate, wrong: OcspFault | undefined): IssuedCertificate {
  if (wrong === 'responder-above') return issuer.issuer ?? strangerTo(seed, issuer)
  return wrong === 'responder-stranger' ? strangerTo(seed, issuer) : issuer
}

function certIdOf(of: OcspSpec, issuer: IssuedCertificate): CertIdSpec {
  const serial = of.certificate.serial
  return {
    hash: of.hash ?? 'sha384',
    issuerNameDer: issuer.subject,
    issuerSpki: of.wrong === 'certid-issuer' ? of.certificate.key.spki : issuer.key.spki,
    serial: of.wrong === 'certid-sibling' ? flipBit(serial, 8 * (serial.length - 1)) : serial,
  }
}

function responderOf(seed: string, issuer: IssuedCertificate, of: OcspSpec): IssuedCertificate {
  const { wrong } = of
  const label = keyLabel(issuer)
  const key = p384Key(`${seed}/ocsp/${label}`)
  return issue({
    subject: name([
      ['CN', 'NVIDIA OCSP Responder'],
      ['O', 'NVIDIA Corporation'],
      ['C', 'US'],
    ]),
    serial: seededBytes(seed, `serial/ocsp/${label}`, 16),
    key,
    issuer,
    notBefore: hoursAfter(of.at, -24 * 30),
    notAfter: hoursAfter(of.at, wrong === 'responder-expired' ? -48 : 24 * 30),
    extensions: [
      ext.basicConstraints(false),
      ext.keyUsage(['digitalSignature']),
      ...(wrong === 'responder-without-purpose' ? [] : [ext.extKeyUsage([PURPOSE.ocspSigning])]),
      ext.custom(NO_CHECK, nul()),
      ext.subjectKeyId(keyId(key.spki)),
      ext.authorityKeyId(keyId(issuer.key.spki)),
    ],
    edit: wrong === 'responder-self-made' ? (spec) => ({ ...spec, signer: key }) : undefined,
  })
}

const keyLabel = (issuer: IssuedCertificate): string => keyId(issuer.key.spki).join('.')

/** An authority with the issuer's name and a key of its own. */
function strangerTo(seed: string, issuer: IssuedCertificate): IssuedCertificate {
  return issue({
    subject: issuer.subject,
    serial: seededBytes(seed, 'serial/ocsp/stranger', 16),
    key: p384Key(`${seed}/ocsp/stranger`),
    notBefore: '2021-11-05T00:00:00Z',
    notAfter: '9999-12-31T23:59:59Z',
    extensions: [ext.basicConstraints(true), ext.keyUsage(['keyCertSign', 'cRLSign'])],
  })
}
