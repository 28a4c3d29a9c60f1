import { looksLikeQuote, withoutPadding } from '../dcap/quote.ts'
import type { KindVerifier } from '../kind.ts'
import { decodeSgxQuote } from './decode.ts'
import { verifySgxQuote } from './verify.ts'

/** Quotes of Intel SGX, versions 3 to 5. */
export const sgx: KindVerifier = {
  kind: 'intel/sgx-quote',
  recognise: (bytes) => looksLikeQuote(bytes, 'SGX'),
  decode: decodeSgxQuote,
  withoutPadding: (bytes) => withoutPadding(bytes, 'SGX'),
  verify: verifySgxQuote,
}

export { decodeSgxQuote, type SgxQuote } from './decode.ts'
