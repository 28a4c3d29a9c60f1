import { expect, it } from 'vitest'
import { EV } from '../../../src/attestation/event-log/event-types.ts'
import {
  composeHashOf,
  decodeCcelTable,
  decodeTcgLog,
  type TcgProfile,
} from '../../../src/attestation/event-log/index.ts'
import type { Code } from '../../../src/core/codes.ts'
import { take } from '../../../src/core/outcome.ts'
import { accepted, refused } from '../../reject/row.ts'
import { describeEvidence, evidence, evidenceJson, hasEvidence } from '../../support/evidence.ts'
import { judgeLog, mrConfigIdOf, rtmrsOf } from './support.ts'

const TPM: TcgProfile = {
  highestRegister: 23,
  algorithms: ['sha1', 'sha256', 'sha384'],
  mostEvents: 4096,
  codes: { malformed: 'TDX_EVENT_LOG_MALFORMED', tooMany: 'LIMIT_EVENT_LOG_COUNT' },
}

const TD: TcgProfile = { ...TPM, highestRegister: 4, algorithms: ['sha384'] }

describeEvidence('intel/eventlog-ccel-gcp-cos113', () => {
  const folder = 'intel/eventlog-ccel-gcp-cos113'
  const quote = evidence(`${folder}/quote.bin`)
  const scene = { log: evidence(`${folder}/ccel.bin`), rtmrs: rtmrsOf(quote) }

  it('replays to the registers of its quote', async () => {
    const judged = take(await judgeLog(scene, { mrConfigId: mrConfigIdOf(quote) }))
    expect(judged.form).toBe('ccel')
    expect(judged.registers).toEqual([
      { index: 0, events: 16, matches: true },
      { index: 1, events: 7, matches: true },
      { index: 2, events: 20, matches: true },
      { index: 3, events: 0, matches: true },
    ])
    expect(judged.claims).toEqual({ secureBoot: false })
  })

  it('interprets what firmware hashed as it is logged, and nothing of GRUB', async () => {
    const judged = take(await judgeLog(scene))
    expect(judged.events.map((e) => `${e.register} ${e.name}${e.beforeBoundary ? '' : ' after'}`)).toEqual([
      ...['0 SecureBoot', '0 PK', '0 KEK', '0 db', '0 dbx', '0 separator after'],
      ...['1 Calling EFI Application from Boot Option', '1 separator after', '1 GPT after'],
      ...['0 SbatLevel after', '0 MokListTrusted after'],
      ...['1 Exit Boot Services Invocation after', '1 Exit Boot Services Returned with Success after'],
    ])
    expect(judged.digestOnly).toHaveLength(43 - judged.events.length)
    expect(judged.digestOnly.filter((e) => e.type === EV.IPL)).toHaveLength(20)
  })

  it('TDX_EVENT_LOG_MISMATCH or TDX_EVENT_DIGEST_MISMATCH: any bit of any digest', async () => {
    const { events } = take(decodeTcgLog(scene.log, 'log', TD))
    for (const event of events) {
      const log = scene.log.slice()
      const digestAt = event.offset + 14
      log[digestAt] = (log[digestAt] ?? 0) ^ 1
      const isStrict = [EV.SEPARATOR, EV.EFI_ACTION, EV.EFI_VARIABLE_DRIVER_CONFIG, EV.EFI_GPT_EVENT].some(
        (t) => t === event.type,
      )
      refused(await judgeLog({ ...scene, log }), [isStrict ? 'TDX_EVENT_DIGEST_MISMATCH' : 'TDX_EVENT_LOG_MISMATCH'])
    }
  })

  it('without its padding it is the same log', async () => {
    accepted(await judgeLog({ ...scene, log: scene.log.subarray(0, 18101) }))
    refused(await judgeLog({ ...scene, log: scene.log.subarray(0, 18100) }), ['TDX_EVENT_LOG_MALFORMED'])
  })

  it('its table says how long the area is', () => {
    expect(take(decodeCcelTable(evidence(`${folder}/ccel_table.bin`), 'table'))).toMatchObject({
      logAreaMinimumLength: 262144n,
    })
  })
})

describeEvidence('intel', () => {
  it.each([
    ['1d0342e3', '86b0e55f2fa8e4fb69d890f14f54d5612707646e2573d54e0d2ddaaade77caa9', 'kms'],
    ['b9e238b2', '2911e1f733466216dedb862d6d669e11256ee7a34ce4dbc66c4b807ba7a9c895', 'local-sgx'],
    ['cbdb5b2f', '3763bc34552cf3a27ff71ad5f7a90471562a1a2df552dfc1998cba2d60da27e7', 'local-sgx'],
  ])('dstack log %s replays to the registers of its quote', async (id, composeHash, keyProvider) => {
    const folder = `intel/eventlog-dstack-${id}`
    const quote = evidence(`${folder}/quote.bin`)
    const scene = { log: evidence(`${folder}/eventlog.json`), rtmrs: rtmrsOf(quote) }
    const mrConfigId = mrConfigIdOf(quote)
    const judged = take(await judgeLog(scene, { mrConfigId }))
    expect(judged.form).toBe('dstack-v1')
    expect(judged.claims).toMatchObject({
      composeHash,
      appId: composeHash.slice(0, 40),
      keyProvider: { name: keyProvider },
    })
    expect([composeHash, undefined]).toContain(composeHashOf(mrConfigId))
    expect(judged.digestOnly.every((e) => e.register < 3)).toBe(true)
    // The other version is never tried: under it, a log with digests contradicts itself, and one without does not replay.
    const other = await judgeLog(scene, { mrConfigId, dstackVersion: 2 })
    refused(other, [id === '1d0342e3' ? 'TDX_EVENT_LOG_MISMATCH' : 'TDX_EVENT_DIGEST_MISMATCH'])
  })

  type Event = Record<'imr' | 'event' | 'event_payload' | 'digest', unknown>
  const at = (events: readonly Event[], name: string) => events.findIndex((e) => e.event === name)
  const changed = (name: string, to: Partial<Event>) => (events: readonly Event[]) =>
    events.map((e) => (e.event === name ? { ...e, ...to } : e))

  it.each<[code: Code, what: string, edit: (events: readonly Event[]) => readonly Event[]]>([
    ['TDX_EVENT_DIGEST_MISMATCH', 'payload changed', changed('compose-hash', { event_payload: '00'.repeat(32) })],
    ['TDX_EVENT_DIGEST_MISMATCH', 'name changed', changed('storage-fs', { event: 'storage' })],
    [
      'TDX_EVENT_LOG_MISMATCH',
      'payload changed, no digest',
      changed('app-id', { digest: '', event_payload: '00'.repeat(20) }),
    ],
    ['TDX_EVENT_LOG_MISMATCH', 'one dropped', (events) => events.filter((e) => e.event !== 'boot-mr-done')],
    ['TDX_EVENT_LOG_MISMATCH', 'one doubled', (events) => [...events, ...events.slice(-1)]],
    [
      'TDX_EVENT_LOG_MISMATCH',
      'one in another register',
      (events) => [{ ...events[0], imr: 1 } as Event, ...events.slice(1)],
    ],
    [
      'TDX_EVENT_LOG_MISMATCH',
      'two in the other order',
      (events) => {
        const i = at(events, 'app-id')
        return [...events.slice(0, i), ...events.slice(i, i + 2).reverse(), ...events.slice(i + 2)]
      },
    ],
  ])('%s: %s', async (code, _, edit) => {
    const folder = 'intel/eventlog-dstack-b9e238b2'
    const rtmrs = rtmrsOf(evidence(`${folder}/quote.bin`))
    const log = (events: unknown) => new TextEncoder().encode(JSON.stringify(events))
    const events = evidenceJson<readonly Event[]>(`${folder}/eventlog.json`)
    accepted(await judgeLog({ log: log(events), rtmrs }))
    refused(await judgeLog({ log: log(edit(events)), rtmrs }), [code])
  })

  it('what an application measures after system-ready is told as its own', async () => {
    const folder = 'intel/eventlog-dstack-b9e238b2'
    const scene = { log: evidence(`${folder}/eventlog.json`), rtmrs: rtmrsOf(evidence(`${folder}/quote.bin`)) }
    const judged = take(await judgeLog(scene))
    expect(judged.events.filter((e) => !e.beforeBoundary).map((e) => e.name)).toEqual([
      'system-ready',
      'mpc-image-digest',
    ])
  })
})

describeEvidence('tpm-and-clouds', () => {
  interface Row {
    readonly path: string
  }
  const logs = evidenceJson<readonly Row[]>('index.json')
    .map((row) => row.path)
    .filter((path) => path.startsWith('tpm-and-clouds/eventlog-') && hasEvidence(`${path}/eventlog.bin`))
  /** Written in the form before crypto agility, which this reader is not for. */
  const OLD = ['ebs-event-missing', 'option-rom', 'short-no-action']

  it('holds logs of both forms', () => {
    expect(logs.length).toBeGreaterThan(10)
    expect(logs.filter((path) => OLD.some((old) => path.includes(old)))).toHaveLength(OLD.length)
  })

  it.each(logs)('%s: the reader serves the logs of TPMs as well', (path) => {
    const log = decodeTcgLog(evidence(`${path}/eventlog.bin`), 'log', TPM)
    if (OLD.some((old) => path.includes(old))) return refused(log, ['TDX_EVENT_LOG_MALFORMED'])
    const { algorithms, events, sizeBytes } = take(log)
    expect(sizeBytes).toBe(evidence(`${path}/eventlog.bin`).length)
    expect(events.length).toBeGreaterThan(10)
    expect(events.every((e) => e.digests.size === algorithms.length)).toBe(true)
  })
})
