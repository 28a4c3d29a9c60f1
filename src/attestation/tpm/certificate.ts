import { context as contextTag, type Der, DerSequence, decodeDer, smallInteger, TAG } from '../../core/der.ts'
import { toHex } from '../../core/encodings.ts'
import { refuse, take } from '../../core/outcome.ts'
import { type Certificate, EXTENSION } from '../../core/x509/certificate.ts'
import { decodeName } from '../../core/x509/names.ts'
import type { TpmCertificateClaims } from '../claims.ts'

const OID = {
  ekCertificate: '2.23.133.8.1',
  akCertificate: '2.23.133.8.3',
  manufacturer: '2.23.133.2.1',
  model: '2.23.133.2.2',
  version: '2.23.133.2.3',
  gceInstance: '1.3.6.1.4.1.11129.2.1.21',
} as const

/** Which of a TPM's two keys a certificate is for. */
export type TpmKeyRole = 'attestation' | 'endorsement'

/**
 * What the certificate of a TPM's key says, inside `attempt`: purpose, maker, model and version, and on Google Cloud which
 * instance. Google issues certificates of attestation keys under the purpose of endorsement keys. Ends it with
 * TPM_CERTIFICATE_INVALID · DER_*.
 * @see TCG EK Credential Profile §3.2; ../shared/spec/tpm-and-clouds.md §§1, 5
 */
export function tpmCertificateClaims(certificate: Certificate, role: TpmKeyRole, path: string): TpmCertificateClaims {
  const invalid = (field: string, expected: string, actual: string): never =>
    refuse('TPM_CERTIFICATE_INVALID', `${path}.${field}`, { expected, actual })
  const purposes = certificate.extendedKeyUsage ?? []
  const wanted: readonly string[] =
    role === 'endorsement' ? [OID.ekCertificate] : [OID.akCertificate, OID.ekCertificate]
  if (!purposes.some((purpose) => wanted.includes(purpose)))
    invalid('extKeyUsage', wanted.join(' or '), purposes.join(', ') || 'none')
  const name = directoryName(certificate, path)
  const maker = (oid: string, field: string): string => {
    const values = name.filter((a) => a.oid === oid)
    const text = values.length === 1 ? values[0]?.text : undefined
    return text === undefined || text === '' ? invalid('subjectAltName', field, 'none') : text
  }
  const manufacturer = maker(OID.manufacturer, 'the manufacturer')
  if (!/^id:[0-9A-F]{8}$/.test(manufacturer)) invalid('subjectAltName', 'id: and 8 hexadecimal digits', manufacturer)
  return {
    manufacturer,
    model: maker(OID.model, 'the model'),
    version: maker(OID.version, 'the version'),
    serial: certificate.serial,
    instance: instanceIn(certificate, `${path}.gceInstance`),
  }
}

/** The one directoryName of a critical subjectAltName. */
function directoryName(certificate: Certificate, path: string) {
  const at = `${path}.subjectAltName`
  const invalid = (what: string): never =>
    refuse('TPM_CERTIFICATE_INVALID', at, { expected: 'critical, one directoryName', actual: what })
  const extension = certificate.extensions.get(EXTENSION.subjectAltName)
  if (extension?.critical !== true) return invalid(extension === undefined ? 'absent' : 'not critical')
  const names = new DerSequence(take(decodeDer(extension.value, at)), TAG.sequence, invalid).rest()
  const directories = names.filter((n) => n.tag === contextTag(4, 'constructed'))
  const [directory, more] = directories
  const [der] = directory?.children ?? []
  if (der === undefined || more !== undefined) return invalid(`${directories.length} directory names`)
  return decodeName(der, invalid).attributes
}

/** Google's extension: zone, project, instance, and whether the instance is a production one, which it must be. */
function instanceIn(certificate: Certificate, path: string): TpmCertificateClaims['instance'] {
  const extension = certificate.extensions.get(OID.gceInstance)
  if (extension === undefined) return undefined
  const invalid = (what: string): never =>
    refuse('TPM_CERTIFICATE_INVALID', path, { expected: 'the instance of a production VM', actual: what })
  const fields = new DerSequence(take(decodeDer(extension.value, path)), TAG.sequence, invalid)
  const text = (field: string): string => {
    const { content } = fields.next(field, TAG.utf8String)
    return /^[\x20-\x7e]{0,256}$/.test(String.fromCharCode(...content.subarray(0, 257)))
      ? String.fromCharCode(...content)
      : invalid(field)
  }
  const number = (field: string): string => decimal(fields.next(field, TAG.integer))
  const zone = text('zone')
  const projectNumber = number('projectNumber')
  const projectId = text('projectId')
  const instanceId = number('instanceId')
  const instanceName = text('instanceName')
  const [security] = fields.next('security', contextTag(0, 'constructed')).children
  fields.end('instance')
  if (security === undefined) return invalid('no security properties')
  const isProduction = new DerSequence(security, TAG.sequence, invalid)
    .rest()
    .find((p) => p.tag === contextTag(1, 'constructed'))?.children[0]
  if (isProduction?.tag !== TAG.boolean || isProduction.content[0] !== 0xff) invalid('not a production instance')
  return { zone, projectNumber, projectId, instanceId, instanceName }
}

/** Ids of 64 bits do not fit a double. Negative ones are nobody's. */
const decimal = (der: Der): string => String(smallInteger(der) ?? BigInt(`0x${toHex(der.content)}`))
