import { createHash } from 'node:crypto'
import type { CollateralFile } from '../attestation/collateral.ts'
import { equalBytes } from '../core/bytes.ts'
import { decodeDer } from '../core/der.ts'
import { raw, seq } from '../core/der-writer.ts'
import { fromHex, toHex } from '../core/encodings.ts'
import { attempt, take } from '../core/outcome.ts'
import type { Certificate } from '../core/x509/certificate.ts'
import { decodeCertificate } from '../core/x509/certificate.ts'
import { decodeOcsp, type OcspSingle } from '../core/x509/ocsp.ts'
import { type Ask, type Body, refuseForm, refuseOther } from './ask.ts'
import { objectName } from './object-name.ts'
import type { CollateralRequest } from './objects.ts'

type OcspRequest = Extract<CollateralRequest, { kind: 'nvidia-ocsp' }>

/** The most that every responder understands (RFC 8954). */
export const NONCE_BYTES = 32
const MOST_ANSWER_BYTES = 64 * 1024

/** Content octets: id-sha384, and id-pkix-ocsp-nonce. */
const SHA384 = Uint8Array.of(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02)
const OCSP_NONCE = Uint8Array.of(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02)

interface CertId {
  readonly nameHash: Uint8Array
  readonly keyHash: Uint8Array
  readonly serial: string
}

/**
 * `fresh`: the answer carries the nonce of the question. `kept`: it may be one that a mirror holds and that others asked for;
 * whether its dates speak for the time of judgement is judged on every use, whoever brings it.
 */
export type OcspAnswers = 'fresh' | 'kept'

/**
 * NVIDIA's OCSP responder, asked about one certificate with a nonce of our own. The answer must be about that certificate and
 * carry that nonce; who signed it is judged on every use.
 * @param nonce 32 bytes that nobody can predict
 * @throws TypeError where the two are no certificates, or the second did not issue the first by its name
 * @see RFC 6960 §4.1; ../shared/spec/nvidia-gpu.md §6
 */
export function askOcsp(request: OcspRequest, nonce: Uint8Array, answers: OcspAnswers): Ask {
  if (nonce.length !== NONCE_BYTES) throw new TypeError(`a nonce has ${NONCE_BYTES} bytes`)
  const certificate = certificateOf(request.certificate)
  const issuer = certificateOf(request.issuer)
  if (!equalBytes(certificate.issuer.der, issuer.subject.der)) throw new TypeError('another certificate is the issuer')
  const id: CertId = {
    nameHash: sha384(issuer.subject.der),
    keyHash: sha384(keyBits(issuer)),
    serial: certificate.serial,
  }
  return {
    service: 'nvidia-ocsp',
    method: 'POST',
    path: '/',
    contentTypes: ['application/ocsp-response'],
    body: { type: 'application/ocsp-request', bytes: encode(id, nonce) },
    maxBytes: MOST_ANSWER_BYTES,
    absence: 'the responder of NVIDIA does not answer about this certificate',
    read: (body) => attempt(() => [readAnswer(objectName(request), id, answers === 'fresh' ? nonce : undefined, body)]),
  }
}

function certificateOf(der: Uint8Array): Certificate {
  const outcome = decodeCertificate(der, 'certificate')
  if (!outcome.ok) throw new TypeError(`no certificate: ${outcome.faults[0].code}`)
  return outcome.value
}

const sha384 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha384').update(bytes).digest())

/** The BIT STRING's content without its octet of unused bits (RFC 6960 §4.1.1). */
const keyBits = ({ publicKey }: Certificate): Uint8Array =>
  take(decodeDer(publicKey.spki, 'spki')).children[1]?.content.subarray(1) ?? new Uint8Array()

/** OCSPRequest of one Request, unsigned, with a critical nonce. */
function encode({ nameHash, keyHash, serial }: CertId, nonce: Uint8Array): Uint8Array {
  const octets = (bytes: Uint8Array) => raw(0x04, bytes)
  const algorithm = seq(raw(0x06, SHA384), raw(0x05, new Uint8Array()))
  const certId = seq(
    algorithm,
    octets(nameHash),
    octets(keyHash),
    raw(0x02, take(fromHex(serial, serial.length / 2, 'serial'))),
  )
  const critical = raw(0x01, Uint8Array.of(0xff))
  const extension = seq(raw(0x06, OCSP_NONCE), critical, octets(octets(nonce)))
  const tbs = seq(seq(seq(certId)), raw(0xa2, seq(extension)))
  return seq(tbs)
}

function readAnswer(object: string, id: CertId, nonce: Uint8Array | undefined, { bytes }: Body): CollateralFile {
  const answer = decodeOcsp(bytes, object)
  if (!answer.ok) {
    const [{ code, actual }] = answer.faults
    return refuseForm(object, 'a successful OCSP answer', `${code}${actual === undefined ? '' : ` ${actual}`}`)
  }
  if (!answer.value.responses.some((single) => isAbout(single, id))) {
    refuseOther(object, `serial ${id.serial}`, answer.value.responses.map((r) => `serial ${r.serial}`).join(', '))
  }
  const echoed = answer.value.nonce
  if (nonce !== undefined && (echoed === undefined || !equalBytes(echoed, nonce))) {
    refuseOther(object, `nonce ${toHex(nonce)}`, echoed === undefined ? 'no nonce' : `nonce ${toHex(echoed)}`)
  }
  return { name: `${object.replace('/', '-')}.ocsp`, bytes }
}

/** A responder may answer with another hash than it was asked with; the serial then has to do. */
const isAbout = (single: OcspSingle, { nameHash, keyHash, serial }: CertId): boolean =>
  single.serial === serial &&
  (single.hash !== 'sha384' ||
    (equalBytes(single.issuerNameHash, nameHash) && equalBytes(single.issuerKeyHash, keyHash)))
