import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/core/bytes.ts'
import { Context, createVerificationCache } from '../../src/core/context.ts'
import { type CoseProfile, decodeCoseSign1, isCoseSigned } from '../../src/core/cose.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { COSE, type CoseSign1Spec, cbor, coseSign1, ecKey } from '../../src/testing/index.ts'
import { codesOf, valueIn } from './support.ts'

const KEY = ecKey('P-384', 'cose')
const { cborArray, cborBytes, cborInt, cborMap, cborNull, cborTag, cborText } = cbor
const alg = (algorithm: number): readonly cbor.CborEntry[] => [[cborInt(COSE.alg), cborInt(algorithm)]]
const EITHER: CoseProfile = { algorithms: ['ES256', 'ES384'], tag: 'optional' }

const made = (change: Partial<CoseSign1Spec> = {}): Uint8Array =>
  coseSign1({
    protectedHeader: alg(COSE.ES384),
    unprotectedHeader: [],
    payload: Uint8Array.of(1, 2, 3),
    signer: KEY,
    externalAad: new Uint8Array(),
    isTagged: false,
    signature: (raw) => raw,
    ...change,
  })
const decode = (bytes: Uint8Array, profile = EITHER) => decodeCoseSign1(bytes, 'sign1', profile)
const codes = (change: Partial<CoseSign1Spec>, profile = EITHER) => codesOf(decode(made(change), profile))

describe('decodeCoseSign1', () => {
  it('reads a structure, tagged or not where the profile says so', () => {
    const sign1 = valueIn(decode(made()))
    expect(sign1).toMatchObject({ algorithm: 'ES384', payload: Uint8Array.of(1, 2, 3) })
    expect(sign1.signature.length).toBe(96)
    expect(valueIn(decode(made({ isTagged: true })))).toEqual(sign1)
    expect(codes({}, { ...EITHER, tag: 'required' })).toEqual(['COSE_MALFORMED'])
    expect(valueIn(decode(made({ isTagged: true }), { ...EITHER, tag: 'required' }))).toEqual(sign1)
  })

  it('takes the algorithms of the profile from the protected header alone', () => {
    expect(valueIn(decode(made({ protectedHeader: alg(COSE.ES256) }))).algorithm).toBe('ES256')
    const only: CoseProfile = { ...EITHER, algorithms: ['ES384'] }
    const wrong: Partial<CoseSign1Spec>[] = [
      { protectedHeader: alg(COSE.ES256) },
      { protectedHeader: alg(COSE.ES512) },
      { protectedHeader: alg(-37) },
      { protectedHeader: [] },
      { protectedHeader: [], unprotectedHeader: alg(COSE.ES384) },
      { unprotectedHeader: alg(COSE.ES384) },
      { protectedHeader: [[cborInt(COSE.alg), cborText('ES384')]] },
      { protectedHeader: [[cborText('alg'), cborInt(COSE.ES384)]] },
      { protectedHeader: [[cborInt(COSE.alg), cborNull]] },
    ]
    for (const change of wrong) expect(codes(change, only)).toEqual(['COSE_ALGORITHM'])
  })

  it('refuses every header but the algorithm', () => {
    const kid: cbor.CborEntry = [cborInt(COSE.kid), cborBytes(Uint8Array.of(1))]
    const crit: cbor.CborEntry = [cborInt(COSE.crit), cborArray(cborInt(COSE.alg))]
    for (const header of [kid, crit, [cborText('x'), cborInt(1)] as const]) {
      expect(codes({ protectedHeader: [...alg(COSE.ES384), header] })).toEqual(['COSE_HEADER_INVALID'])
      expect(codes({ unprotectedHeader: [header] })).toEqual(['COSE_HEADER_INVALID'])
    }
  })

  it.each([
    ['no array', cborInt(1)],
    ['three members', cborArray(cborBytes(new Uint8Array()), cborMap([]), cborNull)],
    [
      'a map as protected header',
      cborArray(cborMap([]), cborMap([]), cborBytes(new Uint8Array()), cborBytes(new Uint8Array())),
    ],
    ['bytes as unprotected header', cborArray(...[1, 2, 3, 4].map(() => cborBytes(new Uint8Array())))],
    [
      'a detached payload',
      cborArray(cborBytes(cborMap(alg(COSE.ES384))), cborMap([]), cborNull, cborBytes(new Uint8Array())),
    ],
    [
      'no signature',
      cborArray(cborBytes(cborMap(alg(COSE.ES384))), cborMap([]), cborBytes(new Uint8Array()), cborNull),
    ],
    [
      'an array in the protected header',
      cborArray(cborBytes(cborArray()), cborMap([]), cborBytes(new Uint8Array()), cborBytes(new Uint8Array())),
    ],
    ['two tags', cborTag(18, made({ isTagged: true }))],
  ])('refuses %s', (_, bytes) => {
    expect(codesOf(decode(bytes))).toEqual(['COSE_MALFORMED'])
  })

  it('refuses loose encodings of structure and header', () => {
    expect(codesOf(decode(concatBytes(made(), Uint8Array.of(0))))).toEqual(['CBOR_TRAILING_BYTES'])
    expect(codes({ protectedHeader: [...alg(COSE.ES384), ...alg(COSE.ES256)] })).toEqual(['CBOR_DUPLICATE_KEY'])
    expect(codesOf(decode(cborTag(17, made())))).toEqual(['CBOR_UNEXPECTED_ITEM'])
  })
})

describe('isCoseSigned', () => {
  const context = new Context({ now: 0, anchors: [], crypto: nodeCrypto, cache: createVerificationCache() })
  const signed = (change: Partial<CoseSign1Spec> = {}, spki = KEY.spki, externalAad = new Uint8Array()) =>
    isCoseSigned(context, 'evidence', valueIn(decode(made(change))), spki, externalAad)

  it('is true for the key that signed, over the external data that was signed', async () => {
    expect(await signed()).toBe(true)
    const aad = Uint8Array.of(9)
    expect(await signed({ externalAad: aad }, KEY.spki, aad)).toBe(true)
    const p256 = ecKey('P-256', 'cose')
    expect(await signed({ signer: p256, protectedHeader: alg(COSE.ES256) }, p256.spki)).toBe(true)
  })

  it('is false for anything else', async () => {
    expect(await signed({}, ecKey('P-384', 'other').spki)).toBe(false)
    expect(await signed({}, ecKey('P-256', 'cose').spki)).toBe(false)
    expect(await signed({ protectedHeader: alg(COSE.ES256) })).toBe(false)
    expect(await signed({ externalAad: Uint8Array.of(9) })).toBe(false)
    expect(await signed({}, KEY.spki, Uint8Array.of(9))).toBe(false)
    expect(await signed({ signature: (raw) => raw.subarray(1) })).toBe(false)
    expect(await signed({ signature: (raw) => concatBytes(raw, Uint8Array.of(0)) })).toBe(false)
    expect(await signed({ signature: () => KEY.sign(Uint8Array.of(1)) })).toBe(false)
    expect(await signed({ signature: (raw) => new Uint8Array(raw.length) })).toBe(false)
  })
})
