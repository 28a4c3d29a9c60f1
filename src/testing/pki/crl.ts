import { enumerated, integer, seq, tagged, time } from './der.ts'
import { ext, extension } from './extensions.ts'
import { algorithmOf, type SigningSpec, signed } from './signed.ts'

/** Reason codes of RFC 5280 §5.3.1. */
export const CRL_REASON = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  removeFromCRL: 8,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const

export type CrlReason = keyof typeof CRL_REASON

/** The number of a reason given by name or by number. */
export const crlReasonCode = (reason: CrlReason | number): number =>
  typeof reason === 'number' ? reason : CRL_REASON[reason]

export interface RevokedEntry {
  /** Bytes are an unsigned big-endian magnitude. */
  readonly serial: Uint8Array | number | bigint
  /** RFC 3339 in UTC, whole seconds. */
  readonly date: string
  readonly reason?: CrlReason | number
  /** Further entry extensions, DER. */
  readonly extensions?: readonly Uint8Array[]
}

export interface CrlSpec extends SigningSpec {
  /** The number in the version field: 1 (v2) by default; 0 leaves the field out (v1). */
  readonly version?: number
  /** Name, DER. */
  readonly issuer: Uint8Array
  readonly thisUpdate: string
  /** Left out: a list without an end, which RFC 5280 §5.1.2.5 forbids. */
  readonly nextUpdate?: string
  readonly number?: number
  readonly authorityKeyId?: Uint8Array
  readonly revoked: readonly RevokedEntry[]
  /** Further list extensions, DER. */
  readonly extensions?: readonly Uint8Array[]
  /** AlgorithmIdentifier (DER) inside the signed body, in place of the one of `algorithm`. */
  readonly innerAlgorithm?: Uint8Array
}

/** A signed certificate revocation list, DER (RFC 5280 §5.1). The same specification gives the same bytes. */
export function crl(spec: CrlSpec): Uint8Array {
  const version = spec.version ?? 1
  const extensions = [
    ...(spec.authorityKeyId === undefined ? [] : [ext.authorityKeyId(spec.authorityKeyId)]),
    ...(spec.number === undefined ? [] : [ext.crlNumber(spec.number)]),
    ...(spec.extensions ?? []),
  ]
  const tbs = seq(
    ...(version === 0 ? [] : [integer(version)]),
    spec.innerAlgorithm ?? algorithmOf(spec),
    spec.issuer,
    time(spec.thisUpdate),
    ...(spec.nextUpdate === undefined ? [] : [time(spec.nextUpdate)]),
    ...(spec.revoked.length === 0 ? [] : [seq(...spec.revoked.map(entry))]),
    ...(extensions.length === 0 ? [] : [tagged(0, seq(...extensions))]),
  )
  return signed(spec, tbs)
}

function entry(revoked: RevokedEntry): Uint8Array {
  const extensions = [
    ...(revoked.reason === undefined ? [] : [extension('2.5.29.21', enumerated(crlReasonCode(revoked.reason)))]),
    ...(revoked.extensions ?? []),
  ]
  return seq(integer(revoked.serial), time(revoked.date), ...(extensions.length === 0 ? [] : [seq(...extensions)]))
}
