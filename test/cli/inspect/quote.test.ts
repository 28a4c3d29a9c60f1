import { describe, expect, test } from 'vitest'
import type { CollateralFile } from '../../../src/attestation/collateral.ts'
import type { Tee } from '../../../src/attestation/dcap/model.ts'
import {
  QUOTE_HEADER,
  SGX_REPORT_BODY,
  TD_REPORT_1_0,
  TD_REPORT_1_5,
} from '../../../src/attestation/dcap/quote-layout.ts'
import { SGX_FLAG_BITS, TD_ATTRIBUTE_BITS, XFAM_BITS, XFRM_BITS } from '../../../src/cli/inspect/bits.ts'
import type { FieldView, ItemView, SectionView } from '../../../src/cli/inspect/model.ts'
import { inspectQuote } from '../../../src/cli/inspect/quote.ts'
import { inspect } from '../../../src/cli/inspect/read.ts'
import { renderInspection } from '../../../src/cli/inspect/render.ts'
import { concatBytes, latin1, utf8 } from '../../../src/core/bytes.ts'
import { toBase64, toHex } from '../../../src/core/encodings.ts'
import { take } from '../../../src/core/outcome.ts'
import {
  bits64,
  dstackLog,
  type SgxMachineOptions,
  sgxMachine,
  type TdxMachineOptions,
  tdxGpuMachine,
  tdxMachine,
} from '../../../src/testing/index.ts'
import { describeEvidence, evidence } from '../../support/evidence.ts'
import { widest } from '../run.ts'

const SEED = 'inspect'
const tdx = (options: TdxMachineOptions = {}) => tdxMachine(SEED, options).quote
const sgx = (options: SgxMachineOptions = {}) => sgxMachine(SEED, options).quote
const file = (name: string, content: string | Uint8Array): CollateralFile => ({
  name,
  bytes: typeof content === 'string' ? utf8(content) : content,
})
const seen = async (...files: readonly CollateralFile[]) => take(await inspect(files))
async function item(bytes: Uint8Array): Promise<ItemView> {
  const [first] = (await seen(file('quote', bytes))).items
  if (first === undefined) throw new TypeError('no item')
  return first
}

const fieldsOf = (sections: readonly SectionView[]) => sections.flatMap((s) => s.fields)
const hexOf = (sections: readonly SectionView[]) =>
  fieldsOf(sections)
    .map((f) => f.hex)
    .join('')
const section = (sections: readonly SectionView[], title: string): SectionView => {
  const found = sections.find((s) => s.title === title)
  if (found === undefined) throw new TypeError(`no section ${title}`)
  return found
}
const field = (of: SectionView, name: string): FieldView => {
  const found = of.fields.find((f) => f.name === name)
  if (found === undefined) throw new TypeError(`no field ${name}`)
  return found
}

const QUOTES = [
  ['TDX 4', 'TDX', tdx(), 'TD report 1.0', TD_REPORT_1_0, 48],
  ['TDX 5 with a TD report 1.0', 'TDX', tdx({ version: 5, body: 'td-1.0' }), 'TD report 1.0', TD_REPORT_1_0, 54],
  ['TDX 5 with a TD report 1.5', 'TDX', tdx({ version: 5 }), 'TD report 1.5', TD_REPORT_1_5, 54],
  ['SGX 3', 'SGX', sgx(), 'Report of the enclave', SGX_REPORT_BODY, 48],
  ['SGX 4', 'SGX', sgx({ version: 4 }), 'Report of the enclave', SGX_REPORT_BODY, 48],
  ['SGX 5', 'SGX', sgx({ version: 5 }), 'Report of the enclave', SGX_REPORT_BODY, 54],
] as const satisfies readonly (readonly [string, Tee, ...unknown[]])[]

describe('every field of a quote is shown', () => {
  test.each(QUOTES)('%s: byte for byte, each once, each with its meaning', (_, tee, bytes, title, layout, at) => {
    const { sections, problems } = inspectQuote(tee, bytes)
    expect(problems).toEqual([])
    expect(hexOf(sections)).toBe(toHex(bytes))
    let end = 0
    for (const f of fieldsOf(sections)) {
      expect(f.offset).toBe(end)
      end += f.sizeBytes
    }
    expect(fieldsOf(sections).filter((f) => f.meaning === '')).toEqual([])
    const named = (table: typeof layout | typeof QUOTE_HEADER, offset: number) =>
      table.ordered.map(([name, f]) => [f.kind === 'zero' ? 'reserved' : name, offset + f.offset, f.sizeBytes])
    const placed = (of: SectionView | undefined) => of?.fields.map((f) => [f.name, f.offset, f.sizeBytes])
    expect(placed(sections[0])).toEqual(named(QUOTE_HEADER, 0))
    expect(placed(section(sections, title))).toEqual(named(layout, at))
    expect(section(sections, 'Report of the quoting enclave').fields).toHaveLength(SGX_REPORT_BODY.ordered.length)
  })

  test('the parts of a version 4 quote lie where the fact sheet has them', () => {
    const { sections } = inspectQuote('TDX', tdx())
    const at = (title: string, name: string) => field(section(sections, title), name).offset
    expect(at('Signature', 'signatureDataSize')).toBe(632)
    expect(at('Signature', 'attestationKeyX')).toBe(700)
    expect(at('Certification of the attestation key', 'certificationType')).toBe(764)
    expect(at('Report of the quoting enclave', 'cpuSvn')).toBe(770)
    expect(at('Signature of the quoting enclave’s report', 'qeAuthData')).toBe(1220)
    expect(at('Certification of the quoting enclave', 'certificationData')).toBe(1258)
  })

  test('padding is told apart from the quote', () => {
    const { sections, problems } = inspectQuote('TDX', tdx({ padTo: 8000 }))
    expect(problems).toEqual([])
    const size = tdx().length
    expect(section(sections, 'Padding').fields).toMatchObject([{ offset: size, sizeBytes: 8000 - size }])
  })

  test('the security versions in TEE_TCB_SVN, of launch and of now', () => {
    const td = section(inspectQuote('TDX', tdx({ version: 5 })).sections, 'TD report 1.5')
    for (const name of ['teeTcbSvn', 'teeTcbSvn2']) {
      expect(field(td, name).parts.map((p) => [p.at, p.name, p.value])).toEqual([
        ['byte 0', 'module', 11],
        ['byte 1', 'moduleMajor', 1],
        ['byte 2', 'microcode', 4],
      ])
    }
  })
})

describe('every bit is explained', () => {
  const shown = (bytes: Uint8Array, title: string, name: string) =>
    field(section(inspectQuote(title.startsWith('TD') ? 'TDX' : 'SGX', bytes).sections, title), name)

  test.each(TD_ATTRIBUTE_BITS)('TDATTRIBUTES bit %i, %s', (bit, name, whenSet, whenClear) => {
    for (const set of [true, false]) {
      const tdAttributes = set ? bits64(bit) : bits64()
      const { parts } = shown(tdx({ td: { tdAttributes } }), 'TD report 1.0', 'tdAttributes')
      const meaning = set ? whenSet : whenClear
      expect(parts.find((p) => p.name === name)).toEqual({ at: `bit ${bit}`, name, value: set ? 1 : 0, meaning })
    }
  })

  test.each(XFAM_BITS)('XFAM bit %i, %s', (bit, name, whenSet, whenClear) => {
    for (const set of [true, bit < 2]) {
      const xfam = set ? bits64(0, 1, bit) : bits64(0, 1)
      const { parts } = shown(tdx({ td: { xfam } }), 'TD report 1.0', 'xfam')
      const meaning = set ? whenSet : whenClear
      expect(parts.find((p) => p.name === name)).toEqual({ at: `bit ${bit}`, name, value: set ? 1 : 0, meaning })
    }
  })

  test.each(SGX_FLAG_BITS)('ATTRIBUTES bit %i, %s', (bit, name, whenSet, whenClear) => {
    for (const set of [true, bit === 0]) {
      const attributes = concatBytes(set ? bits64(0, bit) : bits64(0), bits64(0, 1))
      const { parts } = shown(sgx({ enclave: { attributes } }), 'Report of the enclave', 'attributes')
      const meaning = set ? whenSet : whenClear
      expect(parts.find((p) => p.name === name)).toEqual({ at: `bit ${bit}`, name, value: set ? 1 : 0, meaning })
    }
  })

  test.each(XFRM_BITS)('XFRM bit %i, %s', (bit, name, whenSet) => {
    const attributes = concatBytes(bits64(0), bits64(0, 1, bit))
    const { parts } = shown(sgx({ enclave: { attributes } }), 'Report of the enclave', 'attributes')
    expect(parts.find((p) => p.name === name)).toEqual({ at: `XFRM bit ${bit}`, name, value: 1, meaning: whenSet })
  })

  test('bits without a published meaning are told as such', () => {
    const attributes = concatBytes(bits64(0), bits64(0, 1, 40))
    const { meaning } = shown(sgx({ enclave: { attributes } }), 'Report of the enclave', 'attributes')
    expect(meaning).toContain('bits without a published meaning: 0x10000000000')
  })
})

describe('what Intel certifies', () => {
  test('the chain in the quote as boxes, and the platform that its PCK certificate is for', async () => {
    const machine = tdxMachine(SEED)
    const { certificates, problems } = await item(machine.quote)
    expect(problems).toEqual([])
    expect(certificates.map((c) => c.commonName)).toEqual([
      'Intel SGX PCK Certificate',
      'Intel SGX PCK Platform CA',
      'Intel SGX Root CA',
    ])
    const said = new Map(certificates[0]?.certifies.map(({ what, value }) => [what, value]))
    const { fmspc, ppid, platformInstanceId, components, pceSvn } = machine.platform
    expect(said.get('FMSPC')).toBe(toHex(fmspc))
    expect(said.get('PPID')).toBe(toHex(ppid))
    expect(said.get('platform instance')).toBe(toHex(platformInstanceId ?? new Uint8Array()))
    expect(said.get('components')).toBe(components.join(' '))
    expect(said.get('PCESVN')).toBe(String(pceSvn))
    for (const what of ['PCEID', 'CPUSVN', 'SGX type', 'dynamic platform', 'cached keys', 'SMT']) {
      expect(said.has(what)).toBe(true)
    }
    expect(certificates.slice(1).flatMap((c) => c.certifies)).toEqual([])
  })

  test('a certificate of the Processor CA names no platform instance', async () => {
    const { certificates } = await item(tdx({ ca: 'processor' }))
    expect(certificates[0]?.certifies.map((c) => c.what)).toEqual([
      ...['FMSPC', 'PPID', 'components', 'PCESVN', 'PCEID', 'CPUSVN', 'SGX type'],
    ])
  })

  test('an extension that cannot be read does not hide the certificate', async () => {
    const { certificates } = await item(tdx({ wrong: 'sgx-fmspc-short' }))
    expect(certificates[0]?.certifies).toMatchObject([
      { what: 'SGX extension', value: expect.stringMatching(/^unreadable at pck\.sgxExtensions: /) },
    ])
  })
})

describe('a quote that the decoder refuses', () => {
  const quote = tdx()
  const refusal = (bytes: Uint8Array) => {
    const { sections, problems } = inspectQuote('TDX', bytes)
    expect(hexOf(sections)).toBe(toHex(bytes))
    const explained = fieldsOf(sections).filter((f) => f.meaning !== '' && f.name !== 'reserved')
    return { codes: problems.map((p) => p.code), titles: sections.map((s) => s.title), explained }
  }

  test('a reserved attribute bit: all bytes are shown without meanings, and why', () => {
    const seen = refusal(tdx({ td: { tdAttributes: bits64(20, 28) } }))
    expect(seen.codes).toEqual(['TDX_ATTRIBUTE_RESERVED_BIT'])
    expect(seen.explained).toEqual([])
    expect(seen.titles).toHaveLength(7)
  })

  test.each([28, 47, 49, 631, 640, 771, 1219, 1230, 1257, quote.length - 1])('cut to %i bytes', (size) => {
    const seen = refusal(quote.subarray(0, size))
    expect(seen.codes).toHaveLength(1)
    expect(seen.titles.at(-1)).toBe('Not told apart')
    expect(seen.explained).toEqual([])
  })

  test('bytes behind its end', () => {
    const seen = refusal(concatBytes(quote, Uint8Array.of(1)))
    expect(seen.codes).toEqual(['TDX_TRAILING_BYTES'])
    expect(seen.titles.at(-1)).toBe('Behind the end of the quote')
  })

  test('its chain is shown all the same', async () => {
    const { certificates, problems } = await item(concatBytes(quote, Uint8Array.of(1)))
    expect(problems.map((p) => p.code)).toEqual(['TDX_TRAILING_BYTES'])
    expect(certificates).toHaveLength(3)
  })
})

describe('in every carrier', () => {
  const { cpu, akash, bundle } = tdxGpuMachine(SEED, {
    gpus: {
      architecture: 'hopper',
      gpuCount: 1,
      driverVersion: '580.159.03',
      vbiosVersion: '96.00.FE.00.01',
      featureFlag: 'spt',
    },
  })
  test.each([
    ['Akash, tdx-gpu', akash, ['intel/tdx-quote', 'nvidia/gpu-report']],
    ['Akash, tdx', { ...akash, tee_platform: 'tdx', gpu_reports: [] }, ['intel/tdx-quote']],
    ['the generic bundle', bundle, ['intel/tdx-quote', 'nvidia/gpu-report']],
    ['dstack', { quote: toHex(cpu.quote), event_log: latin1(dstackLog().log) }, ['intel/tdx-quote']],
  ])('%s', async (_, carrier, kinds) => {
    const { items } = await seen(file('evidence.json', JSON.stringify(carrier)))
    expect(items.map((i) => i.kind)).toEqual(kinds)
    expect(hexOf(items[0]?.sections ?? [])).toBe(toHex(cpu.quote))
    expect(items[0]?.certificates).toHaveLength(3)
  })

  test('a folder, with its collateral, in 100 columns', async () => {
    const inspection = await seen(file('quote.bin', cpu.quote), file('collateral.json', cpu.collateralJson))
    expect(inspection.items).toHaveLength(1)
    expect(inspection.collateral.map((c) => c.kind)).toContain('intel-document')
    for (const full of [false, true]) expect(widest(renderInspection(inspection, full))).toBeLessThanOrEqual(100)
  })

  test('certificates that a bundle puts beside a quote are shown with it, broken ones told', async () => {
    const beside = (certs: readonly Uint8Array[]) => ({
      kind: 'vouchsafe/1',
      items: [{ id: 'cpu', format: 'intel/sgx-quote', data: toBase64(sgx()), certs: certs.map(toBase64) }],
    })
    const shown = async (...certs: readonly Uint8Array[]) =>
      (await seen(file('bundle', JSON.stringify(beside(certs))))).items[0]
    expect((await shown(tdxMachine('another').pck))?.certificates).toHaveLength(4)
    const broken = await shown(Uint8Array.of(0, 0, 0))
    expect(broken?.certificates).toHaveLength(3)
    expect(broken?.problems.map((p) => p.code)).toEqual(['DER_NOT_CANONICAL'])
  })
})

describeEvidence('intel/sgx-v3-oasis-eppid-cert3', () => {
  test('a quote that only names its PCK certificate says how', async () => {
    const shown = await item(evidence('intel/sgx-v3-oasis-eppid-cert3/quote.bin'))
    expect(shown.problems).toEqual([])
    expect(shown.certificates).toEqual([])
    expect(section(shown.sections, 'How the PCK certificate is named').fields.map((f) => f.name)).toEqual([
      ...['encryptedPpid', 'cpuSvn', 'pceSvn', 'pceId'],
    ])
  })
})

describeEvidence('intel/eventlog-ccel-gcp-cos113', () => {
  test('a quote of a guest of Google’s: padded, its chain below Intel’s pinned root', async () => {
    const shown = await item(evidence('intel/eventlog-ccel-gcp-cos113/quote.bin'))
    expect(shown.problems).toEqual([])
    expect(shown.sections.at(-1)?.title).toBe('Padding')
    expect(shown.certificates.map((c) => c.pinned)).toEqual([undefined, undefined, 'intel/Intel SGX Root CA'])
  })
})
