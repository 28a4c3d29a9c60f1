import { generateKeyPairSync } from 'node:crypto'
import { p384 } from '@noble/curves/nist.js'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../src/core/bytes.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import type { HashName, SignatureAlgorithm } from '../../../src/core/crypto/port.ts'
import { webCrypto } from '../../../src/core/crypto/web.ts'
import { decodeDer } from '../../../src/core/der.ts'
import { attempt } from '../../../src/core/outcome.ts'
import { decodePublicKey } from '../../../src/core/x509/algorithms.ts'
import { bits, oid, seq } from '../../../src/testing/pki/der.ts'
import { ecKey, rsaKey } from '../../../src/testing/pki/keys.ts'
import { ecSpki, explicitEcSpki, rsaSpki, subjectPublicKey } from '../../../src/testing/pki/spki.ts'

const PORTS = [nodeCrypto, webCrypto(globalThis.crypto.subtle)]
const MESSAGE = new TextEncoder().encode('the same message')

/** `printf same | sha1sum`, and so on. */
const DIGESTS = [
  'ff3390557335ba88d37755e41514beb03bc499ec',
  '0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5',
  '41bc0ed0166db8d98d00740c9605b202d0950dd5b629889f2b524fe8c48231b16a2369f52d82c63a8b94edf3f6922e0c',
  'd4d63b3d987d8ff9ab7cb34597a0029423014ebfc7ccb1ba563f0ea0819c3484eb6bf83963c088885184a3add93472ab7c36d61f6ea54a787d895edfec4b1a4c',
]

const P256 = ecKey('P-256', 'ports')
const P384 = ecKey('P-384', 'ports')
const RSA = rsaKey('ark-genoa')
const SMALL = rsaKey('small-2048')

const GOOD: readonly (readonly [SignatureAlgorithm, Uint8Array, Uint8Array])[] = [
  ['ES256', P256.spki, P256.signRaw(MESSAGE)],
  ['ES384', P384.spki, P384.signRaw(MESSAGE)],
  ['PS384', RSA.spki, RSA.sign(MESSAGE)],
  ['PS384', SMALL.spki, SMALL.sign(MESSAGE)],
  ['PS256', SMALL.spki, SMALL.sign(MESSAGE, { hash: 'sha256' })],
  ['RS256', SMALL.spki, SMALL.sign(MESSAGE, { scheme: 'pkcs1', hash: 'sha256' })],
  ['RS384', RSA.spki, RSA.sign(MESSAGE, { scheme: 'pkcs1', hash: 'sha384' })],
]

describe.each(PORTS)('$name', (port) => {
  it('knows a key by its bytes, in whatever array, and after hundreds of others', async () => {
    const signature = P256.signRaw(MESSAGE)
    const other = ecKey('P-256', 'ports/other').spki
    for (let i = 0; i < 300; i++) {
      const madeUp = P256.spki.with(-1, i).with(-2, i >> 8)
      const isSame = madeUp.every((byte, at) => byte === P256.spki[at])
      expect(await port.verify('ES256', madeUp, MESSAGE, signature)).toBe(isSame)
    }
    expect(await port.verify('ES256', P256.spki.slice(), MESSAGE, signature)).toBe(true)
    expect(await port.verify('ES256', other.slice(), MESSAGE, signature)).toBe(false)
    expect(await port.verify('ES384', P256.spki.slice(), MESSAGE, signature)).toBe(false)
  })

  it('enciphers one block of AES-128', async () => {
    const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
    // FIPS 197, appendix C.1
    const key = hex('000102030405060708090a0b0c0d0e0f')
    const block = await port.aesBlock(key, hex('00112233445566778899aabbccddeeff'))
    expect(Buffer.from(block).toString('hex')).toBe('69c4e0d86a7b0430d8cdb78070b4c55a')
    await expect(port.aesBlock(key.subarray(1), block)).rejects.toThrow(TypeError)
    await expect(port.aesBlock(key, block.subarray(1))).rejects.toThrow(TypeError)
  })

  it('digests', async () => {
    const of = async (name: HashName) => Buffer.from(await port.digest(name, MESSAGE.subarray(4, 8))).toString('hex')
    expect(await Promise.all((['sha1', 'sha256', 'sha384', 'sha512'] as const).map(of))).toEqual([...DIGESTS])
  })

  it.each(GOOD)('%s: accepts the signature, and no other', async (algorithm, spki, signature) => {
    expect(await port.verify(algorithm, spki, MESSAGE, signature)).toBe(true)
    expect(await port.verify(algorithm, spki.slice(), MESSAGE.slice(), signature.slice())).toBe(true)
    const padded = concatBytes(Uint8Array.of(9), signature, Uint8Array.of(9))
    expect(await port.verify(algorithm, spki, MESSAGE, padded.subarray(1, -1))).toBe(true)
    for (let bit = 0; bit < 8; bit++) {
      for (const at of [0, signature.length >> 1, signature.length - 1]) {
        const bent = signature.slice()
        bent[at] = (bent[at] ?? 0) ^ (1 << bit)
        expect(await port.verify(algorithm, spki, MESSAGE, bent)).toBe(false)
      }
    }
    expect(await port.verify(algorithm, spki, MESSAGE.subarray(1), signature)).toBe(false)
    expect(await port.verify(algorithm, spki, new Uint8Array(), signature)).toBe(false)
  })

  it.each(GOOD)('%s: answers false to a signature of another length', async (algorithm, spki, signature) => {
    for (const other of [
      ...[new Uint8Array(), signature.subarray(1), signature.subarray(0, -1), concatBytes(Uint8Array.of(0), signature)],
      ...[concatBytes(signature, Uint8Array.of(0)), new Uint8Array(signature.length), new Uint8Array(100_000)],
      new Uint8Array(signature.length).fill(0xff),
    ]) {
      expect(await port.verify(algorithm, spki, MESSAGE, other)).toBe(false)
    }
  })

  it('answers false for a key of another kind', async () => {
    const keys = [P256.spki, P384.spki, RSA.spki]
    for (const [algorithm, own, signature] of GOOD) {
      for (const spki of keys.filter((k) => k !== own)) {
        expect(await port.verify(algorithm, spki, MESSAGE, signature)).toBe(false)
      }
    }
  })

  it('takes no DER signature where r and s are asked for', async () => {
    expect(await port.verify('ES384', P384.spki, MESSAGE, P384.sign(MESSAGE))).toBe(false)
  })

  it('fixes the hash, the padding and the salt', async () => {
    for (const signature of [
      RSA.sign(MESSAGE, { saltLength: 0 }),
      RSA.sign(MESSAGE, { saltLength: 32 }),
      RSA.sign(MESSAGE, { saltLength: 47 }),
      RSA.sign(MESSAGE, { saltLength: 49 }),
      RSA.sign(MESSAGE, { hash: 'sha256', saltLength: 48 }),
      RSA.sign(MESSAGE, { scheme: 'pkcs1', hash: 'sha384' }),
    ]) {
      expect(await port.verify('PS384', RSA.spki, MESSAGE, signature)).toBe(false)
    }
    expect(await port.verify('ES384', P384.spki, MESSAGE, P384.signRaw(MESSAGE, 'sha256'))).toBe(false)
  })

  it.each(unusableKeys())('answers false, and does not throw, for %s', async (_what, spki) => {
    for (const [algorithm, , signature] of GOOD) {
      expect(await port.verify(algorithm, spki, MESSAGE, signature)).toBe(false)
      expect(await port.verify(algorithm, spki, MESSAGE, signature)).toBe(false) // the second answer comes from what was kept
    }
  })

  it('answers the same from many callers at once', async () => {
    const asked = Array.from({ length: 40 }, (_, i) => GOOD[i % GOOD.length] ?? GOOD[0]).filter((g) => g !== undefined)
    const answers = await Promise.all(
      asked.map(([algorithm, spki, signature], i) =>
        port.verify(algorithm, spki, i % 3 === 0 ? MESSAGE : MESSAGE.subarray(1), signature),
      ),
    )
    expect(answers).toEqual(asked.map((_, i) => i % 3 === 0))
  })
})

function unusableKeys(): [string, Uint8Array][] {
  const point = P384.publicPoint ?? new Uint8Array()
  const off = point.slice()
  off[96] = (off[96] ?? 0) ^ 1
  return [
    ['no bytes', new Uint8Array()],
    ['bytes that are no key', Uint8Array.of(1, 2, 3)],
    ['a truncated key', P384.spki.subarray(0, -1)],
    ['a point off the curve', ecSpki('P-384', off)],
    ['the neutral element', ecSpki('P-384', Uint8Array.of(0))],
    ['a point of the other curve', ecSpki('P-384', P256.publicPoint ?? new Uint8Array())],
    ['an unknown curve', seq(seq(oid('1.2.840.10045.2.1'), oid('1.2.3.4')), bits(point))],
    ['an unknown algorithm', seq(seq(oid('1.2.3.4')), bits(point))],
    [
      'an Ed25519 key',
      new Uint8Array(generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' })),
    ],
    ['an RSA key of modulus 0', rsaSpki(Uint8Array.of(0), Uint8Array.of(3))],
    ['an RSA key of 512 bits', rsaSpki(new Uint8Array(64).fill(0xc5), Uint8Array.of(1, 0, 1))],
    ['an RSA key of exponent 1', rsaSpki(new Uint8Array(512).fill(0xc5), Uint8Array.of(1))],
    ['an RSASSA-PSS key', seq(seq(oid('1.2.840.113549.1.1.10')), bits(subjectPublicKey(RSA.spki)))],
  ]
}

describe('keys in another form than the one that certificates use', () => {
  const { p, n, a, b, Gx, Gy } = { ...p384.Point.CURVE(), ...{ Gx: p384.Point.BASE.x, Gy: p384.Point.BASE.y } }
  const wide = (x: bigint) => new Uint8Array(Buffer.from(x.toString(16).padStart(96, '0'), 'hex'))
  const point = P384.publicPoint ?? new Uint8Array()
  const explicit = explicitEcSpki(
    { p: wide(p), a: wide(a), b: wide(b), generator: concatBytes(Uint8Array.of(4), wide(Gx), wide(Gy)), n: wide(n) },
    point,
  )
  const compressed = ecSpki('P-384', new Uint8Array(p384.Point.fromBytes(point).toBytes(true)))

  it('are refused there, and by every port, on every Node', async () => {
    const refusal = (spki: Uint8Array) => {
      const der = decodeDer(spki, 'k')
      return der.ok ? attempt(() => decodePublicKey(der.value, 'k')) : der
    }
    expect(refusal(explicit)).toMatchObject({ faults: [{ code: 'X509_KEY_UNSUPPORTED' }] })
    expect(refusal(compressed)).toMatchObject({ faults: [{ code: 'X509_KEY_INVALID' }] })
    expect(refusal(P384.spki).ok).toBe(true)
    for (const spki of [explicit, compressed]) {
      const answers = await Promise.all(PORTS.map((port) => port.verify('ES384', spki, MESSAGE, P384.signRaw(MESSAGE))))
      expect(answers).toEqual([false, false])
    }
  })
})
