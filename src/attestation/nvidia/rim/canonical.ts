import { concatBytes, utf8 } from '../../../core/bytes.ts'
import { attemptAsync, type Outcome, refuse } from '../../../core/outcome.ts'
import type { XmlElement, XmlFile } from './xml-tree.ts'

type Libxml2 = typeof import('libxml2-wasm')
type Document = ReturnType<Libxml2['XmlDocument']['fromBuffer']>
type Node = Document['root']

/** Loaded with the first manifest: starting its WebAssembly takes longer than judging a machine. */
let loading: Promise<Libxml2> | undefined

function libxml2(): Promise<Libxml2> {
  loading ??= import('libxml2-wasm')
  return loading
}

export interface CanonicalForms {
  /** the document without its signature: what the digest is over */
  readonly content: Uint8Array
  /** the first child of the signature, SignedInfo, as it stands in the document: what the signature is over */
  readonly signedInfo: Uint8Array
}

/**
 * Canonical XML 1.1 without comments, of the two node sets that an enveloped signature of this profile is about. Nothing
 * is loaded for a document: no entity, no DTD, no file, no address.
 * @param signature child of the root
 * @returns the forms, or XML_SYNTAX where libxml2 reads another document than we do, or none
 * @see Canonical XML 1.1; XML Signature 1.1 §6.6.4
 */
export function canonicalForms(file: XmlFile, signature: XmlElement, path: string): Promise<Outcome<CanonicalForms>> {
  return attemptAsync(async () => {
    const library = await libxml2()
    const otherwise = (actual: string): never => refuse('XML_SYNTAX', path, { actual })
    const { text, root } = file
    const { start, end } = signature.source
    // The signature is cut out before libxml2 sees it. A comment, which this form does not have, keeps apart what stood around it:
    // a carriage return and a line feed would become one line's end.
    const content = withDocument(
      library,
      utf8(`${text.slice(0, start)}<!---->${text.slice(end)}`),
      otherwise,
      (document) => canonical(library, (sink, options) => document.canonicalize(sink, options)),
    )
    // Inclusive canonical form takes from the ancestors what their start tags declare, and nothing else.
    const rootTag = text.slice(root.source.start, root.source.startTagEnd)
    const inContext = `${rootTag}${text.slice(start, end)}</${root.source.name}>`
    const signedForm = withDocument(library, utf8(inContext), otherwise, (document) => {
      const [outer] = childElements(library, document.root)
      const [inner] = outer === undefined ? [] : childElements(library, outer)
      if (inner === undefined) return otherwise('another SignedInfo for libxml2')
      // By its place in the tree rather than as a subtree: a subtree's own method makes an object of every node.
      return canonical(library, (sink, options) =>
        document.canonicalize(sink, { ...options, nodeSet: new Set([inner]) }),
      )
    })
    return { content, signedInfo: signedForm }
  })
}

/** Runs `read` on a document in WebAssembly's memory and gives the memory back, whatever happens. */
function withDocument<T>(
  library: Libxml2,
  bytes: Uint8Array,
  otherwise: (actual: string) => never,
  read: (document: Document) => T,
): T {
  const { XML_PARSE_NONET, XML_PARSE_NO_XXE, XML_PARSE_NO_SYS_CATALOG, XML_PARSE_SKIP_IDS } = library.ParseOption
  const option = XML_PARSE_NONET | XML_PARSE_NO_XXE | XML_PARSE_NO_SYS_CATALOG | XML_PARSE_SKIP_IDS
  let document: Document | undefined
  try {
    document = library.XmlDocument.fromBuffer(bytes, { encoding: 'utf-8', option })
    return read(document)
  } catch (error) {
    if (error instanceof library.XmlError) return otherwise('not XML for libxml2')
    throw error
  } finally {
    document?.dispose()
  }
}

function childElements(library: Libxml2, parent: Node): Node[] {
  const children: Node[] = []
  for (let child = parent.firstChild; child !== null; child = child.next) {
    if (child instanceof library.XmlElement) children.push(child)
  }
  return children
}

type Sink = Parameters<Document['canonicalize']>[0]
type Options = NonNullable<Parameters<Document['canonicalize']>[1]>

function canonical(
  library: Libxml2,
  run: (sink: Sink, options: Pick<Options, 'mode' | 'withComments'>) => void,
): Uint8Array {
  const parts: Uint8Array[] = []
  const sink: Sink = {
    write: (part) => {
      parts.push(part.slice()) // the memory is libxml2's, and used again
      return part.length
    },
    close: () => true,
  }
  run(sink, { mode: library.XmlC14NMode.XML_C14N_1_1, withComments: false })
  return concatBytes(...parts)
}
