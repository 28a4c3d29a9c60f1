import { readFileSync } from 'node:fs'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../src/core/bytes.ts'
import {
  accountAddress,
  accountThumbprint,
  adr36Document,
  bech32,
  isSignedByAccount,
} from '../../../src/decision/credential/account.ts'
import {
  checkCredential,
  type HolderProof,
  holderStatementText,
  proveHolder,
} from '../../../src/decision/credential/index.ts'
import { codesOf } from '../../core/support.ts'
import { describeEvidence, evidencePath } from '../../support/evidence.ts'
import {
  ACCOUNT_HOLDER,
  ACCOUNT_KEY,
  AUDIENCE,
  expecting,
  HOLDER_PROOF_TYPE,
  issued,
  NONCE,
  NOW,
  PROVIDER,
  proofFor,
  requestFor,
  stranger,
  teeKey,
  walletProof,
} from './support.ts'

const JTI = requestFor('lease').jti
const STATEMENT = { jti: JTI, aud: AUDIENCE, iat: NOW, nonce: NONCE }

async function presented(proof: HolderProof, holder?: { readonly jkt: string }) {
  const { jwt } = await issued('lease', holder === undefined ? {} : { holder })
  return checkCredential(jwt, await expecting('lease', { holder: { nonce: NONCE, proof } }))
}
const refusal = async (proof: HolderProof, holder?: { readonly jkt: string }) => codesOf(await presented(proof, holder))
const NOT_PROVED = ['RESULT_HOLDER_NOT_PROVED']

/** Signed by the holder's own key, whatever it says. */
async function stated(payload: string, header: object = {}): Promise<HolderProof> {
  const jwk = await exportJWK(teeKey.publicKey)
  const jws = await new CompactSign(utf8(payload))
    .setProtectedHeader({ alg: 'ES256', typ: HOLDER_PROOF_TYPE, jwk, ...header })
    .sign(teeKey.privateKey)
  return { kind: 'jws', jws }
}

describe('a key in the TEE', () => {
  it('is proved by a signature over credential, relying party, time and nonce', async () => {
    expect((await presented(await proofFor('lease'))).ok).toBe(true)
    expect((await presented(await stated(holderStatementText(STATEMENT)))).ok).toBe(true)
  })

  it('may be of Ed25519', async () => {
    const pair = await generateKeyPair('EdDSA')
    const { holderThumbprint } = await import('../../../src/index.ts')
    const jkt = await holderThumbprint(pair.publicKey)
    expect((await presented(await proveHolder(STATEMENT, pair), { jkt })).ok).toBe(true)
  })

  it.each<[string, Partial<typeof STATEMENT>]>([
    ['another credential', { jti: 'jti-of-another' }],
    ['another relying party', { aud: 'somebody.else' }],
    ['another nonce', { nonce: 'nonce-of-somebody-else' }],
    ['a minute and a second ago', { iat: NOW - 61 }],
    ['a minute and a second ahead', { iat: NOW + 61 }],
  ])('is not proved for %s', async (_, changed) => {
    expect(await refusal(await proofFor('lease', changed))).toEqual(NOT_PROVED)
  })

  it('is proved a minute ago, and a minute ahead', async () => {
    for (const iat of [NOW - 60, NOW + 60]) expect((await presented(await proofFor('lease', { iat }))).ok).toBe(true)
  })

  it('is not proved by another key', async () => {
    expect(await refusal(await proofFor('lease', {}, stranger))).toEqual(NOT_PROVED)
  })

  it('is not proved by another key that shows the right one', async () => {
    const jwk = await exportJWK(teeKey.publicKey)
    const jws = await new CompactSign(utf8(holderStatementText(STATEMENT)))
      .setProtectedHeader({ alg: 'ES256', typ: HOLDER_PROOF_TYPE, jwk })
      .sign(stranger.privateKey)
    expect(await refusal({ kind: 'jws', jws })).toEqual(NOT_PROVED)
  })

  it.each<[string, object]>([
    ['another typ', { typ: 'JWT' }],
    ['no typ', { typ: undefined }],
    ['a kid', { kid: 'x' }],
    ['no key', { jwk: undefined }],
    ['a key that is text', { jwk: 'x' }],
  ])('is not proved with %s in the header', async (_, header) => {
    expect(await refusal(await stated(holderStatementText(STATEMENT), header))).toEqual(NOT_PROVED)
  })

  it('is not proved with more than a public key in the header', async () => {
    const jwk = { ...(await exportJWK(teeKey.publicKey)), d: 'AA' }
    expect(await refusal(await stated(holderStatementText(STATEMENT), { jwk }))).toEqual(NOT_PROVED)
  })

  it.each<[string, string]>([
    ['a member more', JSON.stringify({ ...STATEMENT, typ: HOLDER_PROOF_TYPE, more: 1 })],
    ['another order of members', JSON.stringify({ typ: HOLDER_PROOF_TYPE, ...STATEMENT })],
    ['a time as text', JSON.stringify({ ...STATEMENT, iat: `${NOW}` })],
    ['nothing but text', '"x"'],
  ])('is not proved by a statement with %s', async (_, payload) => {
    expect(await refusal(await stated(payload))).toEqual(NOT_PROVED)
  })

  it('is not proved by a point off the curve', async () => {
    const jwk = { ...(await exportJWK(teeKey.publicKey)), y: 'A'.repeat(43) }
    const { calculateJwkThumbprint } = await import('jose')
    const jkt = await calculateJwkThumbprint(jwk)
    expect(await refusal(await stated(holderStatementText(STATEMENT), { jwk }), { jkt })).toEqual(NOT_PROVED)
  })

  it('is made of a public and a private key', async () => {
    const swapped = { publicKey: teeKey.publicKey, privateKey: teeKey.publicKey }
    await expect(proveHolder(STATEMENT, swapped)).rejects.toThrow(TypeError)
  })
})

describe('the provider’s account', () => {
  it('is proved by what its wallet signs (ADR-36)', async () => {
    expect((await presented(walletProof(JTI), ACCOUNT_HOLDER)).ok).toBe(true)
  })

  const other = new Uint8Array(32).fill(8)

  it.each<[string, HolderProof]>([
    ['another credential', walletProof('jti-of-another')],
    ['an old statement', walletProof(JTI, NOW - 61)],
    ['the wallet of another account', walletProof(JTI, NOW, other)],
    ['a document that names another signer', walletProof(JTI, NOW, undefined, 'akash1other')],
  ])('is not proved by %s', async (_, proof) => {
    expect(await refusal(proof, ACCOUNT_HOLDER)).toEqual(NOT_PROVED)
  })

  it('does not stand in for the key in the TEE that the credential names', async () => {
    expect(await refusal(walletProof(JTI))).toEqual(NOT_PROVED)
  })

  it.each<[string, (proof: Extract<HolderProof, { kind: 'adr36' }>) => Partial<HolderProof>]>([
    ['a signature of 63 bytes', ({ signature }) => ({ signature: signature.subarray(1) })],
    ['a signature of zeros', () => ({ signature: new Uint8Array(64) })],
    ['a signature of ones', () => ({ signature: new Uint8Array(64).fill(0xff) })],
    [
      'the other value of s',
      ({ signature }) => {
        const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`)
        const high = (secp256k1.Point.Fn.ORDER - s).toString(16).padStart(64, '0')
        return { signature: Uint8Array.from([...signature.subarray(0, 32), ...Buffer.from(high, 'hex')]) }
      },
    ],
    ['an uncompressed key', () => ({ publicKey: secp256k1.Point.fromBytes(ACCOUNT_KEY).toBytes(false) })],
    ['a key that is no point', () => ({ publicKey: new Uint8Array(33).fill(2).fill(0xff, 1) })],
    ['no key', () => ({ publicKey: new Uint8Array() })],
  ])('is not proved by %s', async (_, change) => {
    const proof = walletProof(JTI)
    if (proof.kind !== 'adr36') throw new TypeError('an ADR-36 proof')
    expect(await refusal({ ...proof, ...change(proof) } as HolderProof, ACCOUNT_HOLDER)).toEqual(NOT_PROVED)
  })

  it('has no thumbprint where it is no point', async () => {
    await expect(accountThumbprint(new Uint8Array(33))).rejects.toThrow(TypeError)
  })
})

describe('bech32', () => {
  it('writes the vector of BIP 173', () => {
    const program = Buffer.from('751e76e8199196d454941c45d1b3a323f1433bd6', 'hex')
    // The vector has a witness version of one digit before the program, so its checksum differs; the digits do not.
    expect(bech32('bc', program).slice(3, -6)).toBe('w508d6qejxtdg4y5r3zarvary0c5xw7k')
  })

  it('derives the address of an account', async () => {
    expect(PROVIDER).toMatch(/^akash1[a-z0-9]{38}$/)
    expect(await accountAddress(ACCOUNT_KEY, 'cosmos')).toMatch(/^cosmos1/)
  })
})

describeEvidence('akash/jwt/cases_es256k.json', () => {
  interface Case {
    readonly description: string
    readonly tokenString: string
  }
  const cases = JSON.parse(readFileSync(evidencePath('akash/jwt/cases_es256k.json'), 'utf8')) as readonly Case[]
  const signed = cases.find(({ description }) => description === 'ES256KADR36 - Valid Signature/with scoped claims')

  it('is signed by the account that it names: document, digest, address and checksum are the chain’s', async () => {
    const [header = '', payload = '', signature = ''] = signed?.tokenString.split('.') ?? []
    const { iss } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iss: string }
    const data = utf8(`${header}.${payload}`)
    const bytes = new Uint8Array(Buffer.from(signature, 'base64url'))
    // The token does not carry its key: of those that a signature may come from, one is this account's.
    const keys = [0, 1].flatMap((recovery) => {
      const recovered = Uint8Array.from([recovery, ...bytes])
      return [secp256k1.recoverPublicKey(recovered, adr36Document(iss, data), { prehash: true })]
    })
    const proved = await Promise.all(keys.map((key) => isSignedByAccount(iss, data, key, bytes)))
    expect(proved.filter((is) => is)).toHaveLength(1)
    const none = await Promise.all(keys.map((key) => isSignedByAccount(iss, utf8('x'), key, bytes)))
    expect(none).toEqual([false, false])
  })
})
