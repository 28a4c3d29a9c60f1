import { beforeAll, describe, expect, test } from 'vitest'
import type { FixtureIndex } from '../../src/cli/fixtures.ts'
import { CODES } from '../../src/core/codes.ts'
import type { Decision } from '../../src/decision/decision.ts'
import { fixtureText, type Ran, vouchsafe, widest } from './run.ts'

const index = JSON.parse(fixtureText('expected.json')) as FixtureIndex

describe('vouchsafe demo', () => {
  let ran: Ran
  beforeAll(async () => {
    ran = await vouchsafe(['demo'])
  })

  test('one accepted, four refused, each with its code and remedy', () => {
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    const { stdout } = ran
    expect(stdout.match(/^ACCEPT /gm)).toHaveLength(1)
    expect(stdout.match(/^REJECT$/gm)).toHaveLength(4)
    for (const [i, { title, codes }] of index.cases.entries()) {
      expect(stdout).toContain(`\n${i + 1}. ${title}\n`)
      for (const code of codes) {
        expect(stdout).toContain(`\n  ${code}  `)
        expect(stdout.replace(/\s+/g, ' ')).toContain(`remedy ${CODES[code].hint}`)
      }
    }
    expect(stdout.split('\n').slice(-3)).toEqual([
      '1 accepted, 4 refused, each with its own code and remedy. `vouchsafe codes` lists every code.',
      'All as fixtures/expected.json says.',
      '',
    ])
  })

  test('says that its keys are test keys, injected for it', () => {
    const text = ran.stdout.replace(/\s+/g, ' ')
    expect(text).toContain('signed by test keys; no real hardware. The test roots are injected for this demonstration')
    expect(text).toContain('Rests on trust anchors that the caller injected (injected/ARK-Genoa#')
  })

  test('fits a terminal of 100 columns, without colours where nobody looks', () => {
    const { stdout } = ran
    // The one line that may be longer names the folder of the fixtures, wherever the package lies.
    expect(widest(stdout.replace(/^fixtures: .*$/m, ''))).toBeLessThanOrEqual(100)
    expect(stdout).not.toContain('\x1b')
  })

  test('--json gives the decisions', async () => {
    const ran = await vouchsafe(['demo', '--json'])
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    const demo = JSON.parse(ran.stdout) as {
      readonly asExpected: boolean
      readonly cases: readonly { readonly id: string; readonly asExpected: boolean; readonly decision: Decision }[]
    }
    expect(demo.asExpected).toBe(true)
    expect(
      demo.cases.map((c) => [c.id, c.decision.verdict, [...new Set(c.decision.findings.map((f) => f.code))]]),
    ).toEqual(index.cases.map((c) => [c.id, c.verdict, c.codes]))
    expect(demo.cases.every((c) => c.decision.injectedAnchors.length > 0)).toBe(true)
  })

  test('ends with 1 where a decision comes out otherwise', async () => {
    // A judgement two days later finds stale OCSP answers where an accept was expected.
    const before = `
      import fs from 'node:fs/promises'
      import { syncBuiltinESMExports } from 'node:module'
      const read = fs.readFile
      fs.readFile = async (path, ...rest) => {
        const text = await read(path, ...rest)
        return String(path).endsWith('expected.json') ? text.replace('2026-08-01T00:00:00Z', '2026-08-03T00:00:00Z') : text
      }
      syncBuiltinESMExports()`
    const ran = await vouchsafe(['demo'], { before })
    expect(ran.exit).toBe(1)
    expect(ran.stdout).toContain('not as expected: accept')
    expect(ran.stdout).toMatch(/\n5 not as fixtures\/expected\.json says\.\n$/)
  })
})
