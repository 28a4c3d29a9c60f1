import { refuse } from '../../../core/outcome.ts'
import { attributeOf, elementsIn, isElement, isWhiteSpace, NAMESPACE, nodeText, type XmlElement } from './xml-tree.ts'

/** One measurement as a manifest lists it. */
export interface RimEntry {
  readonly active: boolean
  /** any one of them may be measured; 96 lower-case hexadecimal digits each, at least one */
  readonly alternatives: readonly string[]
  readonly sizeBytes: number
}

/** What a manifest says of itself and of the firmware. */
export interface Manifest {
  /** e.g. `GH100` */
  readonly name: string
  readonly tagId: string
  /** driver, VBIOS or switch BIOS version as NVIDIA prints it: `colloquialVersion` of Meta */
  readonly version: string
  /** e.g. `GH100`, `LS10` */
  readonly product: string
  /** `GPU` or `SWITCH` */
  readonly edition: string
  /** by index, counted from 0 */
  readonly entries: ReadonlyMap<number, RimEntry>
}

/** Attributes an element may have, without namespace and in one namespace. */
interface Shape {
  readonly required: readonly string[]
  readonly allowed: readonly string[]
  readonly foreign: { readonly namespace: string; readonly name: RegExp } | undefined
}

/** The closed list: these elements, in this order and nesting, with these attributes. All 37 manifests read have it. */
const SHAPES: Readonly<Record<'SoftwareIdentity' | 'Entity' | 'Meta' | 'Payload' | 'Resource', Shape>> = {
  SoftwareIdentity: {
    required: ['name', 'tagId'],
    allowed: ['corpus', 'patch', 'supplemental', 'version', 'tagVersion'],
    foreign: undefined,
  },
  Entity: { required: ['name', 'role'], allowed: [], foreign: undefined },
  Meta: {
    required: ['colloquialVersion', 'product', 'edition'],
    allowed: ['revision', 'PayloadType'],
    foreign: { namespace: NAMESPACE.tcgRim, name: /^[A-Za-z]+$/ },
  },
  Payload: { required: [], allowed: [], foreign: undefined },
  Resource: {
    required: ['type'],
    // What of these is missing or wrong is a fault of the value, named where the value is read.
    allowed: ['index', 'active', 'alternatives', 'name', 'size'],
    foreign: { namespace: NAMESPACE.sha384, name: /^Hash(0|[1-9][0-9]?)$/ },
  },
}

const DECLARED: readonly string[] = [NAMESPACE.swid, NAMESPACE.sha384, NAMESPACE.tcgRim, NAMESPACE.signature]

/** The parts of a manifest that hold what is read. */
interface Parts {
  readonly root: XmlElement
  readonly meta: XmlElement
  readonly resources: readonly XmlElement[]
}

/**
 * The structure of a manifest, with or without its signature as last child. Ends the surrounding `attempt` with
 * RIM_SCHEMA_INVALID.
 * @see ISO/IEC 19770-2:2015; TCG PC Client Reference Integrity Manifest Specification 1.04
 */
export function checkManifestShape(root: XmlElement, signature: 'signed' | 'unsigned', path: string): Parts {
  checkShape(root, 'SoftwareIdentity', path)
  for (const flag of ['corpus', 'patch', 'supplemental']) {
    const value = attributeOf(root, '', flag)
    if (value !== undefined && value !== 'false') {
      refuse('RIM_SCHEMA_INVALID', `${path}.${flag}`, { expected: 'false', actual: value })
    }
  }
  const children = elementsIn(root)
  const expected = ['Entity', 'Meta', 'Payload', ...(signature === 'signed' ? ['Signature'] : [])]
  const [entity, meta, payload] = children
  const inOrder = children.length === expected.length && children.every((e, i) => e.name === expected[i])
  if (!inOrder || entity === undefined || meta === undefined || payload === undefined) {
    return refuse('RIM_SCHEMA_INVALID', path, {
      expected: expected.join(', '),
      actual: children.map((e) => e.name).join(', '),
    })
  }
  checkShape(entity, 'Entity', `${path}.Entity`)
  checkShape(meta, 'Meta', `${path}.Meta`)
  checkShape(payload, 'Payload', `${path}.Payload`)
  const empty = [entity, meta].find((e) => e.children.length > 0)
  if (empty !== undefined) refuse('RIM_SCHEMA_INVALID', `${path}.${empty.name}`, { expected: 'no content' })
  const type = attributeOf(meta, '', 'PayloadType') ?? 'direct'
  if (type !== 'direct') refuse('RIM_SCHEMA_INVALID', `${path}.Meta.PayloadType`, { expected: 'direct', actual: type })
  const resources = elementsIn(payload)
  for (const [i, resource] of resources.entries()) {
    checkShape(resource, 'Resource', `${path}.Payload.Resource[${i}]`)
    const kind = attributeOf(resource, '', 'type')
    if (kind !== 'Measurement' || resource.children.length > 0) {
      refuse('RIM_SCHEMA_INVALID', `${path}.Payload.Resource[${i}]`, {
        expected: 'an empty element of type Measurement',
      })
    }
  }
  return { root, meta, resources }
}

function checkShape(element: XmlElement, name: keyof typeof SHAPES, path: string): void {
  if (element.name !== name || element.namespace !== NAMESPACE.swid) {
    refuse('RIM_SCHEMA_INVALID', path, { expected: `${name} in ${NAMESPACE.swid}`, actual: nodeText(element) })
  }
  const { required, allowed, foreign } = SHAPES[name]
  for (const { namespace, name: key } of element.attributes) {
    const isKnown =
      namespace === ''
        ? required.includes(key) || allowed.includes(key)
        : namespace === foreign?.namespace && foreign.name.test(key)
    if (!isKnown) refuse('RIM_SCHEMA_INVALID', path, { actual: `attribute ${key}` })
  }
  const missing = required.find((key) => (attributeOf(element, '', key) ?? '') === '')
  if (missing !== undefined) refuse('RIM_SCHEMA_INVALID', path, { expected: `attribute ${missing}` })
  const declared = element.declared.find((uri) => !DECLARED.includes(uri))
  if (declared !== undefined) refuse('RIM_SCHEMA_INVALID', path, { actual: `namespace ${declared}` })
  const other = element.children.find((node) => !isElement(node) && !isWhiteSpace(node))
  if (other !== undefined) refuse('RIM_SCHEMA_INVALID', path, { actual: nodeText(other) })
}

/**
 * Reads the values of a manifest from its signed form, which has no signature in it. Ends the surrounding `attempt` with
 * RIM_SCHEMA_INVALID · RIM_MALFORMED · RIM_INDEX_DUPLICATE · RIM_VALUE_INVALID · RIM_EMPTY.
 */
export function decodeManifest(root: XmlElement, path: string): Manifest {
  const { meta, resources } = checkManifestShape(root, 'unsigned', path)
  const entries = new Map<number, RimEntry>()
  for (const [i, resource] of resources.entries()) {
    const at = `${path}.Payload.Resource[${i}]`
    const index = numberOf(resource, 'index', 0, `${at}.index`)
    if (entries.has(index)) refuse('RIM_INDEX_DUPLICATE', `${at}.index`, { actual: index })
    entries.set(index, entryOf(resource, at))
  }
  if (![...entries.values()].some((e) => e.active)) refuse('RIM_EMPTY', `${path}.Payload`)
  const text = (element: XmlElement, name: string) => attributeOf(element, '', name) ?? ''
  return {
    name: text(root, 'name'),
    tagId: text(root, 'tagId'),
    version: text(meta, 'colloquialVersion'),
    product: text(meta, 'product'),
    edition: text(meta, 'edition'),
    entries,
  }
}

/** SHA-384, the only hash that is measured. */
const SIZE_BYTES = 48

function entryOf(resource: XmlElement, path: string): RimEntry {
  const active = attributeOf(resource, '', 'active')
  // NVIDIA's verifiers read other spellings in two opposite ways.
  if (active !== 'True' && active !== 'False') {
    return refuse('RIM_MALFORMED', `${path}.active`, { expected: 'True or False', actual: active ?? 'absent' })
  }
  const size = attributeOf(resource, '', 'size')
  if (size !== `${SIZE_BYTES}`) {
    refuse('RIM_VALUE_INVALID', `${path}.size`, { expected: SIZE_BYTES, actual: size ?? 'absent' })
  }
  const count = numberOf(resource, 'alternatives', 1, `${path}.alternatives`)
  const hashes = resource.attributes.filter((a) => a.namespace === NAMESPACE.sha384)
  if (hashes.length !== count) {
    refuse('RIM_MALFORMED', path, { expected: `${count} alternatives`, actual: hashes.length })
  }
  const alternatives = Array.from({ length: count }, (_, i) => {
    const value = attributeOf(resource, NAMESPACE.sha384, `Hash${i}`)
    if (value === undefined) return refuse('RIM_MALFORMED', path, { expected: `Hash${i}` })
    if (!/^[0-9a-f]{96}$/.test(value)) {
      refuse('RIM_VALUE_INVALID', `${path}.Hash${i}`, { expected: '96 lower-case hexadecimal digits', actual: value })
    }
    return value
  })
  return { active: active === 'True', alternatives, sizeBytes: SIZE_BYTES }
}

/** Indexes of NVIDIA's manifests are those of the 64 blocks of a GPU report, on every product. */
const HIGHEST = 63

function numberOf(resource: XmlElement, name: 'index' | 'alternatives', lowest: number, path: string): number {
  const text = attributeOf(resource, '', name) ?? ''
  const number = /^(0|[1-9][0-9]?)$/.test(text) ? Number(text) : -1
  if (number < lowest || number > HIGHEST) {
    refuse('RIM_MALFORMED', path, { expected: `a decimal number from ${lowest} to ${HIGHEST}`, actual: text })
  }
  return number
}
