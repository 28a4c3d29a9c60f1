import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { take } from '../../src/core/outcome.ts'
import {
  explainPolicy,
  POLICY_SCHEMA,
  PRESET_NAMES,
  parsePolicy,
  policyDigest,
  presetPolicy,
} from '../../src/policy/index.ts'
import { scratchFolder, vouchsafe, widest } from './run.ts'

const folder = scratchFolder()
const written = (text: string | Uint8Array): string => {
  const path = join(folder, 'policy.json')
  writeFileSync(path, text)
  return path
}
const digestOf = (name: (typeof PRESET_NAMES)[number]) =>
  policyDigest(presetPolicy(name), (bytes) => nodeCrypto.digest('sha256', bytes))

describe('policy check', () => {
  test.each(PRESET_NAMES)('the preset %s: 0, name and digest', async (name) => {
    const ran = await vouchsafe(['policy', 'check', name])
    expect(ran).toEqual({ exit: 0, stderr: '', stdout: `ok  ${name}  version 1  ${await digestOf(name)}\n` })
  })

  const page = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
  const shownIn = (name: string): string => /```json\n(\{[^`]*?"require"[^`]*?)```/.exec(page(name))?.[1] ?? ''

  test.each([
    ['README.md', 'weights-of-acme'],
    ['docs/intel.md', 'azure-td'],
  ])('the policy that %s shows is one', async (file, name) => {
    const ran = await vouchsafe(['policy', 'check', written(shownIn(file)), '--json'])
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    expect(JSON.parse(ran.stdout)).toMatchObject({ ok: true, name, version: 1 })
  })

  test('and README says of its own what it is', () => {
    expect(page('README.md')).toContain('takes an SNP or a TDX machine with eight H100s')
    const { require } = take(parsePolicy(shownIn('README.md')))
    expect(require.cpu.any.map((rule) => rule.platform)).toEqual(['amd/snp', 'intel/tdx'])
    expect(require.gpu).toMatchObject({ count: 8, models: ['H100'] })
  })

  const FAULTY =
    '{ "version": 1, "name": "typo", "extends": "h100-confidential", "require": { "gpu": { "cuont": 2, "models": [] } } }'

  test('a refused policy: 1, every fault with its pointer, the nearest known key, what is allowed', async () => {
    const ran = await vouchsafe(['policy', 'check', written(FAULTY)])
    expect(ran).toMatchObject({ exit: 1, stderr: '' })
    expect(ran.stdout).toMatch(/^refused {2}.+policy\.json: 2 faults\n/)
    expect(ran.stdout).toMatch(
      /^ {2}POLICY_UNKNOWN_KEY [\s\S]+? {5}at {8}\/require\/gpu\/cuont\n {5}expected {2}count\n {5}found {5}cuont\n {5}remedy /m,
    )
    expect(ran.stdout).toMatch(/^ {2}POLICY_LIST_EMPTY [\s\S]+? {5}at {8}\/require\/gpu\/models\n/m)
    expect(widest(ran.stdout)).toBeLessThanOrEqual(100)
  })

  test('--json: the same for machines', async () => {
    const ran = await vouchsafe(['policy', 'check', '-', '--json'], { stdin: FAULTY })
    expect(ran).toMatchObject({ exit: 1, stderr: '' })
    expect(JSON.parse(ran.stdout)).toMatchObject({
      ok: false,
      faults: [
        { code: 'POLICY_UNKNOWN_KEY', path: '/require/gpu/cuont', expected: 'count', hint: expect.any(String) },
        { code: 'POLICY_LIST_EMPTY', path: '/require/gpu/models' },
      ],
    })
  })

  test('text that is no JSON, and bytes that are no text, are refused policies', async () => {
    for (const text of ['{ "version": 1,', '', Uint8Array.of(0x7b, 0xff, 0x7d)]) {
      const ran = await vouchsafe(['policy', 'check', written(text), '--json'])
      expect(ran).toMatchObject({ exit: 1, stderr: '' })
      expect(JSON.parse(ran.stdout)).toMatchObject({ ok: false, faults: [{ code: 'JSON_SYNTAX' }] })
    }
  })

  test('a file that is not there is 2', async () => {
    const ran = await vouchsafe(['policy', 'check', 'h100-confidentail'])
    expect(ran).toEqual({
      exit: 2,
      stdout: '',
      stderr: 'vouchsafe: cannot read h100-confidentail: no such file or folder; the preset is h100-confidential\n',
    })
  })
})

describe('policy explain', () => {
  test('what it demands and what remains, in sentences', async () => {
    const ran = await vouchsafe(['policy', 'explain', 'h100-confidential'])
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    const text = ran.stdout.replace(/\s+/g, ' ')
    const { rules, residualRisks, advice } = explainPolicy(presetPolicy('h100-confidential'))
    for (const rule of rules) expect(text).toContain(`${rule.text} ${rule.rule}`)
    for (const risk of residualRisks) expect(text).toContain(risk.text)
    for (const line of advice) expect(text).toContain(line)
    expect(text).toContain(await digestOf('h100-confidential'))
    expect(widest(ran.stdout)).toBeLessThanOrEqual(100)
  })

  test('--json', async () => {
    const ran = await vouchsafe(['policy', 'explain', 'cpu-confidential', '--json'])
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    expect(JSON.parse(ran.stdout)).toEqual({
      name: 'cpu-confidential',
      version: 1,
      digest: await digestOf('cpu-confidential'),
      ...JSON.parse(JSON.stringify(explainPolicy(presetPolicy('cpu-confidential')))),
    })
  })

  test('a refused policy: 1', async () => {
    expect(await vouchsafe(['policy', 'explain', written('{ "version": 7 }')])).toMatchObject({ exit: 1, stderr: '' })
  })
})

describe('policy digest', () => {
  test('names what a policy means, however it is written', async () => {
    const spaced = written('{"extends":"h100-confidential",\n\n "name":"h100-confidential", "version":1 }')
    const [preset, file] = await Promise.all(
      ['h100-confidential', spaced].map((p) => vouchsafe(['policy', 'digest', p])),
    )
    expect(preset).toEqual({ exit: 0, stderr: '', stdout: `${await digestOf('h100-confidential')}\n` })
    expect(file?.stdout).toBe(preset?.stdout)
  })

  test('--json', async () => {
    const ran = await vouchsafe(['policy', 'digest', 'cpu-confidential', '--json'])
    expect(JSON.parse(ran.stdout)).toEqual({ name: 'cpu-confidential', digest: await digestOf('cpu-confidential') })
  })
})

describe('policy schema', () => {
  test('prints the JSON Schema, with and without --json', async () => {
    for (const args of [
      ['policy', 'schema'],
      ['policy', 'schema', '--json'],
    ]) {
      const ran = await vouchsafe(args)
      expect(ran).toMatchObject({ exit: 0, stderr: '' })
      expect(JSON.parse(ran.stdout)).toEqual(POLICY_SCHEMA)
    }
  })

  test('policy alone is usage', async () => {
    for (const args of [['policy'], ['policy', 'lint', 'x'], ['policy', 'check'], ['policy', 'check', 'a', 'b']]) {
      const ran = await vouchsafe(args)
      expect(ran).toMatchObject({ exit: 2, stdout: '' })
      expect(ran.stderr).not.toBe('')
    }
  })
})
