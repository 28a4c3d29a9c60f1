import { concatBytes, utf8 } from '../../src/core/bytes.ts'
import { seq } from '../../src/testing/pki/der.ts'

/** What a fuzzer knows of a format: pieces that mean something, and inputs of a given size that cost the most to read. */
export interface Format {
  readonly tokens: readonly Uint8Array[]
  readonly heavy: (sizeBytes: number) => readonly Uint8Array[]
}

const texts = (...of: readonly string[]): readonly Uint8Array[] => of.map(utf8)

/** `head`, then `piece` as often as fits, then `tail`. */
function filled(sizeBytes: number, head: string, piece: (i: number) => string, tail: string): Uint8Array {
  const pieces: string[] = []
  for (let left = sizeBytes - head.length - tail.length, i = 0; ; i++) {
    const next = piece(i)
    left -= next.length
    if (left < 0) return utf8(head + pieces.join('') + tail)
    pieces.push(next)
  }
}

const repeated = (sizeBytes: number, piece: readonly number[]): Uint8Array =>
  Uint8Array.from({ length: sizeBytes - (sizeBytes % piece.length) }, (_, i) => piece[i % piece.length] ?? 0)

export const RAW: Format = {
  tokens: [],
  heavy: (sizeBytes) => [new Uint8Array(sizeBytes), new Uint8Array(sizeBytes).fill(0xff)],
}

/** Heads of every kind, in short, long and endless forms, and what a map of a signed document begins with. */
export const CBOR: Format = {
  tokens: [
    [0x00],
    [0x18, 0x18],
    [0x1b, 0, 0, 0, 0, 0, 0, 0, 1],
    [0x38, 0x22],
    [0x40],
    [0x5b, 0, 0, 1, 0, 0, 0, 0, 0],
    [0x5f],
    [0x60],
    [0x80],
    [0x81],
    [0x9a, 0x7f, 0xff, 0xff, 0xff],
    [0xa0],
    [0xa1, 0x01, 0x38, 0x22],
    [0xbf],
    [0xd2],
    [0xd8, 0x69],
    [0xd9, 0x03, 0x8b],
    [0xf6],
    [0xf7],
    [0xff],
  ].map((token) => Uint8Array.from(token)),
  heavy: (sizeBytes) => {
    const list = (head: readonly number[], entries: readonly number[]) => {
      const items = repeated(sizeBytes - 5, entries)
      const count = items.length / entries.length
      const size = [24, 16, 8, 0].map((shift) => (count >> shift) & 0xff)
      return concatBytes(Uint8Array.from(head), Uint8Array.from(size), items)
    }
    return [
      list([0x9a], [0x00]),
      list([0x9a], [0x80]),
      list([0xba], [0x00, 0x00]),
      list([0xba], [0x40, 0x00]),
      repeated(sizeBytes, [0x81]),
      repeated(sizeBytes, [0xd2]),
      repeated(sizeBytes, [0xa1, 0x00]),
    ]
  },
}

const HEADER_BYTES = 8

export const DER: Format = {
  tokens: [
    [0x30, 0x00],
    [0x30, 0x80],
    [0x30, 0x82, 0xff, 0xff],
    [0x31, 0x00],
    [0xa0, 0x03, 0x02, 0x01, 0x02],
    [0x05, 0x00],
    [0x01, 0x01, 0xff],
    [0x02, 0x01, 0x00],
    [0x02, 0x02, 0x00, 0x80],
    [0x03, 0x02, 0x07, 0x80],
    [0x04, 0x00],
    [0x06, 0x03, 0x55, 0x1d, 0x13],
    [0x17, 0x0d, ...utf8('260101000000Z')],
    [0x18, 0x0f, ...utf8('99991231235959Z')],
  ].map((token) => Uint8Array.from(token)),
  heavy: (sizeBytes) => {
    const content = sizeBytes - HEADER_BYTES
    let nested: Uint8Array = new Uint8Array([0x05, 0x00])
    while (nested.length < Math.min(content, 2000)) nested = seq(nested)
    return [
      seq(repeated(content, [0x05, 0x00])),
      seq(repeated(content, [0x30, 0x00])),
      seq(repeated(content, [0x30, 0x02, 0x05, 0x00])),
      seq(repeated(content, [0x06, 0x01, 0x2a])),
      seq(Uint8Array.of(0x06, 0x82, (content - 4) >> 8, (content - 4) & 0xff), repeated(content - 4, [0x81, 0x80])),
      nested,
      repeated(sizeBytes, [0x30, 0x80]),
    ]
  },
}

export const JSON_TEXT: Format = {
  tokens: texts(
    ...['{', '}', '[', ']', '"', ':', ',', '\\u0000', '\\ud800', '[[', '{"a":', '"__proto__":', '{},', '[],', '0,'],
    ...['1e999', '-0', 'null', 'true', '""', ' '],
  ),
  heavy: (sizeBytes) => [
    filled(sizeBytes, '[0', () => ',{}', ']'),
    filled(sizeBytes, '[0', () => ',[]', ']'),
    filled(sizeBytes, '[0', () => ',[0]', ']'),
    filled(sizeBytes, '[0', () => ',{"":0}', ']'),
    filled(sizeBytes, '[0', () => ',0.5', ']'),
    filled(sizeBytes, '[0', () => ',""', ']'),
    filled(sizeBytes, '{"":0', (i) => `,"${i.toString(36)}":0`, '}'),
    filled(sizeBytes, '{"":{', (i) => `"${i.toString(36)}":[{}],`, '"":0}}'),
    filled(sizeBytes, '', () => '[', ''),
    filled(sizeBytes, '', () => '{"":', ''),
    filled(sizeBytes, '"', () => 'a', '"'),
    filled(sizeBytes, '"', () => '\\u0041', '"'),
    filled(sizeBytes, '"', () => '\\', ''),
    filled(sizeBytes, '', () => ' ', ''),
    filled(sizeBytes, '', () => '9', ''),
    filled(sizeBytes, '0.', () => '0', '1'),
  ],
}

export const PEM: Format = {
  tokens: texts('-----BEGIN CERTIFICATE-----\n', '-----END CERTIFICATE-----\n', '-----', '\n', '\r\n', '=', 'AAAA'),
  heavy: (sizeBytes) => [
    filled(sizeBytes, '', () => '-----BEGIN A-----\nAA==\n-----END A-----\n', ''),
    filled(sizeBytes, '-----BEGIN A-----\n', () => 'A\n', '\n-----END A-----\n'),
    filled(sizeBytes, '-----BEGIN A-----\n', () => 'AAAA', ''),
    filled(sizeBytes, '-----BEGIN A-----\n', () => '\n', ''),
    filled(sizeBytes, '', () => '-----BEGIN A-----\n', ''),
    filled(sizeBytes, '', () => '\r\n', ''),
    filled(sizeBytes, '-----BEGIN ', () => 'A', ''),
  ],
}

export const XML: Format = {
  tokens: texts(
    ...['<', '>', '</', '/>', '<!--', '-->', '<![CDATA[', ']]>', '<!DOCTYPE a [', '&#0;', '&amp;', '&a;', ' xmlns=""'],
    ...['<ds:Signature>', '<a>', '<a b="', '"', '\ufeff', '<?a?>'],
  ),
  heavy: (sizeBytes) => [
    filled(sizeBytes, '<a>', () => '<b/>', '</a>'),
    filled(sizeBytes, '<a>', () => '<b>c</b>', '</a>'),
    filled(sizeBytes, '', () => '<a>', ''),
    filled(sizeBytes, '<a', (i) => ` b${i}="c"`, '/>'),
    filled(sizeBytes, '<a', (i) => ` xmlns:b${i}="urn:c"`, '/>'),
    filled(sizeBytes, '<a>', () => '&amp;', '</a>'),
    filled(sizeBytes, '<a>', () => '<!---->', '</a>'),
    filled(sizeBytes, '<a>', () => 'x', '</a>'),
    filled(sizeBytes, '<a b="', () => ' ', '"/>'),
    filled(sizeBytes, '<', () => 'a', '/>'),
    filled(sizeBytes, '<a ', () => ' ', ''),
    filled(sizeBytes, '<a>', () => '<', ''),
    filled(sizeBytes, '', () => ' ', ''),
  ],
}

/** A text format without structure: one character again and again. */
export const characters = (alphabet: string, ...tokens: readonly string[]): Format => ({
  tokens: texts(...tokens),
  heavy: (sizeBytes) => [...alphabet].map((character) => filled(sizeBytes, '', () => character, '')),
})

/** Both formats, for carriers of either. */
export const either = (a: Format, b: Format): Format => ({
  tokens: [...a.tokens, ...b.tokens],
  heavy: (sizeBytes) => [...a.heavy(sizeBytes), ...b.heavy(sizeBytes)],
})

/** Seeds with more of the same behind them, up to `sizeBytes`. */
export const stretched = (seed: Uint8Array, sizeBytes: number): Uint8Array =>
  concatBytes(seed, new Uint8Array(Math.max(0, sizeBytes - seed.length)))

export const YAML: Format = {
  tokens: texts(
    ...[
      '\n',
      '  ',
      ': ',
      '- ',
      '? ',
      '&a ',
      '*a',
      '!!str ',
      '<<: ',
      '|\n',
      '>-\n',
      '"',
      "'",
      '#',
      '---\n',
      '...\n',
      '%YAML 1.1\n',
    ],
    ...['{', '}', '[', ']', ',', '\t', '~', '.nan', '0x1', '\r'],
  ),
  heavy: (sizeBytes) => [
    ...['[', '{', '- ', '? ', 'a: ', '- - - -\n', '"', '|\n', '[],', '&a '].map((piece) =>
      filled(sizeBytes, '', () => piece, ''),
    ),
    filled(sizeBytes, '', (i) => `k${i.toString(36)}: 1\n`, ''),
    filled(sizeBytes, '- &a b\n', () => '- *a\n', ''),
  ],
}
