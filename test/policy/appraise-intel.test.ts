import { describe, expect, it } from 'vitest'
import type { DcapTcbClaims, SgxClaims, TdAttributes, TdxClaims } from '../../src/attestation/claims.ts'
import { appraise } from '../../src/policy/index.ts'
import {
  FMSPC,
  MEASURED,
  MR_ENCLAVE,
  MR_SIGNER,
  PLATFORM_INSTANCE_ID,
  PPID,
  pckClaims,
  sgxItem,
  tcbClaims,
  tdxClaims,
  tdxItem,
} from './intel-claims.ts'
import {
  codes,
  cpuItem,
  documentWith,
  type Json,
  MINIMAL,
  parsed,
  policyOf,
  SIGNER,
  subjectOf,
  told,
  unmet,
} from './support.ts'

const AT = 'policy#/require/cpu/any/0'
const OTHER = '77'.repeat(48)

const alternatives = (any: readonly Json[], require: Json = {}, members: Json = {}): Json => ({
  ...MINIMAL,
  require: { ...MINIMAL.require, cpu: { any }, ...require },
  ...members,
})
const tdx = (rule: Json = {}, require: Json = {}, members: Json = {}) =>
  alternatives([{ platform: 'intel/tdx', ...rule }], require, members)
const sgx = (rule: Json = {}, require: Json = {}, members: Json = {}) =>
  alternatives([{ platform: 'intel/sgx', ...rule }], require, members)

/** What is reported of a quote that differs from the good one in one thing, beside its accepted twin. */
function judgedTdx(rule: Json, bad: Partial<TdxClaims>, expected: string[], good: Partial<TdxClaims> = {}) {
  expect(unmet(tdx(rule), subjectOf([tdxItem(good)]))).toEqual([])
  expect(unmet(tdx(rule), subjectOf([tdxItem(bad)]))).toEqual(expected)
}
function judgedSgx(rule: Json, bad: Partial<SgxClaims>, expected: string[], good: Partial<SgxClaims> = {}) {
  expect(unmet(sgx(rule), subjectOf([sgxItem(good)]))).toEqual([])
  expect(unmet(sgx(rule), subjectOf([sgxItem(bad)]))).toEqual(expected)
}

const bits = (change: Partial<TdAttributes>) => ({ tdAttributes: { ...tdxClaims().tdAttributes, ...change } })
const level = (status: DcapTcbClaims['status']) => ({ status, tcbDate: '2024-03-13T00:00:00Z', advisoryIds: [] })
const tcb = (change: Partial<DcapTcbClaims>) => ({ tcb: tcbClaims(change) })
const sgxTcb = (change: Partial<DcapTcbClaims>) => ({ tcb: tcbClaims({ module: undefined, ...change }) })

describe('TDX, by default', () => {
  it('takes a TD in good order', () => expect(codes(tdx(), subjectOf([tdxItem()]))).toEqual([]))

  it.each([
    [{ debug: true }, 'debug', 'TDX_DEBUG'],
    [{ migratable: true }, 'migratable', 'TDX_ATTRIBUTE_FORBIDDEN'],
    [{ perfmon: true }, 'perfmon', 'TDX_ATTRIBUTE_FORBIDDEN'],
    [{ septVeDisable: false }, 'septVeDisable', 'TDX_SEPT_VE_ENABLED'],
    [{ unknownBits: '0000000000000100' }, 'unknownBits', 'TDX_ATTRIBUTE_RESERVED_BIT'],
  ] as const)('refuses %j', (change, name, code) => {
    judgedTdx({}, bits(change), [`${code} cpu.tdAttributes.${name} ${AT}/tdAttributes/${name}`])
  })

  it('has a knob for each of them, and none for debugging in production', () => {
    const azure = tdx({ tdAttributes: { septVeDisable: 'any' } })
    expect(codes(azure, subjectOf([tdxItem(bits({ septVeDisable: false }))]))).toEqual([])
    const open = { perfmon: 'allowed', migratable: 'allowed' }
    expect(codes(tdx({ tdAttributes: open }), subjectOf([tdxItem(bits({ perfmon: true, migratable: true }))]))).toEqual(
      [],
    )
    const unknown = tdx({ tdAttributes: { unknownBits: 'allowed' } })
    expect(told(parsed(unknown))).toEqual([
      'POLICY_ACKNOWLEDGEMENT_MISSING /require/cpu/any/0/tdAttributes/unknownBits',
    ])
    const development = { ...unknown, profile: 'development' }
    expect(codes(development, subjectOf([tdxItem(bits({ unknownBits: '0000000000000100' }))]))).toEqual([])
    expect(told(parsed(tdx({ tdAttributes: { debug: 'allowed' } })))).toEqual([
      'POLICY_ACKNOWLEDGEMENT_MISSING /require/cpu/any/0/tdAttributes/debug',
    ])
  })

  it('takes a service TD that it names, and no other', () => {
    const bound = { mrServiceTd: OTHER }
    judgedTdx({}, bound, [`TDX_SERVICE_TD_NOT_ALLOWED cpu.mrServiceTd ${AT}/serviceTds`])
    judgedTdx({ serviceTds: ['78'.repeat(48)] }, bound, [`TDX_SERVICE_TD_NOT_ALLOWED cpu.mrServiceTd ${AT}/serviceTds`])
    expect(codes(tdx({ serviceTds: [OTHER] }), subjectOf([tdxItem(bound)]))).toEqual([])
  })

  it('wants current revocation lists', () => {
    const missing = [{ chain: 'intel-pck', status: 'notGiven', stapled: false, faults: [] }] as const
    expect(codes(tdx(), subjectOf([tdxItem({}, missing)]))).toEqual(['CRL_MISSING'])
    expect(codes(tdx(), subjectOf([tdxItem({}, [])]))).toEqual(['CRL_MISSING'])
    expect(codes(tdx({ revocation: 'none' }), subjectOf([tdxItem({}, missing)]))).toEqual([])
    const stapled = [{ chain: 'intel-pck', status: 'good', stapled: true, faults: [] }] as const
    expect(codes(tdx(), subjectOf([tdxItem({}, stapled)]))).toEqual(['CRL_MISSING'])
    expect(codes(tdx({ revocation: 'stapled' }), subjectOf([tdxItem({}, stapled)]))).toEqual([])
    expect(codes(tdx({ revocation: 'stapled' }), subjectOf([tdxItem({}, missing)]))).toEqual(['CRL_MISSING'])
  })
})

describe("Intel's TCB status", () => {
  it('tells platform, module and quoting enclave apart, with what raises them', () => {
    const deficit = { component: 'tdxModule.isvsvn', actual: 4, required: 6, raisedBy: 'TDX module' }
    const policy = tdx()
    const found = appraise(
      policyOf(policy),
      subjectOf([tdxItem(tcb({ status: 'OutOfDate', module: level('OutOfDate'), deficits: [deficit] }))]),
    ).faults
    expect(found).toMatchObject([
      {
        fault: {
          code: 'TDX_MODULE_OUT_OF_DATE',
          path: 'cpu.tcb.module.status',
          actual: 'OutOfDate of 2024-03-13T00:00:00Z: tdxModule.isvsvn 4, needs 6 (TDX module)',
        },
      },
    ])
    const all = { platform: level('OutOfDate'), module: level('OutOfDate'), qe: level('OutOfDate') }
    expect(codes(policy, subjectOf([tdxItem(tcb({ status: 'OutOfDate', ...all }))]))).toEqual([
      'TDX_TCB_OUT_OF_DATE',
      'TDX_MODULE_OUT_OF_DATE',
      'TDX_QE_TCB_OUT_OF_DATE',
    ])
    const noModule = { platform: level('OutOfDate'), qe: level('OutOfDate') }
    expect(codes(sgx(), subjectOf([sgxItem(sgxTcb({ status: 'OutOfDate', ...noModule }))]))).toEqual([
      'SGX_TCB_OUT_OF_DATE',
      'SGX_QE_TCB_OUT_OF_DATE',
    ])
  })

  it('takes the statuses that the policy lists, and Revoked never', () => {
    const hardening = tcb({ status: 'SWHardeningNeeded', platform: level('SWHardeningNeeded') })
    judgedTdx({}, hardening, [`TDX_TCB_STATUS_NOT_ALLOWED cpu.tcb.status ${AT}/tcbStatus`])
    const listed = { tcbStatus: ['UpToDate', 'SWHardeningNeeded'] }
    expect(codes(tdx(listed), subjectOf([tdxItem(hardening)]))).toEqual([])
    judgedSgx({}, sgxTcb({ status: 'ConfigurationNeeded' }), [
      `SGX_TCB_STATUS_NOT_ALLOWED cpu.tcb.status ${AT}/tcbStatus`,
    ])
    expect(told(parsed(tdx({ tcbStatus: ['UpToDate', 'Revoked'] })))).toEqual([
      'POLICY_VALUE_INVALID /require/cpu/any/0/tcbStatus/1',
    ])
    expect(codes(tdx(listed), subjectOf([tdxItem(tcb({ status: 'Revoked' }))]))).toEqual(['TDX_TCB_STATUS_NOT_ALLOWED'])
  })

  it('denies and allows advisories', () => {
    const carrying = { advisoryIds: ['INTEL-SA-00615', 'INTEL-SA-00837'] }
    judgedTdx({ denyAdvisories: ['INTEL-SA-00837'] }, tcb(carrying), [
      `TDX_ADVISORY_PRESENT cpu.tcb.advisoryIds ${AT}/denyAdvisories`,
    ])
    judgedTdx({ advisories: ['INTEL-SA-00615'] }, tcb(carrying), [
      `TDX_ADVISORY_PRESENT cpu.tcb.advisoryIds ${AT}/advisories`,
    ])
    judgedSgx({ denyAdvisories: ['INTEL-SA-00837'] }, sgxTcb(carrying), [
      `SGX_ADVISORY_PRESENT cpu.tcb.advisoryIds ${AT}/denyAdvisories`,
    ])
    expect(codes(tdx(), subjectOf([tdxItem(tcb(carrying))]))).toEqual([])
  })

  it('has a least evaluation number, of both documents, and a least date', () => {
    const rule = { minTcbEvaluationDataNumber: 20, minTcbDate: '2026-01-01' }
    judgedTdx(rule, tcb({ tcbEvaluationDataNumber: 19 }), [
      `COLLATERAL_EVALUATION_TOO_LOW cpu.tcb.tcbEvaluationDataNumber ${AT}/minTcbEvaluationDataNumber`,
    ])
    judgedTdx(rule, tcb({ qeEvaluationDataNumber: 19 }), [
      `COLLATERAL_EVALUATION_TOO_LOW cpu.tcb.qeEvaluationDataNumber ${AT}/minTcbEvaluationDataNumber`,
    ])
    const old = { tcbDate: '2025-12-31T00:00:00Z' }
    judgedTdx(rule, tcb(old), [`TDX_TCB_DATE_BELOW_MINIMUM cpu.tcb.tcbDate ${AT}/minTcbDate`])
    judgedSgx(rule, sgxTcb(old), [`SGX_TCB_DATE_BELOW_MINIMUM cpu.tcb.tcbDate ${AT}/minTcbDate`])
  })
})

describe('the platform', () => {
  it('is denied by family, PPID or platform instance id', () => {
    const denied = (...denyPlatforms: string[]) => ({ denyPlatforms })
    const other = { pck: pckClaims({ fmspc: 'b0c06f000000', ppid: '0c'.repeat(16), platformInstanceId: undefined }) }
    judgedTdx(denied(FMSPC), {}, [`TDX_PLATFORM_DENIED cpu.pck.fmspc ${AT}/denyPlatforms`], other)
    judgedTdx(denied(PPID), {}, [`TDX_PLATFORM_DENIED cpu.pck.ppid ${AT}/denyPlatforms`], other)
    judgedTdx(denied(PLATFORM_INSTANCE_ID), {}, [`TDX_PLATFORM_DENIED cpu.pck.ppid ${AT}/denyPlatforms`], other)
    judgedSgx(denied(FMSPC), {}, [`SGX_PLATFORM_DENIED cpu.pck.fmspc ${AT}/denyPlatforms`], other)
  })

  it('is one of those listed', () => {
    const other = { pck: pckClaims({ fmspc: 'b0c06f000000', ppid: '0c'.repeat(16), platformInstanceId: undefined }) }
    judgedTdx({ fmspcs: [FMSPC] }, other, [`TDX_PLATFORM_NOT_ALLOWED cpu.pck.fmspc ${AT}/fmspcs`])
    judgedTdx({ platforms: [PLATFORM_INSTANCE_ID] }, other, [`TDX_PLATFORM_NOT_ALLOWED cpu.pck.ppid ${AT}/platforms`])
    judgedSgx({ platforms: [PPID] }, other, [`SGX_PLATFORM_NOT_ALLOWED cpu.pck.ppid ${AT}/platforms`])
  })

  it('has hyper-threading off where asked, and says so', () => {
    const smt = (smtEnabled: boolean | undefined) => ({ pck: pckClaims({ smtEnabled }) })
    judgedTdx({ smt: 'forbidden' }, smt(true), [`TDX_SMT_ENABLED cpu.pck.smtEnabled ${AT}/smt`])
    judgedTdx({ smt: 'forbidden' }, smt(undefined), [`APPRAISAL_CLAIM_MISSING cpu.pck.smtEnabled ${AT}/smt`])
    judgedSgx({ smt: 'forbidden' }, smt(true), [`SGX_SMT_ENABLED cpu.pck.smtEnabled ${AT}/smt`])
  })
})

const PINS = {
  mrTd: [MEASURED.mrTd],
  rtmr: { '0': [MEASURED.rtmrs[0]], '1': [MEASURED.rtmrs[1]], '2': [MEASURED.rtmrs[2]] },
}

describe('what was launched', () => {
  const measured = (document: Json, item = tdxItem()) => appraise(policyOf(document), subjectOf([item])).measured

  it('TDX: every register that is listed must match', () => {
    const rule = { ...PINS, rtmr: { ...PINS.rtmr, '3': [MEASURED.rtmrs[3]] }, mrSeam: ['aa'.repeat(48)] }
    judgedTdx(rule, { mrTd: OTHER }, [`TDX_MEASUREMENT_UNKNOWN cpu.mrTd ${AT}/mrTd`])
    judgedTdx(rule, { mrSeam: OTHER }, [`TDX_MEASUREMENT_UNKNOWN cpu.mrSeam ${AT}/mrSeam`])
    for (const i of [0, 1, 2, 3] as const) {
      const rtmrs = MEASURED.rtmrs.map((r, j) => (i === j ? OTHER : r)) as unknown as TdxClaims['rtmrs']
      judgedTdx(rule, { rtmrs }, [`TDX_MEASUREMENT_UNKNOWN cpu.rtmrs[${i}] ${AT}/rtmr/${i}`])
    }
    for (const name of ['mrConfigId', 'mrOwner', 'mrOwnerConfig'] as const) {
      judgedTdx({ [name]: [OTHER] }, {}, [`TDX_CONFIG_MISMATCH cpu.${name} ${AT}/${name}`], { [name]: OTHER })
    }
    judgedTdx({ xfam: ['e702060000000000'] }, { xfam: 'e700060000000000' }, [
      `TDX_ATTRIBUTE_FORBIDDEN cpu.xfam ${AT}/xfam`,
    ])
  })

  it('TDX: MRTD alone is the firmware, and measures nothing that it loaded', () => {
    expect(measured(tdx(PINS))).toBe('digest')
    expect(measured(tdx({ mrTd: PINS.mrTd }))).toBe('no')
    for (const i of ['0', '1', '2'] as const) {
      const rtmr = { ...PINS.rtmr, [i]: 'any' }
      expect(measured(tdx({ ...PINS, rtmr }))).toBe('no')
      expect(told(parsed(tdx({ ...PINS, rtmr }, { level: 3 })))).toEqual(['POLICY_UNSATISFIABLE /require/level'])
    }
    expect(told(parsed(tdx(PINS, { level: 3 })))).toEqual([])
    expect(measured(tdx(PINS), tdxItem({ mrTd: OTHER }))).toBe('no')
  })

  it('TDX: what dstack measured, beside the guest that measured it', () => {
    const names = { appId: '0a'.repeat(20), composeHash: '0b'.repeat(32), osImageHash: '0c'.repeat(32) }
    const log = (change: Partial<typeof names>) =>
      ({ form: 'dstack-v1', registers: [], events: [], digestOnly: [], claims: { ...names, ...change } }) as never
    for (const [name, value] of Object.entries(names)) {
      const rule = { ...PINS, dstack: { [name]: [value] } }
      const other = { eventLog: log({ [name]: 'f'.repeat(value.length) }) }
      const told1 = [`TDX_WORKLOAD_UNKNOWN cpu.eventLog.claims.${name} ${AT}/dstack/${name}`]
      judgedTdx(rule, other, told1, { eventLog: log({}) })
      expect(codes(tdx(rule), subjectOf([tdxItem()]))).toEqual(['APPRAISAL_CLAIM_MISSING'])
      const unpinned = [`POLICY_MEASUREMENT_REQUIRED /require/cpu/any/0/dstack/${name}`]
      expect(told(parsed(tdx({ dstack: rule.dstack })))).toEqual(unpinned)
      // Signers alone pin nothing where no level asks for what they say.
      const signers = { referenceValues: { signers: [SIGNER] } }
      expect(told(parsed(tdx({ dstack: rule.dstack }, { level: 2 }, signers)))).toEqual(unpinned)
      expect(told(parsed(tdx({ dstack: rule.dstack }, { level: 3 }, signers)))).toEqual([])
    }
  })

  it('SGX: an enclave, or a signer with product and version; a signer alone is no measurement', () => {
    judgedSgx({ mrEnclave: [MR_ENCLAVE] }, { mrEnclave: '01'.repeat(32) }, [
      `SGX_MEASUREMENT_UNKNOWN cpu.mrEnclave ${AT}/mrEnclave`,
    ])
    const signed = { mrSigner: [MR_SIGNER], isvProdId: [7], minIsvSvn: 3 }
    judgedSgx(signed, { mrSigner: '01'.repeat(32) }, [`SGX_MEASUREMENT_UNKNOWN cpu.mrSigner ${AT}/mrSigner`])
    judgedSgx(signed, { isvProdId: 8 }, [`SGX_MEASUREMENT_UNKNOWN cpu.isvProdId ${AT}/isvProdId`])
    judgedSgx(signed, { isvSvn: 2 }, [`SGX_MEASUREMENT_UNKNOWN cpu.isvSvn ${AT}/minIsvSvn`])
    expect(measured(sgx(signed), sgxItem())).toBe('digest')
    expect(measured(sgx({ mrEnclave: [MR_ENCLAVE] }), sgxItem())).toBe('digest')
    for (const alone of [{ mrSigner: [MR_SIGNER] }, { mrSigner: [MR_SIGNER], isvProdId: [7] }]) {
      expect(told(parsed(sgx(alone)))).toEqual(['POLICY_MEASUREMENT_REQUIRED /require/cpu/any/0/mrSigner'])
    }
  })

  it('SGX: debugging, keys and CONFIGID', () => {
    judgedSgx({}, { debug: true }, [`SGX_DEBUG cpu.debug ${AT}/attributes/debug`])
    judgedSgx({}, { provisionKey: true }, [`SGX_ATTRIBUTE_FORBIDDEN cpu.provisionKey ${AT}/attributes/provisionKey`])
    judgedSgx({}, { einitTokenKey: true }, [`SGX_ATTRIBUTE_FORBIDDEN cpu.einitTokenKey ${AT}/attributes/einitTokenKey`])
    const configId = '0d'.repeat(64)
    judgedSgx({ configId: [configId] }, {}, [`SGX_CONFIG_MISMATCH cpu.configId ${AT}/configId`], { configId })
  })

  it('keys are released to what is measured only', () => {
    const release = { keyRelease: { minLevel: 3 }, acceptRisks: ['open-quote-oracle'] }
    expect(told(parsed(tdx({ mrTd: PINS.mrTd }, {}, release)))).toEqual([
      'POLICY_MEASUREMENT_REQUIRED /require/cpu/any/0/mrTd',
    ])
    expect(told(parsed(tdx(PINS, { level: 3 }, release)))).toEqual([])
  })
})

describe('one policy for several kinds', () => {
  const either = alternatives([{ platform: 'amd/snp' }, { platform: 'intel/tdx' }])

  it('is met by an SNP machine or a TDX machine, each by its own alternative', () => {
    expect(appraise(policyOf(either), subjectOf([cpuItem()]))).toMatchObject({ faults: [], alternative: 0 })
    expect(appraise(policyOf(either), subjectOf([tdxItem()]))).toMatchObject({ faults: [], alternative: 1 })
    expect(codes(either, subjectOf([sgxItem()]))).toEqual(['POLICY_KIND_NOT_COVERED'])
    expect(codes(tdx(), subjectOf([cpuItem()]))).toEqual(['POLICY_KIND_NOT_COVERED'])
  })

  it('is not met by two kinds at once', () => {
    const second = { ...tdxItem(), id: 'cpu-1' }
    expect(codes(either, subjectOf([cpuItem(), second]))).toEqual(['POLICY_KIND_NOT_COVERED'])
  })

  it('composes platform by platform, and a floor that refuses a platform keeps refusing it', () => {
    const rule = policyOf(alternatives([{ platform: 'intel/sgx', mrEnclave: [MR_ENCLAVE] }, { platform: 'amd/snp' }]))
    expect(rule.require.cpu.any.map((r) => r.platform)).toEqual(['intel/sgx', 'amd/snp'])
  })
})

describe('the lease', () => {
  const bound = (rule: Json) => alternatives([rule], { leaseBinding: 'host-data' })
  const lease = { teeType: 'cpu', mrConfigId: OTHER } as const

  it('is named by MRCONFIGID of a TD', () => {
    const policy = bound({ platform: 'intel/tdx' })
    const judged = (mrConfigId: string, given: typeof lease | { teeType: 'cpu' } = lease) =>
      codes(policy, subjectOf([tdxItem({ mrConfigId })], { lease: given }))
    expect(judged(OTHER)).toEqual([])
    expect(judged('78'.repeat(48))).toEqual(['TDX_CONFIG_MISMATCH'])
    expect(judged('00'.repeat(48))).toEqual(['POLICY_LEASE_NOT_BOUND'])
    expect(judged(OTHER, { teeType: 'cpu' })).toEqual(['APPRAISAL_LEASE_MISSING'])
  })

  it('has no place in an SGX quote', () => {
    expect(told(parsed(bound({ platform: 'intel/sgx' })))).toEqual(['POLICY_UNSATISFIABLE /require/leaseBinding'])
  })
})

describe('an enclave', () => {
  it('is no CPU for GPUs: it measures neither their driver nor the system that owns them', () => {
    const gpu = { count: 1, models: ['H100'], binding: 'shared-nonce', devtools: 'not-proved' }
    expect(told(parsed(sgx({ mrEnclave: [MR_ENCLAVE] }, { gpu })))).toEqual([
      'POLICY_UNSATISFIABLE /require/cpu/any/0/platform',
    ])
    expect(told(parsed(tdx({}, { gpu })))).toEqual([])
  })
})

describe('signed statements', () => {
  it('count for the kind they speak of', () => {
    const policy = policyOf(
      documentWith({}, { referenceValues: { signers: [SIGNER] } }, { cpu: { any: [{ platform: 'intel/tdx' }] } }),
    )
    const value = (kind: string) =>
      ({
        name: 'image',
        kind,
        measurements: [[MEASURED.mrTd, ...MEASURED.rtmrs.slice(0, 3)].join(' ')],
        withdrawn: [],
        guarantees: ['workload-pinned'],
        notBefore: 0,
        expires: 4_000_000_000,
        signer: SIGNER,
      }) as never
    const judged = (kind: string) =>
      appraise(policy, subjectOf([tdxItem()], { referenceValues: [value(kind)] })).measured
    expect(judged('intel/tdx-quote')).toBe('vouched')
    expect(judged('amd/snp-report')).toBe('no')
  })
})
