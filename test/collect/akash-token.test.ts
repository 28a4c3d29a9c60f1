import { readFileSync } from 'node:fs'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { type AttestationGrant, mintAttestationToken } from '../../src/collect/index.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { accountAddress } from '../../src/decision/credential/index.ts'
import { NOW } from '../reject/stage.ts'
import { describeEvidence, evidencePath } from '../support/evidence.ts'
import { OWNER, OWNER_SECRET, PROVIDER, tokenClaims } from './gateway.ts'

const GRANT: AttestationGrant = { owner: OWNER, provider: PROVIDER, leases: 'provider', now: NOW, ttlSeconds: 300 }
const LEASE = { dseq: 18412345, gseq: 1, oseq: 1, services: ['web', 'side'] } as const
const sign = (message: Uint8Array) => secp256k1.sign(message, OWNER_SECRET)

describe('mintAttestationToken', () => {
  it('grants attestation by one provider, and nothing else', async () => {
    expect(tokenClaims(await mintAttestationToken(GRANT, sign))).toEqual({
      iss: OWNER,
      iat: NOW,
      nbf: NOW,
      exp: NOW + 300,
      version: 'v1',
      leases: { access: 'granular', permissions: [{ provider: PROVIDER, access: 'scoped', scope: ['attestation'] }] },
    })
  })

  it('grants it for one lease where its services are named', async () => {
    expect(tokenClaims(await mintAttestationToken({ ...GRANT, leases: LEASE }, sign))?.leases).toEqual({
      access: 'granular',
      permissions: [{ provider: PROVIDER, access: 'granular', deployments: [{ ...LEASE, scope: ['attestation'] }] }],
    })
  })

  it('takes either value of s from the signer and sends the lower one, which is what the chain takes', async () => {
    const high = (message: Uint8Array) => {
      const signature = sign(message)
      const s = secp256k1.Point.Fn.ORDER - BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`)
      return Uint8Array.from([...signature.subarray(0, 32), ...Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
    }
    expect(await mintAttestationToken(GRANT, high)).toBe(await mintAttestationToken(GRANT, sign))
  })

  it.each<[string, Partial<AttestationGrant>]>([
    ['another chain’s owner', { owner: OWNER.replace('akash', 'cosmo') }],
    ['every provider', { provider: '*' }],
    ['31 minutes', { ttlSeconds: 1801 }],
    ['no time at all', { ttlSeconds: 0 }],
    ['no now', { now: Number.NaN }],
    ['a deployment of no number', { leases: { ...LEASE, dseq: Number.NaN } }],
    ['a deployment beyond what a double holds', { leases: { ...LEASE, dseq: 2 ** 53 } }],
    ['a service without name', { leases: { ...LEASE, services: [''] } }],
  ])('throws for %s', async (_, changed) => {
    await expect(mintAttestationToken({ ...GRANT, ...changed }, sign)).rejects.toThrow(TypeError)
  })

  it('throws for a signature that is none', async () => {
    await expect(mintAttestationToken(GRANT, () => new Uint8Array(63))).rejects.toThrow(TypeError)
    await expect(mintAttestationToken(GRANT, () => 'signature' as never)).rejects.toThrow(TypeError)
    await expect(mintAttestationToken(GRANT, () => new Uint8Array(64))).rejects.toThrow()
  })
})

describeEvidence('akash/jwt', () => {
  it('the schema of the chain’s SDK takes both forms', async () => {
    const schema = JSON.parse(readFileSync(evidencePath('akash/jwt/akash-jwt-schema.json'), 'utf8')) as object
    const isValid = new Ajv({ strict: false }).compile(schema)
    for (const leases of ['provider', LEASE] as const) {
      const token = await mintAttestationToken({ ...GRANT, leases }, sign)
      isValid(tokenClaims(token))
      expect(isValid.errors).toBeNull()
    }
    expect(isValid({ ...tokenClaims(await mintAttestationToken(GRANT, sign)), aud: 'x' })).toBe(false)
  })

  it('the claims are those that Console mints', async () => {
    const { header, claims } = JSON.parse(
      readFileSync(evidencePath('akash/jwt/attestation-scope-claims.json'), 'utf8'),
    ) as {
      header: unknown
      claims: { iss: string; iat: number; exp: number; leases: { permissions: readonly [{ provider: string }] } }
    }
    const [{ provider }] = claims.leases.permissions
    const grant = { ...GRANT, owner: claims.iss, provider, now: claims.iat, ttlSeconds: claims.exp - claims.iat }
    const [head = '', payload = ''] = (await mintAttestationToken(grant, sign)).split('.')
    expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toEqual(header)
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toEqual(claims)
  })

  it('ES256K is what the chain’s SDK means by it: its own token is signed by the account that it names', async () => {
    const text = readFileSync(evidencePath('akash/jwt/cases_jwt.json.tmpl'), 'utf8')
    const cases = [...text.matchAll(/"tokenString": "([^"]+)"/g)].map(([, token = '']) => token.split('.'))
    const named = cases.flatMap(([head = '', payload = '', signature = '']) => {
      const { iss } = JSON.parse(Buffer.from(payload, 'base64url').toString() || '{}') as { iss?: string }
      return iss === undefined ? [] : [{ signed: utf8(`${head}.${payload}`), iss, signature }]
    })
    const addresses = await Promise.all(
      named.map(async ({ signed, iss, signature }) => {
        const bytes = Buffer.from(signature, 'base64url')
        const keys = [0, 1].map((recovery) => secp256k1.recoverPublicKey(Uint8Array.from([recovery, ...bytes]), signed))
        return (await Promise.all(keys.map((key) => accountAddress(key, 'akash')))).includes(iss)
      }),
    )
    expect(addresses).toEqual([true, true])
  })
})
