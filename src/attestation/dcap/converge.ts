import type { TcbStatus } from '../claims.ts'
import type { TcbLevel, TdTcbFacts, TdxModuleIdentity } from './model.ts'

/** What a platform's status becomes where the module or the quoting enclave is out of date. intel-dcap.md §9.5. */
const WITH_OUT_OF_DATE: Readonly<Record<TcbStatus, TcbStatus>> = {
  UpToDate: 'OutOfDate',
  SWHardeningNeeded: 'OutOfDate',
  ConfigurationNeeded: 'OutOfDateConfigurationNeeded',
  ConfigurationAndSWHardeningNeeded: 'OutOfDateConfigurationNeeded',
  OutOfDate: 'OutOfDate',
  OutOfDateConfigurationNeeded: 'OutOfDateConfigurationNeeded',
  TDRelaunchAdvised: 'TDRelaunchAdvised',
  TDRelaunchAdvisedConfigurationNeeded: 'TDRelaunchAdvisedConfigurationNeeded',
  Revoked: 'Revoked',
}

/** Joins the status of a platform with that of its TDX module or quoting enclave, as Intel's table has it. */
export function converge(platform: TcbStatus, other: TcbStatus): TcbStatus {
  if (other === 'Revoked') return 'Revoked'
  return other === 'UpToDate' ? platform : WITH_OUT_OF_DATE[platform]
}

const CURRENT: ReadonlySet<TcbStatus> = new Set([
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
])
const CONFIGURATION: ReadonlySet<TcbStatus> = new Set([
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDateConfigurationNeeded',
])

export interface RelaunchFacts {
  readonly sgx: TcbStatus
  /** platform and module converged */
  readonly converged: TcbStatus
  readonly module: TcbStatus
  readonly qe: TcbStatus
  readonly td: TdTcbFacts
  /** of all levels */
  readonly highest: TcbLevel
  readonly identities: readonly TdxModuleIdentity[]
}

/**
 * The status of a TD that was launched before its module was updated: the module that runs now is current, so launching the
 * TD again is all there is to do. Only a TD report 1.5 tells, since it carries the SVN of the module that is loaded.
 * @returns the converged status where the rule does not hold
 * @see intel-dcap.md §9.6
 */
export function withRelaunch({ sgx, converged, module, qe, td, highest, identities }: RelaunchFacts): TcbStatus {
  const isLate = converged === 'OutOfDate' || converged === 'OutOfDateConfigurationNeeded'
  if (td.teeTcbSvn2 === undefined || qe !== 'UpToDate' || module !== 'OutOfDate' || !isLate || !CURRENT.has(sgx)) {
    return converged
  }
  if (!isModuleCurrent(td.teeTcbSvn2, highest, identities)) return converged
  const needsConfiguration = CONFIGURATION.has(sgx) || CONFIGURATION.has(converged)
  return needsConfiguration ? 'TDRelaunchAdvisedConfigurationNeeded' : 'TDRelaunchAdvised'
}

/** Whether the loaded module (TEE_TCB_SVN2) is at the highest level there is. */
function isModuleCurrent(svn2: Uint8Array, highest: TcbLevel, identities: readonly TdxModuleIdentity[]): boolean {
  const [svn = 0, major = 0, late = 0] = svn2
  const required = highest.tdxComponents ?? []
  if (late < (required[2]?.svn ?? Number.POSITIVE_INFINITY)) return false
  if (major === 0) return svn >= (required[0]?.svn ?? Number.POSITIVE_INFINITY)
  const levels = identities.find(({ id }) => id === moduleId(major))?.levels ?? []
  return levels.length > 0 && svn >= Math.max(...levels.map((level) => level.isvSvn))
}

/** `TDX_01`: the id of the identity of a module by its major version, two upper-case hexadecimal digits. */
export const moduleId = (major: number): string => `TDX_${major.toString(16).toUpperCase().padStart(2, '0')}`
