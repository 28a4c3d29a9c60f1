import { describe, expect, test } from 'vitest'
import { renderDecision } from '../../src/cli/render-decision.ts'
import { anchorFrom } from '../../src/cli/trust-anchors.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { createVerificationCache } from '../../src/core/context.ts'
import { take } from '../../src/core/outcome.ts'
import { parseRfc3339 } from '../../src/core/time.ts'
import type { Decision } from '../../src/decision/decision.ts'
import { prepareCollateral, verify } from '../../src/index.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import {
  ccelLog,
  dstackLog,
  type SgxMachine,
  sgxMachine,
  type TdxMachine,
  type TdxMachineOptions,
  tdxMachine,
} from '../../src/testing/index.ts'
import { widest } from './run.ts'

const SEED = 'render'

interface Judging {
  readonly collateral?: boolean
  readonly eventLog?: Uint8Array
  readonly tcbStatus?: readonly string[]
}

/** A decision about one machine at level 1, whose status the policy names. */
async function decided(machine: TdxMachine | SgxMachine, judging: Judging = {}): Promise<Decision> {
  const { eventLog, tcbStatus = ['UpToDate'], collateral = true } = judging
  const rule =
    machine.tee === 'TDX'
      ? { platform: 'intel/tdx', tcbStatus }
      : { platform: 'intel/sgx', tcbStatus, mrEnclave: 'any' }
  const require = {
    level: 1,
    cpu: { any: [rule] },
    gpu: 'none',
    physical: 'any',
    lease: 'if-given',
    leaseBinding: 'none',
  }
  const policy = {
    version: 1,
    name: 'render',
    profile: 'production',
    require,
    freshness: { maxAgeSeconds: 120 },
    onInconclusive: 'deny',
  }
  const files = [{ name: 'quote.bin', bytes: machine.quote }]
  const set = collateral ? [{ name: 'collateral.json', bytes: utf8(machine.collateralJson) }] : []
  return verify(eventLog === undefined ? files : [...files, { name: 'log', bytes: eventLog }], {
    now: parseRfc3339(machine.at) ?? 0,
    policy: take(parsePolicy(JSON.stringify(policy))),
    freshness: { kind: 'nonce', nonce: machine.expected.reportData ?? new Uint8Array() },
    collateral: (await prepareCollateral(set)).collateral,
    lease: null,
    physical: 'unknown',
    referenceValues: [],
    injectedAnchors: [await anchorFrom(machine.trustedRoot, 'root')],
    cache: createVerificationCache(),
  })
}

/** The line of the item, however it is broken. */
const told = (decision: Decision, explain = false): string => renderDecision(decision, explain).replace(/\n\s+/g, '  ')
const tdx = (options: TdxMachineOptions = {}) => tdxMachine(SEED, options)
const [STATUSES, OUT_OF_DATE] = [['UpToDate'], ['UpToDate', 'OutOfDate']]

describe('the line of an Intel machine', () => {
  test('TDX: platform, TCB, MRTD', async () => {
    const machine = tdx()
    const decision = await decided(machine)
    const { ppid, fmspc } = machine.platform
    const start = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 4)).toString('hex')
    expect(decision.verdict).toBe('accept')
    expect(told(decision)).toContain(
      `PASS  FMSPC ${Buffer.from(fmspc).toString('hex')}  platform ${start(ppid)}…  TCB UpToDate of 2025-08-13, evaluation 20  MRTD ${start(machine.expected.mrTd ?? new Uint8Array())}…\n`,
    )
    expect(told(decision, true)).not.toContain('Short of a better TCB level')
    expect(widest(renderDecision(decision, true))).toBeLessThanOrEqual(100)
  })

  test('SGX: MRENCLAVE', async () => {
    const machine = sgxMachine(SEED)
    const mrEnclave = Buffer.from(machine.expected.mrEnclave ?? []).toString('hex')
    expect(told(await decided(machine))).toContain(`evaluation 20  MRENCLAVE ${mrEnclave.slice(0, 8)}…\n`)
  })

  test('without Intel’s documents', async () => {
    const decision = await decided(tdx(), { collateral: false })
    expect(decision.verdict).toBe('inconclusive')
    expect(told(decision)).toMatch(/OPEN {2}FMSPC \w+ {2}platform \w+… {2}TCB not judged {2}MRTD /)
  })

  test.each([
    ['ccel', ccelLog(), 'ccel'],
    ['dstack', dstackLog(), 'dstack-v1'],
  ])('its event log: %s', async (_, { log, rtmrs: [rtmr0, rtmr1, rtmr2, rtmr3] }, form) => {
    const machine = tdx({
      td: {
        mrConfigId: new Uint8Array(48),
        ...(rtmr0 === undefined ? {} : { rtmr0 }),
        ...(rtmr1 === undefined ? {} : { rtmr1 }),
        ...(rtmr2 === undefined ? {} : { rtmr2 }),
        ...(rtmr3 === undefined ? {} : { rtmr3 }),
      },
    })
    const decision = await decided(machine, { eventLog: log })
    const claims = decision.items[0]?.claims
    if (claims?.kind !== 'intel/tdx-quote' || claims.eventLog === undefined) throw new TypeError('no event log')
    const { events, digestOnly } = claims.eventLog
    expect(events.length).toBeGreaterThan(1)
    expect(told(decision)).toContain(`…  event log: ${form}, ${events.length + digestOnly.length} events\n`)
  })
})

describe('a machine that is not up to date', () => {
  test('module and quoting enclave are told apart, with their own dates', async () => {
    const text = told(await decided(tdx({ td: { teeTcbSvn: svn(6) }, qe: { isvSvn: 4 } })))
    expect(text).toContain('FAIL  FMSPC b0c06f000000  platform')
    expect(text).toContain(
      'TCB OutOfDate of 2024-03-13, evaluation 20  TDX module OutOfDate of 2024-11-13  QE OutOfDate of 2024-03-13  INTEL-SA-00837 INTEL-SA-01192',
    )
  })

  test('a policy that accepts it is told what it accepts, with --explain', async () => {
    const machine = tdx({ level: 'OutOfDate' })
    const refused = await decided(machine, { tcbStatus: STATUSES })
    expect(refused.verdict).toBe('reject')
    const accepted = await decided(machine, { tcbStatus: OUT_OF_DATE })
    expect(accepted.verdict).toBe('accept')
    const short = /Short of a better TCB level {2}cpu {2}sgxtcbcomponents\[0\] 3, needs 4 \([^)]+\)/
    expect(told(accepted)).not.toMatch(short)
    expect(told(accepted, true)).toMatch(short)
    const [claims] = accepted.items.map((i) => i.claims)
    const deficits = claims?.kind === 'intel/tdx-quote' ? (claims.tcb?.deficits ?? []) : []
    expect(deficits.length).toBeGreaterThan(2)
    for (const d of deficits) {
      expect(told(accepted, true)).toContain(`cpu  ${d.component} ${d.actual}, needs ${d.required} (${d.raisedBy})`)
    }
    expect(widest(renderDecision(accepted, true))).toBeLessThanOrEqual(100)
  })

  test('one that is refused too', async () => {
    const text = told(await decided(tdx({ qe: { isvSvn: 4 } })), true)
    expect(text).toContain('Short of a better TCB level  cpu  qe.isvsvn 4, needs 6')
  })
})

/** TEE_TCB_SVN of module 1.5 at this security version. */
function svn(module: number): Uint8Array {
  const bytes = new Uint8Array(16)
  bytes.set([module, 1, 4])
  return bytes
}
