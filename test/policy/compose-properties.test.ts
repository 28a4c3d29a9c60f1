import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { GpuClaims, SnpClaims } from '../../src/attestation/claims.ts'
import {
  type AppraisalSubject,
  type AuthenticReferenceValue,
  appraise,
  compose,
  type Policy,
  parsePolicy,
} from '../../src/policy/index.ts'
import { newSigner, referenceValue, type TestSigner } from './signers.ts'
import {
  cpuItem,
  DIGEST,
  gpuItem,
  HOST_DATA,
  type Json,
  NOW,
  OTHER_DIGEST,
  platform,
  snpPolicy,
  subjectOf,
  tcb,
} from './support.ts'

let team: TestSigner
let other: TestSigner
let values: readonly AuthenticReferenceValue[]
beforeAll(async () => {
  team = await newSigner('a-team')
  other = await newSigner('b-team')
  values = [
    await referenceValue(team, { measurements: [DIGEST] }),
    await referenceValue(other, { measurements: [DIGEST, OTHER_DIGEST], guarantees: ['workload-pinned'] }),
    await referenceValue(team, { measurements: [OTHER_DIGEST], expires: '2026-05-02T00:00:00Z' }),
  ]
})

/** Single things that a policy may say of the CPU, beside what it says of itself. */
const SNP_RULES: readonly Json[] = [
  { products: ['Genoa'] },
  { products: ['Turin'] },
  { products: ['Genoa', 'Milan', 'Turin'] },
  { minReportVersion: 2 },
  { minReportVersion: 5 },
  { signingKeys: ['vcek', 'vlek'] },
  { vmpl: [0, 1] },
  { vmpl: [1] },
  { tcbFloors: { bulletins: '2025-06-01' } },
  { minTcb: { snp: 26 } },
  { minTcb: { snp: 27, microcode: 90 } },
  { minTcb: { snp: 28 } },
  { minLaunchTcb: { snp: 27 } },
  { minFirmware: '1.55.9' },
  { minFirmware: '1.55.40' },
  { minGuestSvn: 1 },
  { provisionalFirmware: 'allowed' },
  { maskedChipId: 'allowed' },
  { guestPolicy: { debug: 'allowed' } },
  { guestPolicy: { smt: 'forbidden' } },
  { guestPolicy: { ciphertextHiding: 'required' } },
  { platformInfo: { eccEnabled: 'required' } },
  { platformInfo: { eccEnabled: 'forbidden' } },
  { platformInfo: { tsmeEnabled: 'required' } },
  { platformInfo: { unknownBits: 'allowed' } },
  { mitigations: { launch: '0000000000000001' } },
  { mitigations: { launch: '0000000000000004', current: '0000000000000008' } },
  { measurements: [DIGEST] },
  { measurements: [OTHER_DIGEST, DIGEST] },
  { hostData: [HOST_DATA] },
  { revocation: 'none' },
]

const GPU_RULES: readonly Json[] = [
  { count: 1 },
  { count: 8 },
  { models: ['H100'] },
  { models: ['H100', 'H200'] },
  { modes: ['SPT'] },
  { modes: ['SPT', 'PPCIE'] },
  { minDriver: '535' },
  { minDriver: '550.90.07' },
  { denyDrivers: ['550.90.07'] },
  { denyDrivers: ['580.65.06'] },
  { rim: 'none' },
  { revocation: 'stapled' },
  { revocation: 'none' },
  { binding: 'measured-guest' },
  { devtools: 'excluded', binding: 'measured-guest' },
]

const REQUIREMENTS: readonly Json[] = [
  { level: 1 },
  { level: 2 },
  { level: 3 },
  { level: 4 },
  { physical: ['audited'] },
  { physical: ['audited', 'hyperscaler'] },
  { lease: 'required' },
  { lease: 'required-with-gpu-count' },
  { leaseBinding: 'host-data' },
]

const MEMBERS: readonly Json[] = [
  { profile: 'development' },
  { freshness: { maxAgeSeconds: 60 } },
  { collateral: { maxAgeSeconds: 3600 } },
  { collateral: { maxAgeSeconds: 86_400 } },
  { referenceValues: 'team' },
  { referenceValues: 'other' },
  { referenceValues: 'both' },
  { acceptRisks: ['plain-nvlink'] },
  { acceptRisks: ['milan-seed-extraction'] },
  { acceptRisks: ['milan-seed-extraction', 'plain-nvlink'] },
  { keyRelease: {} },
  { keyRelease: { ttlSeconds: 60 } },
  { onInconclusive: 'retry' },
]

const merged = (parts: readonly Json[]): Json => Object.assign({}, ...parts)
const few = (parts: readonly Json[], maxLength: number) =>
  fc.array(fc.constantFrom(...parts), { maxLength }).map(merged)

/** A complete policy that says a few things more: two of them often compose. */
const documents = () =>
  fc
    .record({
      alternatives: fc.array(few(SNP_RULES, 2), { minLength: 1, maxLength: 2 }),
      gpu: fc.oneof(fc.constantFrom('any', 'any', 'none'), few(GPU_RULES, 2)),
      require: few(REQUIREMENTS, 1),
      members: few(MEMBERS, 2),
    })
    .map(({ alternatives, gpu, require, members }) => ({
      version: 1,
      name: 'p',
      freshness: { maxAgeSeconds: 120 },
      ...members,
      require: {
        level: 1,
        cpu: { any: alternatives.map((rule) => ({ platform: 'amd/snp', ...rule })) },
        gpu:
          typeof gpu === 'string'
            ? gpu
            : { count: 'lease', models: 'any', binding: 'shared-nonce', devtools: 'not-proved', ...gpu },
        ...require,
      },
    }))

/** A floor, and a tenant who has read it about as often as not. */
const pairs = () =>
  fc.tuple(documents(), documents(), few(SNP_RULES, 1), fc.boolean()).map(([floor, stranger, more, hasRead]) => {
    if (!hasRead) return [floor, stranger] as const
    const any = floor.require.cpu.any.map((rule) => ({ ...rule, ...more }))
    return [floor, { ...floor, require: { ...floor.require, cpu: { any } } }] as const
  })

/** The keys are made when the tests run, so documents name them by word. */
function policyFrom(document: Json & { referenceValues?: unknown }): Policy | undefined {
  const keys = { team: [team.key], other: [other.key], both: [team.key, other.key] }
  const word = document.referenceValues as keyof typeof keys | 'none' | undefined
  const rule = word === undefined || word === 'none' ? {} : { referenceValues: { signers: keys[word] } }
  const outcome = parsePolicy(JSON.stringify({ ...document, referenceValues: undefined, ...rule }))
  return outcome.ok ? outcome.value : undefined
}

/** Evidence near to what policies ask for, so that accepts are frequent. */
const snpChange: fc.Arbitrary<Partial<SnpClaims>> = fc.constantFrom<Partial<SnpClaims>[]>(
  ...Array.from({ length: 20 }, () => ({})),
  { hostData: HOST_DATA },
  { measurement: OTHER_DIGEST },
  { reportVersion: 4 },
  { vmpl: 1 },
  { guestSvn: 1 },
  { chipId: undefined },
  { signingKey: 'vlek', cspId: 'CN=x' },
  { product: 'Milan', cpuid: { family: 0x19, model: 1, stepping: 1 }, reportedTcb: tcb({ microcode: 0xdb }) },
  { product: 'Turin', cpuid: { family: 0x1a, model: 2, stepping: 1 }, reportedTcb: tcb({ fmc: 1 }) },
  { reportedTcb: tcb({ snp: 26 }) },
  { launchTcb: tcb({ snp: 26 }) },
  { committedTcb: tcb({ snp: 26 }) },
  { launchMitVector: '000000000000000f', currentMitVector: '000000000000000f' },
  snpPolicy({ debugAllowed: true }),
  { ...snpPolicy({ smtAllowed: false }), ...platform({ smtEnabled: false }) },
  snpPolicy({ ciphertextHidingRequired: true }),
  platform({ tsmeEnabled: true }),
  platform({ eccEnabled: false }),
  platform({ unknownBits: '100' }),
)
const gpuChange: fc.Arbitrary<Partial<GpuClaims>> = fc.constantFrom<Partial<GpuClaims>[]>(
  ...Array.from({ length: 8 }, () => ({})),
  { model: 'H200' },
  { model: undefined },
  { featureFlag: 'PPCIE', protectedPcie: true },
  { featureFlag: undefined, protectedPcie: undefined },
  { driverVersion: '580.65.06' },
  { driverVersion: '535.86.09' },
  { measurements: { status: 'unavailable', missing: ['x'] } },
)
const subjects = fc
  .record({
    cpu: fc.tuple(snpChange, snpChange),
    gpus: fc.oneof(fc.tuple(gpuChange), fc.array(gpuChange, { maxLength: 2 })),
    answered: fc.constantFrom(true, true, true, true, false),
    lease: fc.constantFrom<AppraisalSubject['lease'][]>(
      { teeType: 'cpu-gpu', gpuCount: 1, gpuModel: undefined, hostData: HOST_DATA },
      { teeType: 'cpu-gpu', gpuCount: 1, gpuModel: 'H100', hostData: undefined },
      { teeType: 'cpu-gpu', gpuCount: undefined, gpuModel: 'H100', hostData: HOST_DATA },
      null,
      { teeType: 'cpu', gpuCount: undefined, gpuModel: undefined, hostData: HOST_DATA },
      { teeType: 'cpu-gpu', gpuCount: 1, gpuModel: 'H100', hostData: HOST_DATA },
      { teeType: 'cpu-gpu', gpuCount: 2, gpuModel: undefined, hostData: undefined },
    ),
    physical: fc.constantFrom<AppraisalSubject['physical'][]>('unknown', 'audited', 'hyperscaler'),
    age: fc.constantFrom(60, 7200, 100_000),
    vouched: fc.boolean(),
  })
  .map(({ cpu: [a, b], gpus, answered, lease, physical, age, vouched }) => {
    const items = [
      answered ? cpuItem({ ...a, ...b }) : cpuItem({ ...a, ...b }, []),
      ...gpus.map((change, i) => (answered ? gpuItem(change, i) : gpuItem(change, i, []))),
    ]
    const collateral = [
      { kind: 'x509-crl', digest: 'ab'.repeat(32), issuedAt: NOW - age, validUntil: NOW + 1 } as const,
    ]
    return { items, change: { lease, physical, collateral }, vouched }
  })

/** What appraisal alone decides, and what the decision compares with it. */
function accepts(policy: Policy, subject: AppraisalSubject): boolean {
  const { faults, measured, statements } = appraise(policy, subject)
  const level =
    measured === 'no' ? 2 : measured === 'vouched' && statements.some((s) => s.guarantee === 'workload-pinned') ? 4 : 3
  const { gpu } = policy.require
  const local = statements.some((s) => s.guarantee === 'gpu-local')
  const bound = typeof gpu === 'string' || gpu.binding === 'shared-nonce' || local
  return faults.length === 0 && level >= policy.require.level && bound
}

describe('compose, for any two policies', () => {
  const RUNS = 2500

  it('accepts nothing that either of them refuses', () => {
    let composedPolicies = 0
    let accepted = 0
    fc.assert(
      fc.property(pairs(), fc.array(subjects, { minLength: 4, maxLength: 4 }), ([f, t], cases) => {
        const [floor, tenant] = [policyFrom(f), policyFrom(t)]
        if (floor === undefined || tenant === undefined) return
        const composed = compose(floor, tenant)
        if (!composed.ok) return
        composedPolicies++
        for (const { items, change, vouched } of cases) {
          const subject = subjectOf(items, { ...change, referenceValues: vouched ? values : [] })
          if (!accepts(composed.value, subject)) continue
          accepted++
          expect(accepts(floor, subject)).toBe(true)
          expect(accepts(tenant, subject)).toBe(true)
        }
      }),
      { numRuns: RUNS, seed: 20260601 },
    )
    // The property says something only if policies compose and evidence passes.
    expect(composedPolicies).toBeGreaterThan(500)
    expect(accepted).toBeGreaterThan(200)
  })

  it('is never looser in what the decision and the release compare', () => {
    fc.assert(
      fc.property(pairs(), ([f, t]) => {
        const [floor, tenant] = [policyFrom(f), policyFrom(t)]
        if (floor === undefined || tenant === undefined) return
        const composed = compose(floor, tenant)
        if (!composed.ok) return
        for (const policy of [floor, tenant]) {
          expect(composed.value.require.level).toBeGreaterThanOrEqual(policy.require.level)
          expect(composed.value.freshness.maxAgeSeconds).toBeLessThanOrEqual(policy.freshness.maxAgeSeconds)
          // The decision demands closed quoting of whoever may be given keys.
          expect(policy.keyRelease !== 'none' && composed.value.keyRelease === 'none').toBe(false)
          expect(policy.onInconclusive === 'deny' && composed.value.onInconclusive === 'retry').toBe(false)
          for (const risk of composed.value.acceptRisks === 'none' ? [] : composed.value.acceptRisks) {
            expect(policy.acceptRisks).toContain(risk)
          }
        }
      }),
      { numRuns: RUNS, seed: 20260602 },
    )
  })

  it('composes a policy with itself into its own rules', () => {
    fc.assert(
      fc.property(documents(), (document) => {
        const policy = policyFrom(document)
        if (policy === undefined) return
        const composed = compose(policy, policy)
        expect(composed.ok).toBe(true)
        if (!composed.ok || policy.require.cpu.any.length > 1) return
        expect(composed.value).toEqual({ ...policy, name: composed.value.name })
      }),
      { numRuns: 1000, seed: 20260603 },
    )
  })
})
