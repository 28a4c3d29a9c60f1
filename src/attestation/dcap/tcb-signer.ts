import type { Context } from '../../core/context.ts'
import { attemptAsync, type Outcome, take } from '../../core/outcome.ts'
import type { TrustAnchor } from '../../core/trust-anchors.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import { commonName, sameName } from '../../core/x509/names.ts'
import { checkValidity, validatePath } from '../../core/x509/path.ts'
import type { CollateralSet, Held } from '../collateral.ts'
import { inOrderOfPreference } from '../preference.ts'
import { INTEL_PROFILE } from './pck.ts'

/** The one name under which Intel signs TCB infos and identities; a PCK certificate can never bear it. */
export const TCB_SIGNER = 'Intel SGX TCB Signing'

/** Intel has replaced this certificate once in seven years. A folder may hold forgeries under its name. */
const MOST_SIGNERS = 8

/** A certificate under the name of Intel's TCB signer, and whether it is that. */
export interface TcbSigner extends Held<Certificate> {
  /** issued by the root, not a CA, in date; or the code of `validatePath` or X509_VALIDITY */
  readonly proof: Outcome<unknown>
}

/**
 * The certificates of the collateral that may be Intel's TCB signer, the proved ones first. Each must be issued directly by
 * `root`, the very root above the PCK certificate. Of more than 8 under that name the preferred 8 are looked at.
 */
export async function tcbSigners(
  context: Context,
  root: TrustAnchor,
  { certificates }: CollateralSet,
): Promise<readonly TcbSigner[]> {
  const named = certificates.filter(({ value }) => commonName(value.subject) === TCB_SIGNER)
  const roots = certificates.map((c) => c.value).filter((c) => sameName(c.subject, c.issuer))
  const signers = await Promise.all(
    inOrderOfPreference(named, context)
      .slice(0, MOST_SIGNERS)
      .map(async (held) => ({ ...held, proof: await prove(context, root, held.value, roots) })),
  )
  return signers.sort((a, b) => Number(b.proof.ok) - Number(a.proof.ok))
}

const prove = (
  context: Context,
  root: TrustAnchor,
  signer: Certificate,
  roots: readonly Certificate[],
): Promise<Outcome<unknown>> =>
  attemptAsync(async () => {
    const path = take(await validatePath(context, 'collateral', [signer], roots, [root], INTEL_PROFILE, 'tcbSigner'))
    checkValidity(context, path, 'tcbSigner')
  })
