import type { KindVerifier } from '../kind.ts'
import { decodeCcaToken, looksLikeCcaToken } from './decode.ts'
import { verifyCcaToken } from './verify.ts'

/** Arm CCA attestation tokens: platform and realm token in one. */
export const cca: KindVerifier = {
  kind: 'arm/cca-token',
  recognise: looksLikeCcaToken,
  decode: decodeCcaToken,
  withoutPadding: (bytes) => bytes,
  verify: verifyCcaToken,
}

export { type CcaToken, decodeCcaToken } from './decode.ts'
