import { looksLikeQuote, withoutPadding } from '../dcap/quote.ts'
import type { KindVerifier } from '../kind.ts'
import { decodeTdxQuote } from './decode.ts'
import { verifyTdxQuote } from './verify.ts'

/** Quotes of Intel TDX, versions 4 and 5, with TD reports 1.0 and 1.5. */
export const tdx: KindVerifier = {
  kind: 'intel/tdx-quote',
  recognise: (bytes) => looksLikeQuote(bytes, 'TDX'),
  decode: decodeTdxQuote,
  withoutPadding: (bytes) => withoutPadding(bytes, 'TDX'),
  verify: verifyTdxQuote,
}

export { decodeTdxQuote, type TdxQuote } from './decode.ts'
