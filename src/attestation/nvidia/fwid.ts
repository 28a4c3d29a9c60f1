import { equalBytes } from '../../core/bytes.ts'
import { context, type Der, DerSequence, decodeDer, oidText, smallInteger, TAG } from '../../core/der.ts'
import { toHex } from '../../core/encodings.ts'
import { attempt, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import type { ArchitectureFacts } from './architectures.ts'

/** Where an attestation certificate says which firmware its key belongs to. */
const OID = {
  /** TCG composite device identity */
  compositeDeviceId: '2.23.133.5.4.1',
  /** DICE TcbInfo */
  diceTcbInfo: '2.23.133.5.4.1.1',
} as const

const SHA384 = '2.16.840.1.101.3.4.2.2'
const FWID_BYTES = 48
const FWIDS = context(6, 'constructed')

/** Firmware id of the layer that holds the attestation key. */
export interface CertifiedFwid {
  /** SHA-384, 48 bytes */
  readonly fwid: Uint8Array
  /** SubjectPublicKeyInfo of the layer below, which the composite form names */
  readonly issuerKey: Uint8Array | undefined
}

const known = new WeakMap<Certificate, Outcome<CertifiedFwid>>()

/**
 * The firmware id in an attestation certificate, in the form of its architecture; decoded once per certificate.
 * @returns the id, or GPU_FWID_MISSING (no such extension) · X509_MALFORMED · DER_*
 * @see TCG DICE Attestation Architecture, CompositeDeviceID and TcbInfo; ../shared/spec/nvidia-gpu.md §3
 */
export function certifiedFwid(
  certificate: Certificate,
  form: ArchitectureFacts['fwid'],
  path: string,
): Outcome<CertifiedFwid> {
  const decoded = known.get(certificate) ?? decodeFwid(certificate, form, path)
  known.set(certificate, decoded)
  return decoded
}

function decodeFwid(certificate: Certificate, form: ArchitectureFacts['fwid'], path: string): Outcome<CertifiedFwid> {
  return attempt(() => {
    const extension = certificate.extensions.get(OID[form])
    if (extension === undefined) {
      return refuse('GPU_FWID_MISSING', path, { expected: `extension ${OID[form]}`, actual: 'absent' })
    }
    const at = `${path}.${OID[form]}`
    const malformed = (what: string): never => refuse('X509_MALFORMED', at, { actual: what })
    const der = take(decodeDer(extension.value, at))
    return form === 'compositeDeviceId' ? compositeDeviceId(der, malformed) : tcbInfo(der, malformed)
  })
}

/** SEQUENCE { INTEGER 1, SubjectPublicKeyInfo, fwid } */
function compositeDeviceId(der: Der, malformed: (what: string) => never): CertifiedFwid {
  const fields = new DerSequence(der, TAG.sequence, malformed)
  if (smallInteger(fields.next('version', TAG.integer)) !== 1)
    malformed('composite device identity other than version 1')
  const issuerKey = fields.next('public key', TAG.sequence).bytes
  const fwid = fwidOf(fields.next('fwid', TAG.sequence), malformed)
  fields.end('composite device identity')
  return { fwid, issuerKey }
}

/** Of the tagged members only [6], the list of firmware ids, is read; the first is that of the key's own layer. */
function tcbInfo(der: Der, malformed: (what: string) => never): CertifiedFwid {
  const members = new DerSequence(der, TAG.sequence, malformed).rest()
  const [fwids, more] = members.filter((m) => m.tag === FWIDS)
  if (fwids === undefined || more !== undefined) return malformed('fwids')
  const list = new DerSequence(fwids, FWIDS, malformed)
  return { fwid: fwidOf(list.next('fwid', TAG.sequence), malformed), issuerKey: undefined }
}

/** SEQUENCE { OID sha384, OCTET STRING } */
function fwidOf(der: Der, malformed: (what: string) => never): Uint8Array {
  const fields = new DerSequence(der, TAG.sequence, malformed)
  const hash = oidText(fields.next('hash', TAG.oid))
  const fwid = fields.next('digest', TAG.octetString).content
  fields.end('fwid')
  if (hash !== SHA384 || fwid.length !== FWID_BYTES) return malformed(`fwid of ${hash}, ${fwid.length} bytes`)
  return fwid
}

/**
 * Ties report and certificate together by the firmware id: the certificate's must be the report's, and the key that the
 * composite form names must be the identity key. A report without the id passes only where its firmware writes none.
 * @param reported FWID field of the report, 48 bytes; undefined where it has none
 * @param requiredInReport whether this architecture and driver always write it
 * @returns how it was matched, or GPU_FWID_MISSING · GPU_FWID_MISMATCH · X509_MALFORMED · DER_*
 */
export function matchFwid(
  attestation: Certificate,
  identity: Certificate,
  form: ArchitectureFacts['fwid'],
  reported: Uint8Array | undefined,
  requiredInReport: boolean,
  path: string,
): Outcome<'match' | 'absent-in-report'> {
  return attempt(() => {
    const { fwid, issuerKey } = take(certifiedFwid(attestation, form, `${path}[0]`))
    if (issuerKey !== undefined && !equalBytes(issuerKey, identity.publicKey.spki)) {
      refuse('GPU_FWID_MISMATCH', `${path}[0].${OID[form]}`, { expected: 'the key of the identity certificate' })
    }
    if (reported === undefined) {
      if (requiredInReport)
        refuse('GPU_FWID_MISSING', 'report.opaqueData.FWID', { expected: 'present', actual: 'absent' })
      return 'absent-in-report'
    }
    if (!equalBytes(reported, fwid)) {
      refuse('GPU_FWID_MISMATCH', 'report.opaqueData.FWID', { expected: toHex(fwid), actual: toHex(reported) })
    }
    return 'match'
  })
}
