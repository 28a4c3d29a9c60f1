import { X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import {
  createNvidiaTestPki,
  dropOpaque,
  duplicateOpaque,
  type FeatureFlag,
  type GpuArchitecture,
  goldenValues,
  gpuReport,
  inTurn,
  OPAQUE,
  type OpaqueGeneration,
  packVbiosVersion,
  REPORT_FAULTS,
  type ReportFault,
  reverseOpaque,
  rimId,
  type SignatureForm,
  setOpaque,
  switchReport,
} from '../../src/testing/nvidia/index.ts'
import { COMMON_REPORT_FAULTS } from '../../src/testing/nvidia/report-faults.ts'
import { describeEvidence, evidence } from '../support/evidence.ts'
import { pemCertificates, signedBy, walkReport } from './nvidia-walk.ts'

const seed = 'report tests'
const pki = createNvidiaTestPki(seed)
const nonce = Uint8Array.from({ length: 32 }, (_, i) => i)
const hopper = { ...pki.device({ architecture: 'hopper', label: 'a' }), architecture: 'hopper' } as const
const blackwell = { ...pki.device({ architecture: 'blackwell', label: 'a' }), architecture: 'blackwell' } as const
const ls10 = { ...pki.device({ architecture: 'ls10', label: 'a' }), architecture: 'ls10' } as const

const gpu = { seed, device: hopper, nonce, driverVersion: '580.159.03', vbiosVersion: '96.00.74.00.20' } as const
const fabric = { seed, device: ls10, nonce, biosVersion: '96.10.55.00.01', gpuPdis: [hopper.pdi] } as const

const leafKey = (device: { readonly chain: readonly Uint8Array[] }) =>
  new X509Certificate(device.chain[0] ?? new Uint8Array()).publicKey

const asText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1').replace(/\0+$/, '')

it('a Hopper report: fields, nonces, signature by the attestation key', () => {
  const report = gpuReport(gpu)
  const walked = walkReport(report)
  expect(report).toHaveLength(4130)
  expect(walked.nonce).toBe(Buffer.from(nonce).toString('hex'))
  expect(walked.responderNonce).not.toBe(walked.nonce)
  expect(walked.blocks.map(({ index }) => index)).toEqual(Array.from({ length: 64 }, (_, i) => i + 1))
  expect(walked.rest).toHaveLength(0)
  expect(signedBy(report, leafKey(hopper))).toBe(true)
  expect(signedBy(report, leafKey(blackwell))).toBe(false)
  const field = (type: number) => walked.opaque.find((f) => f.type === type)?.data ?? Buffer.alloc(0)
  expect(asText(field(OPAQUE.driverVersion))).toBe('580.159.03')
  expect(field(OPAQUE.vbiosVersion)).toEqual(Buffer.from('0074009620000000', 'hex'))
  expect(field(OPAQUE.fwid)).toEqual(Buffer.from(hopper.fwid))
  const [project, projectSku, chipSku] = [OPAQUE.project, OPAQUE.projectSku, OPAQUE.chipSku].map((type) =>
    asText(field(type)),
  )
  expect(`NV_GPU_VBIOS_${project}_${projectSku}_${chipSku}_9600740020`).toBe(
    rimId({ kind: 'vbios', architecture: 'hopper', version: gpu.vbiosVersion }),
  )
})

it.each<[GpuArchitecture, typeof hopper | typeof blackwell]>([
  ['hopper', hopper],
  ['blackwell', blackwell],
])('%s: every golden index is matched by one alternative', (architecture, device) => {
  const { blocks } = walkReport(gpuReport({ ...gpu, device }))
  const versions = { driver: gpu.driverVersion, vbios: gpu.vbiosVersion }
  for (const kind of ['driver', 'vbios'] as const) {
    for (const [index, values] of goldenValues({ seed, architecture, kind, version: versions[kind] })) {
      expect(values.map((value) => Buffer.from(value).toString('hex'))).toContain(blocks[index]?.value)
    }
  }
})

it('a switch report matches its manifest and shows what it was told', () => {
  const report = switchReport({ ...fabric, position: 2, lockStatus: 0 })
  const { blocks, opaque } = walkReport(report)
  expect(report).toHaveLength(2168)
  expect(signedBy(report, leafKey(ls10))).toBe(true)
  const of = { seed, architecture: 'ls10', kind: 'switch-bios', version: fabric.biosVersion } as const
  for (const [index, values] of goldenValues(of)) {
    expect(values.map((value) => Buffer.from(value).toString('hex'))).toContain(blocks[index]?.value)
  }
  const field = (type: number) => opaque.find((f) => f.type === type)?.data.toString('hex')
  expect(field(OPAQUE.devicePdi)).toBe(Buffer.from(ls10.pdi).toString('hex'))
  expect(field(OPAQUE.gpuPdis)?.slice(0, 16)).toBe(Buffer.from(hopper.pdi).toString('hex'))
  expect([field(OPAQUE.positionId), field(OPAQUE.lockStatus)]).toEqual(['0200', '0000'])
})

it('is the same bytes for the same specification', () => {
  expect(gpuReport(gpu)).toEqual(gpuReport({ ...gpu }))
  expect(switchReport(fabric)).toEqual(switchReport({ ...fabric }))
  expect(gpuReport({ ...gpu, nonce: new Uint8Array(32) })).not.toEqual(gpuReport(gpu))
})

it.each<[FeatureFlag, string, string]>([
  ['spt', '0000', '55'],
  ['mpt', '0100', '55'],
  ['ppcie', '0200', 'aa'],
])('%s: the feature flag and protected PCIe agree', (featureFlag, flag, ppcie) => {
  const { opaque } = walkReport(gpuReport({ ...gpu, featureFlag }))
  const field = (type: number) => opaque.find((f) => f.type === type)?.data.toString('hex')
  expect([field(OPAQUE.featureFlag), field(OPAQUE.protectedPcieStatus)]).toEqual([flag, ppcie])
})

it('edits the list of opaque fields and signs the result', () => {
  const types = (opaque: Parameters<typeof gpuReport>[0]['opaque'] & {}) => {
    const report = gpuReport({ ...gpu, opaque })
    expect(signedBy(report, leafKey(hopper))).toBe(true)
    return walkReport(report).opaque.map(({ type }) => type)
  }
  const plain = walkReport(gpuReport(gpu)).opaque.map(({ type }) => type)
  expect(types(dropOpaque(OPAQUE.fwid))).toEqual(plain.filter((type) => type !== OPAQUE.fwid))
  expect(types(duplicateOpaque(OPAQUE.project))).toHaveLength(plain.length + 1)
  expect(types(reverseOpaque)).toEqual(plain.toReversed())
  expect(types(inTurn(dropOpaque(OPAQUE.fwid), reverseOpaque))).not.toContain(OPAQUE.fwid)
  expect(types(setOpaque(OPAQUE.nvdec0Status, Uint8Array.of(0xaa)))).toEqual(plain)
  expect(() => types(dropOpaque(250))).toThrow(TypeError)
})

it('changes bytes before and after signing', () => {
  const flip = (bytes: Uint8Array) => bytes.with(200, (bytes[200] ?? 0) ^ 1)
  const patched = gpuReport({ ...gpu, spdm: { patch: flip } })
  const tampered = gpuReport({ ...gpu, spdm: { tamper: flip } })
  expect(signedBy(patched, leafKey(hopper))).toBe(true)
  expect(signedBy(tampered, leafKey(hopper))).toBe(false)
  expect(patched.subarray(0, -96)).toEqual(tampered.subarray(0, -96))
})

it.each<[SignatureForm, boolean, number]>([
  ['r-s', true, 96],
  ['negated', true, 96],
  ['swapped', false, 96],
  ['r-zero', false, 96],
  ['s-zero', false, 96],
  ['zero', false, 96],
  ['r-order', false, 96],
  ['s-order', false, 96],
  ['all-ones', false, 96],
  ['one-byte-short', false, 95],
  ['one-byte-long', false, 97],
])('signature as %s', (signatureForm, valid, size) => {
  const report = gpuReport({ ...gpu, spdm: { signatureForm } })
  const { signed } = walkReport(report)
  expect(report.length - signed.length).toBe(size)
  expect(signedBy(report, leafKey(hopper))).toBe(valid)
})

/** Faults of the signature, of the signer, or of bytes after signing. */
const UNSIGNED: ReadonlySet<ReportFault> = new Set<ReportFault>([
  'signature-bit',
  'signed-byte',
  'signature-swapped',
  'signature-r-zero',
  'signature-s-zero',
  'signature-zero',
  'signature-r-order',
  'signature-s-order',
  'signature-all-ones',
  'signature-der',
  'signature-short',
  'signature-long',
  'signer-stranger',
  'trailing-byte',
  'cut-one-byte',
  'cut-signature',
  'cut-in-record',
  'empty',
])

it.each(Object.keys(REPORT_FAULTS) as ReportFault[])('%s: validly signed unless that is the fault', (wrong) => {
  const report = gpuReport({ ...gpu, wrong })
  expect(report).not.toEqual(gpuReport(gpu))
  expect(signedBy(report, leafKey(hopper))).toBe(!UNSIGNED.has(wrong))
})

it.each(Object.keys(COMMON_REPORT_FAULTS) as (keyof typeof COMMON_REPORT_FAULTS)[])(
  'a switch can have %s too',
  (wrong) => {
    const report = switchReport({ ...fabric, wrong })
    expect(report).not.toEqual(switchReport(fabric))
    expect(signedBy(report, leafKey(ls10))).toBe(!UNSIGNED.has(wrong))
  },
)

it('puts the challenge into the response only, where that is asked for', () => {
  const walked = walkReport(gpuReport({ ...gpu, wrong: 'nonce-in-response-only' }))
  expect(walked.responderNonce).toBe(Buffer.from(nonce).toString('hex'))
  expect(walked.nonce).not.toBe(walked.responderNonce)
})

it('packs VBIOS versions as GPUs do and refuses what is none', () => {
  expect(Buffer.from(packVbiosVersion('97.00.88.00.0F')).toString('hex')).toBe('008800970f000000')
  expect(() => packVbiosVersion('97.00.88.00')).toThrow(TypeError)
})

/** What two reports of one driver branch have in common. */
const layoutOf = (report: Uint8Array) => {
  const { header, blocks, opaque } = walkReport(report)
  return {
    header,
    blocks: blocks.map(({ index, head }) => [index, ...head]),
    opaque: opaque.map(({ type, size }) => [type, size]),
  }
}

describeEvidence('nvidia/gpu-hopper-580.159.03', () => {
  it.each<[string, GpuArchitecture, string, string, OpaqueGeneration, FeatureFlag]>([
    ['gpu-hopper-535.86.09', 'hopper', '535.86.09', '96.00.5E.00.01', 'r535', 'spt'],
    ['gpu-hopper-545.00-full', 'hopper', '545.00', '96.00.5E.00.01', 'r535', 'spt'],
    ['gpu-hopper-550.90.07', 'hopper', '550.90.07', '96.00.9F.00.01', 'r550', 'spt'],
    ['gpu-hopper-570.124.03-expired-driver-rim', 'hopper', '570.124.03', '96.00.5E.00.04', 'r550', 'spt'],
    ['gpu-hopper-580.159.03', 'hopper', '580.159.03', '96.00.74.00.20', 'r580', 'spt'],
    ['gpu-hopper-590.12-ppcie', 'hopper', '590.12', '96.00.A5.00.01', 'r580', 'ppcie'],
    ['gpu-blackwell-575.32', 'blackwell', '575.32', '97.00.88.00.0F', 'r550', 'spt'],
  ])(
    '%s: the same fields in the same order and sizes',
    (id, architecture, driverVersion, vbiosVersion, generation, featureFlag) => {
      const real = evidence(`nvidia/${id}/report.bin`)
      const device = architecture === 'hopper' ? hopper : blackwell
      const links = featureFlag === 'ppcie' && { switchPdis: Array.from({ length: 18 }, () => ls10.pdi) }
      const made = gpuReport({ seed, device, nonce, driverVersion, vbiosVersion, generation, featureFlag, ...links })
      const [leaf] = pemCertificates(Buffer.from(evidence(`nvidia/${id}/certs.pem`)).toString())
      expect(leaf && signedBy(real, leaf.publicKey)).toBe(true)
      expect(layoutOf(made)).toEqual(layoutOf(real))
      expect(made).toHaveLength(real.length)
      // Values no seed decides: version strings, status bytes and flags have to be what NVIDIA writes.
      const settled = [OPAQUE.driverVersion, OPAQUE.vbiosVersion, 4, 11, 13, 16, 19, 21, 33, 34, 36]
      const values = (report: Uint8Array) =>
        walkReport(report)
          .opaque.filter(({ type }) => settled.includes(type as never))
          .map(({ type, data }) => [type, data.toString('hex')])
      expect(values(made)).toEqual(values(real))
    },
  )

  it('a switch report has the fields of the real one', () => {
    const real = evidence('nvidia/switch-ls10-96.10.55.00.01-full/report.bin')
    expect(layoutOf(switchReport(fabric))).toEqual(layoutOf(real))
  })
})
