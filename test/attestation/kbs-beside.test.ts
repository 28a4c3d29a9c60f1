import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type EvidenceFile, readEvidence } from '../../src/attestation/envelopes/index.ts'
import { derivedQualifyingData } from '../../src/attestation/evidence-set/binding.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { toBase64 } from '../../src/core/encodings.ts'
import { canonicalJson, type JsonObject } from '../../src/core/json.ts'
import { prepareCollateral, verify } from '../../src/index.ts'
import { ccaToken, hclReport, hclReportData, type NvidiaMachine, type TdxMachine } from '../../src/testing/index.ts'
import { collateralFile, td } from '../reject/intel-stage.ts'
import { accepted, refused } from '../reject/row.ts'
import {
  cache,
  cpu,
  gpuPolicy,
  gpus,
  json,
  judged,
  LEASE,
  NOW,
  nvidiaAnchors,
  nvidiaCollateral,
  SEED,
} from '../reject/stage.ts'
import { tpm } from '../reject/tpm-stage.ts'
import { anchorFromCertificate } from '../support/anchors.ts'

const NONCE = new Uint8Array(64).fill(7)
const RUNTIME: JsonObject = { nonce: toBase64(NONCE), 'tee-pubkey': { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'BBBB' } }
const sha384 = (text: string) => new Uint8Array(createHash('sha384').update(text).digest())
const padded = (value: Uint8Array) => Uint8Array.from({ length: 64 }, (_, i) => value[i] ?? 0)

const gpu = (nonce: Uint8Array): NvidiaMachine => gpus({ nonce })
const RIGHT = gpu(sha384(canonicalJson(RUNTIME)).subarray(0, 32))
/** That of another session, whoever asked. */
const REPLAYED = gpu(new Uint8Array(32).fill(9))

const listOf = (machine: NvidiaMachine): JsonObject[] =>
  machine.gpus.map((g) => ({ evidence: toBase64(g.report), certificate: toBase64(utf8(g.chainPem)) }))
const additionalOf = (machine: NvidiaMachine): string =>
  JSON.stringify({ nvidia: { device_evidence_list: listOf(machine) } })
const request = (teeEvidence: JsonObject | string): EvidenceFile => ({
  name: 'attest.json',
  bytes: json({ 'runtime-data': RUNTIME, 'tee-evidence': teeEvidence }),
})
const composite = (primary_evidence: JsonObject | string, additional_evidence: string): EvidenceFile =>
  request({ primary_evidence, additional_evidence })

describe('beside what a guest of Confidential Containers sends', () => {
  it('a GPU that it does not commit to is none of its', () => {
    const beside = { name: 'gpu.json', bytes: utf8(JSON.stringify(listOf(RIGHT))) }
    const report = toBase64(cpu().report)
    // A guest of before version 0.4 commits to no list, and is credited with none.
    accepted(readEvidence([request(report), beside]))
    accepted(readEvidence([composite(report, additionalOf(RIGHT))]))
    refused(readEvidence([composite(report, ''), beside]), ['BIND_COMPOSITE_MISMATCH'])
  })

  /** What is found of the binding. */
  async function bindingOf(files: readonly EvidenceFile[], machine: TdxMachine, devices: NvidiaMachine) {
    const own = [collateralFile(machine.collateral), ...nvidiaCollateral(devices)]
    const { collateral } = await prepareCollateral(own.map((bytes, i) => ({ name: `file-${i}`, bytes })))
    const { findings } = await verify(files, {
      ...{ now: NOW, policy: gpuPolicy(), lease: LEASE, physical: 'unknown', referenceValues: [], cache, collateral },
      freshness: { kind: 'nonce', nonce: NONCE },
      injectedAnchors: [anchorFromCertificate(machine.trustedRoot, 'intel/sgx-root'), ...nvidiaAnchors(devices)],
    })
    return findings.map((f) => f.code).filter((code) => /^(BIND|GPU_NONCE|TPM_QUOTE|TPM_RUNTIME)/.test(code))
  }

  it('a TPM that answers for its CPU makes neither its request nor its GPUs fresh', async () => {
    const committed = canonicalJson({ 'additional-evidence': additionalOf(RIGHT), ...RUNTIME })
    const honest = td({ td: { reportData: padded(sha384(committed)) } })
    const quoteOf = ({ quote }: TdxMachine) => ({ quote: toBase64(quote) })
    expect(await bindingOf([composite(quoteOf(honest), additionalOf(RIGHT))], honest, RIGHT)).toEqual([])

    const azure = td({ td: { reportData: hclReportData() } })
    const answer = await derivedQualifyingData(nodeCrypto.digest, NONCE, undefined)
    const files = [
      composite(quoteOf(azure), additionalOf(REPLAYED)),
      { name: 'hcl.bin', bytes: hclReport(new Uint8Array(1184), { hardware: 'tdx' }) },
      { name: 'tpm.json', bytes: json({ ...tpm({ key: 'rsassa', nonce: answer }).quote } as JsonObject) },
    ]
    expect(await bindingOf(files, azure, REPLAYED)).toEqual(['BIND_RUNTIME_DATA_MISMATCH'])
  })

  it('a token that answers for itself makes no GPU fresh', async () => {
    const cca = ccaToken(SEED, { challenge: NONCE })
    const found = async (additional: string) => {
      const scene = {
        evidence: composite(toBase64(cca.token), additional).bytes,
        collateral: [utf8(cca.platformKeyPem), ...nvidiaCollateral(REPLAYED)],
        anchors: nvidiaAnchors(REPLAYED),
      }
      const { findings } = await judged(scene, { policy: null, freshness: { kind: 'nonce', nonce: NONCE } })
      return findings.map((f) => f.code)
    }
    expect(await found('')).toEqual(['POLICY_MISSING'])
    expect(await found(additionalOf(REPLAYED))).toEqual(['GPU_NONCE_MISMATCH'])
  })
})
