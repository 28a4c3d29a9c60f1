import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeCcaToken } from '../../../src/attestation/cca/index.ts'
import { decodeNitroDocument } from '../../../src/attestation/nitro/index.ts'
import { kindOf } from '../../../src/attestation/registry.ts'
import { concatBytes } from '../../../src/core/bytes.ts'
import { toHex } from '../../../src/core/encodings.ts'
import { LIMITS } from '../../../src/core/limits.ts'
import { ccaToken, nitroDocument } from '../../../src/testing/index.ts'
import { codesOf, valueIn } from '../../core/support.ts'
import { describeEvidence, evidence } from '../../support/evidence.ts'
import { SEED } from './support.ts'

const decode = (bytes: Uint8Array) => decodeNitroDocument(bytes, 'document')
const REAL = ['cert-debug', 'cert-nondebug', 'debug', 'ga-debug', 'valid'].map(
  (name) => `tpm-and-clouds/nitro-evervault-${name}/attestation.cbor`,
)

describe('decodeNitroDocument', () => {
  it('reads every member', () => {
    const made = nitroDocument(SEED, { nonce: Uint8Array.of(1), userData: new Uint8Array(1024), publicKey: null })
    const { value } = valueIn(decode(made.document))
    expect(value).toMatchObject({ nonce: Uint8Array.of(1), userData: new Uint8Array(1024), publicKey: undefined })
    expect([...value.pcrs.values()]).toEqual(made.pcrs)
    expect(value.certificate).toEqual(made.chain.leaf.der)
    expect(value.cabundle).toEqual(
      [made.chain.root, made.chain.region, made.chain.zone, made.chain.instance].map((c) => c.der),
    )
  })

  it('tells an empty nonce from none', () => {
    const nonceOf = (nonce: Uint8Array | null) => valueIn(decode(nitroDocument(SEED, { nonce }).document)).value.nonce
    expect([nonceOf(new Uint8Array()), nonceOf(null)]).toEqual([new Uint8Array(), undefined])
  })

  it('refuses more than evidence may have', () => {
    expect(codesOf(decode(new Uint8Array(LIMITS.evidenceBytes + 1)))).toEqual(['LIMIT_EVIDENCE_BYTES'])
  })

  it('is total over any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => decode(bytes).ok === false))
  })
})

describe('what bytes are', () => {
  const { document } = nitroDocument(SEED)
  const tagged = concatBytes(Uint8Array.of(0xd2), document)
  it('is seen by their form', () => {
    expect([document, tagged].map(kindOf)).toEqual(['aws/nitro', 'aws/nitro'])
    expect([ccaToken(SEED), ccaToken(SEED, { collection: 'legacy' })].map(({ token }) => kindOf(token))).toEqual(
      new Array(2).fill('arm/cca-token'),
    )
    expect([Uint8Array.of(0x84), document.subarray(1), new Uint8Array(64).fill(0x84)].map(kindOf)).toEqual(
      new Array(3).fill('unknown'),
    )
  })
})

describeEvidence('tpm-and-clouds', () => {
  // What the module really writes: definite lengths, shortest heads, members in an order of its own.
  it.each(REAL)('reads %s', (path) => {
    const bytes = evidence(path)
    expect(kindOf(bytes)).toBe('aws/nitro')
    const { value } = valueIn(decode(bytes))
    expect([...value.pcrs.keys()]).toEqual(Array.from({ length: 16 }, (_, i) => i))
    expect(value.cabundle).toHaveLength(4)
  })

  it.each(REAL)('refuses every truncation of %s', (path) => {
    const bytes = evidence(path)
    for (let n = 0; n < bytes.length; n++) {
      expect({ n, codes: codesOf(decode(bytes.subarray(0, n))) }).toEqual({ n, codes: ['LIMIT_CBOR'] })
    }
    expect(codesOf(decode(concatBytes(bytes, Uint8Array.of(0))))).toEqual(['CBOR_TRAILING_BYTES'])
  })

  it('refuses every truncation of a real CCA token', () => {
    const bytes = evidence('tpm-and-clouds/cca-veraison-good/token.cbor')
    for (let n = 0; n < bytes.length; n++) {
      expect({ n, codes: codesOf(decodeCcaToken(bytes.subarray(0, n), 'token')) }).toEqual({ n, codes: ['LIMIT_CBOR'] })
    }
  })

  it('keeps the bytes as they were signed', () => {
    const bytes = evidence(REAL[0] ?? '')
    const { sign1 } = valueIn(decode(bytes)).value
    expect(toHex(bytes)).toContain(toHex(sign1.payload))
    expect(toHex(sign1.protectedBytes)).toBe('a1013822')
  })
})
