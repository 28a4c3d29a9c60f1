import { X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import {
  activeIndexes,
  createNvidiaTestPki,
  goldenValues,
  RIM_FAULTS,
  type RimFault,
  rim,
  rimId,
} from '../../src/testing/nvidia/index.ts'
import { paddedTo } from '../../src/testing/nvidia/rim-faults-xml.ts'
import { describeEvidence, evidence } from '../support/evidence.ts'
import { canonicalXml, linked, markupOf, rimSignatureHolds } from './nvidia-walk.ts'

const pki = createNvidiaTestPki('rim tests')
const driver = { pki, kind: 'driver', version: '550.144.03' } as const
const vbios = { pki, kind: 'vbios', version: '96.00.74.00.20' } as const
const bios = { pki, kind: 'switch-bios', version: '96.10.73.00.01' } as const

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

const certificatesIn = (xml: string): X509Certificate[] =>
  [...xml.matchAll(/<ds:X509Certificate>([^<]+)</g)].map(
    ([, base64 = '']) => new X509Certificate(Buffer.from(base64, 'base64')),
  )

it.each([
  ['driver', driver, 'NV_GPU_DRIVER_GH100_550.144.03', 21],
  ['VBIOS', vbios, 'NV_GPU_VBIOS_1010_0200_882_9600740020', 12],
  ['switch BIOS', bios, 'NV_SWITCH_BIOS_5612_0002_890_9610730001', 31],
  ['Blackwell driver', { ...driver, architecture: 'blackwell' as const }, 'NV_GPU_CC_DRIVER_GB100_550.144.03', 20],
  ['Blackwell VBIOS', { ...vbios, architecture: 'blackwell' as const }, 'NV_GPU_VBIOS_G525_0220_886_9600740020', 20],
])('%s manifest: id, chain to the root, signature', (_, spec, id, active) => {
  const made = rim(spec)
  const xml = text(made.bytes)
  const chain = certificatesIn(xml)
  expect(made.id).toBe(id)
  expect(rimSignatureHolds(made.bytes)).toBe(true)
  expect(chain).toHaveLength(4)
  expect(linked(chain)).toBe(true)
  expect(chain.at(-1)?.raw).toEqual(Buffer.from(pki.roots.rim))
  const resources = markupOf(xml).filter(({ name }) => name === 'ns0:Resource')
  expect(resources).toHaveLength(64)
  expect(resources.filter(({ attributes }) => attributes.active === 'True')).toHaveLength(active)
})

it('has the golden values it was asked for', () => {
  const golden = goldenValues({ seed: pki.seed, architecture: 'hopper', kind: 'driver', version: '550.144.03' })
  const resources = markupOf(text(rim(driver).bytes)).filter(({ name }) => name === 'ns0:Resource')
  expect([...golden.keys()]).toEqual(activeIndexes('hopper', 'driver'))
  for (const [index, values] of golden) {
    const attributes = resources[index]?.attributes
    expect(attributes?.alternatives).toBe(String(values.length))
    expect(values.map((_, i) => attributes?.[`ns2:Hash${i}`])).toEqual(
      values.map((value) => Buffer.from(value).toString('hex')),
    )
  }
})

it('is the same bytes for the same specification and others for another seed or version', () => {
  const { bytes } = rim(driver)
  expect(rim({ ...driver, pki: createNvidiaTestPki('rim tests') }).bytes).toEqual(bytes)
  expect(rim({ ...driver, pki: createNvidiaTestPki('other') }).bytes).not.toEqual(bytes)
  expect(rim({ ...driver, version: '550.144.04' }).bytes).not.toEqual(bytes)
})

it('two manifests of one pair claim no index twice', () => {
  const both = [...activeIndexes('hopper', 'driver'), ...activeIndexes('hopper', 'vbios')]
  expect(new Set(both).size).toBe(33)
  expect(() => rimId({ kind: 'vbios', architecture: 'ls10', version: '96.10.73.00.01' })).toThrow(TypeError)
})

/** Faults of the signature itself, of bytes after signing, and of references that nothing can be signed by. */
const UNSIGNED: ReadonlySet<RimFault> = new Set<RimFault>([
  'nul',
  'utf-8-invalid',
  'utf-8-overlong',
  'utf-8-surrogate',
  'root-twice',
  'cut-short',
  'not-xml',
  'empty',
  'signature-missing',
  'signature-copied',
  'signed-info-forged-first',
  'signed-info-forged-last',
  'digest-comment-forged',
  'signature-value-empty',
  'signature-value-not-base64',
  'signature-value-missing',
  'content-edited',
  'version-edited',
  'active-edited',
  'resource-added',
  'signature-bit',
  'signature-der',
  'signature-swapped',
  'signature-zero',
  'signature-r-order',
  'signature-short',
  'hmac',
  'hmac-truncated',
  'method-unknown',
  'method-label',
  'reference-none',
  'transform-not-enveloped',
  'transform-none',
  'signer-hidden',
  'key-info-empty',
  'certificate-not-base64',
  'chain-without-signer',
  'chain-empty',
  'wrap-signed-first',
  'wrap-signed-last',
])

const names = Object.keys(RIM_FAULTS) as RimFault[]
const twin = rim(driver).bytes

it.each(names)('%s: differs from its twin; validly signed where the fault is another', (wrong) => {
  const { bytes } = rim({ ...driver, wrong })
  expect(bytes).not.toEqual(twin)
  expect(rimSignatureHolds(bytes)).toBe(!UNSIGNED.has(wrong))
})

it('a wrapped original still carries its own valid signature', () => {
  for (const wrong of ['wrap-signed-first', 'wrap-signed-last'] as const) {
    const xml = text(rim({ ...driver, wrong }).bytes)
    const from = xml.lastIndexOf('<SoftwareIdentity ')
    const original = xml.slice(from, xml.indexOf('</SoftwareIdentity>') + '</SoftwareIdentity>'.length)
    expect(rimSignatureHolds(Buffer.from(original))).toBe(true)
  }
})

it('a forged document keeps the signed original’s SignedInfo beside its own', () => {
  for (const wrong of ['signed-info-forged-first', 'signed-info-forged-last', 'digest-comment-forged'] as const) {
    const xml = text(rim({ ...driver, wrong }).bytes)
    const value = /<ds:SignatureValue>[^<]*</.exec(xml)?.[0] ?? ''
    expect(text(twin)).toContain(value)
    expect(xml).toContain('ee'.repeat(48))
    expect(xml).toContain(/<ds:DigestValue>([^<]*)</.exec(text(twin))?.[1])
  }
})

it('pads to the byte, signed', () => {
  for (const size of [2 * 1024 * 1024, 2 * 1024 * 1024 + 1]) {
    const { bytes } = rim({ ...driver, plan: paddedTo(size) })
    expect(bytes).toHaveLength(size)
    expect(rimSignatureHolds(bytes)).toBe(true)
  }
  expect(() => rim({ ...driver, plan: paddedTo(1000) })).toThrow(TypeError)
})

it('a conflict of indexes is the other manifest’s index', () => {
  const active = (bytes: Uint8Array) =>
    markupOf(text(bytes)).flatMap(({ attributes: { index, active } }) => (active === 'True' ? [Number(index)] : []))
  const conflicts = active(rim({ ...driver, wrong: 'index-conflict' }).bytes).filter((i) =>
    activeIndexes('hopper', 'vbios').includes(i),
  )
  expect(conflicts).toEqual([0])
})

/** Every tag with its attribute names in order, and the values that do not vary from one manifest to the next. */
function skeleton(xml: string): string[] {
  const varying = new Set(['tagId', 'colloquialVersion', 'ns2:Hash0', 'ns2:Hash1', 'ns2:Hash2', 'ns2:Hash3'])
  return markupOf(xml).map(({ name, attributes }) =>
    [name, ...Object.entries(attributes).map(([key, value]) => (varying.has(key) ? key : `${key}=${value}`))].join(' '),
  )
}

describeEvidence('nvidia/rim-library', () => {
  it('the driver manifest has the skeleton of the real 550.144.03', () => {
    const real = text(evidence('nvidia/rim-library/NV_GPU_DRIVER_GH100_550.144.03.xml'))
    expect(rimSignatureHolds(Buffer.from(real))).toBe(true)
    expect(skeleton(text(rim(driver).bytes))).toEqual(skeleton(real))
  })

  it('the VBIOS manifest has the skeleton of the real 96.00.74.00.20, white space included', () => {
    const real = text(evidence('nvidia/rim-library/1010_0205_862_9600740020_PROD.xml'))
    const made = text(rim(vbios).bytes)
    expect(rimSignatureHolds(Buffer.from(real))).toBe(true)
    expect(skeleton(made)).toEqual(skeleton(real))
    const space = (xml: string) => canonicalXml(xml, { omit: [xml.indexOf('<ds:Signature ')] }).replace(/<[^>]*>/g, '|')
    expect(space(made)).toBe(space(real))
  })
})

describeEvidence('nvidia/switch-ls10-96.10.55.00.01-full', () => {
  it('the switch manifest has the attributes of the real one', () => {
    const real = text(evidence('nvidia/switch-ls10-96.10.55.00.01-full/bios-rim.xml'))
    const withoutAlternatives = (xml: string) =>
      skeleton(xml).map((tag) => tag.replace(/ alternatives=\d+( ns2:Hash\d)*/, ''))
    expect(rimSignatureHolds(Buffer.from(real))).toBe(true)
    expect(withoutAlternatives(text(rim(bios).bytes))).toEqual(withoutAlternatives(real))
  })
})
