import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  type FreshnessOptions,
  freshnessFrom,
  leaseFrom,
  policyFrom,
  timeOfJudgement,
} from '../../src/cli/arguments.ts'
import { readFiles, readText, readTree, UsageError } from '../../src/cli/input.ts'
import { anchorsFrom } from '../../src/cli/trust-anchors.ts'
import { fixture, scratchFolder } from './run.ts'

const folder = scratchFolder()
const written = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const usage = (message: string) =>
  expect.objectContaining({ name: 'UsageError', message: expect.stringContaining(message) })

describe('the time of judgement', () => {
  test('is what was typed, to the second', () => {
    expect(timeOfJudgement('2026-08-01T00:00:00Z')).toEqual({ now: 1_785_542_400, clockFaults: [] })
  })

  test.each([
    '',
    'yesterday',
    '2026-08-01',
    '2026-08-01T00:00:00',
    '2026-08-01T00:00:00+02:00',
    '2026-02-30T00:00:00Z',
  ])('%j', (at) => {
    expect(() => timeOfJudgement(at)).toThrow(UsageError)
  })
})

describe('freshness', () => {
  test('hexadecimal where it can be hexadecimal, else base64', async () => {
    expect(await freshnessFrom({ nonce: 'ABcd'.repeat(16) })).toMatchObject({
      kind: 'nonce',
      nonce: { length: 32, 0: 0xab, 1: 0xcd },
    })
    const base64 = `${'+/8='.slice(0, 2)}${'A'.repeat(84)}==`
    expect(await freshnessFrom({ nonce: base64 })).toMatchObject({ kind: 'nonce', nonce: { length: 64, 0: 0xfb } })
    expect(await freshnessFrom({})).toEqual({ kind: 'notGiven' })
    expect(await freshnessFrom({ noFreshness: 'a replay' })).toEqual({ kind: 'notChecked', because: 'a replay' })
  })

  test.each<[FreshnessOptions, string]>([
    [{ nonce: 'not base64!' }, 'hexadecimal or standard base64'],
    [{ nonce: 'abc' }, 'hexadecimal or standard base64'],
    // Neither "none given" nor the machine's fault.
    [{ nonce: '' }, '64 bytes, or 32'],
    [{ nonce: 'abcd' }, '64 bytes, or 32'],
    [{ nonce: '-_8=' }, 'hexadecimal or standard base64'],
    [{ noFreshness: ' ' }, 'takes a reason'],
    [{ noFreshness: 'x', nonce: '00' }, 'exclude one another'],
    [{ challenge: fixture('challenge.json'), nonce: '00' }, 'exclude one another'],
    [{ challenge: fixture('lease.json') }, 'is not a challenge'],
    [{ challenge: fixture('trust-anchors.pem') }, 'JSON_SYNTAX'],
  ])('%j', async (options, message) => {
    await expect(freshnessFrom(options)).rejects.toEqual(usage(message))
  })
})

describe('a lease', () => {
  test('is read as it is written', async () => {
    expect(await leaseFrom(fixture('lease.json'))).toMatchObject({
      teeType: 'cpu-gpu',
      gpuCount: 1,
      gpuModel: 'H100',
      hostData: undefined,
    })
  })

  test.each([
    [{ teeType: 'gpu' }, 'teeType is "cpu" or "cpu-gpu"'],
    [{}, 'teeType is "cpu" or "cpu-gpu"'],
    [{ teeType: 'cpu-gpu', gpuCuont: 1 }, 'unknown member gpuCuont'],
    [{ teeType: 'cpu-gpu', '\u009b31m': 1 }, 'unknown member \\u009b31m'],
    [{ teeType: 'cpu-gpu', gpuCount: 0 }, 'gpuCount is a positive integer'],
    [{ teeType: 'cpu-gpu', gpuCount: '1' }, 'gpuCount is a positive integer'],
    [{ teeType: 'cpu-gpu', id: 7 }, 'id is a string'],
    [{ teeType: 'cpu-gpu', hostData: 'AB' }, 'hostData is 64 lower-case hexadecimal digits'],
    [['cpu'], 'a lease is a JSON object'],
  ])('%j', async (value, message) => {
    await expect(leaseFrom(written('lease.json', JSON.stringify(value)))).rejects.toEqual(usage(message))
  })
})

describe('a policy', () => {
  test('a preset by its name, a file by its path', async () => {
    expect(await policyFrom('cpu-confidential')).toMatchObject({ name: 'cpu-confidential' })
    const path = written('cpu-confidential', '{ "version": 1, "name": "mine", "extends": "h100-confidential" }')
    expect(await policyFrom(path)).toMatchObject({ name: 'mine' })
  })

  test('one that is refused tells why', async () => {
    await expect(policyFrom(written('policy.json', '{ "version": 2 }'))).rejects.toEqual(usage('POLICY_VERSION'))
  })
})

describe('trust anchors', () => {
  test('several in one file, each marked as injected', async () => {
    const anchors = await anchorsFrom(fixture('trust-anchors.pem'))
    expect(anchors.map((a) => a.role)).toEqual(['amd/ark', 'nvidia/device-root', 'nvidia/rim-root'])
    expect(anchors.every((a) => a.injected && /^injected\/.+#[0-9a-f]{8}$/.test(a.id))).toBe(true)
    expect(anchors[0]).toMatchObject({ product: 'Genoa' })
  })

  test('neither an intermediate nor anything else', async () => {
    await expect(anchorsFrom(fixture('collateral/amd/ask-genoa.pem'))).rejects.toEqual(
      usage('not a root that any evidence kind'),
    )
    await expect(anchorsFrom(fixture('lease.json'))).rejects.toEqual(usage('--trust-anchor lease.json'))
  })
})

describe('files', () => {
  test.each([
    ['evidence', () => readFiles(join(folder, 'missing'))],
    ['collateral', () => readTree(join(folder, 'missing'))],
    ['policy', () => policyFrom(join(folder, 'missing'))],
    ['lease', () => leaseFrom(join(folder, 'missing'))],
    ['challenge', () => freshnessFrom({ challenge: join(folder, 'missing') })],
    ['anchor', () => anchorsFrom(join(folder, 'missing'))],
  ])('missing: %s', async (_, read) => {
    await expect(read()).rejects.toEqual(usage(`cannot read ${join(folder, 'missing')}: no such file or folder`))
  })

  test('text is UTF-8 and nothing else', async () => {
    await expect(readText(written('latin1', Uint8Array.of(0x22, 0xe9, 0x22)))).rejects.toEqual(usage('is not UTF-8'))
    await expect(readText(written('bom', '\ufeff{}'))).rejects.toEqual(usage('is not UTF-8'))
  })

  test('a folder is no text', async () => {
    await expect(readText(folder)).rejects.toEqual(usage('it is a folder'))
  })

  test('a file without end is read as far as the library takes any', async () => {
    const [file] = await readFiles('/dev/zero')
    expect(file?.bytes.length).toBe(16 * 1024 * 1024 + 1)
  })

  test('a folder holds at most what a request and its collateral may have together', async () => {
    const full = join(folder, 'full')
    mkdirSync(full)
    writeFileSync(join(full, 'a'), new Uint8Array(16 * 1024 * 1024))
    writeFileSync(join(full, 'b'), new Uint8Array(1024 * 1024))
    expect(await readFiles(full)).toHaveLength(2)
    writeFileSync(join(full, 'c'), new Uint8Array(1))
    await expect(readFiles(full)).rejects.toEqual(usage('holds more than 17825792 bytes'))
    await expect(readTree(full)).rejects.toEqual(usage('holds more than 17825792 bytes'))
  })

  test('a tree is read whole, in one order, without hidden files', async () => {
    const names = (await readTree(fixture('collateral'))).map((f) => f.name)
    expect(names).toEqual([...names].sort())
    expect(names).toContain(fixture('collateral/amd/vcek-genoa.crl'))
    expect(names.length).toBeGreaterThan(8)
  })
})
