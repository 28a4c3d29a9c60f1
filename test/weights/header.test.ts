import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import type { Code } from '../../src/core/codes.ts'
import { modelFile } from '../../src/testing/index.ts'
import { decodeHeader, encodeHeader, headerText } from '../../src/weights/header.ts'
import { sealModel } from '../../src/weights/index.ts'
import { readModelFile } from '../../src/weights/model-file.ts'
import { accepted, folderOf, fresh, KEY, MODEL, model, refused } from './stage.ts'

const DATA = new Uint8Array(16)
const A = '"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}'
const B = '"b":{"dtype":"U8","shape":[8],"data_offsets":[8,16]}'

/** The twin of every row below: the same file, sound. */
const SOUND = modelFile(`{${A},${B}}`, DATA)

const b = (info: string): Uint8Array => modelFile(`{${A},"b":{${info}}}`, DATA)

const ROWS: readonly (readonly [what: string, code: Code, file: Uint8Array])[] = [
  ['an empty file', 'WEIGHTS_FILE_TRUNCATED', new Uint8Array(0)],
  ['less than a length', 'WEIGHTS_FILE_TRUNCATED', SOUND.subarray(0, 7)],
  ['half a header', 'WEIGHTS_FILE_TRUNCATED', SOUND.subarray(0, 60)],
  ['a tensor cut short', 'WEIGHTS_FILE_TRUNCATED', SOUND.subarray(0, -1)],
  ['a tensor beyond the end', 'WEIGHTS_FILE_TRUNCATED', b('"dtype":"U8","shape":[9],"data_offsets":[8,17]')],
  ['bytes behind the tensors', 'WEIGHTS_FILE_TRAILING_BYTES', modelFile(`{${A},${B}}`, new Uint8Array(17))],
  ['a header over the cap', 'WEIGHTS_HEADER_TOO_LARGE', modelFile(`{${A},${B}}`, DATA, 100_000_001)],
  ['a header as long as a number can say', 'WEIGHTS_HEADER_TOO_LARGE', new Uint8Array(8).fill(255)],
  ['a header longer than the file', 'WEIGHTS_FILE_TRUNCATED', modelFile(`{${A},${B}}`, DATA, 100_000_000)],
  ['white space in front', 'WEIGHTS_HEADER_MALFORMED', modelFile(` {${A},${B}}`, DATA)],
  ['an array', 'WEIGHTS_HEADER_MALFORMED', modelFile('[]', new Uint8Array(0))],
  ['no header', 'WEIGHTS_HEADER_MALFORMED', modelFile('', new Uint8Array(0))],
  ['text behind the header', 'JSON_SYNTAX', modelFile(`{${A},${B}} {}`, DATA)],
  ['no UTF-8', 'UTF8_INVALID', modelFile(Buffer.from(`{${A.replace('a', '\xff')},${B}}`, 'latin1'), DATA)],
  ['one name twice', 'JSON_DUPLICATE_KEY', modelFile(`{${A},${B.replace('b', 'a')}}`, DATA)],
  ['one name twice, spelled in two ways', 'JSON_DUPLICATE_KEY', modelFile(`{${A},${B.replace('b', '\\u0061')}}`, DATA)],
  [
    '__proto__ twice',
    'JSON_DUPLICATE_KEY',
    modelFile(`{${A.replace('a', '__proto__')},${B.replace('b', '__proto__')}}`, DATA),
  ],
  ['metadata twice', 'JSON_DUPLICATE_KEY', modelFile(`{"__metadata__":{},"__metadata__":{},${A},${B}}`, DATA)],
  ['metadata with a number', 'WEIGHTS_HEADER_MALFORMED', modelFile(`{"__metadata__":{"x":1},${A},${B}}`, DATA)],
  ['a tensor that is a number', 'WEIGHTS_HEADER_MALFORMED', modelFile(`{${A},"b":8}`, DATA)],
  ['another member', 'WEIGHTS_HEADER_MALFORMED', b('"dtype":"U8","shape":[8],"data_offsets":[8,16],"x":1')],
  ['no type', 'WEIGHTS_HEADER_MALFORMED', b('"shape":[8],"data_offsets":[8,16]')],
  ['no shape', 'WEIGHTS_HEADER_MALFORMED', b('"dtype":"U8","data_offsets":[8,16]')],
  ['three offsets', 'WEIGHTS_HEADER_MALFORMED', b('"dtype":"U8","shape":[8],"data_offsets":[8,16,16]')],
  ['a negative dimension', 'WEIGHTS_HEADER_MALFORMED', b('"dtype":"U8","shape":[-8],"data_offsets":[8,16]')],
  ['a fraction', 'JSON_TYPE_MISMATCH', b('"dtype":"U8","shape":[8.0],"data_offsets":[8,16]')],
  ['an unknown type', 'WEIGHTS_DTYPE_UNKNOWN', b('"dtype":"U9","shape":[8],"data_offsets":[8,16]')],
  ['a type by inheritance', 'WEIGHTS_DTYPE_UNKNOWN', b('"dtype":"constructor","shape":[8],"data_offsets":[8,16]')],
  ['an overlap', 'WEIGHTS_OFFSETS_INVALID', b('"dtype":"U8","shape":[9],"data_offsets":[7,16]')],
  ['a hole', 'WEIGHTS_OFFSETS_INVALID', b('"dtype":"U8","shape":[7],"data_offsets":[9,16]')],
  ['a hole at the beginning', 'WEIGHTS_OFFSETS_INVALID', modelFile(`{${B}}`, DATA)],
  ['one place twice', 'WEIGHTS_OFFSETS_INVALID', b('"dtype":"U8","shape":[8],"data_offsets":[0,8]')],
  ['an end before its beginning', 'WEIGHTS_OFFSETS_INVALID', b('"dtype":"U8","shape":[8],"data_offsets":[16,8]')],
  ['another size than the shape', 'WEIGHTS_TENSOR_SIZE_MISMATCH', b('"dtype":"U16","shape":[8],"data_offsets":[8,16]')],
  ['half a byte at the end', 'WEIGHTS_TENSOR_SIZE_MISMATCH', b('"dtype":"F4","shape":[15],"data_offsets":[8,16]')],
  [
    'a shape that runs over',
    'WEIGHTS_TENSOR_SIZE_OVERFLOW',
    b('"dtype":"U8","shape":[4294967296,4294967304],"data_offsets":[8,16]'),
  ],
  [
    'a shape that runs over beside a zero',
    'WEIGHTS_TENSOR_SIZE_OVERFLOW',
    b('"dtype":"U8","shape":[0,4294967296,4294967296],"data_offsets":[8,8]'),
  ],
  [
    'an offset beyond 2^53',
    'WEIGHTS_TENSOR_SIZE_OVERFLOW',
    b('"dtype":"U8","shape":[8],"data_offsets":[8,18446744073709551615]'),
  ],
  ['nesting', 'LIMIT_JSON_DEPTH', modelFile(`{"x":${'['.repeat(40)}`, DATA)],
]

describe('a safetensors file', () => {
  it('that is sound can be sealed', async () => {
    accepted(await sealModel({ input: folderOf({ 'm.safetensors': SOUND }), output: fresh(), key: KEY }))
  })

  test.each(ROWS)('with %s is refused: %s', async (_, code, file) => {
    const output = fresh()
    refused(
      await sealModel({ input: folderOf({ 'm.safetensors': file, 'a.txt': 'a' }), output, key: KEY }),
      code,
      output,
    )
  })

  it('may have more values than a piece of evidence, and not without end', () => {
    const many = (count: number) =>
      Buffer.from(`{"a":{"dtype":"U8","shape":[${'1,'.repeat(count)}0],"data_offsets":[0,0]}}`)
    accepted(decodeHeader(many(1_000_000), ''))
    refused(decodeHeader(many(2_000_000), ''), 'LIMIT_JSON_VALUES')
  })

  it('may list its tensors in any order, and is signed in that of their places', () => {
    const header = accepted(decodeHeader(Buffer.from(`{${B},"__metadata__":{},${A}}`), ''))
    expect(headerText(header)).toBe(`{"__metadata__":{},${A},${B}}`)
  })

  it('takes no longer than its length where a million spaces stand in the wrong place', () => {
    const spaces = new TextEncoder().encode(`{${' '.repeat(1_000_000)}}`)
    const start = performance.now()
    expect(decodeHeader(spaces, 'm').ok).toBe(true)
    // By the square of the length it took half an hour.
    expect(performance.now() - start).toBeLessThan(20_000)
  })

  it('without tensors is one', () => {
    expect(headerText(accepted(decodeHeader(Buffer.from('{}      '), '')))).toBe('{}')
  })

  it('keeps hard names, in the order of bytes', async () => {
    const root = folderOf({ 'm.safetensors': model(MODEL) })
    const file = await open(join(root, 'm.safetensors'))
    const { header, head } = accepted(await readModelFile(file, 'm'))
    await file.close()
    expect(header.tensors.map(({ name }) => name)).toEqual(MODEL.map(({ name }) => name))
    expect(Buffer.from(encodeHeader(header)).equals(head)).toBe(true)
  })

  it('escapes as serde_json does', () => {
    const name = '\u0000\b\t\n\u000b\f\r\u001f\u007f"\\/\u2028é\u{1f600}'
    const header = { metadata: undefined, tensors: [{ name, dtype: 'U8', shape: [], begin: 0, end: 1 }] } as const
    const escaped = '\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\u007f\\"\\\\/\u2028é\u{1f600}'
    expect(headerText(header)).toBe(`{"${escaped}":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}`)
  })

  it('has room for what a longer header needs, and keeps its length for a shorter one', () => {
    const header = { metadata: new Map([['a', 'b']]), tensors: [] }
    expect(encodeHeader(header).length % 8).toBe(0)
    expect(encodeHeader(header, 64).length).toBe(64)
    expect(encodeHeader(header, 8).length).toBe(encodeHeader(header).length)
  })
})

describe('tensors of one type', () => {
  it.each([
    ...[
      ['F4', [16], 8],
      ['F6_E2M3', [4], 3],
      ['F6_E3M2', [8], 6],
      ['BOOL', [8], 8],
      ['F8_E4M3', [2, 4], 8],
    ],
    ...[
      ['F8_E5M2', [8], 8],
      ['F8_E8M0', [8], 8],
      ['BF16', [4], 8],
      ['C64', [1], 8],
      ['F64', [], 8],
      ['U64', [2], 16],
    ],
  ] as const)('%s %j have their size', (dtype, shape, size) => {
    const info = { dtype, shape, data_offsets: [0, size] }
    accepted(decodeHeader(Buffer.from(JSON.stringify({ t: info })), ''))
    refused(
      decodeHeader(Buffer.from(JSON.stringify({ t: { ...info, data_offsets: [0, size + 1] } })), ''),
      'WEIGHTS_TENSOR_SIZE_MISMATCH',
    )
  })
})
