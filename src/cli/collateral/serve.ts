import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { isIP } from 'node:net'
import { Command } from 'commander'
import type { CollateralFile } from '../../attestation/collateral.ts'
import { recognisePack } from '../../collateral/files/recognise.ts'
import type { FindFiles } from '../../collateral/serve.ts'
import { readText, UsageError } from '../input.ts'
import { packKeyFrom, readPack } from './files.ts'
import { keyed } from './holdings.ts'
import { cacheFlag, cachePath, openCache } from './options.ts'

interface ServeOptions {
  readonly cache?: string
  readonly packKey?: string
  readonly host: string
  readonly port: string
  readonly tlsCert?: string
  readonly tlsKey?: string
}

const LOOPBACK = /^(127(?:\.\d{1,3}){3}|::1|localhost)$/

/** `vouchsafe collateral serve [PACK]` */
export function serveCommand(): Command {
  return cacheFlag(new Command('serve'))
    .description('answer under the vendors’ own paths with what a pack or the cache holds')
    .argument('[pack]', 'a pack; the cache if not given')
    .option('--pack-key <file>', 'public key (JWK) with which the pack must be signed')
    .option('--host <address>', 'address to listen on; without TLS only one of this machine itself', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 for any', '8086')
    .option('--tls-cert <file>', 'certificate chain, PEM')
    .option('--tls-key <file>', 'private key, PEM')
    .exitOverride()
    .action(async (pack: string | undefined, options: ServeOptions) => {
      const tls = await tlsFrom(options)
      if (tls === undefined && !LOOPBACK.test(options.host))
        throw new UsageError(`${options.host} is reachable by others: give --tls-cert and --tls-key`)
      const port = Number(options.port)
      if (!/^\d{1,5}$/.test(options.port) || port > 65_535) throw new UsageError('--port takes a number up to 65535')
      const { find, close } = pack === undefined ? await inCache(options) : await inPack(pack, options)
      // No other command waits for a web framework.
      const [{ serve }, { vendorPaths }] = await Promise.all([
        import('@hono/node-server'),
        import('../../collateral/serve.ts'),
      ])
      const app = vendorPaths(find)
      const server = serve({
        fetch: app.fetch,
        hostname: options.host,
        port,
        ...(tls === undefined ? {} : { createServer: createTlsServer, serverOptions: tls }),
      })
      server.on('error', (error: NodeJS.ErrnoException) => {
        process.stderr.write(`vouchsafe: cannot listen on ${options.host}:${options.port}: ${error.code ?? 'error'}\n`)
        process.exit(2)
      })
      server.on('listening', () => {
        const at = server.address() as AddressInfo
        const host = isIP(at.address) === 6 ? `[${at.address}]` : at.address
        process.stdout.write(`serving on ${tls === undefined ? 'http' : 'https'}://${host}:${at.port}\n`)
      })
      const stop = (): void => {
        server.close(() => void close().then(() => process.exit(0)))
      }
      process.once('SIGINT', stop)
      process.once('SIGTERM', stop)
    })
}

async function tlsFrom({ tlsCert, tlsKey }: ServeOptions): Promise<{ cert: string; key: string } | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined) throw new UsageError('--tls-cert and --tls-key belong together')
  return { cert: await readText(tlsCert), key: await readText(tlsKey) }
}

interface Source {
  readonly find: FindFiles
  readonly close: () => Promise<void>
}

async function inCache(options: ServeOptions): Promise<Source> {
  const cache = await openCache(cachePath(options.cache))
  return { find: async (key) => (await cache.held(key))[0]?.files, close: () => cache.close() }
}

async function inPack(path: string, options: ServeOptions): Promise<Source> {
  const key = options.packKey === undefined ? undefined : await packKeyFrom(options.packKey)
  const { answers } = await recognisePack((await readPack(path, key)).pack)
  const byKey = new Map<string, readonly CollateralFile[]>(keyed(answers).map((answer) => [answer.key, answer.files]))
  return { find: async (name) => byKey.get(name), close: async () => undefined }
}
