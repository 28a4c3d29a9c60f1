import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:tls'
import { type Exchange, networkExchange, VENDOR_SERVICES } from '../../src/collateral/index.ts'
import { concatBytes, utf8 } from '../../src/core/bytes.ts'
import { strangerIdentity, WEB_AUTHORITY, webIdentity } from './tls.ts'
import type { Served, VendorObjects } from './vendor-objects.ts'

/** What may be wrong with a service, one thing at a time. */
export type FleetFault =
  | 'not found'
  | 'gone'
  | 'throttled'
  | 'server error'
  | 'forbidden'
  | 'silent'
  | 'reset'
  | 'truncated'
  | 'empty'
  | 'HTML'
  | 'untyped'
  | 'compressed'
  | 'redirect'
  | 'oversize'
  | 'announced oversize'
  | 'garbage'
  | 'no HTTP'
  | 'refused'
  | 'stranger'
  | 'no such name'

/** Faults of the connection, which no server gets to see. */
const UNCONNECTED: readonly FleetFault[] = ['refused', 'stranger', 'no such name']

interface Fault {
  readonly where: RegExp
  readonly fault: FleetFault
  /** whether it still holds */
  readonly holds: () => boolean
  readonly headers: Readonly<Record<string, string>>
}

/** The vendors' services on this machine: HTTPS servers under the vendors' own names, which only this fleet's client resolves. */
export class Fleet {
  /** how a client reaches the fleet under the vendors' names */
  readonly exchange: Exchange
  readonly #objects: VendorObjects
  readonly #servers: readonly Server[]
  readonly #counts = new Map<string, number>()
  readonly #agent: Agent
  #faults: Fault[] = []
  #substitute: { readonly where: RegExp; readonly answer: (question: Uint8Array) => Served | undefined } | undefined

  private constructor(objects: VendorObjects, servers: readonly Server[]) {
    this.#objects = objects
    this.#servers = servers
    this.#agent = this.#agentTo(servers.map((server) => (server.address() as AddressInfo).port))
    this.exchange = networkExchange({ agent: this.#agent })
  }

  /** @param more hosts beside the vendors', e.g. of a mirror */
  static async start(objects: VendorObjects, more: readonly string[] = []): Promise<Fleet> {
    const hosts = [...Object.values(VENDOR_SERVICES).map((base) => new URL(base).hostname), ...more]
    let fleet: Fleet | undefined
    const servers = [webIdentity(hosts), strangerIdentity(hosts)].map((identity) =>
      createServer(identity, (request, response) => void fleet?.answer(request, response)),
    )
    await Promise.all(servers.map((server) => new Promise<void>((r) => server.listen(0, '127.0.0.1', r))))
    fleet = new Fleet(objects, servers)
    return fleet
  }

  async close(): Promise<void> {
    this.#agent.destroy()
    for (const server of this.#servers) {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    }
  }

  /** From now on this is wrong with every address (host, path and query) that fits, and nothing else is. */
  break(
    where: RegExp,
    fault: FleetFault,
    { holds = () => true, headers = {} }: { holds?: () => boolean; headers?: Readonly<Record<string, string>> } = {},
  ): void {
    this.#faults = [{ where, fault, holds, headers }]
  }

  /** From now on every address that fits has this answer instead of its own. */
  substitute(where: RegExp, answer: (question: Uint8Array) => Served | undefined): void {
    this.#substitute = { where, answer }
  }

  heal(): void {
    this.#faults = []
    this.#substitute = undefined
  }

  /** Requests that a server saw for addresses that fit. */
  count(where = /./): number {
    return [...this.#counts].filter(([url]) => where.test(url)).reduce((sum, [, count]) => sum + count, 0)
  }

  /** Addresses that were asked for, in the order in which they first were. */
  addresses = (): readonly string[] => [...this.#counts.keys()]

  forget(): void {
    this.#counts.clear()
  }

  #faultAt(address: string, unconnected: boolean): Fault | undefined {
    return this.#faults.find((f) => f.where.test(address) && UNCONNECTED.includes(f.fault) === unconnected && f.holds())
  }

  #agentTo([port = 0, strangersPort = 0]: readonly number[]): Agent {
    // A connection of its own for every question, so that faults of connections show at once.
    const agent = new Agent({ keepAlive: false })
    agent.createConnection = (options) => {
      const host = String(options.host)
      const fault = this.#faultAt(host, true)?.fault
      const at = fault === 'refused' ? 1 : fault === 'stranger' ? strangersPort : port
      return connect({
        host: fault === 'no such name' ? `${host}.invalid` : '127.0.0.1',
        port: at,
        servername: host,
        ca: [WEB_AUTHORITY],
        ALPNProtocols: ['http/1.1'],
      })
    }
    return agent
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const address = `${request.headers.host ?? ''}${request.url ?? ''}`
    this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1)
    const chunks: Uint8Array[] = []
    for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk)
    const question = concatBytes(...chunks)
    const substitute = this.#substitute?.where.test(address) === true ? this.#substitute : undefined
    const served = substitute === undefined ? this.#objects.find(address, question) : substitute.answer(question)
    const broken = this.#faultAt(address, false)
    if (broken !== undefined) spoil(broken, served, request, response)
    else if (served === undefined) response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found')
    else send(served, response)
  }
}

function send({ contentType, headers = {}, body }: Served, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': body.length, ...headers }).end(body)
}

const STATUS: Partial<Readonly<Record<FleetFault, number>>> = {
  'not found': 404,
  gone: 410,
  throttled: 429,
  'server error': 503,
  forbidden: 403,
}

function spoil(
  { fault, headers }: Fault,
  served: Served | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const right: Served = served ?? { contentType: 'application/octet-stream', body: new Uint8Array(8) }
  const status = STATUS[fault]
  if (status !== undefined) {
    response.writeHead(status, { 'Content-Type': 'text/plain', ...headers }).end('no')
    return
  }
  switch (fault) {
    case 'silent':
      return
    case 'reset':
      request.socket.destroy()
      return
    case 'truncated':
      response.writeHead(200, {
        ...right.headers,
        'Content-Type': right.contentType,
        'Content-Length': right.body.length,
      })
      response.write(right.body.subarray(0, right.body.length / 2), () => request.socket.destroy())
      return
    case 'empty':
      send({ ...right, body: new Uint8Array() }, response)
      return
    case 'HTML':
      send({ contentType: 'text/html; charset=utf-8', body: utf8('<html>Please log in</html>') }, response)
      return
    case 'untyped':
      response.writeHead(200).end(right.body)
      return
    case 'compressed':
      send({ ...right, headers: { ...right.headers, 'Content-Encoding': 'gzip' } }, response)
      return
    case 'redirect':
      response.writeHead(302, { Location: 'https://login.example/?token=secret' }).end()
      return
    case 'oversize':
      response.writeHead(200, { 'Content-Type': right.contentType })
      response.end(new Uint8Array(8 * 1024 * 1024))
      return
    case 'announced oversize':
      response.writeHead(200, { 'Content-Type': right.contentType, 'Content-Length': 1024 * 1024 * 1024 })
      response.write(right.body)
      return
    case 'garbage':
      send({ ...right, body: utf8('{"neither": "this"') }, response)
      return
    case 'no HTTP':
      request.socket.end('SSH-2.0-OpenSSH_9.2\r\n')
      return
    default:
      throw new TypeError(`${fault} is no fault of a server`)
  }
}
