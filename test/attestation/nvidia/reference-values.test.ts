import { describe, expect, it } from 'vitest'
import type { Code } from '../../../src/core/codes.ts'
import { CODES } from '../../../src/core/codes.ts'
import {
  createNvidiaTestPki,
  type NvidiaFault,
  RIM_FAULTS,
  type RimFault,
  rim,
} from '../../../src/testing/nvidia/index.ts'
import {
  ACCEPTED,
  codesOf,
  faultyMachine,
  judgeGpu,
  judgeSwitch,
  machineOf,
  measurementsOf,
  ONE_BLACKWELL,
  ONE_GPU,
  rimsOf,
  SMALL_BOARD,
  verdictOf,
} from './support.ts'

const machine = machineOf()
const pki = createNvidiaTestPki('nvidia')
const { driverVersion, vbiosVersion } = ONE_GPU

/** Another revision of a manifest of this machine's: its own signer in date, with other golden values where `seed` is another. */
const revision = (kind: 'driver' | 'vbios', notBefore: string, change: 'same values' | 'other values') =>
  rim({
    pki,
    kind,
    version: kind === 'driver' ? driverVersion : vbiosVersion,
    chain: pki.rimChain({ signerNotBefore: notBefore }),
    content: (content) =>
      change === 'same values'
        ? content
        : {
            ...content,
            resources: content.resources.map((r) =>
              r.active === 'True' ? { ...r, alternatives: '1', hashes: [['ns2:Hash0', 'ab'.repeat(48)]] } : r,
            ),
          },
  }).bytes

const compared = (judgement: Parameters<typeof measurementsOf>[0]) => {
  const measurements = measurementsOf(judgement)
  if (measurements.status === 'unavailable') throw new TypeError('not compared')
  return measurements
}

const sha256 = async (bytes: Uint8Array): Promise<string> =>
  Buffer.from(await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes))).toString('hex')

describe('manifests out of a folder', () => {
  it('have to be there, and are named where they are not', async () => {
    const judgement = await judgeGpu(machine, { collateral: [] })
    expect(judgement.faults.map((f) => [f.code, f.path, f.expected])).toEqual([
      ['GPU_RIM_UNAVAILABLE', 'rim.driver', 'NV_GPU_DRIVER_GH100_580.159.03'],
      ['GPU_RIM_UNAVAILABLE', 'rim.vbios', 'NV_GPU_VBIOS_1010_0200_882_9600740020'],
    ])
    expect(judgement.claims).toBeDefined()
    expect(measurementsOf(judgement)).toEqual({
      status: 'unavailable',
      missing: ['NV_GPU_DRIVER_GH100_580.159.03', 'NV_GPU_VBIOS_1010_0200_882_9600740020'],
    })
  })

  it('are needed both', async () => {
    for (const [given, missing] of [
      [machine.driverRim, 'rim.vbios'],
      [machine.vbiosRim, 'rim.driver'],
    ] as const) {
      const judgement = await judgeGpu(machine, { collateral: [given.bytes] })
      expect(judgement.faults.map((f) => [f.code, f.path])).toEqual([['GPU_RIM_UNAVAILABLE', missing]])
    }
  })

  it.each([
    'version-other',
    'version-missing',
    'product-other',
    'product-missing',
    'edition-other',
    'class-other',
  ] as const)('are no candidates with %s', async (wrong) => {
    const judgement = await judgeGpu(faultyMachine(`driver-rim/${wrong}`))
    expect(judgement.faults.map((f) => [f.code, f.path])).toEqual([['GPU_RIM_UNAVAILABLE', 'rim.driver']])
  })

  it('of Hopper are no candidates for Blackwell, though the driver is the same', async () => {
    const blackwell = machineOf(ONE_BLACKWELL)
    const judgement = await judgeGpu(blackwell, { collateral: [machine.driverRim.bytes, blackwell.vbiosRim.bytes] })
    expect(judgement.faults.map((f) => [f.code, f.expected])).toEqual([
      ['GPU_RIM_UNAVAILABLE', 'NV_GPU_CC_DRIVER_GB100_580.159.03'],
    ])
  })

  it.each([
    ['signature-bit', 'RIM_SIGNATURE_INVALID'],
    ['chain-foreign', 'X509_ROOT_UNTRUSTED'],
    ['signer-expired', 'X509_VALIDITY'],
  ] as const satisfies readonly (readonly [RimFault, Code])[])(
    'that fit and are worth nothing refuse: %s',
    async (wrong, code) => {
      const judgement = await judgeGpu(faultyMachine(`vbios-rim/${wrong}`))
      expect([codesOf(judgement), judgement.claims === undefined]).toEqual([[code], false])
      expect(measurementsOf(judgement)).toEqual({
        status: 'unavailable',
        missing: ['NV_GPU_VBIOS_1010_0200_882_9600740020'],
      })
    },
  )

  it('never let a fault of theirs pass', async () => {
    const passed: RimFault[] = []
    for (const wrong of Object.keys(RIM_FAULTS) as RimFault[]) {
      const judgement = await judgeGpu(faultyMachine(`driver-rim/${wrong}` as NvidiaFault))
      if (judgement.faults.length === 0) passed.push(wrong)
    }
    // Nothing that a report says leads to a tag id: the manifest is chosen by product, edition and version.
    expect(passed).toEqual(['tag-id-other'])
  })

  it('that are bad stand aside for a good one of the same id', async () => {
    const bad = faultyMachine('driver-rim/signature-bit').driverRim.bytes
    const expired = rim({ pki, kind: 'driver', version: driverVersion, wrong: 'signer-expired' }).bytes
    const judgement = await judgeGpu(machine, { collateral: [bad, expired, ...rimsOf(machine)] })
    expect(verdictOf(judgement)).toEqual(ACCEPTED)
  })

  it('are at most 16 for one slot', async () => {
    // White space after the root element is not signed, so one manifest makes many files.
    const copies = (n: number) =>
      Array.from({ length: n }, (_, i) => Uint8Array.of(...machine.driverRim.bytes, ...Array(i).fill(0x0a)))
    const judged = async (n: number) =>
      codesOf(await judgeGpu(machine, { collateral: [...copies(n), machine.vbiosRim.bytes] }))
    expect(await judged(16)).toEqual([])
    expect(await judged(17)).toEqual(['LIMIT_COLLATERAL_COUNT'])
  })

  it('that are all bad are told of by the one that came furthest', async () => {
    const bad = faultyMachine('driver-rim/signature-bit').driverRim.bytes
    const expired = rim({ pki, kind: 'driver', version: driverVersion, wrong: 'signer-expired' }).bytes
    const judgement = await judgeGpu(machine, { collateral: [bad, expired, machine.vbiosRim.bytes] })
    expect(codesOf(judgement)).toEqual(['X509_VALIDITY'])
  })
})

describe('revisions of one manifest', () => {
  const [older, newer] = ['2025-03-01T00:00:00Z', '2026-03-01T00:00:00Z']

  it('are tried until one matches, and that one is recorded', async () => {
    const good = revision('vbios', older, 'same values')
    const other = revision('vbios', newer, 'other values')
    for (const order of [
      [good, other],
      [other, good],
    ]) {
      const judgement = await judgeGpu(machine, { collateral: [machine.driverRim.bytes, ...order] })
      expect(verdictOf(judgement)).toEqual(ACCEPTED)
      expect(compared(judgement).rims[1]?.sha256).toBe(await sha256(good))
    }
  })

  it('prefer the newest of those that match', async () => {
    const [first, second] = [revision('driver', older, 'same values'), revision('driver', newer, 'same values')]
    const judgement = await judgeGpu(machine, { collateral: [first, second, machine.vbiosRim.bytes] })
    expect(compared(judgement).rims[0]?.sha256).toBe(await sha256(second))
  })

  it('are told of by the newest where none matches', async () => {
    const [first, second] = [revision('vbios', older, 'other values'), revision('vbios', newer, 'other values')]
    const judgement = await judgeGpu(machine, { collateral: [machine.driverRim.bytes, first, second] })
    expect([...new Set(codesOf(judgement))]).toEqual(['GPU_MEASUREMENT_MISMATCH'])
    expect(compared(judgement).rims[1]?.sha256).toBe(await sha256(second))
    // One fault for each index that differs, none for those of the driver.
    expect(judgement.faults.length).toBe(compared(judgement).mismatched.length)
    expect(new Set(judgement.faults.map((f) => f.source))).toEqual(new Set(['vbios']))
  })
})

describe('manifests that come with the evidence', () => {
  const offer = (...offered: readonly Uint8Array[]) => judgeGpu(machine, { offered, collateral: [] })

  it('serve as well as those of a folder', async () => {
    expect(verdictOf(await offer(machine.driverRim.bytes, machine.vbiosRim.bytes))).toEqual(ACCEPTED)
    expect(
      verdictOf(await judgeGpu(machine, { offered: [machine.driverRim.bytes], collateral: rimsOf(machine) })),
    ).toEqual(ACCEPTED)
  })

  it.each([
    ['version-other', 'RIM_VERSION_MISMATCH'],
    ['product-other', 'RIM_ID_MISMATCH'],
    ['class-other', 'RIM_ID_MISMATCH'],
    ['signature-bit', 'RIM_SIGNATURE_INVALID'],
  ] as const satisfies readonly (readonly [RimFault, Code])[])(
    'have to fit: %s is %s, whatever the folder has',
    async (wrong, code) => {
      const bad = faultyMachine(`driver-rim/${wrong}`).driverRim.bytes
      const judgement = await judgeGpu(machine, { offered: [bad], collateral: rimsOf(machine) })
      expect(codesOf(judgement)).toEqual([code])
      expect(CODES[code].verdict).toBe('reject')
    },
  )

  it('have to be of this VBIOS', async () => {
    const other = rim({ pki, kind: 'vbios', version: '96.00.74.00.21' }).bytes
    expect(codesOf(await offer(machine.driverRim.bytes, other))).toEqual(['RIM_VERSION_MISMATCH'])
  })

  it('of a GPU are refused for a switch', async () => {
    const board = machineOf(SMALL_BOARD)
    const judgement = await judgeSwitch(board, { offered: [board.vbiosRim.bytes] })
    expect(codesOf(judgement)).toEqual(['RIM_ID_MISMATCH'])
  })

  it('are two at most', async () => {
    const judgement = await offer(machine.driverRim.bytes, machine.vbiosRim.bytes, machine.vbiosRim.bytes)
    expect(codesOf(judgement)).toEqual(['LIMIT_COLLATERAL_COUNT'])
  })
})

describe('a pair of manifests', () => {
  it('may not claim one index twice', async () => {
    const claiming = rim({
      pki,
      kind: 'vbios',
      version: vbiosVersion,
      content: (content) => ({
        ...content,
        resources: content.resources.map((r) => (r.index === '21' ? { ...r, active: 'True' } : r)),
      }),
    }).bytes
    const judgement = await judgeGpu(machine, { collateral: [machine.driverRim.bytes, claiming] })
    expect(codesOf(judgement)).toEqual(['GPU_RIM_CONFLICT'])
  })

  it('has to cover what NVIDIA measures', async () => {
    const lacking = rim({
      pki,
      kind: 'vbios',
      version: vbiosVersion,
      content: (content) => ({
        ...content,
        resources: content.resources.map((r) => (r.index === '9' ? { ...r, active: 'False' } : r)),
      }),
    }).bytes
    const judgement = await judgeGpu(machine, { collateral: [machine.driverRim.bytes, lacking] })
    expect(codesOf(judgement)).toEqual(['GPU_RIM_INDEX_MISSING'])
  })
})
