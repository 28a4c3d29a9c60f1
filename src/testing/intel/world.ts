import type { TcbStatus } from '../../attestation/claims.ts'
import type { Tee } from '../../attestation/dcap/model.ts'

/** Statuses that a TCB level may have; the two relaunch words only come out of an evaluation. */
export type LevelStatus = Exclude<TcbStatus, 'TDRelaunchAdvised' | 'TDRelaunchAdvisedConfigurationNeeded'>

/** A level of the platform: the SVNs it asks for and what Intel says about it. */
export interface PlatformLevel {
  readonly status: LevelStatus
  /** The first eight; the others are 0. */
  readonly sgx: readonly number[]
  readonly pceSvn: number
  /** The first three of the TDX components; the others are 0. */
  readonly tdx: readonly [module: number, moduleMajor: number, lateMicrocode: number]
  readonly tcbDate: string
  readonly advisoryIds: readonly string[]
}

/** A level of a TDX module or a quoting enclave. */
export interface SvnLevel {
  readonly status: 'UpToDate' | 'OutOfDate' | 'Revoked'
  readonly isvSvn: number
  readonly tcbDate: string
  readonly advisoryIds: readonly string[]
}

const level = (
  status: LevelStatus,
  tcbDate: string,
  sgx: readonly number[],
  pceSvn: number,
  tdx: PlatformLevel['tdx'],
  ...advisoryIds: readonly string[]
): PlatformLevel => ({ status, sgx, pceSvn, tdx, tcbDate, advisoryIds })

const svn = (
  isvSvn: number,
  status: SvnLevel['status'],
  tcbDate: string,
  ...advisoryIds: readonly string[]
): SvnLevel => ({ status, isvSvn, tcbDate, advisoryIds })

const NO_TDX = [0, 0, 0] as const

/**
 * The levels that the kit's Intel publishes: one for every status, newest first. A platform with exactly the SVNs of a level
 * matches that level and none above it.
 */
export const PLATFORM_LEVELS: Readonly<Record<Tee, readonly PlatformLevel[]>> = {
  TDX: [
    level('UpToDate', '2025-08-13T00:00:00Z', [4, 4, 2, 2, 4, 1, 0, 5], 13, [5, 0, 4]),
    level('SWHardeningNeeded', '2025-08-13T00:00:00Z', [4, 4, 2, 2, 3, 1, 0, 5], 13, [5, 0, 4], 'INTEL-SA-00615'),
    level('ConfigurationNeeded', '2025-08-13T00:00:00Z', [4, 4, 2, 2, 3, 0, 0, 5], 13, [5, 0, 4], 'INTEL-SA-00289'),
    level(
      'ConfigurationAndSWHardeningNeeded',
      '2025-08-13T00:00:00Z',
      [4, 4, 2, 2, 2, 0, 0, 5],
      13,
      [5, 0, 4],
      'INTEL-SA-00289',
      'INTEL-SA-00615',
    ),
    level('OutOfDate', '2025-05-14T00:00:00Z', [3, 3, 2, 2, 2, 1, 0, 5], 13, [5, 0, 3], 'INTEL-SA-01245'),
    level(
      'OutOfDateConfigurationNeeded',
      '2025-05-14T00:00:00Z',
      [3, 3, 2, 2, 2, 0, 0, 5],
      13,
      [5, 0, 3],
      'INTEL-SA-00289',
      'INTEL-SA-01245',
    ),
    level('Revoked', '2023-08-09T00:00:00Z', [2, 2, 2, 2, 2, 0, 0, 3], 5, [3, 0, 2], 'INTEL-SA-01036'),
  ],
  SGX: [
    level('UpToDate', '2025-08-13T00:00:00Z', [14, 14, 3, 3, 255, 255, 1, 0], 13, NO_TDX),
    level('SWHardeningNeeded', '2025-08-13T00:00:00Z', [13, 13, 3, 3, 255, 255, 1, 0], 13, NO_TDX, 'INTEL-SA-00615'),
    level('ConfigurationNeeded', '2025-08-13T00:00:00Z', [13, 13, 3, 3, 255, 255, 0, 0], 13, NO_TDX, 'INTEL-SA-00289'),
    level(
      'ConfigurationAndSWHardeningNeeded',
      '2025-08-13T00:00:00Z',
      [12, 12, 3, 3, 255, 255, 0, 0],
      13,
      NO_TDX,
      'INTEL-SA-00289',
      'INTEL-SA-00615',
    ),
    level('OutOfDate', '2023-08-09T00:00:00Z', [11, 11, 3, 3, 255, 255, 1, 0], 13, NO_TDX, 'INTEL-SA-00828'),
    level(
      'OutOfDateConfigurationNeeded',
      '2023-08-09T00:00:00Z',
      [11, 11, 3, 3, 255, 255, 0, 0],
      13,
      NO_TDX,
      'INTEL-SA-00289',
      'INTEL-SA-00828',
    ),
    level('Revoked', '2018-01-04T00:00:00Z', [4, 4, 3, 3, 255, 255, 0, 0], 5, NO_TDX, 'INTEL-SA-00106'),
  ],
}

/** TDX modules by their identity: `TDX_01` is 1.5, `TDX_03` its successor on newer platforms. */
export const MODULE_LEVELS: Readonly<Record<string, readonly SvnLevel[]>> = {
  TDX_03: [svn(5, 'UpToDate', '2025-08-13T00:00:00Z'), svn(3, 'OutOfDate', '2024-11-13T00:00:00Z', 'INTEL-SA-01245')],
  TDX_01: [
    svn(11, 'UpToDate', '2025-08-13T00:00:00Z'),
    svn(6, 'OutOfDate', '2024-11-13T00:00:00Z', 'INTEL-SA-01192'),
    svn(4, 'OutOfDate', '2024-03-13T00:00:00Z', 'INTEL-SA-01099', 'INTEL-SA-01192'),
    svn(2, 'Revoked', '2023-08-09T00:00:00Z', 'INTEL-SA-01036'),
  ],
}

export const QE_LEVELS: Readonly<Record<Tee, readonly SvnLevel[]>> = {
  TDX: [
    svn(6, 'UpToDate', '2025-08-13T00:00:00Z'),
    svn(4, 'OutOfDate', '2024-03-13T00:00:00Z', 'INTEL-SA-00837'),
    svn(2, 'Revoked', '2023-02-15T00:00:00Z', 'INTEL-SA-00615'),
  ],
  SGX: [
    svn(8, 'UpToDate', '2025-08-13T00:00:00Z'),
    svn(6, 'OutOfDate', '2021-11-10T00:00:00Z', 'INTEL-SA-00615'),
    svn(2, 'Revoked', '2019-05-15T00:00:00Z', 'INTEL-SA-00219'),
  ],
}

/** The level of that status. */
export function platformLevel(tee: Tee, status: LevelStatus): PlatformLevel {
  const found = PLATFORM_LEVELS[tee].find((one) => one.status === status)
  if (found === undefined) throw new TypeError(`no level ${status}`)
  return found
}
