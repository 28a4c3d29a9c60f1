import { describe, expect, it } from 'vitest'
import type { Code } from '../../../src/core/codes.ts'
import { parseRfc3339 } from '../../../src/core/time.ts'
import {
  createNvidiaTestPki,
  hoursAfter,
  NVIDIA_TEST_TIME,
  type NvidiaFault,
  type OcspSpec,
} from '../../../src/testing/nvidia/index.ts'
import {
  ACCEPTED,
  codesOf,
  faultyMachine,
  judgeGpu,
  last,
  machineOf,
  ocspOf,
  refusedWith,
  rimsOf,
  verdictOf,
} from './support.ts'

const statusOf = async (wrong: NvidiaFault, chain: 'nvidia-device' | 'nvidia-rim') => {
  const judgement = await judgeGpu(faultyMachine(wrong))
  const reports = judgement.revocation.filter((r) => r.chain === chain)
  return {
    codes: codesOf(judgement),
    statuses: [...new Set(reports.map((r) => r.status))],
    why: [...new Set(reports.flatMap((r) => r.faults.map((f) => f.code)))],
  }
}

const DEVICE_UNKNOWN: readonly (readonly [NvidiaFault, Code])[] = [
  ['ocsp-missing', 'GPU_OCSP_UNAVAILABLE'],
  ['ocsp-identity/stale', 'GPU_OCSP_UNAVAILABLE'],
  ['ocsp-identity/future', 'GPU_OCSP_UNAVAILABLE'],
  ['ocsp-identity/no-next-update', 'GPU_OCSP_UNAVAILABLE'],
  ['ocsp-identity/try-later', 'GPU_OCSP_UNAVAILABLE'],
  ['ocsp-identity/certid-sibling', 'GPU_OCSP_UNAVAILABLE'],
  ['ocsp-identity/certid-issuer', 'GPU_OCSP_UNAVAILABLE'],
  ['ocsp-unknown', 'OCSP_INVALID'],
  ['ocsp-identity/responder-without-purpose', 'OCSP_INVALID'],
  ['ocsp-identity/responder-expired', 'OCSP_INVALID'],
  ['ocsp-identity/responder-above', 'OCSP_INVALID'],
  ['ocsp-identity/responder-stranger', 'OCSP_INVALID'],
  ['ocsp-identity/responder-self-made', 'OCSP_INVALID'],
]

const RIM_UNKNOWN: readonly (readonly [NvidiaFault, Code])[] = [
  ['ocsp-rim-missing', 'OCSP_MISSING'],
  ['ocsp-rim-signer/stale', 'OCSP_STALE'],
  ['ocsp-rim-signer/responder-without-purpose', 'OCSP_INVALID'],
]

describe('revocation of the device chain', () => {
  it.each(['ocsp-revoked', 'ocsp-hold', 'ocsp-provisioner-revoked', 'ocsp-architecture-revoked'] as const)(
    'refuses %s',
    async (wrong) => {
      expect(verdictOf(await judgeGpu(faultyMachine(wrong)))).toEqual(refusedWith('GPU_CERT_REVOKED'))
    },
  )

  it.each(DEVICE_UNKNOWN)('is unknown after %s: %s', async (wrong, code) => {
    expect(await statusOf(wrong, 'nvidia-device')).toEqual({ codes: [], statuses: ['unknown'], why: [code] })
  })

  it('refuses a forged answer', async () => {
    expect(verdictOf(await judgeGpu(faultyMachine('ocsp-identity/signature')))).toEqual(
      refusedWith('OCSP_SIGNATURE_INVALID'),
    )
  })

  it('was not given where no answer is about this chain', async () => {
    const machine = machineOf()
    const judgement = await judgeGpu(machine, { collateral: rimsOf(machine) })
    expect(verdictOf(judgement)).toEqual(ACCEPTED)
    expect(judgement.revocation.map((r) => [r.status, r.faults])).toEqual([
      ['notGiven', []],
      ['notGiven', []],
      ['notGiven', []],
    ])
    expect(judgement.notChecked.map((n) => n.what)).not.toContain('nonces of the NVIDIA OCSP answers')
  })

  it('names the answers that it rests on, with their dates', async () => {
    const judgement = await judgeGpu(machineOf())
    const used = judgement.collateral.filter((c) => c.kind === 'ocsp-response')
    // Three of the device, three of the chain that both manifests share.
    expect(new Set(used.map((u) => u.digest)).size).toBe(6)
    for (const { issuedAt, validUntil } of used) expect((issuedAt ?? 0) < validUntil).toBe(true)
    expect(judgement.notChecked.map((n) => n.what)).toContain('nonces of the NVIDIA OCSP answers')
  })
})

describe('several answers about one certificate', () => {
  const machine = machineOf()
  const { identity } = last(machine.gpus).device.certificates
  const pki = createNvidiaTestPki('nvidia')
  const answer = (spec: Partial<OcspSpec>) => pki.ocsp({ certificate: identity, ...spec })
  const judgeWith = (...more: readonly Uint8Array[]) =>
    judgeGpu(machine, { collateral: [...more, ...rimsOf(machine), ...ocspOf(machine)] })
  const revoked = (reason: 'keyCompromise' | 'certificateHold') =>
    ({ status: { revoked: { date: '2026-01-15T00:00:00Z', reason } } }) as const

  it('takes the current good one beside stale and forged ones', async () => {
    const judgement = await judgeWith(
      answer({ wrong: 'stale' }),
      answer({ wrong: 'signature' }),
      answer({ wrong: 'responder-stranger' }),
    )
    expect(verdictOf(judgement)).toEqual(ACCEPTED)
    expect(judgement.revocation[0]?.status).toBe('good')
  })

  it('believes a revocation whatever else is said', async () => {
    expect(codesOf(await judgeWith(answer(revoked('keyCompromise'))))).toEqual(['GPU_CERT_REVOKED'])
    expect(codesOf(await judgeWith(answer(revoked('certificateHold'))))).toEqual(['GPU_CERT_REVOKED'])
  })

  it('believes an old revocation still, and an old hold no more', async () => {
    const at = hoursAfter(NVIDIA_TEST_TIME, -72)
    expect(codesOf(await judgeWith(answer({ at, ...revoked('keyCompromise') })))).toEqual(['GPU_CERT_REVOKED'])
    expect(verdictOf(await judgeWith(answer({ at, ...revoked('certificateHold') })))).toEqual(ACCEPTED)
  })

  it('does not judge by what is known only later', async () => {
    const at = hoursAfter(NVIDIA_TEST_TIME, 72)
    expect(verdictOf(await judgeWith(answer({ at, ...revoked('keyCompromise') })))).toEqual(ACCEPTED)
  })

  it('takes the newest of the current ones, in whatever order they lie', async () => {
    const [older, newer] = [-6, -1].map((h) => hoursAfter(NVIDIA_TEST_TIME, h))
    const others = machine.ocspResponses.filter((r) => r.of !== 'gpu-0/identity').map((r) => r.der)
    const inBothOrders = (...two: readonly Uint8Array[]) =>
      Promise.all(
        [two, [...two].reverse()].map(async (answers) => {
          const judgement = await judgeGpu(machine, { collateral: [...answers, ...rimsOf(machine), ...others] })
          return { report: judgement.revocation[0], used: judgement.collateral }
        }),
      )
    const good = (at = newer) => answer(at === undefined ? {} : { at })
    const unknown = (at = newer) => answer(at === undefined ? { status: 'unknown' } : { at, status: 'unknown' })
    const statuses = async (...two: readonly Uint8Array[]) => (await inBothOrders(...two)).map((j) => j.report?.status)
    expect(await statuses(unknown(older), good(newer))).toEqual(['good', 'good'])
    expect(await statuses(good(older), unknown(newer))).toEqual(['unknown', 'unknown'])
    expect(await statuses(good(newer), unknown(newer))).toEqual(['unknown', 'unknown'])
    const [first, second] = await inBothOrders(good(older), good(newer))
    expect(first).toEqual(second)
    expect(first?.used).toContainEqual(expect.objectContaining({ issuedAt: parseRfc3339(newer ?? '') }))
    expect(first?.used).not.toContainEqual(expect.objectContaining({ issuedAt: parseRfc3339(older ?? '') }))
  })

  it('does not mind a nonce that nobody of ours asked with', async () => {
    const others = machine.ocspResponses.filter((r) => r.of !== 'gpu-0/identity').map((r) => r.der)
    const withNonce = answer({ nonce: new Uint8Array(32).fill(7) })
    const judgement = await judgeGpu(machine, { collateral: [...rimsOf(machine), ...others, withNonce] })
    expect(judgement.revocation[0]).toEqual({ chain: 'nvidia-device', status: 'good', stapled: false, faults: [] })
  })

  it('takes every hash that responders use, and the issuer’s own signature', async () => {
    for (const hash of ['sha1', 'sha256', 'sha384'] as const) {
      for (const direct of [true, false]) {
        const others = machine.ocspResponses.filter((r) => r.of !== 'gpu-0/identity').map((r) => r.der)
        const judgement = await judgeGpu(machine, {
          collateral: [...rimsOf(machine), ...others, answer({ hash, direct })],
        })
        expect(judgement.revocation[0]?.status, `${hash} ${direct}`).toBe('good')
      }
    }
  })
})

describe('revocation of the manifest chains', () => {
  it.each(['ocsp-rim-signer-revoked', 'ocsp-rim-signer-hold', 'ocsp-rim-issuer-revoked'] as const)(
    'refuses %s',
    async (wrong) => {
      const judgement = await judgeGpu(faultyMachine(wrong))
      expect([...new Set(codesOf(judgement))]).toEqual(['RIM_SIGNER_UNTRUSTED'])
      expect(judgement.claims).toBeDefined()
    },
  )

  it.each(RIM_UNKNOWN)('is unknown after %s: %s', async (wrong, code) => {
    expect(await statusOf(wrong, 'nvidia-rim')).toEqual({ codes: [], statuses: ['unknown'], why: [code] })
  })

  it('refuses a forged answer', async () => {
    expect([...new Set(codesOf(await judgeGpu(faultyMachine('ocsp-rim-signer/signature'))))]).toEqual([
      'OCSP_SIGNATURE_INVALID',
    ])
  })
})
