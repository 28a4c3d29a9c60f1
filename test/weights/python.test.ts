import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { safetensorsFile } from '../../src/testing/index.ts'
import { unwrapKey } from '../../src/weights/aead.ts'
import { modelKeyFile, newModelKey, openModel, parseModelKey, rewrapModel, sealModel } from '../../src/weights/index.ts'
import { authenticateManifest, MANIFEST_NAME } from '../../src/weights/manifest.ts'
import { describeWith, PYTHON, pythonPackage } from '../support/tools.ts'
import { accepted, bytesNamed, folderOf, fresh, tensor } from './stage.ts'

const python = (script: string, ...args: readonly string[]): string =>
  execFileSync(PYTHON, ['-c', script, ...args], { encoding: 'utf8' })

/** Prints every tensor of a sealed file as the package reads it: name, type, shape, bytes. */
const READ = `
import hashlib, json, sys
from cryptotensors import safe_open
keys = json.load(open(sys.argv[2]))["keys"]
with safe_open(sys.argv[1], framework="np", config={"enc_key": keys[0], "sign_key": keys[1]}) as f:
    print(json.dumps({k: [str(f.get_tensor(k).dtype), list(f.get_tensor(k).shape), hashlib.sha256(f.get_tensor(k).tobytes()).hexdigest()] for k in f.keys()}))
    print(json.dumps(f.metadata()))
`

/** Types that numpy has; the package gives empty tensors at one place in an order of chance, so there is one of them. */
const NUMPY = [
  tensor('large', 'F32', [1024, 1100], 4 * 1024 * 1100),
  tensor('größe "ä"\\\n\u0001\u2028/~', 'F16', [3], 6),
  tensor('__proto__', 'U8', [3], 3),
  tensor('\uffee', 'U8', [1], 1),
  tensor('\u{1f600}', 'U8', [1], 1),
  tensor('9', 'I8', [2], 2),
  tensor('10', 'I8', [2], 2),
  tensor('empty', 'U8', [0, 7], 0),
]

describeWith([pythonPackage('cryptotensors')], 'the Python package cryptotensors', () => {
  const key = newModelKey()

  it('reads what we seal, byte for byte', async () => {
    const input = folderOf({
      'model.safetensors': safetensorsFile(NUMPY, { format: 'pt', '\u{1f600}': 'x', '\uffee': 'y' }),
      'k.json': modelKeyFile(key),
    })
    const output = fresh()
    const options = { key, policyDigest: `sha256:${'0a'.repeat(32)}`, brokerUrl: 'https://broker.example/"x"' }
    accepted(await sealModel({ input: join(input, 'model.safetensors'), output, ...options }))
    const [tensors = '', metadata] = python(READ, join(output, 'model.safetensors'), join(input, 'k.json')).split('\n')
    const read = JSON.parse(tensors)
    for (const { name, shape, bytes } of NUMPY)
      expect(Object.getOwnPropertyDescriptor(read, name)?.value.slice(1), name).toEqual([
        shape,
        createHash('sha256').update(bytes).digest('hex'),
      ])
    expect(Object.keys(read)).toHaveLength(NUMPY.length)
    expect(JSON.parse(metadata ?? '')).toEqual({ format: 'pt', '\u{1f600}': 'x', '\uffee': 'y' })
  })

  it('reads what we rewrapped, and refuses the old key', async () => {
    const next = newModelKey()
    const input = folderOf({
      'model.safetensors': safetensorsFile(NUMPY),
      'k.json': modelKeyFile(next),
      'old.json': modelKeyFile(key),
    })
    const output = fresh()
    accepted(await sealModel({ input: join(input, 'model.safetensors'), output, key }))
    const file = join(output, 'model.safetensors')
    accepted(await rewrapModel({ input: file, from: key, to: next }))
    expect(Object.keys(JSON.parse(python(READ, file, join(input, 'k.json')).split('\n')[0] ?? ''))).toHaveLength(
      NUMPY.length,
    )
    expect(() =>
      python(
        `${READ.replace('import hashlib,', 'import sys; sys.stderr = sys.stdout; import hashlib,')}`,
        file,
        join(input, 'old.json'),
      ),
    ).toThrow()
  })

  const WRITE = `
import hashlib, json, sys, numpy as np
from cryptotensors.numpy import save_file
keys, path = json.load(open(sys.argv[2]))["keys"], sys.argv[1]
tensors = {"large": np.arange(1500000, dtype=np.float32), "größe \\u0001\\n\\"": np.arange(3, dtype=np.int8), "none": np.zeros((0, 2), np.uint8), "half": np.arange(7, dtype=np.float16)}
config = {"enc_key": keys[0], "sign_key": keys[1], **json.loads(sys.argv[3])}
save_file(tensors, path, metadata={"format": "np", "\\U0001f600": "x", "\\uffee": "y"}, config=config)
from safetensors.numpy import save_file as save_plain
save_plain(tensors, path + ".plain", metadata={"format": "np"})
print(json.dumps({k: hashlib.sha256(v.tobytes()).hexdigest() for k, v in tensors.items()}))
`
  it.each([
    ['version 2', '{}'],
    ['version 1', '{"version":"1"}'],
    ['another size of chunks', '{"chunk_size":100000}'],
  ])('writes what we open, byte for byte: %s', async (_, config) => {
    const folder = folderOf({ 'k.json': modelKeyFile(key) })
    const file = join(folder, 'p.safetensors')
    const wrote = JSON.parse(python(WRITE, file, join(folder, 'k.json'), config))
    const output = fresh()
    accepted(await openModel({ input: file, output, key, plainTensors: 'refuse' }))
    const opened = JSON.parse(
      python(
        `import hashlib, json, sys
from safetensors.numpy import load_file
print(json.dumps({k: hashlib.sha256(v.tobytes()).hexdigest() for k, v in load_file(sys.argv[1]).items()}))`,
        join(output, 'p.safetensors'),
      ),
    )
    expect(opened).toEqual(wrote)
    // And once more under another key, by us, read by the package.
    const next = newModelKey()
    writeFileSync(join(folder, 'n.json'), modelKeyFile(next))
    accepted(await rewrapModel({ input: file, from: key, to: next }))
    expect(Object.keys(JSON.parse(python(READ, file, join(folder, 'n.json')).split('\n')[0] ?? ''))).toHaveLength(4)
  })

  it.each(['aes128gcm', 'chacha20poly1305'])('writes %s, which we open', async (alg) => {
    const size = alg === 'aes128gcm' ? 16 : 32
    const [, signer] = JSON.parse(modelKeyFile(key)).keys
    const master = { kty: 'oct', alg, kid: 'other', k: Buffer.from(bytesNamed(alg, size)).toString('base64') }
    const text = JSON.stringify({ keys: [master, signer] })
    const folder = folderOf({ 'k.json': text })
    const file = join(folder, 'p.safetensors')
    python(WRITE, file, join(folder, 'k.json'), '{}')
    const output = fresh()
    const other = accepted(parseModelKey(Buffer.from(text)))
    accepted(await openModel({ input: file, output, key: other, plainTensors: 'refuse' }))
    expect(readFileSync(join(output, 'p.safetensors')).length).toBeGreaterThan(6_000_000)
  })

  it('seals what safetensors wrote, header in any order', async () => {
    const folder = folderOf({ 'k.json': modelKeyFile(key) })
    python(WRITE, join(folder, 'p.safetensors'), join(folder, 'k.json'), '{}')
    const [sealed, opened] = [fresh(), fresh()]
    const input = folderOf({ 'm.safetensors': readFileSync(join(folder, 'p.safetensors.plain')) })
    accepted(await sealModel({ input, output: sealed, key }))
    accepted(await openModel({ input: sealed, output: opened, key, plainTensors: 'refuse' }))
    expect(readFileSync(join(opened, 'm.safetensors')).equals(readFileSync(join(input, 'm.safetensors')))).toBe(true)
  })
})

describeWith([pythonPackage('tink')], 'the Python package tink', () => {
  const key = newModelKey()
  const SIZES = [
    0,
    1,
    1024 * 1024 - 57,
    1024 * 1024 - 56,
    1024 * 1024 - 55,
    2 * 1024 * 1024 - 72,
    2 * 1024 * 1024 - 71,
    3_000_000,
  ]

  /** One keyset of the raw key, as Tink's JSON has it. */
  const SETUP = `
import base64, io, json, sys, tink
from tink import streaming_aead, secret_key_access
from tink.proto import tink_pb2, aes_gcm_hkdf_streaming_pb2 as pb, common_pb2
streaming_aead.register()
def primitive(raw):
    key = pb.AesGcmHkdfStreamingKey(version=0, key_value=raw, params=pb.AesGcmHkdfStreamingParams(
        ciphertext_segment_size=1048576, derived_key_size=32, hkdf_hash_type=common_pb2.SHA256))
    keyset = tink_pb2.Keyset(primary_key_id=1)
    keyset.key.add(key_data=tink_pb2.KeyData(type_url="type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey",
        value=key.SerializeToString(), key_material_type=tink_pb2.KeyData.SYMMETRIC), status=tink_pb2.ENABLED, key_id=1, output_prefix_type=tink_pb2.RAW)
    handle = tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return handle.primitive(streaming_aead.StreamingAead)
jobs = json.load(sys.stdin)
`
  const tink = (body: string, jobs: object): string =>
    execFileSync(PYTHON, ['-c', SETUP + body], { encoding: 'utf8', input: JSON.stringify(jobs), maxBuffer: 1e9 })

  it('reads what we seal, of every size around the segments', async () => {
    const files = Object.fromEntries(SIZES.map((size) => [`sub/f${size}.gguf`, bytesNamed(`f${size}`, size)]))
    const [input, output] = [folderOf(files), fresh()]
    accepted(await sealModel({ input, output, key }))
    const manifest = accepted(authenticateManifest(readFileSync(join(output, MANIFEST_NAME)), key))
    const jobs = manifest.files.map((file) => {
      const raw = 'key' in file ? unwrapKey(key.encryption, file.key) : undefined
      return {
        file: join(output, file.name),
        path: file.path,
        plain: join(input, file.path),
        key: Buffer.from(raw ?? '').toString('base64'),
      }
    })
    const same = tink(
      `for j in jobs:
    with primitive(base64.b64decode(j["key"])).new_decrypting_stream(open(j["file"], "rb"), j["path"].encode()) as f:
        print(f.read() == open(j["plain"], "rb").read())`,
      jobs,
    )
    expect(same.trim().split('\n')).toEqual(SIZES.map(() => 'True'))
  })

  it('writes what we open', async () => {
    const files = Object.fromEntries(SIZES.map((size) => [`f${size}.bin`, bytesNamed(`f${size}`, size)]))
    const [input, output, opened] = [folderOf(files), fresh(), fresh()]
    accepted(await sealModel({ input, output, key }))
    const { encodeManifest } = await import('../../src/weights/manifest.ts')
    const { digestOf } = await import('../../src/weights/digest.ts')
    const manifest = accepted(authenticateManifest(readFileSync(join(output, MANIFEST_NAME)), key))
    const jobs = manifest.files.map((file) => {
      const raw = 'key' in file ? unwrapKey(key.encryption, file.key) : undefined
      return {
        file: join(output, file.name),
        path: file.path,
        plain: join(input, file.path),
        key: Buffer.from(raw ?? '').toString('base64'),
      }
    })
    tink(
      `for j in jobs:
    with primitive(base64.b64decode(j["key"])).new_encrypting_stream(open(j["file"], "wb"), j["path"].encode()) as f:
        f.write(open(j["plain"], "rb").read())`,
      jobs,
    )
    const ours = manifest.files.map((file) => {
      const bytes = readFileSync(join(output, file.name))
      return { ...file, sizeBytes: bytes.length, digest: digestOf(bytes) }
    })
    writeFileSync(join(output, MANIFEST_NAME), encodeManifest({ ...manifest, files: ours }, key))
    accepted(await openModel({ input: output, output: opened, key, plainTensors: 'refuse' }))
    for (const { path } of manifest.files)
      expect(readFileSync(join(opened, path)).equals(readFileSync(join(input, path))), path).toBe(true)
  })
})
