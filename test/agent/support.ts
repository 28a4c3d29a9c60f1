import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Sources } from '../../src/agent/sources.ts'
import { tsmCollector } from '../../src/collect/index.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { TsmKernel } from '../collect/tsm-kernel.ts'
import { cpuMachineOf, type Shown } from '../gate/support.ts'

/** A guest on an SNP machine of the test kit, whose kernel answers as Linux does. */
export function snpSources(shown: Shown = {}): Sources & { readonly kernel: TsmKernel } {
  const kernel = new TsmKernel({
    name: 'sev_guest',
    report: (inblob) => cpuMachineOf(inblob, shown).report,
    auxblob: (inblob) => cpuMachineOf(inblob, shown).table,
  })
  return { collectors: [tsmCollector({ files: kernel })], binding: 'raw', kernel }
}

export interface Passed {
  readonly path: string
  readonly status: number
  readonly body: JsonObject | string
}

/** Who stands between agent and service, and may change every answer. */
export async function between(
  base: string,
  change: (answer: Passed) => Passed | undefined,
  tls?: { readonly key: string; readonly cert: string },
): Promise<string> {
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const path = request.url ?? ''
    const got = await fetch(`${base}${path}`, {
      method: request.method ?? 'GET',
      headers: request.headers.cookie === undefined ? {} : { cookie: request.headers.cookie },
      ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
    })
    const passed: Passed = { path, status: got.status, body: (await got.json()) as JsonObject }
    const { status, body } = change(passed) ?? passed
    const cookie = got.headers.get('set-cookie')
    if (cookie !== null) response.setHeader('set-cookie', cookie)
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
  }
  const server: Server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())))
  return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`
}
