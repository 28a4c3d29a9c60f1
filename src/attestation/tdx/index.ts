import type { KindVerifier } from '../kind.ts'
import { decodeTdxQuote, looksLikeTdxQuote } from './decode.ts'
import { verifyTdxQuote } from './verify.ts'

/** Quotes of Intel TDX, versions 4 and 5, with TD reports 1.0 and 1.5. */
export const tdx: KindVerifier = {
  kind: 'intel/tdx-quote',
  recognise: looksLikeTdxQuote,
  decode: decodeTdxQuote,
  verify: verifyTdxQuote,
}

export { decodeTdxQuote, looksLikeTdxQuote, type TdxQuote } from './decode.ts'
