import { equalBytes, utf8 } from '../../core/bytes.ts'
import { curveOf, isUncompressedPoint } from '../../core/crypto/ecdsa.ts'
import { fromUtf8, toBase64url } from '../../core/encodings.ts'
import { canonicalJson, isJsonObject, parseJson } from '../../core/json.ts'
import { attemptAsync, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import { accountThumbprint, isSignedByAccount } from './account.ts'
import {
  algorithmOf,
  isSignedBy,
  type PrivateKey,
  type PublicJwk,
  type PublicKey,
  publicJwk,
  signJws,
  splitJws,
} from './jws.ts'

/** `typ` of the JWS, so that nothing else the holder signs can be taken for a proof. */
export const HOLDER_PROOF_TYPE = 'vouchsafe-holder-proof+jwt'

/** How long a proof lasts, and how much its holder's clock may be ahead. */
export const HOLDER_PROOF_SECONDS = 60

/** What a holder states when it presents a credential: which one, to whom, when, and in answer to what. */
export interface HolderStatement {
  readonly jti: string
  readonly aud: string
  readonly iat: UnixSeconds
  /** of the relying party: random, single use, at least 16 characters */
  readonly nonce: string
}

/**
 * A proof of the key that a credential names in `cnf`.
 *  jws    a compact JWS over the statement by a key of P-256 or Ed25519, which it carries in its header as `jwk`
 *  adr36  a wallet's signature of the statement's text by the provider's account key (secp256k1)
 */
export type HolderProof =
  | { readonly kind: 'jws'; readonly jws: string }
  | {
      readonly kind: 'adr36'
      /** compressed point, 33 bytes */
      readonly publicKey: Uint8Array
      /** r ‖ s, 64 bytes */
      readonly signature: Uint8Array
      readonly iat: UnixSeconds
    }

/** The statement as text, one spelling: the payload of the JWS, and the data that a wallet is asked to sign. */
export const holderStatementText = ({ jti, aud, iat, nonce }: HolderStatement): string =>
  canonicalJson({ typ: HOLDER_PROOF_TYPE, jti, aud, iat, nonce })

/** RFC 7638 thumbprint of a key of P-256 or Ed25519, for `cnf`. */
export async function holderThumbprint(publicKey: PublicKey): Promise<string> {
  const { calculateJwkThumbprint } = await import('jose')
  return calculateJwkThumbprint(await exportedJwk(publicKey))
}

const ED25519_SPKI = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00)

/**
 * RFC 7638 thumbprint of a key as evidence carries it.
 * @param spki DER, of an uncompressed point where it is P-256
 * @returns undefined for every other key, such as one of X25519: it can sign no proof, so it holds no credential
 */
export async function spkiThumbprint(spki: Uint8Array): Promise<string | undefined> {
  const jwk = jwkOfSpki(spki)
  if (jwk === undefined) return undefined
  const { calculateJwkThumbprint } = await import('jose')
  return calculateJwkThumbprint({ ...jwk })
}

function jwkOfSpki(spki: Uint8Array): PublicJwk | undefined {
  if (curveOf(spki) === 'P-256') {
    const point = spki.subarray(-65)
    if (!isUncompressedPoint('P-256', point)) return undefined
    return { kty: 'EC', crv: 'P-256', x: toBase64url(point.subarray(1, 33)), y: toBase64url(point.subarray(33)) }
  }
  const head = ED25519_SPKI.length
  if (spki.length !== head + 32 || !equalBytes(spki.subarray(0, head), ED25519_SPKI)) return undefined
  return { kty: 'OKP', crv: 'Ed25519', x: toBase64url(spki.subarray(head)) }
}

async function exportedJwk(publicKey: PublicKey) {
  const { exportJWK } = await import('jose')
  const jwk = publicJwk(await exportJWK(publicKey as Parameters<typeof exportJWK>[0]))
  if (publicKey.type !== 'public' || jwk === undefined) throw new TypeError('a public key of P-256 or Ed25519')
  return jwk
}

/** The holder's side: proves a key of P-256 or Ed25519 to a relying party that asked with `nonce`. */
export async function proveHolder(
  statement: HolderStatement,
  pair: { readonly publicKey: PublicKey; readonly privateKey: PrivateKey },
): Promise<HolderProof> {
  const jwk = await exportedJwk(pair.publicKey)
  const header = { alg: algorithmOf(jwk), typ: HOLDER_PROOF_TYPE, jwk }
  return { kind: 'jws', jws: await signJws(utf8(holderStatementText(statement)), header, pair.privateKey) }
}

/**
 * Whether the key of `jkt` answered: this credential, this relying party, this nonce, now.
 * @param asked what the statement must say; its `iat` is the time of the check
 * @param subject the provider, whose account an ADR-36 proof must come from
 * @returns nothing, or RESULT_HOLDER_NOT_PROVED · UTF8_INVALID · JSON_SYNTAX · JSON_DUPLICATE_KEY · LIMIT_JSON_DEPTH ·
 * LIMIT_JSON_VALUES
 */
export function checkHolder(
  proof: HolderProof,
  jkt: string,
  subject: string,
  asked: HolderStatement,
): Promise<Outcome<void>> {
  return attemptAsync(async () => {
    // It comes from the holder, whatever its type says here.
    const given: Partial<HolderProof> | null | undefined = proof
    if (given?.kind === 'jws') return checkJws(given.jws as string, jkt, asked)
    if (given?.kind !== 'adr36' || !isBytes(given.publicKey) || !isBytes(given.signature))
      return notProved('holder.proof', 'a proof of kind jws or adr36')
    return checkAccount(proof as Extract<HolderProof, { kind: 'adr36' }>, jkt, subject, asked)
  })
}

const isBytes = (value: unknown): boolean => value instanceof Uint8Array

const notProved = (path: string, expected: string | number, actual?: string | number): never =>
  refuse('RESULT_HOLDER_NOT_PROVED', path, { expected, ...(actual === undefined ? {} : { actual }) })

async function checkJws(jws: string, jkt: string, asked: HolderStatement): Promise<void> {
  const { header, payload } = take(splitJws(jws, ['alg', 'typ', 'jwk'], 'RESULT_HOLDER_NOT_PROVED', 'holder'))
  if (header.typ !== HOLDER_PROOF_TYPE) notProved('holder.header.typ', HOLDER_PROOF_TYPE)
  // The key may travel in the header here: the credential's issuer has signed its thumbprint.
  const given = header.jwk
  const jwk = isJsonObject(given) ? publicJwk(given) : undefined
  if (jwk === undefined || !isJsonObject(given) || Object.keys(given).some((name) => !(name in jwk)))
    return notProved('holder.header.jwk', 'a public key of P-256 or Ed25519 and no other member')
  if (header.alg !== algorithmOf(jwk)) notProved('holder.header.alg', algorithmOf(jwk))
  const { calculateJwkThumbprint } = await import('jose')
  const thumbprint = await calculateJwkThumbprint({ ...jwk })
  if (thumbprint !== jkt) notProved('holder.header.jwk', jkt, thumbprint)
  if (!(await isSignedBy(jws, jwk))) notProved('holder.signature', 'a signature of that key')
  const text = take(fromUtf8(payload, 'holder.payload'))
  const stated = take(parseJson(text, 'holder.payload', 'integers'))
  if (!isJsonObject(stated) || typeof stated.iat !== 'number')
    return notProved('holder.payload', 'a statement with jti, aud, iat and nonce')
  checkAge(stated.iat, asked.iat)
  const expected = holderStatementText({ ...asked, iat: stated.iat })
  if (text !== expected) notProved('holder.payload', expected, text)
}

async function checkAccount(
  { publicKey, signature, iat }: Extract<HolderProof, { kind: 'adr36' }>,
  jkt: string,
  subject: string,
  asked: HolderStatement,
): Promise<void> {
  checkAge(iat, asked.iat)
  const data = utf8(holderStatementText({ ...asked, iat }))
  if (!(await isSignedByAccount(subject, data, publicKey, signature)))
    return notProved(
      'holder.signature',
      `an ADR-36 signature of ${subject} over ${holderStatementText({ ...asked, iat })}`,
    )
  const thumbprint = await accountThumbprint(publicKey)
  if (thumbprint !== jkt) notProved('holder.publicKey', jkt, thumbprint)
}

function checkAge(iat: UnixSeconds, now: UnixSeconds): void {
  if (!Number.isSafeInteger(iat) || Math.abs(now - iat) > HOLDER_PROOF_SECONDS)
    notProved('holder.iat', `within ${HOLDER_PROOF_SECONDS} s of ${now}`, iat)
}
