import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { afterEach, describe, expect, test } from 'vitest'
import { UsageError } from '../../src/cli/input.ts'
import { selftestPage } from '../../src/cli/selftest/page.ts'
import { type SourceOptions, sourceFrom } from '../../src/cli/selftest/sources.ts'
import { fault, finding } from '../../src/core/outcome.ts'
import type { SelftestReport } from '../../src/selftest/report.ts'
import { amdMachine } from '../../src/testing/index.ts'
import { type Answer, type Gateway, gateway, identity, OWNER, PROVIDER } from '../collect/gateway.ts'
import { AT, akashQuote, amdCollateral, cpu, SEED } from '../reject/stage.ts'
import { command, describeWith } from '../support/tools.ts'
import {
  FIXTURE_COLLATERAL,
  FIXTURE_TIME,
  FIXTURE_TRUST,
  fixture,
  fixtureText,
  scratchFolder,
  vouchsafe,
  widest,
} from './run.ts'

const folder = scratchFolder()
const { nonce } = JSON.parse(fixtureText('challenge.json'))
const GIVEN = [...FIXTURE_TIME, ...FIXTURE_TRUST, ...FIXTURE_COLLATERAL]
const saved = (name: string, ...more: readonly string[]) =>
  vouchsafe(['selftest', '--bundle', fixture(`evidence/${name}.json`), ...GIVEN, ...more])
const WITH_NONCE = ['--nonce', nonce] as const

describe('vouchsafe selftest of a machine that has nothing', () => {
  test('ends in seconds with 3 and says what is missing', async () => {
    const started = Date.now()
    const ran = await vouchsafe(['selftest', '--offline'])
    expect(ran).toMatchObject({ exit: 3, stderr: '' })
    expect(Date.now() - started).toBeLessThan(20_000)
    for (const text of [
      'INCONCLUSIVE',
      'there is no evidence to judge',
      'COLLECT_CPU_TEE_ABSENT',
      'remedy',
      'Try in order',
    ])
      expect(ran.stdout).toContain(text)
    expect(widest(ran.stdout)).toBeLessThanOrEqual(100)
  })

  test('looks below another root, and asks no driver there', async () => {
    const root = join(folder, 'guest')
    mkdirSync(join(root, 'dev'), { recursive: true })
    writeFileSync(join(root, 'dev/tdx_guest'), '')
    mkdirSync(join(root, 'sys/kernel/config'), { recursive: true })
    const { exit, stdout } = await vouchsafe(['selftest', '--root', root, '--json'])
    expect(exit).toBe(3)
    const report: SelftestReport = JSON.parse(stdout)
    expect(report.layers.map(({ id, state }) => [id, state])).toEqual([
      ['source.tsm', 'missing'],
      ['source.nvml', 'skip'],
      ['tpm', 'skip'],
    ])
    expect(report.layers[0]?.findings.map(({ code }) => code)).toEqual(['COLLECT_TDREPORT_ONLY'])
  })
})

describe('vouchsafe selftest of saved evidence', () => {
  test('ends with 0 where a preset accepts, and says on which anchors', async () => {
    const ran = await saved('accepted', ...WITH_NONCE)
    expect(ran).toMatchObject({
      exit: 0,
      stderr: 'vouchsafe: eligible on injected trust anchors, which no tenant takes\n',
    })
    expect(ran.stdout).toContain('h100-confidential   ELIGIBLE but for the injected anchors  level 2')
    expect(ran.stdout).toContain('Level 3 needs')
    expect(widest(ran.stdout)).toBeLessThanOrEqual(100)
  })

  test('ends with 3 without its nonce: saved evidence shows no freshness', async () => {
    const { exit, stdout } = await saved('accepted')
    expect(exit).toBe(3)
    expect(stdout).toContain('ELIGIBLE but for freshness')
  })

  test('ends with 1 where tenants refuse, with causes and remedies', async () => {
    const ran = await saved('debug-guest', ...WITH_NONCE, '--policy', 'cpu-confidential')
    expect(ran).toMatchObject({ exit: 1, stderr: '' })
    for (const text of [
      'First to mend: CPU configuration',
      'SNP_POLICY_DEBUG_ALLOWED',
      'Try in order',
      'INELIGIBLE (1 reason)',
    ])
      expect(ran.stdout).toContain(text)
  })

  test('ends with 1 where more GPUs are leased than answer', async () => {
    const { exit, stdout } = await saved('accepted', ...WITH_NONCE, '--policy', 'h100-confidential', '--gpus', '2')
    expect(exit).toBe(1)
    expect(stdout).toContain('GPU_COUNT_MISMATCH')
  })

  test('--redact hides what tells machines apart, in JSON and on the page', async () => {
    const page = join(folder, 'page.html')
    const plain = await saved('accepted', ...WITH_NONCE, '--json')
    const hidden = await saved('accepted', ...WITH_NONCE, '--json', '--redact', '--html', page)
    const chip = /chip ([0-9a-f]{8})/.exec(plain.stdout)?.[1] ?? 'no chip'
    expect(plain.stdout).toContain(chip)
    for (const text of [hidden.stdout, readFileSync(page, 'utf8')]) {
      expect(text).not.toContain(chip)
      expect(text).not.toContain(fixture('evidence'))
      expect(text).toContain(JSON.parse(plain.stdout).evidenceDigest)
    }
    expect(JSON.parse(hidden.stdout)).toMatchObject({
      format: 'vouchsafe/selftest/1',
      redacted: true,
      outcome: 'eligible',
    })
    const again = await saved('accepted', ...WITH_NONCE, '--json', '--redact')
    const token = (text: string) => /chip (~[0-9a-f]+)/.exec(text)?.[1]
    expect(token(again.stdout)).toMatch(/^~[0-9a-f]{7}$/)
    expect(token(again.stdout)).not.toBe(token(hidden.stdout))
  })

  test.each([
    ['a file that is not there', ['--bundle', '/nowhere'], 3],
    ['a page that cannot be written', ['--root', '/tmp', '--html', '/nowhere/page.html'], 2],
    ['help beside options', ['--bundle', 'a', '--help'], 2],
    ['a nonce for a question of our own', ['--nonce', nonce], 2],
  ] as const)('%s', async (_, args, exit) => {
    expect((await vouchsafe(['selftest', ...args])).exit).toBe(exit)
  })
})

describe('sources', () => {
  const HASH = '0'.repeat(64)
  const GATEWAY = { gateway: 'https://h:1', lease: `${OWNER}/1/1/1`, provider: PROVIDER, providerCert: HASH }
  test.each<[string, Omit<SourceOptions, 'root'>]>([
    ['two of them', { bundle: 'a', sidecar: 'https://b:1', insecureTls: true }],
    ['a sidecar without a word about its certificate', { sidecar: 'https://b:1' }],
    ['a sidecar with two words about it', { sidecar: 'https://b:1', insecureTls: true, sidecarCert: HASH }],
    ['a sidecar without TLS', { sidecar: 'http://b:1', insecureTls: true }],
    ['a fingerprint that is none', { sidecar: 'https://b:1', sidecarCert: 'ab' }],
    ['an option of another one', { insecureTls: true }],
    ['a gateway without token', GATEWAY],
    ['a lease that is none', { ...GATEWAY, lease: '1/1/1', tokenFile: '/dev/null' }],
    ['a token that is none', { ...GATEWAY, tokenFile: '/dev/null' }],
    ['a lease without gateway', { lease: `${OWNER}/1/1/1` }],
  ])('refuses %s', async (_, options) => {
    await expect(sourceFrom({ root: '/', ...options }, () => 0)).rejects.toBeInstanceOf(UsageError)
  })
})

describe('vouchsafe selftest of a pod', () => {
  const open: Gateway[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()))
  })
  const roots = join(folder, 'ark.der')
  writeFileSync(roots, cpu().trustedArk)
  const lists = join(folder, 'lists')
  mkdirSync(lists)
  for (const [i, bytes] of amdCollateral(cpu()).entries()) writeFileSync(join(lists, `${i}.crl`), bytes)
  const PLACE = ['--at', AT, '--trust-anchor', roots, '--collateral', lists]

  /** Signs what it is asked, as AEP-83 has it. */
  const answering: Answer = (request, response) => {
    const reportData = new Uint8Array(Buffer.from(JSON.parse(request.body).nonce, 'base64'))
    const machine = amdMachine(SEED, { at: AT, report: { reportData } })
    response.writeHead(200, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(akashQuote(machine, undefined)))
  }

  test('asks a sidecar with a challenge of its own', async () => {
    const who = identity('akash-attestation-sidecar')
    const sidecar = await gateway([answering, answering], who)
    open.push(sidecar)
    const pinned = await vouchsafe(['selftest', '--sidecar', sidecar.endpoint, '--sidecar-cert', who.sha256, ...PLACE])
    expect(pinned.stdout).toContain('answers our challenge selftest')
    expect(pinned.exit).toBe(0)
    const other = await vouchsafe([
      'selftest',
      '--sidecar',
      sidecar.endpoint,
      '--sidecar-cert',
      '0'.repeat(64),
      ...PLACE,
    ])
    expect(other.stdout).toContain('COLLECT_SIDECAR_CERTIFICATE_MISMATCH')
    expect(other.exit).toBe(1)
    const hidden = await vouchsafe(['selftest', '--sidecar', sidecar.endpoint, '--insecure-tls', '--redact', ...PLACE])
    expect(hidden.stdout).not.toContain('127.0.0.1')
    expect(hidden.exit).toBe(0)
  })

  test('asks through the gateway, and shows no token', async () => {
    const who = identity(PROVIDER)
    const one = await gateway([answering], who)
    open.push(one)
    const token = join(folder, 'token')
    writeFileSync(token, 'aaaa.bbbb.cccc\n')
    const ran = await vouchsafe([
      ...['selftest', '--gateway', one.endpoint, '--lease', `${OWNER}/18412345/1/1`, '--provider', PROVIDER],
      ...['--provider-cert', who.sha256, '--token-file', token, '--redact', ...PLACE],
    ])
    expect(ran.exit).toBe(0)
    expect(one.seen[0]?.authorization).toBe('Bearer aaaa.bbbb.cccc')
    for (const secret of ['aaaa.bbbb.cccc', OWNER, PROVIDER, '18412345', '127.0.0.1'])
      expect(ran.stdout).not.toContain(secret)
  })
})

const CHROMIUM = command('chromium', 'chromium', '/usr/bin/chromium')

describeWith([CHROMIUM], 'the page in Chromium', () => {
  /** Opens a page and says what it did besides. */
  async function opened(path: string) {
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
    try {
      const page = await browser.newPage()
      const events: string[] = []
      page.on('console', (message) => events.push(`console: ${message.text()}`))
      page.on('pageerror', (error) => events.push(`error: ${error.message}`))
      page.on('dialog', (dialog) => {
        events.push(`dialog: ${dialog.message()}`)
        return dialog.dismiss()
      })
      page.on('request', (request) => events.push(`request: ${request.url()}`))
      await page.goto(`file://${path}`)
      return {
        events,
        text: await page.innerText('body'),
        scripts: await page.locator('script, img, iframe, object, a, link').count(),
        drawings: await page.locator('svg').count(),
      }
    } finally {
      await browser.close()
    }
  }

  test('opens without requests or errors and shows verdicts, layers and chains', async () => {
    const path = join(folder, 'accepted.html')
    expect((await saved('accepted', ...WITH_NONCE, '--html', path)).exit).toBe(0)
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
    const { events, text, scripts, drawings } = await opened(path)
    expect(events).toEqual([`request: file://${path}`])
    for (const shown of [
      'ELIGIBLE',
      'What tenants would say',
      'h100-confidential',
      'CPU certificates',
      'PASS',
      'ARK-Genoa',
    ])
      expect(text).toContain(shown)
    expect({ scripts, drawings }).toEqual({ scripts: 0, drawings: 2 })
    // It rests on injected roots, so nothing on it has the colour of an open door.
    expect(readFileSync(path, 'utf8')).not.toMatch(/class="(card|hero) (accept|eligible)"/)
  })

  test('shows hostile text as text', async () => {
    const hostile = `</title></style><script>alert(1)</script><img src="https://example.test/x" onerror='alert(2)'>\u202e`
    const told = finding(fault('X509_NAME_CHAIN', hostile, { expected: hostile, actual: hostile }), 'cpu')
    const report: SelftestReport = {
      ...{ format: 'vouchsafe/selftest/1', outcome: 'ineligible', judgedAt: AT, evidenceDigest: hostile, level: 0 },
      source: hostile,
      nextLevel: { level: 1, needs: hostile },
      layers: [{ id: hostile, state: 'fail', seen: [hostile], findings: [told] }],
      tenants: [
        {
          ...{ policy: hostile, asked: true, applies: true, verdict: 'reject', level: 0, wanted: 2 },
          ...{ findings: [told], assumed: hostile },
        },
      ],
      ahead: [{ what: hostile, at: hostile, advice: hostile }],
      chains: [
        { item: hostile, kind: hostile, state: 'fail', links: [{ name: hostile, notAfter: hostile, anchor: 'none' }] },
      ],
      injectedAnchors: [hostile],
      redacted: true,
    }
    const path = join(folder, 'hostile.html')
    writeFileSync(path, selftestPage(report))
    const { events, text, scripts } = await opened(path)
    expect(events).toEqual([`request: file://${path}`])
    expect(scripts).toBe(0)
    expect(text).toContain('<script>alert(1)</script>')
    expect(text).toContain('\\u{202e}')
  })
})
