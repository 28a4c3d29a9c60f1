import { coordinateBytes, ecdsaComponentsInRange } from '../../core/crypto/ecdsa.ts'
import type { SignatureAlgorithm } from '../../core/crypto/port.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'
import { ALG, algText, hashOf } from './algorithms.ts'
import { TpmReader } from './reader.ts'

export type Scheme = 'RSASSA' | 'RSAPSS' | 'ECDSA'
/** Hashes that a quote may be signed with. */
export type SignatureHash = 'sha256' | 'sha384' | 'sha512'

/** TPMT_SIGNATURE. */
export type TpmSignature =
  | { readonly scheme: 'RSASSA' | 'RSAPSS'; readonly hash: SignatureHash; readonly signature: Uint8Array }
  | { readonly scheme: 'ECDSA'; readonly hash: SignatureHash; readonly r: Uint8Array; readonly s: Uint8Array }

const SCHEMES: ReadonlyMap<number, Scheme> = new Map([
  [ALG.RSASSA, 'RSASSA'],
  [ALG.RSAPSS, 'RSAPSS'],
  [ALG.ECDSA, 'ECDSA'],
])

export const schemeOf = (id: number): Scheme | undefined => SCHEMES.get(id)

/**
 * Decodes a TPMT_SIGNATURE, without cryptography.
 * @returns the signature, or TPM_SIZE_MISMATCH · TPM_ALGORITHM_FORBIDDEN (HMAC, none, SHA-1, others)
 * @see TPM 2.0 Library Part 2 §11.3.4
 */
export function decodeSignature(bytes: Uint8Array, path: string): Outcome<TpmSignature> {
  return attempt((): TpmSignature => {
    const reader = new TpmReader(bytes, path)
    const algorithm = reader.u16('sigAlg')
    const scheme = SCHEMES.get(algorithm)
    if (scheme === undefined)
      return refuse('TPM_ALGORITHM_FORBIDDEN', `${path}.sigAlg`, {
        expected: 'RSASSA, RSAPSS or ECDSA',
        actual: algText(algorithm),
      })
    const hash = signatureHash(reader.u16('hash'), `${path}.hash`)
    if (scheme === 'ECDSA') {
      const r = reader.sized('r')
      const s = reader.sized('s')
      reader.end()
      return { scheme, hash, r, s }
    }
    const signature = reader.sized('signature')
    reader.end()
    return { scheme, hash, signature }
  })
}

/** Inside `attempt`; ends it with TPM_ALGORITHM_FORBIDDEN. */
export function signatureHash(id: number, path: string): SignatureHash {
  const name = hashOf(id)?.name
  if (name !== undefined && name !== 'sha1') return name
  return refuse('TPM_ALGORITHM_FORBIDDEN', path, { expected: 'sha256, sha384 or sha512', actual: name ?? algText(id) })
}

type Curve = Parameters<typeof coordinateBytes>[0]

/**
 * The signature as the cryptographic port takes it, for a key of this kind; undefined where no such key can have made it. PSS is
 * taken with a salt as long as the hash, which is what TPMs of the FIPS profile and libtpms use.
 */
export function portSignatureOf(
  of: TpmSignature,
  key: Curve | 'rsa',
): { readonly algorithm: SignatureAlgorithm; readonly signature: Uint8Array } | undefined {
  if (of.scheme === 'ECDSA') {
    if (key === 'rsa' || of.hash !== (key === 'P-256' ? 'sha256' : 'sha384')) return undefined
    const size = coordinateBytes(key)
    if (of.r.length > size || of.s.length > size) return undefined
    const signature = new Uint8Array(2 * size)
    signature.set(of.r, size - of.r.length)
    signature.set(of.s, 2 * size - of.s.length)
    if (!ecdsaComponentsInRange(key, signature)) return undefined
    return { algorithm: key === 'P-256' ? 'ES256' : 'ES384', signature }
  }
  if (key !== 'rsa' || of.hash === 'sha512') return undefined
  const bits = of.hash === 'sha256' ? '256' : '384'
  return { algorithm: of.scheme === 'RSASSA' ? `RS${bits}` : `PS${bits}`, signature: of.signature }
}
