import { describe, expect, it } from 'vitest'
import type { Decision } from '../../src/decision/decision.ts'
import { collateralFiles, type IntelMachine } from '../../src/testing/index.ts'
import { enclave, inSlot, judgedIntel, td } from './intel-stage.ts'
import { accepted, rowTitle } from './row.ts'
import { refusal, Tally } from './tally.ts'

const flipped = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)))

/** Few at a time, so that a decision is not kept longer than it takes. */
async function inBatches(count: number, each: (n: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += 64) {
    await Promise.all(Array.from({ length: Math.min(64, count - from) }, (_, i) => each(from + i)))
  }
}

/** Every bit in front of the authentication data, which is what the attestation key signed. */
async function flipsOf(machine: IntelMachine<unknown>, format: string): Promise<Tally> {
  const shown = (quote: Uint8Array): Promise<Decision> => judgedIntel(machine, { evidence: inSlot(quote, format) })
  accepted(await shown(machine.quote))
  const tally = new Tally()
  await inBatches(machine.offsets.authLength * 8, async (bit) =>
    tally.add(refusal(await shown(flipped(machine.quote, bit)))),
  )
  return tally
}

const LONG = { timeout: 600_000 }

describe('bit flips of what the attestation key signed', () => {
  it(`${rowTitle('RJ-TDX-09')} (5,056 executions)`, LONG, async () => {
    const tally = await flipsOf(td(), 'intel/tdx-quote')
    expect(tally.executions).toBe(8 * (48 + 584))
    expect(tally.counts).toEqual({})
  })

  it('an enclave’s (3,456 executions)', LONG, async () => {
    const tally = await flipsOf(enclave(), 'intel/sgx-quote')
    expect(tally.executions).toBe(8 * (48 + 384))
    expect(tally.counts).toEqual({})
  })
})

/** Flips one bit of each byte of a signed text or its signature, another one each time, in the loose files of PCS. */
async function documentFlips(machine: IntelMachine<unknown>, which: 'tcbInfo' | 'qeIdentity'): Promise<Tally> {
  const files = [...collateralFiles(machine.collateral)]
  const [name, body] = files.find(([, bytes]) => Buffer.from(bytes.subarray(2, 16)).includes(MEMBER[which])) ?? []
  if (name === undefined || body === undefined) throw new TypeError(`no ${which}`)
  const signed = Buffer.from(machine.collateral[which])
  const at = Buffer.from(body).indexOf(signed)
  const judged = (bytes: Uint8Array) =>
    judgedIntel(machine, { files: files.map(([other, own]) => (other === name ? bytes : own)) })
  accepted(await judged(body))
  const tally = new Tally()
  await inBatches(signed.length, async (n) => {
    const { verdict, findings } = await judged(flipped(body, 8 * (at + n) + (n % 8)))
    tally.add([verdict, ...findings.map((f) => f.code)].join(' '))
  })
  expect(tally.executions).toBe(signed.length)
  return tally
}

const MEMBER = { tcbInfo: 'tcbInfo', qeIdentity: 'enclaveIdentity' } as const

describe('bit flips of what Intel’s signer signed, one in each byte', () => {
  // A flip that leaves no JSON leaves no document; every other one leaves one that nobody signed.
  it.each([
    ['TDX', 'tcbInfo', td(), 'TDX_TCB_INFO_MISSING'],
    ['TDX', 'qeIdentity', td(), 'TDX_QE_IDENTITY_MISSING'],
    ['SGX', 'tcbInfo', enclave(), 'SGX_TCB_INFO_MISSING'],
    ['SGX', 'qeIdentity', enclave(), 'SGX_QE_IDENTITY_MISSING'],
  ] as const)('%s %s', LONG, async (tee, which, machine, missing) => {
    const { counts } = await documentFlips(machine, which)
    expect(Object.keys(counts).sort()).toEqual([`inconclusive ${missing}`, `reject ${tee}_COLLATERAL_SIGNATURE`])
  })
})
