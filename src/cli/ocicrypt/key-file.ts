import { fromBase64, fromBase64url, fromUtf8 } from '../../core/encodings.ts'
import { isJsonObject, type Json, parseJson } from '../../core/json.ts'
import { fail, type Outcome, ok } from '../../core/outcome.ts'
import { readPrivateFile } from '../../files/private-file.ts'
import type { KekSource } from '../../ocicrypt/provider.ts'
import { UsageError } from '../input.ts'

/**
 * Keys for images in a file that its owner alone can open: a JWK set of `{ "kty": "oct", "kid": "kbs:///…", "k": … }`.
 * @throws UsageError where it cannot be used
 */
export async function fileKeks(path: string): Promise<KekSource> {
  const bytes = await readPrivateFile(path).catch((error: unknown) => {
    throw new UsageError(error instanceof Error ? error.message : `cannot read ${path}`)
  })
  const text = fromUtf8(bytes, path)
  const json = text.ok ? parseJson(text.value, path) : text
  const keys = json.ok && isJsonObject(json.value) ? json.value.keys : undefined
  if (!Array.isArray(keys)) throw new UsageError(`${path} is not a JWK set`)
  return async (keyId) => {
    const found = (keys as readonly Json[]).filter((key) => isJsonObject(key) && key.kid === keyId)
    const [key] = found
    if (found.length !== 1 || !isJsonObject(key) || key.kty !== 'oct' || typeof key.k !== 'string')
      return fail('OCICRYPT_KEY_UNKNOWN', 'key', { expected: keyId })
    return bytesOf(key.k)
  }
}

function bytesOf(text: string): Outcome<Uint8Array> {
  const standard = fromBase64(text, 'key.k')
  if (standard.ok) return standard
  const bytes = fromBase64url(text)
  return bytes === undefined ? fail('OCICRYPT_KEY_INVALID', 'key.k', { expected: 'base64' }) : ok(bytes)
}
