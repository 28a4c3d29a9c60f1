import { activeIndexes } from './architectures.ts'
import { must } from './bytes.ts'
import type { Fault } from './fault.ts'
import { hashAttributes, metaElement, payloadElement, type RimResource, renderRim } from './rim-document.ts'
import { editContent, editFirstActive, editMeta, editResource, forged, type RimPlan } from './rim-plan.ts'
import { replaceOnce, withAttribute } from './xml.ts'

const resource = (
  what: string,
  row: string | undefined,
  change: (of: RimResource) => Partial<RimResource>,
): Fault<RimPlan> => ({
  what,
  ...(row !== undefined && { row }),
  apply: editFirstActive((of) => ({ ...of, ...change(of) })),
})

const firstHash =
  (change: (value: string) => string) =>
  (of: RimResource): Partial<RimResource> => ({
    hashes: of.hashes.map(([name, value], i) => [name, i === 0 ? change(value) : value]),
  })

/** An index number, spelled or chosen wrongly. */
const index = (what: string, value: string): Fault<RimPlan> => resource(what, undefined, () => ({ index: value }))

const inText = (what: string, row: string, search: string, replacement: string): Fault<RimPlan> => ({
  what,
  row,
  apply: (plan) => ({
    ...plan,
    render: (content, signature) => replaceOnce(renderRim(content, signature), search, replacement),
  }),
})

/** What a manifest says, validly signed by its rightful signer. */
export const RIM_CONTENT_FAULTS = {
  'version-other': {
    what: 'another firmware version',
    row: 'RJ-RIM-12',
    apply: editMeta('colloquialVersion', '550.99.99'),
  },
  'version-missing': {
    what: 'no colloquialVersion',
    row: 'RJ-RIM-12',
    apply: editMeta('colloquialVersion', undefined),
  },
  'product-other': { what: 'another product', row: 'RJ-RIM-18', apply: editMeta('product', 'GX999') },
  'product-missing': { what: 'no product', row: 'RJ-RIM-18', apply: editMeta('product', undefined) },
  'edition-other': { what: 'neither GPU nor SWITCH', row: 'RJ-RIM-18', apply: editMeta('edition', 'NIC') },
  'class-other': {
    what: 'a manifest of the other device class with the right version',
    row: 'RJ-RIM-18',
    apply: (plan) => {
      const [product, edition] = plan.kind === 'switch-bios' ? ['GH100', 'GPU'] : ['LS10', 'SWITCH']
      return editMeta('edition', edition)(editMeta('product', product)(editMeta('ns1:PlatformModel', product)(plan)))
    },
  },
  'tag-id-other': {
    what: 'another tagId',
    row: 'RJ-RIM-01',
    apply: editContent((content) => ({
      rootAttributes: withAttribute(content.rootAttributes, 'tagId', 'ab'.repeat(48)),
    })),
  },

  'root-name': {
    what: 'root element of another name',
    row: 'RJ-RIM-02',
    apply: editContent(() => ({ rootName: 'SoftwareIdentities' })),
  },
  'root-namespace': {
    what: 'root element in another namespace',
    row: 'RJ-RIM-02',
    apply: editContent((content) => ({ rootAttributes: withAttribute(content.rootAttributes, 'xmlns', 'urn:other') })),
  },
  'payload-namespace': {
    what: 'Meta and Payload in another namespace',
    row: 'RJ-RIM-02',
    apply: editContent((content) => ({
      rootAttributes: withAttribute(content.rootAttributes, 'xmlns:ns0', 'urn:other'),
    })),
  },
  'hash-namespace': {
    what: 'golden values labelled SHA-256',
    row: 'RJ-RIM-02',
    apply: editContent((content) => ({
      rootAttributes: withAttribute(content.rootAttributes, 'xmlns:ns2', 'http://www.w3.org/2001/04/xmlenc#sha256'),
    })),
  },
  'element-unknown': {
    what: 'an element no manifest has',
    row: 'RJ-RIM-02',
    apply: editContent(() => ({ inPayload: '<ns0:Directory/>' })),
  },
  'text-in-payload': {
    what: 'text between the resources',
    row: 'RJ-RIM-02',
    apply: editContent(() => ({ inPayload: 'text' })),
  },
  'payload-twice': {
    what: 'a second Payload with another value',
    row: 'RJ-RIM-02',
    apply: editContent((content) => ({ behindPayload: payloadElement(forged(content)) })),
  },
  'meta-twice': {
    what: 'a second Meta',
    row: 'RJ-RIM-02',
    apply: editContent((content) => ({ behindPayload: metaElement(content) })),
  },
  'payload-missing': {
    what: 'no Payload',
    row: 'RJ-RIM-02',
    apply: (plan) => ({
      ...plan,
      render: (content, signature) => replaceOnce(renderRim(content, signature), payloadElement(content), ''),
    }),
  },
  'meta-missing': {
    what: 'no Meta',
    row: 'RJ-RIM-02',
    apply: (plan) => ({
      ...plan,
      render: (content, signature) => replaceOnce(renderRim(content, signature), metaElement(content), ''),
    }),
  },
  'resource-renamed': inText('a File where a Resource is due', 'RJ-RIM-02', '<ns0:Resource ', '<ns0:File '),

  'index-duplicate': {
    what: 'an active index twice, with two values',
    row: 'RJ-RIM-13',
    apply: editContent((content) => {
      const active = must(
        content.resources.find((r) => r.active === 'True'),
        'active resource',
      )
      const copy = { ...active, hashes: active.hashes.map(([name]) => [name, 'ab'.repeat(48)] as const) }
      return { resources: [...content.resources, copy] }
    }),
  },
  'index-duplicate-inactive': {
    what: 'an active index a second time, inactive',
    row: 'RJ-RIM-13',
    apply: editContent((content) => {
      const active = must(
        content.resources.find((r) => r.active === 'True'),
        'active resource',
      )
      return { resources: [...content.resources, { ...active, active: 'False' }] }
    }),
  },
  'index-hexadecimal': index('index 0x7', '0x7'),
  'index-negative': index('index -1', '-1'),
  'index-64': index('index 64', '64'),
  'index-leading-zero': index('index 07', '07'),
  'index-space': index('index with a space', ' 7'),
  'index-exponent': index('index 7e0', '7e0'),
  'index-empty': index('empty index', ''),

  'active-lower-case': resource('active="true"', undefined, () => ({ active: 'true' })),
  'active-digit': resource('active="1"', undefined, () => ({ active: '1' })),
  'active-missing': resource('no active attribute', undefined, () => ({ without: ['active'] })),
  'active-none': {
    what: 'every resource inactive',
    apply: editContent((content) => ({ resources: content.resources.map((r) => ({ ...r, active: 'False' })) })),
  },
  'resource-none': { what: 'no resource', apply: editContent(() => ({ resources: [] })) },
  'type-other': resource('a resource that is no measurement', undefined, () => ({ type: 'Firmware' })),

  'alternatives-zero': resource('alternatives="0"', undefined, () => ({ alternatives: '0' })),
  'alternatives-high': resource('one alternative more than there are values', undefined, (of) => ({
    alternatives: String(of.hashes.length + 1),
  })),
  'alternatives-low': resource('one value more than alternatives', undefined, (of) => ({
    hashes: [...of.hashes, [`ns2:Hash${of.hashes.length}`, 'ab'.repeat(48)]],
  })),
  'hash-missing': resource('no golden value', undefined, () => ({ hashes: [] })),
  'hash-numbering': resource('Hash1 without Hash0', undefined, (of) => ({
    hashes: of.hashes.map(([, value], i) => [`ns2:Hash${i + 1}`, value]),
  })),
  'hash-short': resource(
    '95 hexadecimal digits',
    'RJ-RIM-14',
    firstHash((value) => value.slice(1)),
  ),
  'hash-long': resource(
    '98 hexadecimal digits',
    'RJ-RIM-14',
    firstHash((value) => `${value}00`),
  ),
  'hash-not-hexadecimal': resource(
    'a golden value that is not hexadecimal',
    'RJ-RIM-14',
    firstHash((value) => `g${value.slice(1)}`),
  ),
  'hash-upper-case': resource(
    'a golden value in upper case',
    'RJ-RIM-14',
    firstHash(() => 'AB'.repeat(48)),
  ),
  'hash-empty': resource(
    'an empty golden value',
    'RJ-RIM-14',
    firstHash(() => ''),
  ),
  'size-32': resource('size 32', 'RJ-RIM-14', () => ({ size: '32' })),
  'size-missing': resource('no size', 'RJ-RIM-14', () => ({ without: ['size'] })),

  'index-inactive': {
    what: 'an index the kind always covers is inactive',
    row: 'RJ-GPU-18',
    apply: editFirstActive((of) => ({ ...of, active: 'False' })),
  },
  'index-absent': {
    what: 'the resource of an index the kind always covers is not there',
    row: 'RJ-GPU-18',
    apply: editContent((content) => ({
      resources: content.resources.filter((r) => r !== content.resources.find((a) => a.active === 'True')),
    })),
  },
  'golden-other': { what: 'another golden value', row: 'RJ-GPU-17', apply: editContent((content) => forged(content)) },
  'index-conflict': {
    what: 'an index of the other manifest of the pair is active too, with another value',
    row: 'RJ-GPU-19',
    apply: (plan) => {
      const other = plan.kind === 'driver' ? 'vbios' : 'driver'
      const at = must(activeIndexes(plan.architecture, other)[0], 'index')
      return editResource(at, (of) => ({ ...of, active: 'True', hashes: hashAttributes(['cd'.repeat(48)]) }))(plan)
    },
  },
} as const satisfies Record<string, Fault<RimPlan>>
