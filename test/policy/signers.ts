import { CompactSign, exportJWK, generateKeyPair, importJWK } from 'jose'
import { createVerificationCache } from '../../src/core/context.ts'
import { type AuthenticReferenceValue, authenticateReferenceValue, type SignerKey } from '../../src/policy/index.ts'
import { DIGEST, type Json } from './support.ts'

export interface TestSigner {
  readonly key: SignerKey
  readonly alg: string
  sign(payload: unknown, header?: Json): Promise<string>
}

/** A signer with a key of its own. Keys differ from run to run; nothing that is tested depends on which. */
export async function newSigner(kid: string, alg: 'ES256' | 'ES384' | 'EdDSA' = 'ES256'): Promise<TestSigner> {
  const pair = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(pair.publicKey)
  const secret = await importJWK(await exportJWK(pair.privateKey), alg)
  const { kty, crv, x, y } = jwk
  const key = (kty === 'OKP' ? { kid, kty, crv, x } : { kid, kty, crv, x, y }) as SignerKey
  return {
    key,
    alg,
    sign(payload, header = {}) {
      const bytes = new TextEncoder().encode(typeof payload === 'string' ? payload : JSON.stringify(payload))
      const members = { alg, kid, typ: 'vouchsafe-reference-value+jws', ...header }
      return new CompactSign(bytes).setProtectedHeader(members as { alg: string }).sign(secret)
    },
  }
}

/** In force from 2026-05-01 to 2026-07-01. */
export const PAYLOAD = {
  version: 1,
  name: 'inference-guest 3.28',
  kind: 'amd/snp-report',
  measurements: [DIGEST],
  guarantees: ['workload-pinned', 'gpu-local'],
  notBefore: '2026-05-01T00:00:00Z',
  expires: '2026-07-01T00:00:00Z',
}

export async function referenceValue(signer: TestSigner, change: Json = {}): Promise<AuthenticReferenceValue> {
  const jws = await signer.sign({ ...PAYLOAD, ...change })
  const value = await authenticateReferenceValue(jws, [signer.key], createVerificationCache(), 'rv')
  if (!value.ok) throw new Error(JSON.stringify(value.faults))
  return value.value
}
