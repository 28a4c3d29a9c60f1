import { concatBytes, utf8 } from '../core/bytes.ts'
import { fromBase64, fromUtf8, toBase64 } from '../core/encodings.ts'
import { canonicalJson, isJsonObject, type Json, type JsonObject, parseJson } from '../core/json.ts'
import { LIMITS } from '../core/limits.ts'
import { attempt, type Outcome, refuse, take } from '../core/outcome.ts'
import { IV_BYTES, TAG_BYTES, type WrappedKey } from './aead.ts'
import { safePath } from './files.ts'
import { isSignedBy, type KeyNames, type ModelKey, requireNames, signed } from './keys.ts'
import { STREAM_KEY_BYTES } from './stream.ts'
import type { ReleaseTerms } from './terms.ts'

export const MANIFEST_NAME = 'vouchsafe-manifest.json'

/** What stands before the signed text, so that a manifest is never taken for the header of a model file. */
const CONTEXT = utf8('vouchsafe/model-manifest/1\0')

/** One file of a sealed model. */
export type ManifestFile = {
  /** where it was, and where opening puts it */
  readonly path: string
  /** where it is in the sealed folder */
  readonly name: string
  /** of the sealed file */
  readonly sizeBytes: number
  /** of the sealed file; of a CryptoTensors file its length and header, whose tags prove the rest */
  readonly digest: string
} & ({ readonly format: 'cryptotensors' } | { readonly format: 'tink-aes-gcm-hkdf-1mb'; readonly key: WrappedKey })

export interface Manifest {
  readonly names: KeyNames
  readonly terms: ReleaseTerms
  readonly files: readonly ManifestFile[]
}

type Body = { [key: string]: Json }

const messageOf = (body: JsonObject): Uint8Array => concatBytes(CONTEXT, utf8(canonicalJson(body)))

const optional = (name: string, value: string | undefined) => (value === undefined ? {} : { [name]: value })

/** The manifest as it stands in its file, signed. The key must have its private half. */
export function encodeManifest({ names, terms, files }: Manifest, key: ModelKey): Uint8Array<ArrayBuffer> {
  if (key.signing === undefined) throw new TypeError('a manifest is signed with the private signing key')
  const identity = ({ alg, kid }: KeyNames['enc']) => ({ alg, ...optional('kid', kid) })
  const body: Body = {
    format: 'vouchsafe/model-manifest',
    version: 1,
    keys: { enc: identity(names.enc), sign: identity(names.sign) },
    ...optional('policyDigest', terms.policyDigest),
    ...optional('brokerUrl', terms.brokerUrl),
    files: files.map(fileJson),
  }
  const signature = toBase64(signed(key.signing, messageOf(body)))
  return utf8(`${JSON.stringify({ ...body, signature }, null, 2)}\n`)
}

export const fileJson = (file: ManifestFile): JsonObject => ({
  ...{ path: file.path, name: file.name, format: file.format, sizeBytes: file.sizeBytes, digest: file.digest },
  ...('key' in file ? { key: wrappedJson(file.key) } : {}),
})

const wrappedJson = ({ wrappedKey, keyIv, keyTag }: WrappedKey): JsonObject => ({
  ...{ wrapped_key: toBase64(wrappedKey), key_iv: toBase64(keyIv), key_tag: toBase64(keyTag) },
})

interface SignedManifest {
  readonly manifest: Manifest
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Reads a manifest without proving anything of it.
 * @returns the manifest, or WEIGHTS_MANIFEST_MALFORMED · WEIGHTS_SIGNATURE_MISSING · WEIGHTS_PATH_UNSAFE · UTF8_INVALID ·
 * ENV_BASE64_NOT_CANONICAL · the codes of `parseJson`
 */
export const decodeManifest = (bytes: Uint8Array): Outcome<SignedManifest> =>
  attempt(() => {
    const text = take(fromUtf8(bytes, MANIFEST_NAME))
    const object = objectOf(take(parseJson(text, '', 'integers', LIMITS.modelHeaderValues)), '')
    const { signature, ...body } = object
    if (body.format !== 'vouchsafe/model-manifest' || body.version !== 1)
      refuse('WEIGHTS_MANIFEST_MALFORMED', '/version', { expected: 'vouchsafe/model-manifest, version 1' })
    const known = ['format', 'version', 'keys', 'policyDigest', 'brokerUrl', 'files']
    const unknown = Object.keys(body).find((key) => !known.includes(key))
    if (unknown !== undefined) refuse('WEIGHTS_MANIFEST_MALFORMED', `/${unknown}`, { expected: 'no other member' })
    const keys = objectOf(body.keys, '/keys')
    const manifest = {
      names: { enc: nameOf(keys.enc, '/keys/enc'), sign: nameOf(keys.sign, '/keys/sign') },
      terms: { policyDigest: maybeText(body, 'policyDigest', ''), brokerUrl: maybeText(body, 'brokerUrl', '') },
      files: filesOf(body.files),
    }
    if (signature === undefined) return refuse('WEIGHTS_SIGNATURE_MISSING', `${MANIFEST_NAME}/signature`)
    const proof = take(fromBase64(textOf(object, 'signature', ''), '/signature'))
    return { manifest, message: messageOf(body as JsonObject), signature: proof }
  })

/**
 * The manifest that the owner of the key wrote.
 * @returns it, or what `decodeManifest` returns · WEIGHTS_KEY_OTHER · WEIGHTS_ALGORITHM_UNKNOWN · WEIGHTS_SIGNATURE_INVALID
 */
export const authenticateManifest = (bytes: Uint8Array, key: ModelKey): Outcome<Manifest> =>
  attempt(() => {
    const { manifest, message, signature } = take(decodeManifest(bytes))
    requireNames(manifest.names, key, '/keys')
    if (!isSignedBy(key, message, signature)) refuse('WEIGHTS_SIGNATURE_INVALID', MANIFEST_NAME)
    return manifest
  })

function objectOf(value: Json | undefined, path: string): JsonObject {
  return isJsonObject(value) ? value : refuse('WEIGHTS_MANIFEST_MALFORMED', path, { expected: 'an object' })
}

function textOf(object: JsonObject, name: string, path: string): string {
  const value = object[name]
  return typeof value === 'string'
    ? value
    : refuse('WEIGHTS_MANIFEST_MALFORMED', `${path}/${name}`, { expected: 'a string' })
}

const maybeText = (object: JsonObject, name: string, path: string): string | undefined =>
  object[name] === undefined ? undefined : textOf(object, name, path)

const nameOf = (value: Json | undefined, path: string): KeyNames['enc'] => {
  const object = objectOf(value, path)
  return { alg: textOf(object, 'alg', path), kid: maybeText(object, 'kid', path) }
}

function filesOf(value: Json | undefined): readonly ManifestFile[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > LIMITS.modelFiles)
    return refuse('WEIGHTS_MANIFEST_MALFORMED', '/files', { expected: `1 to ${LIMITS.modelFiles} files` })
  const files = (value as readonly Json[]).map((file, i) => take(decodeManifestFile(file, `/files/${i}`)))
  for (const member of ['path', 'name'] as const) {
    const seen = new Set(files.map((file) => file[member]))
    if (seen.size !== files.length) refuse('WEIGHTS_MANIFEST_MALFORMED', '/files', { expected: `each ${member} once` })
  }
  return files
}

/** One entry. @returns it, or WEIGHTS_MANIFEST_MALFORMED · WEIGHTS_PATH_UNSAFE · ENV_BASE64_NOT_CANONICAL */
export const decodeManifestFile = (value: Json | undefined, at: string): Outcome<ManifestFile> =>
  attempt(() => {
    const object = objectOf(value, at)
    const { sizeBytes, format } = object
    if (typeof sizeBytes !== 'number' || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
      return refuse('WEIGHTS_MANIFEST_MALFORMED', `${at}/sizeBytes`, { expected: 'a number of bytes' })
    const digest = textOf(object, 'digest', at)
    if (!/^sha256:[0-9a-f]{64}$/.test(digest)) refuse('WEIGHTS_MANIFEST_MALFORMED', `${at}/digest`)
    const [path, name] = [take(safePath(textOf(object, 'path', at))), take(safePath(textOf(object, 'name', at)))]
    const common = { path, name, sizeBytes, digest }
    if (format === 'cryptotensors') return { ...common, format }
    if (format !== 'tink-aes-gcm-hkdf-1mb')
      return refuse('WEIGHTS_MANIFEST_MALFORMED', `${at}/format`, {
        expected: 'cryptotensors or tink-aes-gcm-hkdf-1mb',
      })
    const key = objectOf(object.key, `${at}/key`)
    const bytes = (member: string, size: number): Uint8Array => {
      const decoded = take(fromBase64(textOf(key, member, `${at}/key`), `${at}/key/${member}`))
      if (decoded.length === size) return decoded
      return refuse('WEIGHTS_MANIFEST_MALFORMED', `${at}/key/${member}`, { expected: `${size} bytes` })
    }
    const wrapped = {
      wrappedKey: bytes('wrapped_key', STREAM_KEY_BYTES),
      keyIv: bytes('key_iv', IV_BYTES),
      keyTag: bytes('key_tag', TAG_BYTES),
    }
    return { ...common, format, key: wrapped }
  })
