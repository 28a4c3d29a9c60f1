import { utf8 } from '../core/bytes.ts'
import { fromBase64, fromUtf8, toBase64 } from '../core/encodings.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../core/json.ts'
import { attempt, type Outcome, refuse, take, unquoted } from '../core/outcome.ts'

/** Name of the key provider, as images are annotated with it: `org.opencontainers.image.enc.keys.provider.vouchsafe`. */
export const PROVIDER = 'vouchsafe'
/** Confidential Containers' guests know no other. Images encrypted for them are annotated with it. */
const PROVIDERS: readonly string[] = [PROVIDER, 'attestation-agent']

/** What ocicrypt asks a key provider: to wrap the key of a layer, or to unwrap it. */
export type ProviderRequest =
  | { readonly op: 'keywrap'; readonly keyId: string; readonly layerKey: Uint8Array }
  | { readonly op: 'keyunwrap'; readonly annotation: WrappedLayerKey }

/** The key of a layer under a key-encryption key, as it stands in the image's annotation. */
export interface WrappedLayerKey {
  /** `kbs:///tenant/type/tag` */
  readonly keyId: string
  readonly iv: Uint8Array
  /** AES-256-GCM: ciphertext and tag */
  readonly wrapped: Uint8Array
}

const KEY_ID = /^kbs:\/\/[A-Za-z0-9.:-]{0,255}\/[\x21-\x2e\x30-\x7e]+\/[\x21-\x2e\x30-\x7e]+\/[\x21-\x2e\x30-\x7e]+$/

/**
 * Reads what ocicrypt writes to a provider's standard input.
 * @returns the request, or OCICRYPT_REQUEST_INVALID · JSON_* · ENV_BASE64_NOT_CANONICAL, which quote nothing of the key in it
 * @see ../shared/spec/protocols.md §2
 */
export function decodeRequest(bytes: Uint8Array): Outcome<ProviderRequest> {
  return attempt(() => {
    const request = objectIn(take(unquoted(parseJson(take(fromUtf8(bytes, 'request')), 'request'))), 'request')
    if (request.op === 'keywrap') {
      const params = objectIn(request.keywrapparams, 'keywrapparams')
      const { Parameters: parameters } = objectIn(params.ec, 'keywrapparams.ec')
      return { op: 'keywrap', keyId: keyIdIn(parameters), layerKey: bytesIn(params, 'optsdata', 'keywrapparams') }
    }
    if (request.op === 'keyunwrap') {
      const params = objectIn(request.keyunwrapparams, 'keyunwrapparams')
      const annotation = bytesIn(params, 'annotation', 'keyunwrapparams')
      return { op: 'keyunwrap', annotation: take(decodeAnnotation(annotation)) }
    }
    return invalid('op', 'keywrap or keyunwrap')
  })
}

/** What is answered on standard output. */
export const wrapAnswer = (annotation: Uint8Array): string =>
  JSON.stringify({ keywrapresults: { annotation: toBase64(annotation) } })
export const unwrapAnswer = (layerKey: Uint8Array): string =>
  JSON.stringify({ keyunwrapresults: { optsdata: toBase64(layerKey) } })

/** The annotation of version 1, which every guest reads. */
export const encodeAnnotation = ({ keyId, iv, wrapped }: WrappedLayerKey): Uint8Array =>
  utf8(JSON.stringify({ kid: keyId, wrapped_data: toBase64(wrapped), iv: toBase64(iv), wrap_type: 'A256GCM' }))

const IV_BYTES = 12
const TAG_BYTES = 16

/** Versions 1 and 2; what version 2 says of another provider's settings is not ours to read. */
export function decodeAnnotation(bytes: Uint8Array): Outcome<WrappedLayerKey> {
  return attempt(() => {
    const path = 'annotation'
    const object = objectIn(take(parseJson(take(fromUtf8(bytes, path)), path)), path)
    if (object.provider !== undefined && object.provider !== 'kbs') invalid(`${path}.provider`, 'kbs')
    if (object.wrap_type !== 'A256GCM') invalid(`${path}.wrap_type`, 'A256GCM')
    const keyId = textIn(object, 'kid', path)
    if (!KEY_ID.test(keyId)) invalid(`${path}.kid`, 'kbs:///tenant/type/tag')
    const iv = bytesIn(object, 'iv', path)
    const wrapped = bytesIn(object, 'wrapped_data', path)
    if (iv.length !== IV_BYTES) invalid(`${path}.iv`, `${IV_BYTES} bytes`)
    if (wrapped.length <= TAG_BYTES) invalid(`${path}.wrapped_data`, 'ciphertext and tag')
    return { keyId, iv, wrapped }
  })
}

/** The one parameter that names the key: `provider:vouchsafe:kbs:///tenant/type/tag`, which ocicrypt hands over in base64. */
function keyIdIn(parameters: Json | undefined): string {
  const path = 'keywrapparams.ec.Parameters'
  const given = objectIn(parameters, path)
  const values = PROVIDERS.flatMap((name) => (Object.hasOwn(given, name) ? [given[name]] : []))
  const [list, ...others] = values
  if (!Array.isArray(list) || list.length !== 1 || others.length > 0)
    return invalid(path, `one parameter for ${PROVIDER}`)
  const text = take(fromUtf8(take(fromBase64(String(list[0]), path)), path))
  return KEY_ID.test(text) ? text : invalid(path, 'kbs:///tenant/type/tag')
}

const invalid = (path: string, expected: string): never => refuse('OCICRYPT_REQUEST_INVALID', path, { expected })

function objectIn(value: Json | undefined, path: string): JsonObject {
  return isJsonObject(value) ? value : invalid(path, 'an object')
}

function textIn(object: JsonObject, name: string, path: string): string {
  const value = object[name]
  return typeof value === 'string' ? value : invalid(`${path}.${name}`, 'text')
}

const bytesIn = (object: JsonObject, name: string, path: string): Uint8Array =>
  take(unquoted(fromBase64(textIn(object, name, path), `${path}.${name}`)))
