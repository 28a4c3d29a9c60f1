import { beforeAll, describe, expect, test } from 'vitest'
import { renderDecision, shared } from '../../src/cli/render-decision.ts'
import { anchorFrom } from '../../src/cli/trust-anchors.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { createVerificationCache } from '../../src/core/context.ts'
import { toBase64 } from '../../src/core/encodings.ts'
import { fault, finding } from '../../src/core/outcome.ts'
import { parseRfc3339 } from '../../src/core/time.ts'
import type { Decision } from '../../src/decision/decision.ts'
import { NO_COLLATERAL, verify } from '../../src/index.ts'
import { NVIDIA_TEST_TIME, nvidiaMachine } from '../../src/testing/index.ts'
import { widest } from './run.ts'

const NONCE = new Uint8Array(32).fill(5)

/** A whole board without its manifests: everything a set of items can show, and the same thing missing from all of them. */
async function boardDecision(): Promise<Decision> {
  const board = nvidiaMachine('render', {
    architecture: 'hopper',
    gpuCount: 8,
    switchCount: 4,
    nonce: NONCE,
    driverVersion: '580.159.03',
    vbiosVersion: '96.00.FE.00.01',
    featureFlag: 'ppcie',
  })
  const devices = [...board.gpus.map((d) => [d, 'HOPPER'] as const), ...board.switches.map((d) => [d, 'LS10'] as const)]
  const evidence = devices.map(([{ report, chainPem }, arch]) => ({
    arch,
    nonce: '',
    evidence: toBase64(report),
    certificate: toBase64(utf8(chainPem)),
  }))
  const now = parseRfc3339(NVIDIA_TEST_TIME) ?? 0
  return verify(utf8(JSON.stringify(evidence)), {
    now,
    policy: null,
    freshness: { kind: 'nonce', nonce: NONCE },
    collateral: NO_COLLATERAL,
    lease: null,
    physical: 'unknown',
    referenceValues: [],
    injectedAnchors: [await anchorFrom(board.roots.device, 'root')],
    cache: createVerificationCache(),
  })
}

let decision: Decision
let text: string
beforeAll(async () => {
  decision = await boardDecision()
  text = renderDecision(decision, false)
})

describe('a board', () => {
  test('a line per device, in 100 columns', () => {
    expect(text).toMatch(/^INCONCLUSIVE {2}level 0 \(claimed\)/)
    expect(text.match(/^gpu-\d {6}nvidia\/gpu-report {5}OPEN {2}H100 {2}driver /gm)).toHaveLength(8)
    expect(text.match(/^switch-\d {3}nvidia\/switch-report {2}OPEN {2}LS_10 /gm)).toHaveLength(4)
    expect(widest(text)).toBeLessThanOrEqual(100)
    expect(text).not.toMatch(/ $/m)
  })

  test('its topology as it was proved', () => {
    expect(decision.topology?.gpus).toHaveLength(8)
    expect(text.match(/^ {2}gpu-\d {5}(──● {7}){3}──●$/gm)).toHaveLength(8)
  })

  test('what all devices have alike is told once, with their names', () => {
    expect(text).toMatch(/^ {5}at {8}rim\.driver of gpu-0, gpu-1, gpu-2, gpu-3, gpu-4, gpu-5, gpu-6, gpu-7$/m)
    expect(text.match(/^ {2}GPU_RIM_UNAVAILABLE /gm)).toHaveLength(3)
    const notChecked =
      text
        .split('Not checked\n')[1]
        ?.split('\n\n')[0]
        ?.split(/\n(?= {2}\S)/) ?? []
    expect(new Set(notChecked).size).toBe(notChecked.length)
    expect(notChecked.length).toBeGreaterThan(3)
  })

  test('--explain leaves nothing out', () => {
    const long = renderDecision(decision, true)
    for (const f of decision.findings) expect(long).toContain(f.code)
    expect(long.match(/^ {5}remedy /gm)).toHaveLength(shared(decision.findings).length)
  })
})

describe('shared findings', () => {
  test('differ in the item alone', () => {
    const of = (item: string, actual: string) => finding(fault('GPU_RIM_UNAVAILABLE', 'rim.driver', { actual }), item)
    const groups = shared([of('gpu-0', 'a'), of('gpu-1', 'b'), of('gpu-2', 'a')])
    expect(groups.map((g) => g.items)).toEqual([['gpu-0', 'gpu-2'], ['gpu-1']])
  })

  test('an item that the path names, and the set, are not named again', () => {
    const [own, set] = shared([
      finding(fault('GPU_NONCE_MISMATCH', 'gpu-0.nonce'), 'gpu-0'),
      finding(fault('POLICY_MISSING', 'policy'), 'set'),
    ])
    expect([own?.items, set?.items]).toEqual([[], []])
  })
})

test('what others wrote is escaped, and what the tenant accepted is said', () => {
  const evil = '\x1b[31m\u202e'
  const told = renderDecision(
    {
      ...decision,
      notChecked: [{ what: `file ${evil}`, because: evil }],
      policy: { name: evil, version: 1, digest: 'sha256:00' },
      statements: [{ guarantee: evil, signer: evil, referenceValue: evil, validUntil: evil }],
      acceptedRisks: ['open-quote-oracle'],
    },
    true,
  )
  expect(told).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
  expect(told).toContain('Resting on statements of others')
  expect(told).toContain('Accepted risks: open-quote-oracle')
})
