import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, test } from 'vitest'
import type { Code } from '../../src/core/codes.ts'
import { modelFile, resealed, type SealedParts, safetensorsFile } from '../../src/testing/index.ts'
import { chunkIv } from '../../src/weights/chunks.ts'
import { inspectModel, newModelKey, openModel, rewrapModel, sealModel } from '../../src/weights/index.ts'
import { accepted, folderOf, fresh, KEY, MODEL, model, refused, SIGNING, SMALL, tensor } from './stage.ts'

/** The small model with one tensor of three chunks, sealed. */
let sealed: Uint8Array
beforeAll(async () => {
  const plain = model([tensor('large', 'U8', [5_000_000], 5_000_000), ...SMALL])
  const output = fresh()
  accepted(await sealModel({ input: join(folderOf({ 'm.safetensors': plain }), 'm.safetensors'), output, key: KEY }))
  sealed = readFileSync(join(output, 'm.safetensors'))
})

const opened = async (file: Uint8Array, output = fresh(), key = KEY, plainTensors: 'refuse' | 'allow' = 'refuse') =>
  openModel({ input: join(folderOf({ 'm.safetensors': file }), 'm.safetensors'), output, key, plainTensors })

const entry = (parts: SealedParts, name = 'large'): { [name: string]: unknown } => parts.encryption[name] ?? {}
const put = (target: object, name: string, value: unknown): void => void Reflect.set(target, name, value)
const flipped = (text: unknown, at = 0): string => {
  const bytes = Buffer.from(String(text), 'base64')
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return bytes.toString('base64')
}

const ROWS: readonly (readonly [what: string, code: Code, edit: (parts: SealedParts) => void])[] = [
  ['an unknown version', 'WEIGHTS_VERSION_UNKNOWN', ({ keys }) => put(keys, 'version', '3')],
  ['no version', 'WEIGHTS_ENCRYPTION_MALFORMED', ({ keys }) => void delete keys.version],
  ['a version by number', 'WEIGHTS_ENCRYPTION_MALFORMED', ({ keys }) => put(keys, 'version', 2)],
  ['chunks of no bytes', 'WEIGHTS_ENCRYPTION_MALFORMED', ({ keys }) => put(keys, 'chunk_size', 0)],
  ['chunks in version 1', 'WEIGHTS_ENCRYPTION_MALFORMED', ({ keys }) => put(keys, 'version', '1')],
  ['no names of keys', 'WEIGHTS_ENCRYPTION_MALFORMED', ({ keys }) => void delete keys.enc],
  [
    'an unknown algorithm',
    'WEIGHTS_ALGORITHM_UNKNOWN',
    ({ keys }) => put(keys, 'enc', { alg: 'aes256cbc', kty: 'oct' }),
  ],
  ['an unknown signature', 'WEIGHTS_ALGORITHM_UNKNOWN', ({ keys }) => put(keys, 'sign', { alg: 'none', kty: 'okp' })],
  [
    'another algorithm than the key',
    'WEIGHTS_ALGORITHM_UNKNOWN',
    ({ keys }) => put(keys, 'enc', { alg: 'chacha20poly1305', kty: 'oct' }),
  ],
  ['another key', 'WEIGHTS_KEY_OTHER', ({ keys }) => put(keys, 'enc', { alg: 'aes256gcm', kid: 'x', kty: 'oct' })],
  ['an unknown enc_algo', 'WEIGHTS_ALGORITHM_UNKNOWN', (parts) => put(entry(parts), 'enc_algo', 'rot13')],
  ['another enc_algo', 'WEIGHTS_ALGORITHM_UNKNOWN', (parts) => put(entry(parts), 'enc_algo', 'aes128gcm')],
  ['no policy', 'WEIGHTS_ENCRYPTION_MALFORMED', (parts) => put(parts, 'policy', undefined)],
  ['a policy of null', 'WEIGHTS_ENCRYPTION_MALFORMED', ({ policy }) => put(policy ?? {}, 'remote', null)],
  ['no wrapped key', 'WEIGHTS_ENCRYPTION_MALFORMED', (parts) => void delete entry(parts).wrapped_key],
  ['a short wrapped key', 'WEIGHTS_ENCRYPTION_MALFORMED', (parts) => put(entry(parts), 'wrapped_key', 'AAAA')],
  ['a short IV', 'WEIGHTS_ENCRYPTION_MALFORMED', (parts) => put(entry(parts), 'base_iv', 'AAAA')],
  [
    'base64 that has two spellings',
    'ENV_BASE64_NOT_CANONICAL',
    (parts) => put(entry(parts), 'tags', `${entry(parts).tags}=`),
  ],
  ['a member that is not known', 'WEIGHTS_ENCRYPTION_MALFORMED', (parts) => put(entry(parts), 'aad', '')],
  ['members of version 1', 'WEIGHTS_ENCRYPTION_MALFORMED', (parts) => put(entry(parts), 'iv', entry(parts).base_iv)],
  [
    'a tag too many',
    'WEIGHTS_TAG_COUNT_MISMATCH',
    (parts) => put(entry(parts), 'tags', Buffer.alloc(64).toString('base64')),
  ],
  [
    'a tag too few',
    'WEIGHTS_TAG_COUNT_MISMATCH',
    (parts) => put(entry(parts), 'tags', Buffer.alloc(32).toString('base64')),
  ],
  [
    'part of a tag',
    'WEIGHTS_TAG_COUNT_MISMATCH',
    (parts) => put(entry(parts), 'tags', Buffer.alloc(47).toString('base64')),
  ],
  ['no tag of an empty tensor', 'WEIGHTS_TAG_COUNT_MISMATCH', (parts) => put(entry(parts, 'c'), 'tags', '')],
  [
    'an IV that runs over',
    'WEIGHTS_IV_OVERFLOW',
    (parts) => put(entry(parts), 'base_iv', Buffer.from('0000000000000000fffffffe', 'hex').toString('base64')),
  ],
  [
    'a tensor that is not there',
    'WEIGHTS_ENCRYPTION_UNKNOWN_TENSOR',
    (parts) => put(parts.encryption, 'x', entry(parts)),
  ],
  ['a tensor in the clear', 'WEIGHTS_TENSOR_NOT_SEALED', (parts) => void delete parts.encryption.a],
  [
    'a wrapped key that was changed',
    'WEIGHTS_DATA_KEY_INVALID',
    (parts) => put(entry(parts), 'wrapped_key', flipped(entry(parts).wrapped_key)),
  ],
  [
    'its tag changed',
    'WEIGHTS_DATA_KEY_INVALID',
    (parts) => put(entry(parts), 'key_tag', flipped(entry(parts).key_tag)),
  ],
  [
    'a tag that was changed',
    'WEIGHTS_CHUNK_TAG_INVALID',
    (parts) => put(entry(parts), 'tags', flipped(entry(parts).tags, 40)),
  ],
  [
    'the tag of an empty tensor changed',
    'WEIGHTS_CHUNK_TAG_INVALID',
    (parts) => put(entry(parts, 'c'), 'tags', flipped(entry(parts, 'c').tags)),
  ],
  ['another IV', 'WEIGHTS_CHUNK_TAG_INVALID', (parts) => put(entry(parts), 'base_iv', flipped(entry(parts).base_iv))],
  ['larger chunks', 'WEIGHTS_TAG_COUNT_MISMATCH', ({ keys }) => put(keys, 'chunk_size', 5_000_000)],
]

describe('a sealed file', () => {
  it('opens as it is, and when it is only signed again', async () => {
    accepted(await opened(sealed))
    accepted(await opened(resealed(sealed, SIGNING, () => undefined)))
    accepted(await opened(resealed(sealed, SIGNING, ({ keys }) => void delete keys.chunk_size)))
  })

  test.each(ROWS)('with %s is refused: %s', async (_, code, edit) => {
    const output = fresh()
    refused(await opened(resealed(sealed, SIGNING, edit), output), code, output)
  })

  it('names the chunk that fails', async () => {
    const data = Buffer.from(sealed)
    const begin = 8 + Number(data.readBigUInt64LE(0))
    data[begin + 2 * 2 ** 20] = (data[begin + 2 * 2 ** 20] ?? 0) ^ 1
    const output = fresh()
    const outcome = await opened(data, output)
    refused(outcome, 'WEIGHTS_CHUNK_TAG_INVALID', output)
    expect(outcome.ok ? '' : outcome.faults[0].path).toBe('m.safetensors/large/chunk 1')
  })

  it('is refused when any of it is not what was signed', async () => {
    const output = fresh()
    refused(
      await opened(
        resealed(sealed, newModelKey().signing, () => undefined),
        output,
      ),
      'WEIGHTS_SIGNATURE_INVALID',
      output,
    )
    refused(
      await opened(
        resealed(sealed, undefined, () => undefined),
        output,
      ),
      'WEIGHTS_SIGNATURE_MISSING',
      output,
    )
    const swapped = resealed(sealed, SIGNING, ({ tensors }) => {
      const { a, b, ...rest } = tensors
      for (const name of Object.keys(tensors)) delete tensors[name]
      Object.assign(tensors, rest, { a, b })
    })
    refused(await opened(swapped, output), 'WEIGHTS_HEADER_NOT_CANONICAL', output)
  })

  it('is refused under another key', async () => {
    const other = newModelKey()
    const output = fresh()
    refused(await opened(sealed, output, other), 'WEIGHTS_KEY_OTHER', output)
    const nameless = { ...other, encryption: { ...other.encryption, kid: undefined }, verifying: { ...KEY.verifying } }
    refused(await opened(sealed, output, nameless), 'WEIGHTS_DATA_KEY_INVALID', output)
    const forged = { ...KEY, verifying: { ...KEY.verifying, key: other.verifying.key } }
    refused(await opened(sealed, output, forged), 'WEIGHTS_SIGNATURE_INVALID', output)
  })

  it('gives tensors in the clear where they are allowed', async () => {
    const partly = resealed(sealed, SIGNING, (parts) => void delete parts.encryption.a)
    const output = fresh()
    accepted(await opened(partly, output, KEY, 'allow'))
  })

  it('cannot be sealed again, and a plain one cannot be opened or rewrapped', async () => {
    const output = fresh()
    const again = join(folderOf({ 'm.safetensors': sealed }), 'm.safetensors')
    refused(await sealModel({ input: again, output, key: KEY }), 'WEIGHTS_ALREADY_SEALED', output)
    const plain = join(folderOf({ 'm.safetensors': safetensorsFile(SMALL) }), 'm.safetensors')
    refused(await openModel({ input: plain, output, key: KEY, plainTensors: 'allow' }), 'WEIGHTS_NOT_SEALED', output)
    refused(await rewrapModel({ input: plain, from: KEY, to: newModelKey() }), 'WEIGHTS_NOT_SEALED')
    expect(accepted(await inspectModel(plain))).toMatchObject({ kind: 'file', sealed: false, tensors: 3 })
  })
})

describe('a header that says the same in other words', () => {
  const text = (file: Uint8Array): string =>
    Buffer.from(file).toString('utf8', 8, 8 + Number(Buffer.from(file).readBigUInt64LE(0)))
  const respelled = (change: (header: string) => string): Uint8Array =>
    modelFile(change(text(sealed).trimEnd()), sealed.subarray(8 + Buffer.byteLength(text(sealed))))

  it.each([
    ['with a space', (header: string) => header.replace('"a":{', '"a": {')],
    ['with an escape', (header: string) => header.replace('"a":{', '"\\u0061":{')],
    ['with its tensors out of order', (header: string) => header.replace(/("a":{.*?}),("b":{.*?})/, '$2,$1')],
    ['with a tab behind it', (header: string) => `${header}\t`],
  ])('is refused: %s', async (_, change) => {
    accepted(await opened(respelled((header) => header)))
    const output = fresh()
    refused(await opened(respelled(change), output), 'WEIGHTS_HEADER_NOT_CANONICAL', output)
  })
})

describe('sealing', () => {
  it.each([
    ['hard names and empty tensors', model(MODEL)],
    ['no tensors', safetensorsFile([])],
    ['no tensors and metadata', safetensorsFile([], { format: 'pt' })],
  ])('and opening give the same file: %s', async (_, plain) => {
    const [output, again] = [fresh(), fresh()]
    const input = join(folderOf({ 'm.safetensors': plain }), 'm.safetensors')
    accepted(await sealModel({ input, output, key: KEY }))
    accepted(await openModel({ input: join(output, 'm.safetensors'), output: again, key: KEY, plainTensors: 'refuse' }))
    expect(readFileSync(join(again, 'm.safetensors')).equals(Buffer.from(plain))).toBe(true)
  })

  it('writes what the format says, with terms that inspect shows', async () => {
    const output = fresh()
    const terms = { policyDigest: `sha256:${'ab'.repeat(32)}`, brokerUrl: 'https://broker.example/v1?a="b"' }
    const input = join(folderOf({ 'm.safetensors': model() }), 'm.safetensors')
    accepted(await sealModel({ input, output, key: KEY, ...terms }))
    expect(accepted(await inspectModel(join(output, 'm.safetensors')))).toEqual({
      ...{ kind: 'file', sealed: true, version: '2', tensors: 3, sealedTensors: 3, tensorBytes: 70, terms },
      keys: { enc: { alg: 'aes256gcm', kid: KEY.encryption.kid }, sign: { alg: 'ed25519', kid: KEY.verifying.kid } },
      signature: 'not checked',
    })
  })

  it('refuses terms that are none', async () => {
    const options = { input: '.', output: fresh(), key: KEY }
    await expect(sealModel({ ...options, policyDigest: 'abc' })).rejects.toThrow(TypeError)
    await expect(sealModel({ ...options, brokerUrl: 'http://broker.example' })).rejects.toThrow(TypeError)
  })

  it('needs the private signing key', async () => {
    const [output, released] = [fresh(), { ...KEY, signing: undefined }]
    refused(
      await sealModel({ input: folderOf({ a: 'a' }), output, key: released }),
      'WEIGHTS_SIGNING_KEY_MISSING',
      output,
    )
    refused(await rewrapModel({ input: folderOf({ a: 'a' }), from: KEY, to: released }), 'WEIGHTS_SIGNING_KEY_MISSING')
  })

  it('counts IVs in their last four bytes', () => {
    const base = Buffer.from('0102030405060708fffffffe', 'hex')
    expect(Buffer.from(chunkIv(base, 0)).toString('hex')).toBe('0102030405060708fffffffe')
    expect(Buffer.from(chunkIv(base, 1)).toString('hex')).toBe('0102030405060708ffffffff')
    expect(Buffer.from(chunkIv(Buffer.alloc(12), 0x01020304)).toString('hex')).toBe('000000000000000001020304')
  })
})

describe('rewrapping', () => {
  it.each(['a key with names of the same length', 'a key with longer names', 'a key with shorter names'])(
    'to %s leaves the tensors as they are',
    async (kind) => {
      const [output, again] = [fresh(), fresh()]
      const plain = model(MODEL)
      accepted(
        await sealModel({ input: join(folderOf({ 'm.safetensors': plain }), 'm.safetensors'), output, key: KEY }),
      )
      const file = join(output, 'm.safetensors')
      const before = readFileSync(file)
      const next = newModelKey()
      const kid = kind.includes('longer') ? 'k'.repeat(99) : kind.includes('shorter') ? 'k' : next.encryption.kid
      const to = { ...next, encryption: { ...next.encryption, kid } }
      accepted(await rewrapModel({ input: file, from: KEY, to }))
      const after = readFileSync(file)
      const dataOf = (bytes: Buffer) => bytes.subarray(8 + Number(bytes.readBigUInt64LE(0)))
      expect(dataOf(after).equals(dataOf(before))).toBe(true)
      expect(after.length === before.length).toBe(!kind.includes('longer'))
      accepted(await openModel({ input: file, output: again, key: to, plainTensors: 'refuse' }))
      expect(readFileSync(join(again, 'm.safetensors')).equals(Buffer.from(plain))).toBe(true)
      refused(await openModel({ input: file, output: fresh(), key: KEY, plainTensors: 'refuse' }), 'WEIGHTS_KEY_OTHER')
    },
  )

  it('keeps what other writers put into the policy', async () => {
    const policy = { local: 'package model\nallow = true', remote: 'package model\nallow = input.x' }
    const input = join(
      folderOf({ 'm.safetensors': resealed(sealed, SIGNING, (parts) => put(parts, 'policy', policy)) }),
      'm.safetensors',
    )
    const to = newModelKey()
    accepted(await rewrapModel({ input, from: KEY, to }))
    let kept: unknown
    resealed(readFileSync(input), to.signing, (parts) => {
      kept = parts.policy
    })
    expect(kept).toEqual(policy)
  })
})
