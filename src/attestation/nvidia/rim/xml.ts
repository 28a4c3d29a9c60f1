import { fromUtf8 } from '../../../core/encodings.ts'
import { LIMITS } from '../../../core/limits.ts'
import { attempt, type Outcome, refuse } from '../../../core/outcome.ts'
import {
  hasName,
  NAMESPACE,
  type XmlAttribute,
  type XmlElement,
  type XmlFile,
  type XmlName,
  type XmlNode,
} from './xml-tree.ts'

/**
 * Bound for a manifest: more than its closed list can fill (64 resources of 26 alternatives, eight certificates), so that
 * padding is refused before it costs memory.
 */
export const MANIFEST_CHARACTERS = 256 * 1024

/** Elements, comments and instructions together. A genuine manifest has fewer than a hundred. */
export const MARKUP_COUNT = 1024

/**
 * Reads the XML that manifests are written in, in one pass and bounded memory: UTF-8, no document type declaration, no
 * entity but the five predefined. This is the tree in which refusals are found; libxml2 sees a document only after it.
 * @param characters bound on what precedes the last character that is not white space
 * @returns the document, or LIMIT_XML · XML_ENCODING · XML_DTD_FORBIDDEN · XML_SYNTAX · RIM_SCHEMA_INVALID
 * @see XML 1.0 (fifth edition); Namespaces in XML 1.0
 */
export function decodeXml(bytes: Uint8Array, characters: number, path: string): Outcome<XmlFile> {
  return attempt(() => {
    if (bytes.length > LIMITS.xmlBytes) {
      refuse('LIMIT_XML', path, { expected: `at most ${LIMITS.xmlBytes} bytes`, actual: `${bytes.length} bytes` })
    }
    if (bytes.includes(0)) refuse('XML_ENCODING', path, { actual: 'a NUL byte' })
    const decoded = fromUtf8(bytes, path)
    if (!decoded.ok) return refuse('XML_ENCODING', path, { expected: 'UTF-8 without byte order mark' })
    const text = withoutSpace(decoded.value, 'end')
    if (text.length > characters) {
      refuse('LIMIT_XML', path, { expected: `at most ${characters} characters`, actual: text.length })
    }
    if (NOT_A_CHARACTER.test(text)) refuse('XML_SYNTAX', path, { actual: 'a character that XML does not have' })
    return { root: new Reader(text, path).document(), text }
  })
}

/**
 * XML's white space alone: `trim` takes more, which names may have. A loop, because `/\s+$/` takes quadratic time on white
 * space that something follows.
 */
function withoutSpace(text: string, where: 'both' | 'end' = 'both'): string {
  let start = 0
  let end = text.length
  while (end > 0 && WHITE_CODES.has(text.charCodeAt(end - 1))) end--
  while (where === 'both' && start < end && WHITE_CODES.has(text.charCodeAt(start))) start++
  return text.slice(start, end)
}

const WHITE_CODES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0d, 0x0a])
const NOT_A_CHARACTER = /[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/

const S = '[ \\t\\r\\n]'
const NC_NAME = '[A-Za-z_\\u0080-\\uffff][\\w.\\u0080-\\uffff-]*'
/** The colon after the first part rather than before the last, so that a name without prefix is read once. */
const NAME = `${NC_NAME}(?::${NC_NAME})?`
const DECLARATION = new RegExp(
  `^<\\?xml${S}+version${S}*=${S}*["']([^"'<>]*)["'](?:${S}+encoding${S}*=${S}*["']([^"'<>]*)["'])?` +
    `(?:${S}+standalone${S}*=${S}*["'](?:yes|no)["'])?${S}*\\?>`,
)
const START_TAG = new RegExp(`<${NAME}`, 'y')
const ATTRIBUTE = new RegExp(`${S}+${NAME}${S}*=${S}*(?:"[^"<]*"|'[^'<]*')`, 'y')
const START_TAG_END = new RegExp(`${S}*/?>`, 'y')
const END_TAG = new RegExp(`</${NAME}${S}*>`, 'y')
const REFERENCE = /&(?:#([0-9]{1,7})|#x([0-9a-fA-F]{1,6})|(lt|gt|amp|quot|apos));|&/g
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** What a value means otherwise than it is written. */
const NOT_LITERAL = /[&\t\r\n]/
const DTD = /^<!(DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)/i

type Scope = ReadonlyMap<string, string>

/** An element whose end has not been reached. */
interface Open {
  readonly element: XmlElement & { readonly children: XmlNode[]; readonly source: { end: number } }
  readonly scope: Scope
}

/** An attribute or a declaration, under the name that is written. */
interface Written {
  readonly key: string
  readonly value: string
}

class Reader {
  readonly #text: string
  readonly #path: string
  readonly #open: Open[] = []
  #at = 0
  #markup = 0
  #root: XmlElement | undefined

  constructor(text: string, path: string) {
    this.#text = text
    this.#path = path
  }

  document(): XmlElement {
    this.#declaration()
    while (this.#at < this.#text.length) {
      const next = this.#text.indexOf('<', this.#at)
      this.#characters(this.#text.slice(this.#at, next < 0 ? this.#text.length : next))
      if (next < 0) break
      this.#at = next
      this.#markupAt(this.#text[next + 1])
    }
    if (this.#root === undefined) return this.#syntax(this.#open.length > 0 ? 'an element without end' : 'no element')
    return this.#root
  }

  #syntax(actual: string): never {
    return refuse('XML_SYNTAX', this.#path, { actual: `${actual}, at character ${this.#at}` })
  }

  #declaration(): void {
    const [whole, version, encoding] = DECLARATION.exec(this.#text) ?? []
    if (whole === undefined) return
    if (version !== '1.0') refuse('RIM_SCHEMA_INVALID', this.#path, { expected: 'XML 1.0', actual: version ?? '' })
    if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') {
      refuse('XML_ENCODING', this.#path, { expected: 'UTF-8', actual: encoding })
    }
    this.#at = whole.length
  }

  #characters(raw: string): void {
    if (raw === '') return
    const open = this.#open.at(-1)
    if (open !== undefined)
      open.element.children.push({ kind: 'text', text: this.#dereference(raw), literal: !raw.includes('&') })
    else if (!/^[ \t\r\n]*$/.test(raw)) this.#syntax('text outside the root element')
  }

  #dereference(raw: string): string {
    if (!raw.includes('&')) return raw
    return raw.replace(REFERENCE, (whole, decimal?: string, hexadecimal?: string, name?: string) => {
      const code =
        decimal !== undefined ? Number(decimal) : hexadecimal !== undefined ? Number.parseInt(hexadecimal, 16) : 0
      const character = name !== undefined ? NAMED[name] : isCharacter(code) ? String.fromCodePoint(code) : undefined
      return character ?? this.#syntax(`the reference ${whole}`)
    })
  }

  #markupAt(second: string | undefined): void {
    if (second !== '/' && ++this.#markup > MARKUP_COUNT) {
      refuse('LIMIT_XML', this.#path, { expected: `at most ${MARKUP_COUNT} elements` })
    }
    if (second === '/') this.#endTag()
    else if (second === '?') this.#foreign('processing instruction', '?>', 2)
    else if (second !== '!') this.#startTag()
    else if (this.#text.startsWith('<!--', this.#at)) this.#foreign('comment', '-->', 4)
    else if (this.#text.startsWith('<![CDATA[', this.#at)) this.#foreign('CDATA section', ']]>', 9)
    else if (DTD.test(this.#text.slice(this.#at, this.#at + 12))) refuse('XML_DTD_FORBIDDEN', this.#path)
    else this.#syntax('an unknown declaration')
  }

  #foreign(what: 'comment' | 'CDATA section' | 'processing instruction', end: string, skip: number): void {
    const at = this.#text.indexOf(end, this.#at + skip)
    if (at < 0) this.#syntax(`a ${what} without end`)
    const open = this.#open.at(-1)
    if (open === undefined) refuse('RIM_SCHEMA_INVALID', this.#path, { actual: `a ${what} outside the root element` })
    else open.element.children.push({ kind: 'foreign', what })
    this.#at = at + end.length
  }

  #startTag(): void {
    const start = this.#at
    const name = (this.#match(START_TAG) ?? this.#syntax('no name')).slice(1)
    const written = this.#attributes()
    const isEmpty = (this.#match(START_TAG_END) ?? this.#syntax(`the tag of ${name}`)).endsWith('/>')
    const parent = this.#open.at(-1)
    if (parent === undefined && this.#root !== undefined) this.#syntax('a second root element')
    if (this.#open.length >= LIMITS.xmlDepth) {
      refuse('LIMIT_XML', this.#path, { expected: `at most ${LIMITS.xmlDepth} levels` })
    }
    const { scope, declared } = this.#declarations(written, parent?.scope ?? FIRST_SCOPE)
    const attributes: XmlAttribute[] = []
    for (const { key, value } of written) {
      if (isDeclaration(key)) continue
      const { namespace, name: local } = key.includes(':') ? this.#expand(key, scope) : { namespace: '', name: key }
      for (const other of attributes) if (hasName(other, namespace, local)) this.#syntax(`${key} twice in one element`)
      attributes.push({ namespace, name: local, value })
    }
    const { namespace, name: local } = this.#expand(name, scope)
    const source = { name, start, startTagEnd: this.#at, end: this.#at }
    const element = { kind: 'element' as const, namespace, name: local, attributes, declared, children: [], source }
    this.#open.push({ element, scope })
    if (isEmpty) this.#close()
  }

  #attributes(): readonly Written[] {
    const written: Written[] = []
    const text = this.#text
    for (let start = this.#at; this.#passes(ATTRIBUTE); start = this.#at) {
      if (written.length >= LIMITS.xmlAttributes) {
        refuse('LIMIT_XML', this.#path, { expected: `at most ${LIMITS.xmlAttributes} attributes in one element` })
      }
      const end = this.#at - 1
      const equals = text.indexOf('=', start)
      const value = text.slice(text.indexOf(text.charAt(end), equals) + 1, end)
      // XML 1.0 §3.3.3: white space in a value is spaces, unless it was written as a reference.
      const meant = NOT_LITERAL.test(value) ? this.#dereference(value.replace(/\r\n|[\t\r\n]/g, ' ')) : value
      written.push({ key: withoutSpace(text.slice(start, equals)), value: meant })
    }
    return written
  }

  #declarations(written: readonly Written[], outer: Scope): { scope: Scope; declared: string[] } {
    const own = written.filter(({ key }) => isDeclaration(key))
    if (own.length === 0) return { scope: outer, declared: [] }
    const scope = new Map(outer)
    for (const { key, value: uri } of own) {
      const prefix = key === 'xmlns' ? '' : key.slice(6)
      const reserved = prefix === 'xml' || prefix === 'xmlns' || uri === NAMESPACE.xml || (prefix !== '' && uri === '')
      if (reserved) this.#syntax(`the declaration ${key}`)
      scope.set(prefix, uri)
    }
    if (new Set(own.map(({ key }) => key)).size !== own.length) this.#syntax('one prefix declared twice')
    return { scope, declared: own.map(({ value }) => value) }
  }

  #expand(qualified: string, scope: Scope): XmlName {
    const colon = qualified.indexOf(':')
    const prefix = colon < 0 ? '' : qualified.slice(0, colon)
    const namespace = scope.get(prefix) ?? this.#syntax(`the prefix of ${qualified}`)
    return { namespace, name: qualified.slice(colon + 1) }
  }

  #endTag(): void {
    const name = withoutSpace((this.#match(END_TAG) ?? this.#syntax('an end tag')).slice(2, -1))
    if (name !== this.#open.at(-1)?.element.source.name) this.#syntax(`the end of ${name}`)
    this.#close()
  }

  #close(): void {
    const { element } = this.#open.pop() ?? this.#syntax('an end without start')
    element.source.end = this.#at
    const parent = this.#open.at(-1)
    if (parent === undefined) this.#root = element
    else parent.element.children.push(element)
  }

  #match(pattern: RegExp): string | undefined {
    const start = this.#at
    return this.#passes(pattern) ? this.#text.slice(start, this.#at) : undefined
  }

  /** Without groups: an array of them for each attribute costs more than to find its parts again. */
  #passes(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    const isThere = pattern.test(this.#text)
    if (isThere) this.#at = pattern.lastIndex
    return isThere
  }
}

const FIRST_SCOPE: Scope = new Map([
  ['', ''],
  ['xml', NAMESPACE.xml],
])

const isDeclaration = (key: string): boolean => key === 'xmlns' || key.startsWith('xmlns:')

/** XML 1.0, production 2. */
const isCharacter = (code: number): boolean =>
  code === 9 ||
  code === 10 ||
  code === 13 ||
  (code >= 0x20 && code < 0xd800) ||
  (code >= 0xe000 && code <= 0x10ffff && (code & 0xfffe) !== 0xfffe)
