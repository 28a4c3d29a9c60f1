import type { Json } from '../../core/json.ts'
import { inContent, inPlatform } from './bend.ts'
import type { JsonPath } from './json-edits.ts'
import { faultTable, type IntelFaultEntry, type IntelPlan } from './plan.ts'
import { type LevelStatus, platformLevel } from './world.ts'

const inTcbInfo = (
  what: string,
  row: string,
  path: JsonPath,
  change: (value: Json | undefined) => Json | undefined,
): IntelFaultEntry => ({ what, stage: 'collateral', rows: [row], bend: inContent('tcbInfo', path, change) })

const inQeLevels = (
  what: string,
  row: string,
  path: JsonPath,
  change: (value: Json | undefined) => Json | undefined,
): IntelFaultEntry => ({
  what,
  stage: 'collateral',
  rows: [row],
  bend: inContent('qeIdentity', path, change),
})

const first = (count: number) => (value: Json | undefined) => (Array.isArray(value) ? value.slice(0, count) : value)
const longer = (value: Json | undefined) => (Array.isArray(value) ? [...value, { svn: 0 }] : value)

/** The platform has the SVNs of the level with that status; certificate, enclave and TD follow. */
const platform = <Status extends Exclude<LevelStatus, 'UpToDate'>>(status: Status, row: string): IntelFaultEntry => ({
  what: `a platform whose level is ${status}`,
  stage: status === 'Revoked' ? 'tcb' : 'appraisal',
  rows: [row],
  bend: (plan) => {
    const { sgx, pceSvn } = platformLevel(plan.tee, status)
    return inPlatform({ components: Array.from({ length: 16 }, (_, i) => sgx[i] ?? 0), pceSvn })(plan)
  },
})

const components = (change: (components: readonly number[]) => readonly number[]) =>
  inPlatform((plan: IntelPlan) => ({ components: change(plan.platform.components) }))

/** Faults of TCB levels: what the documents say of them, and platforms that fall short of them. */
export const LEVEL_FAULTS = faultTable({
  'levels-missing': inTcbInfo('a TCB info without levels', 'RJ-TDX-27', ['tcbLevels'], () => undefined),
  'levels-empty': inTcbInfo('a TCB info with an empty list of levels', 'RJ-TDX-27', ['tcbLevels'], () => []),
  'level-components-8': inTcbInfo(
    'eight SGX components',
    'RJ-TDX-25',
    ['tcbLevels', 0, 'tcb', 'sgxtcbcomponents'],
    first(8),
  ),
  'level-components-15': inTcbInfo(
    '15 SGX components',
    'RJ-TDX-25',
    ['tcbLevels', 0, 'tcb', 'sgxtcbcomponents'],
    first(15),
  ),
  'level-components-17': inTcbInfo(
    '17 SGX components',
    'RJ-TDX-25',
    ['tcbLevels', 0, 'tcb', 'sgxtcbcomponents'],
    longer,
  ),
  'level-components-missing': inTcbInfo(
    'no SGX components',
    'RJ-TDX-25',
    ['tcbLevels', 0, 'tcb', 'sgxtcbcomponents'],
    () => undefined,
  ),
  'level-svn-string': inTcbInfo(
    'an SVN that is a text',
    'RJ-TDX-26',
    ['tcbLevels', 0, 'tcb', 'sgxtcbcomponents', 0, 'svn'],
    String,
  ),
  'level-svn-256': inTcbInfo(
    'an SVN of 256',
    'RJ-TDX-26',
    ['tcbLevels', 0, 'tcb', 'sgxtcbcomponents', 0, 'svn'],
    () => 256,
  ),
  'level-svn-negative': inTcbInfo(
    'an SVN of −1',
    'RJ-TDX-26',
    ['tcbLevels', 0, 'tcb', 'sgxtcbcomponents', 0, 'svn'],
    () => -1,
  ),
  'level-svn-fraction': inTcbInfo(
    'an SVN of 3.5',
    'RJ-TDX-26',
    ['tcbLevels', 0, 'tcb', 'sgxtcbcomponents', 0, 'svn'],
    () => 3.5,
  ),
  'level-svn-missing': inTcbInfo(
    'a component without an SVN',
    'RJ-TDX-26',
    ['tcbLevels', 0, 'tcb', 'sgxtcbcomponents', 0, 'svn'],
    () => undefined,
  ),
  'level-pcesvn-missing': inTcbInfo(
    'a level without PCESVN',
    'RJ-TDX-26',
    ['tcbLevels', 0, 'tcb', 'pcesvn'],
    () => undefined,
  ),
  'level-pcesvn-string': inTcbInfo('a PCESVN that is a text', 'RJ-TDX-26', ['tcbLevels', 0, 'tcb', 'pcesvn'], String),
  'level-pcesvn-65536': inTcbInfo(
    'a level that asks for a PCESVN of 65536',
    'RJ-TDX-26',
    ['tcbLevels', 0, 'tcb', 'pcesvn'],
    () => 65_536,
  ),
  'level-status-unknown': inTcbInfo(
    'a status that nobody knows',
    'RJ-TDX-19',
    ['tcbLevels', 0, 'tcbStatus'],
    () => 'UpToDateish',
  ),
  'level-status-missing': inTcbInfo(
    'a level without a status',
    'RJ-TDX-19',
    ['tcbLevels', 0, 'tcbStatus'],
    () => undefined,
  ),
  'level-date-missing': inTcbInfo('a level without a date', 'RJ-TDX-26', ['tcbLevels', 0, 'tcbDate'], () => undefined),
  'level-date-malformed': inTcbInfo(
    'a level dated by a day alone',
    'RJ-TDX-26',
    ['tcbLevels', 0, 'tcbDate'],
    () => '2025-08-13',
  ),
  'level-advisories-string': inTcbInfo(
    'advisories that are a text',
    'RJ-TDX-26',
    ['tcbLevels', 0, 'advisoryIDs'],
    () => 'INTEL-SA-00615',
  ),
  'level-malformed-at-the-end': inTcbInfo(
    'a last level without PCESVN, which no platform in order gets to',
    'RJ-TDX-26',
    ['tcbLevels', 6, 'tcb', 'pcesvn'],
    () => undefined,
  ),
  'level-advisory': {
    ...inTcbInfo(
      'an advisory on the level of a platform in order',
      'RJ-TDX-35',
      ['tcbLevels', 0, 'advisoryIDs'],
      () => ['INTEL-SA-01397'],
    ),
    stage: 'appraisal',
  },

  'platform-SWHardeningNeeded': platform('SWHardeningNeeded', 'RJ-TDX-20'),
  'platform-ConfigurationNeeded': platform('ConfigurationNeeded', 'RJ-TDX-20'),
  'platform-ConfigurationAndSWHardeningNeeded': platform('ConfigurationAndSWHardeningNeeded', 'RJ-TDX-20'),
  'platform-OutOfDate': platform('OutOfDate', 'RJ-TDX-20'),
  'platform-OutOfDateConfigurationNeeded': platform('OutOfDateConfigurationNeeded', 'RJ-TDX-20'),
  'platform-Revoked': platform('Revoked', 'RJ-TDX-18'),
  'platform-below-all': {
    what: 'every component of the platform 0',
    stage: 'tcb',
    rows: ['RJ-TDX-27'],
    bend: components((all) => all.map(() => 0)),
  },
  'platform-one-component-below-all': {
    what: 'one component of the platform below every level',
    stage: 'tcb',
    rows: ['RJ-TDX-27'],
    bend: components((all) => all.with(3, 0)),
  },
  'platform-pcesvn-below-all': {
    what: 'PCESVN below every level',
    stage: 'tcb',
    rows: ['RJ-TDX-27'],
    bend: inPlatform({ pceSvn: 4 }),
  },

  'qe-levels-missing': inQeLevels('a QE identity without levels', 'RJ-TDX-26', ['tcbLevels'], () => undefined),
  'qe-levels-empty': inQeLevels('a QE identity with an empty list of levels', 'RJ-TDX-26', ['tcbLevels'], () => []),
  'qe-level-svn-string': inQeLevels(
    'an ISVSVN of a QE level that is a text',
    'RJ-TDX-26',
    ['tcbLevels', 0, 'tcb', 'isvsvn'],
    String,
  ),
  'qe-level-svn-missing': inQeLevels(
    'a QE level without ISVSVN',
    'RJ-TDX-26',
    ['tcbLevels', 0, 'tcb', 'isvsvn'],
    () => undefined,
  ),
  'qe-level-status-unknown': inQeLevels(
    'a status of a QE level that nobody knows',
    'RJ-TDX-19',
    ['tcbLevels', 0, 'tcbStatus'],
    () => 'Fine',
  ),
})
