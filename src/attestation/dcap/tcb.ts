import { equalBytes } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import { refuse } from '../../core/outcome.ts'
import type { DcapTcbClaims, TcbDeficit, TcbLevelClaims } from '../claims.ts'
import { COLLATERAL_CODES } from './collateral-codes.ts'
import { converge, withRelaunch } from './converge.ts'
import { closestDeficits, isvSvnDeficit, platformDeficits } from './deficits.ts'
import type { LevelFacts } from './levels.ts'
import { matchLevels, type PlatformSvns, sortedLevels } from './matching.ts'
import type {
  IsvSvnLevel,
  PckExtension,
  QeIdentity,
  SgxReportBody,
  TcbInfo,
  TcbLevel,
  TdTcbFacts,
  Tee,
} from './model.ts'
import { checkQeIdentity } from './quoting-enclave.ts'
import { checkTdxModule, highestReached, type ProvedModule } from './tdx-module.ts'

export { checkQeIdentity } from './quoting-enclave.ts'

/** What the evaluation looks at of an authenticated quote. */
export interface TcbFacts {
  readonly pck: PckExtension
  /** of the quoting enclave */
  readonly qeReport: SgxReportBody
  /** undefined for SGX */
  readonly td: TdTcbFacts | undefined
}

/**
 * Evaluates the TCB of a platform as Intel's own library does: platform, TDX module and quoting enclave each at the highest
 * level they reach, then joined. What Intel calls terminal ends the surrounding `attempt`; every other status is a claim,
 * which a policy accepts or not.
 * Refusals, SGX in words of its own: TDX_TCB_INFO_KIND · TDX_FMSPC_MISMATCH · TDX_QE_IDENTITY_MISMATCH · TDX_MODULE_UNKNOWN ·
 * TDX_SEAM_UNTRUSTED · TDX_TCB_NO_LEVEL · TDX_TCB_REVOKED.
 * @param tcbInfo authenticated, and in date
 * @param qeIdentity authenticated, and in date
 * @throws TypeError for a TDX quote without TD report, and an SGX quote with one
 * @see intel-dcap.md §9
 */
export function evaluateTcb(tee: Tee, facts: TcbFacts, tcbInfo: TcbInfo, qeIdentity: QeIdentity): DcapTcbClaims {
  const { pck, qeReport, td } = facts
  if ((tee === 'TDX') !== (td !== undefined))
    throw new TypeError('a TD report belongs to TDX quotes, and to all of them')
  checkSubject(tee, pck, tcbInfo)
  checkQeIdentity(tee, qeReport, qeIdentity)
  const module = td === undefined ? undefined : checkTdxModule(td, tcbInfo)
  const levels = sortedLevels(tcbInfo)
  const svns = { sgx: pck.components, pceSvn: pck.pceSvn, tdx: td?.teeTcbSvn }
  const matched = matchLevels(levels, svns)
  const platform = levels[matched.platform ?? -1] ?? noLevel(tee, levels, svns)
  const qe = qeLevel(tee, qeReport, qeIdentity)

  const parts = [platform, qe, ...(module?.level === undefined ? [] : [module.level])]
  const sgx = levels[matched.sgx ?? -1] ?? platform
  const status = joinedStatus({ levels, sgx, platform, module, qe, td, tcbInfo })
  if (status === 'Revoked') {
    refuse(COLLATERAL_CODES[tee].revoked, 'tcb.status', {
      expected: 'a level that is not revoked',
      actual: `platform ${platform.status}, module ${module?.level?.status ?? 'none'}, quoting enclave ${qe.status}`,
    })
  }
  return {
    status,
    advisoryIds: union(parts),
    tcbDate: parts.map((l) => l.tcbDate).reduce((oldest, date) => (date < oldest ? date : oldest)),
    tcbEvaluationDataNumber: tcbInfo.tcbEvaluationDataNumber,
    qeEvaluationDataNumber: qeIdentity.tcbEvaluationDataNumber,
    platform: claimsOf(platform),
    module: module === undefined ? undefined : moduleClaims(module, platform),
    qe: claimsOf(qe),
    deficits: [
      ...platformDeficits(levels, matched.platform ?? 0, svns),
      ...moduleDeficits(module, td),
      ...isvSvnDeficit(qeIdentity.levels, qe, {
        component: 'qe.isvsvn',
        actual: qeReport.isvSvn,
        raisedBy: 'quoting enclave (DCAP packages of the host)',
      }),
    ],
  }
}

/** The TCB info has to be about this technology and this platform; whoever chose it, it is checked here. */
function checkSubject(tee: Tee, pck: PckExtension, tcbInfo: TcbInfo): void {
  const codes = COLLATERAL_CODES[tee]
  if (tcbInfo.id !== tee) refuse(codes.tcbInfoKind, 'tcbInfo/id', { expected: tee, actual: tcbInfo.id })
  if (!equalBytes(tcbInfo.fmspc, pck.fmspc)) {
    refuse(codes.fmspcMismatch, 'tcbInfo/fmspc', { expected: toHex(pck.fmspc), actual: toHex(tcbInfo.fmspc) })
  }
  if (!equalBytes(tcbInfo.pceId, pck.pceId)) {
    refuse(codes.fmspcMismatch, 'tcbInfo/pceId', { expected: toHex(pck.pceId), actual: toHex(tcbInfo.pceId) })
  }
}

interface Parts {
  readonly levels: readonly TcbLevel[]
  readonly sgx: TcbLevel
  readonly platform: TcbLevel
  readonly module: ProvedModule | undefined
  readonly qe: IsvSvnLevel
  readonly td: TdTcbFacts | undefined
  readonly tcbInfo: TcbInfo
}

/** Platform with module, then the relaunch rule, then the quoting enclave: Intel's order, which the result depends on. */
function joinedStatus({ levels, sgx, platform, module, qe, td, tcbInfo }: Parts): DcapTcbClaims['status'] {
  const moduleStatus = module?.level?.status ?? 'UpToDate'
  const converged = converge(platform.status, moduleStatus)
  const [highest] = levels
  const relaunched =
    td === undefined || highest === undefined
      ? converged
      : withRelaunch({
          sgx: sgx.status,
          converged,
          module: moduleStatus,
          qe: qe.status,
          td,
          highest,
          identities: tcbInfo.tdxModuleIdentities,
        })
  return converge(relaunched, qe.status)
}

function noLevel(tee: Tee, levels: readonly TcbLevel[], svns: PlatformSvns): never {
  const short = closestDeficits(levels, svns)
  return refuse(COLLATERAL_CODES[tee].noLevel, 'tcbInfo/tcbLevels', {
    expected:
      levels.length === 0 ? 'a level' : short.map((d) => `${d.component} ${d.required} (${d.raisedBy})`).join(', '),
    actual: levels.length === 0 ? 'none' : short.map((d) => `${d.component} ${d.actual}`).join(', '),
  })
}

function qeLevel(tee: Tee, { isvSvn }: SgxReportBody, { levels }: QeIdentity): IsvSvnLevel {
  const level = highestReached(levels, isvSvn)
  if (level !== undefined) return level
  return refuse(COLLATERAL_CODES[tee].noLevel, 'qeReport.isvSvn', {
    expected: levels.length === 0 ? 'a level' : `at least ${Math.min(...levels.map((l) => l.isvSvn))}`,
    actual: isvSvn,
  })
}

const claimsOf = (level: LevelFacts): TcbLevelClaims => ({
  status: level.status,
  tcbDate: level.tcbDate,
  advisoryIds: union([level]),
})

/** A module of major version 0 has no levels: it is judged with the platform's components. */
const moduleClaims = ({ level }: ProvedModule, platform: TcbLevel): TcbLevelClaims =>
  level === undefined ? { status: 'UpToDate', tcbDate: platform.tcbDate, advisoryIds: [] } : claimsOf(level)

function moduleDeficits(module: ProvedModule | undefined, td: TdTcbFacts | undefined): readonly TcbDeficit[] {
  if (module?.level === undefined || td === undefined) return []
  const actual = td.teeTcbSvn[0] ?? 0
  return isvSvnDeficit(module.levels ?? [], module.level, {
    component: 'tdxModule.isvsvn',
    actual,
    raisedBy: 'TDX module',
  })
}

const union = (levels: readonly LevelFacts[]): readonly string[] =>
  [...new Set(levels.flatMap((l) => l.advisoryIds))].sort()
