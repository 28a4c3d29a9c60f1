import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeAll, describe, expect, test } from 'vitest'
import { issueChallengeRecord } from '../../src/attestation/challenge.ts'
import type { Report } from '../../src/cli/gate/render.ts'
import { CODES, type Code } from '../../src/core/codes.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { fromBase64, toBase64 } from '../../src/core/encodings.ts'
import { take } from '../../src/core/outcome.ts'
import type { GateChange, GateStore } from '../../src/gate/store.ts'
import { digestOfPolicy } from '../../src/index.ts'
import { presetPolicy } from '../../src/policy/parse.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { amdMachine } from '../../src/testing/index.ts'
import { describeEvidence, evidencePath } from '../support/evidence.ts'
import {
  FIXTURE_COLLATERAL,
  FIXTURE_TIME,
  FIXTURE_TRUST,
  fixture,
  fixtureText,
  type Ran,
  scratchFolder,
  vouchsafe,
  widest,
} from './run.ts'

const folder = scratchFolder()
const NOW = 1785542400
const POLICY = ['--policy', 'h100-confidential'] as const
const ATTESTED = fixture('bids/attested.json')
const STRANGER = fixture('bids/no-evidence.json')
const BESIDE = [fixture('bids/orders.json'), fixture('bids/providers.json')] as const
const ALL = ['attested', 'debug-guest', 'more-gpus', 'no-evidence'].map((name) => fixture(`bids/${name}.json`))

const reportIn = ({ stdout }: Ran): Report => JSON.parse(stdout) as Report
const rowsIn = (ran: Ran) => reportIn(ran).bids.map((b) => [b.verdict, b.findings.map((f) => f.code)])
const file = (name: string, content: unknown): string => {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
const providerOf = (path: string): string =>
  (JSON.parse(readFileSync(path, 'utf8')) as { bid: { id: { provider: string } } }).bid.id.provider

/** A store with what the fixtures know, and more. */
async function storeFile(name: string, more: GateChange = {}): Promise<string> {
  const path = join(folder, name)
  const store = sqliteStore(path)
  await store.commit(JSON.parse(fixtureText('known.json')) as GateChange)
  await store.commit(more)
  await store.close()
  return path
}

let known: string
beforeAll(async () => {
  known = await storeFile('known.db')
})
const withStore = (): readonly string[] => ['--store', known, ...FIXTURE_TIME, ...POLICY]

describe('the answer and its exit code', () => {
  test('a table with a row for each bid, and each reason once with its remedy', async () => {
    const ran = await vouchsafe(['gate', ...ALL, ...BESIDE, ...withStore()])
    expect(ran).toMatchObject({ exit: 1, stderr: '' })
    expect(ran.stdout).toMatch(/^#\s+bid\s+provider\s+price\s+verdict\s+level\s+valid until, or first reason$/m)
    expect(ran.stdout).toMatch(/^1 {2}….{4}\/18412345\/1\/1 +akash1….{5} +4200 uakt +ACCEPT +2 +2026-08-01T06:00:00Z$/m)
    expect(ran.stdout).toMatch(/^2 .* REJECT +0 +GATE_NOT_ACCEPTED$/m)
    expect(ran.stdout).toMatch(/^3 .*\/18412346\/1\/1 .* 33600 uakt +REJECT +2 +GATE_ATTRIBUTE_MISMATCH$/m)
    expect(ran.stdout).toMatch(/^4 .* INCONCLUSIVE +0 +GATE_EVIDENCE_NEEDED$/m)
    const flat = ran.stdout.replace(/\s+/g, ' ')
    for (const code of ['GATE_NOT_ACCEPTED', 'GATE_ATTRIBUTE_MISMATCH', 'GATE_EVIDENCE_NEEDED'] as const)
      expect(flat.split(`remedy ${CODES[code].hint}`)).toHaveLength(2)
    expect(flat).toContain('found SNP_POLICY_DEBUG_ALLOWED')
    expect(flat).toContain('1 eligible, 2 refused, 1 inconclusive')
    expect(flat).not.toContain('Not checked')
    expect(widest(ran.stdout)).toBeLessThanOrEqual(100)
  })

  test('0 where every bid is eligible', async () => {
    expect(await vouchsafe(['gate', ATTESTED, ...BESIDE, ...withStore()])).toMatchObject({ exit: 0, stderr: '' })
  })

  test('3 where nothing is known of anybody, with the remedy once', async () => {
    const ran = await vouchsafe(['gate', ...ALL, ...POLICY])
    expect(ran).toMatchObject({ exit: 3, stderr: '' })
    expect(ran.stdout.match(/ INCONCLUSIVE +0 +GATE_EVIDENCE_NEEDED$/gm)).toHaveLength(4)
    const flat = ran.stdout.replace(/\s+/g, ' ')
    expect(flat).toContain('at posture of bid 1, bid 2, bid 3, bid 4')
    expect(flat.split(CODES.GATE_EVIDENCE_NEEDED.hint)).toHaveLength(2)
    expect(flat).toContain('4 of 4 bids without their order')
  })

  test('--json prints the rows', async () => {
    const ran = await vouchsafe(['gate', ...ALL, ...BESIDE, ...withStore(), '--json'])
    expect(ran.exit).toBe(1)
    const report = reportIn(ran)
    expect(report).toMatchObject({
      schema: 'vouchsafe/gate/1',
      decidedAt: '2026-08-01T00:00:00Z',
      enforced: true,
      policy: { name: 'h100-confidential', digest: await digestOfPolicy(presetPolicy('h100-confidential')) },
      leases: [],
      documents: [],
    })
    expect(report.bids[0]).toMatchObject({
      ...{ provider: providerOf(ATTESTED), level: 2, basis: 'posture', price: '4200 uakt' },
      compared: { order: true, provider: true },
    })
    expect(rowsIn(ran)).toEqual([
      ['accept', []],
      ['reject', ['GATE_NOT_ACCEPTED']],
      ['reject', ['GATE_ATTRIBUTE_MISMATCH']],
      ['inconclusive', ['GATE_EVIDENCE_NEEDED']],
    ])
  })

  test('--shadow says the same and exits 0', async () => {
    const ran = await vouchsafe(['gate', ...ALL, ...withStore(), '--shadow'])
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    expect(ran.stdout).toContain('Shadow: this reports, and refuses nothing.')
    expect(ran.stdout).toMatch(/ REJECT +0 +GATE_NOT_ACCEPTED$/m)
    const json = reportIn(await vouchsafe(['gate', ...ALL, ...withStore(), '--shadow', '--json']))
    expect(json.bids.map((b) => b.enforced)).toEqual([false, false, false, false])
  })

  test('help beside a file is no answer, since a file may be called so', async () => {
    expect(await vouchsafe(['gate', '--help'])).toMatchObject({ exit: 0, stderr: '' })
    expect((await vouchsafe(['gate', ATTESTED, ...POLICY, '--help'])).exit).toBe(2)
  })
})

describe('what is known', () => {
  test('a posture ends, and one under another policy is none', async () => {
    const late = await vouchsafe([
      'gate',
      ATTESTED,
      '--store',
      known,
      '--at',
      '2026-08-01T06:00:00Z',
      ...POLICY,
      '--json',
    ])
    expect(rowsIn(late)).toEqual([['reject', ['GATE_DECISION_EXPIRED']]])
    const policy = file('strict.json', { version: 1, name: 'strict', extends: 'h100-confidential' })
    const other = await vouchsafe(['gate', ATTESTED, '--store', known, ...FIXTURE_TIME, '--policy', policy, '--json'])
    expect(rowsIn(other)).toEqual([['reject', ['GATE_SCOPE_MISMATCH']]])
  })

  test('the deny-list of the store counts', async () => {
    const subject = `provider:${providerOf(ATTESTED)}`
    const denials = [{ subject, reason: 'sold twice', since: NOW }]
    const store = await storeFile('denied.db', { denials })
    const ran = await vouchsafe(['gate', ATTESTED, '--store', store, ...FIXTURE_TIME, ...POLICY, '--json'])
    expect(ran.exit).toBe(1)
    expect(rowsIn(ran)).toEqual([['reject', ['GATE_SUBJECT_DENIED']]])
  })

  test('the file of a running gate is read with all that was committed, and left alone', async () => {
    const path = join(folder, 'running.db')
    const running: GateStore = sqliteStore(path)
    await running.commit(JSON.parse(fixtureText('known.json')) as GateChange)
    const before = readFileSync(path)
    const ran = await vouchsafe(['gate', ATTESTED, '--store', path, ...FIXTURE_TIME, ...POLICY, '--json'])
    expect(rowsIn(ran)).toEqual([['accept', []]])
    expect(readFileSync(path).equals(before)).toBe(true)
    expect((await running.viewSince(0)).revision).toBe(1)
    await running.close()
  })

  test('a clock that is before the release leaves nothing accepted', async () => {
    const before = 'Date.now = () => 1785542400000' // 2026-08-01
    const ran = await vouchsafe(['gate', ATTESTED, '--store', known, ...POLICY, '--json'], { before })
    expect(ran.exit).toBe(3)
    expect(rowsIn(ran)).toEqual([['inconclusive', ['CLOCK_BEFORE_BUILD']]])
  })

  test.each<[string, () => string, RegExp]>([
    ['no file', () => join(folder, 'missing.db'), /missing\.db/],
    ['an empty file', () => file('empty.db', ''), /it is empty/],
    ['no database', () => file('text.db', 'hello, this is no database at all '.repeat(40)), /not a database/],
    ['a folder', () => folder, /it is not a file/],
    [
      'the database of another program',
      () => {
        const path = join(folder, 'other.db')
        const database = new DatabaseSync(path)
        database.exec('CREATE TABLE IF NOT EXISTS photo (id INTEGER)')
        database.close()
        return path
      },
      /other\.db is the database of another program/,
    ],
  ])('a store that is %s is usage', async (_, path, why) => {
    const store = path()
    const ran = await vouchsafe(['gate', ATTESTED, '--store', store, ...POLICY])
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).toMatch(why)
    expect(existsSync(join(folder, 'missing.db'))).toBe(false)
  })
})

describe('evidence given by hand', () => {
  const provider = providerOf(STRANGER)
  const how = [...FIXTURE_TIME, ...FIXTURE_COLLATERAL, ...FIXTURE_TRUST]
  const lease = ['--lease', file('lease.json', { teeType: 'cpu-gpu', gpuCount: 1, gpuModel: 'H100' })]
  const given = (path: string) => ['--evidence', `${provider}=${path}`]

  test('without a challenge is judged and is no posture', async () => {
    const args = ['gate', STRANGER, ...how, ...POLICY, ...lease, ...given(fixture('evidence/accepted.json'))]
    const ran = await vouchsafe(args)
    expect(ran.exit).toBe(3)
    expect(ran.stdout).toMatch(/^1 .* INCONCLUSIVE +0 +GATE_EVIDENCE_NEEDED$/m)
    const flat = ran.stdout.replace(/\s+/g, ' ')
    expect(flat).toContain('found evidence by hand, which needs a challenge')
    expect(flat).toContain('Evidence given by hand No posture, whatever it shows')
    expect(flat).toContain('on injected trust anchors')
    expect(flat).toContain('accepted.json: BIND_CHALLENGE_MISSING needs a challenge')
    expect(widest(ran.stdout.replace(/^ +\S*fixtures.*$/gm, ''))).toBeLessThanOrEqual(100)
  })

  test('that the policy refuses refuses the bid of a provider of whom nothing is known', async () => {
    const args = [
      'gate',
      STRANGER,
      ...how,
      ...POLICY,
      ...lease,
      ...given(fixture('evidence/debug-guest.json')),
      '--json',
    ]
    const ran = await vouchsafe(args)
    expect(ran.exit).toBe(1)
    expect(rowsIn(ran)).toEqual([['reject', ['SNP_POLICY_DEBUG_ALLOWED', 'GATE_EVIDENCE_NEEDED']]])
    expect(reportIn(ran).bids[0]).toMatchObject({ level: 0, basis: 'none' })
  })

  test('says nothing against a posture, which the provider signed for', async () => {
    const by = ['--evidence', `${providerOf(ATTESTED)}=${fixture('evidence/debug-guest.json')}`]
    const ran = await vouchsafe(['gate', ATTESTED, ...how, ...POLICY, ...lease, ...by, '--store', known, '--json'])
    expect(rowsIn(ran)).toEqual([['accept', []]])
    expect(reportIn(ran).evidence.map((e) => e.decision.verdict)).toEqual(['reject'])
  })

  test('that answers its challenge is accepted, and still no posture', async () => {
    const asked = {
      id: 'by-hand',
      purpose: 'posture',
      ...{ provider, verifierKeyId: 'me', iat: NOW - 10, exp: NOW + 60 },
      policyDigest: await digestOfPolicy(presetPolicy('cpu-confidential')),
    } as const
    const record = await issueChallengeRecord(asked, new Uint8Array(32).fill(9), nodeCrypto.digest)
    const { report, table } = amdMachine('vouchsafe fixtures', {
      report: { reportData: take(fromBase64(String(record.nonce), 'nonce')) },
    })
    const quote = { report: toBase64(report), cert_chain: '', auxblob: toBase64(table), tee_platform: 'snp' }
    const evidence = given(file('quote.json', { ...quote, gpu_reports: [], tls_bound: false }))
    const challenge = ['--challenge', file('challenge.json', record)]
    const args = ['gate', STRANGER, ...how, '--policy', 'cpu-confidential', ...evidence, ...challenge]
    const ran = await vouchsafe([...args, '--json'])
    expect(ran.exit).toBe(3)
    expect(rowsIn(ran)).toEqual([['inconclusive', ['GATE_EVIDENCE_NEEDED']]])
    expect(reportIn(ran).evidence).toMatchObject([
      { provider, isAsked: true, decision: { verdict: 'accept', level: 2 } },
    ])
    expect((await vouchsafe(args)).stdout.replace(/\s+/g, ' ')).toContain('to a challenge that no gate used up')
  })

  test.each<[string, readonly string[], string]>([
    ['no address', ['--evidence', 'me=x'], 'PROVIDER=PATH'],
    ['no path', ['--evidence', `${provider}=`], 'PROVIDER=PATH'],
    ['a provider twice', [...given(ATTESTED), ...given(STRANGER)], 'given twice'],
    ['collateral for nothing', ['--collateral', folder], '--collateral says how --evidence is judged'],
    [
      'a challenge to somebody else',
      [...given(ATTESTED), '--challenge', fixture('challenge.json')],
      'no --evidence of',
    ],
  ])('%s is usage', async (_, args, message) => {
    const ran = await vouchsafe(['gate', STRANGER, ...POLICY, ...args])
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).toContain(message)
  })
})

describe('leases', () => {
  test('one that the gate was not told of is refused', async () => {
    const { bid } = JSON.parse(readFileSync(ATTESTED, 'utf8')) as { bid: { id: unknown } }
    const lease = file('lease-chain.json', { lease: { id: bid.id, state: 'active', closed_on: '0' } })
    const ran = await vouchsafe(['gate', lease, ...withStore()])
    expect(ran.exit).toBe(1)
    expect(ran.stdout).toMatch(/^1 {2}….{4}\/18412345\/1\/1 +akash1….{5} +unknown +REJECT +0 +GATE_LEASE_UNKNOWN$/m)
  })

  test('one without an id is usage', async () => {
    const ran = await vouchsafe(['gate', file('no-id.json', { lease: { state: 'active' } }), ...withStore()])
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).toContain('GATE_OBJECT_MALFORMED')
  })
})

const SDL = (image: string, env = ''): string => `version: "2.0"
services:
  web:
    image: ${image}
    params: { tee: cpu }
    expose: [{ port: 80, as: 80, to: [{ global: true }] }]
${env}
profiles:
  compute:
    web: { resources: { cpu: { units: 1 }, memory: { size: 1Gi }, storage: { size: 1Gi } } }
  placement:
    akash: { pricing: { web: { denom: uakt, amount: 1000 } } }
deployment:
  web: { akash: { profile: web, count: 1 } }
`
const PINNED = `nginx@sha256:${'a'.repeat(64)}`

describe('orders (SDL)', () => {
  test('nothing found: 0, and what that does not mean; no policy is needed', async () => {
    const ran = await vouchsafe(['gate', file('good.yaml', SDL(PINNED))])
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    expect(ran.stdout).toContain('good.yaml  ACCEPT')
    expect(ran.stdout).toContain('Nothing found in service web. It does not mean that a provider keeps to it.')
  })

  test('findings of each file with their remedy: 1; a secret is named and never shown', async () => {
    const env = '    env: ["DB_PASSWORD=hunter2hunter2"]'
    const paths = [file('good.yaml', SDL(PINNED)), file('bad.yaml', SDL('nginx:latest', env))]
    const ran = await vouchsafe(['gate', ...paths])
    expect(ran).toMatchObject({ exit: 1, stderr: '' })
    expect(ran.stdout).toMatch(/bad\.yaml {2}REJECT {2}2 findings$/m)
    for (const code of ['SDL_IMAGE_NOT_PINNED', 'SDL_SECRET_IN_CLEAR'] as const)
      expect(ran.stdout.replace(/\s+/g, ' ')).toContain(`remedy ${CODES[code].hint}`)
    expect(ran.stdout).not.toContain('hunter2')
    const json = reportIn(await vouchsafe(['gate', ...paths, '--json']))
    expect(json.documents.map((d) => [d.verdict, d.findings.length])).toEqual([
      ['accept', 0],
      ['reject', 2],
    ])
    expect((await vouchsafe(['gate', ...paths, '--shadow'])).exit).toBe(0)
  })

  test('beside bids, from standard input too', async () => {
    const ran = await vouchsafe(['gate', ATTESTED, '-', ...withStore(), '--json'], { stdin: SDL('nginx') })
    expect(ran.exit).toBe(1)
    const codes: readonly Code[] = reportIn(ran).documents.flatMap((d) => d.findings.map((f) => f.code))
    expect(codes).toEqual(['SDL_IMAGE_NOT_PINNED'])
    expect(rowsIn(ran)).toEqual([['accept', []]])
  })

  test('alone with a policy is usage: nothing would be decided by it', async () => {
    const ran = await vouchsafe(['gate', file('good.yaml', SDL(PINNED)), ...POLICY])
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
  })
})

describe('what cannot be used', () => {
  test.each<[string, readonly string[], string]>([
    ['bids without a policy', [ATTESTED], '--policy'],
    ['a policy that is none', [ATTESTED, '--policy', ATTESTED], 'is not a policy'],
    ['orders and providers alone', [...BESIDE, ...POLICY], 'no bid, no lease and no SDL'],
    ['a file that is missing', [join(folder, 'nothing.json'), ...POLICY], 'no such file'],
  ])('%s: 2', async (_, args, message) => {
    const ran = await vouchsafe(['gate', ...args])
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).toContain(message)
  })
})

test('what others wrote cannot steer a terminal', async () => {
  const evil = 'a\x1b]0;owned\x07\x9b31m\u202eb'
  const hostile = JSON.parse(readFileSync(STRANGER, 'utf8')) as { bid: { price: unknown; state: string } }
  hostile.bid.price = { amount: evil, denom: evil }
  const paths = [file('price.json', hostile), file('state.json', { bid: { ...hostile.bid, state: evil } })]
  copyFileSync(file('sdl.yaml', SDL(evil.replace(/[\x00-\x1f]/g, ''))), join(folder, `${evil}.yaml`))
  for (const more of [[], ['--json']]) {
    const ran = await vouchsafe(['gate', ...paths, join(folder, `${evil}.yaml`), ...POLICY, ...more])
    expect(ran.exit).toBe(1)
    expect(ran.stdout).toContain('owned')
    expect(ran.stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/)
  }
})

describeEvidence('akash/bids', () => {
  test("Akash's own bid, order, provider and lease in one call", async () => {
    const files = ['bid-cpu-gpu', 'order-cpu-gpu', 'provider', 'lease-active']
    const paths = files.map((name) => evidencePath(`akash/bids/${name}.json`))
    const report = reportIn(await vouchsafe(['gate', ...paths, ...withStore(), '--json']))
    expect(report.bids).toMatchObject([{ price: '4200 uakt', compared: { order: true, provider: true } }])
    expect(report.bids[0]?.findings.map((f) => f.code)).toEqual(['GATE_EVIDENCE_NEEDED'])
    expect(report.leases[0]?.findings.map((f) => f.code)).toEqual(['GATE_LEASE_UNKNOWN'])
  })
})
