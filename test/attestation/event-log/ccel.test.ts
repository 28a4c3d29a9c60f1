import { describe, expect, it, test } from 'vitest'
import { decodeCcelTable, looksLikeCcel, looksLikeCcelTable } from '../../../src/attestation/event-log/index.ts'
import { uefiVariable } from '../../../src/attestation/event-log/uefi-variable.ts'
import type { Code } from '../../../src/core/codes.ts'
import { LIMITS } from '../../../src/core/limits.ts'
import { take } from '../../../src/core/outcome.ts'
import {
  CCEL_BOOT,
  CCEL_FAULTS,
  type CcelArea,
  type CcelFault,
  ccelLog,
  ccelTable,
  type TestCcelEvent,
  uefiVariableData,
} from '../../../src/testing/index.ts'
import { accepted, refused } from '../../reject/row.ts'
import { judgeLog } from './support.ts'

const LAST = CCEL_BOOT.length - 1

describe('a log area of a TD', () => {
  it('is replayed, and only what was recomputed is interpreted', async () => {
    const judged = take(await judgeLog(ccelLog()))
    expect(judged.registers.map((r) => r.events)).toEqual([8, 5, 2, 0])
    expect(judged.claims).toEqual({ secureBoot: true })
    expect(judged.events.map((e) => [e.sequence, e.register, e.name, e.beforeBoundary])).toEqual([
      [1, 0, 'SecureBoot', true],
      [2, 0, 'PK', true],
      [3, 0, 'KEK', true],
      [4, 0, 'db', true],
      [5, 0, 'dbx', true],
      [6, 0, 'separator', false],
      [7, 1, 'Calling EFI Application from Boot Option', true],
      [8, 1, 'separator', false],
      [9, 1, 'GPT', false],
      [11, 0, 'MokListTrusted', false],
      [14, 1, 'Exit Boot Services Returned with Success', false],
    ])
    expect(judged.digestOnly.map((e) => e.sequence)).toEqual([0, 10, 12, 13])
    expect(judged.digestOnly.every((e) => !('name' in e) && !('payload' in e))).toBe(true)
  })

  it('tells long payloads by their digest alone', async () => {
    const judged = take(await judgeLog(ccelLog()))
    expect(judged.events.find((e) => e.name === 'db')?.payload).toBeUndefined()
    expect(judged.events.find((e) => e.name === 'separator')?.payload).toBe('00000000')
  })

  it('says nothing of secure boot where firmware did not measure it', async () => {
    const events = CCEL_BOOT.filter((_, i) => i !== 2)
    expect(take(await judgeLog(ccelLog({ events }))).claims).toEqual({ secureBoot: undefined })
  })

  test.each<[string, CcelArea]>([
    ['padded with 0x00', { padding: 0x00 }],
    ['without padding', { end: 'none' }],
    ['of one mebibyte', { areaBytes: LIMITS.eventLogBytes }],
  ])('%s', async (_, area) => accepted(await judgeLog(ccelLog(area))))

  it('ends where fewer bytes of padding are left than a record begins with', async () => {
    const { length } = ccelLog({ end: 'none' }).log
    for (const more of [1, 4, 7]) accepted(await judgeLog(ccelLog({ areaBytes: length + more })))
  })

  it('refuses registers that are not four of 48 bytes: a programmer passed them', async () => {
    const { log, rtmrs } = ccelLog()
    await expect(judgeLog({ log, rtmrs: rtmrs.slice(1) })).rejects.toThrow(TypeError)
    await expect(judgeLog({ log, rtmrs: rtmrs.map((r) => r.subarray(1)) })).rejects.toThrow(TypeError)
  })
})

describe('one thing wrong with the events', () => {
  const CODES: Readonly<Record<CcelFault, Code>> = {
    drop: 'TDX_EVENT_LOG_MISMATCH',
    'drop-last': 'TDX_EVENT_LOG_MISMATCH',
    reorder: 'TDX_EVENT_LOG_MISMATCH',
    duplicate: 'TDX_EVENT_LOG_MISMATCH',
    add: 'TDX_EVENT_LOG_MISMATCH',
    move: 'TDX_EVENT_LOG_MISMATCH',
    'payload-changed': 'TDX_EVENT_DIGEST_MISMATCH',
    'separator-twice': 'TDX_EVENT_SEPARATOR_INVALID',
    'separator-hidden': 'TDX_EVENT_SEPARATOR_INVALID',
    'separator-missing': 'TDX_EVENT_SEPARATOR_INVALID',
    'separator-error': 'TDX_EVENT_SEPARATOR_INVALID',
    'separator-long': 'TDX_EVENT_SEPARATOR_INVALID',
    'variable-after-separator': 'TDX_EVENT_AFTER_BOUNDARY',
    'variable-in-rtmr1': 'TDX_EVENT_AFTER_BOUNDARY',
    'variable-twice': 'TDX_EVENT_DUPLICATE',
    'variable-of-others': 'TDX_EVENT_PAYLOAD_INVALID',
    'variable-value': 'TDX_EVENT_PAYLOAD_INVALID',
  }
  const faults = Object.keys(CCEL_FAULTS) as CcelFault[]

  test.each(faults.map((wrong) => [CODES[wrong], wrong] as const))('%s: %s', async (code, wrong) => {
    accepted(await judgeLog(ccelLog()))
    refused(await judgeLog(ccelLog({ wrong })), [code])
  })

  it('names the first register that differs, and how many events led there', async () => {
    const judged = await judgeLog(ccelLog({ wrong: 'move' }))
    expect(judged).toMatchObject({ ok: false, faults: [{ path: 'eventLog.rtmr2' }] })
    expect(judged.ok ? '' : judged.faults[0].actual).toMatch(/^[0-9a-f]{96} after 1 events$/)
    expect(judged.ok ? '' : judged.faults[0].expected).toMatch(/^[0-9a-f]{96} of the quote$/)
  })

  test.each([0, 1, 2, 3])('a register of the quote that the log does not lead to: RTMR%i', async (index) => {
    const { log, rtmrs } = ccelLog()
    const other = rtmrs.map((r, i) => (i === index ? r.map((byte, at) => (at === 47 ? byte ^ 1 : byte)) : r))
    accepted(await judgeLog({ log, rtmrs }))
    refused(await judgeLog({ log, rtmrs: other }), ['TDX_EVENT_LOG_MISMATCH'])
  })

  it('data under the digest of other bytes is not interpreted where the form allows it', async () => {
    const lie: TestCcelEvent = {
      register: 0,
      type: 0x800000e0,
      data: uefiVariableData('MokListTrusted', Uint8Array.of(0)),
      hashed: uefiVariableData('MokListTrusted', Uint8Array.of(1)),
    }
    const judged = take(await judgeLog(ccelLog({ events: [...CCEL_BOOT, lie] })))
    expect(judged.events.filter((e) => e.name === 'MokListTrusted')).toHaveLength(1)
    expect(judged.digestOnly.at(-1)).toMatchObject({ register: 0, type: 0x800000e0 })
  })
})

describe('bytes that are no log area', () => {
  const bad: readonly (readonly [what: string, area: CcelArea])[] = [
    ['no Spec ID', { signature: 'Spec ID Event02' }],
    ['no algorithm', { algorithms: [] }],
    ['an algorithm count of 0xffffffff', { algorithmCount: 0xffffffff }],
    ['an algorithm count beyond the record', { algorithmCount: 2 }],
    ['SHA-256 as the algorithm', { algorithms: [[0x000b, 32]] }],
    [
      'two algorithms',
      {
        algorithms: [
          [0x000c, 48],
          [0x000b, 32],
        ],
      },
    ],
    [
      'an algorithm twice',
      {
        algorithms: [
          [0x000c, 48],
          [0x000c, 48],
        ],
      },
    ],
    ['SHA-384 of 32 bytes', { algorithms: [[0x000c, 32]] }],
    ['an unknown algorithm', { algorithms: [[0x0012, 32]] }],
    ['a digest count of 0xffffffff', { digestCount: [3, 0xffffffff] }],
    ['a digest count of 0', { digestCount: [3, 0] }],
    ['a digest count of 2', { digestCount: [3, 2] }],
    ['an event of another algorithm', { algorithmId: [3, 0x000b] }],
    ['an event of an unknown algorithm', { algorithmId: [3, 0x1234] }],
    ['an event larger than the area', { size: [3, 0xffffffff] }],
    ['an event one byte larger than the area', { end: 'none', size: [LAST, 41] }],
    ['an event in MRTD', { register: [3, 0] }],
    ['an event in register 5', { register: [3, 5] }],
    ['bytes in the padding', { behind: [100, Uint8Array.of(0)] }],
    ['a record behind the end', { padding: 0, behind: [8, Uint8Array.of(1, 0, 0, 0, 4)] }],
  ]
  test.each(bad)('TDX_EVENT_LOG_MALFORMED: %s', async (_, area) => {
    accepted(await judgeLog(ccelLog()))
    refused(await judgeLog(ccelLog(area)), ['TDX_EVENT_LOG_MALFORMED'])
  })

  it('every truncation is refused, wherever it falls', async () => {
    const { log, rtmrs } = ccelLog({ end: 'none' })
    accepted(await judgeLog({ log, rtmrs }))
    const cuts = Array.from({ length: log.length }, (_, i) => i).filter((i) => i < 400 || i > log.length - 200)
    for (const cut of cuts) {
      const judged = await judgeLog({ log: log.subarray(0, cut), rtmrs })
      expect(judged.ok, `${cut}`).toBe(false)
    }
  })

  it('LIMIT_EVENT_LOG_BYTES: one byte more than a mebibyte', async () => {
    accepted(await judgeLog(ccelLog({ areaBytes: LIMITS.eventLogBytes })))
    refused(await judgeLog(ccelLog({ areaBytes: LIMITS.eventLogBytes + 1 })), ['LIMIT_EVENT_LOG_BYTES'])
  })

  it('LIMIT_EVENT_LOG_COUNT: 4097 events', async () => {
    const event: TestCcelEvent = { register: 3, type: 0xd, data: new Uint8Array() }
    const events = (count: number) => [...CCEL_BOOT, ...Array<TestCcelEvent>(count - CCEL_BOOT.length).fill(event)]
    const area = { areaBytes: 512 * 1024 }
    accepted(await judgeLog(ccelLog({ ...area, events: events(LIMITS.eventLogEvents) })))
    refused(await judgeLog(ccelLog({ ...area, events: events(LIMITS.eventLogEvents + 1) })), ['LIMIT_EVENT_LOG_COUNT'])
  })

  it('a mebibyte of anything is answered at once', async () => {
    const { log, rtmrs } = ccelLog({ areaBytes: LIMITS.eventLogBytes })
    const head = log.subarray(0, 65)
    const fills = [0x00, 0x01, 0x0c, 0xfe, 0xff].map((byte) => new Uint8Array(LIMITS.eventLogBytes).fill(byte))
    const started = performance.now()
    for (const fill of fills) {
      fill.set(head)
      refused(await judgeLog({ log: fill, rtmrs }), [
        fill[100] === 0 || fill[100] === 0xff ? 'TDX_EVENT_LOG_MISMATCH' : 'TDX_EVENT_LOG_MALFORMED',
      ])
    }
    expect(performance.now() - started).toBeLessThan(2000)
  })

  it('is recognised by the first record alone', () => {
    expect(looksLikeCcel(ccelLog().log)).toBe(true)
    for (const bytes of [new Uint8Array(), new Uint8Array(64), ccelLog({ signature: 'Spec ID Event02' }).log])
      expect(looksLikeCcel(bytes)).toBe(false)
  })
})

describe('UEFI_VARIABLE_DATA', () => {
  const whole = uefiVariableData('SecureBoot', Uint8Array.of(1))

  it('is read in full', () => {
    expect(uefiVariable(whole)).toMatchObject({ name: 'SecureBoot', data: Uint8Array.of(1) })
  })

  it('is nothing where a byte is missing or too many', () => {
    for (let cut = 0; cut < whole.length; cut++) expect(uefiVariable(whole.subarray(0, cut))).toBeUndefined()
    expect(uefiVariable(Uint8Array.of(...whole, 0))).toBeUndefined()
  })

  test.each([
    ['a name of more characters than there are bytes', 16],
    ['a name of 2^32 characters', 20],
    ['data of 2^32 bytes', 28],
    ['a name that is not ASCII', 33],
  ])('is nothing with %s', (_, at) => {
    expect(uefiVariable(whole.map((byte, i) => (i === at ? 0xff : byte)))).toBeUndefined()
  })
})

describe('the ACPI table CCEL', () => {
  const table = ccelTable(65536)

  it('says where the log area is', () => {
    expect(looksLikeCcelTable(table)).toBe(true)
    expect(take(decodeCcelTable(table, 'table'))).toEqual({
      ccSubtype: 0,
      logAreaMinimumLength: 65536n,
      logAreaStartAddress: 0x7fff0000n,
    })
  })

  const edited = (at: number, value: number) =>
    ccelTable(65536, (t) => {
      t[at] = value
    })
  test.each([
    ['another signature', edited(0, 0x44)],
    ['another length', edited(4, 57)],
    ['the table of an SEV guest', edited(36, 1)],
    ['a checksum that is off', table.map((byte, i) => (i === 9 ? byte ^ 1 : byte))],
    ['a byte too few', table.subarray(1)],
    ['nothing', new Uint8Array()],
  ])('TDX_EVENT_LOG_MALFORMED: %s', (_, bytes) => {
    accepted(decodeCcelTable(table, 'table'))
    refused(decodeCcelTable(bytes, 'table'), ['TDX_EVENT_LOG_MALFORMED'])
  })
})
