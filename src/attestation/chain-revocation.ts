import type { Context } from '../core/context.ts'
import { type Fault, fault, refuse, verdictOf } from '../core/outcome.ts'
import { type Certificate, EXTENSION } from '../core/x509/certificate.ts'
import { authenticateCrl, type Crl, type CrlIssuer, revokedOf } from '../core/x509/crl.ts'
import { anchorKey, type ValidatedPath } from '../core/x509/path.ts'
import { type Brought, payerOf } from './collateral.ts'
import type { CollateralUse, RevocationReport } from './kind.ts'
import { listsOf } from './preference.ts'

interface Revocation {
  readonly report: RevocationReport
  readonly uses: readonly CollateralUse[]
}

/**
 * What the lists at hand say about the certificates of a path of which not every one need name a list: AWS's regions and zones
 * do, its instances and enclaves live hours; of TPMs the makers' authorities do. `good` where a list of its issuer answers for each that names one, `notGiven` where there is no
 * list of any of the issuers. Ends the surrounding `attemptAsync` with X509_REVOKED where a list that the issuer signed
 * names a certificate of the path, even if that list is out of date since.
 */
export async function judgeRevocation(
  context: Context,
  chain: RevocationReport['chain'],
  crls: readonly Brought<Crl>[],
  { certificates, anchor, algorithms }: ValidatedPath,
): Promise<Revocation> {
  const root: CrlIssuer = { subject: anchor.subject, publicKey: anchorKey(anchor), algorithms, maySignCrls: true }
  const answers: Answer[] = []
  for (const [i, certificate] of certificates.entries()) {
    const above = certificates[i + 1]
    const issuer = above === undefined ? root : issuerOf(above, algorithms)
    answers.push(await answerFor(context, crls, certificate, issuer, `crl of chain[${i}]`))
  }
  const asked = answers.filter((a) => a.isNamed)
  const open = asked.filter((a) => a.uses.length === 0)
  if (asked.length > 0 && open.length === 0) {
    const stapled = asked.some((a) => a.stapled)
    const report = { chain, status: 'good', stapled, faults: [] } as const
    return { report, uses: answers.flatMap((a) => a.uses) }
  }
  const status = answers.some((a) => a.isGiven) ? 'unknown' : 'notGiven'
  const faults = status === 'unknown' ? open.map((a) => a.fault) : []
  return { report: { chain, status, stapled: false, faults }, uses: [] }
}

const issuerOf = (
  { subject, publicKey, keyUsage }: Certificate,
  algorithms: ValidatedPath['algorithms'],
): CrlIssuer => ({
  subject: subject.der,
  publicKey,
  algorithms,
  maySignCrls: keyUsage?.has('cRLSign') === true,
})

interface Answer {
  /** whether the certificate says that there is a list */
  readonly isNamed: boolean
  /** whether any list under the issuer's name was there */
  readonly isGiven: boolean
  readonly stapled: boolean
  readonly uses: readonly CollateralUse[]
  /** why there is no answer, where there is none; inconclusive */
  readonly fault: Fault
}

async function answerFor(
  context: Context,
  crls: readonly Brought<Crl>[],
  { serial, extensions }: Certificate,
  issuer: CrlIssuer,
  path: string,
): Promise<Answer> {
  const own = listsOf(crls, issuer.subject)
  const uses: CollateralUse[] = []
  let stapled = true
  let why = fault('CRL_MISSING', path)
  for (const list of own) {
    const { value: crl, sha256, origin } = list
    const outcome = await authenticateCrl(context, payerOf(list), crl, issuer, path)
    const [first] = outcome.ok ? [] : outcome.faults
    if (revokedOf(crl, outcome, [serial], context.now) !== undefined) {
      refuse('X509_REVOKED', path, { expected: 'absent', actual: `serial ${serial}` })
    }
    // A list that the issuer did not make says nothing about its certificates, and is as good as none.
    if (first !== undefined && verdictOf(first) === 'inconclusive') why = first
    if (first !== undefined || crl.nextUpdate === undefined) continue
    if (origin === 'verifier') stapled = false
    uses.push({ kind: 'x509-crl', digest: sha256, issuedAt: crl.thisUpdate, validUntil: crl.nextUpdate })
  }
  const isNamed = extensions.has(EXTENSION.cRLDistributionPoints)
  return { isNamed, isGiven: own.length > 0, stapled: stapled && uses.length > 0, uses, fault: why }
}
