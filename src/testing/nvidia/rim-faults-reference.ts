import { rsaKey } from '../pki/keys.ts'
import type { Fault } from './fault.ts'
import { editContent, editSignature, type RimPlan } from './rim-plan.ts'
import { type Canonicalization, withAttribute } from './xml.ts'
import {
  c14nTransform,
  ENVELOPED,
  ENVELOPED_DOCUMENT,
  ecdsa,
  hmac,
  rsa,
  THIS_SIGNATURE,
  wholeDocument,
  type XmlReference,
  type XmlSignatureMethod,
  x509Data,
} from './xmldsig.ts'

const method = (
  what: string,
  row: string | undefined,
  make: (plan: RimPlan) => XmlSignatureMethod,
): Fault<RimPlan> => ({
  what,
  ...(row !== undefined && { row }),
  apply: editSignature((plan) => ({ method: make(plan) })),
})

/** A signer with an RSA certificate under NVIDIA's issuer, so that the algorithm alone is at fault. */
const rsaSigner = (what: string, hash: 'sha1' | 'sha256' | 'sha384'): Fault<RimPlan> => ({
  what,
  row: 'RJ-RIM-15',
  apply: (plan) => {
    const signerKey = rsaKey('small-2048')
    const chain = plan.pki.rimChain({ architecture: plan.architecture, signerKey })
    const signature = { ...plan.signature, method: rsa(signerKey, hash), keyInfo: x509Data(chain.chain) }
    return { ...plan, chain, signature }
  },
})

const references = (what: string, row: string | undefined, list: readonly XmlReference[]): Fault<RimPlan> => ({
  what,
  ...(row !== undefined && { row }),
  apply: editSignature(() => ({ references: list })),
})

const transforms = (what: string, list: readonly string[], form: Canonicalization = 'c14n-1.1'): Fault<RimPlan> =>
  references(what, 'RJ-RIM-08', [{ ...wholeDocument(form), transforms: list }])

/** A form the specification knows and NVIDIA does not use. */
const otherForm = (what: string, form: Canonicalization): Fault<RimPlan> =>
  references(what, undefined, [wholeDocument(form)])

const canonicalization = (what: string, form: Canonicalization): Fault<RimPlan> => ({
  what,
  apply: editSignature(() => ({ canonicalization: form })),
})

const algorithm = (uri: string, content: string): string => `<ds:Transform Algorithm="${uri}">${content}</ds:Transform>`
const xpath = (expression: string): string =>
  algorithm('http://www.w3.org/TR/1999/REC-xpath-19991116', `<ds:XPath>${expression}</ds:XPath>`)
const IDENTITY_XSLT = algorithm(
  'http://www.w3.org/TR/1999/REC-xslt-19991116',
  '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"><xsl:template match="/"><xsl:copy-of select="/"/></xsl:template></xsl:stylesheet>',
)
const SUBTRACT_SIGNATURE = algorithm(
  'http://www.w3.org/2002/06/xmldsig-filter2',
  '<XPath xmlns="http://www.w3.org/2002/06/xmldsig-filter2" Filter="subtract">//ds:Signature</XPath>',
)

const byId = (id: string, without: readonly string[] = []): XmlReference => ({
  uri: `#${id}`,
  transforms: without.length === 0 ? [c14nTransform('c14n-1.1')] : [ENVELOPED, c14nTransform('c14n-1.1')],
  digest: 'sha384',
  over: { form: 'c14n-1.1', selection: { element: `//*[@id='${id}']`, without } },
})

const external = (uri: string): XmlReference => ({
  uri,
  transforms: [],
  digest: 'sha384',
  over: { octets: 'elsewhere\n' },
})

const rootId = editContent((content) => ({ rootAttributes: withAttribute(content.rootAttributes, 'id', 'rim') }))
const payloadId = editContent((content) => ({ payload: withAttribute(content.payload, 'id', 'payload') }))

const thenSign =
  (edit: (plan: RimPlan) => RimPlan, list: readonly XmlReference[]) =>
  (plan: RimPlan): RimPlan =>
    editSignature(() => ({ references: list }))(edit(plan))

/** Faults of what is signed and how: algorithms, references and transforms. The signature is right by its own rules. */
export const RIM_REFERENCE_FAULTS = {
  'digest-sha1': references('SHA-1 digest', 'RJ-RIM-15', [wholeDocument('c14n-1.1', 'sha1')]),
  'digest-md5': references('MD5 digest', 'RJ-RIM-15', [wholeDocument('c14n-1.1', 'md5')]),
  'digest-sha256': references('SHA-256 digest', undefined, [wholeDocument('c14n-1.1', 'sha256')]),
  'ecdsa-sha1': method('ECDSA with SHA-1', 'RJ-RIM-15', ({ chain }) => ecdsa(chain.signerKey, 'sha1')),
  'ecdsa-sha256': method('ECDSA with SHA-256', undefined, ({ chain }) => ecdsa(chain.signerKey, 'sha256')),
  'rsa-sha1': rsaSigner('RSA with SHA-1', 'sha1'),
  'rsa-sha256': rsaSigner('RSA with SHA-256', 'sha256'),
  'rsa-sha384': rsaSigner('RSA with SHA-384', 'sha384'),
  hmac: method('an HMAC keyed with the signer’s public key', 'RJ-RIM-15', ({ chain }) => hmac(chain.signerKey.spki)),
  'hmac-truncated': method('an HMAC cut to eight bits', 'RJ-RIM-15', ({ chain }) => hmac(chain.signerKey.spki, 8)),
  'method-unknown': method('a signature algorithm nobody knows', 'RJ-RIM-15', ({ signature: { method: usual } }) => ({
    ...usual,
    uri: 'urn:none',
  })),
  'method-label': method('SHA-384 made, SHA-512 said', 'RJ-RIM-15', ({ signature: { method: usual } }) => ({
    ...usual,
    uri: 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512',
  })),
  'canonicalization-exclusive': canonicalization('SignedInfo in exclusive canonical form', 'exclusive'),
  'canonicalization-1.0': canonicalization('SignedInfo in Canonical XML 1.0', 'c14n-1.0'),
  'canonicalization-comments': canonicalization('SignedInfo with comments', 'c14n-1.1-comments'),

  'reference-none': references('no Reference', 'RJ-RIM-05', []),
  'reference-id': {
    what: 'a Reference to the root by its id',
    row: 'RJ-RIM-05',
    apply: thenSign(rootId, [byId('rim', [THIS_SIGNATURE])]),
  },
  'reference-payload': {
    what: 'a Reference to the Payload alone',
    row: 'RJ-RIM-05',
    apply: thenSign(payloadId, [byId('payload')]),
  },
  'reference-two': {
    what: 'References to the document and to the Payload',
    row: 'RJ-RIM-05',
    apply: thenSign(payloadId, [wholeDocument(), byId('payload')]),
  },
  'reference-external': references('a Reference to a web address', 'RJ-RIM-05', [external('http://127.0.0.1:9/rim')]),
  'reference-external-added': references('References to the document and to a web address', 'RJ-RIM-05', [
    wholeDocument(),
    external('http://127.0.0.1:9/rim'),
  ]),
  'reference-file': references('a Reference to a file', 'RJ-RIM-05', [external('file:///etc/hostname')]),
  'reference-no-uri': references('a Reference without URI', 'RJ-RIM-05', [{ ...wholeDocument(), uri: undefined }]),
  'reference-xpointer': references('a Reference to the document as #xpointer(/)', 'RJ-RIM-05', [
    { ...wholeDocument(), uri: '#xpointer(/)' },
  ]),

  'transform-xpath': transforms('an XPath transform that changes nothing', [
    ENVELOPED,
    xpath('not(ancestor-or-self::ds:Signature)'),
    c14nTransform('c14n-1.1'),
  ]),
  'transform-xpath-payload': {
    what: 'an XPath transform that leaves the Payload unsigned',
    row: 'RJ-RIM-08',
    apply: editSignature(() => ({
      references: [
        {
          ...wholeDocument(),
          transforms: [ENVELOPED, xpath('not(ancestor-or-self::ns0:Payload)'), c14nTransform('c14n-1.1')],
          over: {
            form: 'c14n-1.1',
            selection: { without: [THIS_SIGNATURE, "//*[local-name()='Payload']"] },
          },
        },
      ],
    })),
  },
  'transform-xpath-filter': transforms('an XPath filter 2.0 in place of the enveloped transform', [
    SUBTRACT_SIGNATURE,
    c14nTransform('c14n-1.1'),
  ]),
  'transform-xslt': transforms('an XSLT transform that changes nothing', [
    ENVELOPED,
    IDENTITY_XSLT,
    c14nTransform('c14n-1.1'),
  ]),
  'transform-base64': {
    what: 'a base64 transform, which leaves nothing of a manifest to be signed',
    row: 'RJ-RIM-08',
    apply: editSignature(() => ({
      references: [
        {
          ...wholeDocument(),
          transforms: [ENVELOPED, algorithm('http://www.w3.org/2000/09/xmldsig#base64', '')],
          over: { octets: '' },
        },
      ],
    })),
  },
  'transform-unknown': transforms('a transform nobody knows', [
    ENVELOPED,
    algorithm('urn:none', ''),
    c14nTransform('c14n-1.1'),
  ]),
  'transform-not-enveloped': transforms('no enveloped-signature transform', [c14nTransform('c14n-1.1')]),
  'transform-implicit': transforms('no canonicalisation named, so Canonical XML 1.0', [ENVELOPED], 'c14n-1.0'),
  'transform-order': transforms('canonicalisation before enveloped-signature', [c14nTransform('c14n-1.1'), ENVELOPED]),
  'transform-twice': transforms('canonicalisation twice', [
    ENVELOPED,
    c14nTransform('c14n-1.1'),
    c14nTransform('c14n-1.1'),
  ]),
  'transform-none': references('no transform', 'RJ-RIM-08', [
    { ...wholeDocument(), transforms: [], over: { form: 'c14n-1.0', selection: ENVELOPED_DOCUMENT } },
  ]),
  'transform-exclusive': otherForm('exclusive canonicalisation', 'exclusive'),
  'transform-1.0': otherForm('Canonical XML 1.0', 'c14n-1.0'),
  'transform-comments': transforms(
    'canonicalisation with comments',
    [ENVELOPED, c14nTransform('c14n-1.1-comments')],
    'c14n-1.1-comments',
  ),
} as const satisfies Record<string, Fault<RimPlan>>
