import { execFileSync } from 'node:child_process'
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, test } from 'vitest'
import type { Code } from '../../src/core/codes.ts'
import { LIMITS } from '../../src/core/limits.ts'
import { safetensorsFile } from '../../src/testing/index.ts'
import {
  inspectModel,
  type ModelKey,
  modelKeyFile,
  newModelKey,
  openModel,
  rewrapModel,
  sealModel,
} from '../../src/weights/index.ts'
import {
  authenticateManifest,
  decodeManifest,
  encodeManifest,
  MANIFEST_NAME,
  type Manifest,
} from '../../src/weights/manifest.ts'
import {
  accepted,
  bytesNamed,
  contentOf,
  filesOf,
  folderOf,
  fresh,
  KEY,
  MODEL,
  model,
  refused,
  SMALL,
  tensor,
} from './stage.ts'

const INDEX = 'model.safetensors.index.json'
const indexOf = (map: Readonly<Record<string, string>>) =>
  JSON.stringify({ metadata: { total_size: 1 }, weight_map: map })
const SHARDS = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const
const ADAPTER = [tensor('x', 'U8', [9], 9)]
const MAP = { ...Object.fromEntries(SMALL.map(({ name }) => [name, SHARDS[0]])), x: SHARDS[1] }

const FOLDER = {
  [SHARDS[0]]: model(),
  [SHARDS[1]]: safetensorsFile(ADAPTER),
  [INDEX]: indexOf(MAP),
  'config.json': '{"model_type":"llama"}',
  'tokenizer/größe.json': 'x'.repeat(3_000_000),
  'empty.txt': '',
  'weights.gguf': bytesNamed('gguf', 2 * 1024 * 1024),
}

const sealedFolder = async (key = KEY): Promise<string> => {
  const output = fresh('sealed')
  accepted(await sealModel({ input: folderOf(FOLDER), output, key }))
  return output
}
const openAt = (input: string, output = fresh('opened'), key: ModelKey = KEY) =>
  openModel({ input, output, key, plainTensors: 'refuse' })

describe('a model folder', () => {
  it('is sealed whole and opens as it was', async () => {
    const [sealed, opened] = [await sealedFolder(), fresh('opened')]
    const tink = ['config.json', 'empty.txt', INDEX, 'tokenizer/größe.json', 'weights.gguf'].map(
      (name) => `${name}.tink`,
    )
    expect(filesOf(sealed)).toEqual([...tink, ...SHARDS, MANIFEST_NAME].sort())
    for (const name of filesOf(sealed)) expect(readFileSync(join(sealed, name)).includes('llama'), name).toBe(false)
    expect(accepted(await openAt(sealed, opened)).files).toHaveLength(7)
    expect(contentOf(opened)).toEqual(contentOf(folderOf(FOLDER)))
    for (const name of filesOf(opened)) expect(statSync(join(opened, name)).mode & 0o777, name).toBe(0o600)
    expect(accepted(await inspectModel(sealed))).toMatchObject({ kind: 'folder', signature: 'not checked' })
  })

  it('follows links within it', async () => {
    const input = folderOf({ 'a/model.safetensors': model(), 'b.txt': 'b' })
    symlinkSync('a/model.safetensors', join(input, 'link.safetensors'))
    const [sealed, opened] = [fresh(), fresh()]
    accepted(await sealModel({ input, output: sealed, key: KEY }))
    accepted(await openAt(sealed, opened))
    expect(readFileSync(join(opened, 'link.safetensors')).equals(Buffer.from(model()))).toBe(true)
  })

  it('of one file that is no safetensors gets a manifest too', async () => {
    const [sealed, opened] = [fresh(), fresh()]
    accepted(await sealModel({ input: join(folderOf({ 'm.gguf': 'GGUF' }), 'm.gguf'), output: sealed, key: KEY }))
    expect(filesOf(sealed)).toEqual(['m.gguf.tink', MANIFEST_NAME])
    accepted(await openAt(sealed, opened))
    expect(readFileSync(join(opened, 'm.gguf'), 'utf8')).toBe('GGUF')
  })
})

/** Each is sealed as it is but for one thing, which `spoil` does to it; `twin` is the folder without. */
const INPUTS: readonly (readonly [what: string, code: Code, spoil: (root: string) => void])[] = [
  ['a link out of it', 'WEIGHTS_LINK_OUTSIDE', (root) => symlinkSync('/etc/hostname', join(root, 'host.txt'))],
  ['a link to a folder outside', 'WEIGHTS_LINK_OUTSIDE', (root) => symlinkSync('..', join(root, 'up'))],
  ['a link to a folder', 'WEIGHTS_FILE_KIND', (root) => symlinkSync('tokenizer', join(root, 'again'))],
  ['a link to nothing', 'WEIGHTS_FILE_MISSING', (root) => symlinkSync('nothing', join(root, 'gone'))],
  ['a name with a line break', 'WEIGHTS_PATH_UNSAFE', (root) => writeFileSync(join(root, 'a\nb'), '')],
  ['a name with a backslash', 'WEIGHTS_PATH_UNSAFE', (root) => writeFileSync(join(root, 'a\\b'), '')],
  ['its key file', 'WEIGHTS_KEY_IN_MODEL', (root) => writeFileSync(join(root, 'model.jwk'), modelKeyFile(KEY))],
  ['a manifest', 'WEIGHTS_ALREADY_SEALED', (root) => writeFileSync(join(root, MANIFEST_NAME), '{}')],
  ['a shard missing', 'WEIGHTS_INDEX_MISMATCH', (root) => rmSync(join(root, SHARDS[1]))],
  [
    'a tensor missing',
    'WEIGHTS_INDEX_MISMATCH',
    (root) => writeFileSync(join(root, INDEX), indexOf({ ...MAP, y: SHARDS[1] })),
  ],
  [
    'a tensor in another shard',
    'WEIGHTS_INDEX_MISMATCH',
    (root) => writeFileSync(join(root, INDEX), indexOf({ ...MAP, a: SHARDS[1] })),
  ],
  ['an index without a map', 'WEIGHTS_INDEX_MISMATCH', (root) => writeFileSync(join(root, INDEX), '{}')],
  ['a shard cut short', 'WEIGHTS_FILE_TRUNCATED', (root) => truncateSync(join(root, SHARDS[1]), 40)],
]

describe('a folder that cannot be sealed', () => {
  test.each(INPUTS)('has %s: %s', async (_, code, spoil) => {
    const [input, output] = [folderOf(FOLDER), fresh()]
    spoil(input)
    refused(await sealModel({ input, output, key: KEY }), code, output)
  })

  it('is empty, or the output, or around it', async () => {
    const empty = fresh()
    mkdirSync(empty)
    refused(await sealModel({ input: empty, output: fresh(), key: KEY }), 'WEIGHTS_FOLDER_EMPTY')
    const input = folderOf(FOLDER)
    const before = contentOf(input)
    for (const output of [input, join(input, 'sealed/deep'), join(input, '..')])
      refused(await sealModel({ input, output, key: KEY }), 'WEIGHTS_OUTPUT_IS_INPUT')
    const link = fresh()
    symlinkSync(input, link)
    refused(await sealModel({ input, output: link, key: KEY }), 'WEIGHTS_OUTPUT_IS_INPUT')
    refused(
      await sealModel({ input: join(input, 'config.json'), output: input, key: KEY }).then((o) => o),
      'WEIGHTS_OUTPUT_IS_INPUT',
    )
    expect(contentOf(input)).toEqual(before)
  })
})

const changed = (root: string, change: (manifest: Manifest) => Manifest, key = KEY): void => {
  const file = join(root, MANIFEST_NAME)
  const manifest = accepted(authenticateManifest(readFileSync(file), KEY))
  writeFileSync(file, encodeManifest(change(manifest), key))
}
const withFirst = (manifest: Manifest, change: object): Manifest => ({
  ...manifest,
  files: manifest.files.map((file, i) => (i === 0 ? ({ ...file, ...change } as typeof file) : file)),
})
const xored = (bytes: Buffer, at: number): Buffer => {
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return bytes
}
const flip = (file: string, at: number): void => {
  const bytes = readFileSync(file)
  writeFileSync(file, xored(bytes, at < 0 ? bytes.length + at : at))
}
const TINK = 'config.json.tink'
const json = (root: string, change: (object: { [name: string]: unknown }) => void): void => {
  const file = join(root, MANIFEST_NAME)
  const object = JSON.parse(readFileSync(file, 'utf8'))
  change(object)
  writeFileSync(file, JSON.stringify(object))
}

const SEALED: readonly (readonly [what: string, code: Code, spoil: (root: string) => void])[] = [
  ['no manifest', 'WEIGHTS_MANIFEST_MISSING', (root) => rmSync(join(root, MANIFEST_NAME))],
  ['half a manifest', 'JSON_SYNTAX', (root) => truncateSync(join(root, MANIFEST_NAME), 300)],
  [
    'a manifest that was changed',
    'WEIGHTS_SIGNATURE_INVALID',
    (root) => json(root, (o) => void Reflect.set(o, 'brokerUrl', 'https://evil.example')),
  ],
  [
    'a manifest that was shortened',
    'WEIGHTS_SIGNATURE_INVALID',
    (root) => json(root, (o) => void (o.files as unknown[]).pop()),
  ],
  [
    'a manifest without signature',
    'WEIGHTS_SIGNATURE_MISSING',
    (root) => json(root, (o) => void Reflect.deleteProperty(o, 'signature')),
  ],
  [
    'a manifest signed by another',
    'WEIGHTS_SIGNATURE_INVALID',
    (root) => changed(root, (m) => m, { ...KEY, signing: newModelKey().signing }),
  ],
  [
    'a manifest of another key',
    'WEIGHTS_KEY_OTHER',
    (root) => changed(root, (m) => ({ ...m, names: { ...m.names, enc: { alg: 'aes256gcm', kid: 'x' } } })),
  ],
  [
    'an unknown algorithm',
    'WEIGHTS_ALGORITHM_UNKNOWN',
    (root) => changed(root, (m) => ({ ...m, names: { ...m.names, enc: { alg: 'rc4', kid: 'x' } } })),
  ],
  ['no files in it', 'WEIGHTS_MANIFEST_MALFORMED', (root) => changed(root, (m) => ({ ...m, files: [] }))],
  [
    'a member that is not known',
    'WEIGHTS_MANIFEST_MALFORMED',
    (root) => json(root, (o) => void Reflect.set(o, 'x', 1)),
  ],
  ['another version', 'WEIGHTS_MANIFEST_MALFORMED', (root) => json(root, (o) => void Reflect.set(o, 'version', 2))],
  [
    'one path twice',
    'WEIGHTS_MANIFEST_MALFORMED',
    (root) => changed(root, (m) => withFirst(m, { path: m.files[1]?.path })),
  ],
  [
    'a path that leaves the folder',
    'WEIGHTS_PATH_UNSAFE',
    (root) => changed(root, (m) => withFirst(m, { path: '../x' })),
  ],
  ['an absolute path', 'WEIGHTS_PATH_UNSAFE', (root) => changed(root, (m) => withFirst(m, { path: '/etc/x' }))],
  ['a file missing', 'WEIGHTS_FILE_MISSING', (root) => rmSync(join(root, SHARDS[1]))],
  [
    'another shard in a shard’s place',
    'WEIGHTS_DIGEST_MISMATCH',
    (root) => {
      renameSync(join(root, SHARDS[0]), join(root, SHARDS[1]))
      linkSync(join(root, SHARDS[1]), join(root, SHARDS[0]))
    },
  ],
  ['a shorter file', 'WEIGHTS_DIGEST_MISMATCH', (root) => truncateSync(join(root, TINK), 70)],
  [
    'a link in a file’s place',
    'WEIGHTS_LINK_OUTSIDE',
    (root) => {
      rmSync(join(root, TINK))
      symlinkSync('/etc/hostname', join(root, TINK))
    },
  ],
  ['a changed file', 'WEIGHTS_DIGEST_MISMATCH', (root) => flip(join(root, TINK), -1)],
  ['a changed tensor', 'WEIGHTS_CHUNK_TAG_INVALID', (root) => flip(join(root, SHARDS[0]), -1)],
]

describe('a sealed folder that is not what was sealed', () => {
  test.each(SEALED)('has %s: %s', async (_, code, spoil) => {
    const [root, output] = [await sealedFolder(), fresh()]
    spoil(root)
    const outcome = await openAt(root, output)
    refused(outcome, code)
    // What precedes the file at fault was verified and may be there; the file at fault is not.
    const path = outcome.ok ? '' : (outcome.faults[0].path.split('/')[0] ?? '')
    expect(statSync(join(output, path.replace('.tink', '')), { throwIfNoEntry: false })?.isFile() ?? false).toBe(false)
  })

  /** The digest is made right again, so that the stream alone can refuse. */
  const stream = async (change: (bytes: Buffer) => Buffer): Promise<string> => {
    const root = await sealedFolder()
    const { digestOf } = await import('../../src/weights/digest.ts')
    const bytes = change(readFileSync(join(root, TINK)))
    writeFileSync(join(root, TINK), bytes)
    changed(root, (m) => withFirst(m, { sizeBytes: bytes.length, digest: digestOf(bytes) }))
    return root
  }
  it.each([
    ['as it was', undefined, (b: Buffer) => b],
    ['a changed byte', 'WEIGHTS_SEGMENT_TAG_INVALID', (b: Buffer) => xored(b, b.length - 1)],
    ['another salt', 'WEIGHTS_SEGMENT_TAG_INVALID', (b: Buffer) => xored(b, 1)],
    ['a byte less', 'WEIGHTS_SEGMENT_TAG_INVALID', (b: Buffer) => b.subarray(0, -1)],
    ['another length of header', 'WEIGHTS_STREAM_MALFORMED', (b: Buffer) => b.fill(41, 0, 1)],
    ['less than a header', 'WEIGHTS_STREAM_MALFORMED', (b: Buffer) => b.subarray(0, 55)],
    ['nothing', 'WEIGHTS_STREAM_MALFORMED', () => Buffer.alloc(0)],
  ] as const)('has a stream with %s', async (_, code, change) => {
    const output = fresh()
    const outcome = await openAt(await stream(change), output)
    if (code === undefined) accepted(outcome)
    else refused(outcome, code, output)
  })

  it('has one stream in the place of another, under its own key', async () => {
    const root = await sealedFolder()
    changed(root, (m) => withFirst(m, { path: 'other.json' }))
    refused(await openAt(root), 'WEIGHTS_SEGMENT_TAG_INVALID')
  })

  it('cannot be led elsewhere by links in the output', async () => {
    const [root, output, elsewhere] = [await sealedFolder(), fresh(), fresh()]
    mkdirSync(output)
    mkdirSync(elsewhere)
    symlinkSync(elsewhere, join(output, 'tokenizer'))
    refused(await openAt(root, output), 'WEIGHTS_LINK_OUTSIDE')
    expect(filesOf(elsewhere)).toEqual([])
  })

  it('does not open file by file what only its manifest knows', async () => {
    const root = await sealedFolder()
    refused(await openAt(join(root, TINK)), 'WEIGHTS_FOLDER_ONLY')
    accepted(await openAt(join(root, SHARDS[0])))
    refused(await rewrapModel({ input: join(root, SHARDS[0]), from: KEY, to: newModelKey() }), 'WEIGHTS_FOLDER_ONLY')
  })
})

class Interruption extends Error {}
/** Ends the work when that file is worked on. */
const until =
  (name: string) =>
  ({ path }: { path: string }) => {
    if (path === name) throw new Interruption()
  }

describe('work that was interrupted', () => {
  let input: string
  beforeAll(() => {
    input = folderOf({ 'a.txt': 'a', 'b.safetensors': model(MODEL), 'c.txt': 'c', 'd.txt': 'd' })
  })

  it('seals on where it was, and anew what changed', async () => {
    const output = fresh()
    await expect(sealModel({ input, output, key: KEY, onProgress: until('c.txt') })).rejects.toThrow(Interruption)
    expect(filesOf(output)).toEqual(['.vouchsafe-progress.json', 'a.txt.tink', 'b.safetensors'])
    const before = contentOf(output)
    writeFileSync(join(input, 'a.txt'), 'other')
    const { resumed } = accepted(await sealModel({ input, output, key: KEY }))
    expect(resumed).toEqual(['b.safetensors'])
    expect(contentOf(output)['b.safetensors']).toBe(before['b.safetensors'])
    const opened = fresh()
    accepted(await openAt(output, opened))
    expect(contentOf(opened)).toEqual(contentOf(input))
  })

  it('takes no finished file that was changed, nor a record that is not its own', async () => {
    const spoiled = async (spoil: (output: string) => void, key = KEY) => {
      const output = fresh()
      await expect(sealModel({ input, output, key: KEY, onProgress: until('c.txt') })).rejects.toThrow(Interruption)
      spoil(output)
      const { resumed } = accepted(await sealModel({ input, output, key }))
      accepted(await openAt(output, fresh(), key))
      return resumed
    }
    const record = '.vouchsafe-progress.json'
    expect(await spoiled(() => undefined)).toEqual(['a.txt', 'b.safetensors'])
    expect(await spoiled((output) => flip(join(output, 'a.txt.tink'), -1))).toEqual(['b.safetensors'])
    expect(await spoiled((output) => flip(join(output, 'b.safetensors'), 40))).toEqual(['a.txt'])
    expect(await spoiled((output) => rmSync(join(output, 'b.safetensors')))).toEqual(['a.txt'])
    expect(await spoiled((output) => flip(join(output, record), 60))).toEqual([])
    expect(await spoiled((output) => writeFileSync(join(output, record), 'null'))).toEqual([])
    expect(await spoiled(() => undefined, newModelKey())).toEqual([])
  })

  it('opens on where it was', async () => {
    const [sealed, output] = [fresh(), fresh()]
    accepted(await sealModel({ input, output: sealed, key: KEY }))
    const options = { input: sealed, output, key: KEY, plainTensors: 'refuse' } as const
    await expect(openModel({ ...options, onProgress: until('c.txt') })).rejects.toThrow(Interruption)
    writeFileSync(join(output, 'a.txt'), 'evil')
    expect(accepted(await openModel(options)).resumed).toEqual(['b.safetensors'])
    expect(contentOf(output)).toEqual(contentOf(input))
  })

  it('removes what dead processes left, and leaves the files of living ones', async () => {
    const of = (writer: string) => `.m.${writer}-000000000000.vouchsafe-unfinished`
    const start = readFileSync(`/proc/${process.ppid}/stat`, 'latin1')
      .replace(/^.*\) /, '')
      .split(' ')[19]
    const living = [of(`${process.ppid}`), of(`${process.ppid}-${start}`)].sort()
    // Of a container that is no more: whoever has its number now is another process, this one perhaps.
    const dead = [of('4194304'), of(`${process.ppid}-1`), of(`${process.pid}`), of(`${process.pid}-1`)]
    const output = folderOf(Object.fromEntries([...living, ...dead].map((name) => [name, ''])))
    accepted(await sealModel({ input, output, key: KEY }))
    expect(readdirSync(output).filter((name) => name.endsWith('.vouchsafe-unfinished'))).toEqual(living)
  })

  it('deletes nothing in a folder that a link in the output leads to', async () => {
    const [sealed, elsewhere] = [fresh(), folderOf({ '.m.4194304-000000000000.vouchsafe-unfinished': '' })]
    accepted(await sealModel({ input: folderOf({ 'sub/a.txt': 'a' }), output: sealed, key: KEY }))
    const output = folderOf({ 'b.txt': 'b' })
    symlinkSync(elsewhere, join(output, 'sub'))
    refused(await openModel({ input: sealed, output, key: KEY, plainTensors: 'refuse' }), 'WEIGHTS_LINK_OUTSIDE')
    expect(readdirSync(elsewhere)).toHaveLength(1)
  })

  it('takes a record of progress that is a pipe, or endless, for none', async () => {
    const sealed = fresh()
    accepted(await sealModel({ input, output: sealed, key: KEY }))
    for (const make of [
      (file: string) => execFileSync('mkfifo', [file]),
      (file: string) => {
        writeFileSync(file, '')
        truncateSync(file, 8 * 2 ** 30)
      },
    ]) {
      const output = folderOf({ 'other.txt': '' })
      make(join(output, '.vouchsafe-progress.json'))
      accepted(await openModel({ input: sealed, output, key: KEY, plainTensors: 'refuse' }))
      expect(filesOf(output)).toEqual([...filesOf(input), 'other.txt'].sort())
    }
  })
})

describe('rewrapping a folder', () => {
  it('changes its keys and nothing else', async () => {
    const [root, opened, to] = [await sealedFolder(), fresh(), newModelKey()]
    const before = contentOf(root)
    accepted(await rewrapModel({ input: root, from: KEY, to }))
    for (const [name, digest] of Object.entries(before))
      expect(contentOf(root)[name] === digest, name).toBe(name.endsWith('.tink'))
    refused(await openAt(root), 'WEIGHTS_KEY_OTHER')
    accepted(await openAt(root, opened, to))
    expect(contentOf(opened)).toEqual(contentOf(folderOf(FOLDER)))
    // Asked again, there is nothing left to do.
    accepted(await rewrapModel({ input: root, from: KEY, to }))
  })

  it('goes on where it was interrupted', async () => {
    const [root, copy, to] = [await sealedFolder(), fresh(), newModelKey()]
    const manifest = readFileSync(join(root, MANIFEST_NAME))
    const second = readFileSync(join(root, SHARDS[1]))
    // As a kill before the second shard leaves it: that shard and the manifest old, the record of the first there.
    const { Progress } = await import('../../src/weights/progress.ts')
    const { digestOf } = await import('../../src/weights/digest.ts')
    accepted(await rewrapModel({ input: root, from: KEY, to }))
    const digest = decodeManifest(readFileSync(join(root, MANIFEST_NAME)))
    const first = accepted(digest).manifest.files.find(({ name }) => name === SHARDS[0])
    writeFileSync(join(root, MANIFEST_NAME), manifest)
    writeFileSync(join(root, SHARDS[1]), second)
    refused(await rewrapModel({ input: root, from: KEY, to }), 'WEIGHTS_DIGEST_MISMATCH')
    const progress = await Progress.of(root, to, `rewrap ${digestOf(manifest)}`)
    await progress.record(SHARDS[0], { digest: first?.digest ?? '' })
    refused(await openAt(root, copy), 'WEIGHTS_DIGEST_MISMATCH', copy)
    accepted(await rewrapModel({ input: root, from: KEY, to }))
    accepted(await openAt(root, copy, to))
    expect(contentOf(copy)).toEqual(contentOf(folderOf(FOLDER)))
  })

  it('refuses another algorithm', async () => {
    const other = newModelKey()
    const to: ModelKey = { ...other, encryption: { ...other.encryption, aead: 'chacha20poly1305' } }
    refused(await rewrapModel({ input: await sealedFolder(), from: KEY, to }), 'WEIGHTS_KEY_OTHER')
  })
})

it('has no more files than a model has', async () => {
  const files = Object.fromEntries(Array.from({ length: LIMITS.modelFiles + 1 }, (_, i) => [`f${i}`, '']))
  const [input, output] = [folderOf(files), fresh('sealed')]
  refused(await sealModel({ input, output, key: KEY }), 'WEIGHTS_FOLDER_TOO_LARGE', output)
})
