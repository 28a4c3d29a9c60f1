import { equalBytes } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { LIMITS } from '../../core/limits.ts'
import { type NonEmpty, refuse, take } from '../../core/outcome.ts'
import { decodePem, looksLikePem } from '../../core/pem.ts'
import { type Certificate, EXTENSION } from '../../core/x509/certificate.ts'
import { nameText, sameName } from '../../core/x509/names.ts'
import { checkValidity, orderPath, type PathProfile, type ValidatedPath, validatePath } from '../../core/x509/path.ts'
import { judgeRevocation } from '../chain-revocation.ts'
import type { TpmCertificateClaims } from '../claims.ts'
import type { CollateralSet } from '../collateral.ts'
import type { CollateralUse, RevocationReport } from '../kind.ts'
import { inOrderOfPreference } from '../preference.ts'
import { type TpmKeyRole, tpmCertificateClaims } from './certificate.ts'

/** Hosts that Google's certificates name. Roots of other makers come injected, and open nothing. */
const HOSTS: PathProfile['hosts'] = ['pki.goog', /^privateca-content-[0-9a-f-]+\.storage\.googleapis\.com$/]

/** Makers of TPMs mark the alternative name critical, which `tpmCertificateClaims` reads, and some the purpose. */
const profileFor = (leafKeyUsage: PathProfile['leafKeyUsage']): PathProfile => ({
  algorithms: ['RS256', 'PS384', 'ES256', 'ES384'],
  leafKeyUsage,
  knownCritical: [EXTENSION.subjectAltName, EXTENSION.extKeyUsage],
  hosts: HOSTS,
})
const PROFILES = {
  digitalSignature: profileFor('digitalSignature'),
  keyEncipherment: profileFor('keyEncipherment'),
  keyAgreement: profileFor('keyAgreement'),
} as const

/** The certificate of a TPM's key, proved up to a trusted root at the time of judgement. */
export interface AuthenticTpmKey {
  readonly claims: TpmCertificateClaims
  readonly path: ValidatedPath
  readonly revocation: RevocationReport
  readonly uses: readonly CollateralUse[]
}

/**
 * Proves, inside `attemptAsync`, that a maker of TPMs vouches for this very key: a certificate of its purpose with this key stands
 * under a trusted root, over authorities that came with it or that the verifier holds; nothing on the way is revoked or out
 * of date. Ends it with LIMIT_CERT_COUNT · a code of PEM, `decodeCertificate`, `validatePath` or `tpmCertificateClaims` ·
 * TPM_AK_CERTIFICATE_MISMATCH · X509_REVOKED · X509_VALIDITY.
 * @param offered what travelled with the evidence, PEM or DER, in any order, the leaf first
 * @param spki of the key that the certificate must be about
 */
export async function authenticateTpmKey(
  context: Context,
  role: TpmKeyRole,
  spki: Uint8Array,
  offered: readonly Uint8Array[],
  { certificates: held, crls }: CollateralSet,
): Promise<AuthenticTpmKey> {
  const [leaf, ...beside] = await certificatesIn(context, offered)
  if (leaf === undefined) return refuse('TPM_CERTIFICATE_INVALID', 'certificate', { expected: 'a certificate' })
  const authorities = inOrderOfPreference(held, context).map((c) => c.value)
  const path = orderPath(leaf, [...beside, ...authorities])
  const roots = beside.filter((c) => sameName(c.subject, c.issuer))
  const usage =
    role === 'attestation' ? 'digitalSignature' : leaf.publicKey.kind === 'rsa' ? 'keyEncipherment' : 'keyAgreement'
  const anchors = context.anchors.filter((a) => a.role === 'tpm/root')
  const validated = take(await validatePath(context, 'evidence', path, roots, anchors, PROFILES[usage], 'chain'))
  const claims = tpmCertificateClaims(leaf, role, 'chain[0]')
  const revocation = await judgeRevocation(context, 'tpm-maker', crls, validated)
  checkValidity(context, validated, 'chain')
  if (!equalBytes(leaf.publicKey.spki, spki))
    refuse('TPM_AK_CERTIFICATE_MISMATCH', 'chain[0].subjectPublicKeyInfo', {
      expected: 'the key that is shown',
      actual: `the key of ${nameText(leaf.subject) || `serial ${leaf.serial}`}`,
    })
  const uses = await usesOf(context, path)
  return { claims, path: validated, revocation: revocation.report, uses: [...uses, ...revocation.uses] }
}

async function certificatesIn(context: Context, offered: readonly Uint8Array[]): Promise<readonly Certificate[]> {
  const ders = offered.flatMap((bytes, i) =>
    looksLikePem(bytes) ? take(decodePem(bytes, `certificates[${i}]`)).map((block) => block.der) : [bytes],
  )
  if (ders.length > LIMITS.certificatesPerChain)
    refuse('LIMIT_CERT_COUNT', 'certificates', {
      expected: `at most ${LIMITS.certificatesPerChain}`,
      actual: ders.length,
    })
  const certificates: Certificate[] = []
  // One after the other: of two that are malformed, always the same one is told.
  for (const [i, der] of ders.entries()) certificates.push(take(await context.certificate(der, `certificates[${i}]`)))
  return certificates
}

const usesOf = (context: Context, path: NonEmpty<Certificate>): Promise<readonly CollateralUse[]> =>
  Promise.all(
    path.map(
      async ({ der, notBefore, notAfter }): Promise<CollateralUse> => ({
        kind: 'x509-certificate',
        digest: await context.ownDigest(der),
        issuedAt: notBefore,
        validUntil: notAfter,
      }),
    ),
  )
