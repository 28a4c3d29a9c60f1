import { equalBytes } from '../bytes.ts'
import type { SignatureAlgorithm } from '../crypto/port.ts'
import {
  bitStringBytes,
  context,
  type Der,
  DerSequence,
  decodeDer,
  oidText,
  smallInteger,
  TAG,
  timeOf,
} from '../der.ts'
import { toHex } from '../encodings.ts'
import { attempt, type Outcome, refuse, take } from '../outcome.ts'
import type { UnixSeconds } from '../time.ts'
import { decodePublicKey, decodeSignatureAlgorithm, type PublicKeyInfo } from './algorithms.ts'
import { decodeName, type Name } from './names.ts'

export interface Extension {
  readonly oid: string
  readonly critical: boolean
  /** content of the OCTET STRING; DER for every extension but AMD's hwID */
  readonly value: Uint8Array
}

/** A decoded certificate: nothing in it is proved until a path to a pinned anchor holds. */
export interface Certificate {
  readonly der: Uint8Array
  readonly tbs: Uint8Array
  /** content octets of the serial number, lower-case hex; `00` for zero */
  readonly serial: string
  readonly algorithm: SignatureAlgorithm
  readonly signature: Uint8Array
  readonly issuer: Name
  readonly subject: Name
  readonly notBefore: UnixSeconds
  readonly notAfter: UnixSeconds
  readonly publicKey: PublicKeyInfo
  readonly extensions: ReadonlyMap<string, Extension>
  readonly basicConstraints: { readonly ca: boolean; readonly pathLength?: number } | undefined
  /** undefined where the extension is absent */
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined
  readonly extendedKeyUsage: readonly string[] | undefined
}

export type KeyUsage = 'digitalSignature' | 'keyEncipherment' | 'keyAgreement' | 'keyCertSign' | 'cRLSign' | 'other'

export const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  cRLDistributionPoints: '2.5.29.31',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
} as const

/**
 * Decodes one X.509 v3 certificate from strict DER.
 * @returns the certificate, or a DER_* code, X509_MALFORMED · X509_ALGORITHM_MISMATCH · X509_ALGORITHM_FORBIDDEN ·
 * X509_EXTENSION_DUPLICATE · X509_KEY_UNSUPPORTED · X509_KEY_INVALID · X509_KEY_SIZE
 * @see RFC 5280 §4.1
 */
export function decodeCertificate(der: Uint8Array, path: string): Outcome<Certificate> {
  return attempt(() => {
    const malformed = (what: string): never => refuse('X509_MALFORMED', path, { actual: what })
    const outer = new DerSequence(take(decodeDer(der, path)), TAG.sequence, malformed)
    const tbsDer = outer.next('tbsCertificate', TAG.sequence)
    const outerAlgorithm = outer.next('signatureAlgorithm', TAG.sequence)
    const signature = bitStringBytes(outer.next('signature', TAG.bitString)) ?? malformed('signature with unused bits')
    outer.end('certificate')

    const tbs = new DerSequence(tbsDer, TAG.sequence, malformed)
    const [version, more] = tbs.next('version', context(0, 'constructed')).children
    if (version === undefined || more !== undefined || version.tag !== TAG.integer || smallInteger(version) !== 2) {
      malformed('version other than 3')
    }
    const serial = tbs.next('serialNumber', TAG.integer).content
    const innerAlgorithm = tbs.next('signature', TAG.sequence)
    if (!equalBytes(innerAlgorithm.bytes, outerAlgorithm.bytes)) refuse('X509_ALGORITHM_MISMATCH', path)
    const algorithm = decodeSignatureAlgorithm(outerAlgorithm, path)
    const issuer = decodeName(tbs.next('issuer', TAG.sequence), malformed)
    const validity = new DerSequence(tbs.next('validity', TAG.sequence), TAG.sequence, malformed)
    const notBefore = timeOf(validity.next('notBefore')) ?? malformed('notBefore')
    const notAfter = timeOf(validity.next('notAfter')) ?? malformed('notAfter')
    validity.end('validity')
    const subject = decodeName(tbs.next('subject', TAG.sequence), malformed)
    const publicKey = decodePublicKey(tbs.next('subjectPublicKeyInfo', TAG.sequence), path)
    const extensions = decodeExtensions(tbs.optional(context(3, 'constructed')), path, malformed)
    tbs.end('tbsCertificate')
    return {
      der,
      tbs: tbsDer.bytes,
      serial: toHex(serial),
      algorithm,
      signature,
      issuer,
      subject,
      notBefore,
      notAfter,
      publicKey,
      extensions,
      basicConstraints: basicConstraints(extensions, path, malformed),
      keyUsage: keyUsage(extensions, path, malformed),
      extendedKeyUsage: extendedKeyUsage(extensions, path, malformed),
    }
  })
}

type Malformed = (what: string) => never

/** Extensions of a certificate, CRL or OCSP structure, wrapped in their explicit tag. Duplicates are refused. */
export function decodeExtensions(
  wrapper: Der | undefined,
  path: string,
  malformed: Malformed,
): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>()
  if (wrapper === undefined) return extensions
  const [list, more] = wrapper.children
  if (list === undefined || more !== undefined) return malformed('extensions')
  const entries = new DerSequence(list, TAG.sequence, malformed).rest()
  if (entries.length === 0) malformed('empty list of extensions')
  for (const entry of entries) {
    const fields = new DerSequence(entry, TAG.sequence, malformed)
    const oid = oidText(fields.next('extension id', TAG.oid))
    const flag = fields.optional(TAG.boolean)
    if (flag !== undefined && flag.content[0] === 0) malformed(`${oid}: default value written out`)
    const value = fields.next('extension value', TAG.octetString).content
    fields.end('extension')
    if (extensions.has(oid)) refuse('X509_EXTENSION_DUPLICATE', path, { actual: oid })
    extensions.set(oid, { oid, critical: flag !== undefined, value })
  }
  return extensions
}

function inner(extensions: ReadonlyMap<string, Extension>, oid: string, path: string): Der | undefined {
  const extension = extensions.get(oid)
  return extension === undefined ? undefined : take(decodeDer(extension.value, `${path}.${oid}`))
}

function basicConstraints(extensions: ReadonlyMap<string, Extension>, path: string, malformed: Malformed) {
  const der = inner(extensions, EXTENSION.basicConstraints, path)
  if (der === undefined) return undefined
  const fields = new DerSequence(der, TAG.sequence, malformed)
  const ca = fields.optional(TAG.boolean)?.content[0] === 0xff
  const limit = fields.optional(TAG.integer)
  fields.end('basicConstraints')
  if (limit === undefined) return { ca }
  const pathLength = smallInteger(limit)
  if (pathLength === undefined || !ca) return malformed('pathLenConstraint')
  return { ca, pathLength }
}

const USAGE_BITS: readonly KeyUsage[] = [
  'digitalSignature',
  'other',
  'keyEncipherment',
  'other',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'other',
  'other',
]

function keyUsage(
  extensions: ReadonlyMap<string, Extension>,
  path: string,
  malformed: Malformed,
): ReadonlySet<KeyUsage> | undefined {
  const der = inner(extensions, EXTENSION.keyUsage, path)
  if (der === undefined) return undefined
  if (der.tag !== TAG.bitString || der.content.length < 2 || der.content.length > 3) return malformed('keyUsage')
  return new Set(USAGE_BITS.filter((_, i) => ((der.content[1 + (i >> 3)] ?? 0) & (0x80 >> (i & 7))) !== 0))
}

function extendedKeyUsage(
  extensions: ReadonlyMap<string, Extension>,
  path: string,
  malformed: Malformed,
): readonly string[] | undefined {
  const der = inner(extensions, EXTENSION.extKeyUsage, path)
  if (der === undefined) return undefined
  const purposes = new DerSequence(der, TAG.sequence, malformed).rest()
  if (purposes.length === 0) malformed('extKeyUsage')
  return purposes.map((p) => (p.tag === TAG.oid ? oidText(p) : malformed('extKeyUsage')))
}
