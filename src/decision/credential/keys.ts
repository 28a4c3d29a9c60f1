import type { UnixSeconds } from '../../core/time.ts'
import { algorithmOf, type PublicJwk, type PublicKey, publicJwk, type SigningAlgorithm } from './jws.ts'

/** A verifier's key as it is published and pinned. */
export type CredentialKey = PublicJwk & {
  readonly kid: string
  readonly alg?: SigningAlgorithm
  readonly use?: 'sig'
  /**
   * From this second on nothing that the key signed is accepted, whenever it says it was signed: who has a stolen key dates
   * back at will. A planned change sets it to the change plus the longest life of a credential.
   */
  readonly retiredAt?: UnixSeconds
}

export interface CredentialKeySet {
  readonly keys: readonly CredentialKey[]
}

/** A key of the verifier's own, to be published. */
export interface VerifierKey {
  readonly kid: string
  /** P-256 or Ed25519 */
  readonly publicKey: PublicKey
  /** `null` while no end is set */
  readonly retiredAt: UnixSeconds | null
}

const KID = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}$/
export const isKid = (text: string): boolean => KID.test(text)

/**
 * The JWKS (RFC 7517 §5) to publish. Keys that are retired at `now` are left out, because a relying party with a plain JOSE
 * library knows no `retiredAt`; one that will be retired carries the second.
 * @throws TypeError for no key at all, a kid twice, a private key, or one that is neither P-256 nor Ed25519
 */
export async function jwksOf(keys: readonly VerifierKey[], now: UnixSeconds): Promise<CredentialKeySet> {
  const { exportJWK } = await import('jose')
  const published = await Promise.all(
    keys.map(async ({ kid, publicKey, retiredAt }): Promise<CredentialKey> => {
      if (publicKey.type !== 'public') throw new TypeError(`${kid}: only public keys are published`)
      const jwk = publicJwk(await exportJWK(publicKey as Parameters<typeof exportJWK>[0]))
      if (jwk === undefined) throw new TypeError(`${kid}: a key of P-256 or Ed25519`)
      return { kid, ...jwk, alg: algorithmOf(jwk), use: 'sig', ...(retiredAt === null ? {} : { retiredAt }) }
    }),
  )
  const set = pinnedKeys({ keys: published })
  return { keys: [...set.values()].filter(({ retiredAt }) => retiredAt === undefined || now < retiredAt) }
}

/**
 * The keys that a relying party pinned, by kid.
 * @throws TypeError where the set is empty, names a kid twice, or holds anything but public keys of P-256 and Ed25519: it is
 * configuration, not data
 */
export function pinnedKeys({ keys }: CredentialKeySet): ReadonlyMap<string, CredentialKey> {
  const pinned = new Map<string, CredentialKey>()
  for (const key of keys) {
    const jwk = publicJwk(key)
    if (typeof key.kid !== 'string' || !isKid(key.kid))
      throw new TypeError('every key has a kid of up to 64 characters')
    if (jwk === undefined || 'd' in key) throw new TypeError(`${key.kid}: a public key of P-256 or Ed25519`)
    if (key.alg !== undefined && key.alg !== algorithmOf(jwk)) throw new TypeError(`${key.kid}: alg is not the key's`)
    if (key.retiredAt !== undefined && !Number.isSafeInteger(key.retiredAt))
      throw new TypeError(`${key.kid}: retiredAt is whole seconds since 1970`)
    if (pinned.has(key.kid)) throw new TypeError(`${key.kid}: two keys of one name`)
    pinned.set(key.kid, key)
  }
  if (pinned.size === 0) throw new TypeError('no key is pinned')
  return pinned
}
