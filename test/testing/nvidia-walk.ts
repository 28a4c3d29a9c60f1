import { createHash, createPublicKey, type KeyObject, verify, X509Certificate } from 'node:crypto'

/*
 * Readers that share nothing with the kit: what the kit wrote is read back by other code, and the same code reads what
 * NVIDIA wrote.
 */

export interface WalkedReport {
  readonly header: readonly number[]
  readonly nonce: string
  readonly blocks: readonly { readonly index: number; readonly head: readonly number[]; readonly value: string }[]
  readonly responderNonce: string
  readonly opaque: readonly { readonly type: number; readonly size: number; readonly data: Buffer }[]
  readonly signed: Buffer
  readonly signature: Buffer
  readonly rest: Buffer
}

/** Reads a report front to back, by the layout DMTF DSP0274 1.1 gives it. */
export function walkReport(bytes: Uint8Array): WalkedReport {
  const b = Buffer.from(bytes)
  const recordLength = b.readUIntLE(42, 3)
  const blocks = []
  let at = 45
  for (let i = 0; i < b.readUInt8(41); i++) {
    const size = b.readUInt16LE(at + 2)
    const head = [b.readUInt8(at + 1), size, b.readUInt8(at + 4), b.readUInt16LE(at + 5)]
    blocks.push({ index: b.readUInt8(at), head, value: b.toString('hex', at + 7, at + 4 + size) })
    at += 4 + size
  }
  if (at !== 45 + recordLength) throw new RangeError(`blocks end at ${at}, the record at ${45 + recordLength}`)
  const responderNonce = b.toString('hex', at, at + 32)
  const end = at + 34 + b.readUInt16LE(at + 32)
  const opaque = []
  for (at += 34; at < end; ) {
    const size = b.readUInt16LE(at + 2)
    opaque.push({ type: b.readUInt16LE(at), size, data: b.subarray(at + 4, at + 4 + size) })
    at += 4 + size
  }
  if (at !== end) throw new RangeError(`opaque fields end at ${at}, the opaque data at ${end}`)
  return {
    header: [...b.subarray(0, 4), ...b.subarray(36, 42), recordLength],
    nonce: b.toString('hex', 4, 36),
    blocks,
    responderNonce,
    opaque,
    signed: b.subarray(0, end),
    signature: b.subarray(end, end + 96),
    rest: b.subarray(end + 96),
  }
}

/** Whether the last 96 bytes are `key`'s signature over all bytes before them. */
export const signedBy = (report: Uint8Array, key: KeyObject): boolean =>
  report.length > 96 &&
  verify('sha384', report.subarray(0, -96), { key, dsaEncoding: 'ieee-p1363' }, report.subarray(-96))

/** Certificates of a PEM text, in order. */
export const pemCertificates = (pem: string): X509Certificate[] =>
  [...pem.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)].map(
    ([block]) => new X509Certificate(block),
  )

/** Whether each certificate is issued and signed by the next and the last by itself. */
export const linked = (chain: readonly X509Certificate[]): boolean =>
  chain.every((certificate, i) => {
    const issuer = chain[i + 1] ?? certificate
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
  })

/**
 * Shape of DER: tags, nested; contents only of object identifiers, booleans and key usages, so that two certificates of one
 * template have one shape. Octet strings that hold a single DER value are looked into.
 */
export function derShape(der: Uint8Array): string {
  const b = Buffer.from(der)
  const parts: string[] = []
  for (let at = 0; at < b.length; ) {
    const tag = b.readUInt8(at)
    const { content, end } = tlv(b, at)
    parts.push(`${tag.toString(16)}${inside(tag, content)}`)
    at = end
  }
  return parts.join(' ')
}

function inside(tag: number, content: Buffer): string {
  if ((tag & 0x20) !== 0) return `(${derShape(content)})`
  if (tag === 0x06 || tag === 0x01) return `=${content.toString('hex')}`
  if (tag === 0x03 && content.length <= 3) return `=${content.toString('hex')}`
  if (tag === 0x04 && content.length > 2 && isOneValue(content)) return `{${derShape(content)}}`
  return ''
}

function tlv(b: Buffer, at: number): { content: Buffer; end: number } {
  let length = b.readUInt8(at + 1)
  let start = at + 2
  if (length > 0x80) {
    const count = length - 0x80
    length = b.readUIntBE(start, count)
    start += count
  }
  return { content: b.subarray(start, start + length), end: start + length }
}

const isOneValue = (b: Buffer): boolean =>
  [0x03, 0x04, 0x30].includes(b.readUInt8(0)) && b.readUInt8(1) <= 0x82 && tlv(b, 0).end === b.length

type Names = ReadonlyMap<string, string>

const NAMESPACE_XML = 'http://www.w3.org/XML/1998/namespace'
const TOKEN = /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[[\s\S]*?\]\]>|<[^>]*>|[^<]+/g

interface Canonicalized {
  /** Offset of the start tag of the element to canonicalise; the document unless given. */
  readonly from?: number
  /** Offsets of the elements left out. */
  readonly omit?: readonly number[]
  readonly exclusive?: boolean
}

/**
 * Canonical XML 1.1 (and 1.0, which differs in xml: attributes), inclusive or exclusive, without comments, for documents
 * without a DTD. Written for these tests; the kit has libxml2 do it.
 */
export function canonicalXml(xml: string, of: Canonicalized = {}): string {
  const scopes: Names[] = [new Map()]
  const rendered: Names[] = [new Map()]
  const bases: (readonly [string, string] | undefined)[] = []
  const out: string[] = []
  let depth = 0
  let apex = of.from === undefined ? 0 : -1
  let omitted = -1
  for (const match of xml.matchAll(TOKEN)) {
    const [token] = match
    const visible = apex >= 0 && omitted < 0
    if (token.startsWith('<!--') || token.startsWith('<?xml ')) continue
    if (token.startsWith('<?')) {
      if (visible) out.push(token.replace(/\s+\?>$/, '?>'), depth === 0 ? '\n' : '')
    } else if (token.startsWith('<![CDATA[')) {
      if (visible) out.push(token.slice(9, -3))
    } else if (token.startsWith('</')) {
      if (visible) out.push(`</${token.slice(2, -1).trim()}>`)
      depth--
      scopes.pop()
      rendered.pop()
      bases.pop()
      if (depth === omitted) omitted = -1
      if (of.from !== undefined && depth === apex) break
    } else if (token.startsWith('<')) {
      const scope = new Map(scopes.at(-1))
      const attributes = [...token.matchAll(/\s([\w:.-]+)="([^"]*)"/g)].map(
        ([, name = '', value = '']) => [name, value] as const,
      )
      for (const [name, value] of attributes) if (isDeclaration(name)) scope.set(prefixDeclared(name), value)
      const base = attributes.find(([name]) => name === 'xml:base') ?? bases.at(-1)
      if (match.index === of.from) {
        apex = depth
        // Canonical XML 1.1 §2.4: the apex of a subset inherits xml:base.
        if (base !== undefined && !attributes.includes(base)) attributes.push(base)
      }
      if (omitted < 0 && of.omit?.includes(match.index) === true) omitted = depth
      const before: Names = rendered.at(-1) ?? new Map()
      const shown = new Map(before)
      const name = /^<([^\s/>]+)/.exec(token)?.[1] ?? ''
      if (apex >= 0 && omitted < 0) out.push(startTag(name, attributes, scope, before, shown, of.exclusive === true))
      if (token.endsWith('/>')) {
        if (apex >= 0 && omitted < 0) out.push(`</${name}>`)
        if (omitted === depth) omitted = -1
      } else {
        depth++
        scopes.push(scope)
        rendered.push(shown)
        bases.push(base)
      }
    } else if (visible && depth > 0) out.push(characters(token))
  }
  return out.join('')
}

const characters = (text: string): string => text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))

const isDeclaration = (name: string): boolean => name === 'xmlns' || name.startsWith('xmlns:')
const prefixDeclared = (name: string): string => (name === 'xmlns' ? '' : name.slice(6))
const prefixOf = (name: string): string => (name.includes(':') ? name.slice(0, name.indexOf(':')) : '')

function startTag(
  name: string,
  attributes: readonly (readonly [string, string])[],
  scope: Names,
  before: Names,
  shown: Map<string, string>,
  exclusive: boolean,
): string {
  const plain = attributes.filter(([attribute]) => !isDeclaration(attribute))
  const used = new Set([prefixOf(name), ...plain.map(([attribute]) => prefixOf(attribute)).filter((p) => p !== '')])
  const declared = [...scope].filter(([prefix, uri]) => before.get(prefix) !== uri && (!exclusive || used.has(prefix)))
  for (const [prefix, uri] of declared) shown.set(prefix, uri)
  const uriOf = (attribute: string): string => {
    const prefix = prefixOf(attribute)
    return prefix === '' ? '' : prefix === 'xml' ? NAMESPACE_XML : (scope.get(prefix) ?? '')
  }
  const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  const parts = [
    ...declared
      .sort(([a], [b]) => byName(a, b))
      .map(([prefix, uri]) => `xmlns${prefix === '' ? '' : ':'}${prefix}="${uri}"`),
    ...[...plain]
      .sort(
        ([a], [b]) => byName(uriOf(a), uriOf(b)) || byName(a.slice(a.indexOf(':') + 1), b.slice(b.indexOf(':') + 1)),
      )
      .map(([attribute, value]) => `${attribute}="${value}"`),
  ]
  return `<${[name, ...parts].join(' ')}>`
}

/** What an open-minded reader makes of a signed manifest: every key it offers, and whether one of them made the signature. */
export function rimSignatureHolds(bytes: Uint8Array): boolean {
  const xml = decoded(bytes)
  const start = xml.indexOf('<ds:Signature ')
  const signedInfoAt = xml.indexOf('<ds:SignedInfo>', start)
  if (start < 0 || signedInfoAt < 0) return false
  const signedInfo = between(xml.slice(signedInfoAt), '<ds:SignedInfo>', '</ds:SignedInfo>')
  const references = [...signedInfo.matchAll(/<ds:Reference[^>]*>[\s\S]*?<\/ds:Reference>/g)].map(([text]) => text)
  if (references.length === 0 || !references.every((text) => digestHolds(xml, start, text))) return false
  const exclusive = signedInfo.startsWith(
    '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"',
  )
  const octets = Buffer.from(canonicalXml(xml, { from: signedInfoAt, exclusive }))
  const method = /SignatureMethod Algorithm="[^"]*#([^"]*)"/.exec(signedInfo)?.[1] ?? ''
  const value = Buffer.from(
    plainText(between(xml.slice(signedInfoAt), '<ds:SignatureValue>', '</ds:SignatureValue>')),
    'base64',
  )
  return keysOffered(xml.slice(start)).some((key) => signatureHolds(method, octets, key, value))
}

function signatureHolds(method: string, octets: Buffer, key: KeyObject, value: Buffer): boolean {
  const [family, hash] = method.split('-')
  if (hash === undefined || !['sha1', 'sha256', 'sha384'].includes(hash)) return false
  if (family === 'rsa') return key.asymmetricKeyType === 'rsa' && verify(hash, octets, key, value)
  if (family !== 'ecdsa' || key.asymmetricKeyType !== 'ec' || value.length !== 96) return false
  return verify(hash, octets, { key, dsaEncoding: 'ieee-p1363' }, value)
}

const HASHES: Readonly<Record<string, string>> = {
  'http://www.w3.org/2001/04/xmldsig-more#sha384': 'sha384',
  'http://www.w3.org/2001/04/xmldsig-more#md5': 'md5',
  'http://www.w3.org/2001/04/xmlenc#sha256': 'sha256',
  'http://www.w3.org/2000/09/xmldsig#sha1': 'sha1',
}

function digestHolds(xml: string, signature: number, reference: string): boolean {
  const uri = /<ds:Reference URI="([^"]*)">/.exec(reference)?.[1] ?? ''
  const hash = HASHES[/DigestMethod Algorithm="([^"]*)"/.exec(reference)?.[1] ?? ''] ?? ''
  const transforms = [...reference.matchAll(/Transform Algorithm="([^"]*)"/g)].map(([, algorithm]) => algorithm ?? '')
  const enveloped = transforms.includes('http://www.w3.org/2000/09/xmldsig#enveloped-signature')
  const exclusive = transforms.includes('http://www.w3.org/2001/10/xml-exc-c14n#')
  const filtered = transforms.includes('http://www.w3.org/2002/06/xmldsig-filter2')
  const omit = enveloped || filtered ? [signature] : []
  if (reference.includes('ns0:Payload')) omit.push(xml.indexOf('<ns0:Payload '))
  const octets = transforms.includes('http://www.w3.org/2000/09/xmldsig#base64')
    ? ''
    : uri.includes('/') && !uri.startsWith('#')
      ? 'elsewhere\n'
      : canonicalXml(xml, { omit, exclusive, ...(/^#\w+$/.test(uri) && { from: elementAt(xml, uri.slice(1)) }) })
  const value = plainText(between(reference, '<ds:DigestValue>', '</ds:DigestValue>'))
  return createHash(hash).update(octets).digest('base64') === value
}

function elementAt(xml: string, id: string): number {
  const at = xml.indexOf(` id="${id}"`)
  return xml.lastIndexOf('<', at)
}

const between = (text: string, open: string, close: string): string =>
  text.slice(text.indexOf(open) + open.length, text.indexOf(close))

const plainText = (markup: string): string =>
  characters(markup.replace(/<!\[CDATA\[([\s\S]*?)\]\]>/g, '$1').replace(/<[^>]*>/g, ''))

function keysOffered(signature: string): KeyObject[] {
  const certificates = [...signature.matchAll(/<ds:X509Certificate>([\s\S]*?)<\/ds:X509Certificate>/g)].flatMap(
    ([, text = '']) => {
      const der = Buffer.from(plainText(text), 'base64')
      return der[0] === 0x30 ? [new X509Certificate(der).publicKey] : []
    },
  )
  const points = [...signature.matchAll(/<dsig11:PublicKey>([^<]*)</g)].map(([, text = '']) =>
    Buffer.from(text, 'base64'),
  )
  const der = [...signature.matchAll(/<dsig11:DEREncodedKeyValue[^>]*>([^<]*)</g)].map(([, text = '']) =>
    Buffer.from(text, 'base64'),
  )
  const modulus = /<ds:Modulus>([^<]*)</.exec(signature)?.[1]
  const url = (b: Buffer | string) => (typeof b === 'string' ? Buffer.from(b, 'base64') : b).toString('base64url')
  return [
    ...certificates,
    ...points.map((point) =>
      createPublicKey({
        format: 'jwk',
        key: { kty: 'EC', crv: 'P-384', x: url(point.subarray(1, 49)), y: url(point.subarray(49)) },
      }),
    ),
    ...der.map((key) => createPublicKey({ key, format: 'der', type: 'spki' })),
    ...(modulus === undefined
      ? []
      : [createPublicKey({ format: 'jwk', key: { kty: 'RSA', n: url(modulus), e: 'AQAB' } })]),
  ]
}

/** Text of the document: byte order marks obeyed, DOCTYPE taken away, its one general entity put in. */
function decoded(bytes: Uint8Array): string {
  const b = Buffer.from(bytes)
  const encoding = b[0] === 0xff ? 'utf-16le' : b[0] === 0xfe ? 'utf-16be' : 'utf-8'
  const text = new TextDecoder(encoding).decode(b)
  const entity = /<!ENTITY e "([^"]*)">/.exec(text)?.[1]
  const bare = text.replace(/^<!DOCTYPE [^[>]*(\[[^\]]*\])?>\n/, '')
  return entity === undefined ? bare : bare.replaceAll('&e;', entity)
}

/** Start tags and empty elements of a manifest in order, each with its attributes; of the signature only those. */
export const markupOf = (
  xml: string,
): { readonly name: string; readonly attributes: Readonly<Record<string, string>> }[] =>
  [...xml.matchAll(/<([A-Za-z][\w:]*)([^>]*?)\/?>/g)].map(([, name = '', rest = '']) => ({
    name,
    attributes: Object.fromEntries([...rest.matchAll(/([\w:]+)="([^"]*)"/g)].map(([, key, value]) => [key, value])),
  }))
