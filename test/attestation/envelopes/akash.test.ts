import { expect, test } from 'vitest'
import { toBase64 } from '../../../src/core/encodings.ts'
import type { Decision } from '../../../src/index.ts'
import { akashGpuReport } from '../../../src/testing/index.ts'
import { accepted, refused } from '../../reject/row.ts'
import { akashScene, cpu, gpuPolicy, gpus, judged, LEASE } from '../../reject/stage.ts'

const CPU = cpu()
const ONE = gpus()

/** A quote whose GPU report brings a CEC report. */
function withCec(cec: Uint8Array): Promise<Decision> {
  const reports = ONE.gpus.map((g, i) => ({ device_index: i, report: toBase64(akashGpuReport(g, { cec })) }))
  return judged(akashScene(CPU, ONE, { gpu_reports: reports }), { policy: gpuPolicy(), lease: LEASE })
}

test('a CEC report is listed as not checked and changes the digest of the evidence', async () => {
  const [none, one, other] = await Promise.all(
    [new Uint8Array(), new Uint8Array(200), new Uint8Array(200).fill(1)].map(withCec),
  )
  for (const decision of [none, one, other]) if (decision !== undefined) accepted(decision)
  const entry = {
    what: 'gpu-0: 200 bytes between the SPDM report and its certificates (a CEC report)',
    because: 'nothing signs them for us',
  }
  expect(one?.notChecked).toContainEqual(entry)
  expect(none?.notChecked.filter((n) => n.what.includes('CEC'))).toEqual([])
  expect(new Set([none, one, other].map((d) => d?.evidenceDigest)).size).toBe(3)
})

test('GPU_TRAILING_BYTES: more than a CEC report has', async () => {
  accepted(await withCec(new Uint8Array(4096)))
  refused(await withCec(new Uint8Array(4097)), ['GPU_TRAILING_BYTES'])
})

test('what is not checked for two GPUs alike is said once', async () => {
  const two = gpus({ gpuCount: 2 })
  const policy = gpuPolicy({ count: 2 }, { acceptRisks: ['plain-nvlink'] })
  const decision = await judged(akashScene(CPU, two), { policy, lease: { ...LEASE, gpuCount: 2 } })
  accepted(decision)
  const told = decision.notChecked.map((n) => JSON.stringify(n))
  expect(told.filter((n) => n.includes('devtools'))).toHaveLength(1)
  expect(new Set(told).size).toBe(told.length)
})
