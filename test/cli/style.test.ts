import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { flow, jsonText, safe, safeLines, visible, wrap } from '../../src/cli/style.ts'

describe('safe', () => {
  test('escapes what a terminal acts on or a reader cannot see, and leaves text alone', () => {
    expect(safe('a\x1b[31m\x9b\x07\n\t\x7f\u200b\u202e\u2028\ud800')).toBe(
      'a\\u{1b}[31m\\u{9b}\\u{7}\\u{a}\\u{9}\\u{7f}\\u{200b}\\u{202e}\\u{2028}\\u{d800}',
    )
    expect(safe('Grüße – ┌─┐ 漢字 😀')).toBe('Grüße – ┌─┐ 漢字 😀')
    expect(safeLines('a\x07\nb')).toBe('a\\u{7}\nb')
  })
})

describe('jsonText', () => {
  test('is the same value in ASCII', () => {
    const text = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(fc.dictionary(text, text), (value) => {
        const json = jsonText(value)
        expect(json).toMatch(/^[\x20-\x7e\n]*$/)
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

describe('wrap', () => {
  test('breaks at spaces, and indents', () => {
    expect(wrap('one two three four', '> ', 10)).toBe('> one two\n> three\n> four')
    expect(wrap('one two three four', '> ', 10, '    ')).toBe('> one two\n    three\n    four')
    expect(wrap('', '> ', 10)).toBe('> ')
  })

  test('loses nothing, and no line is longer than asked', () => {
    const words = fc.array(
      fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 30 }).map((w) => w.replaceAll(' ', '_')),
      { minLength: 1 },
    )
    fc.assert(
      fc.property(words, fc.integer({ min: 4, max: 40 }), (list, width) => {
        const text = list.join(' ')
        const lines = wrap(text, '  ', width).split('\n')
        for (const line of lines) expect(visible(line)).toBeLessThanOrEqual(width)
        expect(
          lines
            .map((l) => l.slice(2))
            .join('')
            .replaceAll(' ', ''),
        ).toBe(text.replaceAll(' ', ''))
      }),
    )
  })

  test('colours take no room', () => {
    expect(wrap('\x1b[1mone\x1b[0m two', '', 7)).toBe('\x1b[1mone\x1b[0m two')
  })
})

describe('flow', () => {
  test('keeps pieces whole where that is possible', () => {
    expect(flow(['one two', 'three four', 'five'], 'x  ', 20)).toBe('x  one two\n   three four  five')
    expect(flow(['one two three four'], 'x  ', 12)).toBe('x  one two\n   three\n   four')
    expect(flow([], 'x  ')).toBe('x  ')
  })
})
