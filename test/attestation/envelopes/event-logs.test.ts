import { readdirSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { type EvidenceFile, readEvidence } from '../../../src/attestation/envelopes/index.ts'
import { concatBytes, latin1, utf8 } from '../../../src/core/bytes.ts'
import { createVerificationCache } from '../../../src/core/context.ts'
import { toBase64, toHex } from '../../../src/core/encodings.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { LIMITS } from '../../../src/core/limits.ts'
import { take } from '../../../src/core/outcome.ts'
import { NO_COLLATERAL, verify } from '../../../src/index.ts'
import { ccelLog, ccelTable, dstackLog } from '../../../src/testing/index.ts'
import { accepted, refused } from '../../reject/row.ts'
import { bundle, bundleItem, cpu } from '../../reject/stage.ts'
import { describeEvidence, evidence, evidencePath } from '../../support/evidence.ts'

/** Bytes that a TDX quote begins with, and as many as one has. The envelope looks no further. */
const quote = (fill = 7): Uint8Array =>
  concatBytes(Uint8Array.of(4, 0, 2, 0, 0x81, 0, 0, 0), new Uint8Array(1292).fill(fill))

const file = (name: string, content: string | Uint8Array): EvidenceFile => ({
  name,
  bytes: typeof content === 'string' ? utf8(content) : content,
})
const QUOTE = file('quote.bin', quote())
const CCEL = ccelLog().log
const DSTACK = latin1(dstackLog().log)
const SPACED = JSON.stringify(JSON.parse(DSTACK), null, 1)

const answer = (members: JsonObject = {}) => ({
  quote: toHex(quote()),
  event_log: DSTACK,
  report_data: '00'.repeat(64),
  vm_config: '{}',
  ...members,
})
const read = (...files: readonly EvidenceFile[]) => take(readEvidence(files))
const logsOf = (...files: readonly EvidenceFile[]) => read(...files).set.items.map((item) => item.eventLogs)

describe('a log beside a quote goes to the quote, whatever its name', () => {
  it('CCEL, with the table that says how long it is', () => {
    expect(logsOf(QUOTE, file('a', CCEL))).toEqual([[CCEL]])
    const both = read(QUOTE, file('a', CCEL), file('b', ccelTable(CCEL.length)))
    expect(both).toMatchObject({ set: { items: [{ eventLogs: [CCEL] }] }, ignored: [] })
  })

  it('dstack, in canonical form', () => {
    expect(logsOf(QUOTE, file('a', DSTACK))).toEqual(logsOf(QUOTE, file('b.json', SPACED)))
    expect(logsOf(QUOTE, file('a', DSTACK), file('b', SPACED))[0]).toHaveLength(1)
    expect(logsOf(QUOTE, file('a', DSTACK), file('b', CCEL))[0]).toHaveLength(2)
  })

  it('the same quote and log as an answer and as files is one item with one log', () => {
    const whole = read(file('answer.json', JSON.stringify(answer())), QUOTE, file('log.json', SPACED))
    expect(whole.set).toMatchObject({ carrier: 'dstack/quote', items: [{ id: 'cpu', kind: 'intel/tdx-quote' }] })
    expect(whole.set.items[0].eventLogs).toHaveLength(1)
    const padded = file('quote.bin', concatBytes(quote(), new Uint8Array(70)))
    expect(read(file('answer.json', JSON.stringify(answer())), padded).set.items).toHaveLength(1)
    const other = file('quote.bin', concatBytes(quote(), Uint8Array.of(0, 1)))
    expect(read(file('answer.json', JSON.stringify(answer())), other).set.items).toHaveLength(2)
  })

  it('nobody knows whose it is: it is named as not judged', () => {
    const logs = [file('a.bin', CCEL), file('b.bin', ccelTable(CCEL.length))]
    expect(read(file('report.bin', cpu().report), ...logs).ignored).toEqual(['a.bin', 'b.bin'])
    expect(read(QUOTE, file('other.bin', quote(8)), ...logs).ignored).toEqual(['a.bin', 'b.bin'])
    expect(read(QUOTE, file('b.bin', ccelTable(1))).ignored).toEqual(['b.bin'])
  })

  test.each([
    ['a CCEL', file('log', CCEL)],
    ['a dstack log', file('log', DSTACK)],
    ['a CCEL table', file('log', ccelTable(1))],
  ])('ENV_NOTHING_TO_JUDGE: %s alone', (_, log) => {
    accepted(readEvidence([QUOTE, log]))
    refused(readEvidence([log]), ['ENV_NOTHING_TO_JUDGE'])
    refused(readEvidence([log, file('notes', 'hello')]), ['ENV_NOTHING_TO_JUDGE'])
  })

  it('TDX_EVENT_LOG_MALFORMED: a log longer than its table says', () => {
    accepted(readEvidence([QUOTE, file('a', CCEL), file('b', ccelTable(CCEL.length))]))
    refused(readEvidence([QUOTE, file('a', CCEL), file('b', ccelTable(CCEL.length - 1))]), ['TDX_EVENT_LOG_MALFORMED'])
    accepted(readEvidence([QUOTE, file('a', DSTACK), file('b', ccelTable(1))]))
  })

  it('LIMIT_EVENT_LOG_BYTES: more than a mebibyte in all', () => {
    const areas = (...sizes: readonly number[]) =>
      readEvidence([QUOTE, ...sizes.map((areaBytes, i) => file(`${i}.bin`, ccelLog({ areaBytes }).log))])
    const half = LIMITS.eventLogBytes / 2
    accepted(areas(LIMITS.eventLogBytes))
    accepted(areas(half, half))
    refused(areas(LIMITS.eventLogBytes + 1), ['LIMIT_EVENT_LOG_BYTES'])
    refused(areas(half, half + 1), ['LIMIT_EVENT_LOG_BYTES'])
  })
})

describe('a log in a bundle', () => {
  const item = (members: JsonObject) => ({ ...bundleItem('cpu', 'intel/tdx-quote', quote(), []), ...members })
  const bundled = (value: JsonObject) => readEvidence([file('bundle', bundle([value]))])

  it('goes with its item', () => {
    expect(take(bundled(item({ eventLog: toBase64(CCEL) }))).set.items[0].eventLogs).toEqual([CCEL])
    expect(take(bundled(item({}))).set.items[0]).not.toHaveProperty('eventLogs')
  })

  it('JSON_UNKNOWN_KEY: with a report of another kind', () => {
    const snp = bundleItem('cpu', 'amd/snp-report', cpu().report, [])
    accepted(bundled(snp))
    refused(bundled({ ...snp, eventLog: toBase64(CCEL) }), ['JSON_UNKNOWN_KEY'])
  })

  test.each([
    ['LIMIT_REQUEST_BYTES', 'A'.repeat(4 * Math.ceil(LIMITS.eventLogBytes / 3) + 4)],
    ['ENV_BASE64_NOT_CANONICAL', 'AA'],
    ['ENV_EVIDENCE_EMPTY', ''],
    ['JSON_TYPE_MISMATCH', [1]],
  ] as const)('%s', (code, eventLog) => {
    accepted(bundled(item({ eventLog: toBase64(CCEL) })))
    refused(bundled(item({ eventLog })), [code])
  })
})

describe('the answer of a dstack guest agent', () => {
  const answered = (members: JsonObject = {}) => readEvidence([file('answer', JSON.stringify(answer(members)))])

  it('is a quote with its log', () => {
    const { set } = take(answered())
    expect(set).toMatchObject({ carrier: 'dstack/quote', binding: 'raw', items: [{ kind: 'intel/tdx-quote' }] })
    expect(set.items[0].bytes).toEqual(quote())
  })

  test.each([
    ['HEX_NOT_CANONICAL', 'a quote in base64', { quote: toBase64(quote()) }],
    ['HEX_NOT_CANONICAL', 'a quote of an odd number of digits', { quote: `${toHex(quote())}0` }],
    ['ENV_KIND_MISMATCH', 'a report of another kind', { quote: toHex(cpu().report) }],
    ['ENV_MOCK_EVIDENCE', 'a mock', { quote: toHex(utf8('MOCK'.repeat(300))) }],
    ['LIMIT_EVIDENCE_BYTES', 'a quote of more than 64 KiB', { quote: '00'.repeat(LIMITS.evidenceBytes + 1) }],
    ['TDX_EVENT_LOG_MALFORMED', 'a log that is no list', { event_log: '{}' }],
    ['TDX_EVENT_LOG_MALFORMED', 'an empty log', { event_log: '[]' }],
    ['JSON_SYNTAX', 'a log that is no JSON', { event_log: '[' }],
    ['JSON_DUPLICATE_KEY', 'a log with a member twice', { event_log: '[{"imr":0,"imr":0}]' }],
    ['JSON_UNKNOWN_KEY', 'a member that nobody knows', { verifier: 'https://example.com' }],
  ] as const)('%s: %s', (code, _, members) => {
    accepted(answered())
    refused(answered(members), [code])
  })
})

describe('the digest of the evidence', () => {
  const digestOf = async (...files: readonly EvidenceFile[]) => {
    const decision = await verify(files, {
      now: 1_790_000_000,
      policy: null,
      freshness: { kind: 'notGiven' },
      collateral: NO_COLLATERAL,
      lease: null,
      physical: 'unknown',
      referenceValues: [],
      injectedAnchors: [],
      cache: createVerificationCache(),
    })
    return decision.evidenceDigest
  }

  it('covers the log', async () => {
    const other = CCEL.map((byte, i) => (i === CCEL.length - 1 ? byte ^ 1 : byte))
    const logs = [[], [file('log', CCEL)], [file('log', other)], [file('log', CCEL), file('more', DSTACK)]]
    const digests = await Promise.all(logs.map((beside) => digestOf(QUOTE, ...beside)))
    expect(new Set(digests).size).toBe(logs.length)
  })

  it('does not cover the spaces of a JSON log, which nobody reads', async () => {
    expect(await digestOf(QUOTE, file('a', DSTACK))).toBe(await digestOf(QUOTE, file('b', SPACED)))
  })
})

describeEvidence('intel', () => {
  const filesOf = (path: string) =>
    readdirSync(evidencePath(path)).map((name) => file(name, evidence(`${path}/${name}`)))

  test.each([
    'eventlog-ccel-gcp-cos113',
    'eventlog-dstack-1d0342e3',
    'eventlog-dstack-b9e238b2',
    'eventlog-dstack-cbdb5b2f',
  ])('%s is a quote with one log', (id) => {
    const { set, ignored } = read(...filesOf(`intel/${id}`))
    expect(set.items.map(({ id: item, kind, eventLogs }) => [item, kind, eventLogs?.length])).toEqual([
      ['cpu', 'intel/tdx-quote', 1],
    ])
    expect(ignored).toEqual(['case.json', 'nonce.bin'].filter((name) => ignored.includes(name)))
  })
})
