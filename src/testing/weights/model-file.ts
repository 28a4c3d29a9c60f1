import { type KeyLike, sign } from 'node:crypto'
import type { PrivateKey } from '../../decision/credential/jws.ts'

/** A tensor of a synthesised model file. */
export interface TestTensor {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** A safetensors file of a header as it is given, whatever is wrong with it. */
export function modelFile(header: string | Uint8Array, data: Uint8Array, headerBytes?: number): Uint8Array {
  const text = Buffer.from(header)
  const padded = Buffer.alloc(Math.ceil(text.length / 8) * 8, ' ')
  padded.set(text)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(headerBytes ?? padded.length))
  return new Uint8Array(Buffer.concat([length, padded, data]))
}

/** A sound safetensors file of these tensors, in this order. */
export function safetensorsFile(
  tensors: readonly TestTensor[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const members: string[] = metadata === undefined ? [] : [`"__metadata__":${JSON.stringify(metadata)}`]
  let at = 0
  for (const { name, dtype, shape, bytes } of tensors) {
    const info = { dtype, shape, data_offsets: [at, at + bytes.length] }
    members.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`)
    at += bytes.length
  }
  return modelFile(`{${members.join(',')}}`, Buffer.concat(tensors.map(({ bytes }) => bytes)))
}

/** A sealed header taken apart, to put one thing wrong into it. */
export interface SealedParts {
  keys: { [name: string]: unknown }
  encryption: { [tensor: string]: { [name: string]: unknown } }
  policy: { [name: string]: unknown } | undefined
  metadata: { [name: string]: string }
  tensors: { [name: string]: { dtype: string; shape: number[]; data_offsets: number[] } }
  data: Uint8Array
}

/**
 * A CryptoTensors file changed and signed again, so that only the check of what was changed can refuse it. Names of tensors
 * must not look like numbers.
 * @param signing undefined leaves the signature out
 */
export function resealed(
  file: Uint8Array,
  signing: PrivateKey | undefined,
  edit: (parts: SealedParts) => void,
): Uint8Array {
  const view = Buffer.from(file)
  const end = 8 + Number(view.readBigUInt64LE(0))
  const { __metadata__: all, ...tensors } = JSON.parse(view.toString('utf8', 8, end))
  const { __crypto_keys__: keys, __encryption__: encryption, __policy__: policy, __signature__: _, ...metadata } = all
  const parts: SealedParts = {
    keys: JSON.parse(keys),
    encryption: JSON.parse(encryption),
    policy: JSON.parse(policy),
    metadata,
    tensors,
    data: file.subarray(end),
  }
  edit(parts)
  const texts: { [name: string]: string } = {
    ...parts.metadata,
    __crypto_keys__: JSON.stringify(parts.keys),
    __encryption__: JSON.stringify(parts.encryption),
    ...(parts.policy === undefined ? {} : { __policy__: JSON.stringify(parts.policy) }),
  }
  const unsigned = headerOf(texts, parts.tensors)
  const signature =
    signing === undefined
      ? {}
      : { __signature__: sign(null, Buffer.from(unsigned), signing as KeyLike).toString('base64') }
  return modelFile(headerOf({ ...texts, ...signature }, parts.tensors), parts.data)
}

function headerOf(metadata: { [name: string]: string }, tensors: SealedParts['tensors']): string {
  const sorted = Object.keys(metadata)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`)
  const rest = Object.entries(tensors).map(([name, info]) => `${JSON.stringify(name)}:${JSON.stringify(info)}`)
  return `{${[`"__metadata__":{${sorted.join(',')}}`, ...rest].join(',')}}`
}
