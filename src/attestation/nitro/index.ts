import type { KindVerifier } from '../kind.ts'
import { decodeNitroDocument, looksLikeNitroDocument } from './decode.ts'
import { verifyNitroDocument } from './verify.ts'

/** Attestation documents of AWS Nitro enclaves. */
export const nitro: KindVerifier = {
  kind: 'aws/nitro',
  recognise: looksLikeNitroDocument,
  decode: decodeNitroDocument,
  withoutPadding: (bytes) => bytes,
  verify: verifyNitroDocument,
}

export { decodeNitroDocument, type NitroDocument } from './decode.ts'
