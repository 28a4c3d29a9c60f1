import { type IncomingHttpHeaders, type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent, request as tlsRequest } from 'node:https'
import { rootCertificates } from 'node:tls'
import { concatBytes } from '../core/bytes.ts'
import type { StopSignal } from '../gate/ports.ts'

/** One question to a vendor's service. */
export interface HttpQuestion {
  /** absolute, HTTPS or HTTP */
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
  /** of the answer's body */
  readonly maxBytes: number
  /** for everything: name, connection, TLS, answer */
  readonly timeoutMilliseconds: number
}

export type HttpFailure = 'host-unknown' | 'unreachable' | 'tls' | 'timeout' | 'truncated' | 'oversize' | 'malformed'

/** What came back. Of a status other than 200 the body is not read. */
export type HttpAnswer =
  | { readonly kind: 'failed'; readonly failure: HttpFailure; readonly detail: string }
  | {
      readonly kind: 'response'
      readonly status: number
      /** host that answered */
      readonly host: string
      /** by lower-case name */
      readonly headers: ReadonlyMap<string, string>
      readonly bytes: Uint8Array
    }

/** Asks once. It follows no redirect, and whatever goes wrong is an answer. */
export type Exchange = (question: HttpQuestion) => Promise<HttpAnswer>

export interface ExchangeOptions {
  /** authorities (PEM) beside those that Node.js brings, e.g. of a mirror of one's own */
  readonly ca?: readonly string[]
  /** an `Agent` of node:https with connections of its own, e.g. through a proxy; `ca` is then that agent's business */
  readonly agent?: object
  /** ends every question that is under way, and every later one at once */
  readonly signal?: StopSignal
}

class Failed extends Error {
  readonly failure: HttpFailure
  constructor(failure: HttpFailure, detail: string) {
    super(detail)
    this.failure = failure
  }
}

const IDLE_CONNECTIONS = { keepAlive: true, maxFreeSockets: 4 } as const

/**
 * `Exchange` over the network of this machine; TLS 1.2 or later, checked against the authorities that Node.js trusts.
 * @throws TypeError for an agent that is none
 */
export function networkExchange(options: ExchangeOptions = {}): Exchange {
  const trusted = options.ca === undefined ? {} : { ca: [...rootCertificates, ...options.ca] }
  const { agent: secure = new Agent({ ...IDLE_CONNECTIONS, minVersion: 'TLSv1.2', ...trusted }) } = options
  if (!(secure instanceof Agent)) throw new TypeError('the agent of an exchange is an Agent of node:https')
  const plain = new PlainAgent(IDLE_CONNECTIONS)
  return async (question) => {
    try {
      return await ask(question, isSecure(question.url) ? secure : plain, options.signal)
    } catch (error) {
      if (error instanceof Failed) return { kind: 'failed', failure: error.failure, detail: error.message }
      throw error
    }
  }
}

const isSecure = (url: string): boolean => new URL(url).protocol === 'https:'

function ask(question: HttpQuestion, agent: Agent | PlainAgent, signal: StopSignal | undefined): Promise<HttpAnswer> {
  const { url, method, headers, body, maxBytes, timeoutMilliseconds } = question
  const request = isSecure(url) ? tlsRequest : plainRequest
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      agent,
      method,
      ...(signal === undefined ? {} : { signal }),
      headers: {
        ...headers,
        'Accept-Encoding': 'identity',
        ...(body === undefined ? {} : { 'Content-Length': String(body.length) }),
      },
    })
    const timer = setTimeout(() => {
      reject(new Failed('timeout', `no answer within ${timeoutMilliseconds} ms`))
      sent.destroy()
    }, timeoutMilliseconds)
    const settle = (then: () => void) => {
      clearTimeout(timer)
      then()
    }
    sent.once('response', (response) => {
      read(response, new URL(url).hostname, maxBytes).then(
        (answer) => settle(() => resolve(answer)),
        (error: unknown) =>
          settle(() => {
            sent.destroy()
            reject(error)
          }),
      )
    })
    // Stays: a second error without a listener would end the process.
    sent.on('error', (error) => settle(() => reject(failureBeforeAnswer(error))))
    sent.end(body)
  })
}

async function read(response: IncomingMessage, host: string, maxBytes: number): Promise<HttpAnswer> {
  const status = response.statusCode ?? 0
  const headers = headersOf(response.headers)
  if (status !== 200) {
    // Whatever else it says, for however long, is not listened to.
    response.destroy()
    return { kind: 'response', status, host, headers, bytes: new Uint8Array() }
  }
  const announced = Number(headers.get('content-length') ?? 0)
  if (announced > maxBytes) throw new Failed('oversize', `${announced} bytes announced`)
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > maxBytes) throw new Failed('oversize', `more than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof Failed) throw error
    throw new Failed('truncated', `${codeOf(error)} after ${size} bytes`)
  }
  if (!response.complete) throw new Failed('truncated', `ended after ${size} bytes`)
  return { kind: 'response', status, host, headers, bytes: concatBytes(...chunks) }
}

const headersOf = (headers: IncomingHttpHeaders): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      typeof value === 'string' ? [[name.toLowerCase(), value]] : [],
    ),
  )

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'no reason given'
}

const NAME_ERRORS = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NONAME', 'EAI_FAIL', 'EAI_NODATA'])
const HTTP_ERROR = /^HPE_/
/** TLS libraries report by names of their own; a system call's error is an `E` and one word. */
const CONNECTION_ERROR = /^(E(?!PROTO$)[A-Z]+|ABORT_ERR)$/

function failureBeforeAnswer(error: unknown): Failed {
  const code = codeOf(error)
  if (NAME_ERRORS.has(code)) return new Failed('host-unknown', code)
  if (HTTP_ERROR.test(code)) return new Failed('malformed', code)
  return new Failed(CONNECTION_ERROR.test(code) ? 'unreachable' : 'tls', code)
}
