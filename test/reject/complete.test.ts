import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CODES, type Code, isCode } from '../../src/core/codes.ts'
import { AREAS, CATALOGUE, type Row } from './catalogue.ts'

const TESTS = join(import.meta.dirname, '..')
const SOURCE = join(TESTS, '../src')
const GIVEN = process.env.VOUCHSAFE_REJECT ?? join(TESTS, '../../shared/reject/reject.json')

const textsIn = (folder: string, isMeant: (name: string) => boolean): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && isMeant(name))
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  )

/** What every test file says, but this one. */
const sources = textsIn(TESTS, (name) => !name.endsWith('complete.test.ts'))

/** Ids that stand at the head of a test's name. */
const NAMED = /(?:\b(?:row|kitRow|rowTitle|it|test)|\))\(\s*[`'"](?:\$\{rowTitle\(['"])?(RJ-[A-Z0-9]+-\d+)/g
const named = new Set([...sources.values()].flatMap((text) => [...text.matchAll(NAMED)].map((m) => m[1])))

describe('the must-reject catalogue', () => {
  it('has every row run by a test of its name', () => {
    expect(CATALOGUE.filter((r) => !named.has(r.id)).map((r) => r.id)).toEqual([])
  })

  it('knows every row that a test names', () => {
    const known = new Set<string>(CATALOGUE.map((r) => r.id))
    const mentioned = [...sources].flatMap(([name, text]) =>
      [...text.matchAll(/\bRJ-[A-Z0-9]+-\d+\b/g)].map((m) => ({ name, id: m[0] })),
    )
    expect(mentioned.filter(({ id }) => !known.has(id))).toEqual([])
  })

  it('lists every row once, of an area that is judged, with the verdict of its code', () => {
    const ids = CATALOGUE.map((r) => r.id)
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([])
    expect(ids.filter((id) => !AREAS.some((area) => id.startsWith(`RJ-${area}-`)))).toEqual([])
    expect(CATALOGUE.filter((r: Row) => CODES[r.code].verdict !== r.verdict).map((r) => r.id)).toEqual([])
  })

  it('gives a reason wherever a case has another code', () => {
    expect(CATALOGUE.filter((r: Row) => r.otherCodes !== undefined && r.mended === undefined)).toEqual([])
  })

  // In the maintainers' continuous integration the catalogue they gave is there, and must be.
  const isGiven = existsSync(GIVEN) || process.env.CI === 'true'
  it.runIf(isGiven)('differs from the one it was given only where it says why', () => {
    type Given = Pick<Row, 'id' | 'code' | 'verdict'> & { readonly area: string }
    const ours = new Map<string, Row>(CATALOGUE.map((r) => [r.id, r]))
    const given = (JSON.parse(readFileSync(GIVEN, 'utf8')) as readonly Given[]).filter(
      (r) => (AREAS as readonly string[]).includes(r.area) || ours.has(r.id),
    )
    expect(given.map((r) => r.id).filter((id) => !ours.has(id))).toEqual([])
    expect(ours.size).toBe(given.length)
    const differing = given.filter(({ id, code, verdict }) => {
      const row = ours.get(id)
      return row?.mended === undefined && (row?.code !== code || row.verdict !== verdict)
    })
    expect(differing).toEqual([])
  })
})

const allCodes = Object.keys(CODES) as Code[]
const codesIn = (text: string): Code[] =>
  [...text.matchAll(/['"`]([A-Z0-9]+(?:_[A-Z0-9]+)+)\b/g)].map((m) => m[1] ?? '').filter(isCode)

describe('the table of codes', () => {
  it('has every code asserted by a test', () => {
    const asserted = new Set<Code>(CATALOGUE.map((r) => r.code))
    // Lists of codes assert nothing.
    const lists = /^(reject\/catalogue[-a-z]*|core\/codes\.test)\.ts$/
    for (const [name, text] of sources) if (!lists.test(name)) for (const code of codesIn(text)) asserted.add(code)
    expect(allCodes.filter((code) => !asserted.has(code))).toEqual([])
  })

  it('has every code given by the source', () => {
    const isMeant = (name: string) => name !== join('core', 'codes.ts') && !name.startsWith('testing')
    const given = new Set([...textsIn(SOURCE, isMeant).values()].flatMap(codesIn))
    expect(allCodes.filter((code) => !given.has(code))).toEqual([])
  })
})
