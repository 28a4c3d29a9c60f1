import { describe, expect, it } from 'vitest'
import { SGX_REPORT_BODY } from '../../../src/attestation/dcap/quote-layout.ts'
import { decodeSgxQuote } from '../../../src/attestation/sgx/index.ts'
import { valueIn } from '../../core/support.ts'
import { faultCodes, quoteOf } from '../dcap/support.ts'

const BODY = 48
const withByte = (offset: number, value: number, flags = 0x05) =>
  quoteOf({
    tee: 'SGX',
    edit: (signed) => {
      signed[BODY + offset] = value
      if (offset !== 48) signed[BODY + 48] = flags
    },
  })
const codes = (bytes: Uint8Array) => faultCodes(decodeSgxQuote(bytes, 'quote'))

describe('the report of an enclave', () => {
  it('has every reserved byte zero', () => {
    const reserved = SGX_REPORT_BODY.ordered.filter(([, field]) => field.kind === 'zero')
    expect(reserved.map(([, { sizeBytes }]) => sizeBytes)).toEqual([12, 32, 32, 42])
    for (const [, { offset, sizeBytes }] of reserved) {
      for (let at = offset; at < offset + sizeBytes; at++) {
        expect([at, codes(withByte(at, 0x80, 0x85))]).toEqual([at, ['SGX_RESERVED_NOT_ZERO']])
      }
    }
  })

  it.each(['isvExtProdId', 'configId', 'configSvn', 'isvFamilyId'] as const)('has %s with KSS only', (field) => {
    const { offset, sizeBytes } = SGX_REPORT_BODY.fields[field]
    for (let at = offset; at < offset + sizeBytes; at++) {
      expect(codes(withByte(at, 1))).toEqual(['SGX_RESERVED_NOT_ZERO'])
      expect(codes(withByte(at, 1, 0x85))).toEqual([])
    }
  })

  it('has every attribute that is defined, and no other', () => {
    const defined = [1, 2, 4, 5, 6, 7, 10]
    for (let bit = 1; bit < 64; bit++) {
      const edited = withByte(48 + (bit >> 3), (1 << (bit & 7)) | (bit < 8 ? 0x05 : 0))
      expect([bit, codes(edited)]).toEqual([bit, defined.includes(bit) ? [] : ['SGX_RESERVED_NOT_ZERO']])
    }
  })

  it('is of an enclave that was initialised', () => {
    expect(codes(withByte(48, 0x04))).toEqual(['SGX_FORMAT_INVALID'])
  })

  it.each([
    ['debug', 0x02],
    ['provisionKey', 0x10],
    ['einitTokenKey', 0x20],
    ['kss', 0x80],
  ] as const)('tells %s', (flag, bit) => {
    const flags = { debug: false, provisionKey: false, einitTokenKey: false, kss: false }
    const decoded = valueIn(decodeSgxQuote(withByte(48, 0x05 | bit), 'quote')).value
    expect(decoded).toMatchObject({ ...flags, [flag]: true })
  })
})
