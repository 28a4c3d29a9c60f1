import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, isJsonObject, type Json, parseJson, pointer } from '../../src/core/json.ts'
import { LIMITS } from '../../src/core/limits.ts'
import { codesOf, valueIn } from './support.ts'

const parsed = (text: string): Json => valueIn(parseJson(text, ''))
const refusal = (text: string) => codesOf(parseJson(text, ''))

/** The same value with ordinary prototypes, to compare with what JSON.parse gives. */
const plain = (value: Json): unknown => {
  if (Array.isArray(value)) return value.map(plain)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, member === undefined ? undefined : plain(member)]),
  )
}

describe('parseJson agrees with JSON.parse', () => {
  it('on every value that JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        fc.pre(text.isWellFormed())
        expect(plain(parsed(text))).toEqual(JSON.parse(text))
      }),
    )
  })

  it('on every double', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => {
        expect(parsed(JSON.stringify(n))).toBe(JSON.parse(JSON.stringify(n)))
      }),
      { numRuns: 1000 },
    )
  })

  it('on which texts are JSON at all, but for what is stricter here on purpose', () => {
    const unit = fc.constantFrom(
      ...'{}[]:,"\\/bu0019.eE+-tfn \t\n\r',
      'true',
      'false',
      'null',
      '"a"',
      '\\u00e9',
      '\ufeff',
      '\u00a0',
      '\x01',
    )
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 12 }), (parts) => {
        const text = parts.join('')
        const ours = parseJson(text, '')
        let theirs: { readonly value: unknown } | undefined
        try {
          theirs = { value: JSON.parse(text) }
        } catch {
          theirs = undefined
        }
        if (theirs === undefined) expect(codesOf(ours)).toEqual(['JSON_SYNTAX'])
        else if (ours.ok) expect(plain(ours.value)).toEqual(theirs.value)
        else expect(text).toMatch(/\\u|".*".*:|[eE]|\d{16}/)
      }),
      { numRuns: 5000 },
    )
  })
})

describe('parseJson refuses', () => {
  it.each([
    [
      '',
      ' ',
      '{',
      '[',
      '{]',
      '[}',
      '"',
      '"a',
      "'a'",
      '{"a"}',
      '{"a":}',
      '{a:1}',
      '{"a":1,}',
      '[1,]',
      '[,1]',
      '[1 2]',
      '{"a":1 "b":2}',
    ],
    ['01', '-', '+1', '.5', '5.', '1e', '1e+', '0x10', 'NaN', 'Infinity', '-Infinity', '1_000', '--1', '1.2.3', '１'],
    ['True', 'nul', 'nullx', 'truefalse', 'undefined', '1 1', '{} {}', '[] 1', 'null,', '//c\n1', '/*c*/1', '1;'],
    [
      '\ufeff1',
      '\u00a01',
      '\u20281',
      '\v1',
      '1\0',
      '"\t"',
      '"\n"',
      '"\0"',
      '"\\x41"',
      '"\\u12"',
      '"\\u12g4"',
      '"\\',
      '"\\a"',
      '"\\\u0000"',
    ],
  ])('what is not JSON: %j and others', (...texts) => {
    expect(texts.filter((text) => parseJson(text, '').ok)).toEqual([])
    expect(new Set(texts.flatMap(refusal))).toEqual(new Set(['JSON_SYNTAX']))
  })

  it('lone surrogates, escaped or not, in values and keys', () => {
    for (const bad of ['"\\ud800"', '"\\udc00\\ud800"', '"\ud800"', '{"\\udfff":1}', '["\\ud83d\\u0020"]']) {
      expect(refusal(bad)).toEqual(['JSON_SYNTAX'])
    }
    expect(parsed('"\\ud83d\\ude00"')).toBe('😀')
    expect(parsed('"\ud83d\ude00"')).toBe('😀')
  })

  it('a key that occurs twice, however it is spelled', () => {
    expect(refusal('{"a":1,"a":1}')).toEqual(['JSON_DUPLICATE_KEY'])
    expect(refusal('{"a":1,"b":{"c":0,"c":0}}')).toEqual(['JSON_DUPLICATE_KEY'])
    expect(refusal('{"a":1,"\\u0061":2}')).toEqual(['JSON_DUPLICATE_KEY'])
    expect(refusal('{"__proto__":1,"__proto__":2}')).toEqual(['JSON_DUPLICATE_KEY'])
    expect(refusal('{"":1,"":2}')).toEqual(['JSON_DUPLICATE_KEY'])
    expect(parseJson('{"x":[{"a~/":1,"a~/":2}]}', 'p')).toMatchObject({ faults: [{ path: 'p/x/0/a~0~1' }] })
    expect(plain(parsed('{"a":{"a":1},"A":2,"á":3,"a\u0301":4}'))).toEqual({ a: { a: 1 }, A: 2, á: 3, 'a\u0301': 4 })
  })

  it('numbers that a double does not hold', () => {
    for (const lost of [
      '1e400',
      '-1e400',
      '9007199254740993',
      '-9007199254740993',
      '18446744073709551615',
      '1e-400',
      '0.1e-330',
    ]) {
      expect([lost, parseJson(lost, '').ok]).toEqual([lost, false])
      expect(refusal(lost)).toEqual(['JSON_SYNTAX'])
    }
    expect(parsed('9007199254740991')).toBe(9007199254740991)
    expect(parsed('9007199254740992')).toBe(9007199254740992)
    expect(parsed('123456789012345680000')).toBe(123456789012345680000)
    expect(parsed('1e308')).toBe(1e308)
    expect(parsed('5e-324')).toBe(5e-324)
    expect([parsed('-0'), parsed('0.000'), parsed('-0e9'), parsed('0E-999')]).toEqual([-0, 0, -0, 0])
  })

  it('what nests deeper than the limit, without help from the stack', () => {
    const nested = (n: number) => '['.repeat(n) + ']'.repeat(n)
    expect(parseJson(nested(LIMITS.jsonDepth), '').ok).toBe(true)
    expect(refusal(nested(LIMITS.jsonDepth + 1))).toEqual(['LIMIT_JSON_DEPTH'])
    expect(refusal('['.repeat(200_000))).toEqual(['LIMIT_JSON_DEPTH'])
    expect(refusal('{"a":'.repeat(200_000))).toEqual(['LIMIT_JSON_DEPTH'])
    // A value is a level of its own, so that no leaf hangs below the last level.
    expect(refusal(`${'['.repeat(32)}1${']'.repeat(32)}`)).toEqual(['LIMIT_JSON_DEPTH'])
    expect(parseJson(`${'['.repeat(31)}1${']'.repeat(31)}`, '').ok).toBe(true)
  })

  it('what has more values than the limit, so that small text cannot become large memory', () => {
    const values = (count: number) =>
      `[${Array(count - 1)
        .fill('{}')
        .join(',')}]`
    expect(parseJson(values(LIMITS.jsonValues), '').ok).toBe(true)
    expect(refusal(values(LIMITS.jsonValues + 1))).toEqual(['LIMIT_JSON_VALUES'])
  })
})

describe('objects that parseJson gives', () => {
  it('have no prototype, and keys like __proto__ are keys', () => {
    const text = '{"__proto__":{"admin":true},"constructor":1,"toString":2,"hasOwnProperty":3}'
    const value = parsed(text) as Record<string, Json>
    expect(Object.getPrototypeOf(value)).toBeNull()
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
    expect((value as { admin?: unknown }).admin).toBeUndefined()
    expect(({} as { admin?: unknown }).admin).toBeUndefined()
    expect(Object.getPrototypeOf(Object.values(value)[0])).toBeNull()
    expect(canonicalJson(parsed(text))).toBe(
      '{"__proto__":{"admin":true},"constructor":1,"hasOwnProperty":3,"toString":2}',
    )
  })
})

describe('parseJson takes time linear in the text and no stack for it', () => {
  it.each([
    ['a long string with one escape', `"${'a'.repeat(1 << 24)}\\n"`],
    ['a long string without end', `"${'a'.repeat(1 << 24)}`],
    ['a long string of escapes', `"${'\\n'.repeat(1 << 20)}"`],
    ['a long key above many elements', `{"${'~'.repeat(1 << 19)}":[${'{"a":1},'.repeat(1 << 15)}1]}`],
    ['many keys', `{${Array.from({ length: 50_000 }, (_, i) => `"k${i}":${i}`).join(',')}}`],
    ['many digits', '1'.repeat(1 << 20)],
    ['much white space', ' '.repeat(1 << 22)],
    ['many line feeds before an error', `${'\n'.repeat(1 << 20)}x`],
  ])('%s', (_what, text) => {
    const start = performance.now()
    parseJson(text, '')
    expect(performance.now() - start).toBeLessThan(5000)
  })
})

describe('pointer', () => {
  it('escapes as RFC 6901 asks', () => {
    expect(pointer(pointer('', 'a/b'), 'm~n')).toBe('/a~1b/m~0n')
    expect(pointer('/x', 0)).toBe('/x/0')
    expect(pointer('', '~1')).toBe('/~01')
  })
})

describe('canonicalJson (RFC 8785)', () => {
  it.each([
    [
      'numbers as ECMAScript writes them',
      '[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001,-0,1.0,10e-1]',
      '[333333333.3333333,1e+30,4.5,0.002,1e-27,0,1,1]',
    ],
    ['words', ' { "b" : null , "a" : [ true , false ] } ', '{"a":[true,false],"b":null}'],
    [
      'short escapes where JSON has them and lower-case \\u where not',
      '"\\b\\t\\n\\f\\r\\"\\\\\\/\\u0000\\u001F\\u007f\\u20ac"',
      '"\\b\\t\\n\\f\\r\\"\\\\/\\u0000\\u001f\u007f€"',
    ],
    [
      'keys by UTF-16 code unit, not by code point',
      '{"\\ufb33":1,"\\ud83d\\ude00":2,"\\u20ac":3,"\\r":4,"1":5,"\\u0080":6,"\\u00f6":7}',
      '{"\\r":4,"1":5,"\u0080":6,"ö":7,"€":3,"😀":2,"\ufb33":1}',
    ],
    ['keys that look like numbers as text', '{"10":1,"9":2,"1":3}', '{"1":3,"10":1,"9":2}'],
    ['nothing else', '[[],{},"",[{}]]', '[[],{},"",[{}]]'],
  ])('writes %s', (_what, text, canonical) => {
    expect(canonicalJson(parsed(text))).toBe(canonical)
  })

  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af6', '1e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['41b3de4355555555', '333333333.3333333'],
  ])('writes the double %s as %s', (bits, text) => {
    expect(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text)
  })

  it('is the same text for the same value, read again', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const once = canonicalJson(parsed(JSON.stringify(value)))
        expect(canonicalJson(parsed(once))).toBe(once)
        expect(JSON.parse(once)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('leaves undefined members out and refuses what is not JSON', () => {
    expect(canonicalJson({ b: undefined, a: 1 })).toBe('{"a":1}')
    for (const n of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(() => canonicalJson({ a: [n] })).toThrow(TypeError)
    }
  })
})

describe('parseJson for formats whose numbers are whole', () => {
  const integers = (text: string) => parseJson(text, '', 'integers')

  it('refuses a number spelled with fraction or exponent, whatever its value', () => {
    expect(valueIn(integers('[0,-1,17]'))).toEqual([0, -1, 17])
    for (const text of ['1.0', '1e0', '1.0E+0', '-0.0', '1.5', '1e400']) {
      expect(codesOf(integers(`{"a":[${text}]}`))).toEqual(['JSON_TYPE_MISMATCH'])
    }
  })

  it('leaves the range to its caller: nothing beyond 2^53 comes back as a safe integer', () => {
    for (const text of ['9007199254740993', '-9007199254740993', '1'.repeat(400)]) {
      expect(Number.isSafeInteger(valueIn(integers(text)))).toBe(false)
    }
  })
})
