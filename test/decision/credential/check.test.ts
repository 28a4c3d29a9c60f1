import { CompactSign, generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../src/core/bytes.ts'
import { type CredentialExpectation, checkCredential } from '../../../src/decision/credential/index.ts'
import { codesOf, valueIn } from '../../core/support.ts'
import {
  expecting,
  issued,
  KEYS,
  LEASE,
  NONCE,
  NOW,
  ORDER,
  PROVIDER,
  proofFor,
  resigned,
  SIGNERS,
  stranger,
} from './support.ts'

type Claims = Record<string, unknown>

const check = async (
  jwt: string,
  changed: Partial<CredentialExpectation> = {},
  purpose: 'lease' | 'posture' = 'lease',
) => checkCredential(jwt, await expecting(purpose, changed))
const refusal = async (jwt: string, changed: Partial<CredentialExpectation> = {}) => codesOf(await check(jwt, changed))

const ours = (claims: Claims, members: Claims): Claims => ({
  ...claims,
  vouchsafe: { ...(claims.vouchsafe as Claims), ...members },
})

describe('checkCredential', () => {
  it('gives the claims of a credential that is in order', async () => {
    const { jwt, claims } = await issued('lease')
    expect(valueIn(await check(jwt))).toEqual(claims)
    expect(valueIn(await check(await resigned('lease', (c) => c)))).toEqual(claims)
  })

  it('serves every order with a posture of none, and one order with a posture of one', async () => {
    const any = await issued('posture')
    const one = await issued('posture', { order: ORDER })
    const other = `${ORDER}0`
    expect((await check(any.jwt, { order: ORDER }, 'posture')).ok).toBe(true)
    expect((await check(any.jwt, { order: null }, 'posture')).ok).toBe(true)
    expect((await check(one.jwt, { order: ORDER }, 'posture')).ok).toBe(true)
    expect(codesOf(await check(one.jwt, { order: other }, 'posture'))).toEqual(['GATE_SCOPE_MISMATCH'])
    expect(codesOf(await check(one.jwt, { order: null }, 'posture'))).toEqual(['GATE_SCOPE_MISMATCH'])
  })

  it('passes no posture for a lease, no lease for a posture, and no lease for a key release', async () => {
    const [posture, lease] = [await issued('posture'), await issued('lease')]
    expect(codesOf(await check(posture.jwt))).toEqual(['GATE_SCOPE_MISMATCH'])
    expect(codesOf(await check(lease.jwt, {}, 'posture'))).toEqual(['GATE_SCOPE_MISMATCH'])
    expect(await refusal(lease.jwt, { purpose: 'key-release' })).toEqual(['GATE_SCOPE_MISMATCH'])
  })

  it.each<[string, Partial<CredentialExpectation>]>([
    ['another lease of the same provider', { lease: `${ORDER}/${PROVIDER}/1` }],
    ['a lease of another order', { lease: `${ORDER}0/${PROVIDER}/0` }],
    ['another provider', { subject: 'akash1other' }],
  ])('does not serve %s', async (_, changed) => {
    const { jwt } = await issued('lease')
    expect(await refusal(jwt, changed)).toEqual(['GATE_SCOPE_MISMATCH'])
  })

  it('names an issuer that is not the one expected', async () => {
    const { jwt } = await issued('lease')
    expect(await refusal(jwt, { issuer: 'https://other.example' })).toEqual(['RESULT_ISSUER_MISMATCH'])
  })

  it('grants a minute of skew at the beginning, and none at the end', async () => {
    const { jwt, claims } = await issued('lease')
    const at = async (now: number) =>
      check(jwt, { now, holder: { nonce: 'nonce-of-the-relying-party', proof: await proofFor('lease', { iat: now }) } })
    expect((await at(NOW - 60)).ok).toBe(true)
    expect(codesOf(await at(NOW - 61))).toEqual(['RESULT_NOT_YET_VALID'])
    expect((await at(claims.exp - 1)).ok).toBe(true)
    expect(codesOf(await at(claims.exp))).toEqual(['RESULT_EXPIRED'])
  })

  it.each<[string, object]>([
    ['jku', { jku: 'https://evil.example/keys' }],
    ['x5u', { x5u: 'https://evil.example/chain' }],
    ['jwk', { jwk: { kty: 'EC' } }],
    ['x5c', { x5c: ['AA=='] }],
    ['a member nobody knows', { vouchsafe: true }],
  ])('refuses a header with %s', async (_, header) => {
    expect(await refusal(await resigned('lease', (c) => c, { header }))).toEqual(['RESULT_INVALID'])
  })

  it('refuses crit, whatever it names', async () => {
    const { jwt } = await issued('lease')
    const [, payload] = jwt.split('.')
    const header = { alg: 'ES256', kid: 'verifier-1', typ: 'eat+jwt', crit: ['exp'], exp: NOW }
    const signed = await new CompactSign(Buffer.from(payload ?? '', 'base64url'))
      .setProtectedHeader(header)
      .sign(SIGNERS.ES256.key, { crit: { exp: true } })
    expect(await refusal(signed)).toEqual(['RESULT_INVALID'])
  })

  const segment = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const HEADER = { alg: 'ES256', kid: 'verifier-1', typ: 'eat+jwt' }

  it.each<[string, (jwt: string) => string | Promise<string>]>([
    ['alg none', (jwt) => `${segment({ ...HEADER, alg: 'none' })}.${jwt.split('.')[1]}.`],
    [
      'alg none with a signature',
      (jwt) => `${segment({ ...HEADER, alg: 'none' })}.${jwt.split('.')[1]}.${jwt.split('.')[2]}`,
    ],
    [
      'an HMAC under the public key',
      async (jwt) => {
        const secret = utf8(JSON.stringify(KEYS.keys[0]))
        const payload = Buffer.from(jwt.split('.')[1] ?? '', 'base64url')
        return new CompactSign(payload).setProtectedHeader({ ...HEADER, alg: 'HS256' }).sign(secret)
      },
    ],
    [
      'the algorithm of another key',
      async () => {
        const pair = await generateKeyPair('EdDSA')
        return resigned('lease', (c) => c, { header: { alg: 'EdDSA' }, by: pair.privateKey })
      },
    ],
    ['the kid of another key', () => resigned('lease', (c) => c, { header: { kid: 'verifier-2' } })],
    ['a kid that is not pinned', () => resigned('lease', (c) => c, { header: { kid: 'verifier-3' } })],
    ['no kid', () => resigned('lease', (c) => c, { header: { kid: undefined } })],
    ['typ JWT', () => resigned('lease', (c) => c, { header: { typ: 'JWT' } })],
    ['no typ', () => resigned('lease', (c) => c, { header: { typ: undefined } })],
    ['a key of somebody else', () => resigned('lease', (c) => c, { by: stranger.privateKey })],
    ['a changed payload', (jwt) => jwt.replace('.', '.e')],
    ['four parts', (jwt) => `${jwt}.${jwt}`],
    ['two parts', (jwt) => jwt.split('.').slice(0, 2).join('.')],
    ['white space', (jwt) => ` ${jwt}`],
    ['padding', (jwt) => `${jwt}=`],
    ['nothing', () => ''],
    ['a megabyte', () => 'a'.repeat(1 << 20)],
  ])('refuses %s', async (_, make) => {
    const { jwt } = await issued('lease')
    expect(await refusal(await make(jwt))).toEqual(['RESULT_INVALID'])
  })

  it.each<[string, (claims: Claims) => unknown]>([
    ['a claim nobody knows', (c) => ({ ...c, nbo: 1 })],
    ['another profile', (c) => ({ ...c, eat_profile: 'tag:github.com,2024:confidential-containers/Trustee' })],
    ['no jti', ({ jti: _, ...c }) => c],
    ['no cnf', ({ cnf: _, ...c }) => c],
    ['a cnf without thumbprint', (c) => ({ ...c, cnf: {} })],
    ['a key in cnf', (c) => ({ ...c, cnf: { ...(c.cnf as Claims), jwk: {} } })],
    ['no end', ({ exp: _, ...c }) => c],
    ['an end before its beginning', (c) => ({ ...c, exp: NOW })],
    ['a beginning that is not its issue', (c) => ({ ...c, nbf: NOW - 1 })],
    ['no audience', (c) => ({ ...c, aud: [] })],
    ['an audience as text', (c) => ({ ...c, aud: 'console.akash.network' })],
    ['no submodules', (c) => ({ ...c, submods: {} })],
    ['a provider that is not the lease’s', (c) => ({ ...c, sub: 'akash1other' })],
    ['a lease without order', (c) => ours(c, { order: null })],
    ['a posture with a lease', (c) => ours(c, { purpose: 'posture' })],
    ['a lease of five fields', (c) => ours(c, { lease: LEASE.slice(0, -2) })],
    ['a purpose nobody knows', (c) => ours(c, { purpose: 'anything' })],
    ['a level nobody knows', (c) => ours(c, { level: 6 })],
    ['a level as text', (c) => ours(c, { level: '5' })],
    ['no policy', (c) => ours(c, { policy: '' })],
    ['a number of GPUs below zero', (c) => ours(c, { gpu: { count: -1, binding: 'none' } })],
    ['text', () => '"lease"'],
  ])('refuses %s, signed all the same', async (_, change) => {
    expect(await refusal(await resigned('lease', change))).toEqual(['RESULT_INVALID'])
  })

  it.each<[string, Claims]>([
    ['affirms what its vector warns of', { 'ear.status': 'affirming' }],
    ['affirms an empty vector', { 'ear.status': 'affirming', 'ear.trustworthiness-vector': {} }],
    ['is contraindicated', { 'ear.status': 'contraindicated', 'ear.trustworthiness-vector': { hardware: 96 } }],
    ['affirms what is contraindicated', { 'ear.status': 'affirming', 'ear.trustworthiness-vector': { hardware: 96 } }],
    ['has a value beyond a byte', { 'ear.status': 'contraindicated', 'ear.trustworthiness-vector': { hardware: 200 } }],
    ['has a category nobody knows', { 'ear.trustworthiness-vector': { software: 2 } }],
    ['has a status nobody knows', { 'ear.status': 'fine' }],
    ['rests on another policy than the whole', { 'ear.appraisal-policy-id': 'urn:sha256:00' }],
  ])('refuses a submodule that %s', async (_, members) => {
    const jwt = await resigned('lease', (c) => {
      const submods = c.submods as Record<string, Claims>
      return { ...c, submods: { ...submods, cpu: { ...submods.cpu, ...members } } }
    })
    expect(await refusal(jwt)).toEqual(['RESULT_INVALID'])
  })

  it('refuses JSON that two readers would read differently', async () => {
    const twice = await resigned('lease', (c) => JSON.stringify(c).replace('{', '{"sub":"akash1other",'))
    expect(await refusal(twice)).toEqual(['JSON_DUPLICATE_KEY'])
    expect(await refusal(await resigned('lease', () => '{'))).toEqual(['JSON_SYNTAX'])
    expect(await refusal(await resigned('lease', (c) => JSON.stringify(c).replace(`${NOW}`, `${NOW}.0`)))).toEqual([
      'JSON_TYPE_MISMATCH',
    ])
  })

  it.each<[string, Partial<CredentialExpectation>]>([
    ['no keys', { keys: { keys: [] } }],
    ['a kid twice', { keys: { keys: [...KEYS.keys, ...KEYS.keys] } }],
    ['a lease expectation without lease', { lease: null }],
    ['a short nonce', { holder: { nonce: 'short', proof: { kind: 'jws', jws: '' } } }],
    ['no audience', { audience: '' }],
    ['a policy without digest', { policyDigest: 'h100-confidential' }],
    ['a key of another curve', { keys: { keys: [{ kid: 'x', kty: 'EC', crv: 'P-384', x: 'AA', y: 'AA' } as never] } }],
    ['an algorithm that is not the key’s', { keys: { keys: KEYS.keys.map((k) => ({ ...k, alg: 'EdDSA' as const })) } }],
    ['a private key', { keys: { keys: KEYS.keys.map((k) => ({ ...k, d: 'AA' })) } }],
  ])('%s is a TypeError', async (_, changed) => {
    const { jwt } = await issued('lease')
    await expect(check(jwt, changed)).rejects.toThrow(TypeError)
  })
})

describe('what was presented', () => {
  it('is refused once it is revoked, and taken while another is', async () => {
    const { jwt, claims } = await issued('lease')
    const check = async (revokedJti: string) => {
      const outcome = await checkCredential(jwt, await expecting('lease', { revoked: (jti) => jti === revokedJti }))
      return outcome.ok ? 'accepted' : codesOf(outcome)
    }
    expect(await check('another')).toBe('accepted')
    expect(await check(claims.jti)).toEqual(['RESULT_REVOKED'])
    await expect(
      (async () => checkCredential(jwt, await expecting('lease', { revoked: undefined as never })))(),
    ).rejects.toThrow(TypeError)
  })

  it.each([undefined, null, 5, ['a.b.c'], {}])('is refused where it is no text: %j', async (jwt) => {
    expect(codesOf(await checkCredential(jwt as never, await expecting('lease')))).toEqual(['RESULT_INVALID'])
  })

  it.each([null, undefined, {}, 'jws', { kind: 'jws', jws: 5 }, { kind: 'adr36', publicKey: 'AA', signature: [] }])(
    'has a proof of some kind: %j',
    async (proof) => {
      const { jwt } = await issued('lease')
      const holder = { nonce: NONCE, proof: proof as never }
      expect(codesOf(await checkCredential(jwt, await expecting('lease', { holder })))).toEqual([
        'RESULT_HOLDER_NOT_PROVED',
      ])
    },
  )
})
