import { describe, test } from 'vitest'
import { utf8 } from '../../src/core/bytes.ts'
import type { Code } from '../../src/core/codes.ts'
import type { Decision } from '../../src/decision/decision.ts'
import { RIM_FAULTS, type RimFault, type RimSpec, rim } from '../../src/testing/index.ts'
import type { RowId } from './catalogue.ts'
import { BOARD, CPU, firstOf, judgedIn, ONE_H100, twinIn } from './machines.ts'
import { accepted, type Check, type OtherCode, refused, row } from './row.ts'
import {
  akashScene,
  amdCollateral,
  bundle,
  bundleItem,
  gpus,
  judged,
  nvidiaItems,
  ONE_GPU,
  type Scene,
} from './stage.ts'

const ONE = gpus()
const GPU = firstOf(ONE)
const SCENE = akashScene(CPU, ONE)

/** Everything that the machine needs, less its driver manifest. */
const BESIDE = [...amdCollateral(CPU), ONE.vbiosRim.bytes, ...ONE.ocspResponses.map((r) => r.der)]

const driver = (of: Partial<RimSpec> = {}): Uint8Array =>
  rim({ pki: ONE.pki, kind: 'driver', version: ONE_GPU.driverVersion, ...of }).bytes

/** The manifest lies in the tenant's folder, where it is chosen by what it says it is for. */
const inFolder = (manifest: Uint8Array): Promise<Decision> =>
  judged({ ...SCENE, collateral: [...BESIDE, manifest] }, ONE_H100.how)

const cpuItem = bundleItem('cpu', 'amd/snp-report', CPU.report, [CPU.table])

/** The manifest comes with the evidence, and then has to be the right one. */
function withEvidence(manifest: Uint8Array, collateral = BESIDE): Promise<Decision> {
  const gpu = bundleItem('gpu-0', 'nvidia/gpu-report', GPU.report, [utf8(GPU.chainPem), manifest])
  return judged({ ...SCENE, evidence: bundle([cpuItem, gpu]), collateral }, ONE_H100.how)
}

const WAYS = { 'in a folder': inFolder, 'with the evidence': withEvidence } as const
type Way = keyof typeof WAYS
const twins = new Map<Way, Promise<Decision>>()
function twinOf(way: Way): Promise<Decision> {
  const twin = twins.get(way) ?? WAYS[way](driver())
  twins.set(way, twin)
  return twin
}

const named = (id: RowId): readonly RimFault[] =>
  (Object.keys(RIM_FAULTS) as RimFault[]).filter((name) => rowOfFault(name) === id)
function rowOfFault(name: RimFault): string | undefined {
  const fault = RIM_FAULTS[name]
  return 'row' in fault ? fault.row : undefined
}

interface RimRow {
  readonly but?: readonly RimFault[]
  /** faults that the kit counts to no row, or to another */
  readonly and?: readonly RimFault[]
  /** those that a folder does not even offer for this device, because they do not say what they are for */
  readonly withEvidence?: readonly RimFault[]
  readonly codes?: Readonly<Partial<Record<RimFault, Code>>>
}

/** Every fault that the test kit has for this row, in the driver manifest of a machine whose other papers are right. */
function kitRow(id: RowId, { but = [], and = [], withEvidence: shown = [], codes = {} }: RimRow = {}): void {
  const faults = [...named(id), ...and].filter((name) => !but.includes(name))
  const cases = faults.map((wrong): readonly [string, Check, Check | OtherCode] => {
    const way: Way = shown.includes(wrong) ? 'with the evidence' : 'in a folder'
    const check = () => WAYS[way](driver({ wrong }))
    const code = codes[wrong]
    return [`${wrong}, ${way}`, () => twinOf(way), code === undefined ? check : { code, check }]
  })
  row(id, {
    twin: Object.fromEntries(cases.map(([name, twin]) => [name, twin])),
    bad: Object.fromEntries(cases.map(([name, , bad]) => [name, bad])),
  })
}

describe('what it is for', () => {
  const other = (wrong: RimFault) => ({
    'with the evidence': () => withEvidence(driver({ wrong })),
    'in a folder': { code: 'GPU_RIM_UNAVAILABLE', check: () => inFolder(driver({ wrong })) } as const,
  })
  const twin = { 'with the evidence': () => twinOf('with the evidence'), 'in a folder': () => twinOf('in a folder') }
  row('RJ-RIM-01', { about: 'of another product', twin, bad: other('product-other') })
  row('RJ-RIM-01', { about: 'neither for a GPU nor for a switch', twin, bad: other('edition-other') })
  test('RJ-RIM-01 a tagId is no identity: two real manifests share one', async () => {
    accepted(await inFolder(driver({ wrong: 'tag-id-other' })), 'in a folder')
    accepted(await withEvidence(driver({ wrong: 'tag-id-other' })), 'with the evidence')
  })

  row('RJ-RIM-12', { about: 'of another driver', twin, bad: other('version-other') })
  const { pki } = ONE
  const driverInstead = [...BESIDE.filter((bytes) => bytes !== ONE.vbiosRim.bytes), ONE.driverRim.bytes]
  const ofVbios = (version: string) => withEvidence(rim({ pki, kind: 'vbios', version }).bytes, driverInstead)
  row('RJ-RIM-12', {
    about: 'in other ways',
    twin: {
      'one digit apart': () => twinOf('with the evidence'),
      'of another VBIOS': () => ofVbios(ONE_GPU.vbiosVersion),
      'of no version': () => twinOf('with the evidence'),
    },
    bad: {
      'one digit apart': () => withEvidence(driver({ version: '580.159.04' })),
      'of another VBIOS': () => ofVbios('96.00.FE.00.02'),
      'of no version': { code: 'RIM_SCHEMA_INVALID', check: () => withEvidence(driver({ wrong: 'version-missing' })) },
    },
  })

  const board = gpus(BOARD.spec)
  const switchBios = board.switchRim?.bytes ?? new Uint8Array()
  /** The last switch of a whole board brings this manifest itself. */
  const ofSwitch = (manifest: Uint8Array): Promise<Decision> => {
    const items = nvidiaItems(board)
    const [last] = items.slice(-1)
    const [chain] = (last?.certs ?? []) as readonly string[]
    const shown = { ...last, certs: [chain ?? '', Buffer.from(manifest).toString('base64')] }
    const scene: Scene = BOARD.show(board)
    return judged({ ...scene, evidence: bundle([cpuItem, ...items.slice(0, -1), shown]) }, BOARD.how)
  }
  row('RJ-RIM-18', {
    twin: {
      'of a switch, for a GPU': () => twinOf('with the evidence'),
      'that says switch, for a GPU': () => twinOf('with the evidence'),
      'of Blackwell, for Hopper': () => twinOf('with the evidence'),
      'of a GPU, for a switch': () => ofSwitch(switchBios),
      'of no product': () => twinOf('with the evidence'),
    },
    bad: {
      'of a switch, for a GPU': () =>
        withEvidence(rim({ pki, kind: 'switch-bios', version: ONE_GPU.vbiosVersion }).bytes),
      'that says switch, for a GPU': () => withEvidence(driver({ wrong: 'class-other' })),
      'of Blackwell, for Hopper': () => withEvidence(driver({ architecture: 'blackwell' })),
      'of a GPU, for a switch': () => ofSwitch(rim({ pki, kind: 'vbios', version: '96.10.73.00.01' }).bytes),
      'of no product': { code: 'RIM_SCHEMA_INVALID', check: () => withEvidence(driver({ wrong: 'product-missing' })) },
    },
  })
})

describe('its form', () => {
  kitRow('RJ-RIM-02', {
    withEvidence: ['meta-missing'],
    codes: {
      'root-twice': 'XML_SYNTAX',
      'text-behind': 'XML_SYNTAX',
      'cut-short': 'XML_SYNTAX',
      'not-xml': 'GPU_RIM_UNAVAILABLE',
      empty: 'GPU_RIM_UNAVAILABLE',
    },
    and: ['type-other'],
  })
  kitRow('RJ-RIM-09')
  kitRow('RJ-RIM-10', { withEvidence: ['utf-16-le', 'utf-16-be'] })
  kitRow('RJ-RIM-11')
  kitRow('RJ-RIM-13')
  kitRow('RJ-RIM-14')
})

describe('its signature', () => {
  kitRow('RJ-RIM-03')
  kitRow('RJ-RIM-04', { withEvidence: ['wrap-payload-first', 'wrap-enveloping'] })
  kitRow('RJ-RIM-05')
  kitRow('RJ-RIM-06')
  kitRow('RJ-RIM-07')
  kitRow('RJ-RIM-08', { and: ['transform-exclusive', 'transform-1.0'] })
  kitRow('RJ-RIM-15', {
    and: [
      'digest-sha256',
      'ecdsa-sha256',
      'canonicalization-exclusive',
      'canonicalization-1.0',
      'canonicalization-comments',
    ],
  })
})

describe('its signer', () => {
  kitRow('RJ-RIM-16', {
    and: ['signer-expired', 'signer-not-yet-valid', 'issuer-expired', 'issuer-not-ca', 'signer-critical-extension'],
    codes: {
      'own-signer-first': 'X509_NAME_CHAIN',
      'own-signer-in-place': 'X509_SIGNATURE_INVALID',
      'own-signer-alone': 'X509_ROOT_UNTRUSTED',
      'chain-foreign': 'X509_ROOT_UNTRUSTED',
      'chain-foreign-root-swapped': 'X509_SIGNATURE_INVALID',
      'chain-without-issuer': 'X509_NAME_CHAIN',
      'chain-signer-only': 'X509_ROOT_UNTRUSTED',
      'chain-five': 'X509_ROOT_UNTRUSTED',
      'chain-empty': 'RIM_KEYINFO_FORBIDDEN',
      'signer-signature': 'X509_SIGNATURE_INVALID',
      'signer-expired': 'X509_VALIDITY',
      'signer-not-yet-valid': 'X509_VALIDITY',
      'issuer-expired': 'X509_VALIDITY',
      'issuer-not-ca': 'X509_NOT_CA',
      'signer-critical-extension': 'X509_CRITICAL_EXTENSION',
    },
  })
  const revoked = ['ocsp-rim-signer-revoked', 'ocsp-rim-signer-hold', 'ocsp-rim-issuer-revoked'] as const
  row('RJ-RIM-16', {
    about: 'that was revoked',
    twin: () => twinIn(ONE_H100),
    bad: Object.fromEntries(revoked.map((wrong) => [wrong, () => judgedIn(ONE_H100, { wrong })])),
  })
  kitRow('RJ-RIM-17', {
    codes: {
      'signer-hidden': 'RIM_SIGNATURE_INVALID',
      'key-name': 'RIM_KEYINFO_FORBIDDEN',
      'retrieval-method': 'RIM_KEYINFO_FORBIDDEN',
      'x509-subject-name': 'RIM_KEYINFO_FORBIDDEN',
      'x509-data-twice': 'RIM_KEYINFO_FORBIDDEN',
      'key-info-empty': 'RIM_KEYINFO_FORBIDDEN',
      'certificate-not-base64': 'RIM_SIGNATURE_MALFORMED',
      'certificate-comment': 'RIM_SIGNATURE_MALFORMED',
    },
  })
})

describe('faults that no row names', () => {
  const CODES = {
    RIM_MALFORMED: [
      'index-hexadecimal',
      'index-negative',
      'index-64',
      'index-leading-zero',
      'index-space',
      'index-exponent',
      'index-empty',
      'active-lower-case',
      'active-digit',
      'active-missing',
      'alternatives-zero',
      'alternatives-high',
      'alternatives-low',
      'hash-missing',
      'hash-numbering',
    ],
    RIM_EMPTY: ['active-none', 'resource-none'],
    RIM_SIGNATURE_INVALID: [
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
    ],
  } as const satisfies { readonly [C in Code]?: readonly RimFault[] }
  test.each(Object.entries(CODES))('%s', async (code, faults) => {
    accepted(await twinOf('with the evidence'))
    for (const wrong of faults) refused(await withEvidence(driver({ wrong })), [code as Code], wrong)
  })
})
