import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { ok } from '../../src/core/outcome.ts'
import { modelFile, safetensorsFile } from '../../src/testing/index.ts'
import {
  modelKeyFile,
  newModelKey,
  type OpenOptions,
  openModel,
  releasedModelKey,
  sealModel,
} from '../../src/weights/index.ts'
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
  it('says where they are and what their headers were, and has the other files opened', async () => {
    const output = fresh('linked')
    expect(accepted(await linked(sealed, output))).toEqual({ files: ['config.json'], linked: [SHARD], resumed: [] })
    expect(filesOf(output)).toEqual(['config.json', SHARD].sort())
    expect(readFileSync(join(output, 'config.json'), 'utf8')).toBe(MODEL['config.json'])
    const { __metadata__: metadata } = headerOf(readFileSync(join(sealed, SHARD))).header
    const link = headerOf(readFileSync(join(output, SHARD)))
    expect(link.data).toHaveLength(0)
    expect(link.header).toEqual({
      __metadata__: {
        ...{ format: 'vouchsafe/linked-tensors', version: '1' },
        ...{ file: realpathSync(join(sealed, SHARD)), signature: metadata.__signature__ },
      },
      // What vLLM looks for; where they lie is not said.
      large: { dtype: 'F32', shape: [1024, 1100] },
      small: { dtype: 'I8', shape: [3] },
    })
  })

  it('can be linked once more, and opened whole in the same place', async () => {
    const output = fresh('linked')
    for (const _ of [1, 2]) accepted(await linked(sealed, output))
    accepted(await openModel({ input: sealed, output, key: KEY, plainTensors: 'refuse' }))
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

  it('is rid of what dead processes left, in every folder of it', async () => {
    const output = fresh('linked')
    accepted(await linked(sealed, output))
    const left = join(output, 'deep', '.model.safetensors.999999-aaaaaaaaaaaa.vouchsafe-unfinished')
    writeFileSync(left, 'clear')
    accepted(await linked(sealed, output))
    expect(existsSync(left)).toBe(false)
  })

  it.each([
    ['tensors', 'lnik'],
    ['tensors', null],
    ['plainTensors', 'reject'],
    ['plainTensors', undefined],
    ['key', undefined],
    ['key', ok(KEY)],
    ['input', undefined],
    ['output', ''],
    ['tensor', 'link'],
  ])('is nothing that a mistake opens: %s is %o', async (name, value) => {
    const output = fresh()
    const options = { input: sealed, output, key: KEY, plainTensors: 'refuse', [name]: value } as OpenOptions
    await expect(openModel(options)).rejects.toThrow(new RegExp(`openModel: ${name} `))
    expect(existsSync(output)).toBe(false)
  })
})

const FOLDER = resolve('examples/sealed-weights')

const headerOf = (file: Buffer) => {
  const end = 8 + Number(file.readBigUInt64LE())
  return { header: JSON.parse(file.subarray(8, end).toString()), data: file.subarray(end) }
}

it('says one version of itself, and one of what it was made for', () => {
  const project = readFileSync(join(FOLDER, 'pyproject.toml'), 'utf8')
  const module = readFileSync(join(FOLDER, 'safetensors/__init__.py'), 'utf8')
  expect(/^__version__ = "(.+)"$/m.exec(module)?.[1]).toBe(/^version = "(.+)"$/m.exec(project)?.[1])
  expect(/^_MADE_FOR = "(.+)"$/m.exec(module)?.[1]).toBe(/"cryptotensors==(.+)"/.exec(project)?.[1])
})

/** Reads a file by what programs call safetensors: names and digests of the tensors. */
const READ = `
import hashlib, json, pathlib, sys
from safetensors import safe_open
from safetensors.numpy import load_file
path = pathlib.Path(sys.argv[1])
with safe_open(path, framework="np", backend="auto") as f:
    once = {k: hashlib.sha256(f.get_tensor(k).tobytes()).hexdigest() for k in f.keys()}
assert once == {k: hashlib.sha256(v.tobytes()).hexdigest() for k, v in load_file(path).items()}
print(json.dumps(once))
`
describeWith([pythonPackage('cryptotensors')], 'a Python program that knows safetensors alone', () => {
  const released = (key = KEY, mode = 0o600): string => {
    const [encryption, verifying] = JSON.parse(modelKeyFile(key)).keys
    delete verifying.d
    const file = join(folderOf({ 'k.jwk': modelKeyFile(accepted(releasedModelKey(encryption, verifying))) }), 'k.jwk')
    chmodSync(file, mode)
    return file
  }
  const read = (file: string, keyFile: string | undefined, script = READ, more: Record<string, string> = {}) => {
    const { VOUCHSAFE_WEIGHTS_KEY: _, ...rest } = process.env
    const named = keyFile === undefined ? {} : { VOUCHSAFE_WEIGHTS_KEY: keyFile }
    const env = { ...rest, PYTHONPATH: FOLDER, PYTHONDONTWRITEBYTECODE: '1', ...named, ...more }
    const { status, stdout, stderr } = spawnSync(PYTHON, ['-c', script, file], { encoding: 'utf8', env })
    return { status, stdout, stderr }
  }
  /** A linked folder whose sealed file can be changed. */
  const stage = async (key = KEY): Promise<{ readonly sealed: string; readonly linked: string }> => {
    const [input, output] = [fresh('sealed'), fresh('linked')]
    accepted(await sealModel({ input: folderOf(MODEL), output: input, key }))
    accepted(await openModel({ input, output, key, plainTensors: 'refuse', tensors: 'link' }))
    return { sealed: join(input, SHARD), linked: join(output, SHARD) }
  }
  const failing = (why: string) => ({ status: 1, stdout: '', stderr: expect.stringContaining(why) })

  it('loads sealed tensors through the links', async () => {
    const { linked } = await stage()
    const { status, stdout, stderr } = read(linked, released())
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const digests = TENSORS.map(({ name, bytes }) => [name, createHash('sha256').update(bytes).digest('hex')])
    expect(JSON.parse(stdout)).toEqual(Object.fromEntries(digests))
  })

  it.each([
    ['tensors in the clear', () => safetensorsFile(TENSORS), 'not sealed: large, small'],
    [
      'sealed ones whose seals were removed',
      (file: Buffer) => {
        const { header, data } = headerOf(file)
        expect(header.__metadata__.__encryption__).toBeDefined()
        delete header.__metadata__.__encryption__
        return modelFile(JSON.stringify(header), data)
      },
      'not sealed: large, small',
    ],
    [
      'others that were sealed under the same keys',
      () => readFileSync(join(sealed, SHARD)),
      'not the file that was linked',
    ],
    ['a changed byte', (file: Buffer) => file.fill((file.at(-1) ?? 0) ^ 1, file.length - 1), 'Decryption'],
  ])('is not given %s', async (_, change, why) => {
    const { sealed: file, linked } = await stage()
    expect(read(linked, released()).status).toBe(0)
    writeFileSync(file, change(readFileSync(file)))
    expect(read(linked, released())).toMatchObject(failing(why))
  })

  it('is not given what another key sealed', async () => {
    const other = newModelKey()
    const { linked } = await stage(other)
    expect(read(linked, released(other)).status).toBe(0)
    expect(read(linked, released())).toMatchObject(failing('under the key that VOUCHSAFE_WEIGHTS_KEY names'))
  })

  it('is not given files that were not linked, or are gone', async () => {
    const { sealed: file, linked } = await stage()
    const notWritten = 'not written by vouchsafe weights open --link-tensors'
    expect(read(file, released())).toMatchObject(failing(notWritten))
    const link = readFileSync(linked)
    const { header } = headerOf(link)
    const another = (change: object) => modelFile(JSON.stringify({ ...header, ...change }), new Uint8Array(0))
    for (const bytes of [
      ...['', '{}', 'x'.repeat(70_000), Buffer.concat([link, Buffer.of(0)]), link.subarray(0, -1)],
      another({ __metadata__: { ...header.__metadata__, version: '2' } }),
      another({ __metadata__: [] }),
    ]) {
      writeFileSync(`${linked}.2`, bytes)
      expect(read(`${linked}.2`, released())).toMatchObject(failing(notWritten))
    }
    rmSync(file)
    expect(read(linked, released())).toMatchObject(failing('is gone'))
    mkdirSync(file)
    expect(read(linked, released())).toMatchObject(failing('is no file any more'))
  })

  it('is given nothing by the real safetensors either, where this was forgotten', async () => {
    const { linked } = await stage()
    const script = READ.replace(', backend="auto"', '')
    const { status, stderr } = read(linked, undefined, script, { PYTHONPATH: '' })
    expect(status).toBe(1)
    expect(stderr).toContain('SafetensorError')
  })

  it.each([
    ['bytes', 'from safetensors.numpy import load\nload(open(sys.argv[1], "rb").read())', 'not from bytes'],
    [
      'the native module',
      'import safetensors\nfrom safetensors._safetensors_rust import safe_open\nsafe_open(sys.argv[1], "np")',
      'not sealed',
    ],
    [
      'submodules of cryptotensors that were there before',
      'import cryptotensors.numpy, safetensors\ncryptotensors.numpy.load_file(sys.argv[1])',
      'not sealed',
    ],
    [
      'the module once more',
      'import importlib, safetensors\nimportlib.reload(safetensors).safe_open(sys.argv[1], framework="np")',
      'not sealed',
    ],
    [
      'a process that it starts',
      'import os, subprocess\nos.chdir("/")\nr = subprocess.run([sys.executable, "-c", "import sys, safetensors; safetensors.safe_open(sys.argv[1], framework=\'np\')", sys.argv[1]])\nsys.exit(r.returncode)',
      'not sealed',
    ],
  ])('does not get around it by %s', async (_, script, why) => {
    const { sealed: file, linked } = await stage()
    writeFileSync(file, safetensorsFile(TENSORS))
    expect(read(linked, released(), `import sys\n${script}`)).toMatchObject(failing(why))
  })

  it('loads nothing without keys that are its alone', async () => {
    const { linked } = await stage()
    for (const [keyFile, why] of [
      [undefined, 'VOUCHSAFE_WEIGHTS_KEY has to name'],
      ['', 'VOUCHSAFE_WEIGHTS_KEY has to name'],
      ['/no/such/file', 'No such file or directory'],
      [join(folderOf({ k: bytesNamed('k', 9) }), 'k'), 'chmod 600'],
      [released(KEY, 0o640), 'chmod 600'],
    ] as const)
      expect(read(linked, keyFile)).toMatchObject(failing(why))
    const garbled = join(folderOf({ k: '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}' }), 'k')
    chmodSync(garbled, 0o600)
    expect(read(linked, garbled)).toMatchObject(failing('two keys'))
  })

  it('shows no key in a traceback with the values of variables', async () => {
    const { sealed: file, linked } = await stage()
    writeFileSync(file, safetensorsFile(TENSORS))
    const keyFile = released()
    const { k } = JSON.parse(readFileSync(keyFile, 'utf8')).keys[0]
    const script = `
import sys, traceback
from safetensors import safe_open
try:
    safe_open(sys.argv[1], framework="np")
except Exception as error:
    print("".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()))
`
    const { stdout } = read(linked, keyFile, script)
    expect(stdout).toContain('not sealed')
    expect(stdout).not.toContain(k)
  })
})
