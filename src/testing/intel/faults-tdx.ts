import { concatBytes } from '../../core/bytes.ts'
import type { Json } from '../../core/json.ts'
import { drawnBytes, flipBit } from '../bytes.ts'
import { afterSigning, inContent, inHeader, inTd } from './bend.ts'
import type { JsonPath } from './json-edits.ts'
import { teeTcbSvn } from './machine-plan.ts'
import { faultTable, type IntelFaultEntry, type IntelFaultNeeds, type IntelPlan } from './plan.ts'
import type { TdReport } from './report-fields.ts'
import { platformLevel } from './world.ts'

const TD15: IntelFaultNeeds = { body: 'td-1.5' }

/** Bits of TDATTRIBUTES that mean nothing good: untrusted (below 8) or reserved (intel-dcap.md §4). Bit 29 is MIGRATABLE. */
const RESERVED_ATTRIBUTES = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27],
  ...[
    32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60,
  ],
  ...[61, 62],
] as const

/** Bits of XFAM outside 0x0006DBE7 (intel-dcap.md §5). */
const RESERVED_XFAM = [
  ...[3, 4, 10, 13, 16, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41],
  ...[42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63],
] as const

const td = (
  what: string,
  row: string,
  stage: IntelFaultEntry['stage'],
  fields: TdReport | ((report: TdReport, plan: IntelPlan) => TdReport),
  needs?: IntelFaultNeeds,
): IntelFaultEntry => ({
  what,
  stage,
  rows: [row],
  ...(needs === undefined ? {} : { needs }),
  bend: inTd((plan) => (typeof fields === 'function' ? fields(reportOf(plan), plan) : fields)),
})

function reportOf({ quote: { body } }: IntelPlan): TdReport {
  if (body.kind === 'sgx') throw new TypeError('an enclave has no TD report')
  return body.report
}

const attribute = (bit: number, what: string, row = 'RJ-TDX-13', stage: IntelFaultEntry['stage'] = 'appraisal') =>
  td(what, row, stage, ({ tdAttributes = new Uint8Array(8) }) => ({ tdAttributes: flipBit(tdAttributes, bit) }))

const xfam = (bit: number, what: string) =>
  td(what, 'RJ-TDX-13', 'appraisal', (report) => ({ xfam: flipBit(report.xfam ?? new Uint8Array(8), bit) }))

const each = <Prefix extends string, Bit extends number>(
  prefix: Prefix,
  bits: readonly Bit[],
  entry: (bit: Bit) => IntelFaultEntry,
) =>
  Object.fromEntries(bits.map((bit) => [`${prefix}-${bit}`, entry(bit)])) as Record<`${Prefix}-${Bit}`, IntelFaultEntry>

const measured = (name: 'mrTd' | 'rtmr0' | 'rtmr1' | 'rtmr2' | 'rtmr3', what: string) =>
  td(`one bit of ${what} off`, 'RJ-TDX-32', 'appraisal', (report) => ({
    [name]: flipBit(report[name] ?? new Uint8Array(48), 0),
  }))

const configured = (name: 'mrConfigId' | 'mrOwner' | 'mrOwnerConfig', what: string) =>
  td(`${what} of another lease`, 'RJ-TDX-33', 'appraisal', { [name]: drawnBytes('intel', 'another lease', name, 48) })

/** The TDX module that runs, in TEE_TCB_SVN and, in TD reports 1.5, in TEE_TCB_SVN2. */
const module = (what: string, row: string, stage: IntelFaultEntry['stage'], isvSvn: number, major = 1) =>
  td(what, row, stage, ({ teeTcbSvn: svn = new Uint8Array(16) }, { quote }) => {
    const changed = teeTcbSvn(isvSvn, major, svn[2] ?? 0)
    return { teeTcbSvn: changed, ...(quote.body.kind === 'td-1.5' ? { teeTcbSvn2: changed } : {}) }
  })

const identities = (
  what: string,
  row: string,
  path: JsonPath,
  change: (value: Json | undefined) => Json | undefined,
  stage: IntelFaultEntry['stage'] = 'collateral',
): IntelFaultEntry => ({ what, stage, rows: [row], bend: inContent('tcbInfo', path, change) })

/** TDREPORT: REPORTMACSTRUCT of 256 bytes that begins with the type, TEE_TCB_INFO, TDINFO; 1024 bytes in all. */
const TDREPORT = concatBytes(Uint8Array.of(0x81, 0, 0, 0), drawnBytes('intel', 'all', 'tdreport', 1020))

const TDX_TCB: JsonPath = ['tcbLevels', 0, 'tcb', 'tdxtcbcomponents']

/** Faults that only a TD, or a document about TDX, can have. */
export const TDX_ONLY_FAULTS = faultTable({
  'quote-is-tdreport': {
    what: 'a TDREPORT, which no remote verifier can check, presented as a quote',
    stage: 'decode',
    rows: ['RJ-TDX-36'],
    bend: afterSigning(() => TDREPORT),
  },
  'version-3': {
    what: 'quote version 3, which knows no TDs',
    stage: 'decode',
    rows: ['RJ-TDX-03'],
    bend: inHeader({ version: 3 }),
  },
  'body-type-older': {
    what: 'a TD report 1.5 called a TD report 1.0',
    stage: 'decode',
    rows: ['RJ-TDX-04'],
    needs: TD15,
    bend: (plan) => ({ quote: { ...plan.quote, descriptor: { type: 2 } } }),
  },
  'td-debug': attribute(0, 'a TD that the host may debug', 'RJ-TDX-12'),
  'td-migratable': attribute(29, 'a TD that may be migrated'),
  ...each('td-attribute-bit', RESERVED_ATTRIBUTES, (bit) => attribute(bit, `reserved bit ${bit} of TDATTRIBUTES set`)),
  'td-no-sept-ve-disable': attribute(28, 'SEPT_VE_DISABLE clear', 'RJ-TDX-13'),
  'td-pks': attribute(30, 'protection keys for supervisor pages on'),
  'td-key-locker': attribute(31, 'Key Locker on'),
  'td-perfmon': attribute(63, 'performance monitoring on'),
  'xfam-no-x87': xfam(0, 'XFAM without x87'),
  'xfam-no-sse': xfam(1, 'XFAM without SSE'),
  ...each('xfam-bit', RESERVED_XFAM, (bit) => xfam(bit, `reserved bit ${bit} of XFAM set`)),
  'td-service-td': td(
    'a service TD bound',
    'RJ-TDX-14',
    'appraisal',
    { mrServiceTd: drawnBytes('intel', 'all', 'service td', 48) },
    TD15,
  ),
  'seam-signer': td('a TDX module signed by somebody else', 'RJ-TDX-15', 'tcb', {
    mrSignerSeam: drawnBytes('intel', 'all', 'seam signer', 48),
  }),
  'seam-attributes': td('an attribute of the TDX module set', 'RJ-TDX-15', 'tcb', {
    seamAttributes: flipBit(new Uint8Array(8), 0),
  }),
  'report-data-other': td('another report data than was asked for', 'RJ-BIND-01', 'match', {
    reportData: drawnBytes('intel', 'all', 'other report data', 64),
  }),
  'report-data-zero': td('a report data of zeros', 'RJ-BIND-01', 'match', { reportData: new Uint8Array(64) }),
  'report-data-halves-exchanged': td(
    'the halves of the report data exchanged',
    'RJ-BIND-01',
    'match',
    ({ reportData = new Uint8Array(64) }) => ({
      reportData: concatBytes(reportData.subarray(32), reportData.subarray(0, 32)),
    }),
  ),
  'mrtd-other': measured('mrTd', 'MRTD'),
  'rtmr0-other': measured('rtmr0', 'RTMR0'),
  'rtmr1-other': measured('rtmr1', 'RTMR1'),
  'rtmr2-other': measured('rtmr2', 'RTMR2'),
  'rtmr3-other': measured('rtmr3', 'RTMR3'),
  'mrconfigid-other': configured('mrConfigId', 'MRCONFIGID'),
  'mrowner-other': configured('mrOwner', 'MROWNER'),
  'mrownerconfig-other': configured('mrOwnerConfig', 'MROWNERCONFIG'),

  'module-out-of-date': module('a TDX module out of date on a current platform', 'RJ-TDX-21', 'appraisal', 6),
  'module-revoked': module('a revoked TDX module on a current platform', 'RJ-TDX-18', 'tcb', 2),
  'module-below-all': module('a TDX module below every level', 'RJ-TDX-27', 'tcb', 1),
  'module-unknown': module('a TDX module of a major version that Intel does not list', 'RJ-TDX-22', 'tcb', 11, 9),
  'module-relaunch-advised': td(
    'a TD launched under an older module than now runs',
    'RJ-TDX-21',
    'appraisal',
    ({ teeTcbSvn: svn = new Uint8Array(16) }) => ({ teeTcbSvn: teeTcbSvn(6, 1, svn[2] ?? 0), teeTcbSvn2: svn }),
    TD15,
  ),
  'tdx-late-microcode-below-all': td(
    'the third TDX component below every level',
    'RJ-TDX-27',
    'tcb',
    ({ teeTcbSvn: svn = new Uint8Array(16) }) => ({
      teeTcbSvn: teeTcbSvn(svn[0] ?? 0, svn[1] ?? 0, 1),
    }),
  ),
  'tdx-late-microcode-out-of-date': td(
    'the third TDX component of an older level',
    'RJ-TDX-20',
    'appraisal',
    ({ teeTcbSvn: svn = new Uint8Array(16) }) => ({
      teeTcbSvn: teeTcbSvn(svn[0] ?? 0, svn[1] ?? 0, platformLevel('TDX', 'OutOfDate').tdx[2]),
    }),
  ),
  'module-1.0-below-all': module('a TDX module 1.0 below every level', 'RJ-TDX-27', 'tcb', 2, 0),

  'tcb-info-version-2': identities(
    'a TCB info of version 2, which knows SGX only',
    'RJ-TDX-24',
    ['version'],
    () => 2,
    'match',
  ),
  'tdx-components-missing': identities(
    'levels without TDX components',
    'RJ-TDX-25',
    ['tcbLevels', '*', 'tcb', 'tdxtcbcomponents'],
    () => undefined,
  ),
  'tdx-components-15': identities('15 TDX components', 'RJ-TDX-25', TDX_TCB, (value) =>
    Array.isArray(value) ? value.slice(0, 15) : value,
  ),
  'tdx-components-17': identities('17 TDX components', 'RJ-TDX-25', TDX_TCB, (value) =>
    Array.isArray(value) ? [...value, { svn: 0 }] : value,
  ),
  'tdx-svn-string': identities('a TDX SVN that is a text', 'RJ-TDX-26', [...TDX_TCB, 0, 'svn'], String),
  'module-identities-missing': identities(
    'no module identities',
    'RJ-TDX-22',
    ['tdxModuleIdentities'],
    () => undefined,
    'tcb',
  ),
  'module-identities-empty': identities(
    'an empty list of module identities',
    'RJ-TDX-22',
    ['tdxModuleIdentities'],
    () => [],
    'tcb',
  ),
  'module-identity-signer': identities(
    'a module identity of another signer',
    'RJ-TDX-15',
    ['tdxModuleIdentities', 1, 'mrsigner'],
    () => 'AB'.repeat(48),
    'tcb',
  ),
  'module-identity-attributes': identities(
    'a module identity that asks for an attribute',
    'RJ-TDX-15',
    ['tdxModuleIdentities', 1, 'attributes'],
    () => `01${'0'.repeat(14)}`,
    'tcb',
  ),
  'seam-attributes-masked': {
    what: 'an attribute of the TDX module set, under an identity whose mask looks at none',
    stage: 'tcb',
    rows: ['RJ-TDX-15'],
    bend: (plan) => ({
      ...inTd({ seamAttributes: flipBit(new Uint8Array(8), 0) })(plan),
      ...inContent('tcbInfo', ['tdxModuleIdentities', 1, 'attributesMask'], () => '0'.repeat(16))(plan),
    }),
  },
  'module-identity-twice': identities('a module identity twice', 'RJ-TDX-26', ['tdxModuleIdentities'], (value) =>
    Array.isArray(value) ? [...value, value[1]] : value,
  ),
  'module-levels-empty': identities(
    'a module identity without levels',
    'RJ-TDX-26',
    ['tdxModuleIdentities', 1, 'tcbLevels'],
    () => [],
  ),
  'module-level-svn-string': identities(
    'an ISVSVN of a module level that is a text',
    'RJ-TDX-26',
    ['tdxModuleIdentities', 1, 'tcbLevels', 0, 'tcb', 'isvsvn'],
    String,
  ),
  'module-level-status-unknown': identities(
    'a status of a module level that nobody knows',
    'RJ-TDX-19',
    ['tdxModuleIdentities', 1, 'tcbLevels', 0, 'tcbStatus'],
    () => 'Fine',
  ),
  'tdx-module-missing': identities('no facts of the first TDX module', 'RJ-TDX-22', ['tdxModule'], () => undefined),
})
