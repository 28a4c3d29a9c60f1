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
import { cpuItem, DIGEST, gpuItem, HOST_DATA, type Json, NOW, OTHER_DIGEST, platform, snpPolicy, subjectOf, tcb } from './support.ts'

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

/** A member that is left out more often than not, as in policies that people write. */
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 })
const some = <T>(...entries: readonly T[]) => fc.subarray([...entries], { minLength: 1 })
const members = (shape: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(shape).map((r) => Object.fromEntries(Object.entries(r).filter(([, v]) => v !== undefined)))

const snpRule = members({
  platform: fc.constant('amd/snp'),
  products: maybe(some('Genoa', 'Turin', 'Milan')),
  minReportVersion: maybe(fc.integer({ min: 2, max: 5 })),
  signingKeys: maybe(some('vcek', 'vlek')),
  vmpl: maybe(some(0, 1)),
  tcbFloors: maybe(fc.constantFrom({ bulletins: 'all' }, { bulletins: '2025-06-01' }, { bulletins: '2024-01-01' })),
  minTcb: maybe(members({ snp: fc.constantFrom(0, 26, 27, 28), microcode: fc.constantFrom(0, 90, 91) })),
  minLaunchTcb: maybe(members({ snp: fc.constantFrom(26, 27, 28) })),
  minFirmware: maybe(fc.constantFrom('1.55.9', '1.55.40', '1.56.0')),
  minGuestSvn: maybe(fc.constantFrom(0, 1)),
  provisionalFirmware: maybe(fc.constantFrom('refused', 'allowed')),
  maskedChipId: maybe(fc.constantFrom('refused', 'allowed')),
  guestPolicy: maybe(
    members({
      debug: maybe(fc.constantFrom('forbidden', 'allowed')),
      smt: maybe(fc.constantFrom('forbidden', 'allowed')),
      ciphertextHiding: maybe(fc.constantFrom('required', 'any')),
    }),
  ),
  platformInfo: maybe(
    members({
      eccEnabled: maybe(fc.constantFrom('required', 'forbidden', 'any')),
      tsmeEnabled: maybe(fc.constantFrom('required', 'forbidden', 'any')),
      unknownBits: maybe(fc.constantFrom('refused', 'allowed')),
    }),
  ),
  mitigations: maybe(fc.constantFrom({ launch: '0000000000000001' }, { current: '0000000000000008' }, { launch: '0000000000000004' })),
  measurements: maybe(some(DIGEST, OTHER_DIGEST)),
  hostData: maybe(some(HOST_DATA, 'd4'.repeat(32))),
  revocation: maybe(fc.constantFrom('required', 'none')),
})

const gpuRule = members({
  count: fc.constantFrom('lease', 1, 2),
  models: fc.constantFrom('any', ['H100'], ['H100', 'H200']),
  modes: maybe(fc.constantFrom('any', ['SPT'], ['SPT', 'PPCIE'])),
  minDriver: maybe(fc.constantFrom('535', '550.90.07', '580')),
  denyDrivers: maybe(fc.constantFrom('none', ['550.54.14'], ['550.90.07'])),
  rim: maybe(fc.constantFrom('required', 'none')),
  revocation: maybe(fc.constantFrom('required', 'stapled', 'none')),
  binding: fc.constantFrom('shared-nonce', 'measured-guest'),
  devtools: fc.constantFrom('not-proved', 'excluded'),
})

const documents = () =>
  members({
    version: fc.constant(1),
    name: fc.constantFrom('a', 'b'),
    profile: maybe(fc.constantFrom('production', 'development')),
    require: members({
      level: fc.integer({ min: 1, max: 4 }),
      cpu: fc.record({ any: fc.array(snpRule, { minLength: 1, maxLength: 3 }) }),
      gpu: maybe(fc.oneof(fc.constantFrom('none', 'any'), gpuRule)),
      physical: maybe(fc.oneof(fc.constant('any'), some('audited', 'hyperscaler'))),
      lease: maybe(fc.constantFrom('required', 'if-given')),
      leaseBinding: maybe(fc.constantFrom('host-data', 'none')),
    }),
    freshness: fc.constantFrom({ maxAgeSeconds: 60 }, { maxAgeSeconds: 120 }),
    collateral: maybe(fc.constantFrom({ maxAgeSeconds: 3600 }, { maxAgeSeconds: 86_400 }, { maxAgeSeconds: 'any' })),
    referenceValues: maybe(fc.constantFrom('none', 'team', 'other', 'both')),
    acceptRisks: maybe(fc.oneof(fc.constant('none'), some('plain-nvlink', 'milan-seed-extraction', 'open-quote-oracle'))),
    onInconclusive: maybe(fc.constantFrom('deny', 'retry')),
  })

/** The keys are made when the tests run, so documents name them by word. */
function policyFrom(document: Json): Policy | undefined {
  const keys = { team: [team.key], other: [other.key], both: [team.key, other.key] }
  const word = document.referenceValues as keyof typeof keys | 'none' | undefined
  const rule = word === undefined || word === 'none' ? {} : { referenceValues: { signers: keys[word] } }
  const outcome = parsePolicy(JSON.stringify({ ...document, referenceValues: undefined, ...rule }))
  return outcome.ok ? outcome.value : undefined
}

/** Evidence near to what policies ask for, so that accepts are frequent. */
const snpChange: fc.Arbitrary<Partial<SnpClaims>> = fc.constantFrom<Partial<SnpClaims>[]>(
  {},
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
  {},
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
    gpus: fc.array(gpuChange, { maxLength: 2 }),
    answered: fc.constantFrom(true, true, true, false),
    lease: fc.constantFrom<(AppraisalSubject['lease'])[]>(
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
    const collateral = [{ kind: 'x509-crl', digest: 'ab'.repeat(32), issuedAt: NOW - age, validUntil: NOW + 1 } as const]
    return { items, change: { lease, physical, collateral }, vouched }
  })

/** What appraisal alone decides, and what the decision compares with it. */
function accepts(policy: Policy, subject: AppraisalSubject): boolean {
  const { faults, measured, statements } = appraise(policy, subject)
  const level = measured === 'no' ? 2 : measured === 'vouched' && statements.some((s) => s.guarantee === 'workload-pinned') ? 4 : 3
  const { gpu } = policy.require
  const local = statements.some((s) => s.guarantee === 'gpu-local')
  const bound = typeof gpu === 'string' || gpu.binding === 'shared-nonce' || local
  return faults.length === 0 && level >= policy.require.level && bound
}

describe('compose, for any two policies', () => {
  const RUNS = 6000

  it('accepts nothing that either of them refuses', () => {
    let composedPolicies = 0
    let accepted = 0
    fc.assert(
      fc.property(documents(), documents(), fc.array(subjects, { minLength: 6, maxLength: 6 }), (f, t, cases) => {
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
    expect(composedPolicies).toBeGreaterThan(100)
    expect(accepted).toBeGreaterThan(50)
  })

  it('is never looser in what the decision and the release compare', () => {
    fc.assert(
      fc.property(documents(), documents(), (f, t) => {
        const [floor, tenant] = [policyFrom(f), policyFrom(t)]
        if (floor === undefined || tenant === undefined) return
        const composed = compose(floor, tenant)
        if (!composed.ok) return
        for (const policy of [floor, tenant]) {
          expect(composed.value.require.level).toBeGreaterThanOrEqual(policy.require.level)
          expect(composed.value.freshness.maxAgeSeconds).toBeLessThanOrEqual(policy.freshness.maxAgeSeconds)
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
      { numRuns: 2000, seed: 20260603 },
    )
  })
})
