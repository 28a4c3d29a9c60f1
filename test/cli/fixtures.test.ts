import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeFixtures } from '../../scripts/make-fixtures.ts'
import { CODES } from '../../src/core/codes.ts'
import { fixture, vouchsafe } from './run.ts'

const made = await makeFixtures()
const folder = fixture('')

describe('fixtures/ is what the test kit makes', () => {
  test('no file is missing and none is there that the kit does not make', () => {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((e) => e.isFile())
      .map((e) => relative(folder, join(e.parentPath, e.name)))
    expect(files.sort()).toEqual([...made.keys(), 'README.md'].sort())
  })

  // Where this fails after a change of the kit or of a preset: npm run fixtures, and read what changed.
  test.each([...made.keys()])('%s, byte for byte', (path) => {
    expect(readFileSync(join(folder, path)).equals(made.get(path) ?? new Uint8Array())).toBe(true)
  })

  test('and the kit makes the same a second time', async () => {
    expect(await makeFixtures()).toEqual(made)
  })
})

test('the index speaks of files that are there and of codes that exist', () => {
  const index = JSON.parse(readFileSync(fixture('expected.json'), 'utf8')) as {
    readonly cases: readonly {
      readonly evidence: string
      readonly verdict: string
      readonly codes: readonly string[]
    }[]
  }
  expect(index.cases.map((c) => c.verdict)).toEqual(['accept', 'reject', 'reject', 'reject', 'reject'])
  for (const { evidence, codes } of index.cases) {
    expect(made.has(evidence)).toBe(true)
    for (const code of codes) expect(Object.keys(CODES)).toContain(code)
  }
  const wrong = index.cases.flatMap((c) => c.codes)
  expect(new Set(wrong).size).toBe(wrong.length)
})

describe('what the pages say to do with them', () => {
  const page = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
  const commands = (name: string): readonly (readonly string[])[] =>
    [...page(name).matchAll(/^npx vouchsafe (verify fixtures\/(?:[^\n\\]|\\\n)*)$/gm)].map((m) =>
      (m[1] ?? '').replaceAll('\\\n', ' ').split(/\s+/),
    )
  const all = ['README.md', 'fixtures/README.md'].flatMap((name) =>
    commands(name).map((args) => [name, args[1] ?? '', args] as const),
  )

  test('both machines are judged on both pages', () => {
    expect(all.map(([name, evidence]) => `${name}: ${evidence}`).sort()).toEqual([
      'README.md: fixtures/evidence/accepted.json',
      'README.md: fixtures/tdx/accepted.json',
      'fixtures/README.md: fixtures/evidence/accepted.json',
      'fixtures/README.md: fixtures/tdx/accepted.json',
    ])
  })

  test.each(all)('%s: %s is accepted', async (_, evidence, args) => {
    const ran = await vouchsafe(args)
    expect(ran.exit).toBe(0)
    expect(ran.stdout).toMatch(/^ACCEPT {2}level 2 /)
    if (!evidence.includes('/tdx/')) return
    const line = /^cpu +intel\/tdx-quote +PASS .+\n .+$/m.exec(ran.stdout)?.[0] ?? 'no line'
    expect(page('README.md')).toContain(line)
    expect(ran.stdout).toMatch(/^gpu-0 +nvidia\/gpu-report +PASS /m)
  })
})

test('the page says where the bytes come from', () => {
  expect(readFileSync(fixture('README.md'), 'utf8')).toContain(
    'signed by test keys. Nothing here comes from real hardware',
  )
})
