import { beforeAll, describe, expect, it } from 'vitest'
import type { CollateralUse, RevocationReport } from '../../src/attestation/kind.ts'
import { fault } from '../../src/core/outcome.ts'
import { type AppraisalSubject, appraise, type LeaseTerms } from '../../src/policy/index.ts'
import { newSigner, referenceValue, type TestSigner } from './signers.ts'
import {
  codes,
  cpuItem,
  DIGEST,
  documentWith,
  documentWithGpu,
  gpuItem,
  HOST_DATA,
  type Json,
  NOW,
  OTHER_DIGEST,
  policyOf,
  snpPolicy,
  subjectOf,
  unmet,
} from './support.ts'

const AT = 'policy#/require/cpu/any'

describe('CPU evidence', () => {
  it('must be there', () => {
    expect(unmet(documentWithGpu(), subjectOf([gpuItem()]))).toEqual([
      'APPRAISAL_CPU_MISSING set.cpu policy#/require/cpu',
    ])
    expect(appraise(policyOf(documentWith()), subjectOf([]))).toMatchObject({
      measured: 'no',
      statements: [],
      alternative: undefined,
    })
  })

  it('must be of a kind that the policy speaks of', () => {
    const subject = subjectOf([], { presented: [{ id: 'cpu', kind: 'intel/tdx-quote' }] })
    expect(unmet(documentWith(), subject)).toEqual([`POLICY_KIND_NOT_COVERED cpu ${AT}`])
  })

  it('that could not be proved is no missing one: its own finding says why', () => {
    expect(codes(documentWith(), subjectOf([], { presented: [{ id: 'cpu', kind: 'amd/snp-report' }] }))).toEqual([])
  })
})

describe('alternatives', () => {
  const any = (...rules: Json[]) =>
    documentWith({}, {}, { cpu: { any: rules.map((r) => ({ platform: 'amd/snp', ...r })) } })
  const two = any({ products: ['Turin'], minGuestSvn: 5 }, { products: ['Genoa'], vmpl: [1] })

  it('one that is met is enough', () => {
    const appraisal = appraise(policyOf(two), subjectOf([cpuItem({ vmpl: 1 })]))
    expect(appraisal).toMatchObject({ faults: [], alternative: 1 })
  })

  it('the nearest tells all of its faults, and no other does', () => {
    expect(unmet(two, subjectOf([cpuItem()]))).toEqual([`SNP_VMPL_MISMATCH cpu.vmpl ${AT}/1/vmpl`])
    expect(
      unmet(
        two,
        subjectOf([
          cpuItem({ guestSvn: 5, vmpl: 0, product: 'Turin', cpuid: { family: 0x1a, model: 2, stepping: 1 } }),
        ]),
      ),
    ).not.toContain(`SNP_VMPL_MISMATCH cpu.vmpl ${AT}/1/vmpl`)
  })

  it('one that a retry may still meet is nearer than one that cannot be met', () => {
    const waiting = any({ vmpl: [1], revocation: 'none' }, { revocation: 'required' })
    const subject = subjectOf([cpuItem({}, [])])
    expect(unmet(waiting, subject)).toEqual([`CRL_MISSING cpu.revocation.amd ${AT}/1/revocation`])
  })

  it('the first of equally near ones is told, so that the answer does not waver', () => {
    expect(unmet(any({ vmpl: [1] }, { vmpl: [2] }), subjectOf([cpuItem()]))).toEqual([
      `SNP_VMPL_MISMATCH cpu.vmpl ${AT}/0/vmpl`,
    ])
  })

  it('every CPU report must meet it', () => {
    const second = { ...cpuItem(snpPolicy({ debugAllowed: true })), id: 'cpu-1' }
    expect(unmet(documentWith(), subjectOf([cpuItem(), second]))).toEqual([
      `SNP_POLICY_DEBUG_ALLOWED cpu-1.policy.debugAllowed ${AT}/0/guestPolicy/debug`,
    ])
  })
})

describe('revocation of the CPU', () => {
  const report = (status: RevocationReport['status'], ...faults: ReturnType<typeof fault>[]): RevocationReport => ({
    chain: 'amd',
    status,
    stapled: false,
    faults,
  })
  const judged = (document: unknown, reports: RevocationReport[]) => unmet(document, subjectOf([cpuItem({}, reports)]))

  it('RJ-X5-15 must be answered where required', () => {
    expect(judged(documentWith(), [report('good')])).toEqual([])
    expect(judged(documentWith(), [report('notGiven')])).toEqual([`CRL_MISSING cpu.revocation.amd ${AT}/0/revocation`])
    expect(judged(documentWith(), [])).toEqual([`CRL_MISSING cpu.revocation.amd ${AT}/0/revocation`])
    const stale = report('unknown', fault('CRL_STALE', 'crl.nextUpdate'))
    expect(judged(documentWith(), [stale])).toEqual([`CRL_STALE cpu.crl.nextUpdate ${AT}/0/revocation`])
  })

  it('is not looked at where the policy says none', () => {
    expect(judged(documentWith({ revocation: 'none' }), [report('notGiven')])).toEqual([])
  })
})

describe('measurements and reference values', () => {
  let team: TestSigner
  let other: TestSigner
  beforeAll(async () => {
    team = await newSigner('image-team')
    other = await newSigner('other-team')
  })

  const trusting = (members: Json = {}, snp: Json = {}, require: Json = {}) =>
    documentWith(snp, { referenceValues: { signers: [team.key] }, ...members }, require)
  const judge = async (document: unknown, changes: Json[], signer = team, now = NOW) =>
    appraise(
      policyOf(document),
      subjectOf([cpuItem()], {
        now,
        referenceValues: await Promise.all(changes.map((c) => referenceValue(signer, c))),
      }),
    )
  const codesOf = (appraisal: Awaited<ReturnType<typeof judge>>) => appraisal.faults.map(({ fault: f }) => f.code)

  it('a bare digest earns `digest` and no statement', async () => {
    expect(await judge(documentWith({ measurements: [DIGEST] }), [])).toMatchObject({
      faults: [],
      measured: 'digest',
      statements: [],
    })
    expect(await judge(documentWith(), [])).toMatchObject({ faults: [], measured: 'no', statements: [] })
  })

  it('a signed value earns `vouched`, and its guarantees with signer and end', async () => {
    const appraisal = await judge(trusting(), [{}])
    expect(appraisal).toMatchObject({ faults: [], measured: 'vouched', validUntil: 1782864000 })
    expect(appraisal.statements).toEqual([
      {
        guarantee: 'workload-pinned',
        signer: 'image-team',
        referenceValue: 'inference-guest 3.28',
        validUntil: 1782864000,
      },
      { guarantee: 'gpu-local', signer: 'image-team', referenceValue: 'inference-guest 3.28', validUntil: 1782864000 },
    ])
    expect(await judge(trusting(), [{ measurements: [OTHER_DIGEST] }])).toMatchObject({
      measured: 'no',
      statements: [],
    })
  })

  it('RJ-POL-17 a value of another signer says nothing, even with the name of a trusted one', async () => {
    const impostor = await newSigner('image-team')
    for (const signer of [other, impostor]) {
      expect(await judge(trusting(), [{}], signer)).toMatchObject({ measured: 'no', statements: [] })
      expect(codesOf(await judge(trusting({}, {}, { level: 3 }), [{}], signer))).toEqual(['SNP_MEASUREMENT_UNKNOWN'])
    }
    expect(await judge(documentWith(), [{}])).toMatchObject({ measured: 'no', statements: [] })
  })

  it('level 3 without digests rests on signed values alone', async () => {
    const document = trusting({}, {}, { level: 3 })
    expect(codesOf(await judge(document, [{}]))).toEqual([])
    const { faults } = await judge(document, [{ measurements: [OTHER_DIGEST] }])
    expect(faults).toMatchObject([
      {
        item: 'cpu',
        fault: { code: 'SNP_MEASUREMENT_UNKNOWN', path: 'cpu.measurement', source: 'policy#/referenceValues/signers' },
      },
    ])
  })

  it('RJ-POL-16 an expired, an early and a withdrawn value', async () => {
    const document = trusting({}, {}, { level: 3 })
    const end = 1782864000
    const start = 1777593600
    expect(codesOf(await judge(document, [{}], team, end - 1))).toEqual([])
    expect(codesOf(await judge(document, [{}], team, end))).toEqual(['REFERENCE_VALUE_EXPIRED'])
    expect(codesOf(await judge(document, [{}], team, start))).toEqual([])
    expect(codesOf(await judge(document, [{}], team, start - 1))).toEqual(['REFERENCE_VALUE_NOT_YET_VALID'])
    const withdrawal = { measurements: [OTHER_DIGEST], withdrawn: [DIGEST] }
    expect(codesOf(await judge(document, [{}, withdrawal]))).toEqual(['REFERENCE_VALUE_EXPIRED'])
    // A renewed value takes the place of the expired one.
    const renewed = { notBefore: '2026-06-30T00:00:00Z', expires: '2026-12-01T00:00:00Z' }
    expect(codesOf(await judge(document, [{}, renewed], team, end))).toEqual([])
  })

  it('a signer takes back only its own words', async () => {
    const both = documentWith({}, { referenceValues: { signers: [team.key, other.key] } }, { level: 3 })
    const values = [
      await referenceValue(team),
      await referenceValue(other, { measurements: [OTHER_DIGEST], withdrawn: [DIGEST] }),
    ]
    const appraisal = appraise(policyOf(both), subjectOf([cpuItem()], { referenceValues: values }))
    expect(appraisal).toMatchObject({ faults: [], measured: 'vouched' })
  })

  it('an expired value is no fault where nothing rests on it', async () => {
    const appraisal = await judge(trusting({}, { measurements: [DIGEST] }, { level: 3 }), [{}], team, 1782864000)
    expect(appraisal).toMatchObject({ faults: [], measured: 'digest', statements: [] })
    expect(appraisal.validUntil).toBeUndefined()
    expect(
      codesOf(await judge(trusting({}, { measurements: [DIGEST] }, { level: 4 }), [{}], team, 1782864000)),
    ).toEqual(['REFERENCE_VALUE_EXPIRED'])
  })

  it('the digests of the policy stay the only ones, whoever vouches for others', async () => {
    expect(codesOf(await judge(trusting({}, { measurements: [OTHER_DIGEST] }), [{}]))).toEqual([
      'SNP_MEASUREMENT_UNKNOWN',
    ])
  })

  it('devtools mode is excluded by a guarantee and by nothing else', async () => {
    const document = documentWithGpu(
      { devtools: 'excluded', binding: 'measured-guest' },
      { referenceValues: { signers: [team.key] } },
    )
    const judged = async (change: Json) =>
      codes(document, subjectOf([cpuItem(), gpuItem()], { referenceValues: [await referenceValue(team, change)] }))
    expect(await judged({})).toEqual([])
    expect(await judged({ guarantees: ['workload-pinned'] })).toEqual(['GPU_DEVTOOLS_NOT_EXCLUDED'])
    expect(await judged({ measurements: [OTHER_DIGEST] })).toEqual(['GPU_DEVTOOLS_NOT_EXCLUDED'])
    expect(await judged({ expires: '2026-05-02T00:00:00Z' })).toEqual([
      'REFERENCE_VALUE_EXPIRED',
      'GPU_DEVTOOLS_NOT_EXCLUDED',
    ])
  })
})

describe('surroundings', () => {
  const lease = (change: Partial<LeaseTerms> = {}): LeaseTerms => ({
    teeType: 'cpu',
    gpuCount: undefined,
    gpuModel: undefined,
    hostData: HOST_DATA,
    ...change,
  })
  const judged = (require: Json, hostData: string, change: Partial<AppraisalSubject> = {}, members: Json = {}) =>
    unmet(documentWith({}, members, require), subjectOf([cpuItem({ hostData })], change))

  it('RJ-POL-15 a lease binding that the evidence does not have', () => {
    const bound = { leaseBinding: 'host-data' }
    const rule = 'policy#/require/leaseBinding'
    expect(judged(bound, HOST_DATA, { lease: lease() })).toEqual([])
    expect(judged(bound, '00'.repeat(32), { lease: lease() })).toEqual([`POLICY_LEASE_NOT_BOUND cpu.hostData ${rule}`])
    expect(judged(bound, 'd4'.repeat(32), { lease: lease() })).toEqual([`SNP_HOST_DATA_MISMATCH cpu.hostData ${rule}`])
    expect(judged(bound, HOST_DATA)).toEqual([`APPRAISAL_LEASE_MISSING cpu.hostData ${rule}`])
    expect(judged(bound, HOST_DATA, { lease: lease({ hostData: undefined }) })).toEqual([
      `APPRAISAL_LEASE_MISSING cpu.hostData ${rule}`,
    ])
    // Nothing names nothing: a lease of zeros binds no guest of zeros.
    expect(judged(bound, '00'.repeat(32), { lease: lease({ hostData: '00'.repeat(32) }) })).toEqual([
      `POLICY_LEASE_NOT_BOUND cpu.hostData ${rule}`,
    ])
  })

  it('a lease that must be given', () => {
    expect(judged({ lease: 'required' }, HOST_DATA)).toEqual([
      'APPRAISAL_LEASE_MISSING set.lease policy#/require/lease',
    ])
    expect(judged({ lease: 'required' }, HOST_DATA, { lease: lease() })).toEqual([])
  })

  it('RJ-POL-21 the place of the machine', () => {
    const told = ['APPRAISAL_ASSURANCE_TOO_LOW set.physical policy#/require/physical']
    const both = { physical: ['audited', 'hyperscaler'] }
    expect(judged(both, HOST_DATA)).toEqual(told)
    expect(judged(both, HOST_DATA, { physical: 'audited' })).toEqual([])
    expect(judged(both, HOST_DATA, { physical: 'hyperscaler' })).toEqual([])
    expect(judged({ physical: ['hyperscaler'] }, HOST_DATA, { physical: 'audited' })).toEqual(told)
  })

  it('RJ-COL-03 the age of revocation data', () => {
    const use = (kind: CollateralUse['kind'], issuedAt: number | undefined): CollateralUse => ({
      kind,
      digest: 'ab'.repeat(32),
      issuedAt,
      validUntil: NOW + 1,
    })
    const day = { collateral: { maxAgeSeconds: 86_400 } }
    const told = ['COLLATERAL_TOO_OLD set.collateral.abababababababab policy#/collateral/maxAgeSeconds']
    for (const kind of ['x509-crl', 'ocsp-response'] as const) {
      expect(judged({}, HOST_DATA, { collateral: [use(kind, NOW - 86_400)] }, day)).toEqual([])
      expect(judged({}, HOST_DATA, { collateral: [use(kind, NOW - 86_401)] }, day)).toEqual(told)
      expect(judged({}, HOST_DATA, { collateral: [use(kind, undefined)] }, day)).toEqual(told)
      expect(judged({}, HOST_DATA, { collateral: [use(kind, NOW - 86_401)] })).toEqual([])
    }
    expect(
      judged({}, HOST_DATA, { collateral: [use('x509-certificate', 0), use('nvidia-rim', undefined)] }, day),
    ).toEqual([])
  })
})
