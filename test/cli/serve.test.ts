import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { ask as askService } from '../../src/agent/exchange.ts'
import { ServiceClock } from '../../src/cli/serve/clock.ts'
import { decodeConfig } from '../../src/cli/serve/config.ts'
import type { Json, JsonObject } from '../../src/core/json.ts'
import { take } from '../../src/core/outcome.ts'
import { createAnchorFile } from '../../src/release/index.ts'
import { identity } from '../collect/gateway.ts'
import { cpuMachineOf } from '../gate/support.ts'
import { SIGNED_BY_TEAM } from '../reject/signer.ts'
import { cpuDocument } from '../reject/stage.ts'
import { type Answered, guestKey, KbsClient } from '../service/kbs-client.ts'
import { snpGuest } from '../service/support.ts'
import { POSTGRES, type PostgresServer, postgresServer } from '../support/postgres.ts'
import { describeWith } from '../support/tools.ts'
import { started, vouchsafe } from './run.ts'
import { endAll, running } from './serve-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-serve-'))
afterAll(() => {
  endAll()
  rmSync(folder, { recursive: true, force: true })
})
const home = join(folder, 'service')
const at = (name: string) => join(home, name)
const config = at('config.json')
const SECRET = Buffer.from('what must not get out')

const readConfig = (): JsonObject => JSON.parse(readFileSync(config, 'utf8'))
const changed = (name: string, change: JsonObject): string => {
  writeFileSync(at(name), JSON.stringify({ ...readConfig(), ...change }))
  return at(name)
}

const policy = JSON.parse(
  JSON.stringify(cpuDocument({}, { ...SIGNED_BY_TEAM, keyRelease: { minLevel: 5, ttlSeconds: 120 } }, { level: 5 })),
)
const LIMITS = { releases: 1, window: 'unlimited', leases: 'unlimited', chips: 'unlimited', onlyLeases: ['kbs-guests'] }

it('serves what --init made, until it is told to end', { timeout: 180_000 }, async () => {
  const init = await vouchsafe(['serve', '--init', home, '--tenant', 'acme'])
  expect(init).toMatchObject({ exit: 0, stderr: '' })
  const token = readFileSync(at('administrator.token'), 'utf8').trim()
  expect(init.stdout).not.toContain(token)
  expect(readFileSync(config, 'utf8')).not.toContain(token)
  expect(statSync(home).mode & 0o777).toBe(0o700)
  for (const file of ['kek.json', 'signing-key.jwk', 'salt', 'audit.anchor', 'administrator.token', 'vouchsafe.db'])
    expect([file, statSync(at(file)).mode & 0o777]).toEqual([file, 0o600])
  const again = await vouchsafe(['serve', '--init', home, '--tenant', 'acme'])
  expect([again.exit, again.stderr]).toEqual([2, `vouchsafe: cannot make ${home}: it is there already\n`])

  const onAnyPort = changed('any-port.json', { listen: { host: '127.0.0.1', port: 0 } })
  const service = await running(started(['serve', '--config', onAnyPort]))
  const ask = async (method: string, path: string, body?: unknown, bearer = token) => {
    const headers = { authorization: `Bearer ${bearer}` }
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const answer = await fetch(`${service.address}${path}`, { method, headers, ...sent })
    const text = await answer.text()
    return { status: answer.status, text, body: text.startsWith('{') ? JSON.parse(text) : {} }
  }
  expect((await ask('GET', '/readyz')).text).toBe('ok\n')
  const key = '/v1/tenants/acme/keys/weights%2Fllama'
  const registration = { secret: SECRET.toString('base64'), policy, limits: LIMITS }
  expect((await ask('PUT', key, registration, 'guess')).status).toBe(401)
  expect((await ask('PUT', key, registration)).body).toMatchObject({ keyId: 'weights/llama', state: 'active' })

  // Evidence of a hierarchy of the test kit's own: a published service trusts the vendors' roots alone.
  const guest = new KbsClient(service.address, { key: guestKey('P-256'), attester: snpGuest(), tee: 'snp' })
  const refused = (await guest.fetch('acme/weights/llama')) as Answered
  expect(refused.status).toBe(403)
  const codes = (refused.body as { findings: { code: string }[] }).findings.map((f) => f.code)
  expect(codes).toEqual(['RELEASE_NOT_ACCEPTED', 'GATE_HARDWARE_MASKED', 'X509_SIGNATURE_INVALID'])

  const rows = (await ask('GET', '/v1/tenants/acme/audit')).body.rows as { sequence: number; entry: string }[]
  expect(rows.map((row) => JSON.parse(row.entry).type)).toEqual(['key.registered', 'key.refused'])
  const proof = join(folder, 'proof.json')
  const { row: _, ...told } = (await ask('GET', '/v1/tenants/acme/audit/2/proof')).body
  writeFileSync(proof, JSON.stringify(told))
  const jwks = join(folder, 'jwks.json')
  writeFileSync(jwks, (await ask('GET', '/.well-known/jwks.json')).text)
  const metrics = (await ask('GET', '/metrics')).text
  // The manual has every one of them.
  const families = [...metrics.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
  const manual = readFileSync(new URL('../../docs/service.md', import.meta.url), 'utf8')
  const described = [...manual.matchAll(/^\| `(vouchsafe_[a-z_]+)/gm)].map(([, name]) => name)
  expect(described).toEqual(expect.arrayContaining(families))
  expect(families).toContain('vouchsafe_http_requests_total')

  const taken = changed('taken-port.json', {
    listen: { host: '127.0.0.1', port: Number(new URL(service.address).port) },
  })
  const second = await vouchsafe(['serve', '--config', taken])
  expect(second.exit).toBe(2)
  // It never began, so that nothing ended.
  expect(second.stderr).toMatch(/^vouchsafe: cannot listen on 127\.0\.0\.1:\d+: [^\n]*EADDRINUSE[^\n]*\n$/)

  const { exit, log, stdout } = await service.end()
  expect(exit).toBe(0)
  const lines = log.trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).event)).toEqual(
    expect.arrayContaining(['collateral.none', 'request', 'ending', 'ended']),
  )
  for (const text of [log, stdout, metrics]) {
    expect(text).not.toContain(token)
    for (const form of ['utf8', 'hex', 'base64'] as const) expect(text).not.toContain(SECRET.toString(form))
  }
  expect((await vouchsafe(['audit', 'verify', proof, '--keys', jwks])).exit).toBe(0)
  const verified = ['audit', 'verify', at('vouchsafe.db'), '--keys', jwks, '--anchor', at('audit.anchor')]
  expect((await vouchsafe(verified)).exit).toBe(0)
})

describeWith([POSTGRES], 'a service with PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(() => {
    server = postgresServer()
  })
  afterAll(() => server.stop())

  it('serves over TLS, and reads its collateral anew when it is told', { timeout: 180_000 }, async () => {
    const url = await server.database()
    writeFileSync(at('postgres.url'), `${url}\n`, { mode: 0o600 })
    const own = identity('localhost', { notBefore: '2020-01-01T00:00:00Z', notAfter: '2049-01-01T00:00:00Z' })
    writeFileSync(at('tls.crt'), own.cert)
    writeFileSync(at('tls.key'), own.key, { mode: 0o600 })
    mkdirSync(at('collateral'))
    writeFileSync(join(at('collateral'), 'crl'), cpuMachineOf(new Uint8Array(64)).crl)
    const other = changed('postgres.json', {
      listen: { host: 'localhost', port: 0 },
      tls: { certificate: 'tls.crt', key: 'tls.key' },
      store: { postgres: { urlFile: 'postgres.url' } },
      audit: { anchor: 'postgres.anchor', checkpointSeconds: 1, earlierKeys: null },
      collateral: ['collateral'],
    })
    await createAnchorFile(at('postgres.anchor'))
    const service = await running(started(['serve', '--config', other]))
    const document = take(
      await askService({ url: service.address, ca: [own.cert] }, { method: 'GET', path: '/openapi.json' }),
    )
    expect(document.body.openapi).toBe('3.1.0')
    service.signal('SIGHUP')
    await vi.waitFor(() => expect(service.log()).toContain('collateral.read'), 30_000)
    writeFileSync(join(at('collateral'), 'junk'), 'no collateral')
    service.signal('SIGHUP')
    await vi.waitFor(() => expect(service.log()).toContain('collateral.refused'), 30_000)
    const { exit, log } = await service.end()
    expect([exit, log.includes(url), log.includes('collateral.none')]).toEqual([0, false, false])
  })
})

describe('the clock of a service', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('is held to the log, and to a clock that nobody sets', () => {
    const clock = new ServiceClock()
    const codes = (last?: number) => clock.check(last).map(({ code }) => code)
    expect(codes()).toEqual([])
    expect(codes(clock.now() - 1)).toEqual([])
    expect(codes(clock.now() + 1000)).toEqual(['CLOCK_WENT_BACK'])
    const now = Date.now()
    vi.spyOn(Date, 'now').mockReturnValue(now + 3600 * 1000)
    expect(codes()).toEqual(['CLOCK_JUMP'])
  })
})

describe('a service does not start', () => {
  const start = (file: string, before?: string) =>
    vouchsafe(['serve', '--config', file, '--json'], before === undefined ? {} : { before })
  const codeOf = ({ stdout }: { readonly stdout: string }): string => JSON.parse(stdout).faults[0].code

  it('with a clock that cannot be believed', async () => {
    const early = await start(config, 'Date.now = () => 0')
    expect([early.exit, codeOf(early)]).toEqual([3, 'CLOCK_BEFORE_BUILD'])
  })

  it('with a secret that others may read, or without its store', async () => {
    for (const file of ['salt', 'signing-key.jwk']) {
      chmodSync(at(file), 0o640)
      expect(await start(config)).toMatchObject({ exit: 2, stderr: expect.stringContaining('0600') })
      chmodSync(at(file), 0o600)
    }
    chmodSync(at('kek.json'), 0o644)
    const open = await start(config)
    expect([open.exit, codeOf(open)]).toEqual([3, 'RELEASE_VAULT_UNAVAILABLE'])
    chmodSync(at('kek.json'), 0o600)
    const elsewhere = changed('elsewhere.json', { store: { sqlite: 'none.db' } })
    expect(await start(elsewhere)).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('does not exist; restore it from its backup'),
    })
  })

  it('over an audit log that is not the one that was written', async () => {
    const database = new DatabaseSync(at('vouchsafe.db'))
    database.exec(
      `DROP TRIGGER audit_fixed; UPDATE audit SET entry = replace(entry, 'acme', 'acne') WHERE sequence = 2`,
    )
    database.close()
    const broken = await start(config)
    expect([broken.exit, codeOf(broken)]).toEqual([1, 'AUDIT_CHAIN_BROKEN'])
  })
})

const HTTPS = 'https://mirror.example'
const VENDORS: JsonObject = {
  ...{ cache: 'cache.db', waitSeconds: 20, amd: 'vendor', intel: 'vendor', nvidia: 'vendor' },
  ...{ plainHttp: [], authorities: null },
}
const vendors = (change: JsonObject): JsonObject => ({ ...VENDORS, ...change })
const without = (name: string): JsonObject =>
  Object.fromEntries(Object.entries(VENDORS).filter(([other]) => other !== name))

describe('the configuration', () => {
  const decoded = (change: (config: Record<string, Json>) => void) => {
    const copy = structuredClone(readConfig()) as Record<string, Json>
    change(copy)
    return () => decodeConfig(copy, home)
  }

  it('has no default and no member that is not known', () => {
    expect(decoded(() => undefined)()).toMatchObject({ store: { sqlite: at('vouchsafe.db') } })
    for (const name of Object.keys(readConfig()))
      expect(decoded((c) => delete c[name])).toThrow(`${name} should be present`)
    expect(decoded((c) => Object.assign(c, { kebs: null }))).toThrow('kebs is not known; there are')
    expect(decoded((c) => Object.assign(c, { audit: { anchor: 'a', checkpointSeconds: 60 } }))).toThrow(
      'audit.earlierKeys should be present',
    )
    expect(decoded((c) => Object.assign(c, { rateLimit: { burst: 1, perSecond: 1, per: 'ip' } }))).toThrow(
      'rateLimit.per is not known',
    )
  })

  it.each<[string, JsonObject, string]>([
    ['another format', { format: 'vouchsafe/service/2' }, 'format should be'],
    ['TLS off on an address that others reach', { listen: { host: '0.0.0.0', port: 8080 } }, 'tls may be off'],
    ['no such place of TLS', { tls: 'on' }, 'tls should be'],
    ['two stores', { store: { sqlite: 'a', postgres: { urlFile: 'b' } } }, 'store should be one of'],
    ['a store of another kind', { store: { mysql: 'a' } }, 'store should be one of'],
    ['no audience', { audience: [] }, 'audience should name'],
    ['a session without end', { kbs: { workload: 'w', sessionSeconds: 601 } }, 'kbs.sessionSeconds should be'],
    ['no tokens at all', { rateLimit: { burst: 0, perSecond: 1 } }, 'rateLimit.burst should be'],
    ['a number for a path', { salt: 1 }, 'salt should be text'],
    ['a path for paths', { collateral: 'folder' }, 'collateral should be an array'],
    ['vendors that are said by a word', { vendors: 'all' }, 'vendors should be an object'],
    ['a vendor that is left out', { vendors: without('nvidia') }, 'vendors.nvidia should be present'],
    [
      'a vendor that is asked elsewhere by a word',
      { vendors: vendors({ amd: 'mirror' }) },
      'vendors.amd should be "vendor" or { "kds": URL }',
    ],
    ['half a mirror of Intel', { vendors: vendors({ intel: { pcs: HTTPS } }) }, 'vendors.intel.certificates should be'],
    [
      'a PCCS and a mirror',
      { vendors: vendors({ intel: { pccs: HTTPS, pcs: HTTPS } }) },
      'vendors.intel.pcs is not known',
    ],
    ['a vendor without TLS', { vendors: vendors({ amd: { kds: 'http://mirror.example' } }) }, 'amd-kds is not HTTPS'],
    ['a wait without end', { vendors: vendors({ waitSeconds: 61 }) }, 'vendors.waitSeconds should be'],
    ['no word on authorities', { vendors: without('authorities') }, 'vendors.authorities should be present'],
  ])('is refused with %s', (_, change, message) => {
    expect(decoded((c) => Object.assign(c, change))).toThrow(message)
  })

  it('of before there were vendors says what to write', () => {
    expect(decoded((c) => delete c.vendors)).toThrow(/^configuration: vendors should be present: null, .* or an object/)
    expect(decoded(() => undefined)()).toMatchObject({ vendors: null })
  })

  it('takes vendors, mirrors and a PCCS', () => {
    const kds = 'http://mirror.example:8080/amd'
    const change = { amd: { kds }, intel: { pccs: HTTPS }, plainHttp: ['http://mirror.example:8080'] }
    expect(decoded((c) => Object.assign(c, { vendors: vendors(change) }))()).toMatchObject({
      vendors: {
        cache: at('cache.db'),
        waitSeconds: 20,
        addresses: { services: { 'amd-kds': kds }, pccs: HTTPS, allowPlainHttp: ['http://mirror.example:8080'] },
        authorities: null,
      },
    })
    const own = { rim: `${HTTPS}/rim`, ocsp: `${HTTPS}/ocsp` }
    expect(decoded((c) => Object.assign(c, { vendors: vendors({ nvidia: own }) }))().vendors?.addresses).toEqual({
      services: { 'nvidia-rim': own.rim, 'nvidia-ocsp': own.ocsp },
      allowPlainHttp: [],
    })
  })

  it('takes TLS, PostgreSQL and a token', () => {
    const tls = { certificate: 'tls.crt', key: 'tls.key' }
    const pkcs11 = { module: '/usr/lib/softhsm/libsofthsm2.so', tokenLabel: 'kek', pinFile: 'pin' }
    const store = { postgres: { urlFile: '/run/url' } }
    expect(decoded((c) => Object.assign(c, { tls, store, kek: { pkcs11 } }))()).toMatchObject({
      tls: { certificate: at('tls.crt'), key: at('tls.key') },
      store,
      kek: { pkcs11: { ...pkcs11, pinFile: at('pin') } },
    })
  })
})
