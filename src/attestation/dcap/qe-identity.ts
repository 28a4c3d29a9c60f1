import { fromUtf8 } from '../../core/encodings.ts'
import { parseJson } from '../../core/json.ts'
import { attempt, type Outcome, take } from '../../core/outcome.ts'
import { COLLATERAL_CODES } from './collateral-codes.ts'
import { Fields } from './fields.ts'
import { isvSvnLevels } from './levels.ts'
import type { QeIdentity, Tee } from './model.ts'

/** The version of the document whose members are described here; PCS v3 and v4 serve no other. */
const VERSION = 2

/**
 * Reads the identity of a quoting enclave from the very bytes that are signed.
 * @param signed the object as Intel delivered it
 * @param tee technology of the quote, for the words of the codes
 * @returns the document, or UTF8_INVALID · JSON_* · LIMIT_JSON_* · TDX_COLLATERAL_MALFORMED · TDX_TCB_LEVEL_MALFORMED ·
 * TDX_TCB_STATUS_UNKNOWN, or these of SGX
 * @see intel-dcap.md §7, §8
 */
export function decodeQeIdentity(signed: Uint8Array, tee: Tee, path: string): Outcome<QeIdentity> {
  const codes = COLLATERAL_CODES[tee]
  return attempt(() => {
    const text = take(fromUtf8(signed, path))
    const identity = new Fields(take(parseJson(text, path, 'integers')), path, codes.malformed)
    const id = identity.text('id')
    if (id !== 'QE' && id !== 'TD_QE') return identity.refuse('id', 'QE or TD_QE')
    const version = identity.integer('version', 0xffff)
    if (version !== VERSION) identity.refuse('version', String(VERSION))
    return {
      id,
      version,
      issueDate: identity.date('issueDate'),
      nextUpdate: identity.date('nextUpdate'),
      tcbEvaluationDataNumber: identity.integer('tcbEvaluationDataNumber', 0xffff_ffff),
      miscSelect: littleEndian(identity.hex('miscselect', 4)),
      miscSelectMask: littleEndian(identity.hex('miscselectMask', 4)),
      attributes: identity.hex('attributes', 16),
      attributesMask: identity.hex('attributesMask', 16),
      mrSigner: identity.hex('mrsigner', 32),
      isvProdId: identity.integer('isvprodid', 0xffff),
      levels: isvSvnLevels(identity, codes),
    }
  })
}

/** MISCSELECT is written as its memory looks (intel-dcap.md, byte order). */
const littleEndian = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true)
