import { generateKeyPairSync } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { toRfc3339 } from '../../../src/core/time.ts'
import {
  type CredentialPurpose,
  type CredentialRequest,
  checkCredential,
  holderThumbprint,
  issueCredential,
  spkiThumbprint,
} from '../../../src/decision/credential/index.ts'
import { codesOf, valueIn } from '../../core/support.ts'
import {
  ACCEPTED,
  ACCOUNT_HOLDER,
  AUDIENCE,
  decided,
  expecting,
  HOLDER,
  hardwareOf,
  ISSUER,
  issued,
  LEASE,
  NOW,
  ORDER,
  POLICY_DIGEST,
  PROVIDER,
  requestFor,
  SIGNERS,
  spkiOf,
  teeKey,
  trusted,
} from './support.ts'

const issue = (request: CredentialRequest) => issueCredential(request, nodeCrypto.digest)

describe('issueCredential', () => {
  it('issues an EAR in a JWT, whose claims are those of the decision', async () => {
    const { jwt, claims } = await issued('lease')
    expect(decodeProtectedHeader(jwt)).toEqual({ alg: 'ES256', kid: 'verifier-1', typ: 'eat+jwt' })
    expect(decodeJwt(jwt)).toEqual(claims)
    const { decision, challenge } = ACCEPTED.lease
    expect(claims).toEqual({
      eat_profile: 'tag:github.com,2023:veraison/ear',
      iss: ISSUER,
      sub: PROVIDER,
      aud: ['akashnet-2', AUDIENCE],
      iat: NOW,
      nbf: NOW,
      exp: NOW + 1800,
      jti: 'jti-lease-0123456789abcdef',
      eat_nonce: Buffer.from(challenge.nonce).toString('base64'),
      'ear.verifier-id': { developer: 'https://vouchsafe.example', build: '0.1.0' },
      submods: {
        cpu: {
          'ear.status': 'warning',
          'ear.trustworthiness-vector': { 'instance-identity': 2, configuration: 2, executables: 33, hardware: 2 },
          'ear.appraisal-policy-id': `urn:${POLICY_DIGEST}`,
        },
        'gpu-0': {
          'ear.status': 'affirming',
          'ear.trustworthiness-vector': { 'instance-identity': 2, configuration: 2, hardware: 2 },
          'ear.appraisal-policy-id': `urn:${POLICY_DIGEST}`,
        },
      },
      vouchsafe: {
        level: 2,
        purpose: 'lease',
        lease: LEASE,
        order: ORDER,
        hw: decision.items.map(({ hardwareId = '' }) => {
          const [kind, id] = hardwareId.split(':')
          return { kind, id }
        }),
        policy: POLICY_DIGEST,
        evidence: decision.evidenceDigest,
        risks: ['open-quote-oracle'],
        gpu: { count: 1, binding: 'shared-nonce' },
        physical: 'unknown',
      },
      cnf: HOLDER,
    })
  })

  it('binds a posture to the provider and its hardware, and to no lease', async () => {
    const { claims } = await issued('posture')
    expect(claims.vouchsafe).toMatchObject({ purpose: 'posture', lease: null, order: null })
    expect(claims.vouchsafe.hw.map(({ kind }) => kind)).toEqual(['amd-chip', 'nvidia-gpu'])
    const restricted = await issued('posture', { order: ORDER })
    expect(restricted.claims.vouchsafe).toMatchObject({ lease: null, order: ORDER })
  })

  it('names hardware by salted ids as well', async () => {
    const salted = [`amd-chip:${'A-_z'.repeat(10)}abc`, `nvidia-gpu:${'Zz09'.repeat(10)}abc`]
    const { jwt, claims } = await issued('lease', { hardware: salted })
    expect(claims.vouchsafe.hw.map(({ kind, id }) => `${kind}:${id}`)).toEqual(salted)
    expect((await checkCredential(jwt, await expecting('lease'))).ok).toBe(true)
  })

  it.each(['posture', 'lease', 'key-release'] as const)('issues %s with EdDSA as well', async (purpose) => {
    const { jwt } = await issued(purpose, { signer: SIGNERS.EdDSA })
    expect(decodeProtectedHeader(jwt)).toMatchObject({ alg: 'EdDSA', kid: 'verifier-2' })
    expect(valueIn(await checkCredential(jwt, await expecting(purpose))).vouchsafe.purpose).toBe(purpose)
  })

  it('takes a re-attestation for a lease', async () => {
    const { claims } = await issued('lease', trusted(await decided('reattest')))
    expect(claims.vouchsafe.purpose).toBe('lease')
  })

  it.each([
    ['posture', 24 * 3600, 6 * 3600],
    ['lease', 24 * 3600, 1800],
    ['key-release', 24 * 3600, 120],
    ['posture', 600, 600],
    ['lease', 60, 60],
  ] as const)('lets %s with a policy of %i s last %i s', async (purpose, ttlSeconds, lasts) => {
    const { claims } = await issued(purpose, { ttlSeconds })
    expect(claims.exp - claims.iat).toBe(lasts)
  })

  it('lasts no longer than the decision', async () => {
    const { decision, challenge } = ACCEPTED.lease
    const soon = { ...decision, validUntil: toRfc3339(NOW + 90) }
    expect((await issued('lease', { decision: soon, challenge })).claims.exp).toBe(NOW + 90)
  })
})

describe('a decision that may open nothing', () => {
  const { decision, challenge } = ACCEPTED.lease
  const refusal = async (changed: Partial<CredentialRequest>) => codesOf(await issue(requestFor('lease', changed)))

  it('is refused where it rests on injected anchors', async () => {
    expect(await refusal(await decided('lease'))).toEqual(['GATE_ANCHORS_INJECTED'])
  })

  it('is refused where it is no accept', async () => {
    const rejected = trusted(await decided('lease', { wrong: 'policy-debug' }))
    expect(rejected.decision.verdict).toBe('reject')
    expect(await refusal(rejected)).toEqual(['GATE_NOT_ACCEPTED'])
    expect(await refusal({ decision: { ...decision, verdict: 'inconclusive' } })).toEqual(['GATE_NOT_ACCEPTED'])
  })

  it('is refused at the second it ends, and taken one before', async () => {
    const end = toRfc3339(NOW + 1)
    expect(await refusal({ decision: { ...decision, validUntil: toRfc3339(NOW) } })).toEqual(['GATE_DECISION_EXPIRED'])
    expect((await issue(requestFor('lease', { decision: { ...decision, validUntil: end } }))).ok).toBe(true)
  })

  it('is refused where it was decided in the future', async () => {
    const ahead = { ...decision, decidedAt: toRfc3339(NOW + 1) }
    expect(await refusal({ decision: ahead })).toEqual(['CLOCK_WENT_BACK'])
  })

  it('is refused where it has names that no credential can carry', async () => {
    const items = decision.items.map((item) => ({ ...item, id: `${item.id} of mine` }))
    expect(await refusal({ decision: { ...decision, items } })).toEqual(['RESULT_INVALID'])
    const odd = hardwareOf(decision).map((id) => `${id} `)
    expect(await refusal({ hardware: odd })).toEqual(['RESULT_INVALID'])
  })

  it.each<[string, () => Promise<Partial<CredentialRequest>>]>([
    ['answers another challenge', async () => ({ decision, challenge: ACCEPTED.posture.challenge })],
    [
      'answers no challenge',
      async () => {
        const { challenge: _, ...unasked } = decision
        return { decision: unasked, challenge }
      },
    ],
    ['answers a challenge for a posture', async () => ACCEPTED.posture],
    ['answers a challenge for a key release', async () => ACCEPTED['key-release']],
    [
      'answers a challenge for another provider',
      async () => trusted(await decided('lease', { provider: 'akash1other', lease: `${ORDER}/akash1other/0` })),
    ],
    [
      'answers a challenge for another lease of the provider',
      async () => trusted(await decided('lease', { lease: `${ORDER}/${PROVIDER}/1` })),
    ],
    [
      'rests on another policy',
      async () => ({
        decision: { ...decision, policy: { name: 'x', version: 1, digest: `sha256:${'0'.repeat(64)}` } },
      }),
    ],
    ['rests on no policy', async () => ({ decision: { ...decision, policy: null } })],
    ['answers a challenge under another policy', async () => ({ policyDigest: `sha256:${'0'.repeat(64)}` })],
  ])('is refused where it %s', async (_, changed) => {
    expect(await refusal(await changed())).toEqual(['GATE_SCOPE_MISMATCH'])
  })
})

describe('the key that a credential is bound to', () => {
  const refusal = async (purpose: CredentialPurpose, changed: Partial<CredentialRequest>) => {
    const outcome = await issue(requestFor(purpose, changed))
    return outcome.ok ? 'issued' : codesOf(outcome)
  }

  it.each(['ES256', 'Ed25519'] as const)('is the one in the evidence, %s', async (algorithm) => {
    const pair = await generateKeyPair(algorithm)
    const holder = { jkt: await holderThumbprint(pair.publicKey) }
    for (const purpose of ['lease', 'key-release'] as const) {
      const carried = trusted(await decided(purpose, { spki: await spkiOf(pair) }))
      expect(await refusal(purpose, { ...carried, holder })).toBe('issued')
      for (const other of [HOLDER, ACCOUNT_HOLDER])
        expect(await refusal(purpose, { ...carried, holder: other })).toEqual(['GATE_HOLDER_NOT_ATTESTED'])
    }
  })

  it('is in the evidence at least where a key is released to it', async () => {
    expect(await refusal('key-release', {})).toBe('issued')
    expect(await refusal('key-release', trusted(await decided('key-release')))).toEqual(['GATE_HOLDER_NOT_ATTESTED'])
    expect(await refusal('lease', trusted(await decided('lease')))).toBe('issued')
  })

  it('can sign: a key of X25519 holds no credential', async () => {
    const spki = new Uint8Array(generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'der' }))
    expect(await spkiThumbprint(spki)).toBeUndefined()
    expect(await spkiThumbprint(await spkiOf(teeKey))).toBe(HOLDER.jkt)
    const carried = trusted(await decided('key-release', { spki }))
    expect(carried.decision.verdict).toBe('accept')
    expect(await refusal('key-release', carried)).toEqual(['GATE_HOLDER_NOT_ATTESTED'])
  })

  it('is given keys at level 5, or where the policy accepts the open oracle by name', async () => {
    const { decision } = ACCEPTED['key-release']
    const unnamed = { ...decision, acceptedRisks: [] }
    expect(await refusal('key-release', { decision: { ...decision, level: 2 } })).toBe('issued')
    expect(await refusal('key-release', { decision: { ...unnamed, level: 5 } })).toBe('issued')
    expect(await refusal('key-release', { decision: { ...unnamed, level: 4 } })).toEqual(['GATE_KEY_NOT_RELEASABLE'])
    expect(await refusal('lease', { decision: { ...ACCEPTED.lease.decision, acceptedRisks: [] } })).toBe('issued')
  })
})

const KNOWN = hardwareOf(ACCEPTED.lease.decision)
const OWNER_ZERO = 'akash1owner/01/1/1'

describe('wrong use', () => {
  it.each<[string, Parameters<typeof requestFor>]>([
    ['a posture with a lease', ['posture', { lease: LEASE }]],
    ['a lease without one', ['lease', { lease: null }]],
    ['a key release without a lease', ['key-release', { lease: null }]],
    ['a lease of five fields', ['lease', { lease: `${ORDER}/${PROVIDER}` }]],
    ['a number with a leading zero', ['lease', { lease: `${OWNER_ZERO}/${PROVIDER}/0` }]],
    ['a lease of another provider', ['lease', { subject: 'akash1other' }]],
    ['an order that is not the lease’s', ['lease', { order: `${ORDER}0` }]],
    ['no audience', ['lease', { audience: [] as never }]],
    ['an empty audience', ['lease', { audience: [''] }]],
    ['hardware that the decision does not know', ['lease', { hardware: [...KNOWN, 'nvidia-gpu:other'] }]],
    ['no hardware', ['lease', { hardware: [] }]],
    ['hardware of another kind', ['lease', { hardware: KNOWN.map((id) => id.replace('nvidia-gpu', 'tpm-ek')) }]],
    ['hardware twice', ['lease', { hardware: ['amd-chip:a', 'amd-chip:a'] }]],
    ['no holder', ['lease', { holder: { jkt: '' } }]],
    ['no issuer', ['lease', { issuer: '' }]],
    ['no jti', ['lease', { jti: '' }]],
    ['no time', ['lease', { now: Number.NaN }]],
    ['no life', ['lease', { ttlSeconds: 0 }]],
    ['another purpose', ['lease', { purpose: 'anything' as never }]],
    ['an algorithm that is not ours', ['lease', { signer: { ...SIGNERS.ES256, alg: 'HS256' as never } }]],
    ['a public key to sign with', ['lease', { signer: { ...SIGNERS.ES256, key: teeKey.publicKey } }]],
  ])('%s is a TypeError', async (_, [purpose, changed]) => {
    await expect(issue(requestFor(purpose, changed))).rejects.toThrow(TypeError)
  })
})
