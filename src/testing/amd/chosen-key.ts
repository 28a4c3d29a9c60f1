import { createHash } from 'node:crypto'
import { p384 } from '@noble/curves/nist.js'
import { equalBytes } from '../../core/bytes.ts'
import { integer, seq } from '../pki/der.ts'
import type { TestKey } from '../pki/keys.ts'
import { ecSpki } from '../pki/spki.ts'

/**
 * A P-384 public key made to fit a signature (r, s) over `message` whose r and s are small: r + n and s + n still fit in
 * 48 bytes, which no honest signature has, so a verifier that reduces instead of checking the range can be caught.
 * Nobody knows the private key; the returned key signs `message` and throws for any other.
 */
export function chosenKey(message: Uint8Array): TestKey {
  const { Fn, BASE } = p384.Point
  const digest = createHash('sha384').update(message).digest()
  const r = smallAbscissa(digest)
  const s = BigInt(`0x${digest.subarray(24, 46).toString('hex')}`) + 1n
  const z = Fn.create(BigInt(`0x${digest.toString('hex')}`))
  const nonce = liftX(r)
  // s·R = z·G + r·Q, solved for Q
  const sum = nonce.multiply(s).subtract(BASE.multiply(z))
  const publicPoint = new Uint8Array(sum.multiply(Fn.inv(r)).toBytes(false))
  const rawSignature = Uint8Array.of(...Fn.toBytes(r), ...Fn.toBytes(s))
  const signRaw = (given: Uint8Array, hash: 'sha256' | 'sha384' = 'sha384'): Uint8Array => {
    if (hash !== 'sha384' || !equalBytes(given, message)) throw new TypeError('a chosen key signs its one message only')
    return Uint8Array.from(rawSignature)
  }
  return {
    kind: 'P-384',
    spki: ecSpki('P-384', publicPoint),
    publicPoint,
    signRaw,
    sign: (given) => {
      const raw = signRaw(given)
      return seq(integer(raw.subarray(0, 48)), integer(raw.subarray(48)))
    },
  }
}

/** An x below 2^177 that lies on the curve, chosen by the digest. */
function smallAbscissa(digest: Buffer): bigint {
  for (let x = BigInt(`0x${digest.subarray(0, 22).toString('hex')}`) + 1n; ; x++) if (isOnCurve(x)) return x
}

function isOnCurve(x: bigint): boolean {
  const { Fp } = p384.Point
  const { a, b } = p384.Point.CURVE()
  const square = Fp.add(Fp.mul(Fp.add(Fp.sqr(x), a), x), b)
  return Fp.pow(square, (Fp.ORDER - 1n) / 2n) === 1n
}

const liftX = (x: bigint) => p384.Point.fromHex(`02${x.toString(16).padStart(96, '0')}`)
