import { flipBit, must } from './bytes.ts'
import type { Fault } from './fault.ts'
import { renderRim } from './rim-document.ts'
import { afterSigning, editSignature, forged, type RimPlan, signPlan } from './rim-plan.ts'
import { inForm, type SignatureForm } from './spdm.ts'
import { replaceOnce } from './xml.ts'

const part = (xml: string, element: string): string =>
  must(new RegExp(`<ds:${element}>[\\s\\S]*?</ds:${element}>`).exec(xml)?.[0], `ds:${element}`)

const text = (xml: string, element: string): string => part(xml, element).replace(/<[^>]*>/g, '')

const insideOf =
  (element: string, change: (content: string) => string) =>
  (xml: string): string =>
    replaceOnce(xml, part(xml, element), `<ds:${element}>${change(text(xml, element))}</ds:${element}>`)

const split =
  (middle: string) =>
  (content: string): string =>
    content.slice(0, 20) + middle + content.slice(20)

const markup = (what: string, element: string, change: (content: string) => string): Fault<RimPlan> => ({
  what,
  row: 'RJ-RIM-07',
  apply: afterSigning(insideOf(element, change)),
})

/** Signs the document as it is and as an attacker would have it, and puts the two together. */
const twoDocuments =
  (combine: (genuine: string, forgery: string) => string) =>
  (plan: RimPlan): RimPlan => ({
    ...plan,
    build: (of) => combine(signPlan(of), signPlan({ ...of, content: forged(of.content) })),
  })

const inSignatureForm = (what: string, form: SignatureForm): Fault<RimPlan> => ({
  what,
  apply: editSignature(({ signature: { method: usual } }) => ({
    method: { ...usual, sign: (octets) => inForm(usual.sign(octets), form) },
  })),
})

/** Faults of the signature's own structure and value, and of a document changed under it. */
export const RIM_SIGNATURE_FAULTS = {
  'signature-missing': {
    what: 'no signature',
    row: 'RJ-RIM-03',
    apply: (plan) => ({ ...plan, build: (of) => of.render(of.content, '') }),
  },
  'signature-copied': {
    what: 'the signature twice',
    row: 'RJ-RIM-03',
    apply: afterSigning((xml) =>
      replaceOnce(
        xml,
        '</ds:Signature>',
        `</ds:Signature>${xml.slice(xml.indexOf('<ds:Signature '), xml.indexOf('</ds:Signature>'))}</ds:Signature>`,
      ),
    ),
  },
  'signature-counter': {
    what: 'a signed document signed once more; the new signature stands first and covers the old',
    row: 'RJ-RIM-03',
    apply: (plan) => ({
      ...plan,
      build: (of) => {
        const inner = signPlan(of)
        const signature = inner.slice(inner.indexOf('<ds:Signature '), inner.indexOf('</SoftwareIdentity>'))
        return signPlan({ ...of, render: (content, outer) => of.render(content, outer + signature) })
      },
    }),
  },
  'signature-nested': {
    what: 'the signature inside the Payload',
    row: 'RJ-RIM-04',
    apply: (plan) => ({ ...plan, render: (content, signature) => renderRim({ ...content, inPayload: signature }, '') }),
  },
  'signed-info-copied': {
    what: 'SignedInfo twice, the same',
    row: 'RJ-RIM-06',
    apply: afterSigning((xml) => replaceOnce(xml, part(xml, 'SignedInfo'), part(xml, 'SignedInfo').repeat(2))),
  },
  'signed-info-forged-first': {
    what: 'altered document; its own SignedInfo stands before the signed one',
    row: 'RJ-RIM-06',
    apply: twoDocuments((genuine, forgery) =>
      insideOf('SignatureValue', () => text(genuine, 'SignatureValue'))(
        replaceOnce(forgery, part(forgery, 'SignedInfo'), part(forgery, 'SignedInfo') + part(genuine, 'SignedInfo')),
      ),
    ),
  },
  'signed-info-forged-last': {
    what: 'altered document; its own SignedInfo stands behind the signed one',
    row: 'RJ-RIM-06',
    apply: twoDocuments((genuine, forgery) =>
      insideOf('SignatureValue', () => text(genuine, 'SignatureValue'))(
        replaceOnce(forgery, part(forgery, 'SignedInfo'), part(genuine, 'SignedInfo') + part(forgery, 'SignedInfo')),
      ),
    ),
  },
  'digest-comment': markup('a comment inside DigestValue', 'DigestValue', split('<!-- -->')),
  'digest-comment-forged': {
    what: 'altered document; its digest stands in a comment before the signed digest',
    row: 'RJ-RIM-07',
    apply: twoDocuments((genuine, forgery) => {
      const digests = `<!--${text(forgery, 'DigestValue')}-->${text(genuine, 'DigestValue')}`
      const signed = replaceOnce(forgery, part(forgery, 'SignedInfo'), part(genuine, 'SignedInfo'))
      const valued = insideOf('SignatureValue', () => text(genuine, 'SignatureValue'))(signed)
      return insideOf('DigestValue', () => digests)(valued)
    }),
  },
  'digest-cdata': markup('DigestValue as a CDATA section', 'DigestValue', (value) => `<![CDATA[${value}]]>`),
  'digest-character-reference': markup(
    'a character reference inside DigestValue',
    'DigestValue',
    (value) => `&#${value.charCodeAt(0)};${value.slice(1)}`,
  ),
  'signature-value-comment': markup('a comment inside SignatureValue', 'SignatureValue', split('<!-- -->')),
  'signature-value-element': markup('an element inside SignatureValue', 'SignatureValue', split('<ds:x/>')),
  'signature-value-empty': markup('an empty SignatureValue', 'SignatureValue', () => ''),
  'signature-value-not-base64': markup('a character no base64 has', 'SignatureValue', (value) => `*${value.slice(1)}`),
  'signature-value-twice': {
    what: 'SignatureValue twice',
    row: 'RJ-RIM-06',
    apply: afterSigning((xml) => replaceOnce(xml, part(xml, 'SignatureValue'), part(xml, 'SignatureValue').repeat(2))),
  },
  'signature-value-missing': {
    what: 'no SignatureValue',
    row: 'RJ-RIM-06',
    apply: afterSigning((xml) => replaceOnce(xml, part(xml, 'SignatureValue'), '')),
  },
  'object-added': {
    what: 'an Object inside the signature',
    row: 'RJ-RIM-06',
    apply: editSignature(() => ({ objects: '<ds:Object>text</ds:Object>' })),
  },

  'content-edited': {
    what: 'a golden value changed after signing',
    apply: twoDocuments((genuine, forgery) => {
      const signature = genuine.slice(genuine.indexOf('<ds:Signature '))
      return forgery.slice(0, forgery.indexOf('<ds:Signature ')) + signature
    }),
  },
  'version-edited': {
    what: 'the version changed after signing',
    apply: afterSigning((xml) => xml.replace(/colloquialVersion="[^"]*"/, 'colloquialVersion="550.54.14"')),
  },
  'active-edited': {
    what: 'a resource made inactive after signing',
    apply: afterSigning((xml) => replaceOnce(xml, 'active="True"', 'active="False"')),
  },
  'resource-added': {
    what: 'a resource added after signing',
    apply: afterSigning((xml) =>
      replaceOnce(
        xml,
        '    </ns0:Payload>',
        `${must(/ +<ns0:Resource [^>]*>\n/.exec(xml)?.[0], 'resource')}    </ns0:Payload>`,
      ),
    ),
  },
  'signature-bit': {
    what: 'one bit of the signature turned over',
    apply: editSignature(({ signature: { method: usual } }) => ({
      method: { ...usual, sign: (octets) => flipBit(usual.sign(octets), 95 * 8) },
    })),
  },
  'signature-der': inSignatureForm('the signature in DER', 'der'),
  'signature-swapped': inSignatureForm('s ‖ r', 'swapped'),
  'signature-zero': inSignatureForm('r = s = 0', 'zero'),
  'signature-r-order': inSignatureForm('r = n', 'r-order'),
  'signature-short': inSignatureForm('95 bytes', 'one-byte-short'),
} as const satisfies Record<string, Fault<RimPlan>>
