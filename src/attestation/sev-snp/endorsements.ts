import type { Context } from '../../core/context.ts'
import { LIMITS } from '../../core/limits.ts'
import { attempt, attemptAsync, type Fault, fail, failed, type Outcome, refuse, take } from '../../core/outcome.ts'
import { decodePem, looksLikePem } from '../../core/pem.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import { commonName, nameText, sameName } from '../../core/x509/names.ts'
import type { CollateralSet, Held } from '../collateral.ts'
import { decodeCertificateTable, type TableEntry } from './certificate-table.ts'
import { AMD_EXTENSION_ARC } from './vek-extensions.ts'

export type KeyKind = 'vcek' | 'vlek'

/** A certificate offered as the one of the signing key. */
export interface OfferedKey extends Held<Certificate> {
  /** what its place in the certificate table says it is, else what its name says; undefined where neither does */
  readonly kind: KeyKind | undefined
}

/** Certificates that were offered, by what they claim to be. None of them is trusted. */
export interface AmdOffers {
  readonly keys: readonly OfferedKey[]
  /** neither keys nor self-issued: ASK or ASVK */
  readonly authorities: readonly Held<Certificate>[]
  /** self-issued: never a step of a path, only there so that an impostor can be named */
  readonly roots: readonly Certificate[]
}

const KEY_NAMES: ReadonlyMap<string | undefined, KeyKind> = new Map([
  ['SEV-VCEK', 'vcek'],
  ['SEV-VLEK', 'vlek'],
])

/** Kind of key that a certificate's subject names (AMD 57230, 58369). */
export const namedKind = (certificate: Certificate): KeyKind | undefined =>
  KEY_NAMES.get(commonName(certificate.subject))

interface Offer extends Held<Certificate> {
  readonly slot: KeyKind | undefined
}

function sortOffers(offers: readonly Offer[]): AmdOffers {
  const keys: OfferedKey[] = []
  const authorities: Held<Certificate>[] = []
  const roots: Certificate[] = []
  for (const { slot, value, sha256 } of offers) {
    const kind = slot ?? namedKind(value)
    if (kind !== undefined || hasAmdExtension(value)) keys.push({ kind, value, sha256 })
    else if (sameName(value.subject, value.issuer)) roots.push(value)
    else authorities.push({ value, sha256 })
  }
  return { keys, authorities, roots }
}

const hasAmdExtension = (certificate: Certificate): boolean =>
  [...certificate.extensions.keys()].some((oid) => oid.startsWith(AMD_EXTENSION_ARC))

const sorted = new WeakMap<CollateralSet, AmdOffers>()

/** AMD certificates of the collateral, sorted once per set. */
export function offersInCollateral(collateral: CollateralSet): AmdOffers {
  const known =
    sorted.get(collateral) ?? sortOffers(collateral.certificates.map((held) => ({ ...held, slot: undefined })))
  sorted.set(collateral, known)
  return known
}

/**
 * Certificates that travelled with a report: each endorsement is a certificate table (GHCB), PEM of one or more
 * certificates, or one certificate in DER. An empty endorsement offers nothing.
 * @returns the offers, or LIMIT_CERT_COUNT · LIMIT_EVIDENCE_BYTES · SNP_CERT_TABLE_* · SNP_VCEK_EXTENSION_INVALID ·
 * X509_ROOT_UNTRUSTED (an ARK entry that is no root) · PEM_INVALID · ENV_BASE64_NOT_CANONICAL · the codes of `decodeCertificate`
 */
export function offersInEvidence(
  context: Context,
  endorsements: readonly Uint8Array[],
  path: string,
): Promise<Outcome<AmdOffers>> {
  return attemptAsync(async () => {
    checkCount(endorsements.length, path)
    const offers: Offer[] = []
    for (const [i, endorsement] of endorsements.entries()) {
      offers.push(...take(await offersOf(context, endorsement, `${path}[${i}]`)))
      checkCount(offers.length, path)
    }
    return sortOffers(offers)
  })
}

function checkCount(count: number, path: string): void {
  if (count > LIMITS.certificatesPerChain) {
    refuse('LIMIT_CERT_COUNT', path, { expected: `at most ${LIMITS.certificatesPerChain}`, actual: count })
  }
}

/** Three certificates, as PEM or as a table. */
const MOST_ENDORSEMENT_BYTES = 16 * 1024

async function offersOf(context: Context, endorsement: Uint8Array, path: string): Promise<Outcome<readonly Offer[]>> {
  if (endorsement.length > LIMITS.evidenceBytes) {
    return fail('LIMIT_EVIDENCE_BYTES', path, { expected: LIMITS.evidenceBytes, actual: endorsement.length })
  }
  return context.decodeOnce('amd-endorsement', endorsement, MOST_ENDORSEMENT_BYTES, () =>
    attemptAsync(async () => {
      const bodies = take(bodiesOf(endorsement, path))
      checkCount(bodies.length, path)
      return Promise.all(bodies.map((body) => offer(context, body)))
    }),
  )
}

interface Body {
  readonly der: Uint8Array
  /** entry of the certificate table that it stands in */
  readonly entry: TableEntry | undefined
  readonly path: string
}

function bodiesOf(endorsement: Uint8Array, path: string): Outcome<readonly Body[]> {
  return attempt(() => {
    if (endorsement.length === 0) return []
    const free = (ders: readonly Uint8Array[]) =>
      ders.map((der, i) => ({ der, entry: undefined, path: `${path}[${i}]` }))
    if (looksLikePem(endorsement)) return free(certificatesInPem(endorsement, path))
    if (looksLikeCertificate(endorsement)) return free([endorsement])
    const table = take(decodeCertificateTable(endorsement, path))
    return [...table].map(([entry, body]) => {
      const at = `${path}.${entry}`
      return { der: looksLikePem(body) ? singleInPem(body, at) : body, entry, path: at }
    })
  })
}

/** A SEQUENCE whose length takes the long form, as that of every certificate does; no GUID that we read begins like that. */
const looksLikeCertificate = (bytes: Uint8Array): boolean => bytes[0] === 0x30 && (bytes[1] ?? 0) >= 0x80

function certificatesInPem(bytes: Uint8Array, path: string): readonly Uint8Array[] {
  return take(decodePem(bytes, path)).map(({ label, der }, i) =>
    label === 'CERTIFICATE' ? der : refuse('PEM_INVALID', `${path}[${i}]`, { expected: 'CERTIFICATE', actual: label }),
  )
}

function singleInPem(bytes: Uint8Array, path: string): Uint8Array {
  const [only, more] = certificatesInPem(bytes, path)
  if (only === undefined || more !== undefined) return refuse('PEM_INVALID', path, { expected: 'one certificate' })
  return only
}

async function offer(context: Context, { der, entry, path }: Body): Promise<Offer> {
  const outcome = await context.certificate(der, path)
  const value = take(outcome.ok ? outcome : failed([inAmdTerms(outcome.faults[0])]))
  if (entry === 'ark' && !sameName(value.subject, value.issuer)) {
    refuse('X509_ROOT_UNTRUSTED', path, { expected: 'a self-issued root', actual: nameText(value.subject) })
  }
  return {
    value,
    sha256: await context.ownDigest(value.der),
    slot: entry === 'vcek' || entry === 'vlek' ? entry : undefined,
  }
}

/** A repeated extension of AMD's own is told as what it is: two answers to what this key was made for. */
const inAmdTerms = (f: Fault): Fault =>
  f.code === 'X509_EXTENSION_DUPLICATE' && f.actual?.startsWith(AMD_EXTENSION_ARC) === true
    ? { ...f, code: 'SNP_VCEK_EXTENSION_INVALID', expected: 'each extension once' }
    : f
