import { concatBytes } from '../core/bytes.ts'
import { isJsonObject, type Json, type JsonObject, pointer } from '../core/json.ts'
import { attempt, type Outcome, refuse, take } from '../core/outcome.ts'
import { AEADS, aeadName, IV_BYTES, TAG_BYTES, type WrappedKey } from './aead.ts'
import { CHUNK_BYTES, chunkCount, hasRoom } from './chunks.ts'
import type { Header, Tensor } from './header.ts'
import type { KeyNames } from './keys.ts'
import { type ReleaseTerms, termsOf } from './terms.ts'
import { base64Of, byBytes, bytesOfBase64, parseHeaderText } from './text.ts'

/** The keys of `__metadata__` that CryptoTensors adds. */
export const RESERVED = ['__crypto_keys__', '__encryption__', '__policy__', '__signature__'] as const
export const SIGNATURE = '__signature__'

/** How one tensor is encrypted. */
export interface SealedTensor extends WrappedKey {
  /** version 2: the base that chunks count from; version 1: the IV of the whole tensor */
  readonly iv: Uint8Array
  /** of the chunks in order, 16 bytes each; none for an empty tensor of version 1, which has nothing to protect */
  readonly tags: Uint8Array
}

/** What a file says about its encryption. Nothing in it is proved before the signature is. */
export interface Sealing {
  readonly version: '1' | '2'
  /** bytes of a chunk; infinite in version 1, whose tensors are one chunk each */
  readonly chunkBytes: number
  readonly names: KeyNames
  /** `__policy__` as it stands, which a rewrap keeps; other writers have texts of their own in it */
  readonly policy: string
  readonly terms: ReleaseTerms
  readonly tensors: ReadonlyMap<string, SealedTensor>
}

/** AES-GCM's counter of blocks has 32 bits, two of which are taken (SP 800-38D, 5.2.1.1). */
const MOST_CHUNK_BYTES = 2 ** 36 - 32

export const isSealed = (header: Header): boolean => RESERVED.some((key) => header.metadata?.has(key) === true)

/**
 * Reads what CryptoTensors added to a header.
 * @returns the sealing, or WEIGHTS_NOT_SEALED · WEIGHTS_VERSION_UNKNOWN · WEIGHTS_ALGORITHM_UNKNOWN ·
 * WEIGHTS_ENCRYPTION_MALFORMED · WEIGHTS_ENCRYPTION_UNKNOWN_TENSOR · WEIGHTS_TAG_COUNT_MISMATCH · WEIGHTS_IV_OVERFLOW · the
 * codes of `parseJson`
 */
export const decodeSealing = (header: Header, path: string): Outcome<Sealing> =>
  attempt(() => {
    if (!isSealed(header)) refuse('WEIGHTS_NOT_SEALED', path)
    const keys = embedded(header, '__crypto_keys__', path)
    const at = `${path}/__crypto_keys__`
    const version = text(keys, 'version', at)
    if (version !== '1' && version !== '2') return refuse('WEIGHTS_VERSION_UNKNOWN', at, { actual: version })
    const names = { enc: nameOf(keys, 'enc', at), sign: nameOf(keys, 'sign', at) }
    const aead = aeadName(names.enc.alg)
    if (aead === undefined) return refuse('WEIGHTS_ALGORITHM_UNKNOWN', `${at}/enc/alg`, { actual: names.enc.alg })
    const chunkBytes = chunkBytesOf(keys.chunk_size, version, at)
    const policy = embedded(header, '__policy__', path)
    text(policy, 'local', `${path}/__policy__`)
    const terms = termsOf(text(policy, 'remote', `${path}/__policy__`))
    const tensors = new Map<string, SealedTensor>()
    const known = new Map(header.tensors.map((tensor) => [tensor.name, tensor]))
    for (const [name, member] of Object.entries(embedded(header, '__encryption__', path))) {
      const where = pointer(`${path}/__encryption__`, name)
      const tensor = known.get(name) ?? refuse('WEIGHTS_ENCRYPTION_UNKNOWN_TENSOR', where)
      tensors.set(name, sealedTensor(member, tensor, { aead, version, chunkBytes }, where))
    }
    return { version, chunkBytes, names, policy: header.metadata?.get('__policy__') ?? '', terms, tensors }
  })

/** The JSON object inside one of the reserved texts. */
function embedded(header: Header, key: (typeof RESERVED)[number], path: string): JsonObject {
  const at = pointer(path, key)
  const member = header.metadata?.get(key) ?? refuse('WEIGHTS_ENCRYPTION_MALFORMED', at, { expected: 'a member' })
  const value = take(parseHeaderText(member, at))
  return isJsonObject(value) ? value : refuse('WEIGHTS_ENCRYPTION_MALFORMED', at, { expected: 'an object' })
}

function text(object: JsonObject, name: string, path: string): string {
  const value = object[name]
  if (typeof value === 'string') return value
  return refuse('WEIGHTS_ENCRYPTION_MALFORMED', pointer(path, name), { expected: 'a string' })
}

function nameOf(keys: JsonObject, role: 'enc' | 'sign', path: string): KeyNames['enc'] {
  const name = keys[role]
  const at = pointer(path, role)
  if (!isJsonObject(name)) return refuse('WEIGHTS_ENCRYPTION_MALFORMED', at, { expected: 'an object' })
  return { alg: text(name, 'alg', at), kid: name.kid === undefined ? undefined : text(name, 'kid', at) }
}

/** Only version 2 has chunks; a file of it that does not say how large they are has the usual ones. */
function chunkBytesOf(size: Json | undefined, version: '1' | '2', path: string): number {
  if (size === undefined) return version === '2' ? CHUNK_BYTES : Number.POSITIVE_INFINITY
  if (version === '2' && typeof size === 'number' && size >= 1 && size <= MOST_CHUNK_BYTES) return size
  const expected = version === '2' ? `a number from 1 to ${MOST_CHUNK_BYTES}` : 'no member in version 1'
  return refuse('WEIGHTS_ENCRYPTION_MALFORMED', `${path}/chunk_size`, { expected })
}

const COMMON = ['enc_algo', 'wrapped_key', 'key_iv', 'key_tag']
const MEMBERS = { 1: [...COMMON, 'iv', 'tag'], 2: [...COMMON, 'base_iv', 'tags'] } as const

interface How {
  readonly aead: keyof typeof AEADS
  readonly version: '1' | '2'
  readonly chunkBytes: number
}

function sealedTensor(member: Json | undefined, tensor: Tensor, how: How, path: string): SealedTensor {
  if (!isJsonObject(member)) return refuse('WEIGHTS_ENCRYPTION_MALFORMED', path, { expected: 'an object' })
  const unknown = Object.keys(member).find((key) => !MEMBERS[how.version].includes(key))
  if (unknown !== undefined)
    refuse('WEIGHTS_ENCRYPTION_MALFORMED', pointer(path, unknown), {
      expected: `no such member in version ${how.version}`,
    })
  // The format's description has it; what its package writes leaves it to the key.
  if (member.enc_algo !== undefined && aeadName(text(member, 'enc_algo', path)) !== how.aead)
    refuse('WEIGHTS_ALGORITHM_UNKNOWN', `${path}/enc_algo`, { expected: how.aead, actual: String(member.enc_algo) })
  const bytes = (name: string) => take(bytesOfBase64(text(member, name, path), pointer(path, name)))
  const exactly = (name: string, size: number) => {
    const value = bytes(name)
    if (value.length === size) return value
    return refuse('WEIGHTS_ENCRYPTION_MALFORMED', pointer(path, name), {
      expected: `${size} bytes`,
      actual: value.length,
    })
  }
  const wrapped = {
    wrappedKey: exactly('wrapped_key', AEADS[how.aead].keyBytes),
    keyIv: exactly('key_iv', IV_BYTES),
    keyTag: exactly('key_tag', TAG_BYTES),
  }
  const size = tensor.end - tensor.begin
  const [ivName, tagsName] = how.version === '2' ? ['base_iv', 'tags'] : ['iv', 'tag']
  if (how.version === '1' && size === 0 && member.iv === '' && member.tag === '')
    return { ...wrapped, iv: new Uint8Array(IV_BYTES), tags: new Uint8Array(0) }
  const [iv, tags] = [exactly(ivName, IV_BYTES), bytes(tagsName)]
  const chunks = chunkCount(size, how.chunkBytes)
  if (tags.length !== chunks * TAG_BYTES)
    refuse('WEIGHTS_TAG_COUNT_MISMATCH', path, { expected: `${chunks * TAG_BYTES} bytes`, actual: tags.length })
  if (!hasRoom(iv, chunks)) refuse('WEIGHTS_IV_OVERFLOW', path, { expected: `room for ${chunks} chunks` })
  if (Math.min(size, how.chunkBytes) > MOST_CHUNK_BYTES)
    refuse('WEIGHTS_IV_OVERFLOW', path, { expected: `at most ${MOST_CHUNK_BYTES} bytes in one seal`, actual: size })
  return { ...wrapped, iv, tags }
}

/** The signature of a header. @returns 64 bytes, or WEIGHTS_SIGNATURE_MISSING · ENV_BASE64_NOT_CANONICAL */
export const signatureOf = (header: Header, path: string): Outcome<Uint8Array> =>
  attempt(() => {
    const at = pointer(path, SIGNATURE)
    return take(bytesOfBase64(header.metadata?.get(SIGNATURE) ?? refuse('WEIGHTS_SIGNATURE_MISSING', at), at))
  })

/** The texts of a sealing, still to be signed. */
export function encodeSealing(sealing: Omit<Sealing, 'terms'>): ReadonlyMap<string, string> {
  const { version, chunkBytes, names, policy, tensors } = sealing
  const aead = aeadName(names.enc.alg)
  const entries = [...tensors]
    .sort(([a], [b]) => byBytes(a, b))
    .map(([name, tensor]) => {
      const { wrappedKey, keyIv, keyTag, iv, tags } = tensor
      const [ivName, tagsName] = version === '2' ? ['base_iv', 'tags'] : ['iv', 'tag']
      // An empty tensor of version 1 has neither IV nor tag. No value needs an escape.
      const data = `"${ivName}":"${tags.length === 0 ? '' : base64Of(iv)}","${tagsName}":"${base64Of(tags)}"`
      const wrapped = `"wrapped_key":"${base64Of(wrappedKey)}","key_iv":"${base64Of(keyIv)}","key_tag":"${base64Of(keyTag)}"`
      return `${JSON.stringify(name)}:{"enc_algo":"${aead}",${wrapped},${data}}`
    })
  const identity = ({ alg, kid }: KeyNames['enc'], kty: string) => ({ alg, ...(kid === undefined ? {} : { kid }), kty })
  const keys = {
    ...(Number.isFinite(chunkBytes) ? { chunk_size: chunkBytes } : {}),
    enc: identity(names.enc, 'oct'),
    sign: identity(names.sign, 'okp'),
    version,
  }
  return new Map([
    ['__crypto_keys__', JSON.stringify(keys)],
    ['__encryption__', `{${entries.join(',')}}`],
    ['__policy__', policy],
  ])
}

/** The tag of one chunk. */
export const tagOf = (tensor: SealedTensor, chunk: number): Uint8Array =>
  concatBytes(tensor.tags.subarray(chunk * TAG_BYTES, (chunk + 1) * TAG_BYTES))
