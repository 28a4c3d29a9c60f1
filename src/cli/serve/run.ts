import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type ServerType, serve } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Fault } from '../../core/outcome.ts'
import { nodeScheduler } from '../../gate/node-ports.ts'
import { createService } from '../../service/app.ts'
import { errorLine, type Log, lineLog } from '../../service/log.ts'
import { UsageError } from '../input.ts'
import { messageOf } from '../keys/opened.ts'
import { VERSION } from '../version.ts'
import { type Assembled, assemble } from './assembled.ts'
import { ServiceClock } from './clock.ts'
import type { ServiceConfig } from './config.ts'
import { readTls, type TlsFiles } from './places.ts'
import { Refused } from './refused.ts'

const SESSIONS_SECONDS = 60
const CLOCK_SECONDS = 10
const CACHE_SECONDS = 3600
/** How long requests that are under way may take once the service is told to end. */
const GRACE_MILLISECONDS = 10_000

/**
 * Serves until SIGTERM or SIGINT; SIGHUP reads the collateral anew, and does nothing before and after.
 * @param listening is told the address
 * @throws UsageError · Refused, at the start, or with CLOCK_JUMP · CLOCK_WENT_BACK when the clock can no longer be believed
 */
export async function runService(config: ServiceConfig, listening: (address: string) => void): Promise<void> {
  const clock = new ServiceClock()
  const log = lineLog((text) => process.stderr.write(text), clock.now)
  process.on('SIGHUP', ignored)
  try {
    await runUntilTold(config, clock, log, listening)
  } finally {
    process.off('SIGHUP', ignored)
  }
}

/** Without anybody who listens to it, SIGHUP would kill a service that starts or ends. */
const ignored = () => undefined

async function runUntilTold(
  config: ServiceConfig,
  clock: ServiceClock,
  log: Log,
  listening: (address: string) => void,
): Promise<void> {
  const tls = await readTls(config.tls)
  const assembled = await assemble(config, { clock, log, version: VERSION })
  let hasBegun = false
  try {
    await assembled.gate.start()
    const app = createService({
      ...assembled.options,
      clientOf: (request) => getConnInfo(request).remote.address ?? 'unknown',
    })
    const server = await listen(app.fetch, config.listen, tls)
    const stopTimers = startTimers(assembled, config, log)
    hasBegun = true
    try {
      listening(addressOf(server, config, tls))
      // It can judge nothing but what brings all of its collateral along, which looks like a fault of the machine's.
      if (config.vendors === null && config.collateral.length === 0)
        log({ event: 'collateral.none', why: 'no vendor is asked and no files of collateral are named' })
      const faults = await untilTold(assembled, clock, log)
      log({ event: 'ending', codes: faults.map(({ code }) => code) })
      const [first, ...more] = faults
      if (first !== undefined) throw new Refused([first, ...more])
    } finally {
      stopTimers()
      assembled.vendors?.stop()
      await closed(server)
      assembled.gate.stop()
      const signed = await assembled.audit.checkpoint()
      if (!signed.ok) log({ event: 'checkpoint.failed', codes: signed.faults.map(({ code }) => code) })
    }
  } finally {
    await assembled.close()
    if (hasBegun) log({ event: 'ended' })
  }
}

function listen(
  fetch: Parameters<typeof serve>[0]['fetch'],
  { host, port }: ServiceConfig['listen'],
  tls: TlsFiles | undefined,
): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const options = {
      ...{ fetch, hostname: host, port },
      ...(tls === undefined
        ? {}
        : { createServer: createTlsServer, serverOptions: { ...pem(tls), minVersion: 'TLSv1.2' as const } }),
    }
    const server = serve(options, () => resolve(server))
    server.on('error', (error: Error) =>
      reject(new UsageError(`cannot listen on ${host}:${port}: ${messageOf(error)}`)),
    )
  })
}

const pem = ({ cert, key }: TlsFiles) => ({ cert: Buffer.from(cert), key: Buffer.from(key) })

function addressOf(server: ServerType, { listen: { host } }: ServiceConfig, tls: TlsFiles | undefined): string {
  const { port } = server.address() as AddressInfo
  return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function startTimers({ audit, stores, options, vendors }: Assembled, config: ServiceConfig, log: Log): () => void {
  const every = (seconds: number, task: () => Promise<unknown>) =>
    nodeScheduler(seconds, () => {
      task().catch((error: unknown) => log(errorLine(error)))
    })
  const timers = [
    every(SESSIONS_SECONDS, () => stores.release.pruneSessions(options.clock())),
    every(config.audit.checkpointSeconds, async () => {
      const signed = await audit.checkpoint()
      if (!signed.ok) log({ event: 'checkpoint.failed', codes: signed.faults.map(({ code }) => code) })
    }),
    ...(vendors === null ? [] : [every(CACHE_SECONDS, () => vendors.tend())]),
  ]
  return () => {
    for (const stop of timers) stop()
  }
}

/** Resolves when a signal says so, or with what is wrong with the clock: by a clock that jumped, expired collateral revives. */
function untilTold({ reread, stores }: Assembled, clock: ServiceClock, log: Log): Promise<readonly Fault[]> {
  return new Promise((resolve) => {
    const end = () => finish([])
    const again = () => {
      reread().then(
        () => log({ event: 'collateral.read' }),
        (error: unknown) => log({ event: 'collateral.refused', why: messageOf(error) }),
      )
    }
    const stopClock = nodeScheduler(CLOCK_SECONDS, () => {
      const checked = async () => {
        const faults = clock.check((await stores.release.auditHead()).at)
        if (faults.length > 0) finish(faults)
      }
      checked().catch((error: unknown) => log(errorLine(error)))
    })
    const finish = (faults: readonly Fault[]) => {
      stopClock()
      process.off('SIGTERM', end).off('SIGINT', end).off('SIGHUP', again)
      resolve(faults)
    }
    process.on('SIGTERM', end).on('SIGINT', end).on('SIGHUP', again)
  })
}

/** Takes no more requests, and ends when those under way are answered or their time is over. */
function closed(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    const connections = server as { closeIdleConnections?(): void; closeAllConnections?(): void }
    const hurry = setTimeout(() => connections.closeAllConnections?.(), GRACE_MILLISECONDS)
    server.close(() => {
      clearTimeout(hurry)
      resolve()
    })
    connections.closeIdleConnections?.()
  })
}
