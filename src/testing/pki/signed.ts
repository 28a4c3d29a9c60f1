import { algorithmIdentifier, type SignatureSpec, signWith, usualAlgorithm } from './algorithms.ts'
import { bits, seq } from './der.ts'
import type { TestKey } from './keys.ts'

/** What certificates, CRLs and OCSP responses share: a body, an algorithm and a signature, each of which may be bent. */
export interface SigningSpec {
  readonly signer: TestKey
  /** How to sign, and what the identifiers say. Default: `usualAlgorithm` of the signer's key. */
  readonly algorithm?: SignatureSpec
  /** AlgorithmIdentifier (DER) after the body, in place of the one of `algorithm`. */
  readonly outerAlgorithm?: Uint8Array
  /** Last change to the body before it is signed; the signature is valid over the result. */
  readonly mutateTbs?: (tbs: Uint8Array) => Uint8Array
  /** Flip the lowest bit of the last byte of the signature. */
  readonly tamperSignature?: boolean
}

/** The AlgorithmIdentifier a body should carry inside. */
export const algorithmOf = (spec: Pick<SigningSpec, 'signer' | 'algorithm'>): Uint8Array =>
  algorithmIdentifier(spec.algorithm ?? usualAlgorithm(spec.signer))

/** The three members of a signed object (RFC 5280 §4.1): body, signatureAlgorithm, signature; `tail` follows them inside. */
export function signed(spec: SigningSpec, tbs: Uint8Array, ...tail: readonly Uint8Array[]): Uint8Array {
  const body = spec.mutateTbs?.(tbs) ?? tbs
  const signature = signWith(spec.signer, spec.algorithm ?? usualAlgorithm(spec.signer), body)
  if (spec.tamperSignature === true) signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1
  return seq(body, spec.outerAlgorithm ?? algorithmOf(spec), bits(signature), ...tail)
}
