import { describe, test } from 'vitest'
import { type EvidenceFile, readEvidence } from '../../../src/attestation/envelopes/index.ts'
import { utf8 } from '../../../src/core/bytes.ts'
import type { Code } from '../../../src/core/codes.ts'
import { toBase64 } from '../../../src/core/encodings.ts'
import { accepted, refused } from '../../reject/row.ts'
import { bundle, bundleItem, cpu, gpus } from '../../reject/stage.ts'

const { report, table } = cpu()
const [gpu = { report: new Uint8Array(), chainPem: '' }] = gpus().gpus
const CPU: EvidenceFile = { name: 'cpu.json', bytes: utf8(JSON.stringify({ outblob: toBase64(report) })) }
const file = (name: string, content: string | Uint8Array): EvidenceFile => ({
  name,
  bytes: typeof content === 'string' ? utf8(content) : content,
})

function folder(name: string, code: Code, twin: readonly EvidenceFile[], bad: readonly EvidenceFile[]): void {
  test(`${code}: ${name}`, () => {
    accepted(readEvidence([CPU, ...twin]))
    refused(readEvidence([CPU, ...bad]), [code])
  })
}

describe('limits hold for a folder as for one file', () => {
  const device = { evidence: toBase64(gpu.report), certificate: toBase64(utf8(gpu.chainPem)) }
  const devices = (name: string, count: number) => file(name, JSON.stringify(Array(count).fill(device)))
  folder(
    '17 GPUs in two files',
    'LIMIT_GPU_COUNT',
    [devices('a.json', 8), devices('b.json', 8)],
    [devices('a.json', 8), devices('b.json', 9)],
  )

  const items = (count: number) =>
    file(
      'items.json',
      bundle(Array.from({ length: count }, (_, i) => bundleItem(`cpu-${i}`, 'amd/snp-report', report, [table]))),
    )
  folder('33 items in two files', 'LIMIT_ITEM_COUNT', [items(31)], [items(32)])

  const notes = (count: number) => Array.from({ length: count }, (_, i) => file(`note-${i}`, 'hello'))
  folder('257 files', 'LIMIT_ITEM_COUNT', notes(255), notes(256))

  const half = 512 * 1024
  const two = (second: number) => [file('a.log', new Uint8Array(half)), file('b.log', new Uint8Array(second))]
  const left = half - CPU.bytes.length
  folder('a mebibyte and a byte in three files', 'LIMIT_REQUEST_BYTES', two(left), two(left + 1))

  test('collateral beside evidence does not count as evidence', () => {
    accepted(readEvidence([CPU, ...two(left), file('driver.xml', `<a>${' '.repeat(1024 * 1024)}</a>`)]))
  })
})

describe('JSON in a folder', () => {
  const beside = (text: string) => [file('notes.json', text)]
  folder('a member twice', 'JSON_DUPLICATE_KEY', beside('{"a":1,"b":1}'), beside('{"a":1,"a":1}'))
  folder('no JSON after all', 'JSON_SYNTAX', beside('{"a":1}'), beside('{"a":1'))
})
