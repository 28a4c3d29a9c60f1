import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { FixtureIndex } from '../../src/cli/fixtures.ts'
import type { Report } from '../../src/cli/gate/render.ts'
import { fixture, fixtureText, scratchFolder, vouchsafe, widest } from './run.ts'

const { bids } = JSON.parse(fixtureText('expected.json')) as FixtureIndex
const folder = scratchFolder()
const FILES = readdirSync(fixture('bids')).map((name) => fixture(join('bids', name)))

test('one provider eligible, three not, each with its reason; offline and as expected', async () => {
  const ran = await vouchsafe(['demo', 'bids'])
  expect(ran).toMatchObject({ exit: 0, stderr: '' })
  for (const [i, { title, verdict, codes }] of bids.rows.entries()) {
    expect(ran.stdout).toContain(`\n${i + 1}  ${title}\n`)
    const row = ran.stdout.split('\n').find((line) => line.startsWith(`${i + 1}  …`))
    expect(row).toContain(` ${verdict.toUpperCase()} `)
    expect(row).toMatch(new RegExp(`${codes[0] ?? '2026-08-01T06:00:00Z'}$`))
  }
  expect(ran.stdout).toContain('1 eligible, 2 refused, 1 inconclusive')
  expect(ran.stdout).toMatch(/\nAll as fixtures\/expected\.json says\.\n$/)
  expect(ran.stdout.replace(/\s+/g, ' ')).toContain('signed by test keys; no real hardware')
  expect(widest(ran.stdout)).toBeLessThanOrEqual(100)
})

test('the same for the files by name, under the other preset, as JSON', async () => {
  const args = ['demo', 'bids', ...FILES, '--policy', 'cpu-confidential', '--json']
  const ran = await vouchsafe(args)
  expect(ran).toMatchObject({ exit: 0, stderr: '' })
  const report = JSON.parse(ran.stdout) as Report & { readonly asExpected: boolean | null }
  expect(report.asExpected).toBe(true)
  expect(report.bids.map((b) => ({ bid: b.bid, verdict: b.verdict, codes: b.findings.map((f) => f.code) }))).toEqual(
    bids.rows.map(({ bid, verdict, codes }) => ({ bid, verdict, codes })),
  )
  expect(report.bids.every((b) => b.compared.order && b.compared.provider)).toBe(true)
})

test('a policy that nothing was judged by admits nobody, and no comparison is claimed', async () => {
  const policy = join(folder, 'gpu-strict.json')
  writeFileSync(policy, JSON.stringify({ version: 1, name: 'gpu-strict', extends: 'h100-confidential' }))
  const ran = await vouchsafe(['demo', 'bids', ...FILES, '--policy', policy])
  expect(ran).toMatchObject({ exit: 0, stderr: '' })
  expect(ran.stdout).toContain('0 eligible, 3 refused, 1 inconclusive')
  expect(ran.stdout).toContain('Nothing in the fixtures was judged by this policy')
  expect(ran.stdout).not.toContain('All as fixtures')
})

test('ends with 1 where a bid comes out otherwise', async () => {
  const before = `
    import fs from 'node:fs/promises'
    import { syncBuiltinESMExports } from 'node:module'
    const read = fs.readFile
    fs.readFile = async (path, ...rest) => {
      const text = await read(path, ...rest)
      return String(path).endsWith('expected.json') ? text.replace('2026-08-01T00:00:00Z', '2026-08-03T00:00:00Z') : text
    }
    syncBuiltinESMExports()`
  const ran = await vouchsafe(['demo', 'bids'], { before })
  expect(ran.exit).toBe(1)
  expect(ran.stdout).toMatch(/ REJECT +0 +GATE_DECISION_EXPIRED$/m)
  expect(ran.stdout).toMatch(/\n2 not as fixtures\/expected\.json says\.\n$/)
})
