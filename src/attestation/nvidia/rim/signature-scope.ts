import { refuse } from '../../../core/outcome.ts'
import { attributeOf, elementsIn, hasName, NAMESPACE, type XmlElement } from './xml-tree.ts'

/**
 * The signature of a document: exactly one, child of the root, and no part of a manifest anywhere but in its one place. A
 * copy that is moved aside, or put where a reader looks, is what wrapping attacks are made of. Ends the surrounding
 * `attempt` with RIM_SIGNATURE_SCOPE or RIM_SIGNATURE_COUNT.
 * @see McIntosh and Austel, XML Signature Element Wrapping Attacks and Countermeasures (2005)
 */
export function findSignature(root: XmlElement, path: string): XmlElement {
  const children = new Set(elementsIn(root))
  for (const element of within(root)) {
    const isPart = element.namespace === NAMESPACE.swid && PARTS.includes(element.name)
    const isSignature = hasName(element, NAMESPACE.signature, 'Signature')
    const isRoot = element === root && element.name === 'SoftwareIdentity'
    const inPlace = isRoot || (children.has(element) && element.name !== 'SoftwareIdentity')
    if ((isPart || isSignature) && !inPlace) {
      refuse('RIM_SIGNATURE_SCOPE', path, { actual: `<${element.source.name}> in another place` })
    }
  }
  const signatures = [...children].filter((e) => hasName(e, NAMESPACE.signature, 'Signature'))
  const [signature] = signatures
  if (signature === undefined || signatures.length > 1) {
    return refuse('RIM_SIGNATURE_COUNT', path, { expected: 1, actual: signatures.length })
  }
  // Two Payloads under one signature are a wrong manifest; two of which one is signed are a forged one.
  const isTwice = PARTS.some((name) => [...children].filter((e) => hasName(e, NAMESPACE.swid, name)).length > 1)
  if (isTwice && !coversDocument(signature)) {
    refuse('RIM_SIGNATURE_SCOPE', path, { actual: 'a second Meta or Payload, of which only one is signed' })
  }
  return signature
}

const PARTS: readonly string[] = ['SoftwareIdentity', 'Meta', 'Payload']

const within = (element: XmlElement): readonly XmlElement[] => [element, ...elementsIn(element).flatMap(within)]

function coversDocument(signature: XmlElement): boolean {
  const references = within(signature).filter((e) => hasName(e, NAMESPACE.signature, 'Reference'))
  return references.length === 1 && references.every((r) => attributeOf(r, '', 'URI') === '')
}
