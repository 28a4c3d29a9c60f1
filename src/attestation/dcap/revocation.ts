import type { Context } from '../../core/context.ts'
import { type Fault, failed, fault, refuse, take, verdictOf } from '../../core/outcome.ts'
import { authenticateCrl, type Crl, type CrlIssuer, revokedOf } from '../../core/x509/crl.ts'
import { nameText } from '../../core/x509/names.ts'
import { anchorKey, type ValidatedPath } from '../../core/x509/path.ts'
import { type Brought, payerOf } from '../collateral.ts'
import type { CollateralUse, RevocationReport } from '../kind.ts'
import { listsOf } from '../preference.ts'

interface Revocation {
  readonly report: RevocationReport
  readonly uses: readonly CollateralUse[]
}

/**
 * What Intel's two lists say: the root's about the PCK CA and about the signers of documents, the PCK CA's about the PCK
 * certificate. Ends the surrounding `attemptAsync` with X509_REVOKED where a list that its issuer signed names one of
 * them, even if that list is out of date since; with CRL_SIGNATURE_INVALID or CRL_UNSUPPORTED where lists under an
 * issuer's name were given and none of them is usable. A list that is missing or out of date makes the report `unknown`,
 * and `notGiven` where there is neither. Of more than 8 lists under a name the newest 8 are looked at.
 * @param path PCK certificate, its CA, and the root as anchor
 * @param signers serials of the signers of documents, content octets, lower-case hex
 * @see intel-dcap.md §2.4
 */
export async function judgeRevocation(
  context: Context,
  crls: readonly Brought<Crl>[],
  path: ValidatedPath,
  signers: readonly string[],
): Promise<Revocation> {
  const { anchor, algorithms } = path
  const [leaf, ca] = path.certificates
  if (ca === undefined) throw new TypeError('a PCK certificate is issued by a CA below the root')
  const root = { subject: anchor.subject, publicKey: anchorKey(anchor), algorithms, maySignCrls: true }
  const issuer = {
    subject: ca.subject.der,
    publicKey: ca.publicKey,
    algorithms,
    maySignCrls: ca.keyUsage?.has('cRLSign') === true,
  }
  const answers = [
    await answerOf(context, crls, root, [ca.serial, anchor.serial, ...signers], 'crl.root', anchor.id),
    await answerOf(context, crls, issuer, [leaf.serial], 'crl.pck', nameText(ca.subject)),
  ]
  if (!answers.some((a) => a.isGiven)) return without('notGiven', [])
  const faults = answers.flatMap((a) => a.faults)
  if (faults.length > 0) return without('unknown', faults)
  const stapled = answers.some((a) => a.isStapled)
  return { report: { chain: 'intel-pck', status: 'good', stapled, faults: [] }, uses: answers.flatMap((a) => a.uses) }
}

interface Answer {
  readonly isGiven: boolean
  /** why the lists do not answer, all of them inconclusive; empty where one does */
  readonly faults: readonly Fault[]
  readonly uses: readonly CollateralUse[]
  /** no usable list is the verifier's own */
  readonly isStapled: boolean
}

async function answerOf(
  context: Context,
  crls: readonly Brought<Crl>[],
  issuer: CrlIssuer,
  serials: readonly string[],
  path: string,
  name: string,
): Promise<Answer> {
  const own = listsOf(crls, issuer.subject)
  if (own.length === 0) {
    const missing = fault('CRL_MISSING', path, { expected: `a list of ${name}` })
    return { isGiven: false, faults: [missing], uses: [], isStapled: false }
  }
  const uses: CollateralUse[] = []
  const faults: Fault[] = []
  let isStapled = true
  for (const list of own) {
    const { value: crl, sha256, origin } = list
    const outcome = await authenticateCrl(context, payerOf(list), crl, issuer, path)
    checkAbsence(revokedOf(crl, outcome, serials, context.now), path)
    if (!outcome.ok) faults.push(outcome.faults[0])
    else if (crl.nextUpdate !== undefined) {
      uses.push({ kind: 'x509-crl', digest: sha256, issuedAt: crl.thisUpdate, validUntil: crl.nextUpdate })
      if (origin === 'verifier') isStapled = false
    }
  }
  // A complete list repeats what older ones say: the newest is what the answer rests on.
  const newest = uses.reduce<CollateralUse | undefined>(
    (best, use) => (best === undefined || (use.issuedAt ?? 0) > (best.issuedAt ?? 0) ? use : best),
    undefined,
  )
  if (newest !== undefined) return { isGiven: true, faults: [], uses: [newest], isStapled }
  const refused = faults.find((f) => verdictOf(f) === 'reject')
  if (refused !== undefined) take(failed([refused]))
  return { isGiven: true, faults, uses: [], isStapled: false }
}

function checkAbsence(revoked: string | undefined, path: string): void {
  if (revoked !== undefined) {
    refuse('X509_REVOKED', path, { expected: 'certificates of the chain absent', actual: `serial ${revoked}` })
  }
}

const without = (status: 'notGiven' | 'unknown', faults: readonly Fault[]): Revocation => ({
  report: { chain: 'intel-pck', status, stapled: false, faults },
  uses: [],
})
