import { Hono, type Context as Request } from 'hono'
import type { Json } from '../core/json.ts'
import { fault, finding, type Outcome } from '../core/outcome.ts'
import { jwksOf } from '../decision/credential/index.ts'
import type { Gate } from '../gate/gate.ts'
import { createMetrics } from '../gate/metrics.ts'
import type { Administration, Broker, ReleaseStore } from '../release/index.ts'
import type { Administrators } from './administrators.ts'
import { faultAnswer } from './api/answer.ts'
import { auditRoutes } from './api/audit.ts'
import { keyRoutes } from './api/keys.ts'
import { leaseRoutes } from './api/leases.ts'
import { releaseRoutes } from './api/releases.ts'
import { errorInformation } from './kbs/error-information.ts'
import { kbsRoutes } from './kbs/routes.ts'
import type { ServiceKey } from './keys.ts'
import { errorLine, type Log } from './log.ts'
import { openApi } from './openapi.ts'
import { type RateLimit, RateLimiter } from './rate-limit.ts'
import { noteRefusal, refusalCode } from './refusal-code.ts'

/** Everything that the service reaches for. Nothing is optional; what there is none of is said. */
export interface ServiceOptions {
  readonly gate: Gate
  readonly broker: Broker
  readonly administration: Administration
  readonly store: ReleaseStore
  readonly administrators: Administrators
  readonly key: ServiceKey
  readonly issuer: string
  /** null: the KBS protocol is not served */
  readonly kbs: { readonly workload: string; readonly sessionSeconds: number } | null
  /** whether clients reach it by TLS: cookies are then for TLS alone */
  readonly isTls: boolean
  readonly clock: () => number
  readonly rateLimit: RateLimit
  /** whom a request comes from, for the limit alone */
  readonly clientOf: (request: Request) => string
  readonly log: Log
  readonly version: string
  /** whether store, vault and audit log can be used now */
  readonly isReady: () => Promise<Outcome<void>>
  /** what is counted beside requests and decisions, in the text format of Prometheus */
  readonly metrics: () => string
  readonly proveEntry: (sequence: number) => Promise<Outcome<object>>
}

/** Answered to whoever looks after the process, whatever others ask. */
const UNLIMITED: readonly string[] = ['/healthz', '/readyz', '/metrics']

const isKbs = (request: Request): boolean => request.req.path.startsWith('/kbs/')

/** Guests read every answer that is no success as the protocol has it. */
function limited(request: Request): Response {
  const about = fault('SERVICE_RATE_LIMITED', 'request')
  if (!isKbs(request)) return faultAnswer(request, [about])
  noteRefusal(request, [about])
  return request.json(errorInformation('AttestationError', 'Too many requests.', [finding(about, 'request')]), 429)
}

/** The service's routes, with nothing of the machine it runs on. */
export function createService(options: ServiceOptions): Hono {
  const { gate, broker, administration, store, administrators, key, issuer, clock, log } = options
  const app = new Hono()
  const limiter = new RateLimiter(options.rateLimit)
  const metrics = createMetrics({ vouchsafe_http_requests_total: 'Requests, by route and status.' })
  const document = openApi(options.version)

  app.use(async (request, next) => {
    const { path, method } = request.req
    if (!UNLIMITED.includes(path) && !limiter.admits(options.clientOf(request), clock())) {
      request.header('Retry-After', String(Math.ceil(1 / options.rateLimit.perSecond)))
      request.res = limited(request)
    } else await next()
    request.header('Cache-Control', 'no-store')
    const route = request.req.routePath === '/*' ? 'none' : request.req.routePath
    metrics.count('vouchsafe_http_requests_total', { method, route, status: String(request.res.status) })
    if (UNLIMITED.includes(path)) return
    const code = refusalCode(request)
    log({ event: 'request', method, route, status: request.res.status, ...(code === undefined ? {} : { code }) })
  })
  app.onError((error, request) => {
    log(errorLine(error))
    const told = { findings: [], error: 'internal' }
    return request.json(
      isKbs(request) ? { ...errorInformation('AttestationError', 'Internal error.'), ...told } : told,
      500,
    )
  })
  app.notFound((request) => request.json({ findings: [], error: 'there is nothing at this address' }, 404))

  app.get('/healthz', (request) => request.text('ok\n'))
  let looking: Promise<Outcome<void>> | undefined
  app.get('/readyz', async (request) => {
    // Anybody may ask, and a look uses store and vault: who comes meanwhile shares it.
    looking ??= options.isReady().finally(() => {
      looking = undefined
    })
    const ready = await looking
    return ready.ok ? request.text('ok\n') : faultAnswer(request, ready.faults, 'service')
  })
  app.get('/metrics', (request) => request.text(`${gate.metrics()}${metrics.text()}${options.metrics()}`))
  app.get('/openapi.json', (request) => request.json(document))
  app.get('/.well-known/jwks.json', async (request) => {
    const { kid, publicKey } = key
    return request.json((await jwksOf([{ kid, publicKey, retiredAt: null }], clock())) as unknown as Json)
  })

  app.route('/v1', releaseRoutes(broker))
  app.route('/v1/leases', leaseRoutes(gate, administration, administrators))
  app.route('/v1/tenants/:tenant/keys', keyRoutes(administration, administrators))
  app.route('/v1/tenants/:tenant/audit', auditRoutes({ store, administrators, prove: options.proveEntry }))
  if (options.kbs !== null)
    app.route('/kbs/v0', kbsRoutes({ ...options.kbs, broker, key, issuer, isTls: options.isTls, clock }))
  return app
}
