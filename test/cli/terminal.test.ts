import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { amdMachine } from '../../src/testing/index.ts'
import { FIXTURE_OPTIONS, FIXTURE_TIME, fixture, NODE_FLAGS, scratchFolder, vouchsafe } from './run.ts'

const folder = scratchFolder()

/** Whatever a terminal acts on, but for line ends: controls of both sets, and characters that reorder text. */
const ACTS = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/

describe('colours', () => {
  const looks = 'process.stdout.isTTY = true'
  const args = ['verify', fixture('evidence/accepted.json'), ...FIXTURE_OPTIONS]

  test('only where somebody looks', async () => {
    const piped = await vouchsafe(args)
    const onTerminal = await vouchsafe(args, { before: looks })
    const declined = await vouchsafe(args, { before: looks, env: { NO_COLOR: '1' } })
    const unset = await vouchsafe(args, { before: looks, env: { NO_COLOR: '' } })
    expect(piped.stdout).not.toContain('\x1b')
    expect(onTerminal.stdout).toContain('\x1b[32mACCEPT\x1b[0m')
    expect(onTerminal.stdout.replace(/\x1b\[\d+m/g, '')).toBe(piped.stdout)
    expect(declined.stdout).toBe(piped.stdout)
    expect(unset.stdout).toBe(onTerminal.stdout)
  })

  test('never in JSON', async () => {
    expect((await vouchsafe([...args, '--json'], { before: looks })).stdout).not.toContain('\x1b')
  })
})

describe('what others wrote cannot steer a terminal', () => {
  const EVIL = 'a\x1b]0;owned\x07\x9b31m\u202eb'

  test('names of files beside the evidence, in text and in JSON', async () => {
    const machine = join(folder, 'machine')
    mkdirSync(machine)
    writeFileSync(join(machine, 'cpu.bin'), amdMachine('terminal').report)
    writeFileSync(join(machine, `${EVIL}.txt`), 'hello')
    for (const args of [
      ['verify', machine, ...FIXTURE_TIME],
      ['inspect', machine],
    ]) {
      const text = await vouchsafe(args)
      const json = await vouchsafe([...args, '--json'])
      expect(text.stdout).toContain('owned')
      expect(text.stdout).not.toMatch(ACTS)
      expect(json.stdout).toMatch(/^[\x20-\x7e\n]*$/)
      expect(json.stdout).toContain('owned')
      expect(() => JSON.parse(json.stdout)).not.toThrow()
    }
  })

  test('labels in an envelope, members of a policy, names of collateral', async () => {
    const label = join(folder, 'label.json')
    writeFileSync(label, JSON.stringify({ tee_platform: EVIL, report: 'AAAA' }))
    const member = join(folder, 'policy.json')
    writeFileSync(member, JSON.stringify({ version: 1, name: EVIL, [EVIL]: 1 }))
    const collateral = join(folder, 'collateral')
    mkdirSync(collateral)
    writeFileSync(join(collateral, EVIL), 'noise')
    for (const args of [
      ['verify', label, ...FIXTURE_TIME],
      ['inspect', label],
      ['policy', 'check', member],
      ['policy', 'check', member, '--json'],
      ['verify', label, ...FIXTURE_TIME, '--policy', member],
      ['verify', label, ...FIXTURE_TIME, '--collateral', collateral],
    ]) {
      const ran = await vouchsafe(args)
      expect(ran.stdout + ran.stderr).toContain('owned')
      expect(ran.stdout + ran.stderr).not.toMatch(ACTS)
    }
  })

  test('what the operator typed comes back safe as well', async () => {
    const ran = await vouchsafe(['verify', join(folder, `${EVIL}.missing`)])
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).not.toMatch(ACTS)
  })
})

describe('ends of a run', () => {
  test('a reader that stops early does not make a run fail', async () => {
    const line = `"${process.execPath}" ${NODE_FLAGS.join(' ')} src/cli/main.ts codes --json | head -c 10`
    const exit = await new Promise<{ code: number | null; err: string }>((done) => {
      const child = spawn('bash', ['-c', `set -o pipefail; ${line} > /dev/null`], {
        cwd: join(import.meta.dirname, '../..'),
      })
      let err = ''
      child.stderr.on('data', (chunk: Buffer) => {
        err += chunk.toString()
      })
      child.on('close', (code) => done({ code, err }))
    })
    expect(exit.code).toBe(0)
    expect(exit.err).not.toContain('EPIPE')
  })

  test.runIf(existsSync('/dev/full'))('an answer that cannot be written is none', async () => {
    const line = `"${process.execPath}" ${NODE_FLAGS.join(' ')} src/cli/main.ts codes`
    const exitOf = (to: string) => spawnSync('bash', ['-c', `${line} > ${to}`], { encoding: 'utf8' })
    expect(exitOf('/dev/null')).toMatchObject({ status: 0, stderr: '' })
    expect(exitOf('/dev/full')).toMatchObject({
      status: 2,
      stderr: 'vouchsafe: the answer could not be written: ENOSPC\n',
    })
  })

  test('an error of ours is neither an accept nor a refusal', async () => {
    const before = `Promise.all = () => { throw new RangeError('broken on purpose') }`
    const ran = await vouchsafe(['verify', fixture('evidence/accepted.json'), ...FIXTURE_TIME], { before })
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).toMatch(/^vouchsafe: internal error\nRangeError: broken on purpose\n/)
  })

  test('--version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
      version: string
    }
    expect(await vouchsafe(['--version'])).toEqual({ exit: 0, stdout: `${version}\n`, stderr: '' })
  })
})
