import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { VENDOR_SERVICES } from '../../src/collateral/index.ts'
import { concatBytes } from '../../src/core/bytes.ts'
import { webIdentity } from './tls.ts'
import type { VendorObjects } from './vendor-objects.ts'

/** The vendors' services behind one HTTPS server of this machine, each below a path of its vendor's name; it counts. */
export class Mirror {
  readonly asked: string[] = []
  readonly #server: Server
  readonly #objects: VendorObjects

  private constructor(objects: VendorObjects) {
    this.#objects = objects
    this.#server = createServer(webIdentity(['localhost']), (request, response) => {
      void (async () => {
        const address = (request.url ?? '').slice(1)
        this.asked.push(address)
        const chunks: Uint8Array[] = []
        for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk)
        const served = this.#objects.find(address, concatBytes(...chunks))
        if (served === undefined) response.writeHead(404).end()
        else response.writeHead(200, { 'Content-Type': served.contentType, ...served.headers }).end(served.body)
      })()
    })
  }

  static async start(objects: VendorObjects): Promise<Mirror> {
    const mirror = new Mirror(objects)
    await new Promise<void>((resolve) => mirror.#server.listen(0, 'localhost', resolve))
    return mirror
  }

  /** `--vendor-url` for every service. */
  get vendorUrls(): readonly string[] {
    const { port } = this.#server.address() as AddressInfo
    return Object.entries(VENDOR_SERVICES).map(
      ([service, base]) => `${service}=https://localhost:${port}/${new URL(base).hostname}`,
    )
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
