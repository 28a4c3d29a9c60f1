import { describe, expect, it } from 'vitest'
import { decodeTdxQuote } from '../../../src/attestation/tdx/index.ts'
import { valueIn } from '../../core/support.ts'
import { faultCodes, quoteOf } from '../dcap/support.ts'

const TD_ATTRIBUTES = 48 + 120
const XFAM = 48 + 128

const withBit = (at: number, bit: number, set: boolean) =>
  quoteOf({
    edit: (signed) => {
      const index = at + (bit >> 3)
      const mask = 1 << (bit & 7)
      signed[index] = set ? (signed[index] ?? 0) | mask : (signed[index] ?? 0) & ~mask
    },
  })
const decodes = (bytes: Uint8Array) => faultCodes(decodeTdxQuote(bytes, 'quote'))
const every = Array.from({ length: 64 }, (_, bit) => bit)

describe('TDATTRIBUTES', () => {
  const meant = [0, 4, 5, 6, 16, 27, 28, 29, 30, 31, 62, 63]

  it('may have every bit set that has a meaning, and no other', () => {
    const taken = every.filter((bit) => decodes(withBit(TD_ATTRIBUTES, bit, true)).length === 0)
    expect(taken).toEqual(meant)
    for (const bit of every.filter((b) => !meant.includes(b))) {
      expect(decodes(withBit(TD_ATTRIBUTES, bit, true))).toEqual(['TDX_ATTRIBUTE_RESERVED_BIT'])
    }
  })

  it('is told bit by bit', () => {
    const NAMES = {
      0: 'debug',
      28: 'septVeDisable',
      29: 'migratable',
      30: 'pks',
      31: 'keyLocker',
      63: 'perfmon',
    } as const
    const none = {
      ...{ debug: false, septVeDisable: false, migratable: false, pks: false, keyLocker: false, perfmon: false },
      unknownBits: '0000000000000000',
    }
    for (const bit of meant) {
      const quote = quoteOf({
        edit: (signed) => {
          signed.fill(0, TD_ATTRIBUTES, XFAM)
          signed[TD_ATTRIBUTES + (bit >> 3)] = 1 << (bit & 7)
        },
      })
      const name = Object.entries(NAMES).find(([n]) => Number(n) === bit)?.[1]
      const expected =
        name === undefined ? { unknownBits: (1n << BigInt(bit)).toString(16).padStart(16, '0') } : { [name]: true }
      expect(valueIn(decodeTdxQuote(quote, 'quote')).value.tdAttributes).toEqual({ ...none, ...expected })
    }
  })
})

describe('XFAM', () => {
  it('may have every feature set that the TDX module knows, and no other bit', () => {
    const features = [0, 1, 2, 5, 6, 7, 8, 9, 11, 12, 14, 15, 17, 18]
    const taken = every.filter((bit) => decodes(withBit(XFAM, bit, true)).length === 0)
    expect(taken).toEqual(features)
    for (const bit of every.filter((b) => !features.includes(b))) {
      expect(decodes(withBit(XFAM, bit, true))).toEqual(['TDX_ATTRIBUTE_RESERVED_BIT'])
    }
  })

  it.each([0, 1])('has bit %i set in every TD', (bit) => {
    expect(decodes(withBit(XFAM, bit, false))).toEqual(['TDX_ATTRIBUTE_RESERVED_BIT'])
  })
})

describe('TD reports 1.5', () => {
  it('have the SVN of the loaded module and the service TDs; 1.0 has neither', () => {
    const edit = (signed: Uint8Array) => {
      signed.fill(3, signed.length - 64, signed.length - 48)
      signed.fill(4, signed.length - 48)
    }
    const decoded = valueIn(decodeTdxQuote(quoteOf({ version: 5, bodyType: 3, edit }), 'quote')).value
    expect(decoded.teeTcbSvn2).toEqual(new Uint8Array(16).fill(3))
    expect(decoded.mrServiceTd).toEqual(new Uint8Array(48).fill(4))
    const earlier = valueIn(decodeTdxQuote(quoteOf({ version: 5, bodyType: 2 }), 'quote')).value
    expect(earlier).toMatchObject({ teeTcbSvn2: undefined, mrServiceTd: undefined })
  })
})
