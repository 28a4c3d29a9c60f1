import type { Context } from '../../core/context.ts'
import { type Fault, fault, refuse, verdictOf } from '../../core/outcome.ts'
import type { TrustAnchor } from '../../core/trust-anchors.ts'
import { authenticateCrl, type Crl, revokedOf } from '../../core/x509/crl.ts'
import { attribute, nameText } from '../../core/x509/names.ts'
import { anchorKey, type PathProfile } from '../../core/x509/path.ts'
import { type Brought, type Held, payerOf } from '../collateral.ts'
import type { CollateralUse, RevocationReport } from '../kind.ts'
import { listsOf } from '../preference.ts'

interface Revocation {
  readonly report: RevocationReport
  readonly uses: readonly CollateralUse[]
}

const ORGANIZATION = '2.5.4.10'
/** Whose lists were there instead: enough for a person to read. */
const MOST_NAMES = 8

/** What AMD's hierarchies sign with. */
export const AMD_ALGORITHMS: PathProfile['algorithms'] = ['PS384']

const isAmds = ({ value }: Held<Crl>): boolean => attribute(value.issuer, ORGANIZATION) === 'Advanced Micro Devices'

/**
 * What the ARK's revocation lists say about the authorities of a chain. Leaves are never looked up: all of them have serial
 * 0, and AMD withdraws a firmware level, not a certificate. Ends the surrounding `attemptAsync` with X509_REVOKED where a
 * list that the ARK signed names an authority, even if that list is out of date since; with CRL_SIGNATURE_INVALID or
 * CRL_UNSUPPORTED where lists were given and none of them is usable. Of more than 8 lists under the root's name the newest 8
 * are looked at: a complete list repeats what older ones say.
 * @param serials content octets, lower-case hex, of the ASK or ASVK and of the ARK
 */
export async function judgeRevocation(
  context: Context,
  crls: readonly Brought<Crl>[],
  ark: TrustAnchor | undefined,
  serials: readonly string[],
): Promise<Revocation> {
  const given = crls.filter(isAmds)
  if (given.length === 0) return without('notGiven', [])
  if (ark === undefined)
    return without('unknown', [fault('CRL_MISSING', 'crl', { actual: 'no trusted root that could have signed one' })])
  const own = listsOf(given, ark.subject)
  if (own.length === 0) {
    refuse('CRL_SIGNATURE_INVALID', 'crl.issuer', {
      expected: `a list of ${ark.id}`,
      actual: [...new Set(given.map(({ value }) => nameText(value.issuer)))].sort().slice(0, MOST_NAMES).join('; '),
    })
  }
  const uses: CollateralUse[] = []
  const faults: Fault[] = []
  let stapled = true
  for (const list of own) {
    const { value: crl, sha256, origin } = list
    const issuer = { subject: ark.subject, publicKey: anchorKey(ark), algorithms: AMD_ALGORITHMS, maySignCrls: true }
    const outcome = await authenticateCrl(context, payerOf(list), crl, issuer, 'crl')
    checkAbsence(revokedOf(crl, outcome, serials, context.now))
    if (!outcome.ok) faults.push(outcome.faults[0])
    else if (crl.nextUpdate !== undefined) {
      uses.push({ kind: 'x509-crl', digest: sha256, issuedAt: crl.thisUpdate, validUntil: crl.nextUpdate })
      if (origin === 'verifier') stapled = false
    }
  }
  if (uses.length > 0) return { report: { chain: 'amd', status: 'good', stapled, faults: [] }, uses }
  const refused = faults.find((f) => verdictOf(f) === 'reject')
  if (refused !== undefined) return refuseWith(refused)
  return without('unknown', faults)
}

function checkAbsence(revoked: string | undefined): void {
  if (revoked !== undefined) {
    refuse('X509_REVOKED', 'crl', { expected: 'authorities of the chain absent', actual: `serial ${revoked}` })
  }
}

const refuseWith = ({ code, path, expected, actual }: Fault): never =>
  refuse(code, path, { ...(expected === undefined ? {} : { expected }), ...(actual === undefined ? {} : { actual }) })

const without = (status: 'notGiven' | 'unknown', faults: readonly Fault[]): Revocation => ({
  report: { chain: 'amd', status, stapled: false, faults },
  uses: [],
})
