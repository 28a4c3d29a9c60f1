import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import { checkCredential, jwksOf } from '../../../src/decision/credential/index.ts'
import { codesOf } from '../../core/support.ts'
import { expecting, issued, KEYS, NOW, PUBLISHED, proofFor } from './support.ts'

const [first, second] = PUBLISHED

describe('jwksOf', () => {
  it('publishes public members alone, with the algorithm that each key is for', () => {
    expect(KEYS.keys.map(({ kid, kty, crv, alg, use }) => ({ kid, kty, crv, alg, use }))).toEqual([
      { kid: 'verifier-1', kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' },
      { kid: 'verifier-2', kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' },
    ])
    expect(KEYS.keys.flatMap(Object.keys).filter((name) => name === 'd')).toEqual([])
  })

  it('takes a KeyObject of Node as well', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { keys } = await jwksOf(
      [{ kid: 'node', publicKey: createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })), retiredAt: null }],
      NOW,
    )
    expect(keys).toMatchObject([{ kid: 'node', alg: 'ES256' }])
  })

  it('leaves out a retired key, and marks one that will retire', async () => {
    const at = async (retiredAt: number) => (await jwksOf([{ ...first, retiredAt }, second], NOW)).keys
    expect((await at(NOW)).map(({ kid }) => kid)).toEqual(['verifier-2'])
    expect(await at(NOW + 1)).toMatchObject([{ kid: 'verifier-1', retiredAt: NOW + 1 }, { kid: 'verifier-2' }])
  })

  it.each<[string, () => Promise<Parameters<typeof jwksOf>[0]>]>([
    ['no key at all', async () => []],
    ['a kid twice', async () => [first, { ...second, kid: first.kid }]],
    [
      'a private key',
      async () => [{ ...first, publicKey: (await generateKeyPair('ES256', { extractable: true })).privateKey }],
    ],
    ['a key of P-384', async () => [{ ...first, publicKey: (await generateKeyPair('ES384')).publicKey }]],
    ['a key of RSA', async () => [{ ...first, publicKey: (await generateKeyPair('RS256')).publicKey }]],
    ['a kid with a space', async () => [{ ...first, kid: 'a b' }]],
    ['an end that is no second', async () => [{ ...first, retiredAt: 0.5 }]],
  ])('throws for %s', async (_, keys) => {
    await expect(jwksOf(await keys(), NOW)).rejects.toThrow(TypeError)
  })
})

describe('a key that retires', () => {
  it('counts until that second, whenever it says it signed', async () => {
    const { jwt } = await issued('lease')
    const at = async (now: number) => {
      const keys = { keys: KEYS.keys.map((key) => ({ ...key, retiredAt: NOW + 30 })) }
      const holder = { nonce: 'nonce-of-the-relying-party', proof: await proofFor('lease', { iat: now }) }
      return checkCredential(jwt, await expecting('lease', { keys, now, holder }))
    }
    expect((await at(NOW + 29)).ok).toBe(true)
    expect(codesOf(await at(NOW + 30))).toEqual(['RESULT_KEY_RETIRED'])
  })
})
