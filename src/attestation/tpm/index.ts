import type { KindVerifier } from '../kind.ts'
import { decodeTpmQuote, looksLikeTpmQuote } from './decode.ts'
import { verifyTpmQuote } from './verify.ts'

/** Quotes of TPM 2.0: PCR values signed by an attestation key, with the event log that explains them. */
export const tpm: KindVerifier = {
  kind: 'tpm/quote',
  recognise: looksLikeTpmQuote,
  decode: decodeTpmQuote,
  withoutPadding: (bytes) => bytes,
  verify: verifyTpmQuote,
}

export { type Attest, decodeAttest, looksLikeAttest } from './attest.ts'
export { authenticateTpmKey } from './collateral.ts'
export {
  type Credential,
  type CredentialRandomness,
  credentialFile,
  decodeCredentialFile,
  makeCredential,
} from './credential.ts'
export { decodeTpmQuote, TPM_QUOTE_FORMAT, type TpmQuote } from './decode.ts'
export { TPM_LOG_PROFILE } from './event-log.ts'
export { decodePcrFile } from './pcr-file.ts'
export { decodePublicArea, looksLikePublicArea, nameOf, type PublicArea } from './public-area.ts'
export { decodeSignature, type TpmSignature } from './signature.ts'
