import { getEventListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it, test } from 'vitest'
import { EVENT_TYPES, eventOf, fromRow } from '../../src/gate/events.ts'
import { createMetrics } from '../../src/gate/metrics.ts'
import { deliverWebhooks, isWebhookAuthentic, type WebhookOptions, webhookMessage } from '../../src/gate/webhooks.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { CPU_POLICY, leaseId, OTHER, orderOf, PROVIDER, testGate } from './support.ts'

const SCHEMA = JSON.parse(readFileSync(new URL('../../src/gate/event-1.schema.json', import.meta.url), 'utf8'))

test('every event has the form that is published', async () => {
  const t = await testGate()
  await t.gate.openLease({ lease: leaseId(), order: orderOf(), policy: CPU_POLICY, hostData: null })
  await t.lease(leaseId())
  await t.posture(PROVIDER, { chip: 'own' })
  await t.posture(OTHER, { chip: 'own' })
  for (const seconds of [900, 30, 60, 120]) {
    t.pass(seconds)
    await t.gate.keepLeases()
  }
  await t.gate.deny({ kind: 'provider', value: PROVIDER, reason: 'left' })
  await t.lease(leaseId())
  await t.gate.closeLease(leaseId())
  const isValid = new Ajv2020({ strict: true }).compile(SCHEMA)
  for (const event of t.events) expect(isValid(event), JSON.stringify([event, isValid.errors])).toBe(true)
  expect([...new Set(t.types())].sort()).toEqual([...EVENT_TYPES].sort())
  expect(t.events.map((e) => e.sequence)).toEqual(t.events.map((_, i) => i + 1))
  expect(SCHEMA.properties.type.enum).toEqual(EVENT_TYPES)
})

test('lines are there from any number on, and come as they are committed', async () => {
  const t = await testGate()
  await t.gate.deny({ kind: 'product', value: 'a', reason: 'x' })
  const stop = new AbortController()
  const lines = t.gate.eventLines(0, stop.signal)
  expect(JSON.parse((await lines.next()).value ?? '')).toMatchObject({ sequence: 1, subject: 'product:a' })
  const next = lines.next()
  await t.gate.deny({ kind: 'product', value: 'b', reason: 'x' })
  expect(JSON.parse((await next).value ?? '')).toMatchObject({ sequence: 2, subject: 'product:b' })
  const last = lines.next()
  expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1)
  stop.abort()
  expect(await last).toEqual({ done: true, value: undefined })
  expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0)
})

test('a listener that throws keeps nothing from the others', async () => {
  const t = await testGate()
  const heard: string[] = []
  const off = t.gate.on('denylist.changed', () => {
    throw new TypeError('a listener’s own')
  })
  t.gate.on('denylist.changed', (e) => heard.push(e.type))
  await t.gate.deny({ kind: 'product', value: 'a', reason: 'x' })
  off()
  t.gate.on('denylist.changed', async () => {
    throw new TypeError('later')
  })
  await t.gate.allow({ kind: 'product', value: 'a' })
  expect([heard.length, t.errors.length]).toEqual([2, 2])
})

describe('webhooks', () => {
  const SECRET = new Uint8Array(32).fill(3)
  const ROW = { sequence: 7, event: eventOf('lease.due', 0, { lease: 'l' }) }

  it('are signed over id, time and body', () => {
    const { body, headers } = webhookMessage(ROW, SECRET, 1000)
    expect(JSON.parse(body)).toEqual(fromRow(ROW))
    expect(isWebhookAuthentic(headers, body, SECRET, 1300)).toBe(true)
    for (const [given, text, secret, now] of [
      [headers, `${body} `, SECRET, 1000],
      [headers, body, new Uint8Array(32), 1000],
      [headers, body, SECRET, 1301],
      [{ ...headers, 'webhook-timestamp': '1001' }, body, SECRET, 1000],
      [{ ...headers, 'webhook-id': 'other' }, body, SECRET, 1000],
      [{ ...headers, 'webhook-signature': '' }, body, SECRET, 1000],
      [{}, body, SECRET, 1000],
    ] as const)
      expect(isWebhookAuthentic(given, text, secret, now)).toBe(false)
  })

  it('bring every event at least once and in order, however often the receiver fails', async () => {
    const store = memoryStore()
    for (const lease of ['a', 'b', 'c']) await store.commit({ events: [eventOf('lease.due', 0, { lease })] })
    const stop = new AbortController()
    const seen: string[] = []
    const waits: number[] = []
    let calls = 0
    const options: WebhookOptions = {
      ...{ store, clock: () => 0, random: () => Uint8Array.of(255), onError: () => undefined },
      endpoints: [
        { name: 'good', url: 'https://good.example', secret: SECRET },
        { name: 'bad', url: 'https://bad.example', secret: SECRET },
      ],
      fetch: async (url, { body }) => {
        seen.push(`${new URL(url).hostname[0]}${JSON.parse(body).lease}`)
        if (!url.includes('bad')) return { status: 204 }
        calls++
        if (calls === 1) throw new Error('reset')
        return { status: calls < 4 ? 503 : 200 }
      },
      sleep: async (seconds) => {
        waits.push(seconds)
        if ((await store.cursor('bad')) === 3 && (await store.cursor('good')) === 3) stop.abort()
        await new Promise((resolve) => setImmediate(resolve))
      },
    }
    await deliverWebhooks(options, stop.signal)
    expect(seen.filter((s) => s[0] === 'g')).toEqual(['ga', 'gb', 'gc'])
    expect(seen.filter((s) => s[0] === 'b')).toEqual(['ba', 'ba', 'ba', 'ba', 'bb', 'bc'])
    expect(waits.filter((w) => w > 1)).toEqual([2, 4])
    const plain = [{ name: 'x', url: 'http://x.example', secret: SECRET }]
    await expect(deliverWebhooks({ ...options, endpoints: plain }, stop.signal)).rejects.toThrow(TypeError)
  })
})

test('counters are written as Prometheus reads them', () => {
  const metrics = createMetrics({ a_total: 'First.' })
  metrics.count('a_total', { code: 'x"\n' }, 2)
  metrics.count('a_total', { code: 'x"\n' })
  metrics.gauge('b', 'Second.', () => 4)
  expect(metrics.text()).toBe(
    '# HELP a_total First.\n# TYPE a_total counter\na_total{code="x\\"\\n"} 3\n# HELP b Second.\n# TYPE b gauge\nb 4\n',
  )
  expect(() => metrics.count('c', {})).toThrow(TypeError)
})
