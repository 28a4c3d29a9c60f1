import { describe, expect, it } from 'vitest'
import type { SnpClaims } from '../../src/attestation/claims.ts'
import { appraise } from '../../src/policy/index.ts'
import {
  codes,
  cpuItem,
  DIGEST,
  documentWith,
  HOST_DATA,
  type Json,
  OTHER_DIGEST,
  platform,
  policyOf,
  snpPolicy,
  subjectOf,
  tcb,
  unmet,
} from './support.ts'

type Change = Partial<SnpClaims>
const AT = 'policy#/require/cpu/any/0'

/** What is reported of a report that differs from the good one in one thing, beside its accepted twin. */
function judged(rule: Json, bad: Change, expected: string[], good: Change = {}, members: Json = {}) {
  const document = documentWith(rule, members)
  expect(unmet(document, subjectOf([cpuItem(good)]))).toEqual([])
  expect(unmet(document, subjectOf([cpuItem(bad)]))).toEqual(expected)
}

describe('SEV-SNP, by default', () => {
  it('takes a Genoa machine in good order', () => {
    expect(codes(documentWith(), subjectOf([cpuItem()]))).toEqual([])
  })

  it('RJ-SNP-14 refuses provisional firmware, which a policy may name', () => {
    const bad = { committedTcb: tcb({ snp: 26 }), committedFirmware: { major: 1, minor: 55, build: 39 } }
    judged({}, bad, [
      `SNP_FIRMWARE_PROVISIONAL cpu.committedTcb.snp ${AT}/provisionalFirmware`,
      `SNP_FIRMWARE_PROVISIONAL cpu.committedFirmware ${AT}/provisionalFirmware`,
    ])
    expect(codes(documentWith({ provisionalFirmware: 'allowed' }), subjectOf([cpuItem(bad)]))).toEqual([])
  })

  it('RJ-SNP-16 refuses a level with a hole that AMD has fixed, and names the bulletin', () => {
    const document = documentWith()
    expect(unmet(document, subjectOf([cpuItem({ reportedTcb: tcb({ microcode: 0x55 }) })]))).toEqual([
      'SNP_TCB_ADVISORY cpu.reportedTcb.microcode AMD-SB-3020 (CVE-2025-0033), AMD-SB-3027 (CVE-2025-29943)',
    ])
    expect(unmet(document, subjectOf([cpuItem({ reportedTcb: tcb({ snp: 0x1a }) })]))).toEqual([
      'SNP_TCB_ADVISORY cpu.reportedTcb.snp AMD-SB-3020 (CVE-2025-0033)',
    ])
    expect(codes(document, subjectOf([cpuItem({ reportedTcb: tcb({ microcode: 0x56, snp: 0x1b }) })]))).toEqual([])
  })

  it('asks no bulletin that appeared after the time of judgement, nor after the day of the policy', () => {
    const old = cpuItem({ reportedTcb: tcb({ snp: 0x17, microcode: 0x54 }) })
    const march2025 = 1740787200
    expect(codes(documentWith(), subjectOf([old], { now: march2025 }))).toEqual([])
    expect(codes(documentWith(), subjectOf([old]))).toEqual(['SNP_TCB_ADVISORY', 'SNP_TCB_ADVISORY'])
    const upTo = (bulletins: string) => documentWith({ tcbFloors: { bulletins } })
    expect(codes(upTo('2025-10-12'), subjectOf([old]))).toEqual([])
    expect(codes(upTo('2025-10-13'), subjectOf([old]))).toEqual(['SNP_TCB_ADVISORY', 'SNP_TCB_ADVISORY'])
    // A day in the future of the judgement does not bring bulletins that are not there yet.
    expect(codes(upTo('2026-12-31'), subjectOf([old], { now: march2025 }))).toEqual([])
  })

  it('a level that the processor does not have is below every floor', () => {
    const floors = {
      levels: [{ component: 'fmc', minimum: 1, source: 'a bulletin' }],
      platformInfo: [],
      notCovered: [],
    } as const
    const judged = (fmc: number | undefined) =>
      unmet(documentWith(), subjectOf([cpuItem({ reportedTcb: tcb({ fmc }) })], { tcbFloors: () => floors }))
    expect(judged(1)).toEqual([])
    expect(judged(undefined)).toEqual(['SNP_TCB_ADVISORY cpu.reportedTcb.fmc a bulletin'])
  })

  it('SNP_TCB_FLOOR_UNKNOWN for a bulletin without a number for this processor, unless the policy names the microcode', () => {
    const bergamo = cpuItem({ cpuid: { family: 0x19, model: 0xa0, stepping: 2 } })
    const { faults, notChecked } = appraise(policyOf(documentWith()), subjectOf([bergamo]))
    expect(faults.map(({ fault }) => `${fault.code} ${fault.source}`)).toEqual([
      'SNP_TCB_FLOOR_UNKNOWN AMD-SB-3020 (CVE-2025-0033)',
      'SNP_TCB_FLOOR_UNKNOWN AMD-SB-3027 (CVE-2025-29943)',
    ])
    expect(notChecked.map((n) => n.what)).toEqual(
      expect.arrayContaining(['firmware level against AMD-SB-3027 (CVE-2025-29943)']),
    )
    expect(codes(documentWith({ minTcb: { microcode: 1 } }), subjectOf([bergamo]))).toEqual([])
  })

  it('RJ-SNP-17 and -18 refuse debugging and migration', () => {
    judged({}, snpPolicy({ debugAllowed: true }), [
      `SNP_POLICY_DEBUG_ALLOWED cpu.policy.debugAllowed ${AT}/guestPolicy/debug`,
    ])
    judged({}, snpPolicy({ migrationAgentAllowed: true }), [
      `SNP_POLICY_MIGRATION_ALLOWED cpu.policy.migrationAgentAllowed ${AT}/guestPolicy/migrationAgent`,
    ])
    judged({}, { reportIdMa: '12'.repeat(32) }, [
      `SNP_REPORT_ID_MA_PRESENT cpu.reportIdMa ${AT}/guestPolicy/migrationAgent`,
    ])
    judged({}, snpPolicy({ cxlAllowed: true }), [`SNP_POLICY_CXL_ALLOWED cpu.policy.cxlAllowed ${AT}/guestPolicy/cxl`])
    const development = { guestPolicy: { debug: 'allowed', migrationAgent: 'allowed', cxl: 'allowed' } }
    const all = {
      ...snpPolicy({ debugAllowed: true, migrationAgentAllowed: true, cxlAllowed: true }),
      reportIdMa: '12'.repeat(32),
    }
    expect(codes(documentWith(development, { profile: 'development' }), subjectOf([cpuItem(all)]))).toEqual([])
  })

  it('RJ-SNP-20 refuses another VMPL', () => {
    for (const vmpl of [1, 2, 3]) {
      judged({}, { vmpl }, [`SNP_VMPL_MISMATCH cpu.vmpl ${AT}/vmpl`])
      expect(codes(documentWith({ vmpl: [0, vmpl] }), subjectOf([cpuItem({ vmpl })]))).toEqual([])
    }
    judged({ vmpl: [1] }, {}, [`SNP_VMPL_MISMATCH cpu.vmpl ${AT}/vmpl`], { vmpl: 1 })
  })

  it('RJ-SNP-21 refuses a platform that did not look for aliased memory', () => {
    judged({}, platform({ aliasCheckComplete: false }), [
      `SNP_PLATFORM_ALIAS_CHECK cpu.platformInfo.aliasCheckComplete ${AT}/platformInfo/aliasCheckComplete`,
    ])
    // The bulletin asks for it all the same, until the policy leaves the bulletin out.
    const waived = (bulletins: string) =>
      documentWith({ platformInfo: { aliasCheckComplete: 'any' }, tcbFloors: { bulletins } })
    const item = cpuItem(platform({ aliasCheckComplete: false }))
    expect(unmet(waived('all'), subjectOf([item]))).toEqual([
      'SNP_PLATFORM_ALIAS_CHECK cpu.platformInfo.aliasCheckComplete AMD-SB-3015 (CVE-2024-21944)',
    ])
    expect(codes(waived('2024-01-01'), subjectOf([item]))).toEqual([])
  })

  it('RJ-SNP-24 refuses a masked chip, which a policy may allow', () => {
    const missing = 'SNP_CHIP_ID_MASKED'
    judged({}, { chipId: undefined }, [`${missing} cpu.chipId ${AT}/maskedChipId`])
    judged({}, { maskChipKey: true }, [`${missing} cpu.maskChipKey ${AT}/maskedChipId`])
    expect(codes(documentWith({ maskedChipId: 'allowed' }), subjectOf([cpuItem({ chipId: undefined })]))).toEqual([])
  })

  it('RJ-SNP-25 refuses a VLEK', () => {
    const vlek = { signingKey: 'vlek', cspId: 'CN=cc-us-east-2.amazonaws.com' } as const
    judged({}, vlek, [`SNP_SIGNER_NOT_ALLOWED cpu.signingKey ${AT}/signingKeys`])
    expect(codes(documentWith({ signingKeys: ['vcek', 'vlek'] }), subjectOf([cpuItem(vlek)]))).toEqual([])
    judged({ signingKeys: ['vlek'] }, {}, [`SNP_SIGNER_NOT_ALLOWED cpu.signingKey ${AT}/signingKeys`], vlek)
  })

  it('RJ-SNP-28 refuses platform bits that nobody here knows', () => {
    judged(
      {},
      platform({ unknownBits: '100' }),
      [`SNP_PLATFORM_RESERVED_BIT cpu.platformInfo.unknownBits ${AT}/platformInfo/unknownBits`],
      platform({ iommuWriteSafe: true, unknownBits: '0' }),
    )
    expect(
      codes(
        documentWith({ platformInfo: { unknownBits: 'allowed' } }),
        subjectOf([cpuItem(platform({ unknownBits: '100' }))]),
      ),
    ).toEqual([])
  })

  it('RJ-SNP-29 refuses Milan unless it is named', () => {
    const milan = cpuItem({
      product: 'Milan',
      cpuid: { family: 0x19, model: 1, stepping: 1 },
      reportedTcb: tcb({ microcode: 0xdb }),
    })
    expect(unmet(documentWith(), subjectOf([milan]))).toEqual([`SNP_PRODUCT_NOT_ALLOWED cpu.product ${AT}/products`])
    const named = documentWith({ products: ['Milan'] }, { acceptRisks: ['milan-seed-extraction'] })
    expect(codes(named, subjectOf([milan]))).toEqual([])
    expect(codes(named, subjectOf([cpuItem()]))).toEqual(['SNP_PRODUCT_NOT_ALLOWED'])
  })

  it('refuses reports older than version 3', () => {
    const old = { reportVersion: 2, cpuid: undefined, launchMitVector: undefined, currentMitVector: undefined }
    judged({}, old, [`SNP_REPORT_VERSION_BELOW_MINIMUM cpu.reportVersion ${AT}/minReportVersion`])
    judged({ minReportVersion: 5 }, { reportVersion: 4 }, [
      `SNP_REPORT_VERSION_BELOW_MINIMUM cpu.reportVersion ${AT}/minReportVersion`,
    ])
    expect(codes(documentWith({ minReportVersion: 2 }), subjectOf([cpuItem(old)]))).toEqual([])
  })
})

describe('SEV-SNP, where the policy says more', () => {
  it('RJ-SNP-15 minimum of the reported level, component by component', () => {
    const minimum = { bootloader: 10, tee: 0, snp: 27, microcode: 90 }
    for (const component of ['bootloader', 'snp', 'microcode'] as const) {
      judged(
        { minTcb: { [component]: minimum[component] + 1 } },
        {},
        [`SNP_TCB_BELOW_MINIMUM cpu.reportedTcb.${component} ${AT}/minTcb/${component}`],
        {
          reportedTcb: tcb({ [component]: minimum[component] + 1 }),
        },
      )
    }
    judged({ minTcb: { tee: 1 } }, {}, [`SNP_TCB_BELOW_MINIMUM cpu.reportedTcb.tee ${AT}/minTcb/tee`], {
      reportedTcb: tcb({ tee: 1 }),
    })
    // Only Turin has an FMC level: elsewhere the claim is missing, and that is no pass.
    judged({ minTcb: { fmc: 1 } }, {}, [`APPRAISAL_CLAIM_MISSING cpu.reportedTcb.fmc ${AT}/minTcb/fmc`], {
      reportedTcb: tcb({ fmc: 1 }),
    })
    judged(
      { minTcb: { fmc: 1 } },
      { reportedTcb: tcb({ fmc: 0 }) },
      [`SNP_TCB_BELOW_MINIMUM cpu.reportedTcb.fmc ${AT}/minTcb/fmc`],
      { reportedTcb: tcb({ fmc: 1 }) },
    )
  })

  it('RJ-SNP-34 minimum of the level at launch, though the current one is fine', () => {
    judged({ minLaunchTcb: { snp: 27 } }, { launchTcb: tcb({ snp: 26 }) }, [
      `SNP_LAUNCH_TCB_BELOW_MINIMUM cpu.launchTcb.snp ${AT}/minLaunchTcb/snp`,
    ])
  })

  it('firmware version, by number', () => {
    const current = (build: number) => ({
      currentFirmware: { major: 1, minor: 55, build },
      committedFirmware: { major: 1, minor: 55, build },
    })
    judged(
      { minFirmware: '1.55.40' },
      current(9),
      [`SNP_FIRMWARE_BELOW_MINIMUM cpu.currentFirmware ${AT}/minFirmware`],
      current(40),
    )
    judged(
      { minFirmware: '1.55.40' },
      current(39),
      [`SNP_FIRMWARE_BELOW_MINIMUM cpu.currentFirmware ${AT}/minFirmware`],
      current(100),
    )
  })

  it('RJ-SNP-19 hyper-threading, of the guest and of the platform', () => {
    const rule = { guestPolicy: { smt: 'forbidden' } }
    const off = { ...snpPolicy({ smtAllowed: false }), ...platform({ smtEnabled: false }) }
    judged(
      rule,
      { ...off, ...snpPolicy({ smtAllowed: true }) },
      [`SNP_POLICY_SMT_ALLOWED cpu.policy.smtAllowed ${AT}/guestPolicy/smt`],
      off,
    )
    judged(
      rule,
      { ...off, ...platform({ smtEnabled: true }) },
      [`SNP_POLICY_SMT_ALLOWED cpu.platformInfo.smtEnabled ${AT}/guestPolicy/smt`],
      off,
    )
  })

  it.each([
    ['RJ-SNP-22', 'ciphertextHiding', 'ciphertextHidingRequired', 'SNP_POLICY_CIPHERTEXT_HIDING'],
    ['RJ-SNP-23', 'pageSwapDisabled', 'pageSwapDisabled', 'SNP_POLICY_PAGE_SWAP'],
    ['', 'singleSocket', 'singleSocketRequired', 'SNP_POLICY_SINGLE_SOCKET'],
    ['', 'memAes256Xts', 'memAes256XtsRequired', 'SNP_POLICY_MEM_XTS'],
    ['', 'raplDisabled', 'raplDisabledRequired', 'SNP_POLICY_RAPL'],
  ])('%s protecting bit %s', (_, rule, bit, code) => {
    judged(
      { guestPolicy: { [rule]: 'required' } },
      {},
      [`${code} cpu.policy.${bit} ${AT}/guestPolicy/${rule}`],
      snpPolicy({ [bit]: true }),
    )
  })

  it.each([
    'smtEnabled',
    'tsmeEnabled',
    'eccEnabled',
    'raplDisabled',
    'ciphertextHidingDramEnabled',
    'iommuWriteSafe',
    'sevTioEnabled',
  ])('platform bit %s, required and forbidden', (bit) => {
    const told = [`SNP_PLATFORM_INFO cpu.platformInfo.${bit} ${AT}/platformInfo/${bit}`]
    judged({ platformInfo: { [bit]: 'required' } }, platform({ [bit]: false }), told, platform({ [bit]: true }))
    judged({ platformInfo: { [bit]: 'forbidden' } }, platform({ [bit]: true }), told, platform({ [bit]: false }))
  })

  it('RJ-SNP-33 guest SVN and ABI', () => {
    judged({ minGuestSvn: 10 }, { guestSvn: 9 }, [`SNP_SVN_BELOW_MINIMUM cpu.guestSvn ${AT}/minGuestSvn`], {
      guestSvn: 10,
    })
    const abi = (abiMajor: number, abiMinor: number) => snpPolicy({ abiMajor, abiMinor })
    judged({ minAbi: '1.55' }, abi(1, 54), [`SNP_ABI_BELOW_MINIMUM cpu.policy.abi ${AT}/minAbi`], abi(1, 55))
    judged({ minAbi: '1.9' }, abi(0, 31), [`SNP_ABI_BELOW_MINIMUM cpu.policy.abi ${AT}/minAbi`], abi(1, 10))
  })

  it('RJ-SNP-35 mitigation vectors', () => {
    for (const name of ['launch', 'current'] as const) {
      const rule = { mitigations: { [name]: '0000000000000009' } }
      const claim = `${name}MitVector`
      const told = [`SNP_MITIGATION_MISSING cpu.${claim} ${AT}/mitigations/${name}`]
      judged(rule, { [claim]: '0000000000000003' }, told, { [claim]: 'ffffffffffffffff' })
      judged(rule, { reportVersion: 3, launchMitVector: undefined, currentMitVector: undefined }, told)
    }
  })

  it('RJ-SNP-30 measurement', () => {
    judged({ measurements: [OTHER_DIGEST, DIGEST] }, { measurement: `${DIGEST.slice(1)}0` }, [
      `SNP_MEASUREMENT_UNKNOWN cpu.measurement ${AT}/measurements`,
    ])
  })

  it('RJ-SNP-31 host data', () => {
    judged(
      { hostData: [HOST_DATA] },
      { hostData: 'd4'.repeat(32) },
      [`SNP_HOST_DATA_MISMATCH cpu.hostData ${AT}/hostData`],
      { hostData: HOST_DATA },
    )
    judged({ hostData: [HOST_DATA] }, {}, [`SNP_HOST_DATA_MISMATCH cpu.hostData ${AT}/hostData`], {
      hostData: HOST_DATA,
    })
  })

  it('RJ-SNP-32 ID key and author key', () => {
    const code = 'SNP_ID_KEY_UNTRUSTED'
    judged({ idKeyDigests: [DIGEST] }, { idKeyDigest: OTHER_DIGEST }, [`${code} cpu.idKeyDigest ${AT}/idKeyDigests`], {
      idKeyDigest: DIGEST,
    })
    judged({ idKeyDigests: [DIGEST] }, {}, [`${code} cpu.idKeyDigest ${AT}/idKeyDigests`], { idKeyDigest: DIGEST })
    const author = { authorKeyDigest: DIGEST, authorKeyEnabled: true }
    judged(
      { authorKeyDigests: [DIGEST] },
      { ...author, authorKeyDigest: OTHER_DIGEST },
      [`${code} cpu.authorKeyDigest ${AT}/authorKeyDigests`],
      author,
    )
    judged(
      { authorKeyDigests: [DIGEST] },
      { ...author, authorKeyEnabled: false },
      [`${code} cpu.authorKeyEnabled ${AT}/authorKeyDigests`],
      author,
    )
    judged({ authorKeyDigests: [DIGEST] }, {}, [`${code} cpu.authorKeyDigest ${AT}/authorKeyDigests`], author)
  })

  it('chips, in full and as Turin names them', () => {
    const chip = '42'.repeat(64)
    judged({ chipIds: [chip] }, { chipId: '43'.repeat(64) }, [`SNP_CHIP_NOT_ALLOWED cpu.chipId ${AT}/chipIds`])
    const turin = { chipId: `${'42'.repeat(8)}${'00'.repeat(56)}` }
    judged({ chipIds: ['42'.repeat(8)] }, { chipId: chip }, [`SNP_CHIP_NOT_ALLOWED cpu.chipId ${AT}/chipIds`], turin)
    // What a VLEK report says of its chip is not certified.
    judged({ chipIds: [chip], signingKeys: ['vcek', 'vlek'] }, { signingKey: 'vlek', cspId: 'CN=x' }, [
      `APPRAISAL_CLAIM_MISSING cpu.chipId ${AT}/chipIds`,
    ])
    judged({ chipIds: [chip], maskedChipId: 'allowed' }, { chipId: undefined }, [
      `APPRAISAL_CLAIM_MISSING cpu.chipId ${AT}/chipIds`,
    ])
  })

  it('RJ-POL-20 cloud operators, which a VCEK does not name', () => {
    const rule = { cspIds: ['CN=a.example'], signingKeys: ['vcek', 'vlek'] }
    const good = { signingKey: 'vlek', cspId: 'CN=a.example' } as const
    judged(rule, { ...good, cspId: 'CN=b.example' }, [`SNP_CSP_ID_MISMATCH cpu.cspId ${AT}/cspIds`], good)
    judged(rule, {}, [`APPRAISAL_CLAIM_MISSING cpu.cspId ${AT}/cspIds`], good)
  })

  it('reports every unmet rule at once, with what was required and observed', () => {
    const { faults } = appraise(
      policyOf(documentWith({ minGuestSvn: 3, vmpl: [0], measurements: [OTHER_DIGEST] })),
      subjectOf([cpuItem({ vmpl: 1, ...snpPolicy({ debugAllowed: true }) })]),
    )
    expect(faults.map(({ fault }) => fault.code)).toEqual([
      'SNP_VMPL_MISMATCH',
      'SNP_POLICY_DEBUG_ALLOWED',
      'SNP_SVN_BELOW_MINIMUM',
      'SNP_MEASUREMENT_UNKNOWN',
    ])
    expect(faults[0]).toEqual({
      item: 'cpu',
      fault: { code: 'SNP_VMPL_MISMATCH', path: 'cpu.vmpl', expected: '0', actual: '1', source: `${AT}/vmpl` },
    })
    expect(JSON.stringify(faults)).not.toContain(OTHER_DIGEST)
  })
})
