import { XmlC14NMode, XmlDocument, type XmlNode } from 'libxml2-wasm'
import { must } from './bytes.ts'

/** Attributes in the order they are written; a name may carry a prefix. */
export type XmlAttributes = readonly (readonly [name: string, value: string])[]

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

const escaped = (text: string): string => text.replace(/[&<"\t\n\r]/g, (character) => ESCAPES[character] ?? character)

/** Start tag without its brackets: name and attributes. */
export const tag = (name: string, attributes: XmlAttributes): string =>
  [name, ...attributes.map(([key, value]) => `${key}="${escaped(value)}"`)].join(' ')

/** Sets an attribute where it stands, adds it at the end, or takes it away (`undefined`). */
export function withAttribute(attributes: XmlAttributes, name: string, value: string | undefined): XmlAttributes {
  const at = attributes.findIndex(([key]) => key === name)
  if (value === undefined) return attributes.filter(([key]) => key !== name)
  return at < 0 ? [...attributes, [name, value]] : attributes.with(at, [name, value])
}

/** Replaces the first `search`, which has to be there: an edit that changes nothing would be an accepted case in disguise. */
export function replaceOnce(text: string, search: string, replacement: string): string {
  const at = text.indexOf(search)
  if (at < 0) throw new TypeError(`"${search.slice(0, 60)}" is not in the document`)
  return text.slice(0, at) + replacement + text.slice(at + search.length)
}

export const DSIG = 'http://www.w3.org/2000/09/xmldsig#'

/** Canonicalisation algorithms by short name: their identifiers, and how libxml2 is told. */
export const C14N = {
  'c14n-1.1': { uri: 'http://www.w3.org/2006/12/xml-c14n11', mode: XmlC14NMode.XML_C14N_1_1, withComments: false },
  'c14n-1.1-comments': {
    uri: 'http://www.w3.org/2006/12/xml-c14n11#WithComments',
    mode: XmlC14NMode.XML_C14N_1_1,
    withComments: true,
  },
  'c14n-1.0': {
    uri: 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315',
    mode: XmlC14NMode.XML_C14N_1_0,
    withComments: false,
  },
  exclusive: {
    uri: 'http://www.w3.org/2001/10/xml-exc-c14n#',
    mode: XmlC14NMode.XML_C14N_EXCLUSIVE_1_0,
    withComments: false,
  },
} as const
export type Canonicalization = keyof typeof C14N

/** What of a document is canonicalised: all of it or the first element an XPath finds, less the elements of other XPaths. */
export interface NodeSelection {
  readonly element?: string
  readonly without?: readonly string[]
}

/** Canonical form of a selection; XPath prefix `ds` is the XML signature namespace. */
export function canonical(xml: string, form: Canonicalization, selection: NodeSelection = {}): string {
  const { mode, withComments } = C14N[form]
  const document = XmlDocument.fromString(xml)
  try {
    for (const xpath of selection.without ?? []) find(document, xpath).remove()
    if (selection.element === undefined) return document.canonicalizeToString({ mode, withComments })
    return find(document, selection.element).canonicalizeToString({ mode, withComments })
  } finally {
    document.dispose()
  }
}

const find = (document: XmlDocument, xpath: string): XmlNode => must(document.get(xpath, { ds: DSIG }), `node ${xpath}`)
