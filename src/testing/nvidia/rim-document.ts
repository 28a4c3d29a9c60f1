import { createHash } from 'node:crypto'
import { toHex } from '../../core/encodings.ts'
import { ARCHITECTURES, type NvidiaArchitecture, type RimKind } from './architectures.ts'
import { goldenValues } from './golden.ts'
import { tag, type XmlAttributes } from './xml.ts'

/** A Resource element, each attribute as text so that it can be wrong in any way. */
export interface RimResource {
  readonly type: string
  readonly index: string
  /** `True` or `False` in real manifests. */
  readonly active: string
  readonly alternatives: string
  /** Attribute names (`ns2:Hash0` …) and values. */
  readonly hashes: XmlAttributes
  readonly name: string
  readonly size: string
  /** Attributes left out of the element. */
  readonly without?: readonly string[]
}

/** The parts of a manifest, in the order they are written. */
export interface RimContent {
  readonly rootName: string
  readonly rootAttributes: XmlAttributes
  readonly entity: XmlAttributes
  readonly meta: XmlAttributes
  /** Attributes of Payload besides its namespace declaration. */
  readonly payload: XmlAttributes
  readonly resources: readonly RimResource[]
  /** Markup before the root element, at the start of the root, inside Payload behind the resources, and behind Payload. */
  readonly prolog: string
  readonly inRoot: string
  readonly inPayload: string
  readonly behindPayload: string
}

const SWID = 'http://standards.iso.org/iso/19770/-2/2015/schema.xsd'
const SHA384 = 'http://www.w3.org/2001/04/xmlenc#sha384'
const TCG_RIM = 'https://trustedcomputinggroup.org/resource/tcg-reference-integrity-manifest-rim-information-model/'

const ZERO_HASH = '0'.repeat(96)

/** Names of the entries of Hopper's driver 550.144.03 and VBIOS 96.00.74 manifests and of LS10's; the others are plain. */
const NAMES: Record<NvidiaArchitecture, (index: number) => string> = {
  hopper: (i) => {
    if (i >= 1 && i <= 6) return `HashedMeasurement_${i}_FSP`
    if ([32, 33, 36, 37, 38].includes(i)) return `HashedMeasurement_${i}_GSP`
    if (i === 34) return 'MixedHashedMeasurement_34'
    return i >= 21 && i <= 40 && i !== 28 && i !== 35 ? `MixedMeasurement_${i}` : `Measurement_${i}`
  },
  blackwell: (i) => `Measurement_${i}`,
  ls10: (i) => (i <= 3 || i === 27 ? `HashedMeasurement_${i}_FSP` : `Measurement_${i}`),
}

/** Hash attributes of a Resource. */
export const hashAttributes = (values: readonly string[]): XmlAttributes =>
  values.map((value, i) => [`ns2:Hash${i}`, value])

export interface RimSubject {
  readonly seed: string
  readonly architecture: NvidiaArchitecture
  readonly kind: RimKind
  readonly version: string
}

/** A manifest of NVIDIA's shape for one firmware version: 64 resources, those of `activeIndexes` active. */
export function rimContent(of: RimSubject): RimContent {
  const { product, edition } = ARCHITECTURES[of.architecture]
  const golden = goldenValues(of)
  return {
    rootName: 'SoftwareIdentity',
    rootAttributes: [
      ['xmlns', SWID],
      ['xmlns:ns0', SWID],
      ['xmlns:ns2', SHA384],
      ['corpus', 'false'],
      ['name', product],
      ['patch', 'false'],
      ['supplemental', 'false'],
      ['tagId', createHash('sha384').update(`${of.seed}/${product}/${of.kind}`).digest('hex')],
      ['version', '1.0'],
      ['tagVersion', '0'],
    ],
    entity: [
      ['name', 'NVIDIA Corporation'],
      ['role', 'softwareCreator tagCreator'],
    ],
    meta: [
      ['xmlns:ns1', TCG_RIM],
      ['colloquialVersion', of.version],
      ['edition', edition],
      ['product', product],
      ['revision', 'r1'],
      ['PayloadType', 'direct'],
      ['ns1:BindingSpec', 'RIMIM'],
      ['ns1:BindingSpecVersion', '1.01'],
      ['ns1:PlatformManufacturerId', '5703'],
      ['ns1:PlatformManufacturerStr', 'NVIDIA Corporation'],
      ['ns1:PlatformModel', product],
      ['ns1:FirmwareManufacturer', 'NVIDIA Corporation'],
      ['ns1:FirmwareManufacturerId', '5703'],
    ],
    payload: [],
    resources: Array.from({ length: 64 }, (_, index) => {
      const values = golden.get(index)?.map(toHex)
      return {
        type: 'Measurement',
        index: String(index),
        active: values === undefined ? 'False' : 'True',
        alternatives: String(values?.length ?? 1),
        hashes: hashAttributes(values ?? [ZERO_HASH]),
        name: values === undefined ? `Measurement_${index}` : NAMES[of.architecture](index),
        size: '48',
      }
    }),
    prolog: '',
    inRoot: '',
    inPayload: '',
    behindPayload: '',
  }
}

function resourceElement(of: RimResource): string {
  const attributes: XmlAttributes = [
    ['type', of.type],
    ['index', of.index],
    ['active', of.active],
    ['alternatives', of.alternatives],
    ...of.hashes,
    ['name', of.name],
    ['size', of.size],
  ]
  return `        <${tag(
    'ns0:Resource',
    attributes.filter(([name]) => of.without?.includes(name) !== true),
  )}/>\n`
}

/** The Meta element. */
export const metaElement = (of: RimContent): string => `    <${tag('ns0:Meta', of.meta)}/>\n`

/** The Payload element with its resources. */
export const payloadElement = (of: RimContent): string =>
  [
    `    <${tag('ns0:Payload', [['xmlns:SHA384', SHA384], ...of.payload])}>\n`,
    ...of.resources.map(resourceElement),
    of.inPayload,
    '    </ns0:Payload>\n',
  ].join('')

/** The document, with `signature` where the Signature element stands. */
export function renderRim(of: RimContent, signature: string): string {
  return [
    of.prolog,
    `<${tag(of.rootName, of.rootAttributes)}>\n`,
    of.inRoot,
    `    <${tag('ns0:Entity', of.entity)}/>\n`,
    metaElement(of),
    payloadElement(of),
    of.behindPayload,
    signature,
    `</${of.rootName}>\n`,
  ].join('')
}
