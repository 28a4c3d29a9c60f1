import { createHmac } from 'node:crypto'
import { constantTimeEqual, utf8 } from '../core/bytes.ts'
import type { UnixSeconds } from '../core/time.ts'
import { fromRow } from './events.ts'
import type { GateClock, RandomBytes, StopSignal } from './ports.ts'
import type { EventRow, GateStore } from './store.ts'

/** Where events are sent. Its name is that of its cursor in the store: a new name begins with the first event kept. */
export interface WebhookEndpoint {
  readonly name: string
  readonly url: string
  /** shared with the receiver, at least 24 bytes */
  readonly secret: Uint8Array
}

/** `fetch`, as far as it is used. */
export type WebhookFetch = (
  url: string,
  init: {
    readonly method: 'POST'
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
    readonly redirect: 'error'
    readonly signal: StopSignal
  },
) => Promise<{ readonly status: number }>

export interface WebhookOptions {
  readonly store: Pick<GateStore, 'eventsAfter' | 'cursor' | 'moveCursor'>
  readonly endpoints: readonly WebhookEndpoint[]
  readonly fetch: WebhookFetch
  readonly clock: GateClock
  readonly random: RandomBytes
  /** waits, and is over at once when the signal says so */
  readonly sleep: (seconds: number, signal: StopSignal) => Promise<void>
  readonly onError: (error: unknown) => void
}

const BATCH = 64
const TIMEOUT_MS = 10_000
const FIRST_RETRY_SECONDS = 1
const LONGEST_RETRY_SECONDS = 300
const IDLE_SECONDS = 1
const LEAST_SECRET_BYTES = 24

/**
 * Delivers committed events to every endpoint, each at least once and in their order: an event that is not taken holds up
 * those behind it, at that endpoint alone. Ends when the signal says so.
 * @throws TypeError for endpoints that cannot be meant
 */
export async function deliverWebhooks(options: WebhookOptions, signal: StopSignal): Promise<void> {
  const names = options.endpoints.map((e) => e.name)
  if (new Set(names).size !== names.length) throw new TypeError('webhooks: every endpoint has a name of its own')
  for (const { name, secret, url } of options.endpoints) {
    if (secret.length < LEAST_SECRET_BYTES) throw new TypeError(`webhooks: the secret of ${name} has 24 bytes or more`)
    if (!url.startsWith('https://')) throw new TypeError(`webhooks: ${name} is an https address`)
  }
  await Promise.all(options.endpoints.map((endpoint) => deliverTo(options, endpoint, signal)))
}

async function deliverTo(options: WebhookOptions, endpoint: WebhookEndpoint, signal: StopSignal): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    const isTaken = await deliverSome(options, endpoint, signal)
    failures = isTaken === 'refused' ? failures + 1 : 0
    if (isTaken !== 'more') await options.sleep(isTaken === 'idle' ? IDLE_SECONDS : backoff(options, failures), signal)
  }
}

/** @returns `more` where there may be more to send at once, `idle` where there is nothing, `refused` where one was not taken */
async function deliverSome(
  { store, fetch, clock, onError }: WebhookOptions,
  endpoint: WebhookEndpoint,
  signal: StopSignal,
): Promise<'more' | 'idle' | 'refused'> {
  try {
    const rows = await store.eventsAfter(await store.cursor(endpoint.name), BATCH)
    for (const row of rows) {
      if (signal.aborted) return 'idle'
      const { body, headers } = webhookMessage(row, endpoint.secret, clock())
      const timeout = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
      const answer = await fetch(endpoint.url, { method: 'POST', headers, body, redirect: 'error', signal: timeout })
      if (answer.status < 200 || answer.status > 299) return 'refused'
      await store.moveCursor(endpoint.name, row.sequence)
    }
    return rows.length === 0 ? 'idle' : 'more'
  } catch (error) {
    if (!signal.aborted) onError(error)
    return 'refused'
  }
}

/** Twice as long after every failure, and by chance between half of that and all of it: receivers do not come back to a crowd. */
function backoff({ random }: WebhookOptions, failures: number): number {
  const longest = Math.min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** Math.min(failures - 1, 16))
  const [a = 0] = random(1)
  return longest * (0.5 + a / 510)
}

/**
 * One event as it is sent, signed as Standard Webhooks asks: HMAC-SHA-256 over id, time and body.
 * @param now time of this try; an event that is sent again is signed again
 */
export function webhookMessage(
  row: EventRow,
  secret: Uint8Array,
  now: UnixSeconds,
): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  const body = JSON.stringify(fromRow(row))
  const id = `vouchsafe-event-${row.sequence}`
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(now),
      'webhook-signature': signatureOf(id, String(now), body, secret),
    },
  }
}

const signatureOf = (id: string, timestamp: string, body: string, secret: Uint8Array): string =>
  `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`

/** How far the time of a message may lie from the receiver's, seconds. */
const TOLERANCE_SECONDS = 300

/**
 * The receiver's side: whether a message is the gate's, and of now. The comparison takes the same time wherever it differs.
 * @param body as it arrived, before it is parsed
 */
export function isWebhookAuthentic(
  headers: Readonly<Record<string, string | undefined>>,
  body: string,
  secret: Uint8Array,
  now: UnixSeconds,
): boolean {
  const id = headers['webhook-id'] ?? ''
  const timestamp = headers['webhook-timestamp'] ?? ''
  if (!/^[0-9]{1,12}$/.test(timestamp) || !(Math.abs(Number(timestamp) - now) <= TOLERANCE_SECONDS)) return false
  const expected = utf8(signatureOf(id, timestamp, body, secret))
  return (headers['webhook-signature'] ?? '').split(' ').some((given) => constantTimeEqual(utf8(given), expected))
}
