import { ext } from '../pki/certificate.ts'
import type { TestKey } from '../pki/keys.ts'
import { rememberedKey } from '../pki/remembered.ts'
import { keyId } from '../pki/spki.ts'
import { type IntelCertificateEdits, intelCertificate } from './certificate.ts'
import { CRL_URL, INTEL_NAMES, type IntelAuthorityRole, intelName } from './names.ts'

/** What to bend in a hierarchy. */
export interface IntelPkiOptions extends Readonly<Partial<Record<IntelAuthorityRole, IntelCertificateEdits>>> {
  /** The same names with other keys: a self-consistent hierarchy under a foreign root. */
  readonly rogue?: boolean
}

/** An authority of the hierarchy, or the signer of its documents. */
export interface IntelAuthority {
  readonly role: IntelAuthorityRole
  readonly key: TestKey
  /** Subject, DER Name. */
  readonly name: Uint8Array
  /** X.509 certificate, DER. */
  readonly certificate: Uint8Array
  /** Content octets of the serial number, which is the key identifier, as Intel has it. */
  readonly serial: Uint8Array
}

/** Intel's own dates. */
const VALIDITY = {
  root: { notBefore: '2018-05-21T10:45:10Z', notAfter: '2049-12-31T23:59:59Z' },
  platform: { notBefore: '2018-05-21T10:50:10Z', notAfter: '2033-05-21T10:50:10Z' },
  processor: { notBefore: '2018-05-21T10:50:10Z', notAfter: '2033-05-21T10:50:10Z' },
  tcbSigner: { notBefore: '2025-05-06T09:25:00Z', notAfter: '2032-05-06T09:25:00Z' },
} as const

const PATH_LENGTH = { root: 1, platform: 0, processor: 0 } as const

/** An authority with the names, dates, extensions and algorithms of Intel's own and a key of the kit. */
export function intelAuthority(role: IntelAuthorityRole, options: IntelPkiOptions = {}): IntelAuthority {
  const keyOf = (of: IntelAuthorityRole) =>
    rememberedKey('P-256', `intel/${options.rogue === true ? 'rogue/' : ''}${of}`)
  const key = keyOf(role)
  const signs = role === 'tcbSigner'
  const edits = options[role]
  const serial = keyId(key.spki)
  const certificate = intelCertificate(
    {
      commonName: INTEL_NAMES[role],
      key,
      issuer: { commonName: INTEL_NAMES.root, key: keyOf('root') },
      serial,
      validity: VALIDITY[role],
      keyUsage: signs ? ['digitalSignature', 'nonRepudiation'] : ['keyCertSign', 'cRLSign'],
      basicConstraints: signs ? ext.basicConstraints(false) : ext.basicConstraints(true, PATH_LENGTH[role]),
      crlUrl: CRL_URL.root,
    },
    edits,
  )
  return { role, key, name: intelName(INTEL_NAMES[role]), certificate, serial }
}
