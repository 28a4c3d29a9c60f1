import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Inspection } from '../../src/cli/inspect/model.ts'
import { amdMachine } from '../../src/testing/index.ts'
import { fixture, fixtureText, scratchFolder, vouchsafe, widest } from './run.ts'

const folder = scratchFolder()

describe('vouchsafe inspect', () => {
  test('a machine: every item, its fields, its chain; nothing is verified', async () => {
    const ran = await vouchsafe(['inspect', fixture('evidence/accepted.json')])
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    expect(ran.stdout).toMatch(/^Nothing here is verified: /)
    expect(ran.stdout).toContain(
      'carrier akash/aep-83 · binding raw · says of itself snp-gpu · says tls_bound false · 2 items',
    )
    expect(ran.stdout).toMatch(/^0x180 {6}8 {2}reportedTcb /m)
    expect(ran.stdout).toMatch(/^ {14}bit 19 +debugAllowed +0 {2}the host cannot debug this guest$/m)
    expect(ran.stdout).toMatch(/^0xe13 {6}8 {3}6 VBIOS_VERSION {2,}[0-9a-f]{16} {3}96\.00\.FE\.00\.01/m)
    expect(ran.stdout).toMatch(/^┌──┴ GH100 A01 GSP FMC LF ─+ leaf ┐$/m)
    expect(widest(ran.stdout)).toBeLessThanOrEqual(100)
  })

  test('the same evidence is shown where verify refuses it', async () => {
    const ran = await vouchsafe(['inspect', fixture('evidence/debug-guest.json')])
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    expect(ran.stdout).toMatch(/^ {14}bit 19 +debugAllowed +1 {2}the host can read and write guest memory$/m)
  })

  test('--json, from standard input', async () => {
    const ran = await vouchsafe(['inspect', '-', '--json'], { stdin: fixtureText('evidence/accepted.json') })
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    const inspection = JSON.parse(ran.stdout) as Inspection
    expect(inspection).toMatchObject({
      schema: 'vouchsafe/inspection/1',
      verified: false,
      envelope: { platformLabel: 'snp-gpu' },
    })
    const reported = inspection.items[0]?.sections[0]?.fields.find((f) => f.name === 'reportedTcb')
    expect(reported).toMatchObject({ offset: 0x180, sizeBytes: 8, hex: '0b01000000001c58' })
    expect(reported?.parts.find((p) => p.name === 'snp')).toMatchObject({ at: 'byte 6', value: 28 })
  })

  test('a folder of collateral', async () => {
    const ran = await vouchsafe(['inspect', fixture('collateral/amd')])
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    expect(ran.stdout).toContain('name of pinned anchor amd/ARK-Genoa, whose key the verifier holds')
    expect(ran.stdout).toContain('Certificate revocation list')
  })

  test('a report that the decoder refuses is shown, and the run ends with 2', async () => {
    const ran = await vouchsafe(['inspect', fixture('evidence/requested-by-host.json')])
    expect(ran.exit).toBe(2)
    expect(ran.stdout).toMatch(/^0x030 {6}4 {2}vmpl +ffffffff$/m)
    expect(ran.stdout).toMatch(/^ {2}SNP_HOST_REQUESTED /m)
    expect(ran.stderr).toBe('vouchsafe: not everything could be read: SNP_HOST_REQUESTED\n')
  })

  test.each([
    ['noise', Buffer.alloc(64, 7), 'ENV_UNREADABLE'],
    ['a cut certificate', Buffer.from(amdMachine('inspect').vek.subarray(0, 300)), 'DER_TRUNCATED'],
    ['nothing', Buffer.alloc(0), 'ENV_EVIDENCE_EMPTY'],
  ])('unreadable, %s: 2, with code and remedy on stderr', async (name, bytes, code) => {
    const path = join(folder, 'input')
    writeFileSync(path, bytes)
    const ran = await vouchsafe(['inspect', path])
    expect(ran, name).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).toMatch(/^vouchsafe: .+ cannot be read:\n/)
    expect(ran.stderr).toMatch(new RegExp(`^ {2}${code} `, 'm'))
    expect(ran.stderr).toMatch(/^ {5}remedy /m)
  })
})
