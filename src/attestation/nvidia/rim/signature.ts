import type { Code } from '../../../core/codes.ts'
import { fromBase64 } from '../../../core/encodings.ts'
import { LIMITS } from '../../../core/limits.ts'
import { refuse } from '../../../core/outcome.ts'
import { attributeOf, elementsIn, isElement, isWhiteSpace, NAMESPACE, nodeText, type XmlElement } from './xml-tree.ts'

/** The one form of XML signature that NVIDIA makes; nothing is negotiated. */
const ALGORITHM = {
  canonicalization: 'http://www.w3.org/2006/12/xml-c14n11',
  signature: 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384',
  digest: 'http://www.w3.org/2001/04/xmldsig-more#sha384',
  transforms: ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', 'http://www.w3.org/2006/12/xml-c14n11'],
} as const

/** What a Signature element says. Nothing in it is proved. */
export interface RimSignature {
  readonly signedInfo: XmlElement
  /** r ‖ s of 96 bytes where it is what it should be */
  readonly signatureValue: Uint8Array
  /** DER in the order of the document; at least one */
  readonly certificates: readonly Uint8Array[]
}

/**
 * Reads a Signature element: SignedInfo, SignatureValue and a KeyInfo of one X509Data. Ends the surrounding `attempt` with
 * RIM_SIGNATURE_MALFORMED · RIM_SIGNER_NOT_BOUND · RIM_KEYINFO_FORBIDDEN · LIMIT_CERT_COUNT.
 * @see XML Signature 1.1 §4.1
 */
export function decodeSignature(signature: XmlElement, path: string): RimSignature {
  checkMarkup(signature, path)
  if (!isOurs(signature)) refuse('RIM_SIGNATURE_MALFORMED', path, { actual: 'another namespace' })
  const names = elementsIn(signature).map((e) => e.name)
  const [signedInfo, value, keyInfo] = children(signature, [], 'RIM_SIGNATURE_MALFORMED', path)
  const [first, second, third] = names
  const complete = first === 'SignedInfo' && second === 'SignatureValue' && third === 'KeyInfo' && names.length === 3
  if (!complete || signedInfo === undefined || value === undefined || keyInfo === undefined) {
    return refuse('RIM_SIGNATURE_MALFORMED', path, {
      expected: 'SignedInfo, SignatureValue, KeyInfo',
      actual: names.join(', '),
    })
  }
  return {
    signedInfo,
    signatureValue: base64Of(value, false, `${path}.SignatureValue`),
    certificates: certificatesOf(keyInfo, `${path}.KeyInfo`),
  }
}

/**
 * Reads SignedInfo, of the document as it came or of its canonical form: the fixed algorithms, and one Reference to the
 * whole document without its signature. Ends the surrounding `attempt` with RIM_SIGNATURE_MALFORMED ·
 * RIM_REFERENCE_INVALID · RIM_TRANSFORM_FORBIDDEN · RIM_ALGORITHM_FORBIDDEN.
 * @returns the SHA-384 that the document must have, 48 bytes
 */
export function decodeSignedInfo(signedInfo: XmlElement, path: string): Uint8Array {
  const parts = children(signedInfo, [], 'RIM_SIGNATURE_MALFORMED', path)
  const [canonicalization, method, ...references] = parts
  const named = canonicalization?.name === 'CanonicalizationMethod' && method?.name === 'SignatureMethod'
  if (!named || references.some((r) => r.name !== 'Reference')) {
    return refuse('RIM_SIGNATURE_MALFORMED', path, { actual: parts.map((e) => e.name).join(', ') })
  }
  const [reference] = references
  const uri = reference && attributeOf(reference, '', 'URI')
  if (reference === undefined || references.length > 1 || uri !== '') {
    return refuse('RIM_REFERENCE_INVALID', `${path}.Reference`, {
      expected: 'one Reference with URI=""',
      actual: references.length === 1 ? `URI ${uri ?? 'absent'}` : `${references.length} References`,
    })
  }
  const digest = decodeReference(reference, `${path}.Reference`)
  checkAlgorithm(canonicalization, ALGORITHM.canonicalization, `${path}.CanonicalizationMethod`)
  checkAlgorithm(method, ALGORITHM.signature, `${path}.SignatureMethod`)
  return digest
}

function decodeReference(reference: XmlElement, path: string): Uint8Array {
  const parts = children(reference, ['URI'], 'RIM_REFERENCE_INVALID', path)
  const transforms = parts[0]?.name === 'Transforms' ? parts[0] : undefined
  const [method, value, ...more] = transforms === undefined ? parts : parts.slice(1)
  const applied =
    transforms === undefined ? [] : children(transforms, [], 'RIM_TRANSFORM_FORBIDDEN', `${path}.Transforms`)
  const allowed =
    applied.length === ALGORITHM.transforms.length &&
    applied.every((t, i) => t.name === 'Transform' && isAlgorithm(t, ALGORITHM.transforms[i]))
  if (!allowed) {
    refuse('RIM_TRANSFORM_FORBIDDEN', `${path}.Transforms`, {
      expected: ALGORITHM.transforms.join(', '),
      actual: applied.map((t) => attributeOf(t, '', 'Algorithm') ?? t.name).join(', '),
    })
  }
  if (method?.name !== 'DigestMethod' || value?.name !== 'DigestValue' || more.length > 0) {
    return refuse('RIM_SIGNATURE_MALFORMED', path, { actual: parts.map((e) => e.name).join(', ') })
  }
  checkAlgorithm(method, ALGORITHM.digest, `${path}.DigestMethod`)
  const digest = base64Of(value, false, `${path}.DigestValue`)
  if (digest.length !== 48) {
    refuse('RIM_SIGNATURE_MALFORMED', `${path}.DigestValue`, { expected: '48 bytes', actual: `${digest.length} bytes` })
  }
  return digest
}

const isAlgorithm = (element: XmlElement, algorithm: string | undefined): boolean =>
  element.children.length === 0 &&
  element.attributes.length === 1 &&
  algorithm !== undefined &&
  attributeOf(element, '', 'Algorithm') === algorithm

function checkAlgorithm(element: XmlElement, expected: string, path: string): void {
  if (!isAlgorithm(element, expected)) {
    const actual = attributeOf(element, '', 'Algorithm') ?? 'absent'
    refuse('RIM_ALGORITHM_FORBIDDEN', path, { expected: `${expected} without parameters`, actual })
  }
}

const BARE_KEYS: readonly string[] = ['KeyValue', 'DEREncodedKeyValue']

function certificatesOf(keyInfo: XmlElement, path: string): readonly Uint8Array[] {
  const given = elementsIn(keyInfo)
  const bare = given.find((e) => BARE_KEYS.includes(e.name))
  if (bare !== undefined)
    refuse('RIM_SIGNER_NOT_BOUND', path, { expected: 'certificates alone', actual: nodeText(bare) })
  const [data, more] = children(keyInfo, [], 'RIM_KEYINFO_FORBIDDEN', path)
  if (data?.name !== 'X509Data' || more !== undefined) {
    return refuse('RIM_KEYINFO_FORBIDDEN', path, { expected: 'one X509Data', actual: given.map(nodeText).join(' ') })
  }
  const certificates = children(data, [], 'RIM_KEYINFO_FORBIDDEN', `${path}.X509Data`)
  const other = certificates.find((e) => e.name !== 'X509Certificate')
  if (other !== undefined || certificates.length === 0) {
    refuse('RIM_KEYINFO_FORBIDDEN', `${path}.X509Data`, {
      expected: 'certificates',
      actual: other === undefined ? 'none' : nodeText(other),
    })
  }
  if (certificates.length > LIMITS.certificatesPerChain) {
    refuse('LIMIT_CERT_COUNT', `${path}.X509Data`, {
      expected: LIMITS.certificatesPerChain,
      actual: certificates.length,
    })
  }
  return certificates.map((e, i) => base64Of(e, true, `${path}.X509Data[${i}]`))
}

/** No comment, section, instruction or reference anywhere in the signature: a canonical form shows none of them. */
function checkMarkup(element: XmlElement, path: string): void {
  for (const node of element.children) {
    const hidden = node.kind === 'foreign' || (node.kind === 'text' && !node.literal)
    if (hidden) refuse('RIM_SIGNATURE_MALFORMED', `${path}.${element.name}`, { actual: nodeText(node) })
    if (isElement(node)) checkMarkup(node, path)
  }
}

/** Children of an element that has only elements of XML Signature in it, and these attributes. */
function children(parent: XmlElement, attributes: readonly string[], code: Code, path: string): readonly XmlElement[] {
  const attribute = parent.attributes.find((a) => a.namespace !== '' || !attributes.includes(a.name))
  if (attribute !== undefined) refuse(code, path, { actual: `attribute ${attribute.name}` })
  const other = parent.children.find((node) => (isElement(node) ? !isOurs(node) : !isWhiteSpace(node)))
  if (other !== undefined) refuse(code, path, { actual: nodeText(other) })
  return elementsIn(parent)
}

/** Of XML Signature, and declaring no other namespace. */
const isOurs = (element: XmlElement): boolean =>
  element.namespace === NAMESPACE.signature && element.declared.every((uri) => uri === NAMESPACE.signature)

/** Content of an element as canonical base64; certificates are written in lines, values never. */
function base64Of(element: XmlElement, inLines: boolean, path: string): Uint8Array {
  const [node, more] = element.children
  const text =
    node?.kind === 'text' && node.literal && more === undefined && element.attributes.length === 0 ? node.text : ''
  const decoded = fromBase64(inLines ? text.replace(/[ \t\r\n]/g, '') : text, path)
  if (!decoded.ok || decoded.value.length === 0) {
    return refuse('RIM_SIGNATURE_MALFORMED', path, { expected: 'canonical base64 and nothing else' })
  }
  return decoded.value
}
