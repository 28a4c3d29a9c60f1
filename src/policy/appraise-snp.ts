import type { SnpClaims, SnpFirmwareVersion, SnpTcb } from '../attestation/claims.ts'
import type { UnixSeconds } from '../core/time.ts'
import { parseRfc3339 } from '../core/time.ts'
import type { AppraisalSubject, FirmwareFloors, Report } from './appraisal.ts'
import type { AllowList, SnpPlatformInfoRule, SnpRule, SnpTcbMinimum } from './policy.ts'
import { compareVersions } from './versions.ts'

const NO_MIGRATION_AGENT = /^f+$/
const ZERO = /^0*$/
const COMPONENTS = ['fmc', 'bootloader', 'tee', 'snp', 'microcode'] as const satisfies readonly (keyof SnpTcb)[]

/**
 * Holds one report against the rules for SEV-SNP and reports every rule that is not met: codes of the groups SNP,
 * APPRAISAL_CLAIM_MISSING and POLICY_LEASE_NOT_BOUND. What reference values say is judged apart.
 */
export function appraiseSnp(rule: SnpRule, claims: SnpClaims, floors: FirmwareFloors, report: Report): void {
  identity(rule, claims, report)
  firmware(rule, claims, floors, report)
  guestPolicy(rule, claims, report)
  platformInfo(rule.platformInfo, claims, floors, report)
  launch(rule, claims, report)
}

/** Bulletins that count: none that appeared after the time of judgement, nor after the day that the policy names. */
export function floorsOf(
  rule: SnpRule,
  claims: SnpClaims,
  subject: Pick<AppraisalSubject, 'now' | 'tcbFloors'>,
): FirmwareFloors {
  const { bulletins } = rule.tcbFloors
  const day = bulletins === 'all' ? undefined : parseRfc3339(`${bulletins}T00:00:00Z`)
  const upTo: UnixSeconds = Math.min(subject.now, day ?? subject.now)
  return subject.tcbFloors({ product: claims.product, cpuid: claims.cpuid }, upTo)
}

const listed = <T>(list: 'any' | readonly T[], value: T): boolean => list === 'any' || list.includes(value)
const named = (list: readonly (string | number)[]): string => list.join(' | ')
/** A list of digests is the policy author's secret in some policies: its length is told, never an entry. */
const oneOfMany = (list: AllowList<string>): string => `one of ${list.length} in the policy`

function identity(rule: SnpRule, claims: SnpClaims, report: Report): void {
  const { chipId, cspId } = claims
  if (!rule.products.includes(claims.product)) {
    report('SNP_PRODUCT_NOT_ALLOWED', 'product', '/products', {
      expected: named(rule.products),
      actual: claims.product,
    })
  }
  if (claims.reportVersion < rule.minReportVersion) {
    report('SNP_REPORT_VERSION_BELOW_MINIMUM', 'reportVersion', '/minReportVersion', {
      expected: `at least ${rule.minReportVersion}`,
      actual: claims.reportVersion,
    })
  }
  if (!rule.signingKeys.includes(claims.signingKey)) {
    report('SNP_SIGNER_NOT_ALLOWED', 'signingKey', '/signingKeys', {
      expected: named(rule.signingKeys),
      actual: claims.signingKey,
    })
  }
  if (!rule.vmpl.includes(claims.vmpl)) {
    report('SNP_VMPL_MISMATCH', 'vmpl', '/vmpl', { expected: named(rule.vmpl), actual: claims.vmpl })
  }
  if (rule.maskedChipId === 'refused') {
    if (claims.maskChipKey)
      report('SNP_CHIP_ID_MASKED', 'maskChipKey', '/maskedChipId', { expected: 'false', actual: 'true' })
    else if (chipId === undefined)
      report('SNP_CHIP_ID_MASKED', 'chipId', '/maskedChipId', { expected: 'a chip id', actual: 'none' })
  }
  if (rule.chipIds !== 'any') {
    // A VLEK is not certified for a chip: an id beside it is what the platform says of itself, and no proof.
    if (chipId === undefined || claims.signingKey === 'vlek')
      report('APPRAISAL_CLAIM_MISSING', 'chipId', '/chipIds', { expected: oneOfMany(rule.chipIds) })
    else if (!rule.chipIds.some((allowed) => sameChip(allowed, chipId))) {
      report('SNP_CHIP_NOT_ALLOWED', 'chipId', '/chipIds', { expected: oneOfMany(rule.chipIds), actual: chipId })
    }
  }
  if (rule.cspIds !== 'any') {
    if (cspId === undefined) report('APPRAISAL_CLAIM_MISSING', 'cspId', '/cspIds', { expected: named(rule.cspIds) })
    else if (!rule.cspIds.includes(cspId)) {
      report('SNP_CSP_ID_MISMATCH', 'cspId', '/cspIds', { expected: named(rule.cspIds), actual: cspId })
    }
  }
}

/** A Turin chip may be named by its 8 bytes; the rest of CHIP_ID is zero then. */
const sameChip = (allowed: string, chipId: string): boolean => allowed.padEnd(128, '0') === chipId.padEnd(128, '0')

function firmware(rule: SnpRule, claims: SnpClaims, floors: FirmwareFloors, report: Report): void {
  for (const { component, minimum, source } of floors.levels) {
    if ((claims.reportedTcb[component] ?? -1) < minimum) {
      const actual = claims.reportedTcb[component] ?? 'none'
      report('SNP_TCB_ADVISORY', `reportedTcb.${component}`, '/tcbFloors', {
        expected: `at least ${minimum}`,
        actual,
        source,
      })
    }
  }
  tcb('SNP_TCB_BELOW_MINIMUM', 'reportedTcb', claims.reportedTcb, '/minTcb', rule.minTcb, report)
  tcb('SNP_LAUNCH_TCB_BELOW_MINIMUM', 'launchTcb', claims.launchTcb, '/minLaunchTcb', rule.minLaunchTcb, report)
  const version = versionText(claims.currentFirmware)
  if ((compareVersions(version, rule.minFirmware) ?? -1) < 0) {
    report('SNP_FIRMWARE_BELOW_MINIMUM', 'currentFirmware', '/minFirmware', {
      expected: `at least ${rule.minFirmware}`,
      actual: version,
    })
  }
  if (rule.provisionalFirmware === 'refused') provisional(claims, report)
  for (const name of ['launch', 'current'] as const) {
    const required = BigInt(`0x${rule.mitigations[name]}`)
    const vector = claims[`${name}MitVector`]
    if (required !== 0n && (BigInt(`0x${vector ?? '0'}`) & required) !== required) {
      report('SNP_MITIGATION_MISSING', `${name}MitVector`, `/mitigations/${name}`, {
        expected: `bits ${rule.mitigations[name]}`,
        actual: vector ?? `none in a report of version ${claims.reportVersion}`,
      })
    }
  }
}

function tcb(
  code: 'SNP_TCB_BELOW_MINIMUM' | 'SNP_LAUNCH_TCB_BELOW_MINIMUM',
  claim: string,
  levels: SnpTcb,
  at: string,
  minimum: SnpTcbMinimum,
  report: Report,
): void {
  for (const component of COMPONENTS) {
    const actual = levels[component]
    if ((actual ?? 0) >= minimum[component]) continue
    const expected = `at least ${minimum[component]}`
    if (actual === undefined)
      report('APPRAISAL_CLAIM_MISSING', `${claim}.${component}`, `${at}/${component}`, { expected })
    else report(code, `${claim}.${component}`, `${at}/${component}`, { expected, actual })
  }
}

const versionText = ({ major, minor, build }: SnpFirmwareVersion): string => `${major}.${minor}.${build}`

/** The host may go back to what is committed, so the running level counts only once it is committed itself. */
function provisional(
  { committedTcb, currentTcb, committedFirmware, currentFirmware }: SnpClaims,
  report: Report,
): void {
  for (const component of COMPONENTS) {
    const [committed, current] = [committedTcb[component], currentTcb[component]]
    if (committed !== current) {
      report('SNP_FIRMWARE_PROVISIONAL', `committedTcb.${component}`, '/provisionalFirmware', {
        expected: `${current}, the running level`,
        actual: String(committed),
      })
    }
  }
  const [committed, current] = [versionText(committedFirmware), versionText(currentFirmware)]
  if (committed !== current) {
    report('SNP_FIRMWARE_PROVISIONAL', 'committedFirmware', '/provisionalFirmware', {
      expected: current,
      actual: committed,
    })
  }
}

function guestPolicy({ guestPolicy: rule, minAbi }: SnpRule, claims: SnpClaims, report: Report): void {
  const { policy } = claims
  const weakening = [
    ['debug', 'debugAllowed', 'SNP_POLICY_DEBUG_ALLOWED'],
    ['migrationAgent', 'migrationAgentAllowed', 'SNP_POLICY_MIGRATION_ALLOWED'],
    ['smt', 'smtAllowed', 'SNP_POLICY_SMT_ALLOWED'],
    ['cxl', 'cxlAllowed', 'SNP_POLICY_CXL_ALLOWED'],
  ] as const
  for (const [name, bit, code] of weakening) {
    if (rule[name] === 'forbidden' && policy[bit]) {
      report(code, `policy.${bit}`, `/guestPolicy/${name}`, { expected: 'false', actual: 'true' })
    }
  }
  if (rule.smt === 'forbidden' && claims.platformInfo.smtEnabled) {
    report('SNP_POLICY_SMT_ALLOWED', 'platformInfo.smtEnabled', '/guestPolicy/smt', {
      expected: 'false',
      actual: 'true',
    })
  }
  if (rule.migrationAgent === 'forbidden' && !NO_MIGRATION_AGENT.test(claims.reportIdMa)) {
    report('SNP_REPORT_ID_MA_PRESENT', 'reportIdMa', '/guestPolicy/migrationAgent', {
      expected: 'all ones',
      actual: claims.reportIdMa,
    })
  }
  const protecting = [
    ['singleSocket', 'singleSocketRequired', 'SNP_POLICY_SINGLE_SOCKET'],
    ['memAes256Xts', 'memAes256XtsRequired', 'SNP_POLICY_MEM_XTS'],
    ['raplDisabled', 'raplDisabledRequired', 'SNP_POLICY_RAPL'],
    ['ciphertextHiding', 'ciphertextHidingRequired', 'SNP_POLICY_CIPHERTEXT_HIDING'],
    ['pageSwapDisabled', 'pageSwapDisabled', 'SNP_POLICY_PAGE_SWAP'],
  ] as const
  for (const [name, bit, code] of protecting) {
    if (rule[name] === 'required' && !policy[bit]) {
      report(code, `policy.${bit}`, `/guestPolicy/${name}`, { expected: 'true', actual: 'false' })
    }
  }
  const abi = `${policy.abiMajor}.${policy.abiMinor}`
  if ((compareVersions(abi, minAbi) ?? -1) < 0) {
    report('SNP_ABI_BELOW_MINIMUM', 'policy.abi', '/minAbi', { expected: `at least ${minAbi}`, actual: abi })
  }
}

const PLATFORM_BITS = [
  ...(['smtEnabled', 'tsmeEnabled', 'eccEnabled', 'raplDisabled', 'ciphertextHidingDramEnabled'] as const),
  ...(['aliasCheckComplete', 'iommuWriteSafe', 'sevTioEnabled'] as const),
]

function platformInfo(
  rule: SnpPlatformInfoRule,
  { platformInfo: info }: SnpClaims,
  floors: FirmwareFloors,
  report: Report,
): void {
  const codeOf = (bit: string) => (bit === 'aliasCheckComplete' ? 'SNP_PLATFORM_ALIAS_CHECK' : 'SNP_PLATFORM_INFO')
  for (const bit of PLATFORM_BITS) {
    const bulletin = floors.platformInfo.find((f) => f.protection === bit)
    const unmet = (rule[bit] === 'required' && !info[bit]) || (rule[bit] === 'forbidden' && info[bit])
    if (unmet) {
      report(codeOf(bit), `platformInfo.${bit}`, `/platformInfo/${bit}`, {
        expected: rule[bit],
        actual: info[bit] ? 'set' : 'clear',
      })
    } else if (bulletin !== undefined && !info[bit]) {
      report(codeOf(bit), `platformInfo.${bit}`, '/tcbFloors', {
        expected: 'required',
        actual: 'clear',
        source: bulletin.source,
      })
    }
  }
  if (rule.unknownBits === 'refused' && !ZERO.test(info.unknownBits)) {
    report('SNP_PLATFORM_RESERVED_BIT', 'platformInfo.unknownBits', '/platformInfo/unknownBits', {
      expected: '0',
      actual: info.unknownBits,
    })
  }
}

function launch(rule: SnpRule, claims: SnpClaims, report: Report): void {
  if (claims.guestSvn < rule.minGuestSvn) {
    report('SNP_SVN_BELOW_MINIMUM', 'guestSvn', '/minGuestSvn', {
      expected: `at least ${rule.minGuestSvn}`,
      actual: claims.guestSvn,
    })
  }
  const digests = [
    ['measurements', 'measurement', 'SNP_MEASUREMENT_UNKNOWN'],
    ['hostData', 'hostData', 'SNP_HOST_DATA_MISMATCH'],
    ['idKeyDigests', 'idKeyDigest', 'SNP_ID_KEY_UNTRUSTED'],
    ['authorKeyDigests', 'authorKeyDigest', 'SNP_ID_KEY_UNTRUSTED'],
  ] as const
  for (const [name, claim, code] of digests) {
    // Policies cannot list zero, so a field that the launch left out matches nothing.
    if (!listed(rule[name], claims[claim])) {
      report(code, claim, `/${name}`, {
        expected: oneOfMany(rule[name]),
        actual: ZERO.test(claims[claim]) ? 'none' : claims[claim],
      })
    }
  }
  if (
    rule.authorKeyDigests !== 'any' &&
    !claims.authorKeyEnabled &&
    listed(rule.authorKeyDigests, claims.authorKeyDigest)
  ) {
    report('SNP_ID_KEY_UNTRUSTED', 'authorKeyEnabled', '/authorKeyDigests', { expected: 'true', actual: 'false' })
  }
}
