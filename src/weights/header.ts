import { fromUtf8 } from '../core/encodings.ts'
import { isJsonObject, type Json, type JsonObject, pointer } from '../core/json.ts'
import { attempt, type Outcome, refuse, take } from '../core/outcome.ts'
import { byBytes, parseHeaderText } from './text.ts'

/**
 * Bits of one element, in the order in which safetensors aligns types: its writers lay tensors out from the last to the
 * first of these, then by name.
 */
const DTYPE_BITS = {
  ...{ BOOL: 8, F4: 4, F6_E2M3: 6, F6_E3M2: 6, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8 },
  ...{ I16: 16, U16: 16, F16: 16, BF16: 16, I32: 32, U32: 32, F32: 32, C64: 64, F64: 64, I64: 64, U64: 64 },
} as const

type Dtype = keyof typeof DTYPE_BITS
const DTYPES = Object.keys(DTYPE_BITS)

/** Where one tensor lies. Offsets are relative to the first byte behind the header. */
export interface Tensor {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/** A safetensors header whose tensors tile the data, in that order. */
export interface Header {
  /** absent and empty are two things to a signature */
  readonly metadata: ReadonlyMap<string, string> | undefined
  readonly tensors: readonly Tensor[]
}

/** Bytes of the length in front of the header; the header's own length is a multiple of it. */
export const LENGTH_BYTES = 8

/** Bytes of tensors behind the header. */
export const dataBytes = (header: Header): number => header.tensors.at(-1)?.end ?? 0

/**
 * Reads the JSON of a safetensors header. Tensors may be listed in any order, as safetensors allows it, and come back in the
 * order of their offsets.
 * @param bytes the header without the length in front
 * @returns the header, or UTF8_INVALID · JSON_SYNTAX · JSON_DUPLICATE_KEY · LIMIT_JSON_DEPTH · LIMIT_JSON_VALUES ·
 * WEIGHTS_HEADER_MALFORMED · WEIGHTS_DTYPE_UNKNOWN · WEIGHTS_TENSOR_SIZE_OVERFLOW · WEIGHTS_TENSOR_SIZE_MISMATCH ·
 * WEIGHTS_OFFSETS_INVALID
 */
export const decodeHeader = (bytes: Uint8Array, path: string): Outcome<Header> =>
  attempt(() => {
    if (bytes[0] !== '{'.charCodeAt(0)) refuse('WEIGHTS_HEADER_MALFORMED', path, { expected: 'a JSON object' })
    const value = take(parseHeaderText(take(fromUtf8(withoutPadding(bytes), path)), path))
    const object = objectOf(value, path)
    const tensors: Tensor[] = []
    let metadata: ReadonlyMap<string, string> | undefined
    for (const [name, member] of Object.entries(object)) {
      const at = pointer(path, name)
      if (name === '__metadata__') metadata = metadataOf(member, at)
      else tensors.push(tensorOf(name, objectOf(member, at), at))
    }
    tensors.sort(byPlace)
    checkTiling(tensors, path)
    return { metadata, tensors }
  })

/** A loop, because ` +$` takes quadratic time on spaces that something follows. */
function withoutPadding(bytes: Uint8Array): Uint8Array {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0x20) end--
  return bytes.subarray(0, end)
}

/** Ties are empty tensors: those lie as writers lay them out, whatever order an object of JavaScript keeps. */
const byPlace = (a: Tensor, b: Tensor): number =>
  a.begin - b.begin || a.end - b.end || DTYPES.indexOf(b.dtype) - DTYPES.indexOf(a.dtype) || byBytes(a.name, b.name)

function objectOf(value: Json | undefined, path: string): JsonObject {
  return isJsonObject(value) ? value : refuse('WEIGHTS_HEADER_MALFORMED', path, { expected: 'an object' })
}

function metadataOf(value: Json | undefined, path: string): ReadonlyMap<string, string> {
  const entries = Object.entries(objectOf(value, path)).map(([key, text]): [string, string] => {
    if (typeof text !== 'string') refuse('WEIGHTS_HEADER_MALFORMED', pointer(path, key), { expected: 'a string' })
    return [key, text]
  })
  return new Map(entries)
}

const MEMBERS: ReadonlySet<string> = new Set(['dtype', 'shape', 'data_offsets'])

function tensorOf(name: string, object: JsonObject, path: string): Tensor {
  // A member that the signature does not cover must not be there at all.
  const unknown = Object.keys(object).find((key) => !MEMBERS.has(key))
  if (unknown !== undefined) refuse('WEIGHTS_HEADER_MALFORMED', pointer(path, unknown), { expected: 'no other member' })
  const dtype = object.dtype
  if (typeof dtype !== 'string') return refuse('WEIGHTS_HEADER_MALFORMED', `${path}/dtype`, { expected: 'a string' })
  if (!isDtype(dtype)) return refuse('WEIGHTS_DTYPE_UNKNOWN', `${path}/dtype`, { actual: dtype })
  const shape = naturals(object.shape, `${path}/shape`)
  const [begin, end, ...more] = naturals(object.data_offsets, `${path}/data_offsets`)
  if (begin === undefined || end === undefined || more.length > 0)
    return refuse('WEIGHTS_HEADER_MALFORMED', `${path}/data_offsets`, { expected: 'two numbers' })
  if (end < begin) refuse('WEIGHTS_OFFSETS_INVALID', `${path}/data_offsets`, { actual: `${begin} to ${end}` })
  const size = tensorBytes(dtype, shape, path)
  if (end - begin !== size)
    refuse('WEIGHTS_TENSOR_SIZE_MISMATCH', path, { expected: `${size ?? 'whole'} bytes`, actual: end - begin })
  return { name, dtype, shape, begin, end }
}

const isDtype = (text: string): text is Dtype => Object.hasOwn(DTYPE_BITS, text)

function naturals(value: Json | undefined, path: string): readonly number[] {
  if (!Array.isArray(value)) return refuse('WEIGHTS_HEADER_MALFORMED', path, { expected: 'an array of numbers' })
  return (value as readonly Json[]).map((n, i) => {
    if (typeof n !== 'number' || n < 0 || Object.is(n, -0))
      return refuse('WEIGHTS_HEADER_MALFORMED', pointer(path, i), { expected: 'a number that is not negative' })
    if (!Number.isInteger(n)) refuse('JSON_TYPE_MISMATCH', pointer(path, i), { expected: 'a whole number', actual: n })
    if (!Number.isSafeInteger(n)) refuse('WEIGHTS_TENSOR_SIZE_OVERFLOW', pointer(path, i), { actual: n })
    return n
  })
}

/** Bytes of a tensor; undefined where its last byte would be a part of one. */
function tensorBytes(dtype: Dtype, shape: readonly number[], path: string): number | undefined {
  let bits: number = DTYPE_BITS[dtype]
  // A dimension of zero empties the tensor; the others are still held to the bound.
  for (const n of shape.filter((dimension) => dimension !== 0)) {
    bits *= n
    if (!Number.isSafeInteger(bits)) refuse('WEIGHTS_TENSOR_SIZE_OVERFLOW', `${path}/shape`)
  }
  if (shape.includes(0)) return 0
  return bits % 8 === 0 ? bits / 8 : undefined
}

function checkTiling(tensors: readonly Tensor[], path: string): void {
  let at = 0
  for (const { name, begin, end } of tensors) {
    if (begin !== at)
      refuse('WEIGHTS_OFFSETS_INVALID', pointer(path, name), {
        expected: `begin at ${at}`,
        actual: `begin at ${begin}`,
      })
    at = end
  }
}

/**
 * The header as safetensors writes and signs it: `__metadata__` first, its keys by their bytes, then the tensors by offset,
 * without spaces. `JSON.stringify` escapes exactly what serde_json does.
 * @param without a key of the metadata to leave out
 */
export function headerText(header: Header, without?: string): string {
  const members: string[] = []
  if (header.metadata !== undefined) {
    const keys = [...header.metadata.keys()].filter((key) => key !== without).sort(byBytes)
    const texts = keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(header.metadata?.get(key))}`)
    members.push(`"__metadata__":{${texts.join(',')}}`)
  }
  if (header.tensors.length > 0) members.push(tensorsText(header.tensors))
  return `{${members.join(',')}}`
}

/** A header is written several times, with other metadata: to be signed, to be compared, to be stored. */
function tensorsText(tensors: readonly Tensor[]): string {
  const known = TEXTS.get(tensors)
  if (known !== undefined) return known
  let text = ''
  for (const { name, dtype, shape, begin, end } of tensors) {
    const info = `{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${begin},${end}]}`
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${info}`
  }
  TEXTS.set(tensors, text)
  return text
}
const TEXTS = new WeakMap<readonly Tensor[], string>()

/**
 * Length and header as they stand at the beginning of a file, filled with spaces.
 * @param atLeast bytes that they take at the least, so that a header can replace another one of that length
 */
export const encodeHeader = (header: Header, atLeast = 0): Uint8Array<ArrayBuffer> =>
  encodeHeaderText(headerText(header), atLeast)

/** The same of a text that is JSON already. */
export function encodeHeaderText(json: string, atLeast = 0): Uint8Array<ArrayBuffer> {
  const text = Buffer.from(json)
  const size = Math.max(Math.ceil(text.length / LENGTH_BYTES) * LENGTH_BYTES, atLeast - LENGTH_BYTES)
  const bytes = new Uint8Array(LENGTH_BYTES + size).fill(0x20)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(size), true)
  bytes.set(text, LENGTH_BYTES)
  return bytes
}
