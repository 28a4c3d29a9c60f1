import { concatBytes, latin1, utf8 } from '../../src/core/bytes.ts'
import { toBase64, toHex } from '../../src/core/encodings.ts'
import type { NonEmpty } from '../../src/core/outcome.ts'
import {
  type AmdMachine,
  akashGpuReport,
  amdMachine,
  type CcaEvidence,
  ccaToken,
  ccelLog,
  dstackLog,
  hclReport,
  type NitroEvidence,
  type NvidiaMachine,
  nitroDocument,
  nvidiaMachine,
  type TpmEvidence,
  tpmQuote,
} from '../../src/testing/index.ts'
import { quoteOf } from '../attestation/dcap/support.ts'

/** Made at first use and kept: making evidence means making keys. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** Of every key and certificate that mutants are made from. */
export const SEED = 'fuzz'

export const genoa = once((): AmdMachine => amdMachine(SEED))
export const milan = once((): AmdMachine => amdMachine(SEED, { product: 'Milan', report: { version: 2 } }))
export const turin = once(
  (): AmdMachine => amdMachine(SEED, { product: 'Turin', kind: 'VLEK', report: { version: 5 } }),
)

export const nitro = once((): NitroEvidence => nitroDocument(SEED, { nonce: new Uint8Array(64).fill(7) }))
export const tpm = once((): TpmEvidence => tpmQuote(SEED, { key: 'rsassa', nonce: new Uint8Array(64).fill(7) }))
export const cca = once((): readonly CcaEvidence[] => [
  ccaToken(SEED),
  ccaToken(SEED, { collection: 'legacy', platformKey: 'P-256', realmKey: 'point' }),
])

export const hopper = once(
  (): NvidiaMachine =>
    nvidiaMachine(SEED, {
      architecture: 'hopper',
      gpuCount: 1,
      switchCount: 1,
      nonce: new Uint8Array(32).fill(7),
      driverVersion: '570.86.15',
      vbiosVersion: '96.00.74.00.20',
      switchBiosVersion: '96.10.4D.00.01',
      featureFlag: 'ppcie',
    }),
)
export const blackwell = once(
  (): NvidiaMachine =>
    nvidiaMachine(SEED, {
      architecture: 'blackwell',
      gpuCount: 1,
      nonce: new Uint8Array(32).fill(7),
      driverVersion: '580.95.05',
      vbiosVersion: '97.00.88.00.0F',
      featureFlag: 'spt',
    }),
)

export const tdxQuotes = once(
  (): NonEmpty<Uint8Array> => [
    quoteOf(),
    quoteOf({ version: 5, bodyType: 2 }),
    quoteOf({ version: 5, bodyType: 3 }),
    concatBytes(quoteOf(), new Uint8Array(100)),
  ],
)
export const sgxQuotes = once(
  (): NonEmpty<Uint8Array> => [
    ...nonEmpty(([3, 4, 5] as const).map((version) => quoteOf({ tee: 'SGX', version }))),
    quoteOf({ tee: 'SGX', certification: { type: 3, data: new Uint8Array(404) } }),
  ],
)

export function nonEmpty<T>(list: readonly (T | undefined)[]): NonEmpty<T> {
  const [first, ...rest] = list.filter((entry) => entry !== undefined)
  if (first === undefined) throw new TypeError('no seed')
  return [first, ...rest]
}

export const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value))

/** One machine in every envelope that evidence travels in. */
export function envelopes(): NonEmpty<Uint8Array> {
  const cpu = genoa()
  const gpu = nonEmpty(hopper().gpus)[0]
  const device = (arch: string, of: { readonly report: Uint8Array; readonly chainPem: string }) => ({
    arch,
    nonce: '00'.repeat(32),
    evidence: toBase64(of.report),
    certificate: toBase64(utf8(of.chainPem)),
  })
  const bundle = {
    kind: 'vouchsafe/1',
    items: [
      { id: 'cpu', format: 'amd/snp-report', data: toBase64(cpu.report), certs: [toBase64(cpu.vek)] },
      { id: 'gpu-0', format: 'nvidia/gpu-report', data: toBase64(gpu.report), certs: [toBase64(utf8(gpu.chainPem))] },
    ],
    binding: 'derived',
    key: { spki: toBase64(cpu.vekKey.spki), domain: 'vouchsafe' },
  }
  const akash = {
    tee_platform: 'snp-gpu',
    report: toBase64(cpu.report),
    cert_chain: toBase64(utf8(cpu.chainPem)),
    tls_bound: false,
    gpu_reports: [{ device_index: 0, report: toBase64(akashGpuReport(gpu)) }],
  }
  return [
    cpu.report,
    akashGpuReport(gpu),
    json(bundle),
    json(akash),
    json({ nonce: toBase64(cpu.expected.reportData), quote: { ...akash, tee_platform: 'snp', gpu_reports: [] } }),
    json([device('HOPPER', gpu), ...hopper().switches.map((one) => device('LS10', one))]),
    json({ outblob: toBase64(cpu.report), auxblob: toBase64(cpu.table), provider: 'sev_guest', generation: '1' }),
    hclReport(cpu.report),
    json({ ...tpm().quote, eventLog: toBase64(tpm().eventLog) }),
    cocoAzure(),
    json({ quote: toHex(quoteShape()), event_log: latin1(dstackLog().log), report_data: '', vm_config: '{}' }),
    nitro().document,
    ...cca().map(({ token }) => token),
  ]
}

/** Bytes that begin as a TDX quote does, and are as many as one has: an envelope looks no further. */
export const quoteShape = (): Uint8Array =>
  concatBytes(Uint8Array.of(4, 0, 2, 0, 0x81, 0, 0, 0), new Uint8Array(1292).fill(7))

/** A log area that ends where its events do, and one with padding. */
export const logAreas = (): NonEmpty<Uint8Array> => [ccelLog({ end: 'none' }).log, ccelLog({ areaBytes: 8192 }).log]

/** Confidential Containers' evidence of an Azure VM, version 0: everything in lists of numbers. */
function cocoAzure(): Uint8Array {
  const { attest, signature, shown } = tpm()
  const pcrs = Object.values(shown.sha256 ?? {}).map((value) => [...Buffer.from(value, 'hex')])
  const quote = { message: [...attest], signature: [...signature.subarray(6)], pcrs }
  return json({ quote, report: [...hclReport(genoa().report)] })
}
