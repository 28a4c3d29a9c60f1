import type { Context } from '../../core/context.ts'
import { type Fault, fault } from '../../core/outcome.ts'
import type { ValidatedPath } from '../../core/x509/path.ts'
import type { CollateralSet } from '../collateral.ts'
import type { CollateralUse, RevocationReport } from '../kind.ts'
import type { PckExtension, QeIdentity, TcbInfo, Tee } from './model.ts'

/** What Intel says beside the certificates about a platform and its quoting enclave. */
export interface DcapEndorsements {
  /** undefined where none for this platform was given */
  readonly tcbInfo: TcbInfo | undefined
  readonly qeIdentity: QeIdentity | undefined
  readonly revocation: RevocationReport
  readonly uses: readonly CollateralUse[]
  /** what is missing, each inconclusive; they stand beside the claims */
  readonly missing: readonly Fault[]
  /** anchors that the signers' chains end in, where injected */
  readonly injectedAnchors: readonly string[]
}

/** No document is read, so all are missing. */
export async function authenticateEndorsements(
  _context: Context,
  _tee: Tee,
  _pck: { readonly path: ValidatedPath; readonly extension: PckExtension },
  _collateral: CollateralSet,
): Promise<DcapEndorsements> {
  return {
    tcbInfo: undefined,
    qeIdentity: undefined,
    revocation: { chain: 'intel-pck', status: 'notGiven', stapled: false, faults: [] },
    uses: [],
    missing: [fault('COLLATERAL_UNAVAILABLE', 'collateral', { expected: 'TCB info and QE identity of the platform' })],
    injectedAnchors: [],
  }
}
