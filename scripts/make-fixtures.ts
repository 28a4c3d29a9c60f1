/*
 * Makes fixtures/: the evidence of one SEV-SNP machine and four wrong twins of it, that of a TDX machine, and an auction, by
 * the project's own test kit. Nothing here comes from hardware, and nothing made here is trusted by anything. Deterministic: the
 * same source gives the same bytes.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { issueChallengeRecord } from '../src/attestation/challenge.ts'
import type { FixtureIndex } from '../src/cli/fixtures.ts'
import { utf8 } from '../src/core/bytes.ts'
import { nodeCrypto } from '../src/core/crypto/node.ts'
import { fromBase64, toBase64 } from '../src/core/encodings.ts'
import type { JsonObject } from '../src/core/json.ts'
import { take } from '../src/core/outcome.ts'
import { parseRfc3339 } from '../src/core/time.ts'
import { policyDigest } from '../src/policy/digest.ts'
import { presetPolicy } from '../src/policy/parse.ts'
import { PRESET_NAMES } from '../src/policy/presets.ts'
import {
  type AmdFault,
  type AmdMachine,
  akashGpuReport,
  amdMachine,
  collateralFiles,
  type NvidiaMachine,
  nvidiaMachine,
  pem,
  tdxGpuMachine,
} from '../src/testing/index.ts'
import { bidFixtures } from './bid-fixtures.ts'

const SEED = 'vouchsafe fixtures'
const AT = '2026-08-01T00:00:00Z'
const POLICY = 'h100-confidential'
const GPUS = {
  architecture: 'hopper',
  gpuCount: 1,
  driverVersion: '580.159.03',
  vbiosVersion: '96.00.FE.00.01',
  featureFlag: 'spt',
} as const

const LEASE = {
  id: 'akash1tenant/18412345/1/1/akash1provider',
  provider: 'akash1provider',
  teeType: 'cpu-gpu',
  gpuCount: 1,
  gpuModel: 'H100',
} as const

const json = (value: unknown): Uint8Array => utf8(`${JSON.stringify(value, null, 2)}\n`)

/** Every generated file of fixtures/, by its path there. */
export async function makeFixtures(): Promise<ReadonlyMap<string, Uint8Array>> {
  const challenge = await challengeRecord()
  const nonce = take(fromBase64(String(challenge.nonce), 'nonce'))
  const cpu = (wrong?: AmdFault): AmdMachine =>
    amdMachine(SEED, { at: AT, report: { reportData: nonce }, ...(wrong === undefined ? {} : { wrong }) })
  const healthy = cpu()
  const gpus = nvidiaMachine(SEED, { ...GPUS, nonce: nonce.subarray(0, 32), at: AT })
  const evidence: Readonly<Record<string, JsonObject>> = {
    'accepted.json': quote(healthy, gpus),
    'no-gpu-report.json': { ...quote(healthy, gpus), gpu_reports: [] },
    'debug-guest.json': quote(cpu('policy-debug'), gpus),
    'key-of-older-firmware.json': quote(cpu('tcb-cert-lower-snp'), gpus),
    'requested-by-host.json': quote(cpu('vmpl-host'), gpus),
  }
  const auction = await bidFixtures(SEED, judgedAt(), PRESET_NAMES.map(presetPolicy), { ...GPUS, at: AT }, quote)
  return new Map([
    ['expected.json', json({ ...INDEX, bids: auction.index })],
    ...[...auction.files].map(([path, value]) => [path, json(value)] as const),
    ['challenge.json', json(challenge)],
    ['lease.json', json(LEASE)],
    ['trust-anchors.pem', utf8(pem([healthy.trustedArk, gpus.roots.device, gpus.roots.rim]))],
    ...Object.entries(evidence).map(([name, value]) => [`evidence/${name}`, json(value)] as const),
    ['collateral/amd/ask-genoa.pem', utf8(pem(healthy.intermediate))],
    ['collateral/amd/vcek-genoa.crl', healthy.crl],
    ...[gpus.driverRim, gpus.vbiosRim].map(({ id, bytes }) => [`collateral/nvidia/${id}.xml`, bytes] as const),
    ...tdxFixture(nonce, gpus),
    ...gpus.ocspResponses.map(({ of, der }) => [`collateral/nvidia/ocsp-${of.replaceAll('/', '-')}.der`, der] as const),
  ])
}

function judgedAt(): number {
  const now = parseRfc3339(AT)
  if (now === undefined) throw new TypeError(`${AT} is not a time`)
  return now
}

async function challengeRecord(): Promise<JsonObject> {
  const now = judgedAt()
  const sha256 = (bytes: Uint8Array) => nodeCrypto.digest('sha256', bytes)
  const asked = {
    id: 'fixtures-1',
    purpose: 'lease',
    provider: LEASE.provider,
    lease: LEASE.id,
    policyDigest: await policyDigest(presetPolicy(POLICY), sha256),
    verifierKeyId: 'fixtures',
    iat: now - 20,
    exp: now + 100,
  } as const
  return issueChallengeRecord(asked, await sha256(utf8(`${SEED}/rand`)), nodeCrypto.digest)
}

/** Akash's quote response (AEP-83) as the gateway's REST answer spells it. */
function quote(cpu: AmdMachine, { gpus }: NvidiaMachine): JsonObject {
  return {
    report: toBase64(cpu.report),
    cert_chain: '',
    auxblob: toBase64(cpu.table),
    tee_platform: 'snp-gpu',
    tls_bound: false,
    gpu_reports: gpus.map((gpu, i) => ({ device_index: i, report: toBase64(akashGpuReport(gpu)) })),
  }
}

/** A TDX machine in good order with the same GPU, which needs the same NVIDIA collateral. */
function tdxFixture(nonce: Uint8Array, { roots }: NvidiaMachine): readonly (readonly [string, Uint8Array])[] {
  const { cpu, akash } = tdxGpuMachine(SEED, { tdx: { at: AT, td: { reportData: nonce } }, gpus: GPUS })
  return [
    ['tdx/accepted.json', json(akash)],
    ['tdx/trust-anchors.pem', utf8(pem([cpu.trustedRoot, roots.device, roots.rim]))],
    ...[...collateralFiles(cpu.collateral)].map(([name, bytes]) => [`tdx/collateral/${name}`, bytes] as const),
  ]
}

const INDEX: Omit<FixtureIndex, 'bids'> = {
  madeBy: "Vouchsafe's own test kit (scripts/make-fixtures.ts), signed by test keys; no real hardware",
  at: AT,
  policy: POLICY,
  challenge: 'challenge.json',
  lease: 'lease.json',
  collateral: 'collateral',
  trustAnchors: 'trust-anchors.pem',
  cases: [
    {
      id: 'accepted',
      title: 'an SEV-SNP machine (Genoa) with one H100, patched, measured, answering our challenge',
      evidence: 'evidence/accepted.json',
      verdict: 'accept',
      codes: [],
    },
    {
      id: 'no-gpu-report',
      title: 'the label says snp-gpu, and there is no GPU report',
      evidence: 'evidence/no-gpu-report.json',
      verdict: 'reject',
      codes: ['GPU_COUNT_ZERO'],
    },
    {
      id: 'debug-guest',
      title: 'the host may debug the guest',
      evidence: 'evidence/debug-guest.json',
      verdict: 'reject',
      codes: ['SNP_POLICY_DEBUG_ALLOWED'],
    },
    {
      id: 'key-of-older-firmware',
      title: 'the report claims newer firmware than its key was made for',
      evidence: 'evidence/key-of-older-firmware.json',
      verdict: 'reject',
      codes: ['SNP_VCEK_TCB_MISMATCH'],
    },
    {
      id: 'requested-by-host',
      title: 'the host asked for the report; no guest did',
      evidence: 'evidence/requested-by-host.json',
      verdict: 'reject',
      codes: ['SNP_HOST_REQUESTED'],
    },
  ],
}

/** Written by hand, and left alone. */
const BY_HAND = 'README.md'

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'fixtures')
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) if (name !== BY_HAND) rmSync(join(folder, name), { recursive: true })
  for (const [path, bytes] of await makeFixtures()) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes)
  }
}
