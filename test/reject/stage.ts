import { sortCollateral } from '../../src/attestation/collateral.ts'
import type { Freshness } from '../../src/attestation/evidence-set/binding.ts'
import type { Lease } from '../../src/attestation/evidence-set/group.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { Context, createVerificationCache } from '../../src/core/context.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { toBase64 } from '../../src/core/encodings.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { parseRfc3339 } from '../../src/core/time.ts'
import { PINNED_ANCHORS, type TrustAnchor } from '../../src/core/trust-anchors.ts'
import { type Decision, type Evidence, type VerifyContext, verify } from '../../src/index.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import type { Policy } from '../../src/policy/policy.ts'
import {
  type AmdMachine,
  type AmdMachineOptions,
  akashGpuReport,
  amdMachine,
  createNvidiaTestPki,
  type DeviceSpec,
  type GpuReportSpec,
  gpuReport,
  type MachineDevice,
  type NvidiaMachine,
  type NvidiaMachineSpec,
  nvidiaMachine,
} from '../../src/testing/index.ts'
import { anchorFromCertificate } from '../support/anchors.ts'

/** Time of judgement of every row, unless the row is about time. */
export const AT = '2026-08-01T00:00:00Z'
export const NOW = secondsOf(AT)
export const SEED = 'reject'

export function secondsOf(instant: string): number {
  const seconds = parseRfc3339(instant)
  if (seconds === undefined) throw new TypeError(`${instant} is not RFC 3339`)
  return seconds
}

/** 64 bytes, different for every text. */
export const nonceOf = (text: string): Promise<Uint8Array> => nodeCrypto.digest('sha512', utf8(text))
export const NONCE: Uint8Array = await nonceOf('challenge A')
export const ASKED: Freshness = { kind: 'nonce', nonce: NONCE }

/** A machine whose CPU answers `NONCE`. */
export const cpu = (options: AmdMachineOptions = {}): AmdMachine =>
  amdMachine(SEED, { at: AT, ...options, report: { reportData: NONCE, ...options.report } })

/** One Hopper GPU that answers the first half of `NONCE`, as AEP-83 asks it. */
export const ONE_GPU: NvidiaMachineSpec = {
  architecture: 'hopper',
  gpuCount: 1,
  nonce: NONCE.subarray(0, 32),
  driverVersion: '580.159.03',
  vbiosVersion: '96.00.FE.00.01',
  featureFlag: 'spt',
  at: AT,
}

export const gpus = (spec: Partial<NvidiaMachineSpec> = {}): NvidiaMachine =>
  nvidiaMachine(SEED, { ...ONE_GPU, ...spec })

/** A Hopper GPU of the same hierarchy, made from its own certificates, with its OCSP answers. */
export function loneGpu(
  label: string,
  device: Partial<DeviceSpec> = {},
  report: Partial<GpuReportSpec> = {},
): MachineDevice & { readonly ocsp: readonly Uint8Array[] } {
  const pki = createNvidiaTestPki(SEED)
  const made = pki.device({ architecture: 'hopper', label, ...device })
  const { nonce, driverVersion, vbiosVersion, featureFlag } = ONE_GPU
  const bytes = gpuReport({
    seed: SEED,
    device: { ...made, architecture: 'hopper' },
    ...{ nonce, driverVersion, vbiosVersion, featureFlag },
    ...report,
  })
  const { identity, provisioner, architecture } = made.certificates
  const ocsp = [identity, provisioner, architecture].map((certificate) => pki.ocsp({ certificate, at: AT }))
  return { report: bytes, chainPem: made.chainPem, chainDer: made.chain, device: made, ocsp }
}

/** What is judged, and what it is judged with. */
export interface Scene {
  readonly evidence: Evidence
  readonly collateral: readonly Uint8Array[]
  readonly anchors: readonly TrustAnchor[]
}

export const amdCollateral = ({ crl }: AmdMachine): readonly Uint8Array[] => [crl]
export const amdAnchors = ({ trustedArk }: AmdMachine): readonly TrustAnchor[] => [
  anchorFromCertificate(trustedArk, 'amd/ark'),
]

export const nvidiaCollateral = (machine: NvidiaMachine): readonly Uint8Array[] => [
  ...[machine.driverRim, machine.vbiosRim, machine.switchRim].flatMap((r) => (r === undefined ? [] : [r.bytes])),
  ...machine.ocspResponses.map((r) => r.der),
]
export const nvidiaAnchors = ({ roots }: Pick<NvidiaMachine, 'roots'>): readonly TrustAnchor[] => [
  anchorFromCertificate(roots.device, 'nvidia/device-root'),
  anchorFromCertificate(roots.rim, 'nvidia/rim-root'),
]

export const json = (value: JsonObject): Uint8Array => utf8(JSON.stringify(value))

export const bundleItem = (
  id: string,
  format: string,
  bytes: Uint8Array,
  certs: readonly Uint8Array[],
): JsonObject => ({
  id,
  format,
  data: toBase64(bytes),
  certs: certs.map(toBase64),
})

/** The generic bundle, which says what each item is and so lets any bytes stand in its place. */
export const bundle = (items: readonly JsonObject[], more: JsonObject = {}): Uint8Array =>
  json({ kind: 'vouchsafe/1', items, ...more })

/** A CPU report with its certificate table, in a bundle. */
export const cpuScene = (machine: AmdMachine, table: readonly Uint8Array[] = [machine.table]): Scene => ({
  evidence: bundle([bundleItem('cpu', 'amd/snp-report', machine.report, table)]),
  collateral: amdCollateral(machine),
  anchors: amdAnchors(machine),
})

/** GPU and switch reports alone, in a bundle. */
export const gpuScene = (machine: NvidiaMachine): Scene => ({
  evidence: bundle(nvidiaItems(machine)),
  collateral: nvidiaCollateral(machine),
  anchors: nvidiaAnchors(machine),
})

export const nvidiaItems = ({ gpus, switches }: Pick<NvidiaMachine, 'gpus' | 'switches'>): readonly JsonObject[] => [
  ...gpus.map((g, i) => bundleItem(`gpu-${i}`, 'nvidia/gpu-report', g.report, [utf8(g.chainPem)])),
  ...switches.map((s, i) => bundleItem(`switch-${i}`, 'nvidia/switch-report', s.report, [utf8(s.chainPem)])),
]

/** Akash's quote response (AEP-83) of a machine; `gpus` undefined: a CPU-only lease. */
export const akashQuote = (machine: AmdMachine, devices: readonly MachineDevice[] | undefined): JsonObject => ({
  report: toBase64(machine.report),
  cert_chain: '',
  auxblob: toBase64(machine.table),
  tee_platform: devices === undefined ? 'snp' : 'snp-gpu',
  tls_bound: false,
  ...(devices === undefined
    ? {}
    : {
        gpu_reports: devices.map((gpu, i) => ({ device_index: i, report: toBase64(akashGpuReport(gpu)) })),
      }),
})

/** A machine as Akash shows it, with members of the quote replaced on request. */
export const akashScene = (machine: AmdMachine, nvidia?: NvidiaMachine, members: JsonObject = {}): Scene => ({
  evidence: json({ ...akashQuote(machine, nvidia?.gpus), ...members }),
  collateral: [...amdCollateral(machine), ...(nvidia === undefined ? [] : nvidiaCollateral(nvidia))],
  anchors: [...amdAnchors(machine), ...(nvidia === undefined ? [] : nvidiaAnchors(nvidia))],
})

/** CPU and GPU evidence in one bundle. */
export const bothScene = (machine: AmdMachine, nvidia: NvidiaMachine, members: JsonObject = {}): Scene => ({
  evidence: bundle(
    [bundleItem('cpu', 'amd/snp-report', machine.report, [machine.table]), ...nvidiaItems(nvidia)],
    members,
  ),
  collateral: [...amdCollateral(machine), ...nvidiaCollateral(nvidia)],
  anchors: [...amdAnchors(machine), ...nvidiaAnchors(nvidia)],
})

/** Parses a policy document; one that is refused is an error of the test. */
export function policyOf(document: JsonObject): Policy {
  const policy = parsePolicy(JSON.stringify(document))
  if (!policy.ok) throw new TypeError(JSON.stringify(policy.faults))
  return policy.value
}

export const SNP_RULE: JsonObject = {
  platform: 'amd/snp',
  products: ['Genoa', 'Turin'],
  tcbFloors: { bulletins: 'all' },
  revocation: 'required',
}

/** A policy as a tenant would write it: level 2, current SNP, GPUs neither required nor relied on. */
export const cpuDocument = (rule: JsonObject = {}, more: JsonObject = {}, require: JsonObject = {}): JsonObject => ({
  version: 1,
  name: 'row',
  require: { level: 2, cpu: { any: [{ ...SNP_RULE, ...rule }] }, gpu: 'any', ...require },
  freshness: { maxAgeSeconds: 120 },
  onInconclusive: 'deny',
  ...more,
})
export const cpuPolicy = (rule: JsonObject = {}, more: JsonObject = {}, require: JsonObject = {}): Policy =>
  policyOf(cpuDocument(rule, more, require))

export const GPU_RULE: JsonObject = {
  count: 'lease',
  models: ['H100', 'H200'],
  modes: 'any',
  minDriver: '550.90.07',
  rim: 'required',
  revocation: 'stapled',
  binding: 'shared-nonce',
  nonce: 'raw',
  devtools: 'not-proved',
  unique: true,
}

/** The same with rules for GPUs. */
export const gpuDocument = (rule: JsonObject = {}, more: JsonObject = {}): JsonObject =>
  cpuDocument({}, more, { gpu: { ...GPU_RULE, ...rule } })
export const gpuPolicy = (rule: JsonObject = {}, more: JsonObject = {}): Policy => policyOf(gpuDocument(rule, more))

export const LEASE: Lease = {
  id: 'lease-1',
  provider: 'provider-1',
  teeType: 'cpu-gpu',
  gpuCount: 1,
  gpuModel: 'H100',
  hostData: undefined,
}

export const cache = createVerificationCache()
const sorter = new Context({ now: NOW, anchors: PINNED_ANCHORS, crypto: nodeCrypto, cache })

export interface How extends Partial<Omit<VerifyContext, 'collateral' | 'injectedAnchors' | 'cache'>> {
  /** instead of the scene's */
  readonly collateral?: readonly Uint8Array[]
}

/** Judges a scene end to end. A file of its collateral that cannot be read is left out, as a tenant's folder would be. */
export async function judged(scene: Scene, how: How = {}): Promise<Decision> {
  const files = (how.collateral ?? scene.collateral).map((bytes, i) => ({ name: `file-${i}`, bytes }))
  return verify(scene.evidence, {
    now: NOW,
    policy: cpuPolicy(),
    freshness: ASKED,
    lease: null,
    physical: 'unknown',
    referenceValues: [],
    ...how,
    collateral: (await sortCollateral(sorter, files, 'verifier')).collateral,
    injectedAnchors: scene.anchors,
    cache,
  })
}
