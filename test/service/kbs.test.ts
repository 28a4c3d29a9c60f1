import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { FOR_GUESTS, KEY_POLICY, ONE, SECRET, TENANT, testBroker } from '../release/support.ts'
import { type Answered, guestKey, KbsClient, type KeyKind } from './kbs-client.ts'
import { serviceOver, snpGuest } from './support.ts'

const RESOURCE = `${TENANT}/weights/llama`

/** A broker with one key for guests, behind HTTP, and a guest. */
async function stage(
  about: { kind?: KeyKind; version?: string; attester?: ReturnType<typeof snpGuest>; tee?: string } = {},
) {
  const t = await testBroker({ limits: FOR_GUESTS })
  const name = { tenant: TENANT, keyId: 'weights/llama' }
  await t.admin.register({ ...name, secret: SECRET, policy: KEY_POLICY, limits: FOR_GUESTS }, ONE)
  const service = await serviceOver(t)
  const guest = (more: typeof about = {}) => {
    const { kind = 'P-256', attester = snpGuest(), tee = 'snp', version = '0.4.0' } = { ...about, ...more }
    return new KbsClient(service.base, { key: guestKey(kind), attester, tee, version })
  }
  return { t, service, guest, client: guest() }
}

const errorOf = ({ status, body }: Answered) => {
  const { type, findings = [] } = body as { type: string; findings?: { code: string; expected?: string }[] }
  return { status, type: type.split('/').at(-1), codes: findings.map((f) => f.code) }
}

describe('a Confidential Containers guest', () => {
  it.each(['P-256', 'P-521', 'RSA'] as const)('gets its key, wrapped to its own key of %s', async (kind) => {
    const { client } = await stage({ kind })
    expect(await client.fetch(RESOURCE)).toEqual(Buffer.from(SECRET))
    expect(client.requests).toEqual(['/auth', '/attest', `/resource/${RESOURCE}`])
  })

  it.each(['0.2.0', '0.3.0'])('may speak version %s', async (version) => {
    const { client } = await stage({ version })
    expect(await client.fetch(RESOURCE)).toEqual(Buffer.from(SECRET))
  })

  it('is told that its version is too old, or its TEE is none', async () => {
    const { guest, service } = await stage()
    const old = await guest({ version: '0.1.1' }).auth()
    expect(errorOf(old)).toEqual({ status: 401, type: 'AttestationError', codes: ['KBS_VERSION_UNSUPPORTED'] })
    expect((old.body as { detail: string }).detail).toContain('KBS Client Protocol Version Mismatch')
    expect(errorOf(await guest({ tee: 'sample' }).auth()).codes).toEqual(['KBS_TEE_UNSUPPORTED'])
    const bare = await fetch(`${service.base}/kbs/v0/auth`, { method: 'POST', body: '{"version":"0.4.0"}' })
    expect(await bare.json()).toMatchObject({ findings: [{ code: 'KBS_REQUEST_INVALID' }] })
  })

  it('may hand its token back instead of the cookie', async () => {
    const { client } = await stage()
    expect((await client.handshake()).status).toBe(200)
    expect(decodeJwt(client.token)).toMatchObject({ exp: expect.any(Number), nbf: expect.any(Number) })
    const answer = await client.resourceByToken(RESOURCE)
    expect(client.open(answer.body as never)).toEqual(Buffer.from(SECRET))
  })

  it('has its token as long as its session, and no longer', async () => {
    const { client, t } = await stage()
    const opened = t.gate.now()
    const { nonce } = (await client.auth()).body as { nonce: string }
    t.gate.pass(200)
    expect((await client.attest(nonce)).status).toBe(200)
    expect(decodeJwt(client.token)).toMatchObject({ iat: opened + 200, nbf: opened + 200, exp: opened + 300 })
    t.gate.pass(99)
    const inTime = await client.resourceByToken(RESOURCE)
    expect(inTime.status).toBe(200)
    t.gate.pass(1)
    expect(errorOf(await client.resourceByToken(RESOURCE))).toMatchObject({ status: 401, type: 'TokenNotFound' })
  })

  it('that has no session, or sends what cannot be read, is in the audit log with no word of its own', async () => {
    const { guest, t } = await stage()
    const last = async () => (await t.entries()).at(-1)
    const client = guest()
    client.cookie = 'kbs-session-id=mine'
    expect(errorOf(await client.attest('AAAA'))).toEqual({
      status: 401,
      type: 'TokenNotFound',
      codes: ['RELEASE_CHALLENGE_UNKNOWN'],
    })
    expect(await last()).toMatchObject({ type: 'session.refused', challengeId: null, lease: null })
    const { nonce } = (await client.auth()).body as { nonce: string }
    const session = client.cookie.slice('kbs-session-id='.length)
    const large = await client.attest(nonce, (body) => ({ ...body, 'init-data': 'x'.repeat(5_000_000) }))
    expect(large.status).toBe(413)
    expect(await last()).toMatchObject({
      ...{ type: 'session.refused', challengeId: session, lease: 'inference', codes: ['SERVICE_BODY_TOO_LARGE'] },
    })
    // The nonce was used up by the attempt; the next session is as any.
    expect(errorOf(await client.attest(nonce)).codes).toEqual(['RELEASE_CHALLENGE_CONSUMED'])
    expect(await client.fetch(RESOURCE)).toEqual(Buffer.from(SECRET))
  })

  it('is asked to come again where its refusal cannot be written down', async () => {
    const { client, t } = await stage()
    const { nonce } = (await client.auth()).body as { nonce: string }
    expect((await client.attest(nonce)).status).toBe(200)
    t.sql(`CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'disk is full'); END`)
    expect(errorOf(await client.attest(nonce))).toMatchObject({ status: 503, codes: ['RELEASE_AUDIT_UNAVAILABLE'] })
  })

  it('attests anew where somebody else wrote to its session', async () => {
    const { client, t } = await stage()
    await client.handshake()
    t.sql('UPDATE session SET expires_at = expires_at + 1')
    expect(errorOf(await client.resource(RESOURCE))).toMatchObject({ status: 401, codes: ['RELEASE_SESSION_TAMPERED'] })
    expect(await client.fetch(RESOURCE)).toEqual(Buffer.from(SECRET))
  })

  it('attests once in a session, whatever it sends', async () => {
    const { client } = await stage()
    const { nonce } = (await client.auth()).body as { nonce: string }
    expect((await client.attest(nonce)).status).toBe(200)
    expect(errorOf(await client.attest(nonce))).toMatchObject({ status: 401, codes: ['RELEASE_CHALLENGE_CONSUMED'] })
  })

  it('gets a key once for each attestation, and attests again for the next time', async () => {
    const { client, t } = await stage()
    expect(await client.fetch(RESOURCE)).toEqual(Buffer.from(SECRET))
    expect(await client.fetch(RESOURCE)).toEqual(Buffer.from(SECRET))
    expect(client.requests.filter((r) => r === '/attest')).toHaveLength(2)
    expect(t.vault.opened).toHaveLength(2)
  })

  it('that is refused hears why, once, and what to do, and nothing of what was looked for', async () => {
    const { guest, t } = await stage()
    const client = guest({ attester: snpGuest({ amd: { wrong: 'policy-debug' } }) })
    const answer = (await client.fetch(RESOURCE)) as Answered
    expect(errorOf(answer)).toEqual({
      status: 403,
      type: 'PolicyDeny',
      codes: ['RELEASE_NOT_ACCEPTED', 'SNP_POLICY_DEBUG_ALLOWED'],
    })
    expect(client.requests).toEqual(['/auth', '/attest', `/resource/${RESOURCE}`])
    expect(JSON.stringify(answer.body)).not.toMatch(/expected|actual/)
    expect(t.vault.opened).toEqual([])
  })

  it('that brings another key than it hashed, or none, gets nothing', async () => {
    const { client, guest, t } = await stage()
    const { nonce } = (await client.auth()).body as { nonce: string }
    await client.attest(nonce, (body) => ({ ...body, 'runtime-data': { nonce, 'tee-pubkey': guestKey('P-256').jwk } }))
    expect(errorOf(await client.resource(RESOURCE))).toMatchObject({
      status: 403,
      codes: ['RELEASE_NOT_ACCEPTED', 'BIND_RUNTIME_DATA_MISMATCH'],
    })
    const bare = guest()
    const asked = (await bare.auth()).body as { nonce: string }
    const report = await snpGuest().cpu(new Uint8Array(64))
    expect(errorOf(await bare.attest(asked.nonce, () => report))).toMatchObject({
      status: 401,
      codes: ['BIND_RUNTIME_DATA_MISSING'],
    })
    expect(t.vault.opened).toEqual([])
  })

  it('without a session is asked to attest', async () => {
    const { client, service } = await stage()
    expect(errorOf(await client.resource(RESOURCE))).toMatchObject({ status: 401, type: 'TokenNotFound' })
    const elsewhere = await fetch(`${service.base}/kbs/v0/nothing`)
    expect(elsewhere.status).toBe(404)
    expect(await elsewhere.json()).toMatchObject({ type: expect.stringMatching(/InvalidRequestPath$/) })
  })

  it('finds a key that is not there as closed as one that is not for it', async () => {
    const { client } = await stage()
    await client.handshake()
    const told = errorOf(await client.resource(`${TENANT}/weights/none`))
    expect(told).toMatchObject({ status: 403, codes: ['RELEASE_KEY_SCOPE'] })
  })

  it('is held to the size of a request', async () => {
    const { client } = await stage()
    const { nonce } = (await client.auth()).body as { nonce: string }
    const large = await client.attest(nonce, (body) => ({ ...body, 'init-data': { body: 'x'.repeat(5_000_000) } }))
    expect(errorOf(large)).toMatchObject({ status: 413, codes: ['SERVICE_BODY_TOO_LARGE'] })
  })
})
