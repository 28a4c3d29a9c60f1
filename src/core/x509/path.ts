import { equalBytes, latin1 } from '../bytes.ts'
import type { Context, Payer } from '../context.ts'
import type { SignatureAlgorithm } from '../crypto/port.ts'
import { context as contextTag, type Der, decodeDer } from '../der.ts'
import { attemptAsync, type NonEmpty, type Outcome, refuse, take } from '../outcome.ts'
import { toRfc3339 } from '../time.ts'
import type { TrustAnchor } from '../trust-anchors.ts'
import { decodePublicKey, keyFits, type PublicKeyInfo, portSignature } from './algorithms.ts'
import { type Certificate, EXTENSION } from './certificate.ts'
import { ChainMemo } from './chain-memo.ts'
import { nameText, sameName } from './names.ts'

/** What one vendor's hierarchy must look like. Every member is a rule; none can be left out. */
export interface PathProfile {
  readonly algorithms: NonEmpty<SignatureAlgorithm>
  /** the leaf must carry the bit. `absent`: the vendor's leaves carry no key usage (AMD). */
  readonly leafKeyUsage: 'digitalSignature' | 'keyEncipherment' | 'keyAgreement' | 'absent'
  /** extensions that may be critical beside basicConstraints and keyUsage */
  readonly knownCritical: readonly string[]
  /** hosts, or forms of hosts, that this vendor's certificates may name for revocation; nothing is fetched from any of them */
  readonly hosts: NonEmpty<string | RegExp>
}

/** A path whose every link verified and whose top is signed by a pinned anchor. Leaf first; the anchor is not in it. */
export interface ValidatedPath {
  readonly certificates: NonEmpty<Certificate>
  readonly anchor: TrustAnchor
  /** what its hierarchy signs with */
  readonly algorithms: PathProfile['algorithms']
}

/**
 * Orders certificates from `leaf` towards an anchor by issuer name. Offered self-issued certificates are never steps: they
 * are either the anchor itself, which we know better, or an impostor.
 */
export function orderPath(leaf: Certificate, offered: readonly Certificate[]): NonEmpty<Certificate> {
  const path: [Certificate, ...Certificate[]] = [leaf]
  for (let top = leaf; path.length <= offered.length; ) {
    const issuer = offered.find(
      (c) => sameName(c.subject, top.issuer) && !sameName(c.subject, c.issuer) && !path.includes(c),
    )
    if (issuer === undefined) break
    path.push(issuer)
    top = issuer
  }
  return path
}

/**
 * Validates a path that is given in order, leaf first, up to but without the anchor's own certificate: names, CA bit, path
 * length, key usage, critical extensions, algorithms, every signature, and the pinned anchor at its top. Dates and
 * revocation come after (`checkValidity`, and the vendor's revocation).
 * @param offeredRoots self-issued certificates that came with the path, so that an impostor is named as one
 * @returns the path, or X509_ROOT_UNTRUSTED · X509_NAME_CHAIN · X509_NOT_CA · X509_LEAF_IS_CA · X509_PATH_LENGTH ·
 * X509_KEY_USAGE · X509_CRITICAL_EXTENSION · ENV_FETCH_FROM_INPUT · X509_ALGORITHM_FORBIDDEN · X509_SIGNATURE_INVALID
 * @see RFC 5280 §6.1
 */
export function validatePath(
  context: Context,
  payer: Payer,
  certificates: NonEmpty<Certificate>,
  offeredRoots: readonly Certificate[],
  anchors: readonly TrustAnchor[],
  profile: PathProfile,
  path: string,
): Promise<Outcome<ValidatedPath>> {
  return attemptAsync(async () => {
    const isKnown = fitting.get(certificates) === profile
    if (!isKnown) checkNames(certificates, path)
    const top = certificates[certificates.length - 1] ?? certificates[0]
    const named = anchors.filter((a) => equalBytes(a.subject, top.issuer.der))
    if (named.length === 0) {
      refuse('X509_ROOT_UNTRUSTED', `${path}[${certificates.length - 1}].issuer`, { actual: nameText(top.issuer) })
    }
    if (!isKnown) {
      for (const [i, certificate] of certificates.entries()) checkRole(certificate, i, profile, `${path}[${i}]`)
      fitting.set(certificates, profile)
    }

    const anchor = await anchorOf(context, payer, top, named)
    const links = await Promise.all(
      certificates.map((c, i) => {
        const issuer = certificates[i + 1]
        return issuer === undefined ? anchor !== undefined : isSignedStructure(context, payer, c, issuer.publicKey)
      }),
    )
    const broken = links.indexOf(false)
    if (broken >= 0) {
      const impostor = offeredRoots.find(
        (r) => sameName(r.subject, top.issuer) && !named.some((a) => equalBytes(a.spki, r.publicKey.spki)),
      )
      const underAnchor = broken === certificates.length - 1
      if (underAnchor && impostor !== undefined) {
        refuse('X509_ROOT_UNTRUSTED', `${path}[${broken}].issuer`, {
          expected: `${named[0]?.id} with its pinned key`,
          actual: `another key under the name ${nameText(impostor.subject)}`,
        })
      }
      refuse('X509_SIGNATURE_INVALID', `${path}[${broken}]`, {
        actual: nameText(certificates[broken]?.subject ?? top.subject),
      })
    }
    if (anchor === undefined) throw new TypeError('a path without broken link has an anchor')
    return { certificates, anchor, algorithms: profile.algorithms }
  })
}

/** Chains whose names and roles fit a vendor's profile. */
const fitting = new ChainMemo<PathProfile>()

function checkNames(certificates: NonEmpty<Certificate>, path: string): void {
  for (const [i, certificate] of certificates.entries()) {
    const above = certificates[i + 1]
    if (above !== undefined && !sameName(certificate.issuer, above.subject)) {
      refuse('X509_NAME_CHAIN', `${path}[${i}].issuer`, {
        expected: nameText(above.subject),
        actual: nameText(certificate.issuer),
      })
    }
  }
}

/** The first of the anchors `named` like the issuer of `top` that signed it; none where it is nobody's. */
export async function anchorOf(
  context: Context,
  payer: Payer,
  top: Certificate,
  named: readonly TrustAnchor[],
): Promise<TrustAnchor | undefined> {
  // Whoever injects an anchor expects it to be used: asked first, it saves the check under the pinned one of that name.
  for (const anchor of [...named].sort((a, b) => Number(b.injected) - Number(a.injected))) {
    if (await isSignedStructure(context, payer, top, anchorKey(anchor))) return anchor
  }
  return undefined
}

/** By the SPKI: injected anchors are marked copies that share it. */
const anchorKeys = new WeakMap<Uint8Array, PublicKeyInfo>()

/** The key of an anchor; anchors are ours, so one that does not decode is a programmer's error. */
export function anchorKey(anchor: TrustAnchor): PublicKeyInfo {
  const known = anchorKeys.get(anchor.spki)
  if (known !== undefined) return known
  const key = decodePublicKey(take(decodeDer(anchor.spki, anchor.id)), anchor.id)
  anchorKeys.set(anchor.spki, key)
  return key
}

/** Verifies the signature of a certificate, CRL or OCSP answer with a key whose kind fits the algorithm. */
export function isSignedStructure(
  context: Context,
  payer: Payer,
  structure: { readonly tbs: Uint8Array; readonly signature: Uint8Array; readonly algorithm: SignatureAlgorithm },
  key: PublicKeyInfo,
): Promise<boolean> {
  const signature = keyFits(key, structure.algorithm) ? portSignature(key, structure.signature) : undefined
  if (signature === undefined) return Promise.resolve(false)
  return context.verify(payer, structure.algorithm, key.spki, structure.tbs, signature, 'remember')
}

function checkRole(certificate: Certificate, depth: number, profile: PathProfile, path: string): void {
  if (!profile.algorithms.includes(certificate.algorithm)) {
    refuse('X509_ALGORITHM_FORBIDDEN', path, { expected: profile.algorithms.join(', '), actual: certificate.algorithm })
  }
  const { basicConstraints, keyUsage } = certificate
  if (depth === 0) {
    if (basicConstraints?.ca === true) refuse('X509_LEAF_IS_CA', path, { actual: nameText(certificate.subject) })
    const fits =
      profile.leafKeyUsage === 'absent' ? keyUsage === undefined : keyUsage?.has(profile.leafKeyUsage) === true
    if (!fits) refuse('X509_KEY_USAGE', path, { expected: profile.leafKeyUsage })
  } else {
    if (basicConstraints?.ca !== true) refuse('X509_NOT_CA', path, { actual: nameText(certificate.subject) })
    const limit = basicConstraints.pathLength
    if (limit !== undefined && depth - 1 > limit) {
      refuse('X509_PATH_LENGTH', path, { expected: `at most ${limit} CAs below`, actual: `${depth - 1}` })
    }
    if (keyUsage?.has('keyCertSign') !== true) refuse('X509_KEY_USAGE', path, { expected: 'keyCertSign' })
  }
  for (const extension of certificate.extensions.values()) {
    const understood =
      extension.oid === EXTENSION.basicConstraints ||
      extension.oid === EXTENSION.keyUsage ||
      profile.knownCritical.includes(extension.oid)
    if (extension.critical && !understood) refuse('X509_CRITICAL_EXTENSION', path, { actual: extension.oid })
  }
  checkHosts(certificate, profile.hosts, path)
}

/** Addresses are never followed; one that the vendor does not use says that the certificate is not the vendor's work. */
function checkHosts(certificate: Certificate, hosts: PathProfile['hosts'], path: string): void {
  for (const { oid, address } of addressesOf(certificate, path)) {
    const host = /^https?:\/\/([a-z0-9.-]+)(\/|$)/.exec(address)?.[1]
    if (host === undefined || !hosts.some((known) => (typeof known === 'string' ? known === host : known.test(host)))) {
      refuse('ENV_FETCH_FROM_INPUT', `${path}.${oid}`, { expected: hosts.join(', '), actual: address })
    }
  }
}

interface Address {
  readonly oid: string
  readonly address: string
}

function addressesOf(certificate: Certificate, path: string): readonly Address[] {
  return [EXTENSION.authorityInfoAccess, EXTENSION.cRLDistributionPoints].flatMap((oid) => {
    const value = certificate.extensions.get(oid)?.value
    if (value === undefined) return []
    return uniformResourceIdentifiers(take(decodeDer(value, `${path}.${oid}`))).map((address) => ({ oid, address }))
  })
}

const URI = contextTag(6, 'primitive')

/** GeneralName [6], wherever it stands in the extension. */
function uniformResourceIdentifiers(der: Der): string[] {
  return der.tag === URI ? [latin1(der.content)] : der.children.flatMap(uniformResourceIdentifiers)
}

/**
 * Every certificate of the path, and the anchor, is within its dates at the time of judgement (both ends included).
 * Ends the surrounding `attempt` with X509_VALIDITY.
 */
export function checkValidity(context: Context, validated: ValidatedPath, path: string): void {
  for (const [i, c] of [...validated.certificates, validated.anchor].entries()) {
    if (context.now < c.notBefore || context.now > c.notAfter) {
      refuse('X509_VALIDITY', i < validated.certificates.length ? `${path}[${i}]` : validated.anchor.id, {
        expected: `${toRfc3339(c.notBefore)} to ${toRfc3339(c.notAfter)}`,
        actual: toRfc3339(context.now),
      })
    }
  }
}
