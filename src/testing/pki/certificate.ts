import { integer, seq, tagged, time } from './der.ts'
import type { TestKey } from './keys.ts'
import { algorithmOf, type SigningSpec, signed } from './signed.ts'

export { algorithmIdentifier, type SignatureSpec } from './algorithms.ts'
export { ext, type KeyUsageBit, PURPOSE } from './extensions.ts'
export { pem } from './pem.ts'

/** Everything in a certificate; a signer's key and a subject's key need not fit the names. */
export interface CertificateSpec extends SigningSpec {
  /** The number in the version field: 2 (v3) by default, 0 leaves the field out (v1). */
  readonly version?: number
  /** Bytes are an unsigned big-endian magnitude. */
  readonly serial: Uint8Array | number | bigint
  /** Name, DER. */
  readonly issuer: Uint8Array
  /** Name, DER. */
  readonly subject: Uint8Array
  /** RFC 3339 in UTC, whole seconds. */
  readonly notBefore: string
  readonly notAfter: string
  readonly publicKey: TestKey | { readonly spki: Uint8Array }
  /** AlgorithmIdentifier (DER) inside the signed body, in place of the one of `algorithm`. */
  readonly innerAlgorithm?: Uint8Array
  /** Extensions (DER) in the order given; an empty list leaves the field out. */
  readonly extensions: readonly Uint8Array[]
}

/** A signed X.509 certificate, DER (RFC 5280 §4.1). The same specification gives the same bytes. */
export function certificate(spec: CertificateSpec): Uint8Array {
  const version = spec.version ?? 2
  const tbs = seq(
    ...(version === 0 ? [] : [tagged(0, integer(version))]),
    integer(spec.serial),
    spec.innerAlgorithm ?? algorithmOf(spec),
    spec.issuer,
    seq(time(spec.notBefore), time(spec.notAfter)),
    spec.subject,
    spec.publicKey.spki,
    ...(spec.extensions.length === 0 ? [] : [tagged(3, seq(...spec.extensions))]),
  )
  return signed(spec, tbs)
}
