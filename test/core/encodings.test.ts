import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromBase64, fromBase64url, fromHex, fromUtf8, toBase64, toBase64url, toHex } from '../../src/core/encodings.ts'
import { codesOf, valueIn } from './support.ts'

const anyBytes = fc.uint8Array({ maxLength: 100 })

describe('hexadecimal', () => {
  it('comes back from its spelling', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
        expect(valueIn(fromHex(toHex(bytes), bytes.length, 'h'))).toEqual(bytes)
      }),
    )
  })

  it('accepts no text but that one', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'09afAFgx -:\n\0é'), maxLength: 8 }),
        fc.nat(4),
        (text, size) => {
          const outcome = fromHex(text, size, 'h')
          const canonical = text.length === 2 * size && Buffer.from(text, 'hex').toString('hex') === text
          if (canonical) expect(toHex(valueIn(outcome))).toBe(text)
          else expect(codesOf(outcome)).toEqual(['HEX_NOT_CANONICAL'])
        },
      ),
      { numRuns: 2000 },
    )
  })

  it.each(['AB', '0xab', 'ab\n', ' ab', 'a', 'abc', 'abcd', 'a:b', 'ab ', 'ａb', ''])(
    'refuses %j for one byte',
    (text) => {
      expect(codesOf(fromHex(text, 1, 'h'))).toEqual(['HEX_NOT_CANONICAL'])
    },
  )
})

describe('base64', () => {
  it('comes back from its spelling', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
        expect(valueIn(fromBase64(toBase64(bytes), 'b'))).toEqual(bytes)
      }),
    )
  })

  it('accepts no text but that one', () => {
    const text = fc.string({ unit: fc.constantFrom(...'AQgw/+-_=Zé \n\0'), maxLength: 12 })
    fc.assert(
      fc.property(text, (t) => {
        const outcome = fromBase64(t, 'b')
        if (outcome.ok) expect(Buffer.from(outcome.value).toString('base64')).toBe(t)
        else {
          expect(codesOf(outcome)).toEqual(['ENV_BASE64_NOT_CANONICAL'])
          expect(Buffer.from(t, 'base64').toString('base64')).not.toBe(t)
        }
      }),
      { numRuns: 5000 },
    )
  })

  it('refuses each of the other 15 or 3 spellings of the last bits', () => {
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
    const accepted = (tail: (digit: string) => string) => [...digits].filter((d) => fromBase64(tail(d), 'b').ok)
    expect(accepted((d) => `A${d}==`)).toEqual(['A', 'Q', 'g', 'w'])
    expect(accepted((d) => `AA${d}=`)).toEqual([...'AEIMQUYcgkosw048'])
  })

  it.each([
    ['unpadded', 'QQ'],
    ['short of one sign', 'QQ='],
    ['with a sign too many', 'QUI=='],
    ['only padding', '===='],
    ['one digit', 'Q==='],
    ['padding in the middle', 'QQ==QQ=='],
    ['padding then digits', 'Q=Q='],
    ['of the url alphabet', '-_-_'],
    ['with a line feed', 'QUJD\nQUJD'],
    ['with a final line feed', 'QUJD\n'],
    ['with a space', 'QUJ DQU=='],
    ['with a NUL', 'QUJ\0'],
    ['beyond ASCII', 'QUJé'],
    ['with half a surrogate pair', 'QUJ\ud800'],
    ['beyond the sextet table', 'QUJ\u2041'],
  ])('refuses a text %s', (_what, text) => {
    expect(codesOf(fromBase64(text, 'b'))).toEqual(['ENV_BASE64_NOT_CANONICAL'])
  })

  it('reads texts of any length, and none of them has a part of the one before', () => {
    const sizes = fc.array(fc.oneof(fc.nat(100), fc.integer({ min: 49_000, max: 49_300 }), fc.nat(100_000)), {
      maxLength: 4,
    })
    fc.assert(
      fc.property(sizes, fc.nat(255), (lengths, seed) => {
        const all = lengths.map((n, i) => Uint8Array.from({ length: n }, (_, at) => (seed + i + at * 7) & 0xff))
        const read = all.map((bytes) => valueIn(fromBase64(toBase64(bytes), 'b')))
        // Only now, so that one result cannot be another's memory.
        for (const [i, bytes] of all.entries()) expect(Buffer.from(read[i] ?? []).equals(bytes)).toBe(true)
      }),
      { numRuns: 40 },
    )
  })

  it.each([0, 1, 30_000, 65_533, 65_536, 90_000])('refuses a wrong sign at %i, whatever stood there before', (at) => {
    const text = 'QUJD'.repeat(25_000)
    valueIn(fromBase64(text, 'b'))
    for (const wrong of ['\n', '=', 'é', '\ud800', '-']) {
      const outcome = fromBase64(`${text.slice(0, at)}${wrong}${text.slice(at + 1)}`, 'b')
      expect(codesOf(outcome)).toEqual(['ENV_BASE64_NOT_CANONICAL'])
    }
  })

  it('reads the empty text as no bytes', () => {
    expect(valueIn(fromBase64('', 'b')).length).toBe(0)
  })
})

describe('base64url', () => {
  it('comes back from its spelling, which is that of Node', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(toBase64url(bytes)).toBe(Buffer.from(bytes).toString('base64url'))
        expect(fromBase64url(toBase64url(bytes))).toEqual(bytes)
      }),
    )
  })

  it.each(['A', 'AB', 'AA==', 'AA+A', 'AA/A', 'AA A', 'AAAAA', '\n'])('refuses %j', (text) => {
    expect(fromBase64url(text)).toBeUndefined()
  })
})

describe('UTF-8', () => {
  it('comes back from its encoding', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        fc.pre(!text.startsWith('\ufeff'))
        expect(valueIn(fromUtf8(new TextEncoder().encode(text), 'u'))).toBe(text)
      }),
    )
  })

  it('reads every byte string as Node reads it, or refuses it', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const outcome = fromUtf8(bytes, 'u')
        if (outcome.ok) expect(new TextEncoder().encode(outcome.value)).toEqual(bytes)
        else expect(codesOf(outcome)).toEqual(['UTF8_INVALID'])
      }),
    )
  })

  it.each([
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x41]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong NUL', [0xe0, 0x80, 0x80]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a lone continuation', [0x41, 0x80]],
    ['a cut sequence', [0xe2, 0x82]],
    ['UTF-16', [0xff, 0xfe, 0x41, 0x00]],
  ])('refuses %s', (_what, bytes) => {
    expect(codesOf(fromUtf8(Uint8Array.from(bytes), 'u'))).toEqual(['UTF8_INVALID'])
  })

  it('keeps a byte order mark that is not at the start', () => {
    expect(valueIn(fromUtf8(Uint8Array.of(0x41, 0xef, 0xbb, 0xbf), 'u'))).toBe('A\ufeff')
  })
})
