/** Expanded name: namespace URI, empty where there is none, and local part. */
export interface XmlName {
  readonly namespace: string
  readonly name: string
}

export interface XmlAttribute extends XmlName {
  readonly value: string
}

export interface XmlElement extends XmlName {
  readonly kind: 'element'
  readonly attributes: readonly XmlAttribute[]
  /** namespace URIs that this element declares, used or not */
  readonly declared: readonly string[]
  readonly children: readonly XmlNode[]
  readonly source: XmlSource
}

/** How an element is written: its name with the prefix, and offsets in the text. */
export interface XmlSource {
  readonly name: string
  readonly start: number
  readonly startTagEnd: number
  readonly end: number
}

export interface XmlText {
  readonly kind: 'text'
  readonly text: string
  /** written without any reference (`&amp;`, `&#65;`) */
  readonly literal: boolean
}

/** What our documents never have. Kept in the tree, because which fault it is depends on where it stands. */
export interface XmlForeign {
  readonly kind: 'foreign'
  readonly what: 'comment' | 'CDATA section' | 'processing instruction'
}

export type XmlNode = XmlElement | XmlText | XmlForeign

export interface XmlFile {
  readonly root: XmlElement
  readonly text: string
}

export const NAMESPACE = {
  swid: 'http://standards.iso.org/iso/19770/-2/2015/schema.xsd',
  sha384: 'http://www.w3.org/2001/04/xmlenc#sha384',
  tcgRim: 'https://trustedcomputinggroup.org/resource/tcg-reference-integrity-manifest-rim-information-model/',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
  signature11: 'http://www.w3.org/2009/xmldsig11#',
  xml: 'http://www.w3.org/XML/1998/namespace',
} as const

export const isElement = (node: XmlNode): node is XmlElement => node.kind === 'element'

export const hasName = (of: XmlName, namespace: string, name: string): boolean =>
  of.namespace === namespace && of.name === name

/** Child elements, in order, whatever stands between them. */
export const elementsIn = (parent: XmlElement): readonly XmlElement[] => parent.children.filter(isElement)

/** Value of an attribute, or undefined. */
export function attributeOf(element: XmlElement, namespace: string, name: string): string | undefined {
  for (const a of element.attributes) if (hasName(a, namespace, name)) return a.value
  return undefined
}

/** Whether a node is white space between elements, written as such. */
export const isWhiteSpace = (node: XmlNode): boolean =>
  node.kind === 'text' && node.literal && /^[ \t\r\n]*$/.test(node.text)

/** What a node is, for a message. */
export const nodeText = (node: XmlNode): string =>
  node.kind === 'element'
    ? `<${node.source.name}>`
    : node.kind === 'text'
      ? `text "${node.text.slice(0, 40)}"`
      : node.what
