import { describe, test } from 'vitest'
import { utf8 } from '../../src/core/bytes.ts'
import type { Code } from '../../src/core/codes.ts'
import { toBase64 } from '../../src/core/encodings.ts'
import type { Decision } from '../../src/decision/decision.ts'
import {
  type AkashPackingFault,
  AMD_FAULTS,
  type AmdFault,
  akashGpuReport,
  certificateTable,
  crl,
  ecKey,
  hoursAfter,
  type NvidiaFault,
  name,
  pem,
} from '../../src/testing/index.ts'
import type { RowId } from './catalogue.ts'
import { CPU, firstOf, judgedIn, named as namedByNvidia, ONE_H100, settingOf, twinIn } from './machines.ts'
import { accepted, type Check, type OtherCode, row } from './row.ts'
import { AT, akashScene, cpu, cpuPolicy, cpuScene, gpus, judged } from './stage.ts'

/*
 * The rows X5 end to end: what the test kits can put into a chain or its revocation material, in a machine that is judged
 * whole. The same rows over their full ranges, on a hierarchy of no vendor, are in test/core/x509/x5.test.ts; those that no
 * vendor's chain can show (15 and 27 of a carrier, 16 of a responder) are here alone.
 */

const good = () => judged(cpuScene(CPU))
const amd = (wrong: AmdFault) => judged(cpuScene(cpu({ wrong })))
const namedByAmd = (id: string) =>
  (Object.keys(AMD_FAULTS) as AmdFault[]).filter((wrong) => AMD_FAULTS[wrong].rows.includes(id))

/** VLEK reports do not show their chip. */
const VLEK_ALLOWED = cpuPolicy({ signingKeys: ['vlek'], maskedChipId: 'allowed' })
const vlek = (wrong?: AmdFault, collateral?: readonly Uint8Array[]): Promise<Decision> => {
  const scene = cpuScene(cpu({ kind: 'VLEK', ...(wrong && { wrong }) }))
  return judged({ ...scene, collateral: collateral ?? scene.collateral }, { policy: VLEK_ALLOWED })
}

interface VendorRow {
  readonly amd?: { readonly but?: readonly AmdFault[]; readonly codes?: Readonly<Partial<Record<AmdFault, Code>>> }
  readonly nvidia?: {
    readonly and?: readonly NvidiaFault[]
    readonly codes?: Readonly<Partial<Record<NvidiaFault, Code>>>
  }
}

/** Every fault that the kits have for this row, in AMD's chain, in NVIDIA's, and in the chains of NVIDIA's manifests. */
function kitRow(id: RowId, { amd: ofAmd = {}, nvidia: ofNvidia = {} }: VendorRow = {}): void {
  const cases: [string, Check, Check | OtherCode][] = [
    ...namedByAmd(id)
      .filter((wrong) => ofAmd.but?.includes(wrong) !== true)
      .map((wrong) => caseOf(`AMD ${wrong}`, good, () => amd(wrong), ofAmd.codes?.[wrong])),
    ...[...namedByNvidia(id), ...(ofNvidia.and ?? [])].map((wrong) =>
      caseOf(
        `NVIDIA ${wrong}`,
        () => twinIn(settingOf(wrong)),
        () => judgedIn(settingOf(wrong), { wrong }),
        ofNvidia.codes?.[wrong],
      ),
    ),
  ]
  row(id, {
    about: 'in a machine',
    twin: Object.fromEntries(cases.map(([name, twin]) => [name, twin])),
    bad: Object.fromEntries(cases.map(([name, , bad]) => [name, bad])),
  })
}

const caseOf = (
  name: string,
  twin: Check,
  check: Check,
  code: Code | undefined,
): [string, Check, Check | OtherCode] => [name, twin, code === undefined ? check : { code, check }]

/** A file in the folder of the evidence, beside the bundle. */
const beside = (bytes: Uint8Array): Promise<Decision> => {
  const scene = cpuScene(CPU)
  const files = [
    { name: 'bundle.json', bytes: scene.evidence as Uint8Array },
    { name: 'beside.der', bytes },
  ]
  return judged({ ...scene, evidence: files })
}
const chainWith = (certificate: Uint8Array) => judged(cpuScene(CPU, [CPU.vek, CPU.intermediate, certificate]))

/** SEQUENCE in SEQUENCE, the innermost empty. */
function nestedSequences(levels: number): Uint8Array {
  const headers: number[][] = []
  let length = 0
  for (let i = 0; i < levels; i++) {
    const octets = length < 0x80 ? [length] : bigEndian(length)
    const header = octets.length === 1 && length < 0x80 ? [0x30, length] : [0x30, 0x80 | octets.length, ...octets]
    headers.push(header)
    length += header.length
  }
  return Uint8Array.from(headers.reverse().flat())
}

const bigEndian = (n: number): number[] => (n < 0x100 ? [n] : [...bigEndian(Math.floor(n / 0x100)), n % 0x100])

describe('chains', () => {
  kitRow('RJ-X5-01', {
    amd: {
      codes: {
        'leaf-signature-tampered': 'X509_SIGNATURE_INVALID',
        'leaf-signed-by-ark': 'X509_SIGNATURE_INVALID',
        'ask-signature-tampered': 'X509_SIGNATURE_INVALID',
      },
    },
    nvidia: { and: ['chain-foreign', 'leaf-signature'], codes: { 'leaf-signature': 'X509_SIGNATURE_INVALID' } },
  })
  kitRow('RJ-X5-02')
  // The path length of a root is not looked at: a pinned anchor is a name and a key (RFC 5280 §6.1.1 d).
  kitRow('RJ-X5-03', { amd: { but: ['ark-path-length-0'] } })
  test('RJ-X5-03 takes no constraint from a root, which is pinned by name and key', async () =>
    accepted(await amd('ark-path-length-0')))
  kitRow('RJ-X5-04')
  kitRow('RJ-X5-05')
  kitRow('RJ-X5-06')
  kitRow('RJ-X5-07')
  kitRow('RJ-X5-08')
  kitRow('RJ-X5-17')
  kitRow('RJ-X5-18')
  kitRow('RJ-X5-19')
  kitRow('RJ-X5-20')
  kitRow('RJ-X5-21')
  kitRow('RJ-X5-22')
  row('RJ-X5-23', {
    about: 'in a machine',
    twin: { 'among the evidence': () => beside(CPU.crl), 'in a chain': () => chainWith(CPU.ark) },
    bad: {
      'among the evidence': () => beside(nestedSequences(100_000)),
      'in a chain': () => chainWith(nestedSequences(10_000)),
    },
  })
  kitRow('RJ-X5-24')
  kitRow('RJ-X5-25')
  kitRow('RJ-X5-26')
})

describe('revocation', () => {
  kitRow('RJ-X5-09')
  row('RJ-X5-09', {
    about: 'of an ASVK',
    twin: () => vlek(),
    bad: () => vlek('crl-ask-revoked'),
  })

  // Only NVIDIA gives its leaves a status: that of an AMD leaf cannot be asked for, since all have serial 0.
  row('RJ-X5-10', {
    twin: () => twinIn(ONE_H100),
    bad: {
      'the signer of a manifest': () => judgedIn(ONE_H100, { wrong: 'ocsp-rim-signer-revoked' }),
      'the signer of a manifest, on hold': () => judgedIn(ONE_H100, { wrong: 'ocsp-rim-signer-hold' }),
      'the identity key above the attestation key': {
        code: 'GPU_CERT_REVOKED',
        check: () => judgedIn(ONE_H100, { wrong: 'ocsp-revoked' }),
      },
    },
  })
  kitRow('RJ-X5-11')
  // A list in a form that cannot be read is reported with its file, and is missing from what can be judged.
  kitRow('RJ-X5-12', { amd: { but: ['ark-no-crl-sign'], codes: { 'crl-pss-salt32': 'CRL_MISSING' } } })
  kitRow('RJ-X5-13')
  kitRow('RJ-X5-14', { amd: { codes: { 'crl-no-nextupdate': 'CRL_UNSUPPORTED' } } })
  const strangersList = crl({
    issuer: name([['CN', 'Somebody']]),
    signer: ecKey('P-384', 'somebody'),
    thisUpdate: hoursAfter(AT, -1),
    nextUpdate: hoursAfter(AT, 24),
    revoked: [],
  })
  row('RJ-X5-15', {
    twin: {
      'for a VCEK': good,
      'for a VLEK': () => vlek(),
      'a list of nobody we know': good,
      'for a GPU': () => twinIn(ONE_H100),
      'for a manifest': () => twinIn(ONE_H100),
    },
    bad: {
      'for a VCEK': () => judged({ ...cpuScene(CPU), collateral: [] }),
      'for a VLEK': () => vlek(undefined, []),
      'a list of nobody we know': () => judged({ ...cpuScene(CPU), collateral: [strangersList] }),
      'for a GPU': { code: 'GPU_OCSP_UNAVAILABLE', check: () => judgedIn(ONE_H100, { wrong: 'ocsp-missing' }) },
      'for a manifest': { code: 'OCSP_MISSING', check: () => judgedIn(ONE_H100, { wrong: 'ocsp-rim-missing' }) },
    },
  })

  const responders = [
    'responder-without-purpose',
    'responder-expired',
    'responder-above',
    'responder-stranger',
    'responder-self-made',
  ] as const
  const certIds = ['certid-sibling', 'certid-issuer'] as const
  const answers: [NvidiaFault, Code?][] = [
    ['ocsp-unknown'],
    ...responders.flatMap((w): [NvidiaFault][] => [[`ocsp-identity/${w}`], [`ocsp-rim-signer/${w}`]]),
    ...certIds.flatMap((w): [NvidiaFault, Code][] => [
      [`ocsp-identity/${w}`, 'GPU_OCSP_UNAVAILABLE'],
      [`ocsp-rim-signer/${w}`, 'OCSP_MISSING'],
    ]),
    ['ocsp-identity/signature', 'OCSP_SIGNATURE_INVALID'],
    ['ocsp-rim-signer/signature', 'OCSP_SIGNATURE_INVALID'],
  ]
  row('RJ-X5-16', {
    about: 'in a machine',
    twin: () => twinIn(ONE_H100),
    bad: Object.fromEntries(
      answers.map(([wrong, code]): [string, Check | OtherCode] => {
        const check = () => judgedIn(ONE_H100, { wrong })
        return [wrong, code === undefined ? check : { code, check }]
      }),
    ),
  })
})

describe('PEM', () => {
  const ONE = gpus()
  const gpu = firstOf(ONE)
  const END = '-----END CERTIFICATE-----\n'

  /** The CPU's chain as text, in the member that Akash has for it. */
  const chain = (text: string) => judged(akashScene(CPU, undefined, { auxblob: '', cert_chain: toBase64(utf8(text)) }))
  const { chainPem } = CPU
  /** A certificate table with a body in PEM where one certificate is expected. */
  const table = (leaf: string) => {
    const bodies = [
      { kind: 'ARK', body: utf8(pem([CPU.ark])) },
      { kind: 'ASK', body: utf8(pem([CPU.intermediate])) },
      { kind: 'VCEK', body: utf8(leaf) },
    ] as const
    return judged(akashScene(CPU, undefined, { auxblob: toBase64(certificateTable(bodies)) }))
  }
  const leaf = pem([CPU.vek])
  const ofGpu = (text: string, wrong?: AkashPackingFault) => {
    const report = akashGpuReport({ report: gpu.report, chainPem: text }, wrong === undefined ? {} : { wrong })
    const gpu_reports = [{ device_index: 0, report: toBase64(report) }]
    return judged(akashScene(CPU, ONE, { gpu_reports }), ONE_H100.how)
  }
  row('RJ-X5-27', {
    about: 'in a machine',
    twin: {
      ...Object.fromEntries(
        ['text between the blocks', 'text behind the last', 'a byte order mark', 'a revocation list among them'].map(
          (what) => [what, () => chain(chainPem)],
        ),
      ),
      'two blocks where one is expected': () => table(leaf),
      'text behind the one': () => table(leaf),
      'text between the blocks of a GPU': () => ofGpu(gpu.chainPem),
      'a byte order mark between the blocks of a GPU': () => ofGpu(gpu.chainPem),
      'text behind the blocks of a GPU': () => ofGpu(gpu.chainPem),
      'a NUL behind the blocks of a GPU': () => ofGpu(gpu.chainPem.replaceAll('\n', '\r\n')),
      'text before the blocks of a GPU': () => ofGpu(gpu.chainPem),
      'the chain of a GPU twice': () => ofGpu(gpu.chainPem),
    },
    bad: {
      'text between the blocks': () => chain(chainPem.replace(END, `${END}text\n`)),
      'text behind the last': () => chain(`${chainPem}text\n`),
      'a byte order mark': () => chain(`\ufeff${chainPem}`),
      'a revocation list among them': () => chain(chainPem + pem([CPU.crl]).replaceAll('CERTIFICATE', 'X509 CRL')),
      'two blocks where one is expected': () => table(leaf + leaf),
      'text behind the one': () => table(`${leaf}text\n`),
      'text between the blocks of a GPU': () => ofGpu(gpu.chainPem.replace(END, `${END}text\n`)),
      'a byte order mark between the blocks of a GPU': () => ofGpu(gpu.chainPem.replace(END, `${END}\ufeff`)),
      'text behind the blocks of a GPU': () => ofGpu(gpu.chainPem, 'text-behind'),
      'a NUL behind the blocks of a GPU': () => ofGpu(gpu.chainPem, 'nul-behind'),
      'text before the blocks of a GPU': {
        code: 'GPU_TRAILING_BYTES',
        check: () => ofGpu(gpu.chainPem, 'text-between'),
      },
      'the chain of a GPU twice': { code: 'LIMIT_CERT_COUNT', check: () => ofGpu(gpu.chainPem, 'chain-twice') },
    },
  })
})
