import { describe, expect, it, test } from 'vitest'
import {
  composeHashOf,
  decodeDstackLog,
  judgeCompose,
  judgeEventLogs,
} from '../../../src/attestation/event-log/index.ts'
import { latin1, utf8 } from '../../../src/core/bytes.ts'
import type { Code } from '../../../src/core/codes.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { LIMITS } from '../../../src/core/limits.ts'
import { take } from '../../../src/core/outcome.ts'
import {
  ccelLog,
  DSTACK_BOOT,
  DSTACK_FAULTS,
  type DstackFault,
  type DstackSpec,
  dstackLog,
  TEST_COMPOSE,
} from '../../../src/testing/index.ts'
import { accepted, refused } from '../../reject/row.ts'
import { digestPort, judgeLog, NO_CONFIG } from './support.ts'

const judge = (spec: DstackSpec = {}, version = spec.version ?? 1) => {
  const made = dstackLog(spec)
  return judgeLog(made, { dstackVersion: version, mrConfigId: made.mrConfigId })
}

const FORMS: readonly (readonly [string, DstackSpec])[] = [
  ['version 1', { version: 1 }],
  ['version 1, stripped', { version: 1, digests: 'stripped' }],
  ['version 2', { version: 2 }],
  ['version 2, stripped', { version: 2, digests: 'stripped' }],
]

describe.each(FORMS)('a dstack log, %s', (_, form) => {
  it('is replayed, and what dstack measured is claimed', async () => {
    const judged = take(await judge(form))
    expect(judged.form).toBe(`dstack-v${form.version}`)
    expect(judged.registers.map((r) => r.events)).toEqual([2, 2, 2, 13])
    expect(judged.claims).toMatchObject({
      appId: expect.stringMatching(/^[0-9a-f]{40}$/),
      composeHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      instanceId: 'c3'.repeat(20),
      osImageHash: '07'.repeat(32),
      keyProvider: { name: 'kms', id: '3059' },
      mrKms: 'ab'.repeat(32),
      gpuPolicyHash: '5a'.repeat(32),
      gpuAttestationSha256: 'e1'.repeat(32),
    })
    expect(judged.events).toHaveLength(13)
    expect(judged.events.filter((e) => !e.beforeBoundary).map((e) => e.name)).toEqual(['system-ready', 'model-digest'])
    expect(judged.digestOnly.map((e) => e.register)).toEqual([0, 0, 1, 1, 2, 2])
  })

  it('is tried under the declared version alone', async () => {
    accepted(await judge(form))
    const code = form.digests === 'stripped' ? 'TDX_EVENT_LOG_MISMATCH' : 'TDX_EVENT_DIGEST_MISMATCH'
    refused(await judge(form, form.version === 1 ? 2 : 1), [code])
  })
})

describe('events that not every guest measures', () => {
  const without = (...names: readonly string[]) => DSTACK_BOOT.filter(({ name }) => !names.includes(name))

  it('are undefined where they are not there', async () => {
    const names = ['mr-kms', 'os-image-hash', 'gpu-policy-hash', 'gpu-attestation', 'storage-fs', 'boot-mr-done']
    const { claims } = take(await judge({ events: without(...names) }))
    expect(claims).toMatchObject({
      osImageHash: undefined,
      mrKms: undefined,
      gpuPolicyHash: undefined,
      gpuAttestationSha256: undefined,
    })
  })

  it('an instance that is none in particular', async () => {
    const events = DSTACK_BOOT.map((e) => (e.name === 'instance-id' ? { ...e, payload: '' } : e))
    expect(take(await judge({ events })).claims).toMatchObject({ instanceId: undefined })
  })

  test.each(['app-id', 'compose-hash', 'instance-id', 'key-provider', 'system-ready'])(
    'TDX_EVENT_MISSING: %s is in every boot',
    async (name) => {
      accepted(await judge())
      refused(await judge({ events: without(name) }), ['TDX_EVENT_MISSING'])
    },
  )
})

describe('one thing wrong with the events', () => {
  const CODES: Readonly<Record<DstackFault, Code>> = {
    drop: 'TDX_EVENT_LOG_MISMATCH',
    'drop-boot': 'TDX_EVENT_LOG_MISMATCH',
    reorder: 'TDX_EVENT_LOG_MISMATCH',
    duplicate: 'TDX_EVENT_LOG_MISMATCH',
    add: 'TDX_EVENT_LOG_MISMATCH',
    move: 'TDX_EVENT_LOG_MISMATCH',
    'payload-changed': 'TDX_EVENT_DIGEST_MISMATCH',
    'payload-changed-without-digest': 'TDX_EVENT_LOG_MISMATCH',
    'after-boundary': 'TDX_EVENT_AFTER_BOUNDARY',
    'boundary-twice': 'TDX_EVENT_AFTER_BOUNDARY',
    'boundary-missing': 'TDX_EVENT_MISSING',
    'trusted-twice': 'TDX_EVENT_DUPLICATE',
    'trusted-missing': 'TDX_EVENT_MISSING',
    'app-id-short': 'TDX_EVENT_PAYLOAD_INVALID',
    'compose-hash-long': 'TDX_EVENT_PAYLOAD_INVALID',
    'mr-kms-empty': 'TDX_EVENT_PAYLOAD_INVALID',
    'key-provider-text': 'TDX_EVENT_PAYLOAD_INVALID',
    'key-provider-member': 'TDX_EVENT_PAYLOAD_INVALID',
    'key-provider-list': 'TDX_EVENT_PAYLOAD_INVALID',
    'gpu-attestation-hash': 'TDX_EVENT_PAYLOAD_INVALID',
  }

  test.each((Object.keys(DSTACK_FAULTS) as DstackFault[]).map((wrong) => [CODES[wrong], wrong] as const))(
    '%s: %s',
    async (code, wrong) => {
      for (const version of [1, 2] as const) {
        accepted(await judge({ version }))
        refused(await judge({ version, wrong }), [code])
      }
    },
  )

  it('names the first register that differs', async () => {
    expect(await judge({ wrong: 'move' })).toMatchObject({ ok: false, faults: [{ path: 'eventLog.rtmr1' }] })
    expect(await judge({ wrong: 'drop' })).toMatchObject({ ok: false, faults: [{ path: 'eventLog.rtmr3' }] })
  })
})

type Event = Record<string, unknown>

/** The log as JSON, edited. The registers stay those of the log as it was. */
function edited(edit: (events: Event[]) => unknown) {
  const { log, rtmrs } = dstackLog()
  const events = JSON.parse(latin1(log)) as Event[]
  return judgeLog({ log: utf8(JSON.stringify(edit(events))), rtmrs })
}
const FIRST_RUNTIME = 6
const member = (at: number, members: JsonObject) =>
  edited((events) => events.map((e, i) => (i === at ? { ...e, ...members } : e)))

describe('JSON that is no log', () => {
  const bad: readonly (readonly [what: string, code: Code, judged: () => ReturnType<typeof judgeLog>])[] = [
    ['no list', 'TDX_EVENT_LOG_MALFORMED', () => edited((events) => ({ events }))],
    ['an empty list', 'TDX_EVENT_LOG_MALFORMED', () => edited(() => [])],
    ['a list of numbers', 'JSON_TYPE_MISMATCH', () => edited(() => [1])],
    ['imr 4', 'TDX_EVENT_LOG_MALFORMED', () => member(0, { imr: 4 })],
    ['imr -1', 'TDX_EVENT_LOG_MALFORMED', () => member(0, { imr: -1 })],
    ['imr in text', 'TDX_EVENT_LOG_MALFORMED', () => member(0, { imr: '0' })],
    ['an event type past 32 bits', 'TDX_EVENT_LOG_MALFORMED', () => member(0, { event_type: 2 ** 32 })],
    ['an event of another type in RTMR3', 'TDX_EVENT_LOG_MALFORMED', () => member(FIRST_RUNTIME, { event_type: 4 })],
    ['an event without name in RTMR3', 'TDX_EVENT_LOG_MALFORMED', () => member(FIRST_RUNTIME, { event: '' })],
    ['a name of 257 characters', 'TDX_EVENT_LOG_MALFORMED', () => member(FIRST_RUNTIME, { event: 'a'.repeat(257) })],
    ['a colon in a name', 'TDX_EVENT_LOG_MALFORMED', () => member(FIRST_RUNTIME, { event: 'a:b' })],
    ['a digest of 47 bytes', 'HEX_NOT_CANONICAL', () => member(0, { digest: 'ab'.repeat(47) })],
    ['a digest of the boot left out', 'HEX_NOT_CANONICAL', () => member(0, { digest: '' })],
    ['a digest in capitals', 'HEX_NOT_CANONICAL', () => member(0, { digest: 'AB'.repeat(48) })],
    ['a payload of odd length', 'HEX_NOT_CANONICAL', () => member(FIRST_RUNTIME, { event_payload: 'abc' })],
    ['a name that is not printable', 'ENV_STRING_NOT_PRINTABLE', () => member(FIRST_RUNTIME, { event: 'a\nb' })],
    ['an unknown member', 'JSON_UNKNOWN_KEY', () => member(0, { digests: [] })],
    ['a member missing', 'JSON_TYPE_MISMATCH', () => edited((e) => e.map(({ digest: _, ...rest }) => rest))],
  ]
  test.each(bad)('%s: %s', async (_, code, judged) => {
    accepted(await edited((events) => events))
    refused(await judged(), [code])
  })

  it('JSON_DUPLICATE_KEY: a member twice', async () => {
    const { log, rtmrs } = dstackLog()
    const twice = latin1(log).replace('"imr":0', '"imr":0,"imr":0')
    accepted(await judgeLog({ log, rtmrs }))
    refused(await judgeLog({ log: utf8(twice), rtmrs }), ['JSON_DUPLICATE_KEY'])
  })

  it('LIMIT_EVENT_LOG_COUNT: 4097 events', () => {
    const event = { imr: 0, event_type: 1, digest: '00'.repeat(48), event: '', event_payload: '' }
    const log = (count: number) => decodeDstackLog(utf8(JSON.stringify(Array(count).fill(event))), 'log')
    accepted(log(LIMITS.eventLogEvents))
    refused(log(LIMITS.eventLogEvents + 1), ['LIMIT_EVENT_LOG_COUNT'])
  })

  it('every truncation is refused', async () => {
    const { log, rtmrs } = dstackLog()
    accepted(await judgeLog({ log, rtmrs }))
    for (let cut = 0; cut < log.length; cut += 7) {
      const judged = await judgeLog({ log: log.subarray(0, cut), rtmrs })
      expect(judged.ok, `${cut}`).toBe(false)
    }
  })
})

describe('a colon in version 1', () => {
  // Without the rule, `a` ‖ `b:c` and `a:b` ‖ `c` are the same hashed bytes.
  it('gives hashed bytes one reading', async () => {
    const application = { register: 3, name: 'a', payload: '623a63' }
    accepted(await judge({ events: [...DSTACK_BOOT, application] }))
    const other = { register: 3, name: 'a:b', payload: '63' }
    refused(await judge({ events: [...DSTACK_BOOT, other] }), ['TDX_EVENT_LOG_MALFORMED'])
    accepted(await judge({ events: [...DSTACK_BOOT, other], version: 2 }))
  })
})

describe('the compose file', () => {
  const compose = utf8(TEST_COMPOSE)
  const { mrConfigId } = dstackLog()
  const composeHash = composeHashOf(mrConfigId) ?? ''
  const file = (bytes: Uint8Array, hash = composeHash) => judgeCompose(bytes, hash, digestPort(), 'compose')
  const hashOf = async (bytes: Uint8Array) => Buffer.from(await digestPort()('sha256', bytes)).toString('hex')

  it('is the one that was measured, and says how its guest hashes events', async () => {
    expect(take(await file(compose))).toEqual({ composeHash, eventLogVersion: 1 })
    const second = utf8(JSON.stringify({ ...JSON.parse(TEST_COMPOSE), event_log_version: 2 }))
    expect(take(await file(second, await hashOf(second)))).toMatchObject({ eventLogVersion: 2 })
  })

  it('TDX_COMPOSE_MISMATCH: the same JSON with a space', async () => {
    accepted(await file(compose))
    refused(await file(utf8(`${TEST_COMPOSE} `)), ['TDX_COMPOSE_MISMATCH'])
  })

  test.each(['{"event_log_version":3}', '{"event_log_version":"2"}', '[]', '{"event_log_version":null}'])(
    'JSON_TYPE_MISMATCH: %s',
    async (text) => refused(await file(utf8(text), await hashOf(utf8(text))), ['JSON_TYPE_MISMATCH']),
  )

  it('LIMIT_REQUEST_BYTES: larger than a request', async () => {
    const large = utf8(`{"a":"${'x'.repeat(LIMITS.requestBytes)}"}`)
    refused(await file(large, await hashOf(large)), ['LIMIT_REQUEST_BYTES'])
  })

  it('TDX_COMPOSE_MISMATCH: the log names another one than MRCONFIGID', async () => {
    accepted(await judge())
    const other = mrConfigId.map((byte, i) => (i === 1 ? byte ^ 1 : byte))
    refused(await judgeLog(dstackLog(), { mrConfigId: other }), ['TDX_COMPOSE_MISMATCH'])
  })

  test.each([
    ['all zeros', NO_CONFIG],
    ['another first byte', mrConfigId.map((byte, i) => (i === 0 ? 2 : byte))],
    ['more behind the hash', mrConfigId.map((byte, i) => (i === 47 ? 1 : byte))],
  ])('an MRCONFIGID of another form names none: %s', async (_, other) => {
    expect(composeHashOf(other)).toBeUndefined()
    accepted(await judgeLog(dstackLog(), { mrConfigId: other }))
  })

  it('an MRCONFIGID of another size is a programmer’s', () => {
    expect(() => composeHashOf(new Uint8Array(47))).toThrow(TypeError)
  })
})

describe('the logs of a quote', () => {
  const made = dstackLog()
  const logs = (...list: readonly Uint8Array[]) =>
    judgeEventLogs(list, made.rtmrs, digestPort(), { path: 'log', dstackVersion: 1, mrConfigId: made.mrConfigId })

  it('none is none, one is judged', async () => {
    expect(await logs()).toEqual({ ok: true, value: undefined })
    expect(take(await logs(made.log))).toMatchObject({ form: 'dstack-v1' })
  })

  it('LIMIT_EVENT_LOG_COUNT: two', async () => {
    refused(await logs(made.log, ccelLog().log), ['LIMIT_EVENT_LOG_COUNT'])
  })
})
