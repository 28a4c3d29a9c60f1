import { concatBytes, utf8 } from '../../core/bytes.ts'
import { toBase64url } from '../../core/encodings.ts'
import type { UnixSeconds } from '../../core/time.ts'

/** Longest life of a token that Akash's own tools give one, 30 minutes. */
export const LONGEST_TOKEN_SECONDS = 30 * 60

/** What a token allows: attestation, by one provider, and nothing else. */
export interface AttestationGrant {
  /** address of the account that owns the lease, which signs */
  readonly owner: string
  /** address of the one provider */
  readonly provider: string
  /**
   * `provider`: every lease of the owner with this provider, which is what Console mints · else one lease alone, whose
   * services have to be named
   */
  readonly leases: 'provider' | LeaseGrant
  readonly now: UnixSeconds
  readonly ttlSeconds: number
}

export interface LeaseGrant {
  readonly dseq: number
  readonly gseq: number
  readonly oseq: number
  readonly services: readonly [string, ...string[]]
}

/**
 * Signs with the owner's account key (secp256k1): ECDSA over SHA-256 of the message, r ‖ s, 64 bytes. The key itself never
 * comes here.
 */
export type AccountSigner = (message: Uint8Array) => Uint8Array | Promise<Uint8Array>

const ADDRESS = /^akash1[a-z0-9]{38}$/
export const isAkashAddress = (text: string): boolean => ADDRESS.test(text)

const SCOPE = ['attestation'] as const

/**
 * A JWT for the gateway (ES256K). Akash's tokens name no audience, so a token with full access that is handed to one provider
 * works at every other: this one is granular, for one provider, with the scope `attestation`.
 * @throws TypeError for a grant that is none, or a signature that is not r ‖ s
 * @see akash-network/chain-sdk specs/jwt-schema.json; ../shared/spec/akash.md §3
 */
export async function mintAttestationToken(grant: AttestationGrant, sign: AccountSigner): Promise<string> {
  const { owner, provider, now, ttlSeconds } = grant
  if (!isAkashAddress(owner) || !isAkashAddress(provider))
    throw new TypeError('owner and provider are akash1 addresses')
  if (!Number.isSafeInteger(now) || now <= 0) throw new TypeError('now is whole seconds since 1970')
  if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds <= 0 || ttlSeconds > LONGEST_TOKEN_SECONDS)
    throw new TypeError(`ttlSeconds is 1 to ${LONGEST_TOKEN_SECONDS}`)
  const claims = {
    ...{ iss: owner, iat: now, nbf: now, exp: now + ttlSeconds, version: 'v1' },
    leases: { access: 'granular', permissions: [permission(provider, grant.leases)] },
  }
  const signed = [{ alg: 'ES256K', typ: 'JWT' }, claims]
    .map((part) => toBase64url(utf8(JSON.stringify(part))))
    .join('.')
  return `${signed}.${toBase64url(await lowSignature(await sign(utf8(signed))))}`
}

function permission(provider: string, leases: AttestationGrant['leases']) {
  if (leases === 'provider') return { provider, access: 'scoped', scope: SCOPE }
  const { dseq, gseq, oseq, services } = leases
  const isRight = [dseq, gseq, oseq].every(Number.isSafeInteger) && dseq > 0 && gseq >= 0 && oseq >= 0
  if (!isRight || services.length === 0 || services.includes(''))
    throw new TypeError('a lease is dseq, gseq, oseq and the names of its services')
  return { provider, access: 'granular', deployments: [{ dseq, gseq, oseq, scope: SCOPE, services }] }
}

/** Of the two values of s that ECDSA allows the chain takes the lower one alone. */
async function lowSignature(signature: Uint8Array): Promise<Uint8Array> {
  const { secp256k1 } = await import('@noble/curves/secp256k1.js')
  if (!(signature instanceof Uint8Array) || signature.length !== 64)
    throw new TypeError('sign gives the signature as r and s, 64 bytes')
  const { r, s } = secp256k1.Signature.fromBytes(signature, 'compact')
  const { Fn } = secp256k1.Point
  const low = s > Fn.ORDER / 2n ? Fn.ORDER - s : s
  return concatBytes(Fn.toBytes(r), Fn.toBytes(low))
}
