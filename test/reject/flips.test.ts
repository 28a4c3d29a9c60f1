import { describe, expect, it } from 'vitest'
import { NO_COLLATERAL } from '../../src/attestation/collateral.ts'
import type { ItemJudgement } from '../../src/attestation/kind.ts'
import { nvidiaGpu } from '../../src/attestation/nvidia-gpu/index.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { Context, createVerificationCache } from '../../src/core/context.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { PINNED_ANCHORS } from '../../src/core/trust-anchors.ts'
import { SNP_SIGNED_BYTES } from '../../src/testing/index.ts'
import { rowTitle } from './row.ts'
import { cpu, gpus, NOW, nvidiaAnchors } from './stage.ts'
import { judgeOf, refusal, Tally } from './tally.ts'

const flipped = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)))

/** Few at a time: signatures are checked side by side, and a report is not kept longer than it takes. */
async function inBatches(count: number, each: (n: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += 64) {
    const size = Math.min(64, count - from)
    await Promise.all(Array.from({ length: size }, (_, i) => each(from + i)))
  }
}

describe('bit flips', () => {
  it(`${rowTitle('RJ-SNP-09')} (5,376 executions)`, { timeout: 600_000 }, async () => {
    const machine = cpu()
    const judge = await judgeOf(machine)
    expect((await judge(machine.report)).verdict).toBe('accept')
    const tally = new Tally()
    await inBatches(SNP_SIGNED_BYTES * 8, async (bit) => tally.add(refusal(await judge(flipped(machine.report, bit)))))
    expect(tally.executions).toBe(5376)
    expect(tally.counts).toEqual({
      SNP_SIGNATURE_INVALID: 2713,
      SNP_RESERVED_NOT_ZERO: 1588,
      SNP_VCEK_CHIP_MISMATCH: 512,
      SNP_REPORT_MALFORMED: 384,
      SNP_POLICY_RESERVED_BIT: 39,
      SNP_SIGNATURE_ALGORITHM: 32,
      SNP_VCEK_TCB_MISMATCH: 32,
      SNP_VERSION_UNSUPPORTED: 31,
      SNP_VMPL_MISMATCH: 30,
      SNP_PRODUCT_MISMATCH: 12,
      SNP_SIGNER_UNSUPPORTED: 2,
      SNP_SIGNER_KIND_MISMATCH: 1,
    })
  })

  it(`${rowTitle('RJ-GPU-11')}, every bit of the report (33,040 executions)`, { timeout: 600_000 }, async () => {
    const machine = gpus()
    const [gpu] = machine.gpus
    if (gpu === undefined) throw new TypeError('one GPU')
    const anchors = [...PINNED_ANCHORS, ...nvidiaAnchors(machine)]
    const cache = createVerificationCache()
    const judge = (bytes: Uint8Array): Promise<ItemJudgement> =>
      nvidiaGpu.verify(
        { id: 'gpu-0', kind: 'nvidia/gpu-report', bytes, endorsements: [utf8(gpu.chainPem)] },
        NO_COLLATERAL,
        new Context({ now: NOW, anchors, crypto: nodeCrypto, cache }),
      )
    expect((await judge(gpu.report)).claims).toBeDefined()
    const tally = new Tally()
    await inBatches(gpu.report.length * 8, async (bit) => {
      const { claims, faults } = await judge(flipped(gpu.report, bit))
      if (claims !== undefined || faults.length !== 1) throw new TypeError(`bit ${bit}: ${JSON.stringify(faults)}`)
      tally.add(faults[0]?.code ?? 'none')
    })
    expect(tally.executions).toBe(gpu.report.length * 8)
    expect(tally.counts).toEqual({
      GPU_SIGNATURE_INVALID: 28223,
      GPU_SPDM_MALFORMED: 2764,
      GPU_REPORT_UNSUPPORTED: 804,
      GPU_MEASUREMENT_INDEX: 520,
      GPU_FWID_MISMATCH: 384,
      GPU_VERSION_MALFORMED: 194,
      GPU_OPAQUE_MALFORMED: 64,
      GPU_SPDM_VERSION: 48,
      GPU_OPAQUE_DUPLICATE: 31,
      GPU_NVDEC0_INVALID: 8,
    })
  })
})
