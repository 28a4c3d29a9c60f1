import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Service, VENDOR_SERVICES } from '../../src/collateral/index.ts'
import { concatBytes } from '../../src/core/bytes.ts'
import { webIdentity } from './tls.ts'
import type { VendorObjects } from './vendor-objects.ts'

/** `failing` answers 503, `silent` never. */
export type MirrorMood = 'well' | 'failing' | 'silent'

/** The vendors' services behind one HTTPS server of this machine, each below a path of its vendor's name; it counts. */
export class Mirror {
  readonly asked: string[] = []
  mood: MirrorMood = 'well'
  objects: VendorObjects
  readonly #server: Server

  private constructor(objects: VendorObjects) {
    this.objects = objects
    this.#server = createServer(webIdentity(['localhost']), (request, response) => {
      void (async () => {
        const address = (request.url ?? '').slice(1)
        this.asked.push(address)
        const chunks: Uint8Array[] = []
        for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk)
        const served = this.objects.find(address, concatBytes(...chunks))
        if (this.mood === 'silent') return
        if (this.mood === 'failing') response.writeHead(503).end()
        else if (served === undefined) response.writeHead(404).end()
        else response.writeHead(200, { 'Content-Type': served.contentType, ...served.headers }).end(served.body)
      })()
    })
  }

  static async start(objects: VendorObjects): Promise<Mirror> {
    const mirror = new Mirror(objects)
    await new Promise<void>((resolve) => mirror.#server.listen(0, 'localhost', resolve))
    return mirror
  }

  /** where a service of a vendor is */
  url(service: Service): string {
    const { port } = this.#server.address() as AddressInfo
    return `https://localhost:${port}/${new URL(VENDOR_SERVICES[service]).hostname}`
  }

  /** `--vendor-url` for every service. */
  get vendorUrls(): readonly string[] {
    return Object.keys(VENDOR_SERVICES).map((service) => `${service}=${this.url(service as Service)}`)
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
