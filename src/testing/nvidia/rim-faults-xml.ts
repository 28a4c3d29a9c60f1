import { concatBytes, utf8 } from '../../core/bytes.ts'
import type { Fault } from './fault.ts'
import { afterSigning, editContent, type RimPlan } from './rim-plan.ts'
import { replaceOnce, withAttribute } from './xml.ts'

/** DOCTYPE is not part of the canonical form, so a signature survives it. */
const doctype = (
  what: string,
  declaration: string,
  change: (xml: string) => string = (xml) => xml,
): Fault<RimPlan> => ({
  what,
  row: 'RJ-RIM-09',
  apply: afterSigning((xml) => `<!DOCTYPE SoftwareIdentity ${declaration}>\n${change(xml)}`),
})

const encoding = (what: string, encode: (xml: string) => Uint8Array): Fault<RimPlan> => ({
  what,
  row: 'RJ-RIM-10',
  apply: (plan) => ({ ...plan, encode }),
})

const utf16 = (xml: string, bigEndian: boolean): Uint8Array => {
  const text = `\ufeff<?xml version="1.0" encoding="UTF-16"?>\n${xml}`
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))
  return Uint8Array.from(units.flatMap((unit) => (bigEndian ? [unit >> 8, unit & 0xff] : [unit & 0xff, unit >> 8])))
}

/** Bytes in place of the first `NVIDIA`, after signing. */
const rawBytes =
  (...bytes: number[]) =>
  (xml: string): Uint8Array => {
    const at = xml.indexOf('NVIDIA Corporation')
    return concatBytes(utf8(xml.slice(0, at)), Uint8Array.from(bytes), utf8(xml.slice(at)))
  }

const MARKER = '<ns0:Bomb/>'
const CANONICAL_MARKER = '<ns0:Bomb></ns0:Bomb>'

/**
 * Puts `text`, already in canonical form, behind the resources of a manifest and signs it rightly, however big it is: it
 * is spliced into the canonical text too, so nobody has to parse it to make it.
 */
export const withCanonicalText =
  (text: string) =>
  (plan: RimPlan): RimPlan => ({
    ...editContent(() => ({ inPayload: MARKER }))(plan),
    signature: { ...plan.signature, splice: (canonicalText) => replaceOnce(canonicalText, CANONICAL_MARKER, text) },
    after: (xml) => plan.after(replaceOnce(xml, MARKER, text)),
  })

/** Pads a manifest with spaces to exactly `sizeBytes`, rightly signed. */
export const paddedTo =
  (sizeBytes: number) =>
  (plan: RimPlan): RimPlan => {
    const bare = withCanonicalText('')(plan)
    const missing = sizeBytes - bare.encode(bare.after(bare.build(bare))).length
    if (missing < 0) throw new TypeError(`the manifest is longer than ${sizeBytes} bytes`)
    return withCanonicalText(' '.repeat(missing))(plan)
  }

const nested = (levels: number): string => '<ns0:a>'.repeat(levels) + '</ns0:a>'.repeat(levels)

const manyAttributes = (count: number): string => {
  const attributes = Array.from({ length: count }, (_, i) => `a${String(i).padStart(6, '0')}=""`)
  return `<ns0:a ${attributes.join(' ')}></ns0:a>`
}

/** Faults of the XML itself. The signature is valid for every parser that gets through. */
export const RIM_XML_FAULTS = {
  doctype: doctype('a DOCTYPE with an empty internal subset', '[]'),
  'doctype-external': doctype('a DOCTYPE that names an external subset', 'SYSTEM "http://127.0.0.1:9/rim.dtd"'),
  'doctype-parameter-entity': doctype(
    'an external parameter entity',
    '[<!ENTITY % p SYSTEM "http://127.0.0.1:9/rim.dtd"> %p;]',
  ),
  'doctype-external-entity': doctype('an external entity', '[<!ENTITY e SYSTEM "file:///etc/hostname">]'),
  'doctype-entity': doctype('an attribute value taken from an entity', '[<!ENTITY e "NVIDIA Corporation">]', (xml) =>
    replaceOnce(xml, 'name="NVIDIA Corporation"', 'name="&e;"'),
  ),
  'doctype-default-attribute': doctype('an attribute default', '[<!ATTLIST ns0:Entity thumbprint CDATA "0">]'),
  'doctype-entity-bomb': doctype('entities that grow by ten at each of nine levels', bombEntities()),

  'utf-16-le': encoding('UTF-16, little-endian, with its mark', (xml) => utf16(xml, false)),
  'utf-16-be': encoding('UTF-16, big-endian, with its mark', (xml) => utf16(xml, true)),
  'latin-1': encoding('an ISO-8859-1 declaration', (xml) =>
    utf8(`<?xml version="1.0" encoding="ISO-8859-1"?>\n${xml}`),
  ),
  'byte-order-mark': encoding('a UTF-8 byte order mark', (xml) =>
    concatBytes(Uint8Array.of(0xef, 0xbb, 0xbf), utf8(xml)),
  ),
  nul: encoding('a NUL byte', rawBytes(0x00)),
  'utf-8-invalid': encoding('a byte no UTF-8 has', rawBytes(0xff)),
  'utf-8-overlong': encoding('an overlong sequence', rawBytes(0xc1, 0x81)),
  'utf-8-surrogate': encoding('an encoded surrogate', rawBytes(0xed, 0xa0, 0x80)),

  'depth-bomb': { what: '100,000 levels', row: 'RJ-RIM-11', apply: (plan) => withCanonicalText(nested(100_000))(plan) },
  'depth-66': { what: '66 levels, the root counted', row: 'RJ-RIM-11', apply: withCanonicalText(nested(64)) },
  'attribute-bomb': {
    what: '100,000 attributes',
    row: 'RJ-RIM-11',
    apply: (plan) => withCanonicalText(manyAttributes(100_000))(plan),
  },
  'attributes-33': {
    what: '33 attributes on one element',
    row: 'RJ-RIM-11',
    apply: withCanonicalText(manyAttributes(33)),
  },
  'size-bomb': { what: '2 MiB and one byte', row: 'RJ-RIM-11', apply: paddedTo(2 * 1024 * 1024 + 1) },

  'processing-instruction': {
    what: 'a processing instruction in the Payload',
    row: 'RJ-RIM-02',
    apply: editContent(() => ({ inPayload: '<?golden 7?>\n' })),
  },
  stylesheet: {
    what: 'a processing instruction before the root',
    row: 'RJ-RIM-02',
    apply: editContent(() => ({ prolog: '<?xml-stylesheet href="http://127.0.0.1:9/"?>\n' })),
  },
  'xml-base': {
    what: 'xml:base on the root',
    row: 'RJ-RIM-02',
    apply: editContent((content) => ({
      rootAttributes: withAttribute(content.rootAttributes, 'xml:base', 'http://127.0.0.1:9/'),
    })),
  },
  'xml-id': {
    what: 'xml:id on the Payload',
    row: 'RJ-RIM-02',
    apply: editContent((content) => ({ payload: withAttribute(content.payload, 'xml:id', 'payload') })),
  },
  xinclude: {
    what: 'an XInclude element',
    row: 'RJ-RIM-02',
    apply: editContent(() => ({
      inPayload: '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="http://127.0.0.1:9/" parse="text"/>',
    })),
  },
  comment: {
    what: 'a comment in the Payload, which no canonical form keeps',
    row: 'RJ-RIM-02',
    apply: editContent(() => ({ inPayload: '<!-- comment -->' })),
  },
  cdata: {
    what: 'a CDATA section in the Payload',
    row: 'RJ-RIM-02',
    apply: editContent(() => ({ inPayload: '<![CDATA[ ]]>' })),
  },
  'xml-1.1': { what: 'XML 1.1', row: 'RJ-RIM-02', apply: afterSigning((xml) => `<?xml version="1.1"?>\n${xml}`) },
  'root-twice': { what: 'two root elements', row: 'RJ-RIM-02', apply: afterSigning((xml) => xml + xml) },
  'text-behind': { what: 'text behind the root', row: 'RJ-RIM-02', apply: afterSigning((xml) => `${xml}text`) },
  'cut-short': {
    what: 'ends in the middle',
    row: 'RJ-RIM-02',
    apply: afterSigning((xml) => xml.slice(0, xml.length / 2)),
  },
  'not-xml': { what: 'JSON', row: 'RJ-RIM-02', apply: afterSigning(() => '{"id":"NV_GPU_DRIVER"}') },
  empty: { what: 'no bytes at all', row: 'RJ-RIM-02', apply: afterSigning(() => '') },
} as const satisfies Record<string, Fault<RimPlan>>

function bombEntities(): string {
  const levels = Array.from({ length: 9 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`)
  return `[<!ENTITY e0 "xxxxxxxxxx">${levels.join('')}]`
}
