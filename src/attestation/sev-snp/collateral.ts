import { equalBytes } from '../../core/bytes.ts'
import type { Context, Payer } from '../../core/context.ts'
import { type NonEmpty, refuse, take } from '../../core/outcome.ts'
import type { AmdProduct, TrustAnchor } from '../../core/trust-anchors.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import { nameText, sameName } from '../../core/x509/names.ts'
import {
  anchorOf,
  checkValidity,
  isSignedStructure,
  type PathProfile,
  type ValidatedPath,
  validatePath,
} from '../../core/x509/path.ts'
import type { CollateralSet, Held } from '../collateral.ts'
import type { CollateralUse, RevocationReport } from '../kind.ts'
import { inOrderOfPreference } from '../preference.ts'
import { type AmdOffers, type KeyKind, type OfferedKey, offersInCollateral } from './endorsements.ts'
import { checkKeyCertificate } from './key-certificate.ts'
import { AMD_ALGORITHMS, judgeRevocation } from './revocation.ts'
import type { VekExtensions } from './vek-extensions.ts'

/** AMD's hierarchies (AMD 57230 §2): ARK → ASK → VCEK and ARK → ASVK → VLEK. */
const PROFILE: PathProfile = {
  algorithms: AMD_ALGORITHMS,
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
 * X509_REVOKED · X509_SERIAL_REUSED · CRL_SIGNATURE_INVALID · CRL_UNSUPPORTED.
 * @param payer of the chain's signatures
 */
export async function authenticateKey(
  context: Context,
  payer: Payer,
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
  const outcome = await validatePath(context, payer, certificates, roots, anchors, PROFILE, 'chain')
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

/** A folder may hold forgeries under the name of any authority; AMD has one of each, re-issued now and then. */
const MOST_AUTHORITIES = 8

/**
 * The ASK or ASVK that was brought for this key, from the evidence before the collateral. Where several carry the issuer's
 * name, one whose key signed and that a trusted root signed is taken, else one whose key signed; one from the collateral
 * only counts if it did, since a folder may hold anything.
 */
async function authorityFor(
  context: Context,
  key: Certificate,
  evidence: AmdOffers,
  held: AmdOffers,
): Promise<Held<Certificate> | undefined> {
  const named = ({ authorities }: AmdOffers, payer: Payer): readonly Authority[] =>
    inOrderOfPreference(authorities, context)
      .filter((a) => sameName(a.value.subject, key.issuer))
      .slice(0, MOST_AUTHORITIES)
      .map((a) => ({ ...a, payer }))
  const [travelled, kept] = [named(evidence, 'evidence'), named(held, 'collateral')]
  await checkSerials(context, [...travelled, ...kept])
  const [first, ...more] = travelled
  if (first !== undefined && more.length === 0) return first
  let signer: Authority | undefined
  for (const candidate of first === undefined ? kept : travelled) {
    if (!(await isSignedStructure(context, candidate.payer, key, candidate.value.publicKey))) continue
    if ((await rootOf(context, candidate)) !== undefined) return candidate
    signer ??= candidate
  }
  return signer ?? first
}

interface Authority extends Held<Certificate> {
  readonly payer: Payer
}

/** The trusted root that signed an authority. */
const rootOf = (context: Context, { value, payer }: Authority): Promise<TrustAnchor | undefined> =>
  anchorOf(
    context,
    payer,
    value,
    context.anchors.filter((a) => a.role === 'amd/ark' && equalBytes(a.subject, value.issuer.der)),
  )

/**
 * RFC 5280 §4.1.2.2: issuer and serial name one certificate. Only what the same root really signed counts, so that no
 * forgery can speak against the genuine one. Keys are exempt: AMD numbers all of them 0.
 */
async function checkSerials(context: Context, authorities: readonly Authority[]): Promise<void> {
  for (const [i, one] of authorities.entries()) {
    for (const other of authorities.slice(i + 1)) {
      if (other.sha256 === one.sha256 || other.value.serial !== one.value.serial) continue
      if (!sameName(other.value.issuer, one.value.issuer)) continue
      const root = await rootOf(context, one)
      if (root === undefined || root !== (await rootOf(context, other))) continue
      refuse('X509_SERIAL_REUSED', 'chain[1].serial', { expected: one.sha256, actual: other.sha256 })
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
