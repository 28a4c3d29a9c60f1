import { expect, it } from 'vitest'
import type { Code } from '../../src/core/codes.ts'
import { fromBase64, toBase64 } from '../../src/core/encodings.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { akashGpuReport } from '../../src/testing/index.ts'
import { accepted, refused } from '../reject/row.ts'
import {
  ASKED,
  akashQuote,
  akashScene,
  cpu,
  cpuPolicy,
  gpuPolicy,
  gpus,
  json,
  judged,
  LEASE,
  NONCE,
} from '../reject/stage.ts'
import { describeEvidence, evidenceJson } from '../support/evidence.ts'

interface Wire {
  readonly cases: readonly {
    readonly name: string
    readonly expect: string
    readonly nonce: string
    readonly quote: JsonObject
  }[]
}

/** Names of the first design and what answers now, with the reason where the bytes decide otherwise. */
const NOW_CALLED: Readonly<Record<string, Code>> = {
  GPU_EVIDENCE_MISSING: 'GPU_COUNT_ZERO',
  PLATFORM_DOWNGRADE: 'ENV_KIND_WEAKER_THAN_ORDER',
  GPU_COUNT: 'GPU_COUNT_MISMATCH',
  MOCK_EVIDENCE: 'ENV_MOCK_EVIDENCE',
  // The flag alone is false; that the nonce was answered is not in doubt.
  REPORT_DATA_MISMATCH: 'BIND_TLS_CLAIM_FALSE',
  NONCE_LENGTH: 'BIND_LENGTH_MISMATCH',
}

const POLICY = gpuPolicy({}, { acceptRisks: ['plain-nvlink'] })
const MACHINE = cpu()
const ONE = gpus()
const TWO = gpus({ gpuCount: 2 })
const leased = (gpuCount: number) => ({ policy: POLICY, lease: { ...LEASE, gpuCount } })

/** The case's own shape around evidence whose signatures hold: only what the case is about can refuse it. */
const REAL: Readonly<Record<string, { readonly code?: Code; readonly check: () => ReturnType<typeof judged> }>> = {
  'gpu-platform-empty-reports': { check: () => judged(akashScene(MACHINE, ONE, { gpu_reports: [] }), leased(1)) },
  'gpu-platform-absent-reports': {
    check: () => {
      const { gpu_reports: _, ...quote } = akashQuote(MACHINE, ONE.gpus)
      return judged({ ...akashScene(MACHINE, ONE), evidence: json(quote) }, leased(1))
    },
  },
  'downgraded-platform': {
    // A policy with rules for GPUs would miss them as well; this one leaves it to the lease.
    check: () =>
      judged(akashScene(MACHINE, ONE, { tee_platform: 'snp', gpu_reports: [] }), {
        ...{ policy: cpuPolicy(), lease: { ...LEASE, gpuCount: undefined, gpuModel: undefined } },
      }),
  },
  'duplicate-device-index': {
    // Refused in the envelope, before any report is looked at: the index says it first.
    code: 'GPU_INDEX_INVALID',
    check: () => judged(akashScene(MACHINE, TWO, { gpu_reports: [reportAt(0, 0), reportAt(0, 0)] }), leased(2)),
  },
  'duplicate-report-new-index': {
    // One device as two: its identity says so, whatever index it is given.
    code: 'GPU_NOT_DISTINCT',
    check: () => judged(akashScene(MACHINE, TWO, { gpu_reports: [reportAt(0, 0), reportAt(0, 1)] }), leased(2)),
  },
  'too-few-gpus': { check: () => judged(akashScene(MACHINE, ONE), leased(8)) },
  'tls-bound-lie': { check: () => judged(akashScene(MACHINE, ONE, { tls_bound: true }), leased(1)) },
  'nonce-not-64': {
    check: () =>
      judged(akashScene(MACHINE, ONE), { ...leased(1), freshness: { kind: 'nonce', nonce: NONCE.subarray(0, 32) } }),
  },
}

function reportAt(device: number, index: number): JsonObject {
  const gpu = TWO.gpus[device]
  if (gpu === undefined) throw new TypeError('no such device')
  return { device_index: index, report: toBase64(akashGpuReport(gpu)) }
}

/** The same machine, told in the other spellings that are accepted. */
const SPELLINGS: Readonly<Record<string, () => JsonObject>> = {
  'docs-field-name': () => {
    const { tee_platform, ...quote } = akashQuote(MACHINE, ONE.gpus)
    return { ...quote, tee_type: tee_platform }
  },
  'camel-case': () => {
    const quote = akashQuote(MACHINE, ONE.gpus) as Record<string, JsonObject[string]>
    const reports = quote.gpu_reports as readonly JsonObject[]
    return {
      ...{ report: quote.report, certChain: '', teePlatform: quote.tee_platform, auxblob: quote.auxblob },
      ...{ gpuReports: reports.map((r) => ({ deviceIndex: r.device_index, report: r.report })), tlsBound: false },
    }
  },
}

describeEvidence('akash/wire', () => {
  const { cases } = evidenceJson<Wire>('akash/wire/negative-bundles.json')

  it('has a test for every case', () => {
    const covered = [...Object.keys(REAL), ...Object.keys(SPELLINGS), 'mock-report']
    expect(cases.map((c) => c.name).sort()).toEqual(covered.sort())
  })

  it.each(cases.map((c) => [c.name, c] as const))('%s as it came is refused as what it is, a mock', async (_, wire) => {
    const nonce = fromBase64(wire.nonce, 'nonce')
    if (!nonce.ok) throw new TypeError('no nonce')
    const decision = await judged(
      { evidence: json(wire.quote), collateral: [], anchors: [] },
      { ...leased(8), freshness: { kind: 'nonce', nonce: nonce.value } },
    )
    refused(decision, ['ENV_MOCK_EVIDENCE'])
  })

  it.each(Object.entries(REAL))(
    '%s, around evidence that is genuine, has its own code',
    async (name, { code, check }) => {
      const given = cases.find((c) => c.name === name)?.expect ?? ''
      const expected = code ?? NOW_CALLED[given]
      if (expected === undefined) throw new TypeError(`${given} has no name of today`)
      refused(await check(), [expected])
    },
  )

  it('the twins of all of them are accepted', async () => {
    accepted(await judged(akashScene(MACHINE, ONE), { ...leased(1), freshness: ASKED }))
    accepted(await judged(akashScene(MACHINE, TWO), { ...leased(2), freshness: ASKED }))
  })

  it.each(Object.entries(SPELLINGS))('%s is accepted', async (_, quote) => {
    accepted(await judged({ ...akashScene(MACHINE, ONE), evidence: json(quote()) }, leased(1)))
  })

  it.each(['mock-snp', 'mock-snp-gpu-2', 'mock-tdx-gpu-bound'])('%s is refused as a mock', async (name) => {
    const { quote } = evidenceJson<{ readonly quote: JsonObject }>(`akash/wire/${name}.json`)
    refused(await judged({ evidence: json(quote), collateral: [], anchors: [] }, leased(1)), ['ENV_MOCK_EVIDENCE'])
  })
})
