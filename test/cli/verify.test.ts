import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Decision } from '../../src/decision/decision.ts'
import {
  FIXTURE_CHALLENGE,
  FIXTURE_COLLATERAL,
  FIXTURE_OPTIONS,
  FIXTURE_POLICY,
  FIXTURE_TIME,
  FIXTURE_TRUST,
  fixture,
  fixtureText,
  type Ran,
  scratchFolder,
  vouchsafe,
  widest,
} from './run.ts'

const ACCEPTED = fixture('evidence/accepted.json')
const decisionIn = ({ stdout }: Ran): Decision => JSON.parse(stdout) as Decision
const codesIn = (ran: Ran): readonly string[] => decisionIn(ran).findings.map((f) => f.code)
const folder = scratchFolder()
/** Every fixture is judged on injected roots. */
const INJECTED = 'vouchsafe: accepted on injected trust anchors, so this decision opens nothing\n'

describe('the answer and its exit code', () => {
  test('an accepted machine: 0, a line per layer, and that test anchors open nothing', async () => {
    const ran = await vouchsafe(['verify', ACCEPTED, ...FIXTURE_OPTIONS])
    expect(ran).toMatchObject({ exit: 0, stderr: INJECTED })
    const lines = ran.stdout.split('\n')
    expect(lines[0]).toBe('ACCEPT  level 2 (fresh)  GPU binding: shared-nonce  physical: unknown')
    expect(ran.stdout).toMatch(/^cpu {8}amd\/snp-report {8}PASS {2}Genoa {2}chip [0-9a-f]{8}… {2}TCB bl=/m)
    expect(ran.stdout).toMatch(/^gpu-0 {6}nvidia\/gpu-report {5}PASS {2}H100 {2}driver 580\.159\.03 {2}VBIOS /m)
    expect(ran.stdout).toContain('32 measurements match, 0 differ, 1 skipped (index 35)')
    expect(ran.stdout.replaceAll('\n', ' ')).toContain('this decision opens nothing')
    expect(ran.stdout).toContain('Not checked')
    expect(widest(ran.stdout)).toBeLessThanOrEqual(100)
  })

  test('a refused machine: 1, and the first failure with its remedy', async () => {
    const ran = await vouchsafe(['verify', fixture('evidence/debug-guest.json'), ...FIXTURE_OPTIONS])
    expect(ran).toMatchObject({ exit: 1, stderr: '' })
    expect(ran.stdout).toMatch(/^REJECT /)
    expect(ran.stdout).toMatch(/^cpu +amd\/snp-report +FAIL /m)
    expect(ran.stdout).toMatch(/^gpu-0 +nvidia\/gpu-report +PASS /m)
    expect(ran.stdout).toMatch(/^ {2}SNP_POLICY_DEBUG_ALLOWED /m)
    expect(ran.stdout).toMatch(/^ {5}remedy {4}\S/m)
    expect(widest(ran.stdout)).toBeLessThanOrEqual(100)
  })

  test('something missing: 3, and what it is', async () => {
    const without = [...FIXTURE_TIME, ...FIXTURE_TRUST, ...FIXTURE_POLICY, ...FIXTURE_CHALLENGE, '--offline']
    const ran = await vouchsafe(['verify', ACCEPTED, ...without])
    expect(ran).toMatchObject({ exit: 3, stderr: '' })
    expect(ran.stdout).toMatch(/^INCONCLUSIVE /)
    expect(ran.stdout).toContain('What is missing')
    expect(ran.stdout).toContain('GPU_RIM_UNAVAILABLE')
    const all = await vouchsafe(['verify', ACCEPTED, ...without, '--json'])
    expect(new Set(codesIn(all))).toEqual(new Set(['CRL_MISSING', 'GPU_RIM_UNAVAILABLE', 'OCSP_MISSING']))
  })

  test('without a policy nothing is accepted', async () => {
    const ran = await vouchsafe([
      'verify',
      ACCEPTED,
      ...FIXTURE_TIME,
      ...FIXTURE_TRUST,
      ...FIXTURE_COLLATERAL,
      '--json',
    ])
    expect(ran.exit).toBe(3)
    expect(codesIn(ran)).toEqual(['POLICY_MISSING'])
  })

  test('without the test anchors the same evidence is refused', async () => {
    const ran = await vouchsafe(['verify', ACCEPTED, ...FIXTURE_TIME, ...FIXTURE_COLLATERAL, '--json'])
    expect(ran.exit).toBe(1)
    expect(new Set(codesIn(ran))).toEqual(new Set(['X509_ROOT_UNTRUSTED']))
  })

  test('--json prints the decision, the same bytes every time', async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(() => vouchsafe(['verify', ACCEPTED, ...FIXTURE_OPTIONS, '--json'])),
    )
    expect(first?.stdout).toBe(second?.stdout)
    expect(JSON.parse(first?.stdout ?? '')).toMatchObject({
      schema: 'vouchsafe/decision/1',
      verdict: 'accept',
      level: 2,
      decidedAt: '2026-08-01T00:00:00Z',
      policy: { name: 'h100-confidential' },
      challenge: { purpose: 'lease' },
      injectedAnchors: [
        expect.stringMatching(/^injected\/ARK-Genoa#/),
        expect.stringMatching(/^injected\/NVIDIA CoRIM signing Root CA#/),
        expect.stringMatching(/^injected\/NVIDIA Device Identity CA#/),
      ],
    })
  })

  test('--explain shows every finding', async () => {
    const args = ['verify', ACCEPTED, ...FIXTURE_TIME, ...FIXTURE_TRUST, ...FIXTURE_POLICY, ...FIXTURE_CHALLENGE]
    const short = await vouchsafe(args)
    const long = await vouchsafe([...args, '--explain'])
    const findings = decisionIn(await vouchsafe([...args, '--json'])).findings.length
    expect(findings).toBeGreaterThan(4)
    expect(short.stdout).toContain(`and ${findings - 4} more`)
    expect(long.stdout.match(/^ {5}remedy /gm)).toHaveLength(findings)
  })
})

describe('time', () => {
  test('a day later the OCSP answers are stale, which is inconclusive', async () => {
    const at = ['--at', '2026-08-03T00:00:00Z', '--offline']
    const ran = await vouchsafe(['verify', ACCEPTED, ...at, ...FIXTURE_TRUST, ...FIXTURE_COLLATERAL, '--json'])
    expect(ran.exit).toBe(3)
    expect(new Set(codesIn(ran))).toEqual(new Set(['GPU_OCSP_UNAVAILABLE', 'OCSP_STALE', 'POLICY_MISSING']))
  })

  test('a time that is none is usage', async () => {
    const ran = await vouchsafe(['verify', ACCEPTED, '--at', 'yesterday'])
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).toContain('RFC 3339')
  })

  test('a clock that is before the release makes the decision inconclusive', async () => {
    const args = [
      'verify',
      ACCEPTED,
      ...FIXTURE_TRUST,
      ...FIXTURE_COLLATERAL,
      ...FIXTURE_POLICY,
      ...FIXTURE_CHALLENGE,
      '--json',
    ]
    const ran = await vouchsafe(args, { before: 'Date.now = () => 1785542400000' }) // 2026-08-01
    expect(ran.exit).toBe(3)
    expect(codesIn(ran)).toEqual(['CLOCK_BEFORE_BUILD'])
    expect(decisionIn(ran)).toMatchObject({ verdict: 'inconclusive', validUntil: '2026-08-01T00:00:00Z' })
  })
})

describe('freshness', () => {
  const args = [
    'verify',
    ACCEPTED,
    ...FIXTURE_TIME,
    ...FIXTURE_TRUST,
    ...FIXTURE_COLLATERAL,
    ...FIXTURE_POLICY,
    '--json',
  ]
  const { nonce } = JSON.parse(fixtureText('challenge.json')) as { nonce: string }

  test('the nonce of the challenge, in base64 and in hexadecimal of either case', async () => {
    const hex = Buffer.from(nonce, 'base64').toString('hex')
    for (const spelled of [nonce, hex, hex.toUpperCase()]) {
      expect(await vouchsafe([...args, '--nonce', spelled])).toMatchObject({ exit: 0 })
    }
  })

  test('another nonce is refused', async () => {
    const ran = await vouchsafe([...args, '--nonce', '00'.repeat(64)])
    expect(ran.exit).toBe(1)
    expect(codesIn(ran)[0]).toBe('BIND_NONCE_MISMATCH')
  })

  test('--no-freshness is never an accept and its reason is told', async () => {
    const ran = await vouchsafe([...args, '--no-freshness', 'a saved quote'])
    expect(ran.exit).not.toBe(0)
    expect(codesIn(ran)).toEqual(['BIND_NOT_CHECKED'])
    expect(decisionIn(ran).notChecked).toContainEqual({ what: 'freshness', because: 'a saved quote' })
  })

  test('neither nonce nor reason, under a policy', async () => {
    const ran = await vouchsafe(args)
    expect(ran.exit).not.toBe(0)
    expect(codesIn(ran)).toEqual(['BIND_CHALLENGE_MISSING'])
  })

  test.each([
    [['--nonce', '00', '--no-freshness', 'x'], 'exclude one another'],
    [['--no-freshness'], 'argument missing'],
  ])('%j is usage', async (wrong, message) => {
    const ran = await vouchsafe([...args, ...wrong])
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).toContain(message)
  })
})

describe('where evidence comes from', () => {
  const parts = JSON.parse(fixtureText('evidence/accepted.json')) as {
    readonly report: string
    readonly auxblob: string
    readonly gpu_reports: readonly { readonly report: string }[]
  }
  const bytes = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64')

  test('standard input', async () => {
    const ran = await vouchsafe(['verify', '-', ...FIXTURE_OPTIONS], { stdin: fixtureText('evidence/accepted.json') })
    expect(ran).toMatchObject({ exit: 0, stderr: INJECTED })
  })

  test('standard input, one byte more than a request may have', async () => {
    const ran = await vouchsafe(['verify', '-', ...FIXTURE_TIME, '--json'], { stdin: new Uint8Array(1024 * 1024 + 1) })
    expect(ran.exit).toBe(1)
    expect(codesIn(ran)).toEqual(['LIMIT_REQUEST_BYTES'])
  })

  test('standard input without a byte', async () => {
    const ran = await vouchsafe(['verify', '-', ...FIXTURE_OPTIONS], { stdin: '' })
    expect(ran).toEqual({ exit: 2, stdout: '', stderr: 'vouchsafe: standard input is empty\n' })
  })

  test('a name that begins with a dash stands behind --, and is no option', async () => {
    const cwd = join(folder, 'dashes')
    mkdirSync(cwd)
    for (const name of ['-V', '--help']) {
      writeFileSync(join(cwd, name), fixtureText('evidence/accepted.json'))
      const ran = await vouchsafe(['verify', ...FIXTURE_OPTIONS, '--', name], { cwd })
      expect(ran).toMatchObject({ exit: 0, stderr: INJECTED })
      expect(ran.stdout).toMatch(/^ACCEPT /)
      expect((await vouchsafe(['verify', ...FIXTURE_OPTIONS, name], { cwd })).exit).toBe(2)
    }
  })

  test('a folder of raw files, links to files among them', async () => {
    const machine = join(folder, 'machine')
    mkdirSync(machine)
    mkdirSync(join(folder, 'elsewhere'))
    writeFileSync(join(folder, 'elsewhere', 'report'), bytes(parts.report))
    symlinkSync(join(folder, 'elsewhere', 'report'), join(machine, 'cpu.bin'))
    writeFileSync(join(machine, 'auxblob.bin'), bytes(parts.auxblob))
    writeFileSync(join(machine, 'gpu-0.bin'), bytes(parts.gpu_reports[0]?.report))
    writeFileSync(join(machine, 'notes.txt'), 'collected by hand')
    writeFileSync(join(machine, '.hidden'), 'not looked at')
    const ran = await vouchsafe(['verify', machine, ...FIXTURE_OPTIONS, '--json'])
    expect(ran).toMatchObject({ exit: 0, stderr: INJECTED })
    const decision = decisionIn(ran)
    expect(decision.items.map((i) => [i.id, i.verdict])).toEqual([
      ['cpu', 'accept'],
      ['gpu-0', 'accept'],
    ])
    expect(decision.notChecked.map((n) => n.what)).toContain('file notes.txt')
    expect(decision.notChecked.map((n) => n.what)).not.toContain('file .hidden')
  })

  test.skipIf(process.platform === 'win32')('a pipe in a folder is not waited for', async () => {
    const machine = join(folder, 'with-pipe')
    mkdirSync(machine)
    writeFileSync(join(machine, 'quote.json'), fixtureText('evidence/accepted.json'))
    expect((await vouchsafe(['verify', machine, ...FIXTURE_OPTIONS])).exit).toBe(0)
    execFileSync('mkfifo', [join(machine, 'report.bin')])
    const ran = await vouchsafe(['verify', machine, ...FIXTURE_OPTIONS])
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).toBe(`vouchsafe: cannot read ${join(machine, 'report.bin')}: it is not a regular file\n`)
  })

  test('a folder without files', async () => {
    mkdirSync(join(folder, 'empty'))
    for (const args of [
      ['verify', join(folder, 'empty')],
      ['verify', ACCEPTED, '--collateral', join(folder, 'empty')],
    ]) {
      const ran = await vouchsafe([...args, ...FIXTURE_TIME])
      expect(ran).toMatchObject({ exit: 2, stdout: '' })
      expect(ran.stderr).toBe(`vouchsafe: ${join(folder, 'empty')} holds no files\n`)
    }
  })

  test('a missing file', async () => {
    const missing = join(folder, 'missing')
    for (const args of [
      ['verify', missing],
      ['verify', ACCEPTED, '--collateral', missing],
    ]) {
      const ran = await vouchsafe([...args, ...FIXTURE_TIME])
      expect(ran).toMatchObject({ exit: 2, stdout: '' })
      expect(ran.stderr).toBe(`vouchsafe: cannot read ${missing}: no such file or folder\n`)
    }
  })

  test('evidence that is none is a refusal with a code, not a usage error', async () => {
    writeFileSync(join(folder, 'noise.bin'), Buffer.alloc(100, 7))
    const ran = await vouchsafe(['verify', join(folder, 'noise.bin'), ...FIXTURE_TIME, '--json'])
    expect(ran).toMatchObject({ exit: 1, stderr: '' })
    expect(codesIn(ran)).toEqual(['ENV_UNREADABLE'])
  })

  test('collateral that cannot be read is told on stderr and counts as missing', async () => {
    writeFileSync(join(folder, 'noise.crl'), Buffer.from('3003020101', 'hex'))
    const ran = await vouchsafe(['verify', ACCEPTED, ...FIXTURE_OPTIONS, '--collateral', join(folder, 'noise.crl')])
    expect(ran.exit).toBe(0)
    expect(ran.stderr).toBe(`collateral left out:\nCOLLATERAL_UNRECOGNISED at noise.crl\n${INJECTED}`)
  })
})

describe('what an operator can mistype', () => {
  test('a policy with a fault names it', async () => {
    const path = join(folder, 'policy.json')
    writeFileSync(path, '{ "version": 1, "name": "typo", "extends": "h100-confidential", "requier": {} }')
    const ran = await vouchsafe(['verify', ACCEPTED, ...FIXTURE_TIME, '--policy', path])
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).toContain('POLICY_UNKNOWN_KEY')
    expect(ran.stderr).toMatch(/expected {2}require$/m)
  })

  test('an anchor that no kind could end in', async () => {
    const ran = await vouchsafe([
      'verify',
      ACCEPTED,
      ...FIXTURE_TIME,
      '--trust-anchor',
      fixture('collateral/amd/ask-genoa.pem'),
    ])
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).toContain('not a root that any evidence kind could end in')
  })

  test.each([
    [['verify']],
    [['verify', ACCEPTED, 'more']],
    [['verify', ACCEPTED, '--polcy', 'x']],
    [['verfy', ACCEPTED]],
    [['verify', ACCEPTED, '--version']],
    [['verify', '-V']],
    [[]],
  ])('%j', async (args) => {
    const ran = await vouchsafe(args)
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).not.toBe('')
  })

  test('help is an answer', async () => {
    for (const args of [['--help'], ['verify', '--help'], ['help', 'policy']]) {
      expect(await vouchsafe(args)).toMatchObject({ exit: 0, stderr: '' })
    }
    expect((await vouchsafe(['verify', '--help'])).stdout).toContain('vouchsafe verify -- -report')
    expect((await vouchsafe(['--help'])).stdout).toContain('Exit codes: 0 accept or ok · 1 reject · 2 usage')
  })

  test('help beside evidence or options is no accept', async () => {
    for (const args of [
      ['verify', ACCEPTED, '--help'],
      ['verify', '--help', ...FIXTURE_OPTIONS],
    ]) {
      expect((await vouchsafe(args)).exit).toBe(2)
    }
  })
})
