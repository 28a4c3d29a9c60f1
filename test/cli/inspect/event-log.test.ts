import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { EventLogView, Inspection } from '../../../src/cli/inspect/model.ts'
import { inspect } from '../../../src/cli/inspect/read.ts'
import { renderInspection } from '../../../src/cli/inspect/render.ts'
import { concatBytes, utf8 } from '../../../src/core/bytes.ts'
import { toHex } from '../../../src/core/encodings.ts'
import { LIMITS } from '../../../src/core/limits.ts'
import { take } from '../../../src/core/outcome.ts'
import { ccelLog, ccelTable, type DstackSpec, dstackLog } from '../../../src/testing/index.ts'
import { scratchFolder, vouchsafe, widest } from '../run.ts'

const QUOTE = concatBytes(Uint8Array.of(4, 0, 2, 0, 0x81, 0, 0, 0), new Uint8Array(1292).fill(7))
const file = (name: string, bytes: Uint8Array) => ({ name, bytes })
const seen = async (...files: readonly { name: string; bytes: Uint8Array }[]): Promise<Inspection> =>
  take(await inspect(files))

async function alone(bytes: Uint8Array): Promise<EventLogView> {
  const [view, ...more] = (await seen(file('log', bytes))).eventLogs ?? []
  if (view === undefined || more.length > 0) throw new TypeError('not one log')
  return view
}

describe('a log alone', () => {
  test('CCEL: register, type, name, digest, whether recomputed, and what the registers come to', async () => {
    const { log, rtmrs } = ccelLog()
    const view = await alone(log)
    expect(view).toMatchObject({ form: 'ccel', file: 'log', sizeBytes: log.length, problems: [] })
    expect(view.registers.map((r) => r.replayed)).toEqual(rtmrs.map(toHex))
    expect(view.registers.map((r) => r.events)).toEqual([8, 5, 2, 0])
    expect(view.events.map((e) => `${e.register} ${e.typeName} ${e.recomputed ? 'yes' : 'no'} ${e.says}`)).toEqual([
      '0 EV_EFI_HANDOFF_TABLES2 no TdxTable',
      '0 EV_EFI_VARIABLE_DRIVER_CONFIG yes SecureBoot 01',
      '0 EV_EFI_VARIABLE_DRIVER_CONFIG yes PK 706c6174666f726d206b6579',
      '0 EV_EFI_VARIABLE_DRIVER_CONFIG yes KEK 6b65792065786368616e6765206b6579',
      '0 EV_EFI_VARIABLE_DRIVER_CONFIG yes db',
      '0 EV_EFI_VARIABLE_DRIVER_CONFIG yes dbx 7265766f6b6564',
      '0 EV_SEPARATOR yes separator',
      '1 EV_EFI_ACTION yes Calling EFI Application from Boot Option',
      '1 EV_SEPARATOR yes separator',
      '1 EV_EFI_GPT_EVENT yes GPT',
      '1 EV_EFI_BOOT_SERVICES_APPLICATION no a device path',
      '0 EV_EFI_VARIABLE_AUTHORITY yes MokListTrusted 01',
      '2 EV_IPL no grub_cmd: linux',
      '2 EV_IPL no kernel_cmdline: quiet',
      '1 EV_EFI_ACTION yes Exit Boot Services Returned with Success',
    ])
  })

  test.each<[string, DstackSpec, number, string]>([
    ['version 1', {}, 1, 'its digests are of this version'],
    ['version 2', { version: 2 }, 2, 'its digests are of this version'],
    ['without digests', { digests: 'stripped' }, 1, 'assumed: no digest in it tells'],
  ])('dstack, %s', async (_, spec, number, because) => {
    const { log, rtmrs } = dstackLog(spec)
    const view = await alone(log)
    expect(view).toMatchObject({ form: 'dstack', version: { number, because }, problems: [] })
    expect(view.registers.map((r) => r.replayed)).toEqual(rtmrs.map(toHex))
    expect(view.events.map((e) => e.recomputed)).toEqual(view.events.map((e) => e.register === 3))
    expect(view.events.map((e) => e.says)).toContain('key-provider "{\\"name\\":\\"kms\\",\\"id\\":\\"3059\\"}"')
    expect(view.events.map((e) => e.says)).toContain(`instance-id ${'c3'.repeat(20)}`)
  })

  test('an event that is not what was measured is told, and not followed', async () => {
    const { log, rtmrs } = dstackLog({ wrong: 'payload-changed' })
    const view = await alone(log)
    expect(view.events.filter((e) => e.register === 3 && !e.recomputed).map((e) => e.says.split(' ')[0])).toEqual([
      'compose-hash',
    ])
    expect(view.registers[3]?.replayed).not.toBe(toHex(rtmrs[3] ?? new Uint8Array()))
  })

  test.each([
    ['TDX_EVENT_LOG_MALFORMED', ccelLog({ digestCount: [3, 0xffffffff] }).log],
    ['LIMIT_EVENT_LOG_BYTES', ccelLog({ areaBytes: LIMITS.eventLogBytes + 1 }).log],
    ['HEX_NOT_CANONICAL', utf8('[{"imr":0,"event_type":1,"digest":"","event":"","event_payload":""}]')],
  ])('%s: one that cannot be read is told as such', async (code, bytes) => {
    const view = await alone(bytes)
    expect(view).toMatchObject({ events: [], registers: [] })
    expect(view.problems.map((p) => p.code)).toEqual([code])
  })

  test('a table without a log is nothing to look at', async () => {
    expect(await inspect([file('table', ccelTable(65536))])).toMatchObject({
      faults: [{ code: 'ENV_NOTHING_TO_JUDGE' }],
    })
  })
})

describe('a log among other files', () => {
  test('beside its quote it is shown with it', async () => {
    const { items, eventLogs, ignored } = await seen(file('quote', QUOTE), file('log', ccelLog().log))
    expect(items[0]?.eventLogs?.map((log) => log.form)).toEqual(['ccel'])
    expect(eventLogs).toBeUndefined()
    expect(ignored).toEqual([])
  })

  test('without a quote it is shown by itself', async () => {
    const { items, eventLogs, ignored } = await seen(
      ...[file('a', ccelLog().log), file('b', dstackLog().log), file('notes', utf8('hello'))],
    )
    expect(items).toEqual([])
    expect(eventLogs?.map((log) => [log.file, log.form])).toEqual([
      ['a', 'ccel'],
      ['b', 'dstack'],
    ])
    expect(ignored).toEqual([])
  })
})

describe('for people', () => {
  test.each([
    ['CCEL', ccelLog().log],
    ['dstack', dstackLog().log],
  ])('%s fits the page, digests whole on request', async (_, log) => {
    const inspection = await seen(file('log', log))
    const [short, full] = [renderInspection(inspection, false), renderInspection(inspection, true)]
    expect(widest(short)).toBeLessThanOrEqual(100)
    expect(widest(full)).toBeLessThanOrEqual(100)
    for (const { digest } of inspection.eventLogs?.[0]?.events ?? []) {
      expect(short).not.toContain(digest)
      expect(full).toContain(digest)
    }
  })

  test('vouchsafe inspect LOG', async () => {
    const path = join(scratchFolder(), 'ccel.bin')
    writeFileSync(path, ccelLog().log)
    const ran = await vouchsafe(['inspect', path])
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    expect(ran.stdout).toMatch(/^━━ event log {2}ccel\.bin {2}CCEL {2}65536 bytes$/m)
    expect(ran.stdout).toMatch(/^ {4}1 {2}RTMR0 {2}EV_EFI_VARIABLE_DRIVER_CONFIG .+ yes {9}SecureBoot 01$/m)
    writeFileSync(path, ccelLog({ digestCount: [0, 9] }).log)
    const bad = await vouchsafe(['inspect', path, '--json'])
    expect(bad.exit).toBe(2)
    expect(bad.stderr).toBe('vouchsafe: not everything could be read: TDX_EVENT_LOG_MALFORMED\n')
    expect((JSON.parse(bad.stdout) as Inspection).eventLogs?.[0]?.events).toEqual([])
  })
})
