import { equalBytes } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { type NonEmpty, refuse, take } from '../../core/outcome.ts'
import { toRfc3339 } from '../../core/time.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import type { Crl } from '../../core/x509/crl.ts'
import { nameText, sameName } from '../../core/x509/names.ts'
import { checkValidity, type PathProfile, type ValidatedPath, validatePath } from '../../core/x509/path.ts'
import { judgeRevocation } from '../chain-revocation.ts'
import type { Brought } from '../collateral.ts'
import type { CollateralUse, RevocationReport } from '../kind.ts'
import type { NitroDocument } from './decode.ts'

/** AWS's hierarchy: root → region → zone → instance → enclave, all of it P-384 with SHA-384. */
const PROFILE: PathProfile = {
  algorithms: ['ES384'],
  leafKeyUsage: 'digitalSignature',
  knownCritical: [],
  hosts: [
    'aws-nitro-enclaves-crl.s3.amazonaws.com',
    /^crl-[a-z0-9-]+-aws-nitro-enclaves\.s3\.[a-z0-9-]+\.amazonaws\.com$/,
  ],
}

/** The certificate of an enclave's key, proved up to a trusted root at the time of judgement. */
export interface AuthenticEnclaveKey {
  readonly leaf: Certificate
  readonly path: ValidatedPath
  readonly revocation: RevocationReport
  readonly uses: readonly CollateralUse[]
}

/**
 * Proves, inside `attemptAsync`, that the document's certificate stands under a trusted AWS root: the bundle in the one
 * order that the module writes (root first), every link, revocation where lists are held, validity at `now`. Ends it with a
 * code of `decodeCertificate` or `validatePath`, X509_ROOT_UNTRUSTED (a root that is not the pinned key) · X509_REVOKED · X509_VALIDITY · NITRO_TIMESTAMP
 * (the leaf lives three hours: outside them it is the document that is too old).
 * @see ../shared/spec/tpm-and-clouds.md §6
 */
export async function authenticateEnclaveKey(
  context: Context,
  document: NitroDocument,
  crls: readonly Brought<Crl>[],
): Promise<AuthenticEnclaveKey> {
  const leaf = take(await context.certificate(document.certificate, 'chain[0]'))
  // One after the other: of two that are malformed, always the same one is told.
  const bundle: Certificate[] = []
  for (const [i, der] of document.cabundle.entries()) {
    bundle.push(take(await context.certificate(der, `cabundle[${i}]`)))
  }
  const [root, ...below] = bundle
  if (root === undefined || !sameName(root.subject, root.issuer)) {
    return refuse('X509_ROOT_UNTRUSTED', 'cabundle[0]', {
      expected: 'the self-issued root',
      actual: root === undefined ? 'none' : nameText(root.subject),
    })
  }
  const certificates: NonEmpty<Certificate> = [leaf, ...below.reverse()]
  const anchors = context.anchors.filter((a) => a.role === 'aws/nitro-root')
  const path = take(await validatePath(context, 'evidence', certificates, [root], anchors, PROFILE, 'chain'))
  if (!equalBytes(root.publicKey.spki, path.anchor.spki)) {
    refuse('X509_ROOT_UNTRUSTED', 'cabundle[0]', { expected: path.anchor.id, actual: nameText(root.subject) })
  }
  const revocation = await judgeRevocation(context, 'aws-nitro', crls, path)
  checkLife(context, leaf)
  checkValidity(context, path, 'chain')
  const uses = await Promise.all(
    certificates.map(
      async ({ der, notBefore, notAfter }): Promise<CollateralUse> => ({
        kind: 'x509-certificate',
        digest: await context.ownDigest(der),
        issuedAt: notBefore,
        validUntil: notAfter,
      }),
    ),
  )
  return { leaf, path, revocation: revocation.report, uses: [...uses, ...revocation.uses] }
}

function checkLife({ now }: Context, { notBefore, notAfter }: Certificate): void {
  if (now < notBefore || now > notAfter) {
    refuse('NITRO_TIMESTAMP', 'chain[0]', {
      expected: `${toRfc3339(notBefore)} to ${toRfc3339(notAfter)}`,
      actual: toRfc3339(now),
    })
  }
}
