import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/core/limits.ts'
import { decodePem, looksLikePem } from '../../src/core/pem.ts'
import { pem } from '../../src/testing/pki/pem.ts'
import { codesOf, hex, valueIn } from './support.ts'

const DER = hex('3003020101')
const ONE = pem(DER)
const decode = (text: string) => decodePem(new Uint8Array(Buffer.from(text, 'latin1')), 'p')
const ders = (text: string) => valueIn(decode(text)).map((b) => Buffer.from(b.der).toString('hex'))

describe('decodePem', () => {
  it('gives the blocks in order with their labels', () => {
    expect(valueIn(decode(pem(DER) + pem(hex('0500'), 'X509 CRL')))).toEqual([
      { label: 'CERTIFICATE', der: DER },
      { label: 'X509 CRL', der: hex('0500') },
    ])
  })

  it('reads back whatever was written', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { minLength: 1, maxLength: 4 }),
        (parts) => {
          expect(valueIn(decode(pem(parts))).map((b) => b.der)).toEqual(parts)
        },
      ),
    )
  })

  it.each([
    ['without a final line feed', ONE.trimEnd()],
    ['with CR LF', ONE.replaceAll('\n', '\r\n')],
    ['in one line', `-----BEGIN CERTIFICATE-----\n${Buffer.from(DER).toString('base64')}\n-----END CERTIFICATE-----`],
    ['with empty lines around it', `\n\n${ONE}\n\n`],
  ])('reads a block %s', (_what, text) => {
    expect(ders(text)).toEqual(['3003020101'])
  })

  it('reads a block of the longest permitted file', () => {
    const text = pem(new Uint8Array(48_000))
    expect(text.length).toBeLessThan(LIMITS.evidenceBytes)
    expect(valueIn(decode(text))[0]?.der.length).toBe(48_000)
    expect(codesOf(decode(pem(new Uint8Array(49_000))))).toEqual(['LIMIT_EVIDENCE_BYTES'])
  })

  // RJ-X5-27: text between blocks; byte order mark; the second block where one is wanted shows in the list, see below.
  it.each([
    ['nothing', ''],
    ['only line feeds', '\n\n'],
    ['a byte order mark', `\xef\xbb\xbf${ONE}`],
    ['text before the block', `subject=CN\n${ONE}`],
    ['text between blocks', `${ONE}some text\n${ONE}`],
    ['text after the block', `${ONE}some text\n`],
    ['a space before the block', ` ${ONE}`],
    ['a space after a line', ONE.replace('=\n', '= \n')],
    ['a NUL at the end', `${ONE}\0`],
    ['a carriage return alone', ONE.replaceAll('\n', '\r')],
    ['a header', ONE.replace('-----\n', '-----\nProc-Type: 4,ENCRYPTED\n\n')],
    ['another label at the end', ONE.replace('END CERTIFICATE', 'END X509 CRL')],
    ['no end', ONE.slice(0, ONE.indexOf('-----END'))],
    ['no begin', ONE.slice(ONE.indexOf('\n') + 1)],
    ['no body', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'],
    ['an empty body', '-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n'],
    ['four dashes', ONE.replace('-----BEGIN', '----BEGIN')],
    ['a label in lower case', ONE.replaceAll('CERTIFICATE', 'certificate')],
    ['a block inside a block', ONE.replace('-----\n', `-----\n${ONE}`)],
    ['begin and body in one line', ONE.replace('-----\n', '-----')],
    ['url-safe base64', ONE.replace(/MA/, '-_')],
  ])('refuses %s with PEM_INVALID', (_what, text) => {
    expect(codesOf(decode(text))).toEqual(['PEM_INVALID'])
  })

  it.each([
    ['a digit missing', ONE.replace('MAMC', 'MAM')],
    ['bits left over', ONE.replace('AQE=', 'AQF=')],
    ['padding in the middle', ONE.replace('MAMC', 'MA==\nMAMC')],
  ])('refuses a body with %s as not canonical', (_what, text) => {
    expect(text).not.toBe(ONE)
    expect(codesOf(decode(text))).toEqual(['ENV_BASE64_NOT_CANONICAL'])
  })

  it('names the block that is wrong', () => {
    expect(decode(`${ONE}x`)).toMatchObject({ faults: [{ path: 'p[1]', actual: 'x' }] })
  })

  it('shows a second block as a second block, never as part of the first', () => {
    expect(ders(ONE)).toHaveLength(1)
    expect(ders(ONE + ONE)).toHaveLength(2)
  })

  it('takes time linear in the text', () => {
    const start = performance.now()
    for (const text of [
      `-----BEGIN CERTIFICATE-----\n${'\n'.repeat(65_000)}`,
      `-----BEGIN CERTIFICATE-----\n${'A\n'.repeat(32_000)}`,
      '-----BEGIN '.repeat(5900),
      `-----BEGIN ${'A '.repeat(32_000)}`,
      '\r\n'.repeat(32_000),
      `-----BEGIN A-----\nAA==\n-----END A-----\n`.repeat(1600),
    ]) {
      expect(text.length).toBeLessThanOrEqual(LIMITS.evidenceBytes)
      decode(text)
    }
    expect(performance.now() - start).toBeLessThan(2000)
  })
})

describe('looksLikePem', () => {
  it('goes by the first line', () => {
    const looks = (text: string) => looksLikePem(new Uint8Array(Buffer.from(text, 'latin1')))
    for (const pem of [ONE, `\r\n ${ONE}`, `\xef\xbb\xbf${ONE}`]) expect(looks(pem)).toBe(true)
    for (const other of ['0\x82', '', 'x-----BEGIN A-----', '\xef\xbb\xbf']) expect(looks(other)).toBe(false)
  })
})
