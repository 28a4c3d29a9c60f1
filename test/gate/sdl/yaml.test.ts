import { describe, expect, it } from 'vitest'
import { parseYaml } from '../../../src/gate/sdl/yaml.ts'
import { codesOf, valueIn } from '../../core/support.ts'

describe('parseYaml', () => {
  it.each<[string, unknown]>([
    ['a: 1\nb: [x, "y", true, null, 1.5]', { a: 1, b: ['x', 'y', true, null, 1.5] }],
    ['no: no\noff: "off"', { no: 'no', off: 'off' }],
    ['1: a', { '1': 'a' }],
    ['a: &x [1]\nb: *x', { a: [1], b: [1] }],
    ['a:', { a: null }],
    ['__proto__: 1', Object.fromEntries([['__proto__', 1]])],
  ])('reads %j', async (text, value) => {
    expect(JSON.stringify(valueIn(await parseYaml(text)))).toBe(JSON.stringify(value))
  })

  it.each<[string, string]>([
    ['a key twice', 'a: 1\na: 2'],
    ['a key twice, once as a number', '1: a\n"1": b'],
    ['a merge key', 'a: &x { b: 1 }\nc: { <<: *x }'],
    ['a tag', 'a: !!binary aGk='],
    ['a tag of one’s own', 'a: !secret b'],
    ['a tag on a mapping', 'a: !!map { b: 1 }'],
    ['a tag that says what it is anyway', 'a: !!str b'],
    ['a directive', '%YAML 1.1\n---\na: 1'],
    ['two documents', 'a: 1\n---\nb: 2'],
    ['an alias before its anchor', 'a: *x\nb: &x 1'],
    ['an alias to what holds it', 'a: &x [*x]'],
    ['an alias as a key', 'a: &x b\n*x : 1'],
    ['a list as a key', '? [a]\n: 1'],
    ['true as a key', 'true: 1'],
    ['infinity', 'a: .inf'],
    ['a tab for indentation', 'a:\n\tb: 1'],
    ['an open quote', 'a: "b'],
    ['33 levels', '['.repeat(33) + ']'.repeat(33)],
    ['more levels than any stack', '['.repeat(60_000)],
    ['more than 64 KiB', `a: ${'b'.repeat(65_536)}`],
    ['a thousand laughs', `a: &a [${'x,'.repeat(99)}]\nb: &b [${'*a,'.repeat(99)}]\nc: [${'*b,'.repeat(99)}]`],
    ['one long text, many times', `a: &a "${'x'.repeat(40_000)}"\nb: [*a, *a, *a, *a, *a, *a, *a]`],
  ])('refuses %s', async (_, text) => {
    expect(codesOf(await parseYaml(text))).toEqual(['SDL_UNREADABLE'])
  })

  it('says in which line, and nothing of what stands there', async () => {
    const refused = await parseYaml('a: 1\ntoken: "swordfish\nb: 2')
    expect(refused).toMatchObject({ ok: false, faults: [{ path: expect.stringMatching(/^line [23]$/) }] })
    expect(JSON.stringify(refused)).not.toContain('swordfish')
  })
})
