import { equalBytes } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { type Fault, fault, refuse, verdictOf } from '../../core/outcome.ts'
import type { TrustAnchor } from '../../core/trust-anchors.ts'
import { authenticateCrl, type Crl } from '../../core/x509/crl.ts'
import { attribute, nameText } from '../../core/x509/names.ts'
import { anchorKey } from '../../core/x509/path.ts'
import type { Held } from '../collateral.ts'
import type { CollateralUse, RevocationReport } from '../kind.ts'

interface Revocation {
  readonly report: RevocationReport
  readonly uses: readonly CollateralUse[]
}

const ORGANIZATION = '2.5.4.10'
const isAmds = ({ value }: Held<Crl>): boolean => attribute(value.issuer, ORGANIZATION) === 'Advanced Micro Devices'

/**
 * What the ARK's revocation lists say about the authorities of a chain. Leaves are never looked up: all of them have serial
 * 0, and AMD withdraws a firmware level, not a certificate. Ends the surrounding `attemptAsync` with X509_REVOKED where a
 * list that the ARK signed names an authority, even if that list is out of date since; with CRL_SIGNATURE_INVALID or
 * CRL_UNSUPPORTED where lists were given and none of them is usable.
 * @param serials content octets, lower-case hex, of the ASK or ASVK and of the ARK
 */
export async function judgeRevocation(
  context: Context,
  crls: readonly Held<Crl>[],
  ark: TrustAnchor | undefined,
  serials: readonly string[],
): Promise<Revocation> {
  const given = crls.filter(isAmds)
  if (given.length === 0) return without('notGiven', [])
  if (ark === undefined)
    return without('unknown', [fault('CRL_MISSING', 'crl', { actual: 'no trusted root that could have signed one' })])
  const own = given.filter(({ value }) => equalBytes(value.issuer.der, ark.subject))
  if (own.length === 0) {
    refuse('CRL_SIGNATURE_INVALID', 'crl.issuer', {
      expected: `a list of ${ark.id}`,
      actual: given.map(({ value }) => nameText(value.issuer)).join('; '),
    })
  }
  const uses: CollateralUse[] = []
  const faults: Fault[] = []
  for (const { value: crl, sha256 } of own) {
    const issuer = { subject: ark.subject, publicKey: anchorKey(ark), maySignCrls: true }
    const outcome = await authenticateCrl(context, 'collateral', crl, issuer, 'crl')
    if (outcome.ok || outcome.faults[0].code === 'CRL_STALE') checkAbsence(crl, serials)
    if (!outcome.ok) faults.push(outcome.faults[0])
    else if (crl.nextUpdate !== undefined)
      uses.push({ kind: 'x509-crl', digest: sha256, issuedAt: crl.thisUpdate, validUntil: crl.nextUpdate })
  }
  if (uses.length > 0) return { report: { chain: 'amd', status: 'good', faults: [] }, uses }
  const refused = faults.find((f) => verdictOf(f) === 'reject')
  if (refused !== undefined) return refuseWith(refused)
  return without('unknown', faults)
}

function checkAbsence(crl: Crl, serials: readonly string[]): void {
  const revoked = serials.find((serial) => crl.revoked.has(serial))
  if (revoked !== undefined) {
    refuse('X509_REVOKED', 'crl', { expected: 'authorities of the chain absent', actual: `serial ${revoked}` })
  }
}

const refuseWith = ({ code, path, expected, actual }: Fault): never =>
  refuse(code, path, { ...(expected === undefined ? {} : { expected }), ...(actual === undefined ? {} : { actual }) })

const without = (status: 'notGiven' | 'unknown', faults: readonly Fault[]): Revocation => ({
  report: { chain: 'amd', status, faults },
  uses: [],
})
