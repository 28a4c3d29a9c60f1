import { ext } from '../pki/certificate.ts'
import type { TestKey } from '../pki/keys.ts'
import { name } from '../pki/names.ts'
import { keyId } from '../pki/spki.ts'
import { ARCHITECTURES, type NvidiaArchitecture } from './architectures.ts'
import { seededBytes } from './bytes.ts'
import { type CertificateEdit, type IssuedCertificate, issue } from './issue.ts'
import { p384Key } from './keys.ts'

const OCSP_URL = 'http://ocsp.ndis.nvidia.com'

export type RimRole = 'signer' | 'issuer' | 'authority' | 'root'

export interface RimChainSpec {
  /** Hopper unless given; every architecture has its own authority under the one root. */
  readonly architecture?: NvidiaArchitecture
  /** Validity of the signer; RFC 3339. */
  readonly signerNotBefore?: string
  readonly signerNotAfter?: string
  /** Key of the signer, for algorithms the usual P-384 key cannot make. */
  readonly signerKey?: TestKey
  /** Changes to single certificates, each signed by its rightful issuer. */
  readonly edit?: Readonly<Partial<Record<RimRole, CertificateEdit>>>
}

/** The certificates that come with a manifest: signer ← issuer ← authority ← root. */
export interface RimChain {
  readonly certificates: Readonly<Record<RimRole, IssuedCertificate>>
  /** The same, signer first, DER. */
  readonly chain: readonly Uint8Array[]
  readonly signerKey: TestKey
}

const corporate = (commonName: string): Uint8Array =>
  name([
    ['CN', commonName],
    ['O', 'NVIDIA Corporation'],
    ['C', 'US'],
  ])

const keyIds = (of: TestKey, issuer: TestKey): Uint8Array[] => [
  ext.subjectKeyId(keyId(of.spki)),
  ext.authorityKeyId(keyId(issuer.spki)),
]

const keyOf = (seed: string, label: string): TestKey => p384Key(`${seed}/rim/${label}`)

function rootOf(seed: string, edit?: CertificateEdit): IssuedCertificate {
  const key = keyOf(seed, 'root')
  return issue({
    subject: name([
      ['C', 'US'],
      ['O', 'NVIDIA'],
      ['CN', 'NVIDIA CoRIM signing Root CA'],
    ]),
    serial: seededBytes(seed, 'serial/rim/root', 16),
    key,
    notBefore: '2023-03-16T15:37:34Z',
    notAfter: '2053-03-08T15:37:34Z',
    extensions: [...keyIds(key, key), ext.basicConstraints(true), ext.keyUsage(['keyCertSign', 'cRLSign'])],
    edit,
  })
}

interface AuthoritySpec {
  readonly commonName: string
  readonly issuer: IssuedCertificate
  readonly notBefore: string
  readonly notAfter: string
  readonly pathLength?: number
  readonly crlUrl?: string
  readonly edit: CertificateEdit | undefined
}

function authorityOf(seed: string, of: AuthoritySpec): IssuedCertificate {
  const key = keyOf(seed, of.commonName)
  return issue({
    subject: corporate(of.commonName),
    serial: seededBytes(seed, `serial/rim/${of.commonName}`, 16),
    key,
    issuer: of.issuer,
    notBefore: of.notBefore,
    notAfter: of.notAfter,
    generalizedValidity: true,
    extensions: [
      ext.basicConstraints(true, of.pathLength),
      ext.keyUsage(['keyCertSign', 'cRLSign']),
      ...(of.crlUrl === undefined ? [] : [ext.crlDistributionPoint(of.crlUrl)]),
      ext.authorityInfoAccess(OCSP_URL),
      ...keyIds(key, of.issuer.key),
    ],
    edit: of.edit,
  })
}

function signerOf(seed: string, commonName: string, issuer: IssuedCertificate, of: RimChainSpec): IssuedCertificate {
  const key = of.signerKey ?? keyOf(seed, `signer/${commonName}`)
  return issue({
    subject: name([
      ['C', 'US'],
      ['ST', 'CA'],
      ['L', 'Santa Clara'],
      ['O', 'NVIDIA Corporation'],
      ['CN', commonName],
    ]),
    serial: seededBytes(seed, `serial/rim/signer/${commonName}`, 20),
    key,
    issuer,
    notBefore: of.signerNotBefore ?? '2025-01-01T00:00:00Z',
    notAfter: of.signerNotAfter ?? '2028-01-01T00:00:00Z',
    extensions: [
      ...keyIds(key, issuer.key),
      ext.basicConstraints(false),
      ext.keyUsage(['digitalSignature']),
      ext.authorityInfoAccess(OCSP_URL),
    ],
    edit: of.edit?.signer,
  })
}

/** Reference value authorities of one seed, P-384 throughout. */
export interface RimAuthorities {
  root(edit?: CertificateEdit): IssuedCertificate
  chain(spec?: RimChainSpec): RimChain
}

export const rimAuthorities = (seed: string): RimAuthorities => ({
  root: (edit) => rootOf(seed, edit),
  chain: (spec = {}) => chainOf(seed, spec),
})

function chainOf(seed: string, of: RimChainSpec): RimChain {
  const facts = ARCHITECTURES[of.architecture ?? 'hopper']
  const root = rootOf(seed, of.edit?.root)
  const authority = authorityOf(seed, {
    commonName: facts.rimCaName,
    issuer: root,
    notBefore: '2023-05-11T00:00:00Z',
    notAfter: '2033-05-11T23:59:59Z',
    crlUrl: 'http://crl.ndis.nvidia.com/crl-corim/l1-corim',
    edit: of.edit?.authority,
  })
  const issuer = authorityOf(seed, {
    commonName: facts.rimIssuerName,
    issuer: authority,
    notBefore: '2024-05-02T00:00:00Z',
    notAfter: '2029-11-02T23:59:59Z',
    pathLength: 0,
    edit: of.edit?.issuer,
  })
  const signer = signerOf(seed, facts.rimSignerName, issuer, of)
  const certificates = { signer, issuer, authority, root }
  return { certificates, chain: Object.values(certificates).map((c) => c.der), signerKey: signer.key }
}
