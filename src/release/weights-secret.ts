import { utf8 } from '../core/bytes.ts'
import { fromBase64, fromBase64url, fromUtf8, toBase64 } from '../core/encodings.ts'
import { canonicalJson, isJsonObject, type Json, type JsonObject, parseJson } from '../core/json.ts'
import { attempt, type Outcome, refuse } from '../core/outcome.ts'

/** Bytes of a master key, by the algorithm that it is for. */
const KEY_BYTES: Readonly<Record<string, number>> = { aes256gcm: 32, chacha20poly1305: 32, aes128gcm: 16 }
const ED25519_BYTES = 32

/**
 * What is released for sealed weights: their master key, and the public key that their files are verified with, as one JWK
 * set that CryptoTensors reads. Whoever opens the files takes the public key from here, never from a file.
 * @param text JSON: `{ "keys": [ … ] }` with one key of kty oct and one public key of Ed25519
 * @returns the set as canonical text, or ADMIN_REQUEST_INVALID; nothing of the secret is in a fault
 */
export function weightsSecret(text: Uint8Array): Outcome<Uint8Array> {
  return attempt(() => {
    const given = keysOf(text)
    const [master, ...moreMasters] = given.filter((key) => key.kty === 'oct')
    const [verify, ...moreVerify] = given.filter(isOkp)
    if (
      master === undefined ||
      verify === undefined ||
      moreMasters.length + moreVerify.length > 0 ||
      given.length !== 2
    )
      return invalid('secret.keys', 'one key of kty oct and one public key of Ed25519')
    const alg = textOf(master, 'alg')
    const size = KEY_BYTES[alg] ?? invalid('secret.keys.alg', Object.keys(KEY_BYTES).join(', '))
    if ('d' in verify) invalid('secret.keys.d', 'no private key of Ed25519: it never leaves whoever seals')
    const keys = [
      { alg, k: member(master, 'k', size), kid: textOf(master, 'kid'), kty: 'oct' },
      { alg: 'ed25519', kid: textOf(verify, 'kid'), kty: 'okp', x: member(verify, 'x', ED25519_BYTES) },
    ]
    return utf8(canonicalJson({ keys }))
  })
}

/**
 * Whether a secret is a JWK set with a private key that signs, as who seals weights has it: released, everybody who gets the
 * weights could seal others in its name.
 */
export function bringsSigningKey(secret: Uint8Array): boolean {
  const text = fromUtf8(secret, 'secret')
  const json = text.ok ? parseJson(text.value, 'secret') : text
  const keys = json.ok && isJsonObject(json.value) ? json.value.keys : undefined
  return Array.isArray(keys) && (keys as readonly Json[]).some((key) => isJsonObject(key) && isOkp(key) && 'd' in key)
}

const isOkp = ({ kty }: JsonObject): boolean => typeof kty === 'string' && kty.toLowerCase() === 'okp'

const invalid = (path: string, expected: string): never => refuse('ADMIN_REQUEST_INVALID', path, { expected })

function keysOf(bytes: Uint8Array): readonly JsonObject[] {
  const text = fromUtf8(bytes, 'secret')
  const json = text.ok ? parseJson(text.value, 'secret') : text
  const keys = json.ok && isJsonObject(json.value) ? json.value.keys : undefined
  if (!Array.isArray(keys) || !(keys as readonly Json[]).every(isJsonObject)) return invalid('secret', 'a JWK set')
  return keys as readonly JsonObject[]
}

function textOf(key: JsonObject, name: string): string {
  const value = key[name]
  return typeof value === 'string' && value.length > 0 && value.length <= 256
    ? value
    : invalid(`secret.keys.${name}`, 'text')
}

/** Writers use either alphabet; readers of CryptoTensors take the standard one. */
function member(key: JsonObject, name: string, sizeBytes: number): string {
  const text = textOf(key, name)
  const standard = fromBase64(text, name)
  const bytes = standard.ok ? standard.value : fromBase64url(text)
  if (bytes?.length !== sizeBytes) return invalid(`secret.keys.${name}`, `base64 of ${sizeBytes} bytes`)
  return toBase64(bytes)
}
