import { createHash, createHmac } from 'node:crypto'
import { concatBytes } from '../../core/bytes.ts'
import { toBase64 } from '../../core/encodings.ts'
import { tlvAt, tlvsIn } from '../pki/der.ts'
import type { TestKey } from '../pki/keys.ts'
import { subjectPublicKey } from '../pki/spki.ts'
import { must } from './bytes.ts'
import { C14N, type Canonicalization, canonical, DSIG, type NodeSelection } from './xml.ts'

const MORE = 'http://www.w3.org/2001/04/xmldsig-more#'

/** Digest algorithms by node:crypto's name (RFC 9231). */
export const DIGEST_URI = {
  sha384: `${MORE}sha384`,
  sha256: 'http://www.w3.org/2001/04/xmlenc#sha256',
  sha1: `${DSIG}sha1`,
  md5: `${MORE}md5`,
} as const
export type XmlDigest = keyof typeof DIGEST_URI

const digest = (hash: XmlDigest, octets: string | Uint8Array): string =>
  createHash(hash).update(octets).digest('base64')

/** A signature algorithm: its identifier, parameters inside SignatureMethod, and how the octets are signed. */
export interface XmlSignatureMethod {
  readonly uri: string
  readonly parameters?: string
  readonly sign: (octets: Uint8Array) => Uint8Array
}

/** ECDSA with r ‖ s as the signature value (RFC 9231 §2.3.6). */
export const ecdsa = (key: TestKey, hash: 'sha384' | 'sha256' | 'sha1' = 'sha384'): XmlSignatureMethod => ({
  uri: `${MORE}ecdsa-${hash}`,
  sign: (octets) => (hash === 'sha1' ? rawOf(key.sign(octets, { hash })) : key.signRaw(octets, hash)),
})

/** RSASSA-PKCS1-v1_5. */
export const rsa = (key: TestKey, hash: 'sha384' | 'sha256' | 'sha1'): XmlSignatureMethod => ({
  uri: hash === 'sha1' ? `${DSIG}rsa-sha1` : `${MORE}rsa-${hash}`,
  sign: (octets) => key.sign(octets, { scheme: 'pkcs1', hash }),
})

/** HMAC with a secret everybody knows, optionally cut to `bits`. */
export const hmac = (secret: Uint8Array, bits?: number): XmlSignatureMethod => ({
  uri: `${MORE}hmac-sha384`,
  ...(bits !== undefined && { parameters: `<ds:HMACOutputLength>${bits}</ds:HMACOutputLength>` }),
  sign: (octets) => new Uint8Array(createHmac('sha384', secret).update(octets).digest()).slice(0, (bits ?? 384) / 8),
})

function rawOf(der: Uint8Array): Uint8Array {
  const scalars = tlvsIn(tlvAt(der, 0).content).map((part) => tlvAt(part, 0).content)
  return concatBytes(...scalars.map((scalar) => concatBytes(new Uint8Array(48), scalar).slice(-48)))
}

export const ENVELOPED = `<ds:Transform Algorithm="${DSIG}enveloped-signature"/>`
export const c14nTransform = (form: Canonicalization): string => `<ds:Transform Algorithm="${C14N[form].uri}"/>`

/** A Reference, and what its digest is made of: the canonical form of a selection, or octets of any origin. */
export interface XmlReference {
  /** Left out of the element where undefined. */
  readonly uri: string | undefined
  /** Transform elements as written. */
  readonly transforms: readonly string[]
  readonly digest: XmlDigest
  readonly over:
    | { readonly form: Canonicalization; readonly selection: NodeSelection }
    | { readonly octets: string | Uint8Array }
}

export interface XmlSignature {
  readonly canonicalization: Canonicalization
  readonly method: XmlSignatureMethod
  readonly references: readonly XmlReference[]
  /** Content of KeyInfo as written. */
  readonly keyInfo: string
  /** What follows KeyInfo inside the Signature element. */
  readonly objects?: string
  /** Rewrites the canonical text of a reference before it is digested, for documents libxml2 would not hold. */
  readonly splice?: (canonicalText: string) => string
}

const UNSIGNED = 'signature-value-to-be'

/** The signature being made, for selections that leave it out. */
export const THIS_SIGNATURE = `//ds:Signature[ds:SignatureValue='${UNSIGNED}']`

/** The whole document without the signature being made. */
export const ENVELOPED_DOCUMENT: NodeSelection = { without: [THIS_SIGNATURE] }

/** The Reference real manifests carry. */
export const wholeDocument = (form: Canonicalization = 'c14n-1.1', hash: XmlDigest = 'sha384'): XmlReference => ({
  uri: '',
  transforms: [ENVELOPED, c14nTransform(form)],
  digest: hash,
  over: { form, selection: ENVELOPED_DOCUMENT },
})

/**
 * Signs the document that `render` makes around a Signature element (XML Signature 1.1 §3.1): digests first, then the
 * canonical SignedInfo as it stands in the document.
 */
export function signXml(render: (signature: string) => string, of: XmlSignature): string {
  const element = (digests: readonly string[], value: string) => signatureElement(of, digests, value)
  const bare = render(
    element(
      of.references.map(() => ''),
      UNSIGNED,
    ),
  )
  const digests = of.references.map((reference) => {
    if ('octets' in reference.over) return digest(reference.digest, reference.over.octets)
    const text = canonical(bare, reference.over.form, reference.over.selection)
    return digest(reference.digest, of.splice?.(text) ?? text)
  })
  const signedInfo = canonical(render(element(digests, UNSIGNED)), of.canonicalization, {
    element: `${THIS_SIGNATURE}/ds:SignedInfo`,
  })
  return render(element(digests, toBase64(of.method.sign(new TextEncoder().encode(signedInfo)))))
}

function signatureElement(of: XmlSignature, digests: readonly string[], value: string): string {
  const references = of.references.map((reference, i) => referenceElement(reference, must(digests[i], 'digest')))
  const { uri, parameters } = of.method
  const method =
    parameters === undefined ? `Algorithm="${uri}"/>` : `Algorithm="${uri}">${parameters}</ds:SignatureMethod>`
  return [
    `<ds:Signature xmlns:ds="${DSIG}"><ds:SignedInfo>`,
    `<ds:CanonicalizationMethod Algorithm="${C14N[of.canonicalization].uri}"/>`,
    `<ds:SignatureMethod ${method}`,
    ...references,
    `</ds:SignedInfo><ds:SignatureValue>${value}</ds:SignatureValue>`,
    `<ds:KeyInfo>${of.keyInfo}</ds:KeyInfo>${of.objects ?? ''}</ds:Signature>`,
  ].join('')
}

function referenceElement(of: XmlReference, digestValue: string): string {
  const transforms = of.transforms.length === 0 ? '' : `<ds:Transforms>${of.transforms.join('')}</ds:Transforms>`
  return [
    of.uri === undefined ? '<ds:Reference>' : `<ds:Reference URI="${of.uri}">`,
    transforms,
    `<ds:DigestMethod Algorithm="${DIGEST_URI[of.digest]}"/>`,
    `<ds:DigestValue>${digestValue}</ds:DigestValue></ds:Reference>`,
  ].join('')
}

/** X509Data with these certificates, in lines of 64 characters as NVIDIA's signer writes them. */
export function x509Data(certificates: readonly Uint8Array[]): string {
  const one = (der: Uint8Array) =>
    `<ds:X509Certificate>${toBase64(der).replace(/.{1,64}/g, '$&\n')}</ds:X509Certificate>`
  return `<ds:X509Data>${certificates.map(one).join('')}</ds:X509Data>`
}

/** KeyValue with a bare public key: the way to have a signature checked with a key that no certificate vouches for. */
export function keyValue(key: TestKey): string {
  if (key.publicPoint !== undefined) {
    const curve = key.kind === 'P-256' ? '1.2.840.10045.3.1.7' : '1.3.132.0.34'
    const point = `<dsig11:NamedCurve URI="urn:oid:${curve}"/><dsig11:PublicKey>${toBase64(key.publicPoint)}</dsig11:PublicKey>`
    return `<ds:KeyValue><dsig11:ECKeyValue xmlns:dsig11="http://www.w3.org/2009/xmldsig11#">${point}</dsig11:ECKeyValue></ds:KeyValue>`
  }
  const [modulus, exponent] = tlvsIn(tlvAt(subjectPublicKey(key.spki), 0).content).map((part) =>
    magnitude(tlvAt(part, 0).content),
  )
  const parts = `<ds:Modulus>${modulus}</ds:Modulus><ds:Exponent>${exponent}</ds:Exponent>`
  return `<ds:KeyValue><ds:RSAKeyValue>${parts}</ds:RSAKeyValue></ds:KeyValue>`
}

const magnitude = (integer: Uint8Array): string => toBase64(integer[0] === 0 ? integer.subarray(1) : integer)

/** DEREncodedKeyValue (XML Signature 1.1 §4.5.9). */
export const derEncodedKeyValue = (key: TestKey): string =>
  `<dsig11:DEREncodedKeyValue xmlns:dsig11="http://www.w3.org/2009/xmldsig11#">${toBase64(key.spki)}</dsig11:DEREncodedKeyValue>`
