import { utf8 } from '../../core/bytes.ts'
import type { NvidiaArchitecture, RimKind } from './architectures.ts'
import { must } from './bytes.ts'
import type { NvidiaTestPki } from './pki.ts'
import { type RimContent, type RimResource, renderRim } from './rim-document.ts'
import type { RimChain } from './rim-pki.ts'
import { withAttribute } from './xml.ts'
import { ecdsa, signXml, wholeDocument, type XmlSignature, x509Data } from './xmldsig.ts'

/** How a manifest is going to be made. A fault is a change to this plan, so everything after it is done rightly. */
export interface RimPlan {
  readonly pki: NvidiaTestPki
  readonly architecture: NvidiaArchitecture
  readonly kind: RimKind
  readonly chain: RimChain
  readonly content: RimContent
  readonly signature: XmlSignature
  /** The document around a Signature element. */
  readonly render: (content: RimContent, signature: string) => string
  /** The signed text. */
  readonly build: (plan: RimPlan) => string
  /** What happens to the text after it was signed. */
  readonly after: (xml: string) => string
  readonly encode: (xml: string) => Uint8Array
}

export const signPlan = (plan: RimPlan): string =>
  signXml((signature) => plan.render(plan.content, signature), plan.signature)

/** The signature real manifests carry: C14N 1.1, ECDSA with SHA-384, one Reference to the document, X509Data alone. */
export const usualSignature = (chain: RimChain): XmlSignature => ({
  canonicalization: 'c14n-1.1',
  method: ecdsa(chain.signerKey),
  references: [wholeDocument()],
  keyInfo: x509Data(chain.chain),
})

export function plainPlan(of: Pick<RimPlan, 'pki' | 'architecture' | 'kind' | 'chain' | 'content'>): RimPlan {
  return {
    ...of,
    signature: usualSignature(of.chain),
    render: renderRim,
    build: signPlan,
    after: (xml) => xml,
    encode: utf8,
  }
}

type PlanEdit = (plan: RimPlan) => RimPlan

/** Changes the content before it is signed. */
export const editContent =
  (change: (content: RimContent) => Partial<RimContent>): PlanEdit =>
  (plan) => ({ ...plan, content: { ...plan.content, ...change(plan.content) } })

/** Sets or (with undefined) removes an attribute of Meta. */
export const editMeta = (name: string, value: string | undefined): PlanEdit =>
  editContent((content) => ({ meta: withAttribute(content.meta, name, value) }))

/** Changes one resource; an index that is not in the manifest is the caller's mistake. */
export const editResource = (index: number, change: (resource: RimResource) => RimResource): PlanEdit =>
  editContent((content) => {
    must(content.resources[index], `resource ${index}`)
    return { resources: content.resources.map((resource, i) => (i === index ? change(resource) : resource)) }
  })

/** Changes the lowest index that is active, which every kind of manifest has. */
export const editFirstActive =
  (change: (resource: RimResource) => RimResource): PlanEdit =>
  (plan) =>
    editResource(firstActive(plan.content), change)(plan)

export function firstActive(content: RimContent): number {
  const at = content.resources.findIndex((resource) => resource.active === 'True')
  if (at < 0) throw new TypeError('the manifest has no active resource')
  return at
}

/** The content an attacker would have read: the first golden value is of his choice. */
export function forged(content: RimContent): RimContent {
  const at = firstActive(content)
  const hashes = must(content.resources[at], 'resource').hashes.map(([name]) => [name, 'ee'.repeat(48)] as const)
  return { ...content, resources: content.resources.map((r, i) => (i === at ? { ...r, hashes } : r)) }
}

/** Changes the signature's description before it is made. */
export const editSignature =
  (change: (plan: RimPlan) => Partial<XmlSignature>): PlanEdit =>
  (plan) => ({ ...plan, signature: { ...plan.signature, ...change(plan) } })

/** Changes the text after it was signed. */
export const afterSigning =
  (after: (xml: string) => string): PlanEdit =>
  (plan) => ({ ...plan, after })
