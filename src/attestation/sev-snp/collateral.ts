import type { Context } from '../../core/context.ts'
import { type NonEmpty, refuse, take } from '../../core/outcome.ts'
import type { AmdProduct, TrustAnchor } from '../../core/trust-anchors.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import { nameText, sameName } from '../../core/x509/names.ts'
import {
  checkValidity,
  isSignedStructure,
  type PathProfile,
  type ValidatedPath,
  validatePath,
} from '../../core/x509/path.ts'
import type { CollateralSet, Held } from '../collateral.ts'
import type { CollateralUse, RevocationReport } from '../kind.ts'
import { type AmdOffers, type KeyKind, type OfferedKey, offersInCollateral } from './endorsements.ts'
import { checkKeyCertificate } from './key-certificate.ts'
import { judgeRevocation } from './revocation.ts'
import type { VekExtensions } from './vek-extensions.ts'

/** AMD's hierarchies (AMD 57230 §2): ARK → ASK → VCEK and ARK → ASVK → VLEK. */
const PROFILE: PathProfile = {
  algorithms: ['PS384'],
  leafKeyUsage: 'absent',
  knownCritical: [],
  hosts: ['kdsintf.amd.com'],
}

/** An endorsement key that AMD vouches for at the time of judgement. */
export interface AuthenticKey {
  readonly kind: KeyKind
  readonly product: AmdProduct
  readonly extensions: VekExtensions
  readonly anchor: TrustAnchor
  readonly revocation: RevocationReport
  readonly uses: readonly CollateralUse[]
}

/**
 * Proves, inside `attemptAsync`, that `key` was certified by AMD: chain to a trusted ARK where an ASK or ASVK was brought, or
 * to the pinned ASK or ASVK where none was; names, kind and product of every level; revocation; validity at `now`.
 * Ends it with a code of `validatePath` or `checkKeyCertificate` · X509_NAME_CHAIN · X509_KEY_SIZE · X509_VALIDITY ·
 * X509_REVOKED · CRL_SIGNATURE_INVALID · CRL_UNSUPPORTED.
 */
export async function authenticateKey(
  context: Context,
  key: OfferedKey,
  evidence: AmdOffers,
  collateral: CollateralSet,
): Promise<AuthenticKey> {
  const held = offersInCollateral(collateral)
  const authority = await authorityFor(context, key.value, evidence, held)
  const certificates: NonEmpty<Certificate> = authority === undefined ? [key.value] : [key.value, authority.value]
  const roots = [...evidence.roots, ...held.roots]
  const anchors = context.anchors.filter(
    authority === undefined ? (a) => a.role.startsWith('amd/') : (a) => a.role === 'amd/ark',
  )
  if (authority !== undefined) checkAuthorityKey(authority.value)
  const outcome = await validatePath(context, 'evidence', certificates, roots, anchors, PROFILE, 'chain')
  if (!outcome.ok) {
    const above = authority === undefined ? evidence.authorities.map((a) => a.value) : evidence.roots
    checkPresentedNames(certificates, above)
  }
  const path = take(outcome)

  const { kind, product, extensions } = checkKeyCertificate(key, path)
  const ark = arkOf(context, path, product)
  const issuer = authority?.value ?? path.anchor
  const revocation = await judgeRevocation(context, collateral.crls, ark, [
    issuer.serial,
    ...(ark === undefined ? [] : [ark.serial]),
  ])
  checkValidity(context, path, 'chain')
  // The pinned ASK stands in for its certificate: it lives no longer than the root above it.
  if (ark !== undefined && ark !== path.anchor) checkValidity(context, { ...path, anchor: ark }, 'chain')
  const used = [key, ...(authority === undefined ? [] : [authority])].map(
    ({ value, sha256 }): CollateralUse => ({
      kind: 'x509-certificate',
      digest: sha256,
      issuedAt: value.notBefore,
      validUntil: value.notAfter,
    }),
  )
  return {
    kind,
    product,
    extensions,
    anchor: path.anchor,
    revocation: revocation.report,
    uses: [...used, ...revocation.uses],
  }
}

/**
 * The ASK or ASVK that was brought for this key, from the evidence before the collateral. Where several carry the issuer's
 * name, the one whose key signed is taken; one from the collateral only counts if it did, since a folder may hold anything.
 */
async function authorityFor(
  context: Context,
  key: Certificate,
  evidence: AmdOffers,
  held: AmdOffers,
): Promise<Held<Certificate> | undefined> {
  const named = (offers: AmdOffers) => offers.authorities.filter((a) => sameName(a.value.subject, key.issuer))
  checkSerials([...named(evidence), ...named(held)])
  const [first, ...more] = named(evidence)
  if (first !== undefined && more.length === 0) return first
  const payer = first === undefined ? 'collateral' : 'evidence'
  for (const candidate of first === undefined ? named(held) : [first, ...more]) {
    if (await isSignedStructure(context, payer, key, candidate.value.publicKey)) return candidate
  }
  return first
}

/** RFC 5280 §4.1.2.2: issuer and serial name one certificate. Keys are exempt: AMD numbers all of them 0. */
function checkSerials(authorities: readonly Held<Certificate>[]): void {
  for (const [i, { value, sha256 }] of authorities.entries()) {
    const other = authorities
      .slice(i + 1)
      .find((o) => o.sha256 !== sha256 && o.value.serial === value.serial && sameName(o.value.issuer, value.issuer))
    if (other !== undefined) {
      refuse('X509_SERIAL_REUSED', 'chain[1].serial', { expected: sha256, actual: other.sha256 })
    }
  }
}

function checkAuthorityKey({ publicKey }: Certificate): void {
  if (publicKey.kind === 'rsa' && publicKey.modulusBits !== 4096) {
    refuse('X509_KEY_SIZE', 'chain[1]', { expected: 'RSA of 4096 bits', actual: `${publicKey.modulusBits} bits` })
  }
}

/** A path that does not hold is told as broken by name where what came with the report does not bear the name it needs. */
function checkPresentedNames(certificates: NonEmpty<Certificate>, above: readonly Certificate[]): void {
  const depth = certificates.length - 1
  const top = certificates[depth] ?? certificates[0]
  const [presented] = above
  if (presented !== undefined && !above.some((c) => sameName(c.subject, top.issuer))) {
    refuse('X509_NAME_CHAIN', `chain[${depth}].issuer`, {
      expected: nameText(presented.subject),
      actual: nameText(top.issuer),
    })
  }
}

/** The root of the path: the anchor itself, or the one above a pinned ASK or ASVK. */
const arkOf = (context: Context, { anchor }: ValidatedPath, product: AmdProduct): TrustAnchor | undefined =>
  anchor.role === 'amd/ark'
    ? anchor
    : context.anchors.find((a) => a.role === 'amd/ark' && a.product === product && a.injected === anchor.injected)
