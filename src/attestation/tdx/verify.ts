import { isZero } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { toHex } from '../../core/encodings.ts'
import { refuse } from '../../core/outcome.ts'
import type { CollateralSet } from '../collateral.ts'
import { judgeQuote, type QuoteKind } from '../dcap/verify.ts'
import type { EvidenceItem } from '../evidence.ts'
import { authentic, type ItemJudgement } from '../kind.ts'
import { toTdxClaims } from './claims.ts'
import { decodeTdxQuote, type TdxQuote } from './decode.ts'

const KIND: QuoteKind<TdxQuote> = {
  tee: 'TDX',
  decode: decodeTdxQuote,
  tdFacts: ({ td: { teeTcbSvn, mrSignerSeam, seamAttributes }, teeTcbSvn2 }) => ({
    teeTcbSvn,
    mrSignerSeam,
    seamAttributes,
    teeTcbSvn2,
  }),
  checkProved: checkSeam,
  claims: (proved) => authentic(toTdxClaims(authentic(proved))),
}

/**
 * Judges one TDX quote alone: that a genuine platform's quoting enclave signed it for a TD under a TDX module of Intel's, and
 * at which TCB where Intel's documents are there. Freshness, binding and policy come after.
 * @returns a judgement with claims exactly where the signature held. Its faults: codes of `decodeTdxQuote`, of the PCK chain,
 * of Intel's documents and the TCB evaluation, TDX_QE_SIGNATURE_INVALID · TDX_QE_BINDING_INVALID · TDX_SIGNATURE_INVALID ·
 * TDX_SEAM_UNTRUSTED; beside claims those of missing documents
 * @see ../shared/spec/intel-dcap.md §2
 */
export async function verifyTdxQuote(
  item: EvidenceItem,
  collateral: CollateralSet,
  context: Context,
): Promise<ItemJudgement> {
  // Event logs are held against the proved RTMRs here: `claims` is there exactly where the quote's signature held.
  return judgeQuote(KIND, item, collateral, context)
}

/** MRSIGNERSEAM is zero where Intel signed the TDX module, and a module for production has no attributes. */
function checkSeam({ td }: TdxQuote): void {
  for (const field of ['mrSignerSeam', 'seamAttributes'] as const) {
    if (!isZero(td[field])) {
      refuse('TDX_SEAM_UNTRUSTED', `quote.body.${field}`, { expected: 'zero', actual: toHex(td[field]) })
    }
  }
}
