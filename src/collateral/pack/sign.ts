import { fail, type Outcome, ok } from '../../core/outcome.ts'
import { algorithmOf, type PrivateKey, type PublicJwk, publicJwk, signJws } from '../../decision/credential/jws.ts'
import { type CollateralPack, packContent, type ReadPack } from './pack.ts'

/** Keeps a signature of another kind from passing for that of a pack. */
const TYPE = 'vouchsafe-collateral-pack'

/**
 * Signs a pack: a JWS whose payload is detached (RFC 7515, appendix F), over `packContent`.
 * @param key private, P-256 or Ed25519
 */
export async function signPack(pack: CollateralPack, key: PrivateKey, jwk: PublicJwk): Promise<string> {
  const jws = await signJws(packContent(pack), { alg: algorithmOf(jwk), typ: TYPE }, key)
  const [header, , signature] = jws.split('.')
  return `${header}..${signature}`
}

/**
 * Proves that a pack was signed by `key`, with the one algorithm of that key. What is in the pack is proved by the vendors'
 * signatures, with or without this one.
 * @returns the pack, or COLLATERAL_PACK_UNSIGNED · COLLATERAL_PACK_SIGNATURE_INVALID
 */
export async function checkPackSignature(read: ReadPack, key: PublicJwk, path: string): Promise<Outcome<ReadPack>> {
  if (read.signature === undefined) return fail('COLLATERAL_PACK_UNSIGNED', path)
  const { compactVerify, errors, importJWK } = await import('jose')
  const [header, nothing, signature, more] = read.signature.split('.')
  const alg = algorithmOf(key)
  const invalid = (actual: string) => fail('COLLATERAL_PACK_SIGNATURE_INVALID', path, { expected: alg, actual })
  if (nothing !== '' || more !== undefined) return invalid('no JWS with a detached payload')
  const payload = Buffer.from(packContent(read.pack)).toString('base64url')
  try {
    const { protectedHeader } = await compactVerify(`${header}.${payload}.${signature}`, await importJWK(key, alg), {
      algorithms: [alg],
    })
    return protectedHeader.typ === TYPE ? ok(read) : invalid(`type ${protectedHeader.typ}`)
  } catch (error) {
    if (error instanceof errors.JOSEError) return invalid(error.code)
    throw error
  }
}

/** @returns undefined for anything but a public key of P-256 or Ed25519 */
export const packKey = (jwk: object): PublicJwk | undefined => ('d' in jwk ? undefined : publicJwk(jwk))
