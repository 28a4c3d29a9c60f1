import { fromBase64url, fromUtf8 } from '../../core/encodings.ts'
import { isJsonObject, type JsonObject, parseJson } from '../../core/json.ts'
import { attempt, type Outcome, refuse, take } from '../../core/outcome.ts'

/** The two algorithms that we sign with. Which one counts is fixed by the key, never by the token. */
export type SigningAlgorithm = 'ES256' | 'EdDSA'

/** A private key of the platform: WebCrypto's CryptoKey or Node's KeyObject. Raw key material is not accepted. */
export interface PrivateKey {
  readonly type: 'private' | 'public' | 'secret' | (string & {})
}
export type PublicKey = PrivateKey

/** A public key as a JWK (RFC 7517), of the two kinds that we sign with. */
export type PublicJwk =
  | { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string }
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }

/** A compact JWS taken apart. Nothing in it is proved. */
export interface SplitJws {
  readonly header: JsonObject
  readonly payload: Uint8Array
}

const MOST_CHARACTERS = 32 * 1024

/**
 * Takes a compact JWS (RFC 7515 §7.1) apart: three parts in canonical base64url, and a header of exactly the members `known`.
 * That leaves no place for `jku`, `x5u`, `jwk`, `x5c`, `crit` or `b64` unless it is named.
 * @param code under which a wrong form is refused
 * @returns the parts, or `code` · UTF8_INVALID · JSON_SYNTAX · JSON_DUPLICATE_KEY · LIMIT_JSON_DEPTH · LIMIT_JSON_VALUES
 */
export function splitJws(
  jws: string,
  known: readonly string[],
  code: 'RESULT_INVALID' | 'RESULT_HOLDER_NOT_PROVED' | 'AUDIT_CHECKPOINT_INVALID',
  path: string,
): Outcome<SplitJws> {
  return attempt(() => {
    const invalid = (at: string, expected: string): never => refuse(code, at, { expected })
    if (typeof jws !== 'string') return invalid(path, 'text')
    if (jws.length > MOST_CHARACTERS) invalid(path, `at most ${MOST_CHARACTERS} characters`)
    const parts = jws.split('.').map((part) => (part === '' ? undefined : fromBase64url(part)))
    const [head, payload, signature] = parts
    if (head === undefined || payload === undefined || signature === undefined || parts.length !== 3)
      return invalid(path, 'a compact JWS')
    const at = `${path}.header`
    const header = take(parseJson(take(fromUtf8(head, at)), at))
    if (!isJsonObject(header)) return invalid(at, 'an object')
    const unknown = Object.keys(header).find((name) => !known.includes(name))
    if (unknown !== undefined) return refuse(code, `${at}.${unknown}`, { expected: `only ${known.join(', ')}` })
    return { header, payload }
  })
}

/** The algorithm of a key; RFC 8725 §3.1. */
export const algorithmOf = (jwk: PublicJwk): SigningAlgorithm => (jwk.crv === 'P-256' ? 'ES256' : 'EdDSA')

const COORDINATE = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

/** The public members alone, or undefined where they are not those of a key that we sign with. */
export function publicJwk(jwk: object): PublicJwk | undefined {
  const { kty, crv, x, y } = jwk as { readonly [name: string]: unknown }
  const isCoordinate = (value: unknown): value is string => typeof value === 'string' && COORDINATE.test(value)
  if (!isCoordinate(x)) return undefined
  if (kty === 'EC' && crv === 'P-256' && isCoordinate(y)) return { kty, crv, x, y }
  return kty === 'OKP' && crv === 'Ed25519' && y === undefined ? { kty, crv, x } : undefined
}

/** Whether the signature of a compact JWS is that of `jwk`, with the one algorithm of that key. */
export async function isSignedBy(jws: string, jwk: PublicJwk): Promise<boolean> {
  const { compactVerify, errors, importJWK } = await import('jose')
  const algorithm = algorithmOf(jwk)
  let key: Awaited<ReturnType<typeof importJWK>>
  try {
    key = await importJWK({ ...jwk }, algorithm)
  } catch {
    // A point off the curve; nothing can be signed by it.
    return false
  }
  try {
    await compactVerify(jws, key, { algorithms: [algorithm] })
    return true
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error
    return false
  }
}

/** Signs with a key of the platform. */
export async function signJws(
  payload: Uint8Array,
  header: { readonly alg: SigningAlgorithm; readonly [member: string]: unknown },
  key: PrivateKey,
): Promise<string> {
  const { CompactSign } = await import('jose')
  if (key.type !== 'private') throw new TypeError('signer.key is a private CryptoKey or KeyObject')
  return new CompactSign(payload).setProtectedHeader(header).sign(key as Parameters<CompactSign['sign']>[0])
}

type CompactSign = InstanceType<typeof import('jose')['CompactSign']>
