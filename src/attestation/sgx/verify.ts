import type { Context } from '../../core/context.ts'
import type { CollateralSet } from '../collateral.ts'
import { judgeQuote, type QuoteKind } from '../dcap/verify.ts'
import type { EvidenceItem } from '../evidence.ts'
import { authentic, type ItemJudgement } from '../kind.ts'
import { toSgxClaims } from './claims.ts'
import { decodeSgxQuote, type SgxQuote } from './decode.ts'

const KIND: QuoteKind<SgxQuote> = {
  tee: 'SGX',
  decode: decodeSgxQuote,
  tdFacts: () => undefined,
  // What an enclave's report may say beyond its form is for the policy to judge.
  checkProved: () => undefined,
  eventLog: async () => undefined,
  claims: (proved) => authentic(toSgxClaims(authentic(proved))),
}

/**
 * Judges one SGX quote alone: that a genuine platform's quoting enclave signed it for an enclave, and at which TCB where
 * Intel's documents are there. Freshness, binding and policy come after.
 * @returns a judgement with claims exactly where the signature held. Its faults: codes of `decodeSgxQuote`, of the PCK chain,
 * of Intel's documents and the TCB evaluation, SGX_QE_SIGNATURE_INVALID · SGX_QE_BINDING_INVALID · SGX_SIGNATURE_INVALID;
 * beside claims those of missing documents
 * @see ../shared/spec/intel-dcap.md §2
 */
export const verifySgxQuote = (
  item: EvidenceItem,
  collateral: CollateralSet,
  context: Context,
): Promise<ItemJudgement> => judgeQuote(KIND, item, collateral, context)
