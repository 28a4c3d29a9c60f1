import { equalBytes } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import { refuse } from '../../core/outcome.ts'
import { COLLATERAL_CODES } from './collateral-codes.ts'
import type { QeIdentity, SgxReportBody, Tee } from './model.ts'

/** Name of the identity by technology. */
export const QE_ID: Readonly<Record<Tee, QeIdentity['id']>> = { TDX: 'TD_QE', SGX: 'QE' }

/**
 * Whether the enclave that made a quote is the quoting enclave that Intel describes: identity of this technology, MISCSELECT
 * and ATTRIBUTES under their masks, MRSIGNER, ISVPRODID. Its MRENCLAVE changes with every build and is not pinned; its
 * ISVSVN is a matter of levels. Ends the surrounding `attempt` with TDX_QE_IDENTITY_MISMATCH or SGX_QE_IDENTITY_MISMATCH.
 * @see intel-dcap.md §8
 */
export function checkQeIdentity(tee: Tee, qeReport: SgxReportBody, identity: QeIdentity): void {
  const mismatch = (path: string, expected: string | number, actual: string | number): never =>
    refuse(COLLATERAL_CODES[tee].qeIdentityMismatch, path, { expected, actual })
  const { id, miscSelect, miscSelectMask, attributes, attributesMask, mrSigner, isvProdId } = identity
  if (id !== QE_ID[tee]) mismatch('qeIdentity/id', QE_ID[tee], id)
  const misc = (qeReport.miscSelect & miscSelectMask) >>> 0
  if (misc !== miscSelect) mismatch('qeReport.miscSelect', miscSelect, misc)
  const masked = qeReport.attributes.map((byte, i) => byte & (attributesMask[i] ?? 0xff))
  if (!equalBytes(masked, attributes)) mismatch('qeReport.attributes', toHex(attributes), toHex(masked))
  if (!equalBytes(qeReport.mrSigner, mrSigner)) {
    mismatch('qeReport.mrSigner', toHex(mrSigner), toHex(qeReport.mrSigner))
  }
  if (qeReport.isvProdId !== isvProdId) mismatch('qeReport.isvProdId', isvProdId, qeReport.isvProdId)
}
