import { equalBytes, isZero } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { type NonEmpty, refuse, take } from '../../core/outcome.ts'
import type { AmdProduct, AnchorRole, TrustAnchor } from '../../core/trust-anchors.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import { commonName, nameText, sameName } from '../../core/x509/names.ts'
import {
  checkValidity,
  isSignedStructure,
  type PathProfile,
  type ValidatedPath,
  validatePath,
} from '../../core/x509/path.ts'
import type { CollateralSet, Held } from '../collateral.ts'
import type { CollateralUse, RevocationReport } from '../kind.ts'
import type { SnpReport } from './decode.ts'
import { type AmdOffers, type KeyKind, namedKind, type OfferedKey, offersInCollateral } from './endorsements.ts'
import { isAmdProduct, PRODUCT_FACTS } from './products.ts'
import { judgeRevocation } from './revocation.ts'
import { differingComponents } from './tcb.ts'
import { type VekExtensions, vekExtensions } from './vek-extensions.ts'

/**
 * The certificate of the key that signed `report`: what travelled with it before what the collateral holds, of the kind that
 * SIGNING_KEY names. Among several: chip and TCB equal, then the chip, then the only one there is. Where nothing of that
 * kind is offered, a key of another kind that came with the report or is certified for its chip is returned, so that the
 * contradiction is named.
 */
export function chooseKey(
  report: SnpReport,
  evidence: AmdOffers,
  collateral: CollateralSet,
  context: Context,
): OfferedKey | undefined {
  const ofKind = (offers: AmdOffers) => offers.keys.filter((k) => k.kind === report.signingKey)
  const [first, ...more] = ofKind(evidence)
  if (first !== undefined) return bestFor(report, [first, ...more], context) ?? first
  const held = offersInCollateral(collateral)
  return bestFor(report, ofKind(held), context) ?? evidence.keys[0] ?? keysOfChip(report, held.keys)[0]
}

function certified(key: OfferedKey): VekExtensions | undefined {
  const extensions = vekExtensions(key.value)
  return extensions.ok ? extensions.value : undefined
}

/** Keys certified for the chip that the report names; none where it masks the chip. */
function keysOfChip({ chipId }: SnpReport, keys: readonly OfferedKey[]): readonly OfferedKey[] {
  if (isZero(chipId)) return []
  return keys.filter((k) => {
    const hwId = certified(k)?.hwId
    return hwId !== undefined && equalBytes(hwId, chipId.subarray(0, hwId.length))
  })
}

function bestFor(report: SnpReport, keys: readonly OfferedKey[], context: Context): OfferedKey | undefined {
  const isExact = (k: OfferedKey): boolean => {
    const tcb = certified(k)?.tcb
    return tcb !== undefined && differingComponents(tcb, report.reportedTcb).length === 0
  }
  if (report.signingKey === 'vlek' || isZero(report.chipId)) {
    return sole(keys.filter(isExact), context) ?? sole(keys, context)
  }
  const ofChip = keysOfChip(report, keys)
  return current(ofChip.filter(isExact), context) ?? current(ofChip, context) ?? sole(keys, context)
}

/** AMD issues a certificate anew for every request, so one key may have several: one in date is preferred. */
const current = (keys: readonly OfferedKey[], { now }: Context): OfferedKey | undefined =>
  keys.find((k) => k.value.notBefore <= now && now <= k.value.notAfter) ?? keys[0]

/** The one key that is offered; undefined where there are several and nothing tells which. */
const sole = (keys: readonly OfferedKey[], context: Context): OfferedKey | undefined =>
  keys.every((k) => equalBytes(k.value.publicKey.spki, keys[0]?.value.publicKey.spki ?? new Uint8Array()))
    ? current(keys, context)
    : undefined

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
 * Ends it with a code of `validatePath` · X509_KEY_SIZE · X509_KEY_UNSUPPORTED · X509_VALIDITY · X509_REVOKED · SNP_VCEK_EXTENSION_INVALID ·
 * SNP_SIGNER_KIND_MISMATCH · SNP_PRODUCT_MISMATCH · CRL_SIGNATURE_INVALID · CRL_UNSUPPORTED.
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
  if (!outcome.ok)
    checkPresentedNames(
      certificates,
      authority === undefined ? evidence.authorities.map((a) => a.value) : evidence.roots,
    )
  const path = take(outcome)

  const { extensions, product } = checkKeyCertificate(key, path)
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
  const kind = extensions.cspId === undefined ? 'vcek' : 'vlek'
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
  const [first, ...more] = named(evidence)
  if (first !== undefined && more.length === 0) return first
  const payer = first === undefined ? 'collateral' : 'evidence'
  for (const candidate of first === undefined ? named(held) : [first, ...more]) {
    if (await isSignedStructure(context, payer, key, candidate.value.publicKey)) return candidate
  }
  return first
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

const KIND_OF_ROLE: Partial<Record<AnchorRole, KeyKind>> = { 'amd/ask': 'vcek', 'amd/asvk': 'vlek' }

function checkKeyCertificate(key: OfferedKey, path: ValidatedPath): { extensions: VekExtensions; product: AmdProduct } {
  const certificate = key.value
  const { publicKey } = certificate
  if (publicKey.kind !== 'ec' || publicKey.curve !== 'P-384') {
    refuse('X509_KEY_UNSUPPORTED', 'chain[0]', {
      expected: 'P-384',
      actual: publicKey.kind === 'ec' ? publicKey.curve : `RSA of ${publicKey.modulusBits} bits`,
    })
  }
  const extensions = take(vekExtensions(certificate))
  const issuer = issuerNamed(certificate)
  const kinds = {
    subject: namedKind(certificate),
    issuer: path.certificates.length === 1 ? KIND_OF_ROLE[path.anchor.role] : issuer?.kind,
    extensions: extensions.cspId === undefined ? 'vcek' : 'vlek',
    place: key.kind,
  } as const
  for (const [of, kind] of Object.entries(kinds)) {
    if (kind === undefined || kind !== kinds.extensions) {
      refuse('SNP_SIGNER_KIND_MISMATCH', `chain[0].${of}`, {
        expected: kinds.extensions,
        actual: `${kind ?? 'neither'}: ${nameText(certificate.subject)} under ${nameText(certificate.issuer)}`,
      })
    }
  }
  const product = commonProduct(extensions, issuer?.product, path)
  const { structVersion } = PRODUCT_FACTS[product]
  if (extensions.structVersion !== structVersion) {
    refuse('SNP_VCEK_EXTENSION_INVALID', 'vek.structVersion', {
      expected: `${structVersion} for ${product}`,
      actual: extensions.structVersion,
    })
  }
  return { extensions, product }
}

/** Kind and product in the name of an ASK (`SEV-Genoa`) or ASVK (`SEV-VLEK-Genoa`). */
function issuerNamed(certificate: Certificate): { kind: KeyKind; product: string } | undefined {
  const [, vlek, product = ''] = /^SEV-(VLEK-)?([A-Za-z0-9]+)$/.exec(commonName(certificate.issuer) ?? '') ?? []
  return product === '' ? undefined : { kind: vlek === undefined ? 'vcek' : 'vlek', product }
}

/** Key, ASK and ARK must name one product line; an anchor that states none is asked for its name. */
function commonProduct(extensions: VekExtensions, issuer: string | undefined, path: ValidatedPath): AmdProduct {
  const arkName =
    path.certificates.length === 1
      ? undefined
      : commonName(path.certificates[path.certificates.length - 1]?.issuer ?? path.certificates[0].issuer)
  const root = path.anchor.product ?? arkName?.replace(/^ARK-/, '') ?? issuer
  const { product } = extensions
  if (product === undefined || product !== issuer || product !== root || !isAmdProduct(product)) {
    return refuse('SNP_PRODUCT_MISMATCH', 'chain[0].productName', {
      expected: `${issuer} (issuer), ${root} (root)`,
      actual: extensions.productName,
    })
  }
  return product
}
