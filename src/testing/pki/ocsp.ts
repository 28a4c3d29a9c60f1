import { type CrlReason, crlReasonCode } from './crl.ts'
import { enumerated, generalizedTime, integer, nul, octets, oid, raw, seq, tagged } from './der.ts'
import { extension } from './extensions.ts'
import { digest } from './pss.ts'
import { type SigningSpec, signed } from './signed.ts'
import { subjectPublicKey } from './spki.ts'

const HASH_OID = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1', sha384: '2.16.840.1.101.3.4.2.2' } as const

/** Names a certificate by its issuer's name and key and its serial number (RFC 6960 §4.1.1). */
export interface CertIdSpec {
  readonly hash: keyof typeof HASH_OID
  /** Name of the issuer, DER. */
  readonly issuerNameDer: Uint8Array
  readonly issuerSpki: Uint8Array
  /** Bytes are an unsigned big-endian magnitude. */
  readonly serial: Uint8Array | number | bigint
}

/** CertID, DER. */
export const certId = (spec: CertIdSpec): Uint8Array =>
  seq(
    seq(oid(HASH_OID[spec.hash]), nul()),
    octets(digest(spec.hash, spec.issuerNameDer)),
    octets(digest(spec.hash, subjectPublicKey(spec.issuerSpki))),
    integer(spec.serial),
  )

export interface SingleResponseSpec {
  readonly certId: CertIdSpec
  readonly status:
    | 'good'
    | 'unknown'
    | { readonly revoked: { readonly date: string; readonly reason?: CrlReason | number } }
  /** RFC 3339 in UTC, whole seconds. */
  readonly thisUpdate: string
  readonly nextUpdate?: string
  /** Single extensions, DER. */
  readonly extensions?: readonly Uint8Array[]
}

export interface OcspResponseSpec extends SigningSpec {
  /** Name (DER), or the 20 bytes of `keyId(spki)`. */
  readonly responder: { readonly name: Uint8Array } | { readonly keyHash: Uint8Array }
  /** Certificates of the responder, DER; an empty list leaves the field out. */
  readonly certificates: readonly Uint8Array[]
  readonly responses: readonly SingleResponseSpec[]
  readonly producedAt: string
  readonly nonce?: Uint8Array
  /** Response extensions besides the nonce, DER. */
  readonly extensions?: readonly Uint8Array[]
  /** OCSPResponseStatus. Anything but 0 (successful) is an error answer without a body. */
  readonly status?: number
}

/** An OCSPResponse, DER (RFC 6960 §4.2.1). The same specification gives the same bytes. */
export function ocspResponse(spec: OcspResponseSpec): Uint8Array {
  const status = spec.status ?? 0
  if (status !== 0) return seq(enumerated(status))
  const basic = octets(basicOcspResponse(spec))
  return seq(enumerated(status), tagged(0, seq(oid('1.3.6.1.5.5.7.48.1.1'), basic)))
}

function basicOcspResponse(spec: OcspResponseSpec): Uint8Array {
  const { responder } = spec
  const extensions = [
    ...(spec.nonce === undefined ? [] : [extension('1.3.6.1.5.5.7.48.1.2', octets(spec.nonce))]),
    ...(spec.extensions ?? []),
  ]
  const tbs = seq(
    'name' in responder ? tagged(1, responder.name) : tagged(2, octets(responder.keyHash)),
    generalizedTime(spec.producedAt),
    seq(...spec.responses.map(singleResponse)),
    ...(extensions.length === 0 ? [] : [tagged(1, seq(...extensions))]),
  )
  return signed(spec, tbs, ...(spec.certificates.length === 0 ? [] : [tagged(0, seq(...spec.certificates))]))
}

function singleResponse(spec: SingleResponseSpec): Uint8Array {
  return seq(
    certId(spec.certId),
    certStatus(spec.status),
    generalizedTime(spec.thisUpdate),
    ...(spec.nextUpdate === undefined ? [] : [tagged(0, generalizedTime(spec.nextUpdate))]),
    ...(spec.extensions === undefined || spec.extensions.length === 0 ? [] : [tagged(1, seq(...spec.extensions))]),
  )
}

function certStatus(status: SingleResponseSpec['status']): Uint8Array {
  if (status === 'good') return raw(0x80, new Uint8Array())
  if (status === 'unknown') return raw(0x82, new Uint8Array())
  const { date, reason } = status.revoked
  const why = reason === undefined ? [] : [tagged(0, enumerated(crlReasonCode(reason)))]
  return tagged(1, seq(generalizedTime(date), ...why), { explicit: false })
}
