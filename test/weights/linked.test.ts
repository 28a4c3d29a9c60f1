import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { modelFile, safetensorsFile } from '../../src/testing/index.ts'
import { modelKeyFile, newModelKey, openModel, releasedModelKey, sealModel } from '../../src/weights/index.ts'
import { describeWith, PYTHON, pythonPackage } from '../support/tools.ts'
import { accepted, bytesNamed, contentOf, filesOf, folderOf, fresh, KEY, refused, tensor } from './stage.ts'

const TENSORS = [tensor('large', 'F32', [1024, 1100], 4 * 1024 * 1100), tensor('small', 'I8', [3], 3)]
const SHARD = 'deep/model.safetensors'
const MODEL = { [SHARD]: safetensorsFile(TENSORS), 'config.json': '{"model_type":"llama"}' }

let sealed: string
beforeAll(async () => {
  sealed = fresh('sealed')
  accepted(await sealModel({ input: folderOf(MODEL), output: sealed, key: KEY }))
})

const linked = (input = sealed, output = fresh('linked')) =>
  openModel({ input, output, key: KEY, plainTensors: 'refuse', tensors: 'link' })

describe('a model opened with its tensors left sealed', () => {
  it('has links to them, and the other files opened', async () => {
    const output = fresh('linked')
    expect(accepted(await linked(sealed, output))).toEqual({ files: ['config.json'], linked: [SHARD], resumed: [] })
    expect(filesOf(output)).toEqual(['config.json', SHARD].sort())
    expect(readFileSync(join(output, 'config.json'), 'utf8')).toBe(MODEL['config.json'])
    expect(readlinkSync(join(output, SHARD))).toBe(realpathSync(join(sealed, SHARD)))
  })

  it('can be linked once more, and opened whole in the same place', async () => {
    const output = fresh('linked')
    for (const _ of [1, 2]) accepted(await linked(sealed, output))
    accepted(await openModel({ input: sealed, output, key: KEY, plainTensors: 'refuse' }))
    expect(lstatSync(join(output, SHARD)).isFile()).toBe(true)
    expect(contentOf(output)).toEqual(contentOf(folderOf(MODEL)))
    expect(contentOf(sealed)[SHARD]).not.toEqual(contentOf(output)[SHARD])
  })

  it('is refused where a header is not the one that was sealed, before anything is written', async () => {
    const mixed = fresh('sealed')
    accepted(await sealModel({ input: folderOf(MODEL), output: mixed, key: KEY }))
    accepted(await linked(mixed))
    // Sealed under the same keys, and by their owner: only the manifest knows that it is another one.
    writeFileSync(join(mixed, SHARD), readFileSync(join(sealed, SHARD)))
    const output = fresh()
    refused(await linked(mixed, output), 'WEIGHTS_DIGEST_MISMATCH', output)
  })
})

/** Reads a file by what programs call safetensors: names and digests of the tensors. */
const READ = `
import hashlib, json, sys
from safetensors import safe_open
from safetensors.numpy import load_file
with safe_open(sys.argv[1], framework="np", backend="auto") as f:
    once = {k: hashlib.sha256(f.get_tensor(k).tobytes()).hexdigest() for k in f.keys()}
assert once == {k: hashlib.sha256(v.tobytes()).hexdigest() for k, v in load_file(sys.argv[1]).items()}
print(json.dumps(once))
`
const FOLDER = resolve('examples/sealed-weights')

describeWith([pythonPackage('cryptotensors')], 'a Python program that knows safetensors alone', () => {
  const released = (key = KEY): string => {
    const [encryption, verifying] = JSON.parse(modelKeyFile(key)).keys
    delete verifying.d
    const folder = folderOf({ 'k.jwk': modelKeyFile(accepted(releasedModelKey(encryption, verifying))) })
    return join(folder, 'k.jwk')
  }
  const read = (file: string, keyFile: string, script = READ) => {
    const env = { ...process.env, PYTHONPATH: FOLDER, PYTHONDONTWRITEBYTECODE: '1', VOUCHSAFE_WEIGHTS_KEY: keyFile }
    const { status, stdout, stderr } = spawnSync(PYTHON, ['-c', script, file], { encoding: 'utf8', env })
    return { status, stdout, stderr }
  }
  const inFolder = (file: Uint8Array): string => join(folderOf({ 'm.safetensors': file }), 'm.safetensors')

  it('loads sealed tensors through the links', async () => {
    const output = fresh('linked')
    accepted(await linked(sealed, output))
    const { status, stdout, stderr } = read(join(output, SHARD), released())
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const digests = TENSORS.map(({ name, bytes }) => [name, createHash('sha256').update(bytes).digest('hex')])
    expect(JSON.parse(stdout)).toEqual(Object.fromEntries(digests))
  })

  it('is not given tensors in the clear, nor sealed ones whose seals were removed', () => {
    expect(read(inFolder(safetensorsFile(TENSORS)), released())).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('not sealed: large, small'),
    })
    const file = readFileSync(join(sealed, SHARD))
    const end = 8 + Number(file.readBigUInt64LE())
    const header = JSON.parse(file.subarray(8, end).toString())
    expect(header.__metadata__.__encryption__).toBeDefined()
    delete header.__metadata__.__encryption__
    const bare = modelFile(JSON.stringify(header), file.subarray(end))
    expect(read(inFolder(bare), released())).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('not sealed: large, small'),
    })
  })

  it('is not given what somebody else sealed', async () => {
    const output = fresh()
    const other = newModelKey()
    accepted(await sealModel({ input: folderOf(MODEL), output, key: other }))
    const { status, stderr } = read(join(output, SHARD), released())
    expect(status).toBe(1)
    expect(stderr).toContain('SafetensorError')
    expect(read(join(output, SHARD), released(other)).status).toBe(0)
  })

  it('reads no bytes that it cannot hold to their seals', () => {
    const script = 'import sys\nfrom safetensors.numpy import load\nload(open(sys.argv[1], "rb").read())'
    const { status, stderr } = read(inFolder(safetensorsFile(TENSORS)), released(), script)
    expect(status).toBe(1)
    expect(stderr).toContain('read from files')
  })

  it('does not start where the keys cannot be read', () => {
    expect(read(join(sealed, SHARD), '/no/such/file', 'print("started")')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('VOUCHSAFE_WEIGHTS_KEY /no/such/file: FileNotFoundError'),
    })
    const garbled = join(folderOf({ k: bytesNamed('k', 9) }), 'k')
    expect(read(join(sealed, SHARD), garbled, 'print("started")')).toMatchObject({ status: 1, stdout: '' })
  })
})
