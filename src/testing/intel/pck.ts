import { drawnBytes } from '../bytes.ts'
import { ext } from '../pki/certificate.ts'
import type { TestKey } from '../pki/keys.ts'
import { rememberedKey } from '../pki/remembered.ts'
import type { IntelAuthority } from './authority.ts'
import { type IntelCertificateEdits, intelCertificate } from './certificate.ts'
import { CRL_URL, INTEL_NAMES, type PckCa } from './names.ts'
import { type PlatformFacts, type SgxExtensionEdits, sgxExtension } from './sgx-extension.ts'

/** What to bend in a PCK certificate. */
export interface PckEdits extends IntelCertificateEdits {
  readonly sgx?: SgxExtensionEdits
  /** Signing key in place of the one derived from seed and platform. */
  readonly key?: TestKey
  /** Who signs and whose name stands as issuer; by default the authority of the platform. */
  readonly issuedBy?: IntelAuthority
}

/** A provisioning certification key with its certificate. */
export interface Pck {
  readonly key: TestKey
  /** X.509 certificate, DER. */
  readonly certificate: Uint8Array
  /** Unsigned magnitude, 20 bytes. */
  readonly serial: Uint8Array
  readonly issuer: IntelAuthority
}

/** Seven years, as Intel's. */
export const PCK_VALIDITY = { notBefore: '2025-02-06T23:25:51Z', notAfter: '2032-02-06T23:25:51Z' } as const

/** A PCK certificate as Intel's service issues it: names, usages, list address and the SGX extension of the platform. */
export function pckCertificate(
  seed: string,
  platform: PlatformFacts,
  ca: PckCa,
  authority: IntelAuthority,
  edits: PckEdits = {},
): Pck {
  const key = edits.key ?? rememberedKey('P-256', `intel/pck/${seed}`)
  const issuer = edits.issuedBy ?? authority
  const serial = drawnBytes('intel', seed, 'pck serial', 20)
  const certificate = intelCertificate(
    {
      commonName: INTEL_NAMES.pck,
      key,
      issuer: { commonName: INTEL_NAMES[issuer.role], key: issuer.key },
      serial,
      validity: PCK_VALIDITY,
      keyUsage: ['digitalSignature', 'nonRepudiation'],
      basicConstraints: ext.basicConstraints(false),
      crlUrl: CRL_URL[ca],
      extensions: sgxExtension(platform, edits.sgx),
    },
    edits,
  )
  return { key, certificate, serial, issuer }
}
