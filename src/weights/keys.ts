import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto'
import { concatBytes, equalBytes } from '../core/bytes.ts'
import { fromBase64, fromBase64url, fromHex, fromUtf8, toBase64, toHex } from '../core/encodings.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../core/json.ts'
import { attempt, type Outcome, refuse, take } from '../core/outcome.ts'
import { AEADS, aeadName, type MasterKey, secretKey } from './aead.ts'

/**
 * The keys of a model: the one that wraps the keys of its tensors and files, and the Ed25519 key that its headers and manifest
 * are verified with. Whoever seals or rewraps also has the private half. Printing it shows no key material.
 */
export interface ModelKey {
  readonly encryption: MasterKey & { readonly kid: string | undefined }
  readonly verifying: { readonly kid: string | undefined; readonly key: KeyObject }
  readonly signing: KeyObject | undefined
}

/** @throws TypeError for anything else than a `ModelKey`, such as the outcome that it came in */
export function checkModelKey(key: unknown, name: string): asserts key is ModelKey {
  const { encryption, verifying } = (key ?? {}) as Partial<ModelKey>
  if (typeof encryption?.aead !== 'string' || verifying?.key === undefined)
    throw new TypeError(`${name} is a ModelKey, the value of what readKeyFile, releasedModelKey or newModelKey gives`)
}

const ED25519_BYTES = 32
/** RFC 8410: everything of a PKCS #8 or SubjectPublicKeyInfo of Ed25519 that stands in front of the 32 bytes. */
const PKCS8_PREFIX = take(fromHex('302e020100300506032b657004220420', 16, ''))
const SPKI_PREFIX = take(fromHex('302a300506032b6570032100', 12, ''))

const privateKey = (seed: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.from(concatBytes(PKCS8_PREFIX, seed)), format: 'der', type: 'pkcs8' })

const publicKey = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.from(concatBytes(SPKI_PREFIX, raw)), format: 'der', type: 'spki' })

const rawPublic = (key: KeyObject): Uint8Array => key.export({ format: 'der', type: 'spki' }).subarray(-ED25519_BYTES)
const seedOf = (key: KeyObject): Uint8Array => key.export({ format: 'der', type: 'pkcs8' }).subarray(-ED25519_BYTES)

/** A fresh key: AES-256-GCM and Ed25519, with names by chance. */
export function newModelKey(): ModelKey {
  const id = toHex(randomBytes(8))
  const signing = privateKey(randomBytes(ED25519_BYTES))
  return {
    encryption: { aead: 'aes256gcm', key: secretKey(randomBytes(AEADS.aes256gcm.keyBytes)), kid: `model-${id}` },
    verifying: { kid: `model-${id}-sign`, key: createPublicKey(signing) },
    signing,
  }
}

/**
 * Reads a JWK set, an array of JWKs, or what `modelKeyFile` writes: exactly one key of type `oct` and one of type `OKP`. Bytes may
 * be in standard base64, as the Python package has them, or in base64url, as JWKs have them.
 * @returns the keys, or UTF8_INVALID · JSON_SYNTAX · JSON_DUPLICATE_KEY · LIMIT_JSON_DEPTH · LIMIT_JSON_VALUES ·
 * WEIGHTS_KEY_FILE_INVALID · WEIGHTS_ALGORITHM_UNKNOWN · WEIGHTS_KEY_PAIR_MISMATCH. No fault shows a value of the file.
 */
export const parseModelKey = (bytes: Uint8Array): Outcome<ModelKey> =>
  attempt(() => {
    const jwks = jwksOf(parsed(bytes))
    const masters = jwks.filter(({ jwk }) => typeOf(jwk) === 'oct')
    const signers = jwks.filter(({ jwk }) => typeOf(jwk) === 'okp')
    const [master, signer] = [masters[0], signers[0]]
    if (master === undefined || signer === undefined || jwks.length !== 2)
      return refuse('WEIGHTS_KEY_FILE_INVALID', 'keys', { expected: 'one key of type oct and one of type OKP' })
    return { encryption: masterKey(master), ...signatureKeys(signer) }
  })

/** Syntax faults show the text at their place, and this text is secret. */
function parsed(bytes: Uint8Array): Json {
  const value = parseJson(take(fromUtf8(bytes, 'key file')), '')
  return value.ok ? value.value : refuse(value.faults[0].code, 'key file')
}

interface At {
  readonly jwk: JsonObject
  readonly path: string
}

function jwksOf(value: Json): readonly At[] {
  const list = isJsonObject(value) ? value.keys : value
  if (!Array.isArray(list)) return refuse('WEIGHTS_KEY_FILE_INVALID', 'keys', { expected: 'an array' })
  return (list as readonly Json[]).map((jwk, i) =>
    isJsonObject(jwk) ? { jwk, path: `keys/${i}` } : refuse('WEIGHTS_KEY_FILE_INVALID', `keys/${i}`),
  )
}

const typeOf = (jwk: JsonObject): string => (typeof jwk.kty === 'string' ? jwk.kty.toLowerCase() : '')

function masterKey({ jwk, path }: At): ModelKey['encryption'] {
  const alg = textOf(jwk, 'alg', path) ?? refuse('WEIGHTS_KEY_FILE_INVALID', `${path}/alg`, { expected: 'a string' })
  const aead = aeadName(alg) ?? refuse('WEIGHTS_ALGORITHM_UNKNOWN', `${path}/alg`, { actual: alg })
  const key = bytesOf(jwk, 'k', AEADS[aead].keyBytes, path)
  if (key === undefined) return refuse('WEIGHTS_KEY_FILE_INVALID', `${path}/k`, { expected: 'the key' })
  return { aead, key: secretKey(key), kid: textOf(jwk, 'kid', path) }
}

function signatureKeys({ jwk, path }: At): Pick<ModelKey, 'verifying' | 'signing'> {
  for (const [name, wanted] of [
    ['alg', ['ed25519', 'eddsa']],
    ['crv', ['ed25519']],
  ] as const) {
    const text = textOf(jwk, name, path)
    if (text !== undefined && !wanted.some((one) => one === text.toLowerCase()))
      refuse('WEIGHTS_ALGORITHM_UNKNOWN', `${path}/${name}`, { expected: 'Ed25519', actual: text })
  }
  if (jwk.alg === undefined && jwk.crv === undefined)
    refuse('WEIGHTS_KEY_FILE_INVALID', `${path}/crv`, { expected: 'Ed25519' })
  const kid = textOf(jwk, 'kid', path)
  const [x, d] = [bytesOf(jwk, 'x', ED25519_BYTES, path), bytesOf(jwk, 'd', ED25519_BYTES, path)]
  if (d === undefined) {
    if (x === undefined) return refuse('WEIGHTS_KEY_FILE_INVALID', `${path}/x`, { expected: 'the public key' })
    return { verifying: { kid, key: publicKey(x) }, signing: undefined }
  }
  const signing = privateKey(d)
  const verifying = createPublicKey(signing)
  if (x !== undefined && !equalBytes(x, rawPublic(verifying))) refuse('WEIGHTS_KEY_PAIR_MISMATCH', path)
  return { verifying: { kid, key: verifying }, signing }
}

function textOf(jwk: JsonObject, name: string, path: string): string | undefined {
  const text = jwk[name]
  if (text === undefined || typeof text === 'string') return text
  return refuse('WEIGHTS_KEY_FILE_INVALID', `${path}/${name}`, { expected: 'a string' })
}

function bytesOf(jwk: JsonObject, name: string, sizeBytes: number, path: string): Uint8Array | undefined {
  const text = textOf(jwk, name, path)
  if (text === undefined) return undefined
  const standard = fromBase64(text, name)
  const bytes = standard.ok ? standard.value : fromBase64url(text)
  if (bytes?.length === sizeBytes) return bytes
  return refuse('WEIGHTS_KEY_FILE_INVALID', `${path}/${name}`, { expected: `${sizeBytes} bytes in base64` })
}

/**
 * The content of a key file, which is a secret: a JWK set as the Python package `cryptotensors` reads it. Without a private
 * signing key it opens a model and seals none.
 */
export function modelKeyFile({ encryption, verifying, signing }: ModelKey): string {
  const named = (kid: string | undefined) => (kid === undefined ? {} : { kid })
  const k = toBase64(encryption.key.export())
  const x = toBase64(rawPublic(verifying.key))
  const keys = [
    { kty: 'oct', alg: encryption.aead, ...named(encryption.kid), k },
    {
      ...{ kty: 'okp', alg: 'ed25519', ...named(verifying.kid), x },
      ...(signing === undefined ? {} : { d: toBase64(seedOf(signing)) }),
    },
  ]
  return `${JSON.stringify({ keys }, null, 2)}\n`
}

/**
 * The key of a release: what a broker hands to an attested machine, one JWK to decrypt with and one to verify with. A private
 * signing key in it is dropped: it has no place there.
 * @returns the key, or what `parseModelKey` returns
 */
export const releasedModelKey = (encryptionJwk: unknown, verifyingJwk: unknown): Outcome<ModelKey> =>
  attempt(() => {
    const text = JSON.stringify({ keys: [encryptionJwk ?? null, verifyingJwk ?? null] })
    return { ...take(parseModelKey(new TextEncoder().encode(text))), signing: undefined }
  })

export const signed = (key: KeyObject, message: Uint8Array): Uint8Array => sign(null, message, key)

export const isSignedBy = (key: ModelKey, message: Uint8Array, signature: Uint8Array): boolean =>
  verify(null, message, key.verifying.key, signature)

/** Names of the two keys as headers and manifests have them: what a reader compares before it tries. */
export interface KeyNames {
  readonly enc: { readonly alg: string; readonly kid: string | undefined }
  readonly sign: { readonly alg: string; readonly kid: string | undefined }
}

export const namesOf = ({ encryption, verifying }: ModelKey): KeyNames => ({
  enc: { alg: encryption.aead, kid: encryption.kid },
  sign: { alg: 'ed25519', kid: verifying.kid },
})

/** Ends the surrounding `attempt` with WEIGHTS_KEY_OTHER or WEIGHTS_ALGORITHM_UNKNOWN unless these are the names of `key`. */
export function requireNames(names: KeyNames, key: ModelKey, path: string): void {
  const own = namesOf(key)
  const aead = aeadName(names.enc.alg)
  if (aead === undefined) refuse('WEIGHTS_ALGORITHM_UNKNOWN', `${path}/enc/alg`, { actual: names.enc.alg })
  if (names.sign.alg.toLowerCase() !== own.sign.alg)
    refuse('WEIGHTS_ALGORITHM_UNKNOWN', `${path}/sign/alg`, { actual: names.sign.alg })
  if (aead !== own.enc.alg)
    refuse('WEIGHTS_KEY_OTHER', `${path}/enc/alg`, { expected: own.enc.alg, actual: names.enc.alg })
  for (const role of ['enc', 'sign'] as const) {
    const [theirs, ours] = [names[role].kid, own[role].kid]
    // Names are optional in both places; where one is missing the cryptography alone decides.
    if (theirs !== undefined && ours !== undefined && theirs !== ours)
      refuse('WEIGHTS_KEY_OTHER', `${path}/${role}/kid`, { expected: ours, actual: theirs })
  }
}
