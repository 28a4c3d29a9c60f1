import { equalBytes } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { type Fault, fault, refuse } from '../../core/outcome.ts'
import { EXTENSION } from '../../core/x509/certificate.ts'
import { authenticateCrl, type Crl, type CrlIssuer } from '../../core/x509/crl.ts'
import { anchorKey, type ValidatedPath } from '../../core/x509/path.ts'
import { type Brought, payerOf } from '../collateral.ts'
import type { CollateralUse, RevocationReport } from '../kind.ts'

interface Revocation {
  readonly report: RevocationReport
  readonly uses: readonly CollateralUse[]
}

/** Lists of one authority that are looked at, the newest first, the verifier's own before the sender's. */
const MOST_LISTS = 8
const inOrder = (a: Brought<Crl>, b: Brought<Crl>): number =>
  Number(a.origin === 'evidence') - Number(b.origin === 'evidence') ||
  b.value.thisUpdate - a.value.thisUpdate ||
  (a.sha256 < b.sha256 ? -1 : Number(a.sha256 > b.sha256))

/**
 * What the lists at hand say about the certificates that name one (AWS: region and zone; instances and enclaves live hours
 * and have none). `good` where a list of its issuer answers for each of them; `notGiven` where there is no list of any of
 * the issuers. Ends the surrounding `attemptAsync` with X509_REVOKED where a list that the issuer signed names a
 * certificate of the path, even if that list is out of date since.
 */
export async function judgeRevocation(
  context: Context,
  crls: readonly Brought<Crl>[],
  { certificates, anchor }: ValidatedPath,
): Promise<Revocation> {
  const uses: CollateralUse[] = []
  const faults: Fault[] = []
  let [asked, answered, stapled] = [0, 0, false]
  for (const [i, certificate] of certificates.entries()) {
    const above = certificates[i + 1]
    const issuer: CrlIssuer =
      above === undefined
        ? { subject: anchor.subject, publicKey: anchorKey(anchor), maySignCrls: true }
        : {
            subject: above.subject.der,
            publicKey: above.publicKey,
            maySignCrls: above.keyUsage?.has('cRLSign') === true,
          }
    const lists = crls.filter(({ value }) => equalBytes(value.issuer.der, issuer.subject)).sort(inOrder)
    const path = `crl of chain[${i}]`
    const isExpected = certificate.extensions.has(EXTENSION.cRLDistributionPoints)
    if (isExpected) asked++
    let own = 0
    for (const list of lists.slice(0, MOST_LISTS)) {
      const { value: crl, sha256, origin } = list
      const outcome = await authenticateCrl(context, payerOf(list), crl, issuer, path)
      if ((outcome.ok || outcome.faults[0].code === 'CRL_STALE') && crl.revoked.has(certificate.serial)) {
        refuse('X509_REVOKED', path, { expected: 'absent', actual: `serial ${certificate.serial}` })
      }
      if (!outcome.ok) faults.push(outcome.faults[0])
      else if (crl.nextUpdate !== undefined) {
        own++
        if (origin === 'evidence') stapled = true
        uses.push({ kind: 'x509-crl', digest: sha256, issuedAt: crl.thisUpdate, validUntil: crl.nextUpdate })
      }
    }
    if (isExpected && own > 0) answered++
    else if (isExpected) faults.push(fault('CRL_MISSING', path))
  }
  const isGiven = uses.length > 0 || faults.some((f) => f.code !== 'CRL_MISSING')
  const status = asked > 0 && answered === asked ? 'good' : isGiven ? 'unknown' : 'notGiven'
  const report = {
    chain: 'aws-nitro',
    status,
    stapled: status === 'good' && stapled,
    faults: status === 'unknown' ? faults : [],
  } as const
  return { report, uses: status === 'good' ? uses : [] }
}
