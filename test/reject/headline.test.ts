import { describe, expect, it } from 'vitest'
import { toBase64 } from '../../src/core/encodings.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { presetPolicy } from '../../src/policy/parse.ts'
import { type AmdMachineOptions, akashGpuReport } from '../../src/testing/index.ts'
import { accepted, refused } from './row.ts'
import { akashScene, cpu, gpuPolicy, gpus, type How, judged, LEASE } from './stage.ts'

/**
 * The cases that every buyer asks about first, as Akash shows them, under the preset that ships: each refused under its own
 * code, with a remedy, beside the machine that is accepted.
 */
const H100 = presetPolicy('h100-confidential')
const CPU = cpu()
const ONE = gpus()
const one: How = { policy: H100, lease: LEASE }
const shown = (options: AmdMachineOptions) => judged(akashScene(cpu(options), ONE), one)

/** Eight Hopper GPUs in one machine talk over plain NVLink, which a tenant has to accept by name. */
const eight: How = {
  policy: gpuPolicy({ count: 8 }, { acceptRisks: ['plain-nvlink'] }),
  lease: { ...LEASE, gpuCount: 8 },
}
const repeated: readonly JsonObject[] = ONE.gpus.flatMap((gpu) =>
  Array.from({ length: 8 }, (_, i) => ({ device_index: i, report: toBase64(akashGpuReport(gpu)) })),
)

describe('one H100 with an SEV-SNP CPU', () => {
  it('is accepted in good order', async () => {
    const decision = await judged(akashScene(CPU, ONE), one)
    accepted(decision)
    expect([decision.level, decision.gpuBinding, decision.policy?.name]).toEqual([2, 'shared-nonce', H100.name])
    expect(decision.injectedAnchors.length).toBe(3)
  })

  it('GPU_COUNT_ZERO: snp-gpu with no GPU report', async () => {
    refused(await judged(akashScene(CPU, ONE, { gpu_reports: [] }), one), ['GPU_COUNT_ZERO'])
    const { policy } = one
    refused(await judged(akashScene(CPU, ONE, { gpu_reports: [] }), { policy: policy ?? null }), [
      'GPU_COUNT_ZERO',
      'APPRAISAL_LEASE_MISSING',
    ])
  })

  it('SNP_POLICY_DEBUG_ALLOWED: a debug guest', async () => {
    refused(await shown({ wrong: 'policy-debug' }), ['SNP_POLICY_DEBUG_ALLOWED'])
  })

  it('SNP_HOST_REQUESTED: a report requested by the host, over our own nonce', async () => {
    refused(await shown({ wrong: 'vmpl-host' }), ['SNP_HOST_REQUESTED'])
  })

  it('SNP_VCEK_TCB_MISMATCH: a VCEK for older firmware under a newer report', async () => {
    for (const part of ['bl', 'tee', 'snp', 'ucode'] as const)
      refused(await shown({ wrong: `tcb-cert-lower-${part}` }), ['SNP_VCEK_TCB_MISMATCH'])
  })

  it('X509_ROOT_UNTRUSTED: a self-consistent chain under a foreign root with the names of AMD', async () => {
    refused(await shown({ wrong: 'chain-rogue-ark' }), ['X509_ROOT_UNTRUSTED'])
  })

  it('X509_ROOT_UNTRUSTED: a self-consistent chain under a foreign root with the names of NVIDIA', async () => {
    refused(await judged(akashScene(CPU, gpus({ wrong: 'chain-foreign' })), one), ['X509_ROOT_UNTRUSTED'])
  })

  it('nothing is trusted that was not pinned: the same machine without its test roots', async () => {
    const { evidence, collateral } = akashScene(CPU, ONE)
    const decision = await judged({ evidence, collateral, anchors: [] }, one)
    expect(decision.verdict).toBe('reject')
    expect(decision.findings.map((f) => `${f.item} ${f.code}`)).toEqual([
      'cpu X509_ROOT_UNTRUSTED',
      'gpu-0 X509_ROOT_UNTRUSTED',
    ])
  })
})

describe('eight GPUs', () => {
  it('are accepted where there are eight', async () => {
    accepted(await judged(akashScene(CPU, gpus({ gpuCount: 8 })), eight))
  })

  it('GPU_NOT_DISTINCT: one GPU shown eight times', async () => {
    refused(await judged(akashScene(CPU, ONE, { gpu_reports: repeated }), eight), ['GPU_NOT_DISTINCT'])
  })

  it('GPU_NOT_DISTINCT: one GPU that answered eight times', async () => {
    refused(await judged(akashScene(CPU, gpus({ gpuCount: 8, wrong: 'gpu-repeated-anew' })), eight), [
      'GPU_NOT_DISTINCT',
    ])
  })
})

it('every refusal says what to do', async () => {
  const decision = await shown({ wrong: 'policy-debug' })
  expect(decision.findings.map((f) => f.hint.length > 40)).toEqual([true])
})
