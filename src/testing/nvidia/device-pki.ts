import { concatBytes } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import { ext, pem } from '../pki/certificate.ts'
import type { TestKey } from '../pki/keys.ts'
import { name } from '../pki/names.ts'
import { keyId } from '../pki/spki.ts'
import { ARCHITECTURES, type NvidiaArchitecture } from './architectures.ts'
import { must, seededBytes } from './bytes.ts'
import { compositeDeviceId, diceTcbInfo, dmtfDeviceInfo } from './fwid.ts'
import { type CertificateEdit, type IssuedCertificate, issue } from './issue.ts'
import { p384Key } from './keys.ts'

const NO_END = '9999-12-31T23:59:59Z'
const OCSP_URL = 'http://ocsp.ndis.nvidia.com'

/** The five certificates of a device, leaf first. */
export type DeviceRole = 'attestation' | 'identity' | 'provisioner' | 'architecture' | 'root'

export interface DeviceSpec {
  readonly architecture: NvidiaArchitecture
  /** Tells the devices of one seed apart. */
  readonly label: string
  /** Label of the identity key where two attestation keys are to share one; `label` unless given. */
  readonly identityLabel?: string
  /** 8 bytes; drawn from seed and label unless given. */
  readonly pdi?: Uint8Array
  /** FWID in the attestation certificate, 48 bytes; one per seed and architecture unless given. */
  readonly fwid?: Uint8Array
  /** Public key inside the composite device identity; the identity key unless given. */
  readonly fwidSpki?: Uint8Array
  /** Changes to single certificates, each signed by its rightful issuer. */
  readonly edit?: Readonly<Partial<Record<DeviceRole, CertificateEdit>>>
}

/** A device with its keys and its certified identity. */
export interface NvidiaDevice {
  readonly architecture: NvidiaArchitecture
  readonly attestationKey: TestKey
  readonly identityKey: TestKey
  /** The five certificates by role. */
  readonly certificates: Readonly<Record<DeviceRole, IssuedCertificate>>
  /** The same, leaf first, DER. */
  readonly chain: readonly Uint8Array[]
  readonly chainPem: string
  /** 8 bytes; the tail of the identity certificate's serial number. */
  readonly pdi: Uint8Array
  /** 48 bytes. */
  readonly fwid: Uint8Array
  /** 40 upper-case hexadecimal digits. */
  readonly attestationSerial: string
  /** 18 upper-case hexadecimal digits: prefix and PDI. */
  readonly identitySerial: string
}

const upperHex = (bytes: Uint8Array): string => toHex(bytes).toUpperCase()

const deviceName = (serial: string, commonName: string): Uint8Array =>
  name([
    ['serialNumber', serial],
    ['C', 'US'],
    ['O', 'NVIDIA Corporation'],
    ['CN', commonName],
  ])

const keyIds = (of: TestKey, issuer: TestKey): Uint8Array[] => [
  ext.subjectKeyId(keyId(of.spki)),
  ext.authorityKeyId(keyId(issuer.spki)),
]

/** Device identity authorities of one seed: root → architecture → provisioner → identity key → attestation key, all P-384. */
export interface DeviceAuthorities {
  root(edit?: CertificateEdit): IssuedCertificate
  device(spec: DeviceSpec): NvidiaDevice
}

export const deviceAuthorities = (seed: string): DeviceAuthorities => ({
  root: (edit) => rootOf(seed, edit),
  device: (spec) => deviceOf(seed, spec),
})

const keyOf = (seed: string, label: string): TestKey => p384Key(`${seed}/${label}`)

function rootOf(seed: string, edit?: CertificateEdit): IssuedCertificate {
  const key = keyOf(seed, 'device-root')
  return issue({
    subject: name([
      ['CN', 'NVIDIA Device Identity CA'],
      ['O', 'NVIDIA'],
    ]),
    serial: seededBytes(seed, 'serial/device-root', 16),
    key,
    notBefore: '2021-11-05T00:00:00Z',
    notAfter: NO_END,
    extensions: [ext.basicConstraints(true), ext.keyUsage(['keyCertSign', 'cRLSign']), ...keyIds(key, key)],
    edit,
  })
}

interface AuthoritySpec {
  readonly commonName: string
  readonly country: boolean
  readonly issuer: IssuedCertificate
  readonly notBefore: string
  readonly crlUrl: string
  readonly edit: CertificateEdit | undefined
}

function authorityOf(seed: string, of: AuthoritySpec): IssuedCertificate {
  const key = keyOf(seed, of.commonName)
  return issue({
    subject: name([['CN', of.commonName], ['O', 'NVIDIA Corporation'], ...(of.country ? [['C', 'US'] as const] : [])]),
    serial: seededBytes(seed, `serial/${of.commonName}`, 16),
    key,
    issuer: of.issuer,
    notBefore: of.notBefore,
    notAfter: NO_END,
    extensions: [
      ext.basicConstraints(true),
      ext.keyUsage(['keyCertSign', 'cRLSign']),
      ext.crlDistributionPoint(of.crlUrl),
      ext.authorityInfoAccess(OCSP_URL),
      ...keyIds(key, of.issuer.key),
    ],
    edit: of.edit,
  })
}

function identityOf(seed: string, of: DeviceSpec, pdi: Uint8Array, issuer: IssuedCertificate): IssuedCertificate {
  const facts = ARCHITECTURES[of.architecture]
  const key = keyOf(seed, `identity/${of.architecture}/${of.identityLabel ?? of.label}`)
  const serial = concatBytes(Uint8Array.of(facts.serialPrefix), pdi)
  return issue({
    subject: deviceName(upperHex(serial), facts.identityName),
    serial,
    key,
    issuer,
    notBefore: facts.deviceNotBefore,
    notAfter: NO_END,
    extensions: [
      ext.basicConstraints(true),
      ext.keyUsage(['keyCertSign']),
      ...(facts.identityHasOcspUrl ? [ext.authorityInfoAccess(OCSP_URL)] : []),
      ...keyIds(key, issuer.key),
    ],
    edit: of.edit?.identity,
  })
}

function attestationOf(seed: string, of: DeviceSpec, fwid: Uint8Array, issuer: IssuedCertificate): IssuedCertificate {
  const facts = ARCHITECTURES[of.architecture]
  const key = keyOf(seed, `attestation/${of.architecture}/${of.label}`)
  const serial = attestationSerialOf(key)
  const unit = upperHex(seededBytes(seed, `device/${of.architecture}/${of.label}`, 5))
  return issue({
    subject: deviceName(upperHex(serial), facts.attestationName),
    serial,
    key,
    issuer,
    notBefore: facts.deviceNotBefore,
    notAfter: NO_END,
    extensions: [
      ext.keyUsage(['digitalSignature']),
      ...keyIds(key, issuer.key),
      dmtfDeviceInfo(`NVIDIA:${facts.deviceModel}:48B02D${unit}`),
      facts.fwidForm === 'composite-device-id'
        ? compositeDeviceId(of.fwidSpki ?? issuer.key.spki, fwid)
        : diceTcbInfo(fwid),
    ],
    edit: of.edit?.attestation,
  })
}

function deviceOf(seed: string, of: DeviceSpec): NvidiaDevice {
  const facts = ARCHITECTURES[of.architecture]
  const root = rootOf(seed, of.edit?.root)
  const architecture = authorityOf(seed, {
    commonName: facts.architectureName,
    country: false,
    issuer: root,
    notBefore: facts.architectureNotBefore,
    crlUrl: 'http://crl.ndis.nvidia.com/crl/l1-root.crl',
    edit: of.edit?.architecture,
  })
  const provisioner = authorityOf(seed, {
    commonName: facts.provisionerName,
    country: true,
    issuer: architecture,
    notBefore: facts.provisionerNotBefore,
    crlUrl: facts.provisionerCrl,
    edit: of.edit?.provisioner,
  })
  const pdi = of.pdi ?? seededBytes(seed, `pdi/${of.architecture}/${of.label}`, 8)
  const fwid = of.fwid ?? seededBytes(seed, `fwid/${of.architecture}`, 48)
  const identity = identityOf(seed, of, pdi, provisioner)
  const attestation = attestationOf(seed, of, fwid, identity)
  const chain = [attestation, identity, provisioner, architecture, root].map((certificate) => certificate.der)
  return {
    architecture: of.architecture,
    attestationKey: attestation.key,
    identityKey: identity.key,
    certificates: { attestation, identity, provisioner, architecture, root },
    chain,
    chainPem: pem(chain),
    pdi,
    fwid,
    attestationSerial: upperHex(attestation.serial),
    identitySerial: upperHex(identity.serial),
  }
}

/** Real attestation keys are numbered by their key identifier with the two top bits made 01, so that it is positive. */
function attestationSerialOf(key: TestKey): Uint8Array {
  const serial = Uint8Array.from(keyId(key.spki))
  serial[0] = (must(serial[0], 'first byte') & 0x3f) | 0x40
  return serial
}
