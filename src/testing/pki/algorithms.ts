import { integer, nul, oid, seq, tagged } from './der.ts'
import type { SignOptions, TestKey } from './keys.ts'

/** A signature algorithm: what the AlgorithmIdentifier says and how the bytes are made. The weak ones exist to be refused. */
export type SignatureSpec =
  | {
      readonly kind:
        | 'ecdsa-sha384'
        | 'ecdsa-sha256'
        | 'ecdsa-sha1'
        | 'rsa-pkcs1-sha384'
        | 'rsa-pkcs1-sha256'
        | 'rsa-sha1'
        | 'rsa-md5'
    }
  | {
      readonly kind: 'rsa-pss-sha384'
      /** Default 48. */
      readonly saltLength?: number
      /** AMD spelled the default trailer out until 2024 and omits it since; both spellings are met. Default `explicit`. */
      readonly trailerField?: 'explicit' | 'absent'
    }

const SHA384 = '2.16.840.1.101.3.4.2.2'

const PLAIN = {
  'ecdsa-sha384': { oid: '1.2.840.10045.4.3.3', null: false, sign: { scheme: 'ecdsa', hash: 'sha384' } },
  'ecdsa-sha256': { oid: '1.2.840.10045.4.3.2', null: false, sign: { scheme: 'ecdsa', hash: 'sha256' } },
  'ecdsa-sha1': { oid: '1.2.840.10045.4.1', null: false, sign: { scheme: 'ecdsa', hash: 'sha1' } },
  'rsa-pkcs1-sha384': { oid: '1.2.840.113549.1.1.12', null: true, sign: { scheme: 'pkcs1', hash: 'sha384' } },
  'rsa-pkcs1-sha256': { oid: '1.2.840.113549.1.1.11', null: true, sign: { scheme: 'pkcs1', hash: 'sha256' } },
  'rsa-sha1': { oid: '1.2.840.113549.1.1.5', null: true, sign: { scheme: 'pkcs1', hash: 'sha1' } },
  'rsa-md5': { oid: '1.2.840.113549.1.1.4', null: true, sign: { scheme: 'pkcs1', hash: 'md5' } },
} as const satisfies Record<string, { oid: string; null: boolean; sign: SignOptions }>

/** AlgorithmIdentifier of a signature, DER (RFC 5758, RFC 4055). */
export function algorithmIdentifier(spec: SignatureSpec): Uint8Array {
  if (spec.kind !== 'rsa-pss-sha384') {
    const plain = PLAIN[spec.kind]
    return plain.null ? seq(oid(plain.oid), nul()) : seq(oid(plain.oid))
  }
  const sha384 = seq(oid(SHA384), nul())
  const parameters = [
    tagged(0, sha384),
    tagged(1, seq(oid('1.2.840.113549.1.1.8'), sha384)),
    tagged(2, integer(spec.saltLength ?? 48)),
  ]
  if (spec.trailerField !== 'absent') parameters.push(tagged(3, integer(1)))
  return seq(oid('1.2.840.113549.1.1.10'), seq(...parameters))
}

/** The algorithm that suits a key when nothing else is asked for. */
export function usualAlgorithm(key: TestKey): SignatureSpec {
  if (key.kind === 'P-256') return { kind: 'ecdsa-sha256' }
  return key.kind === 'P-384' ? { kind: 'ecdsa-sha384' } : { kind: 'rsa-pss-sha384' }
}

/** Signature over `message` with the hash, padding and salt length that `spec` names. */
export function signWith(key: TestKey, spec: SignatureSpec, message: Uint8Array): Uint8Array {
  if (spec.kind !== 'rsa-pss-sha384') return key.sign(message, PLAIN[spec.kind].sign)
  return key.sign(message, { scheme: 'pss', hash: 'sha384', saltLength: spec.saltLength ?? 48 })
}
