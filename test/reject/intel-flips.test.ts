import { describe, expect, it } from 'vitest'
import { indexOfBytes, utf8 } from '../../src/core/bytes.ts'
import type { Decision } from '../../src/decision/decision.ts'
import { mergeCollateral } from '../../src/index.ts'
import { collateralFiles, type IntelMachine } from '../../src/testing/index.ts'
import { enclave, inSlot, judgedIntel, prepared, td } from './intel-stage.ts'
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
    expect(tally.counts).toEqual({
      TDX_SIGNATURE_INVALID: 4760,
      TDX_QE_VENDOR_UNKNOWN: 128,
      TDX_ATTRIBUTE_RESERVED_BIT: 104,
      ENV_KIND_MISMATCH: 32,
      TDX_KEY_TYPE_UNSUPPORTED: 16,
      TDX_VERSION_UNSUPPORTED: 15,
      TDX_BODY_TYPE_INVALID: 1,
    })
  })

  it('an enclave’s (3,456 executions)', LONG, async () => {
    const tally = await flipsOf(enclave(), 'intel/sgx-quote')
    expect(tally.executions).toBe(8 * (48 + 384))
    expect(tally.counts).toEqual({
      SGX_RESERVED_NOT_ZERO: 1784,
      SGX_SIGNATURE_INVALID: 1479,
      SGX_FORMAT_INVALID: 161,
      ENV_KIND_MISMATCH: 32,
    })
  })
})

const FILE = { tcbInfo: 'tcb-info.json', qeIdentity: 'qe-identity.json' } as const

/** Flips one bit of each byte of a signed text, another one each time, where the text stands in the answer of PCS. */
async function documentFlips(machine: IntelMachine<unknown>, which: keyof typeof FILE): Promise<Tally> {
  const files = [...collateralFiles(machine.collateral)]
  const own = files.find(([name]) => name.endsWith(FILE[which]))?.[1]
  if (own === undefined) throw new TypeError(`no ${which}`)
  const rest = await prepared(files.flatMap(([, bytes]) => (bytes === own ? [] : [bytes])))
  const judged = async (answer: Uint8Array) =>
    judgedIntel(machine, { collateral: mergeCollateral(rest, await prepared([answer])) })
  accepted(await judged(own))
  const signed = utf8(machine.collateral[which])
  const at = indexOfBytes(own, signed)
  const tally = new Tally()
  await inBatches(signed.length, async (n) => {
    const { verdict, findings } = await judged(flipped(own, 8 * (at + n) + (n % 8)))
    tally.add([verdict, ...findings.map((f) => f.code)].join(' '))
  })
  expect([at > 0, tally.executions]).toEqual([true, signed.length])
  return tally
}

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
