import type { KindVerifier } from '../kind.ts'
import { decodeSgxQuote, looksLikeSgxQuote } from './decode.ts'
import { verifySgxQuote } from './verify.ts'

/** Quotes of Intel SGX, versions 3 to 5. */
export const sgx: KindVerifier = {
  kind: 'intel/sgx-quote',
  recognise: looksLikeSgxQuote,
  decode: decodeSgxQuote,
  verify: verifySgxQuote,
}

export { decodeSgxQuote, looksLikeSgxQuote, type SgxQuote } from './decode.ts'
