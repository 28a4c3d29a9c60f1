import type { Fault } from './fault.ts'
import { payloadElement, type RimContent, renderRim } from './rim-document.ts'
import { editSignature, forged, type RimPlan, signPlan } from './rim-plan.ts'
import { DSIG, withAttribute } from './xml.ts'
import { c14nTransform, type XmlReference, x509Data } from './xmldsig.ts'

const ID = 'original'

/** The genuine document as an element with an id, for a Reference that finds it wherever it is moved. */
const withId = (content: RimContent): string =>
  renderRim({ ...content, rootAttributes: withAttribute(content.rootAttributes, 'id', ID) }, '')

const reference = (id: string): XmlReference => ({
  uri: `#${id}`,
  transforms: [c14nTransform('c14n-1.1')],
  digest: 'sha384',
  over: { form: 'c14n-1.1', selection: { element: `//*[@id='${id}']` } },
})

/** An altered root holds the genuine, whole-document-signed original. */
const aroundSigned = (what: string, place: (original: string) => Partial<RimContent>): Fault<RimPlan> => ({
  what,
  row: 'RJ-RIM-04',
  apply: (plan) => ({
    ...plan,
    build: (of) => renderRim({ ...forged(of.content), ...place(signPlan(of)) }, ''),
  }),
})

/** An altered root with the signature in its usual place; the Reference names the original, which has been moved aside. */
const aroundReferenced = (what: string, place: (original: string) => Partial<RimContent>): Fault<RimPlan> => ({
  what,
  row: 'RJ-RIM-04',
  apply: (plan) => ({
    ...editSignature(() => ({ references: [reference(ID)] }))(plan),
    render: (content, signature) => renderRim({ ...forged(content), ...place(withId(content)) }, signature),
  }),
})

/** Only the Payload is signed, and an altered Payload stands beside it. */
const besidePayload = (what: string, place: (payload: string) => Partial<RimContent>): Fault<RimPlan> => ({
  what,
  row: 'RJ-RIM-04',
  apply: (plan) => ({
    ...editSignature(() => ({ references: [reference('payload')] }))(plan),
    render: (content, signature) => {
      const altered = payloadElement(forged(content))
      return renderRim(
        { ...content, payload: withAttribute(content.payload, 'id', 'payload'), ...place(altered) },
        signature,
      )
    },
  }),
})

/**
 * Signature wrapping (McIntosh and Austel 2005, in the placements known from SAML as XSW 1 to 8): what was signed is still
 * in the document and its signature is valid, but what stands where a reader looks is something else.
 */
export const RIM_WRAPPING_FAULTS = {
  'wrap-signed-first': aroundSigned('the signed original as first child of an altered root', (inRoot) => ({ inRoot })),
  'wrap-signed-last': aroundSigned('the signed original as last child of an altered root', (behindPayload) => ({
    behindPayload,
  })),
  'wrap-referenced-first': aroundReferenced('the referenced original as first child of an altered root', (inRoot) => ({
    inRoot,
  })),
  'wrap-referenced-last': aroundReferenced(
    'the referenced original before the signature of an altered root',
    (behindPayload) => ({
      behindPayload,
    }),
  ),
  'wrap-in-object': {
    what: 'the referenced original in an Object of the signature',
    row: 'RJ-RIM-04',
    apply: (plan) => ({
      ...editSignature(({ content }) => ({
        references: [reference(ID)],
        objects: `<ds:Object>${withId(content)}</ds:Object>`,
      }))(plan),
      render: (content, signature) => renderRim(forged(content), signature),
    }),
  },
  'wrap-in-key-info': {
    what: 'the referenced original in KeyInfo',
    row: 'RJ-RIM-04',
    apply: (plan) => ({
      ...editSignature(({ chain, content }) => ({
        references: [reference(ID)],
        keyInfo: x509Data(chain.chain) + withId(content),
      }))(plan),
      render: (content, signature) => renderRim(forged(content), signature),
    }),
  },
  'wrap-payload-first': besidePayload('an altered Payload before the signed one', (inRoot) => ({ inRoot })),
  'wrap-payload-last': besidePayload('an altered Payload behind the signed one', (behindPayload) => ({
    behindPayload,
  })),
  'wrap-enveloping': {
    what: 'the signature is the root and holds the manifest in an Object',
    row: 'RJ-RIM-04',
    apply: (plan) => ({
      ...editSignature(({ content }) => ({
        references: [reference(ID)],
        objects: `<ds:Object xmlns:ds="${DSIG}">${withId(content)}</ds:Object>`,
      }))(plan),
      render: (_, signature) => signature,
    }),
  },
} as const satisfies Record<string, Fault<RimPlan>>
