import { generateKeyPairSync } from 'node:crypto'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { fromBase64, toBase64 } from '../../src/core/encodings.ts'
import { fail, ok, take } from '../../src/core/outcome.ts'
import { openWrapped, type Released } from '../../src/release/index.ts'
import { bodyBytes } from '../../src/service/body.ts'
import { ENDPOINTS } from '../../src/service/endpoints.ts'
import { keyedAnswerOf, leaseId, orderOf } from '../gate/support.ts'
import { newKekFile } from '../release/files.ts'
import { KEY, KEY_POLICY, LIMITLESS, SECRET, spkiOf, TENANT, testBroker } from '../release/support.ts'
import { serviceOver, TOKENS } from './support.ts'

async function stage(parts: Parameters<typeof testBroker>[0] = {}, more: Parameters<typeof serviceOver>[1] = {}) {
  const t = await testBroker(parts)
  const { base, lines } = await serviceOver(t, more)
  const ask = async (method: string, path: string, body?: unknown, ...tokens: readonly string[]) => {
    const [first, second] = tokens.map((token) => `Bearer ${token}`)
    const headers = {
      ...(first === undefined ? {} : { authorization: first }),
      ...(second === undefined ? {} : { 'vouchsafe-approval': second }),
    }
    const answer = await fetch(`${base}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    const read = text.startsWith('{') ? JSON.parse(text) : text
    return { status: answer.status, body: read, codes: (read.findings ?? []).map((f: { code: string }) => f.code) }
  }
  return { t, base, lines, ask }
}

const REGISTRATION = { secret: toBase64(SECRET), policy: JSON.parse(JSON.stringify(KEY_POLICY)), limits: LIMITLESS }
const pair = generateKeyPairSync('x25519')
const SPKI = toBase64(spkiOf(pair.publicKey))
const KEYS = `/v1/tenants/${TENANT}/keys`

describe('the service', () => {
  it('releases a key end to end: registered, leased, asked, answered, opened', async () => {
    const { ask, t, lines } = await stage({ isEmpty: true })
    expect((await ask('PUT', `${KEYS}/${KEY.keyId}`, REGISTRATION, TOKENS.alice)).status).toBe(200)
    const opened = { lease: leaseId(), order: orderOf(), hostData: null, key: KEY }
    expect((await ask('POST', '/v1/leases', opened, TOKENS.market)).status).toBe(204)
    const challenge = await ask('POST', '/v1/challenges', { ...KEY, lease: leaseId(), teeKey: SPKI })
    expect(challenge.status).toBe(200)
    const nonce = take(fromBase64(challenge.body.nonce, 'nonce'))
    const evidence = toBase64(await keyedAnswerOf(nonce, spkiOf(pair.publicKey)))
    const asked = { ...KEY, challengeId: challenge.body.id, lease: leaseId(), evidence, wrapKey: SPKI, format: 'hpke' }
    const answer = await ask('POST', '/v1/releases', asked)
    expect(answer).toMatchObject({ status: 200, body: { released: true } })
    const released = answer.body as Released
    expect(take(await openWrapped(released.key, pair.privateKey, released.binding))).toEqual(SECRET)
    expect((await ask('POST', '/v1/releases', asked)).codes).toEqual(['RELEASE_CHALLENGE_CONSUMED'])
    expect((await ask('POST', '/v1/leases/close', { lease: leaseId() }, TOKENS.market)).status).toBe(204)
    expect((await ask('POST', '/v1/challenges', { ...KEY, lease: leaseId(), teeKey: SPKI })).codes).toEqual([
      'GATE_LEASE_CLOSED',
    ])
    const rows = await ask('GET', `/v1/tenants/${TENANT}/audit`, undefined, TOKENS.alice)
    expect(rows.body.rows.map((r: { entry: string }) => JSON.parse(r.entry).type)).toEqual([
      'key.registered',
      'key.released',
      'key.refused',
    ])
    expect(t.errors).toEqual([])
    const secret = Buffer.from(SECRET)
    for (const text of [JSON.stringify(lines), (await ask('GET', '/metrics')).body])
      for (const form of ['utf8', 'hex', 'base64'] as const) expect(text).not.toContain(secret.toString(form))
  })

  it('lets administrators do what is theirs, and two of them what opens more', async () => {
    const { ask } = await stage()
    const key = `${KEYS}/${KEY.keyId}`
    expect((await ask('GET', KEYS)).codes).toEqual(['SERVICE_TOKEN_REFUSED'])
    expect((await ask('GET', KEYS, undefined, 'guess')).codes).toEqual(['SERVICE_TOKEN_REFUSED'])
    expect((await ask('GET', KEYS, undefined, TOKENS.eve)).codes).toEqual(['SERVICE_TENANT_FORBIDDEN'])
    expect((await ask('GET', KEYS, undefined, TOKENS.market)).codes).toEqual(['SERVICE_TENANT_FORBIDDEN'])
    expect((await ask('POST', '/v1/leases', {}, TOKENS.alice)).codes).toEqual(['SERVICE_TENANT_FORBIDDEN'])
    expect((await ask('GET', KEYS, undefined, TOKENS.alice)).body.keys).toMatchObject([
      { keyId: KEY.keyId, state: 'active' },
    ])
    expect((await ask('POST', `${key}/suspend`, undefined, TOKENS.alice)).body).toMatchObject({ state: 'suspended' })
    expect((await ask('POST', `${key}/resume`, undefined, TOKENS.alice)).codes).toEqual(['ADMIN_APPROVAL_MISSING'])
    expect((await ask('POST', `${key}/resume`, undefined, TOKENS.alice, TOKENS.alice)).codes).toEqual([
      'ADMIN_APPROVAL_MISSING',
    ])
    expect((await ask('POST', `${key}/resume`, undefined, TOKENS.alice, TOKENS.eve)).codes).toEqual([
      'SERVICE_TENANT_FORBIDDEN',
    ])
    expect((await ask('POST', `${key}/resume`, undefined, TOKENS.alice, TOKENS.bob)).body).toMatchObject({
      state: 'active',
    })
    expect((await ask('PUT', key, REGISTRATION, TOKENS.alice)).codes).toEqual(['ADMIN_APPROVAL_MISSING'])
    expect((await ask('GET', `${KEYS}/none`, undefined, TOKENS.alice)).status).toBe(404)
    expect(JSON.stringify((await ask('GET', key, undefined, TOKENS.alice)).body)).not.toContain(REGISTRATION.secret)
  })

  it('takes requests to the letter', async () => {
    const { ask, base } = await stage()
    const put = (body: unknown) => ask('PUT', `${KEYS}/k2`, body, TOKENS.alice)
    expect((await put({ ...REGISTRATION, ttl: 5 })).codes).toEqual(['SERVICE_REQUEST_INVALID'])
    expect((await put({ ...REGISTRATION, limits: { ...LIMITLESS, releases: 0 } })).codes).toEqual([
      'ADMIN_REQUEST_INVALID',
    ])
    expect((await put({ ...REGISTRATION, limits: undefined })).codes).toEqual(['SERVICE_REQUEST_INVALID'])
    expect((await put({ ...REGISTRATION, policy: { version: 1 } })).codes.length).toBeGreaterThan(0)
    const twice = await fetch(`${base}/v1/challenges`, { method: 'POST', body: '{"tenant":"a","tenant":"b"}' })
    expect(await twice.json()).toMatchObject({ findings: [{ code: 'JSON_DUPLICATE_KEY' }] })
    const large = await fetch(`${base}/v1/releases`, { method: 'POST', body: 'x'.repeat(5_000_000) })
    expect([large.status, await large.json()]).toMatchObject([413, { findings: [{ code: 'SERVICE_BODY_TOO_LARGE' }] }])
  })

  it.each([
    ['window', '1h', 'limits.window', 'an object with releases, seconds, or unlimited'],
    ['window', { seconds: 3600 }, 'limits.window.releases', 'present'],
    ['window', { releases: 1, secs: 3600 }, 'limits.window.secs', 'one of releases, seconds'],
    ['window', { releases: 1, second: 3600 }, 'limits.window.second', 'seconds'],
    ['onlyLeases', undefined, 'limits.onlyLeases', 'present'],
    ['lease', 8, 'limits.lease', 'leases'],
    ['releases', 0, 'limits.releases', 'a whole number above zero, or unlimited'],
  ])('names the place of a wrong limit: %s of %j', async (name, value, path, expected) => {
    const { ask } = await stage()
    const limits = { ...LIMITLESS, [name]: value }
    const findings = async (to: string, body: object) => (await ask('PUT', to, body, TOKENS.alice)).body.findings
    expect(await findings(`${KEYS}/k2`, { ...REGISTRATION, limits })).toMatchObject([{ path, expected }])
    const bare = path.replace('limits.', '')
    expect(await findings(`${KEYS}/${KEY.keyId}/limits`, limits)).toMatchObject([{ path: bare, expected }])
  })

  it('names the body itself, and members of other objects in it', async () => {
    const { ask } = await stage()
    const first = async (path: string, body: unknown, token: string, method = 'PUT') =>
      (await ask(method, path, body, token)).body.findings[0]
    expect(await first(`${KEYS}/k2`, [], TOKENS.alice)).toMatchObject({ path: 'body' })
    expect(await first(`${KEYS}/k2`, { ...REGISTRATION, limits: 5 }, TOKENS.alice)).toMatchObject({ path: 'limits' })
    const opened = { lease: leaseId('78'), order: orderOf({}, '78'), hostData: null, key: { ...KEY, keyId: '' } }
    expect(await first('/v1/leases', opened, TOKENS.market, 'POST')).toMatchObject({ path: 'key.keyId' })
  })

  it('quotes nothing of a body, which may hold a key', async () => {
    const { ask, base, lines } = await stage()
    const put = async (body: string) => {
      const headers = { authorization: `Bearer ${TOKENS.alice}` }
      const answer = await fetch(`${base}${KEYS}/k2`, { method: 'PUT', headers, body })
      return { status: answer.status, text: await answer.text() }
    }
    const secret = Buffer.alloc(32, 7).toString('base64')
    const unpadded = secret.replace(/=+$/, '')
    for (const [body, code] of [
      [JSON.stringify({ ...REGISTRATION, secret: unpadded }), 'ENV_BASE64_NOT_CANONICAL'],
      [`{"secret":"${secret}`, 'JSON_SYNTAX'],
    ] as const) {
      const { status, text } = await put(body)
      expect([status, text]).toEqual([400, expect.stringContaining(code)])
      expect(text + JSON.stringify(lines)).not.toContain(secret.slice(0, 8))
    }
    expect((await put(JSON.stringify({ ...REGISTRATION, secret }))).status).toBe(200)
    expect((await ask('GET', `${KEYS}/k2`, undefined, TOKENS.alice)).status).toBe(200)
  })

  it('logs of a refusal its first code, and nothing else of the request', async () => {
    const { ask, lines } = await stage()
    const bearer = 'guessed-token'
    const wrong = { ...REGISTRATION, limits: { ...LIMITLESS, [`x${REGISTRATION.secret}`]: 1 } }
    await ask('PUT', `${KEYS}/k2`, wrong, TOKENS.alice)
    await ask('PUT', `${KEYS}/k2`, REGISTRATION, bearer)
    await ask('POST', '/v1/challenges', { ...KEY, lease: leaseId(), teeKey: 'AAAA' })
    const release = { ...KEY, challengeId: 'none', lease: leaseId(), evidence: SPKI, wrapKey: null, format: 'jwe' }
    await ask('POST', '/v1/releases', release)
    await ask('GET', `/kbs/v0/resource/${TENANT}/weights/llama`)
    await ask('POST', '/kbs/v0/attest', {})
    await ask('GET', KEYS, undefined, TOKENS.alice)
    const key = '/v1/tenants/:tenant/keys'
    const request = { event: 'request' }
    expect(lines).toEqual([
      { ...request, method: 'PUT', route: `${key}/:key`, status: 400, code: 'SERVICE_REQUEST_INVALID' },
      { ...request, method: 'PUT', route: `${key}/:key`, status: 401, code: 'SERVICE_TOKEN_REFUSED' },
      { ...request, method: 'POST', route: '/v1/challenges', status: 400, code: 'RELEASE_WRAP_KEY_INVALID' },
      { ...request, method: 'POST', route: '/v1/releases', status: 403, code: 'RELEASE_CHALLENGE_UNKNOWN' },
      { ...request, method: 'GET', route: '/kbs/v0/resource/:tenant/:type/:tag', status: 401 },
      { ...request, method: 'POST', route: '/kbs/v0/attest', status: 401, code: 'RELEASE_CHALLENGE_UNKNOWN' },
      { ...request, method: 'GET', route: key, status: 200 },
    ])
    for (const secret of [REGISTRATION.secret, bearer, TOKENS.alice])
      expect(JSON.stringify(lines)).not.toContain(secret)
  })

  it('keeps nothing for a key that nothing can be wrapped to', async () => {
    const { ask, t } = await stage()
    const challenge = (teeKey: string) => ask('POST', '/v1/challenges', { ...KEY, lease: leaseId(), teeKey })
    const large = toBase64(new Uint8Array(1_000_000))
    for (const teeKey of [large, 'AAAA', '']) {
      expect(await challenge(teeKey)).toMatchObject({ status: 400, codes: ['RELEASE_WRAP_KEY_INVALID'] })
    }
    expect((await challenge(SPKI)).status).toBe(200)
    expect(t.errors).toEqual([])
  })

  it('has no tenant called as the marketplace is, and takes its leases to the letter', async () => {
    const { ask } = await stage()
    for (const path of ['/v1/tenants/*/keys', '/v1/tenants/%2A/keys/k', '/v1/tenants/*/audit'])
      expect((await ask('GET', path, undefined, TOKENS.market)).codes).toEqual(['SERVICE_TENANT_FORBIDDEN'])
    const opened = { lease: leaseId('77'), order: orderOf({}, '77'), hostData: null, key: KEY }
    const open = (more: object) => ask('POST', '/v1/leases', { ...opened, ...more }, TOKENS.market)
    expect(await open({ hostData: 'AA' })).toMatchObject({ status: 400, codes: ['HEX_NOT_CANONICAL'] })
    expect((await open({})).status).toBe(204)
    expect((await ask('PUT', `${KEYS}/k/limits`, {})).codes).toEqual(['SERVICE_TOKEN_REFUSED'])
    const limits = { ...LIMITLESS, window: { releases: 1, seconds: 2, minutes: 3 } }
    const put = (body: object) => ask('PUT', `${KEYS}/${KEY.keyId}/limits`, body, TOKENS.alice)
    expect((await put(limits)).codes).toEqual(['SERVICE_REQUEST_INVALID'])
    expect((await put({ ...limits, window: { releases: 1, seconds: 2 } })).status).toBe(200)
  })

  it('tells whoever asks for a key nothing of its own machine', async () => {
    const kekFile = await newKekFile()
    const { ask, t } = await stage({ kekFile }, { isReady: async () => fail('RELEASE_VAULT_UNAVAILABLE', kekFile) })
    expect((await ask('POST', '/v1/challenges', { ...KEY, lease: leaseId(), teeKey: SPKI })).status).toBe(200)
    t.sql("UPDATE release_key SET kek = 'kek-0000000000000000'")
    const answer = await ask('POST', '/v1/challenges', { ...KEY, lease: leaseId(), teeKey: SPKI })
    expect(answer).toMatchObject({ status: 503, codes: ['RELEASE_VAULT_UNAVAILABLE'] })
    expect(JSON.stringify(answer.body)).not.toContain(kekFile)
    expect(JSON.stringify(answer.body)).not.toContain('kek-0000000000000000')
    expect((await ask('GET', '/readyz')).body.findings).toMatchObject([{ path: kekFile }])
  })

  it('looks once for all who ask meanwhile whether it is ready', async () => {
    let looks = 0
    let answer = () => {}
    const isReady = async () => {
      looks++
      await new Promise<void>((resolve) => {
        answer = resolve
      })
      return ok(undefined)
    }
    const { ask } = await stage({}, { isReady })
    const many = Array.from({ length: 20 }, () => ask('GET', '/readyz'))
    while (looks === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await new Promise((resolve) => setTimeout(resolve, 100))
    answer()
    expect((await Promise.all(many)).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
    expect(looks).toBe(1)
    const later = ask('GET', '/readyz')
    while (looks === 1) await new Promise((resolve) => setTimeout(resolve, 5))
    answer()
    expect((await later).status).toBe(200)
  })

  it('says that a body broke off', async () => {
    const app = new Hono().post('/', async (request) => request.json(await bodyBytes(request)))
    const body = new ReadableStream({ start: (stream) => stream.error(new Error('reset')) })
    const answer = await app.request('/', { method: 'POST', body, duplex: 'half' } as RequestInit)
    expect(await answer.json()).toMatchObject({ ok: false, faults: [{ code: 'SERVICE_BODY_BROKEN' }] })
  })

  it('makes clients that ask too often wait', async () => {
    const { ask } = await stage({}, { rateLimit: { burst: 2, perSecond: 0.5 } })
    const answers = []
    for (let i = 0; i < 4; i++) answers.push(await ask('GET', '/openapi.json'))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 429])
    expect(answers[3]?.codes).toEqual(['SERVICE_RATE_LIMITED'])
    expect((await ask('GET', '/healthz')).status).toBe(200)
    expect((await ask('POST', '/kbs/v0/auth', {})).body).toMatchObject({
      type: expect.stringMatching(/AttestationError$/),
    })
  })

  it('is what its OpenAPI document says, and nothing beside', async () => {
    const { ask } = await stage()
    const document = (await ask('GET', '/openapi.json')).body
    const told = Object.entries(document.paths as object).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    )
    expect(told.sort()).toEqual(ENDPOINTS.map((e) => `${e.method} ${e.path}`).sort())
    for (const { method, path } of ENDPOINTS) {
      const answer = await ask(
        method.toUpperCase(),
        path.replaceAll(/\{\w+\}/g, 'x'),
        method === 'get' ? undefined : {},
      )
      expect([path, answer.body.error ?? answer.body.type ?? 'there']).not.toEqual([
        path,
        'there is nothing at this address',
      ])
    }
    // What it says of a registration is what is taken.
    const schema = document.paths['/v1/tenants/{tenant}/keys/{key}'].put.requestBody.content['application/json'].schema
    const isValid = new Ajv2020({ strict: false }).compile(schema)
    const limited = (more: object) => isValid({ ...REGISTRATION, limits: { ...LIMITLESS, ...more } })
    expect(limited({ window: { releases: 1, seconds: 2 }, onlyLeases: ['a'] })).toBe(true)
    for (const wrong of [
      { window: '1h' },
      { window: { seconds: 1 } },
      { lease: 8 },
      { releases: 0 },
      { onlyLeases: [] },
    ])
      expect([wrong, limited(wrong)]).toEqual([wrong, false])
    expect((await ask('GET', '/.well-known/jwks.json')).body).toMatchObject({
      keys: [{ kid: 'service-1', crv: 'Ed25519' }],
    })
    expect((await ask('GET', '/v2/nothing')).status).toBe(404)
  })
})
