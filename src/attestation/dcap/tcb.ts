import type { DcapTcbClaims } from '../claims.ts'
import type { PckExtension, QeIdentity, SgxReportBody, TcbInfo, TdTcbFacts, Tee } from './model.ts'

/** Judges no level: without documents there is none, and `authenticateEndorsements` gives none. */
export function evaluateTcb(
  _tee: Tee,
  _facts: { readonly pck: PckExtension; readonly qeReport: SgxReportBody; readonly td: TdTcbFacts | undefined },
  _tcbInfo: TcbInfo,
  _qeIdentity: QeIdentity,
): DcapTcbClaims {
  throw new TypeError('TCB info without a reader')
}

export function checkQeIdentity(_tee: Tee, _qeReport: SgxReportBody, _identity: QeIdentity): void {
  throw new TypeError('QE identity without a reader')
}
