import { isZero } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { toHex } from '../../core/encodings.ts'
import { refuse, take } from '../../core/outcome.ts'
import type { CollateralSet } from '../collateral.ts'
import { judgeQuote, type QuoteKind } from '../dcap/verify.ts'
import { judgeEventLogs } from '../event-log/index.ts'
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
  eventLog: judgeLog,
  claims: (proved) => authentic(toTdxClaims(authentic(proved))),
}

/**
 * Judges one TDX quote alone: that a genuine platform's quoting enclave signed it for a TD under a TDX module of Intel's, and
 * at which TCB where Intel's documents are there. Freshness, binding and policy come after.
 * @returns a judgement with claims exactly where the signature held. Its faults: codes of `decodeTdxQuote`, of the PCK chain,
 * of Intel's documents and the TCB evaluation, TDX_QE_SIGNATURE_INVALID · TDX_QE_BINDING_INVALID · TDX_SIGNATURE_INVALID ·
 * TDX_SEAM_UNTRUSTED · of `judgeEventLogs`; beside claims those of missing documents
 * @see ../shared/spec/intel-dcap.md §2
 */
export async function verifyTdxQuote(
  item: EvidenceItem,
  collateral: CollateralSet,
  context: Context,
): Promise<ItemJudgement> {
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

/**
 * Version 1 is what deployed dstack writes. Another version is declared outside of the log, in the compose file, and trying
 * both would let the sender choose what its log means.
 */
const DSTACK_VERSION = 1

async function judgeLog({ td }: TdxQuote, { eventLogs = [] }: EvidenceItem, context: Context) {
  const rtmrs = [td.rtmr0, td.rtmr1, td.rtmr2, td.rtmr3]
  return take(
    await judgeEventLogs(eventLogs, rtmrs, (hash, bytes) => context.digest(hash, bytes), {
      path: 'eventLog',
      dstackVersion: DSTACK_VERSION,
      mrConfigId: td.mrConfigId,
    }),
  )
}
