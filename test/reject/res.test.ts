import { CompactSign } from 'jose'
import { describe } from 'vitest'
import { utf8 } from '../../src/core/bytes.ts'
import {
  type CredentialExpectation,
  type CredentialPurpose,
  checkCredential,
  LONGEST_SECONDS,
} from '../../src/decision/credential/index.ts'
import {
  ACCOUNT_HOLDER,
  AUDIENCE,
  expecting,
  issued,
  KEYS,
  NONCE,
  NOW,
  POLICY_DIGEST,
  proofFor,
  requestFor,
  resigned,
  SIGNERS,
  stranger,
  walletProof,
} from '../decision/credential/support.ts'
import { type Check, row } from './row.ts'

type Claims = Record<string, unknown>

const check =
  (
    make: () => Promise<string>,
    changed: Partial<CredentialExpectation> = {},
    purpose: CredentialPurpose = 'lease',
  ): Check =>
  async () =>
    checkCredential(await make(), await expecting(purpose, changed))

const good =
  (purpose: CredentialPurpose = 'lease') =>
  async () =>
    (await issued(purpose)).jwt
const signedAs =
  (header: object, by = SIGNERS.ES256.key) =>
  () =>
    resigned('lease', (c) => c, { header, by })
const saying =
  (change: (claims: Claims) => Claims, purpose: CredentialPurpose = 'lease') =>
  () =>
    resigned(purpose, change)

describe('attestation results', () => {
  row('RJ-RES-01', {
    // Signed again in the same way, with nothing changed.
    twin: check(saying((c) => c)),
    bad: {
      'signature of another key': check(signedAs({}, stranger.privateKey)),
      'signature bit flipped': check(async () => {
        const { jwt } = await issued('lease')
        return `${jwt.slice(0, -4)}${jwt.at(-4) === 'A' ? 'B' : 'A'}${jwt.slice(-3)}`
      }),
      'no signature': check(async () => (await issued('lease')).jwt.replace(/[^.]+$/, '')),
      'alg none': check(async () => {
        const [, payload, signature] = (await issued('lease')).jwt.split('.')
        const header = { alg: 'none', kid: 'verifier-1', typ: 'eat+jwt' }
        return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${signature}`
      }),
      'alg HS256 keyed with the public key': check(async () =>
        new CompactSign(utf8(JSON.stringify((await issued('lease')).claims)))
          .setProtectedHeader({ alg: 'HS256', kid: 'verifier-1', typ: 'eat+jwt' })
          .sign(utf8(JSON.stringify(KEYS.keys[0]))),
      ),
      'key of another algorithm': check(signedAs({ kid: 'verifier-2' })),
      'typ JWT': check(signedAs({ typ: 'JWT' })),
      'no typ': check(signedAs({ typ: undefined })),
      'key in the header': check(signedAs({ jwk: KEYS.keys[0] })),
      'address of keys in the header': check(signedAs({ jku: 'https://evil.example' })),
    },
  })

  row('RJ-RES-02', {
    twin: check(saying((c) => ({ ...c, aud: ['another.example', AUDIENCE] }))),
    bad: {
      another: check(saying((c) => ({ ...c, aud: ['another.example'] }))),
      'the beginning of ours': check(saying((c) => ({ ...c, aud: [AUDIENCE.slice(0, -1)] }))),
      'presented elsewhere': check(good(), { audience: 'another.example' }),
    },
  })

  const holder = (proof: Awaited<ReturnType<typeof proofFor>>) => ({ holder: { nonce: NONCE, proof } })
  const { jti } = requestFor('lease')
  const toAccount = async () => (await issued('lease', { holder: ACCOUNT_HOLDER })).jwt

  row('RJ-RES-03', {
    about: 'by a key in the TEE',
    twin: check(good()),
    bad: {
      'no proof': check(good(), { holder: null }),
      'of another key': async () => check(good(), holder(await proofFor('lease', {}, stranger)))(),
      'for another credential': async () => check(good(), holder(await proofFor('lease', { jti: 'other' })))(),
      'to another relying party': async () => check(good(), holder(await proofFor('lease', { aud: 'other' })))(),
      'of another nonce': async () => check(good(), holder(await proofFor('lease', { nonce: `${NONCE}!` })))(),
      'an old one': async () => check(good(), holder(await proofFor('lease', { iat: NOW - 61 })))(),
      'the credential itself': async () => check(good(), holder({ kind: 'jws', jws: await good()() }))(),
    },
  })

  row('RJ-RES-03', {
    about: 'by the provider’s account',
    twin: check(toAccount, holder(walletProof(jti))),
    bad: {
      'no proof': check(toAccount, { holder: null }),
      'for another credential': check(toAccount, holder(walletProof('other'))),
      'of another account': check(toAccount, holder(walletProof(jti, NOW, new Uint8Array(32).fill(9)))),
      'for a credential of another key': check(good(), holder(walletProof(jti))),
    },
  })

  const OTHER_POLICY = `sha256:${'0'.repeat(64)}`
  row('RJ-RES-04', {
    twin: check(good(), { policyDigest: POLICY_DIGEST }),
    bad: check(good(), { policyDigest: OTHER_POLICY }),
  })

  const lasting = (purpose: CredentialPurpose, seconds: number) =>
    check(
      saying((c) => ({ ...c, exp: NOW + seconds }), purpose),
      {},
      purpose,
    )
  const purposes = ['posture', 'lease', 'key-release'] as const
  const cases = (seconds: (purpose: CredentialPurpose) => number) =>
    Object.fromEntries(purposes.map((purpose) => [purpose, lasting(purpose, seconds(purpose))]))

  row('RJ-RES-05', {
    about: 'its life',
    twin: cases((purpose) => LONGEST_SECONDS[purpose]),
    bad: cases((purpose) => LONGEST_SECONDS[purpose] + 1),
  })

  const at = (now: number): Check => {
    const make = saying((c) => ({ ...c, exp: NOW + 60 }))
    return async () => check(make, { now, ...holder(await proofFor('lease', { iat: now })) })()
  }
  row('RJ-RES-05', {
    about: 'its end',
    twin: at(NOW + 59),
    bad: { 'the end': at(NOW + 60), 'long ago': at(NOW + 86_400) },
  })

  const retiring = (retiredAt: number) => ({ keys: { keys: KEYS.keys.map((key) => ({ ...key, retiredAt })) } })
  row('RJ-RES-06', {
    twin: check(good(), retiring(NOW + 1)),
    bad: { 'this second': check(good(), retiring(NOW)), 'a year ago': check(good(), retiring(NOW - 31_536_000)) },
  })
})
