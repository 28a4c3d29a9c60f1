import { createServer as createPlainServer, type Socket } from 'node:net'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type AkashCollection, type CollectorPorts, collectAkash, NODE_PORTS } from '../../src/collect/index.ts'
import type { Code } from '../../src/core/codes.ts'
import { codesOf, valueIn } from '../core/support.ts'
import { akashQuote, akashScene, cpu, gpus, judged, NONCE, NOW } from '../reject/stage.ts'
import {
  type Answer,
  type Gateway,
  gateway,
  IDENTITY,
  identity,
  OTHER_PROVIDER,
  OWNER,
  OWNER_SECRET,
  PROVIDER,
  quoting,
  status,
} from './gateway.ts'

const MACHINE = cpu()
const DEVICES = gpus()
const QUOTE = akashQuote(MACHINE, DEVICES.gpus)

const sign = (message: Uint8Array) => secp256k1.sign(message, OWNER_SECRET)

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  await Promise.all(open.splice(0).map((one) => one.close()))
})

async function served(...parameters: Parameters<typeof gateway>): Promise<Gateway> {
  const one = await gateway(...parameters)
  open.push(one)
  return one
}

const asked = (endpoint: string, changed: Partial<AkashCollection> = {}): AkashCollection => ({
  endpoint,
  provider: PROVIDER,
  providerCertSha256: IDENTITY.sha256,
  lease: { owner: OWNER, dseq: '18412345', gseq: 1, oseq: 1 },
  nonce: NONCE,
  authorisation: { sign, leases: 'provider' },
  now: NOW,
  deadlineMilliseconds: 60_000,
  ...changed,
})

/** Waits are noted, not waited for. */
function hasty(random = 0): CollectorPorts & { readonly waits: number[] } {
  const waits: number[] = []
  return { ...NODE_PORTS, random: () => random, wait: async (ms) => void waits.push(ms), waits }
}

describe('collectAkash', () => {
  it('brings the bytes that the gateway gave, which verify accepts', async () => {
    const { endpoint, seen } = await served([quoting(QUOTE)])
    const { bytes, attempts } = valueIn(await collectAkash(asked(endpoint)))
    expect(Buffer.from(bytes).toString()).toBe(JSON.stringify(QUOTE))
    expect(attempts).toBe(1)
    expect(seen).toMatchObject([{ method: 'POST', path: '/lease/18412345/1/1/attestation/quote' }])
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ nonce: Buffer.from(NONCE).toString('base64'), bind_tls: false })
    const decision = await judged({ ...akashScene(MACHINE, DEVICES), evidence: bytes })
    expect(decision.verdict).toBe('accept')
  })

  it.each<[string, AkashCollection['lease']['dseq']]>([
    ['text', '18412345'],
    ['a number', 18412345],
    ['a bigint', 18412345n],
    ['a Long', { toString: () => '18412345' }],
  ])('takes dseq as %s', async (_, dseq) => {
    const { endpoint } = await served([quoting(QUOTE)])
    expect((await collectAkash(asked(endpoint, { lease: { owner: OWNER, dseq, gseq: 1, oseq: 1 } }))).ok).toBe(true)
  })

  it('asks with a token for this lease alone, where its services are named', async () => {
    const { endpoint, seen } = await served([quoting(QUOTE)])
    const authorisation = { sign, leases: { services: ['web'] } } as const
    expect((await collectAkash(asked(endpoint, { authorisation }))).ok).toBe(true)
    expect(Buffer.from(seen[0]?.authorization.split('.')[1] ?? '', 'base64url').toString()).toContain('"dseq":18412345')
  })

  it('asks with a token that was minted elsewhere', async () => {
    const { endpoint, seen } = await served([status(200, { 'Content-Type': 'application/json; charset=utf-8' }, '{}')])
    expect((await collectAkash(asked(endpoint, { authorisation: { mintToken: () => 'a.b.c' } }))).ok).toBe(true)
    expect(seen[0]?.authorization).toBe('Bearer a.b.c')
  })
})

describe('what the gateway checks', () => {
  const refusal = async (changed: Partial<AkashCollection>): Promise<readonly Code[]> => {
    const { endpoint } = await served([quoting(QUOTE)])
    return codesOf(await collectAkash(asked(endpoint, changed), hasty()))
  }

  it('the signature of the owner', async () => {
    const other = (message: Uint8Array) => secp256k1.sign(message, new Uint8Array(32).fill(9))
    expect(await refusal({ authorisation: { sign: other, leases: 'provider' } })).toEqual(['AKASH_TOKEN_REFUSED'])
  })

  it('the time of the token', async () => {
    expect(await refusal({ now: NOW - 301 })).toEqual(['AKASH_TOKEN_REFUSED'])
    expect(await refusal({ now: NOW + 1 })).toEqual(['AKASH_TOKEN_REFUSED'])
  })

  it('the lease', async () => {
    expect(await refusal({ lease: { owner: OWNER, dseq: 1, gseq: 1, oseq: 1 } })).toEqual(['AKASH_SIDECAR_ABSENT'])
    const narrow = { authorisation: { sign, leases: { services: ['web'] } } } as const
    expect(await refusal({ lease: { owner: OWNER, dseq: 1, gseq: 1, oseq: 1 }, ...narrow })).toEqual([
      'AKASH_SCOPE_DENIED',
    ])
  })
})

describe('who answers', () => {
  it('must be the machine with the certificate, and gets nothing if it is not', async () => {
    const impostor = await served([quoting(QUOTE)], identity(PROVIDER))
    const outcome = await collectAkash(asked(impostor.endpoint))
    expect(codesOf(outcome)).toEqual(['AKASH_CERTIFICATE_MISMATCH'])
    // Time for anything that was sent to arrive.
    await NODE_PORTS.wait(100)
    expect(impostor.connections()).toBe(1)
    expect(impostor.seen).toEqual([])
  })

  it('must be named by the certificate', async () => {
    const other = identity(OTHER_PROVIDER)
    const { endpoint, seen } = await served([quoting(QUOTE)], other)
    const outcome = await collectAkash(asked(endpoint, { providerCertSha256: other.sha256 }))
    expect(outcome).toMatchObject({
      ok: false,
      faults: [{ code: 'AKASH_CERTIFICATE_MISMATCH', actual: `CN=${OTHER_PROVIDER}` }],
    })
    expect(seen).toEqual([])
  })

  it.each([
    ['ended', { notAfter: '2026-07-31T23:59:59Z' }],
    ['not begun', { notBefore: '2026-08-01T00:00:01Z' }],
  ])('must have a certificate whose time has not %s', async (_, dates) => {
    const old = identity(PROVIDER, dates)
    const { endpoint, seen } = await served([quoting(QUOTE)], old)
    const outcome = await collectAkash(asked(endpoint, { providerCertSha256: old.sha256 }))
    expect(codesOf(outcome)).toEqual(['AKASH_CERTIFICATE_EXPIRED'])
    expect(seen).toEqual([])
  })
})

describe('what goes wrong', () => {
  it.each<[number, Code, number]>([
    [400, 'AKASH_REQUEST_REFUSED', 1],
    [401, 'AKASH_TOKEN_REFUSED', 1],
    [403, 'AKASH_SCOPE_DENIED', 1],
    [404, 'AKASH_SIDECAR_ABSENT', 1],
    [429, 'AKASH_RATE_LIMITED', 4],
    [502, 'AKASH_SIDECAR_UNREACHABLE', 4],
    [503, 'AKASH_QUOTE_FAILED', 4],
    [500, 'AKASH_STATUS_UNEXPECTED', 1],
    [204, 'AKASH_STATUS_UNEXPECTED', 1],
    [301, 'AKASH_REDIRECT_REFUSED', 1],
    [307, 'AKASH_REDIRECT_REFUSED', 1],
  ])('status %i is %s, after %i requests', async (code, expected, requests) => {
    const { endpoint, seen } = await served([status(code, { Location: 'https://elsewhere.example/' })])
    expect(codesOf(await collectAkash(asked(endpoint), hasty()))).toEqual([expected])
    expect(seen).toHaveLength(requests)
  })

  const JSON_TYPE = { 'Content-Type': 'application/json' }

  it.each<[string, Answer, Code]>([
    ['a page', status(200, { 'Content-Type': 'text/html' }), 'AKASH_CONTENT_TYPE_INVALID'],
    ['no type', status(200), 'AKASH_CONTENT_TYPE_INVALID'],
    ['compression', status(200, { ...JSON_TYPE, 'Content-Encoding': 'gzip' }), 'AKASH_CONTENT_TYPE_INVALID'],
    ['nothing', status(200, JSON_TYPE, ''), 'AKASH_RESPONSE_TRUNCATED'],
    ['a mebibyte and a byte', status(200, JSON_TYPE, ' '.repeat(2 ** 20 + 1)), 'AKASH_RESPONSE_OVERSIZE'],
    [
      'a mebibyte and a byte, in chunks',
      (_, response) => {
        response.writeHead(200, JSON_TYPE)
        response.write(' '.repeat(2 ** 20))
        response.end(' ')
      },
      'AKASH_RESPONSE_OVERSIZE',
    ],
    [
      'less than it announced',
      (_, response) => {
        response.writeHead(200, { ...JSON_TYPE, 'Content-Length': '100' })
        response.write('{}')
        response.socket?.end()
      },
      'AKASH_RESPONSE_TRUNCATED',
    ],
    [
      'a chunk that never ends',
      (_, response) => {
        response.writeHead(200, JSON_TYPE)
        response.write('{}')
        setImmediate(() => response.socket?.destroy())
      },
      'AKASH_RESPONSE_TRUNCATED',
    ],
    ['a hang-up', (_, response) => void response.socket?.destroy(), 'AKASH_RESPONSE_TRUNCATED'],
    [
      'something that is not HTTP',
      (_, response) => void response.socket?.end('hello\r\n\r\n'),
      'AKASH_RESPONSE_TRUNCATED',
    ],
    [
      'endless headers',
      (_, response) => void response.socket?.end(`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(10_000)}`),
      'AKASH_RESPONSE_TRUNCATED',
    ],
  ])('an answer of %s', async (_, answer, expected) => {
    const { endpoint, seen } = await served([answer])
    expect(codesOf(await collectAkash(asked(endpoint), hasty()))).toEqual([expected])
    expect(seen).toHaveLength(1)
  })

  it('a mebibyte is not too much', async () => {
    const { endpoint } = await served([status(200, JSON_TYPE, ' '.repeat(2 ** 20))])
    expect(valueIn(await collectAkash(asked(endpoint))).bytes).toHaveLength(2 ** 20)
  })

  it('no answer in time, before or after the headers', async () => {
    const silent = await served([() => {}])
    expect(codesOf(await collectAkash(asked(silent.endpoint, { deadlineMilliseconds: 500 })))).toEqual([
      'AKASH_DEADLINE_PASSED',
    ])
    const slow = await served([(_, response) => void response.writeHead(200, JSON_TYPE).write('{')])
    expect(codesOf(await collectAkash(asked(slow.endpoint, { deadlineMilliseconds: 500 })))).toEqual([
      'AKASH_DEADLINE_PASSED',
    ])
  })

  it('no TLS, and TLS that never comes about', async () => {
    const plain = async (onSocket: (socket: Socket) => void) => {
      const sockets: Socket[] = []
      const server = createPlainServer((socket) => {
        sockets.push(socket.on('error', () => {}))
        onSocket(socket)
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      open.push({
        close: () =>
          new Promise((resolve) => {
            for (const socket of sockets) socket.destroy()
            server.close(() => resolve())
          }),
      })
      const address = server.address()
      if (address === null || typeof address === 'string') throw new TypeError('no port')
      return `https://127.0.0.1:${address.port}`
    }
    const talking = await plain((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    expect(codesOf(await collectAkash(asked(talking), hasty()))).toEqual(['AKASH_TLS_FAILED'])
    const closing = await plain((socket) => void socket.destroy())
    expect(codesOf(await collectAkash(asked(closing), hasty()))).toEqual(['AKASH_TLS_FAILED'])
    const silent = await plain(() => {})
    expect(codesOf(await collectAkash(asked(silent, { deadlineMilliseconds: 500 })))).toEqual(['AKASH_DEADLINE_PASSED'])
  })

  it('nobody there, and no such name', async () => {
    const { endpoint, close } = await gateway([status(200)])
    await close()
    expect(await collectAkash(asked(endpoint), hasty())).toMatchObject({
      faults: [{ code: 'AKASH_GATEWAY_UNREACHABLE', actual: 'ECONNREFUSED' }],
    })
    const ports = {
      ...hasty(),
      transport: async () => ({ kind: 'failed', failure: 'unreachable', detail: 'ENOTFOUND' }) as const,
    }
    expect(codesOf(await collectAkash(asked('https://provider.invalid:8443'), ports))).toEqual([
      'AKASH_GATEWAY_UNREACHABLE',
    ])
  })

  it.each([
    'http://provider.example',
    'provider.example:8443',
    'https://u:p@provider.example',
    'https://p.example/path',
    'https://p.example/?a',
    '',
  ])('an address of %j', async (endpoint) => {
    expect(codesOf(await collectAkash(asked(endpoint)))).toEqual(['AKASH_ENDPOINT_INVALID'])
  })
})

describe('asking again', () => {
  it('brings the quote once the sidecar is there', async () => {
    const { endpoint, seen } = await served([status(503), status(502), quoting(QUOTE)])
    const ports = hasty()
    expect(valueIn(await collectAkash(asked(endpoint), ports)).attempts).toBe(3)
    expect(new Set(seen.map((s) => s.authorization)).size).toBe(1)
    expect(ports.waits).toEqual([500, 1000])
  })

  it('spreads its waits, and honours Retry-After', async () => {
    const { endpoint } = await served([status(503), status(429, { 'Retry-After': '7' }), quoting(QUOTE)])
    const ports = hasty(0.5)
    expect((await collectAkash(asked(endpoint), ports)).ok).toBe(true)
    expect(ports.waits).toEqual([625, 7000])
  })

  it('does not wait beyond the deadline', async () => {
    const { endpoint, seen } = await served([status(429, { 'Retry-After': '3600' })])
    const ports = hasty()
    expect(codesOf(await collectAkash(asked(endpoint), ports))).toEqual(['AKASH_RATE_LIMITED'])
    expect([ports.waits, seen.length]).toEqual([[], 1])
  })

  it('ends when the waits used up the time', async () => {
    const { endpoint } = await served([status(503)])
    const ports = { ...hasty(), wait: () => NODE_PORTS.wait(1500) }
    const outcome = await collectAkash(asked(endpoint, { deadlineMilliseconds: 1200 }), ports)
    expect(outcome).toMatchObject({ faults: [{ code: 'AKASH_DEADLINE_PASSED', actual: '1 attempts' }] })
  })
})

describe('the token', () => {
  const echo =
    (code: number): Answer =>
    ({ authorization }, response) =>
      response
        .writeHead(code, { 'Content-Type': authorization, Location: authorization, 'WWW-Authenticate': authorization })
        .end(authorization)

  it.each([200, 301, 400, 401, 403, 404, 429, 500, 502, 503])(
    'is in no fault and no log, even where the gateway sends it back with %i',
    async (code) => {
      const logs = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) =>
        vi.spyOn(console, name).mockImplementation(() => {}),
      )
      const stdout = vi.spyOn(process.stdout, 'write')
      const stderr = vi.spyOn(process.stderr, 'write')
      const { endpoint, seen } = await served([echo(code)])
      const outcome = await collectAkash(asked(endpoint), hasty())
      expect(outcome.ok).toBe(false)
      const [, payload = '', signature = ''] = seen[0]?.authorization.split('.') ?? []
      expect(signature.length).toBeGreaterThan(80)
      const said = JSON.stringify([outcome, ...[...logs, stdout, stderr].map((spy) => spy.mock.calls)])
      for (const part of [payload, signature, 'Bearer']) expect(said).not.toContain(part)
    },
  )

  it('is in no error of ours', async () => {
    const { endpoint } = await served([quoting(QUOTE)])
    for (const token of ['secret token', 'secret.token', 'a.b.secret\r\nX: y', `a.b.${'secret'.repeat(1000)}`]) {
      const error = await collectAkash(asked(endpoint, { authorisation: { mintToken: () => token } })).catch(
        (e: unknown) => e,
      )
      expect(error).toBeInstanceOf(TypeError)
      expect(String(error)).not.toContain('secret')
    }
  })

  it('that the wallet refuses to sign is the caller’s to hear of', async () => {
    const refused = () => Promise.reject(new Error('the user said no'))
    await expect(
      collectAkash(asked('https://p.example', { authorisation: { sign: refused, leases: 'provider' } })),
    ).rejects.toThrow('the user said no')
  })
})

describe('wrong use', () => {
  it.each<[string, Partial<AkashCollection>]>([
    ['a provider that is no address', { provider: 'provider' }],
    ['an owner that is no address', { lease: { owner: 'owner', dseq: 1, gseq: 1, oseq: 1 } }],
    ['a path for dseq', { lease: { owner: OWNER, dseq: '1/../2', gseq: 1, oseq: 1 } }],
    ['a dseq beyond what a double holds', { lease: { owner: OWNER, dseq: 1e21, gseq: 1, oseq: 1 } }],
    ['a gseq below zero', { lease: { owner: OWNER, dseq: 1, gseq: -1, oseq: 1 } }],
    ['a fingerprint with colons', { providerCertSha256: IDENTITY.sha256.replace(/(..)(?=.)/g, '$1:') }],
    ['no fingerprint', { providerCertSha256: '' }],
    ['a nonce of 32 bytes', { nonce: NONCE.subarray(0, 32) }],
    ['no time', { now: Number.NaN }],
    ['no deadline', { deadlineMilliseconds: Number.POSITIVE_INFINITY }],
  ])('%s is a TypeError', async (_, changed) => {
    await expect(collectAkash(asked('https://p.example', changed))).rejects.toThrow(TypeError)
  })
})
