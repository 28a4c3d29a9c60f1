import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { authenticateRim, rimIdentityOf } from '../../../src/attestation/nvidia/rim/index.ts'
import { decodeXml, MANIFEST_CHARACTERS, MARKUP_COUNT } from '../../../src/attestation/nvidia/rim/xml.ts'
import { isCode } from '../../../src/core/codes.ts'
import { createVerificationCache } from '../../../src/core/context.ts'
import { webCrypto } from '../../../src/core/crypto/web.ts'
import { paddedTo, withCanonicalText } from '../../../src/testing/nvidia/index.ts'
import { renderRim } from '../../../src/testing/nvidia/rim-document.ts'
import { ext, PURPOSE } from '../../../src/testing/pki/certificate.ts'
import {
  accepted,
  authenticated,
  contextOf,
  held,
  replaced,
  testAnchor,
  testPki,
  testRim,
  verdictOn,
} from './rim-support.ts'

const good = testRim().bytes
const text = new TextDecoder().decode(good)
const bytesOf = (xml: string): Uint8Array => new TextEncoder().encode(xml)
const verdict = async (bytes: Uint8Array): Promise<string> => verdictOn(await authenticated(bytes))

describe('limits (RJ-RIM-11)', () => {
  it.each([
    [MANIFEST_CHARACTERS, 'accepted'],
    [MANIFEST_CHARACTERS + 1, 'LIMIT_XML'],
    [2 * 1024 * 1024, 'LIMIT_XML'],
    [2 * 1024 * 1024 + 1, 'LIMIT_XML'],
  ] as const)('a manifest padded to %i characters: %s', async (size, expected) => {
    // The last line end follows the root, and what follows the root is not part of the measure.
    const { bytes } = testRim({ plan: paddedTo(size + 1) })
    expect(await verdict(bytes)).toBe(expected)
  })

  it('does not count white space behind the manifest, up to the size of a file', async () => {
    const padded = (size: number) => bytesOf(text.padEnd(size))
    expect(await verdict(padded(2 * 1024 * 1024))).toBe('accepted')
    expect(await verdict(padded(2 * 1024 * 1024 + 1))).toBe('LIMIT_XML')
  })

  const nested = (levels: number) => '<ns0:a>'.repeat(levels) + '</ns0:a>'.repeat(levels)
  const attributes = (count: number) =>
    `<ns0:a ${Array.from({ length: count }, (_, i) => `a${String(i).padStart(5, '0')}=""`).join(' ')}></ns0:a>`

  // The twin is refused too, for what it is: an element that no manifest has.
  it.each([
    ['64 levels', nested(62), 'RIM_SCHEMA_INVALID'],
    ['65 levels', nested(63), 'LIMIT_XML'],
    ['10,000 levels', nested(10_000), 'LIMIT_XML'],
    ['32 attributes', attributes(32), 'RIM_SCHEMA_INVALID'],
    ['33 attributes', attributes(33), 'LIMIT_XML'],
    ['33 attributes, the last no value', attributes(33).replace('="">', '="&foo;">'), 'LIMIT_XML'],
    ['10,000 attributes', attributes(10_000), 'LIMIT_XML'],
    ['1,024 elements', '<ns0:a></ns0:a>'.repeat(MARKUP_COUNT - 85), 'RIM_SCHEMA_INVALID'],
    ['1,025 elements', '<ns0:a></ns0:a>'.repeat(MARKUP_COUNT - 84), 'LIMIT_XML'],
    ['as many comments', '<!---->'.repeat(MARKUP_COUNT), 'LIMIT_XML'],
  ] as const)('%s', async (_, inPayload, expected) => {
    const { bytes } = testRim({ plan: withCanonicalText(inPayload) })
    expect(await verdict(bytes)).toBe(expected)
  })

  it.each([
    ['less-than signs', '<'.repeat(MANIFEST_CHARACTERS)],
    ['one endless name', `<${'a'.repeat(MANIFEST_CHARACTERS - 2)} `],
    ['colons', `<a${':a'.repeat(MANIFEST_CHARACTERS / 2 - 1)}`],
    ['one endless value', `<a b="${'x'.repeat(MANIFEST_CHARACTERS - 6)}`],
    ['ampersands', `<a>${'&'.repeat(MANIFEST_CHARACTERS - 3)}`],
    ['spaces in a tag', `<a${' '.repeat(MANIFEST_CHARACTERS - 3)}<`],
  ])('ends soon on %s', async (_, xml) => {
    expect(await verdict(bytesOf(xml))).toBe('XML_SYNTAX')
  })

  it('bounds the certificates', async () => {
    const { chain } = testRim()
    const certificates = chain.chain.map(
      (der) => `<ds:X509Certificate>${Buffer.from(der).toString('base64')}</ds:X509Certificate>`,
    )
    const nine = replaced(
      good,
      '</ds:X509Data>',
      `${certificates.concat(certificates).slice(0, 5).join('')}</ds:X509Data>`,
    )
    expect(await verdict(nine)).toBe('LIMIT_CERT_COUNT')
  })
})

describe('the form of the XML', () => {
  it.each([
    ['an XML declaration', '<?xml version="1.0" encoding="UTF-8"?>\n', 'accepted'],
    ['a declaration in single quotes', "<?xml version='1.0' encoding='utf-8' standalone='yes'?>", 'accepted'],
    ['white space before the root', ' \r\n\t', 'accepted'],
    ['a declaration behind white space', '\n<?xml version="1.0"?>', 'RIM_SCHEMA_INVALID'],
    ['XML 1.1', '<?xml version="1.1"?>', 'RIM_SCHEMA_INVALID'],
    ['UTF-7', '<?xml version="1.0" encoding="UTF-7"?>', 'XML_ENCODING'],
    ['a comment before the root', '<!-- -->', 'RIM_SCHEMA_INVALID'],
    ['an element declaration', '<!ELEMENT a ANY>', 'XML_DTD_FORBIDDEN'],
    ['a DOCTYPE in lower case', '<!doctype html>', 'XML_DTD_FORBIDDEN'],
    ['text before the root', 'x', 'XML_SYNTAX'],
  ] as const)('%s: %s', async (_, prolog, expected) => {
    expect(await verdict(bytesOf(prolog + text))).toBe(expected)
  })

  it('says the same of the same signed content however it is spaced', async () => {
    const spaced = replaced(good, ' corpus="false"', "\r\n\tcorpus = 'false'  ")
    expect(accepted(await authenticated(spaced)).entries).toEqual(accepted(await authenticated(good)).entries)
  })

  it('does not make one line end of two characters that the signature stands between', async () => {
    const around = (before: string, behind: string) =>
      testRim({ plan: (p) => ({ ...p, render: (content, s) => renderRim(content, `${before}${s}${behind}`) }) }).bytes
    const signed = around('\r', '\n')
    expect(await verdict(signed)).toBe('accepted')
    const before = replaced(around('\n', ''), '\n<ds:Signature ', '\r<ds:Signature ')
    expect(await verdict(before)).toBe('accepted')
    const andBehind = replaced(before, '</ds:Signature>', '</ds:Signature>\n')
    expect(await verdict(andBehind)).toBe('RIM_SIGNATURE_INVALID')
  })

  it.each([
    ['an unknown entity', 'edition="GPU"', 'edition="&gpu;"'],
    ['a bare ampersand', 'edition="GPU"', 'edition="G&PU"'],
    ['a reference to NUL', 'edition="GPU"', 'edition="&#0;"'],
    ['a reference beyond Unicode', 'edition="GPU"', 'edition="&#x110000;"'],
    ['a reference to a surrogate', 'edition="GPU"', 'edition="&#xd800;"'],
    ['one attribute twice', 'edition="GPU"', 'edition="GPU" edition="GPU"'],
    [
      'one attribute twice by two prefixes',
      'xmlns:SHA384=',
      'xmlns:ns1="urn:a" xmlns:ns3="urn:a" ns1:a="" ns3:a="" xmlns:SHA384=',
    ],
    ['a prefix that nobody declared', '<ns0:Payload', '<ns9:Payload'],
    ['a prefix declared away', 'xmlns:SHA384=', 'xmlns:ns0="" xmlns:SHA384='],
    ['the xml prefix elsewhere', 'xmlns:SHA384=', 'xmlns:xml="urn:a" xmlns:SHA384='],
    ['a less-than sign in a value', 'edition="GPU"', 'edition="<"'],
    ['a value without quotes', 'edition="GPU"', 'edition=GPU'],
    ['two attributes without space', 'edition="GPU" product', 'edition="GPU"product'],
    ['crossed tags', '</ns0:Payload>', '</ns0:Meta>'],
    ['a control character', 'edition="GPU"', 'edition="\u0001"'],
    ['a section end in text', '</ns0:Payload>', ']]></ns0:Payload>'],
    [
      'a name that is none, in the signature',
      '<ds:KeyInfo>',
      '<ds:KeyInfo xmlns:×="http://www.w3.org/2000/09/xmldsig#">',
    ],
  ])('XML_SYNTAX: %s', async (what, search, replacement) => {
    // The last is ours to read and libxml2's to refuse; the schema speaks first.
    const expected = what === 'a section end in text' ? 'RIM_SCHEMA_INVALID' : 'XML_SYNTAX'
    expect(await verdict(replaced(good, search, replacement))).toBe(expected)
  })

  it.each([
    ['a namespace that no manifest has', 'xmlns:SHA384=', 'xmlns:x="urn:x" xmlns:SHA384='],
    ['a supplemental tag', 'supplemental="false"', 'supplemental="true"'],
    ['a patch', 'patch="false"', 'patch="true"'],
    ['values kept elsewhere', 'PayloadType="direct"', 'PayloadType="indirect"'],
    [
      'content in Entity',
      /(<ns0:Entity [^>]*)\/>/,
      '<ns0:Entity name="NVIDIA" role="tagCreator"><ns0:Link/></ns0:Entity>',
    ],
    ['an empty product', 'product="GH100"', 'product=""'],
  ])('RIM_SCHEMA_INVALID: %s', async (_, search, replacement) => {
    expect(await verdict(replaced(good, search, replacement))).toBe('RIM_SCHEMA_INVALID')
  })
})

describe('the form of the signature', () => {
  it.each([
    ['an id on the signature', '<ds:Signature ', '<ds:Signature Id="s" '],
    ['an id on SignedInfo', '<ds:SignedInfo>', '<ds:SignedInfo Id="s">'],
    ['a namespace in the signature', '<ds:Signature ', '<ds:Signature xmlns:x="urn:x" '],
    ['a line in SignatureValue', '</ds:SignatureValue>', '\n</ds:SignatureValue>'],
    ['a line in DigestValue', '</ds:DigestValue>', '\n</ds:DigestValue>'],
    ['an attribute on SignatureValue', '<ds:SignatureValue>', '<ds:SignatureValue Id="v">'],
    ['text between its elements', '<ds:KeyInfo>', 'x<ds:KeyInfo>'],
    ['a comment between the transforms', '<ds:Transforms>', '<ds:Transforms><!-- -->'],
    ['an instruction between its elements', '<ds:KeyInfo>', '<?x?><ds:KeyInfo>'],
    ['base64url', /(<ds:SignatureValue>)./, '<ds:SignatureValue>-'],
    ['a digest of 46 bytes', /<ds:DigestValue>.{4}/, '<ds:DigestValue>AA=='],
  ])('RIM_SIGNATURE_MALFORMED: %s', async (_, search, replacement) => {
    expect(await verdict(replaced(good, search, replacement))).toBe('RIM_SIGNATURE_MALFORMED')
  })

  it('takes base64 in its one canonical form', async () => {
    const { chain } = testRim()
    const encoded = Buffer.from(chain.certificates.signer.der).toString('base64')
    expect(encoded.endsWith('=')).toBe(true)
    const lines = encoded.replace(/.{1,64}/g, '$&\n')
    const loose = encoded.endsWith('==') ? encoded.replace(/.==$/, 'B==') : encoded.replace(/.=$/, 'B=')
    expect(await verdict(replaced(good, lines, encoded))).toBe('accepted')
    expect(await verdict(replaced(good, lines, loose))).toBe('RIM_SIGNATURE_MALFORMED')
  })

  it.each([
    ['a Type on the Reference', '<ds:Reference URI="">', '<ds:Reference URI="" Type="urn:x">', 'RIM_REFERENCE_INVALID'],
    [
      'a parameter of the canonicalisation',
      'xml-c14n11"/><ds:SignatureMethod',
      'xml-c14n11"><ds:x/></ds:CanonicalizationMethod><ds:SignatureMethod',
      'RIM_ALGORITHM_FORBIDDEN',
    ],
    [
      'prefixes for the canonicalisation',
      'xml-c14n11"/></ds:Transforms>',
      'xml-c14n11"><ds:InclusiveNamespaces PrefixList="ns0"/></ds:Transform></ds:Transforms>',
      'RIM_TRANSFORM_FORBIDDEN',
    ],
    ['a PGP key', '<ds:X509Data>', '<ds:PGPData/><ds:X509Data>', 'RIM_KEYINFO_FORBIDDEN'],
    [
      'a CRL among the certificates',
      '</ds:X509Data>',
      '<ds:X509CRL>AAAA</ds:X509CRL></ds:X509Data>',
      'RIM_KEYINFO_FORBIDDEN',
    ],
  ])('%s', async (_, search, replacement, expected) => {
    expect(await verdict(replaced(good, search, replacement))).toBe(expected)
  })

  it('RIM_SIGNER_UNTRUSTED: the certificate of an OCSP responder signs (RJ-RIM-16)', async () => {
    const chainWith = (extra: readonly Uint8Array[]) =>
      testPki.rimChain({ edit: { signer: (spec) => ({ ...spec, extensions: [...spec.extensions, ...extra] }) } })
    const responder = testRim({ chain: chainWith([ext.extKeyUsage([PURPOSE.ocspSigning])]) })
    expect(await verdict(responder.bytes)).toBe('RIM_SIGNER_UNTRUSTED')
    expect(await verdict(testRim({ chain: chainWith([]) }).bytes)).toBe('accepted')
  })
})

describe('authenticateRim', () => {
  it('gives the same on WebCrypto', async () => {
    const crypto = webCrypto(globalThis.crypto.subtle)
    expect(verdictOn(await authenticated(good, { crypto }))).toBe('accepted')
    expect(verdictOn(await authenticated(testRim({ wrong: 'signature-bit' }).bytes, { crypto }))).toBe(
      'RIM_SIGNATURE_INVALID',
    )
  })

  it('tells the chain and the revision it rests on', async () => {
    const manifest = accepted(await authenticated(good))
    expect(manifest.sha256).toBe(held(good).sha256)
    expect(manifest.path.certificates.map((c) => Buffer.from(c.der).toString('hex'))).toEqual(
      testRim()
        .chain.chain.slice(0, 3)
        .map((der) => Buffer.from(der).toString('hex')),
    )
    expect(manifest.path.anchor.injected).toBe(true)
  })

  it('judges one file once in one judgement, and under each name of its own', async () => {
    const context = contextOf()
    const file = held(good)
    expect(authenticateRim(context, file, 'gpu-0')).toBe(authenticateRim(context, file, 'gpu-0'))
    expect(authenticateRim(context, file, 'gpu-1')).not.toBe(authenticateRim(context, file, 'gpu-0'))
    expect(authenticateRim(contextOf(), file, 'gpu-0')).not.toBe(authenticateRim(context, file, 'gpu-0'))
  })

  it('judges two files of one name apart', async () => {
    const context = contextOf()
    const edited = replaced(good, 'active="True"', 'active="False"')
    const verdicts = [good, edited].map(async (bytes) => verdictOn(await authenticateRim(context, held(bytes), 'rim')))
    expect(await Promise.all(verdicts)).toEqual(['accepted', 'RIM_SIGNATURE_INVALID'])
  })

  it('takes an anchor of the role for manifests alone', async () => {
    const otherwise = { ...testAnchor, role: 'nvidia/device-root' } as const
    expect(verdictOn(await authenticated(good, { anchors: [otherwise] }))).toBe('X509_ROOT_UNTRUSTED')
    expect(verdictOn(await authenticated(good, { anchors: [otherwise, testAnchor] }))).toBe('accepted')
  })

  it('names each fault after the caller’s path, also from a shared cache', async () => {
    const cache = createVerificationCache()
    const file = held(testRim({ wrong: 'hash-short' }).bytes)
    const paths = []
    for (const path of ['gpu-0.rim', 'gpu-1.rim']) {
      const outcome = await authenticateRim(contextOf({ cache }), file, path)
      paths.push(outcome.ok ? '' : outcome.faults[0].path)
    }
    expect(paths).toEqual(['gpu-0.rim.Payload.Resource[7].Hash0', 'gpu-1.rim.Payload.Resource[7].Hash0'])
  })

  it('is never charged to the evidence', async () => {
    const context = contextOf()
    for (let i = 0; i < 30; i++) {
      const { bytes } = testRim({ version: `550.${i}` })
      expect(verdictOn(await authenticateRim(context, held(bytes), 'rim'))).toBe('accepted')
    }
    expect(context.overBudget).toBe(false)
  })
})

describe('rimIdentityOf', () => {
  it('reads what a file says it is for', () => {
    const identity = { version: '550.144.03', product: 'GH100', edition: 'GPU' }
    expect(rimIdentityOf(held(good))).toEqual({ ok: true, value: identity })
    const single = replaced(good, 'colloquialVersion="550.144.03"', "colloquialVersion='550.144.03'")
    expect(rimIdentityOf(held(single))).toEqual({ ok: true, value: identity })
  })

  it.each([
    ['nothing', ''],
    ['JSON', '{"rim":""}'],
    ['no version', text.replace('colloquialVersion', 'version')],
    ['Meta too far behind', ' '.repeat(5000) + text],
  ])('refuses %s', (_, xml) => {
    expect(verdictOn(rimIdentityOf(held(bytesOf(xml))))).toBe('RIM_MALFORMED')
  })
})

describe('hostile bytes', () => {
  it('come back as an outcome', async () => {
    const outcomes = fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
      rimIdentityOf(held(bytes))
      expect(isCode(await verdict(bytes))).toBe(true)
    })
    await fc.assert(outcomes, { numRuns: 500, seed: 20260901 })
  })

  it('come back as an outcome where a manifest is spliced with markup', async () => {
    const markup = [
      '<',
      '>',
      '"',
      '&',
      '/>',
      '</',
      '<!--',
      '-->',
      ']]>',
      '<![CDATA[',
      '<?x ',
      '?>',
      'xmlns=""',
      'ns0:',
      'xml:id="a"',
      '\r\n',
      'é',
      '',
    ]
    const splice = fc.asyncProperty(
      fc.nat({ max: text.length }),
      fc.nat({ max: 400 }),
      fc.constantFrom(...markup),
      async (at, removed, inserted) => {
        const outcome = await authenticated(bytesOf(text.slice(0, at) + inserted + text.slice(at + removed)))
        // White space, and the body of the root's certificate, are in no signature.
        if (outcome.ok) expect(outcome.value.entries).toEqual(accepted(await authenticated(good)).entries)
      },
    )
    await fc.assert(splice, { numRuns: 500, seed: 20260901 })
  })

  it('are refused wherever a manifest is cut', async () => {
    const end = text.trimEnd().length
    for (let at = 0; at < end; at += 61) {
      const outcome = decodeXml(good.subarray(0, at), MANIFEST_CHARACTERS, 'rim')
      expect(verdictOn(outcome)).toBe('XML_SYNTAX')
    }
  })

  it('are refused with a bit flipped in what is signed', async () => {
    const end = text.indexOf('<ds:KeyInfo>')
    const refused = await Promise.all(
      Array.from({ length: 400 }, async (_, i) => {
        const at = Math.floor((i * end) / 400)
        return verdict(good.with(at, (good[at] ?? 0) ^ (1 << (i % 8))))
      }),
    )
    expect(refused.filter((code) => code === 'accepted')).toEqual([])
  })
})
