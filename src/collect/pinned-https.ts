import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { concatBytes } from '../core/bytes.ts'
import { toHex } from '../core/encodings.ts'
import type { UnixSeconds } from '../core/time.ts'

/** In the place of a fingerprint: whoever answers is taken, without a look at the certificate. For the operator's own network. */
export const ANY_CERTIFICATE = 'any-certificate'

/** One POST to one machine that is known by its certificate. */
export interface PinnedRequest {
  /** `https://host:port/path` */
  readonly url: string
  /** SHA-256 of the certificate (DER), lower-case hex, or `ANY_CERTIFICATE` */
  readonly certificateSha256: string
  /** common name that the certificate must have */
  readonly commonName: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** of the answer's body */
  readonly maxBytes: number
  /** for everything: name, connection, TLS, answer */
  readonly timeoutMilliseconds: number
  /** for the dates of the certificate */
  readonly now: UnixSeconds
}

export type RequestFailure =
  | 'unreachable'
  | 'tls'
  | 'certificate'
  | 'certificate-expired'
  | 'timeout'
  | 'oversize'
  | 'truncated'

/** What came back. A failure says what happened in words that hold nothing of what was sent. */
export type GatewayAnswer =
  | {
      readonly kind: 'response'
      readonly status: number
      readonly contentType: string
      readonly contentEncoding: string
      /** seconds of Retry-After; undefined where it is absent or a date */
      readonly retryAfterSeconds: number | undefined
      readonly bytes: Uint8Array
    }
  | { readonly kind: 'failed'; readonly failure: RequestFailure; readonly detail: string }

class Failed extends Error {
  readonly failure: RequestFailure
  constructor(failure: RequestFailure, detail: string) {
    super(detail)
    this.failure = failure
  }
}

/**
 * Sends one POST over TLS and reads the answer, without following redirects. A provider's certificate is self-signed, so no
 * authority can vouch for it: instead it must be the very one that is expected. That is checked on the bare TLS connection;
 * not a byte of the request, and so no token, is written before.
 */
export async function pinnedPost(request: PinnedRequest): Promise<GatewayAnswer> {
  let socket: TLSSocket | undefined
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Failed('timeout', `${request.timeoutMilliseconds} ms`)),
      request.timeoutMilliseconds,
    )
  })
  try {
    socket = open(new URL(request.url))
    await Promise.race([secured(socket), late])
    checkCertificate(socket, request)
    return await Promise.race([exchange(socket, request), late])
  } catch (error) {
    if (error instanceof Failed) return { kind: 'failed', failure: error.failure, detail: error.message }
    throw error
  } finally {
    clearTimeout(timer)
    socket?.destroy()
  }
}

function open({ hostname, port }: URL): TLSSocket {
  const host = hostname.replace(/^\[|\]$/g, '')
  return connect({
    host,
    port: port === '' ? 443 : Number(port),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    // The built-in check asks for an authority. `checkCertificate` asks for more: this one certificate.
    rejectUnauthorized: false,
  })
}

const UNREACHABLE = new Set([
  ...[
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EAI_NONAME',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ETIMEDOUT',
    'EADDRNOTAVAIL',
  ],
])

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'no reason given'
}

function secured(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', () => resolve())
    socket.once('close', () => reject(new Failed('tls', 'closed')))
    // Stays for as long as the socket lives: an error without a listener would end the process.
    socket.on('error', (error) => {
      const code = codeOf(error)
      reject(new Failed(UNREACHABLE.has(code) ? 'unreachable' : 'tls', code))
    })
  })
}

function checkCertificate(socket: TLSSocket, { certificateSha256, commonName, now }: PinnedRequest): void {
  if (certificateSha256 === ANY_CERTIFICATE) return
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) throw new Failed('certificate', 'no certificate')
  const sha256 = toHex(createHash('sha256').update(certificate.raw).digest())
  if (sha256 !== certificateSha256) throw new Failed('certificate', sha256)
  const subject = certificate.subject.split('\n')
  if (!subject.includes(`CN=${commonName}`)) throw new Failed('certificate', subject.join(', '))
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
  if (!(from <= now * 1000 && now * 1000 <= to))
    throw new Failed('certificate-expired', `${certificate.validFrom} to ${certificate.validTo}`)
}

function exchange(socket: TLSSocket, { url, headers, body, maxBytes }: PinnedRequest): Promise<GatewayAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(url, {
      method: 'POST',
      createConnection: () => socket,
      headers: { ...headers, 'Content-Length': String(body.length), Connection: 'close' },
    })
    sent.once('response', (response) => read(response, maxBytes).then(resolve, reject))
    // Stays: a second error without a listener would end the process.
    sent.on('error', (error) => reject(new Failed('truncated', codeOf(error))))
    sent.end(body)
  })
}

async function read(response: IncomingMessage, maxBytes: number): Promise<GatewayAnswer> {
  const chunks: Uint8Array[] = []
  const announced = Number(response.headers['content-length'] ?? 0)
  if (announced > maxBytes) throw new Failed('oversize', `${announced} bytes announced`)
  let size = 0
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > maxBytes) throw new Failed('oversize', `more than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof Failed) throw error
    throw new Failed('truncated', codeOf(error))
  }
  if (!response.complete) throw new Failed('truncated', `${size} bytes`)
  const retryAfter = response.headers['retry-after'] ?? ''
  return {
    kind: 'response',
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'] ?? '',
    contentEncoding: response.headers['content-encoding'] ?? '',
    retryAfterSeconds: /^[0-9]{1,6}$/.test(retryAfter) ? Number(retryAfter) : undefined,
    bytes: concatBytes(...chunks),
  }
}
