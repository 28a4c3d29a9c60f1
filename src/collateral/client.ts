import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Fault, failed, fault, type Outcome, ok } from '../core/outcome.ts'
import type { UnixSeconds } from '../core/time.ts'
import { nodeRandom } from '../gate/node-ports.ts'
import { askAmd } from './amd-kds.ts'
import type { Ask } from './ask.ts'
import { type Exchange, type HttpAnswer, networkExchange } from './exchange.ts'
import { askIntel } from './intel-pcs.ts'
import { askJwks } from './jwks.ts'
import {
  type Attempted,
  type HostManners,
  HostTurns,
  type MannersPorts,
  type Patience,
  pursue,
  type Serves,
} from './manners.ts'
import { askOcsp, NONCE_BYTES, type OcspAnswers } from './nvidia-ocsp.ts'
import { askRim } from './nvidia-rim.ts'
import { objectName } from './object-name.ts'
import type { CollateralRequest, FetchedObject, FetchObject } from './objects.ts'
import { judgeAnswer } from './response.ts'
import { type Service, type ServiceOptions, servicesOf } from './services.ts'

/** What a client reads of the world beside its vendors. */
export interface ClientPorts extends MannersPorts {
  /** time of day */
  wallClock(): UnixSeconds
  /** that nobody can predict */
  randomBytes(sizeBytes: number): Uint8Array
}

export const NODE_CLIENT_PORTS: ClientPorts = {
  now: () => performance.now(),
  random: () => Math.random(),
  sleep: (milliseconds) => sleep(milliseconds),
  wallClock: () => Math.floor(Date.now() / 1000),
  randomBytes: nodeRandom,
}

export interface VendorClientOptions extends ServiceOptions {
  /** how questions travel; `networkExchange()` where none is given */
  readonly exchange?: Exchange
  readonly ports?: ClientPorts
  readonly patience?: Partial<Patience>
  /** for one attempt, in seconds */
  readonly attemptSeconds?: number
  /** `fresh` unless said; `kept` for a mirror of one's own, which cannot know the nonce of every question */
  readonly ocspAnswers?: OcspAnswers
  /** key of a subscription to NVIDIA's services; sent to them alone, and told to nobody */
  readonly nvidiaServiceKey?: string
}

const PATIENCE: Patience = { attempts: 4, deadlineSeconds: 120, firstDelaySeconds: 0.5, longestDelaySeconds: 8 }
const ATTEMPT_SECONDS = 20

const USUAL: HostManners = { concurrency: 8, burst: 32, perSecond: 8, throttledPerSecond: 0.5, calmSeconds: 60 }
/** AMD hands out about one certificate in ten seconds once it has had enough (../shared/spec/sev-snp.md §7e). */
const AMDS: HostManners = { concurrency: 1, burst: 8, perSecond: 1, throttledPerSecond: 0.1, calmSeconds: 60 }

const mannersOf = (service: Service): HostManners => (service === 'amd-kds' ? AMDS : USUAL)

/** A chip is named by a report that nothing has proved yet; all else serves many, or is asked for once a chain has proved its name. */
const servedBy = ({ kind }: CollateralRequest): Serves => (kind === 'amd-vcek' ? 'one machine' : 'everybody')

/**
 * Fetches objects from their vendors, with manners: one flight per object however many ask for it, a pace for each host,
 * pauses as hosts ask for them, a bounded number of attempts and a deadline. It keeps nothing: that is a cache's business.
 * Every outcome that is no object is one fault, always inconclusive: those of `judgeAnswer` and COLLATERAL_ANSWER_MISMATCH.
 * @throws TypeError for addresses that are not allowed; the function it returns rejects with one for a request that names no
 * object
 */
export function createVendorClient(options: VendorClientOptions = {}): FetchObject {
  const services = servicesOf(options)
  const exchange = options.exchange ?? networkExchange()
  const ports = options.ports ?? NODE_CLIENT_PORTS
  const patience = { ...PATIENCE, ...options.patience }
  const timeoutMilliseconds = (options.attemptSeconds ?? ATTEMPT_SECONDS) * 1000
  const hosts = new Map<string, HostTurns>()
  const flights = new Map<string, Promise<Outcome<FetchedObject>>>()

  const turnsOf = (service: Service, url: string): HostTurns => {
    const { origin } = new URL(url)
    const known = hosts.get(origin) ?? new HostTurns(mannersOf(service), ports)
    hosts.set(origin, known)
    return known
  }

  const askFor = (request: CollateralRequest): Ask => {
    switch (request.kind) {
      case 'amd-vcek':
      case 'amd-chain':
      case 'amd-crl':
        return askAmd(request)
      case 'nvidia-rim':
        return askRim(request)
      case 'nvidia-ocsp':
        return askOcsp(request, ports.randomBytes(NONCE_BYTES), options.ocspAnswers ?? 'fresh')
      case 'jwks':
        return askJwks(request)
      default:
        return askIntel(request, services.usesPccs)
    }
  }

  const attempt = async (request: CollateralRequest): Promise<Attempted<Outcome<FetchedObject>>> => {
    const ask = askFor(request)
    const url = services.urlOf(ask.service, ask.path)
    const answer = await exchange({
      url,
      method: ask.method,
      headers: headersOf(ask, options.nvidiaServiceKey),
      body: ask.body?.bytes,
      maxBytes: ask.maxBytes,
      timeoutMilliseconds,
    })
    const expected = { object: objectName(request), host: new URL(url).hostname, ...ask }
    const problem = judgeAnswer(answer, expected)
    if (problem !== undefined) return attempted(problem, answer, ports)
    if (answer.kind === 'failed') throw new TypeError('an answer that failed has a fault')
    const files = await ask.read(answer)
    return {
      kind: 'settled',
      value: files.ok ? ok({ request, files: files.value, fetchedAt: ports.wallClock() }) : files,
    }
  }

  const fetchOnce = async (request: CollateralRequest): Promise<Outcome<FetchedObject>> => {
    const { service, path } = askFor(request)
    const url = services.urlOf(service, path)
    const asked = await pursue(turnsOf(service, url), servedBy(request), patience, ports, () => attempt(request))
    if (asked.kind === 'answered') return asked.value
    const actual = `no turn within ${patience.deadlineSeconds} s`
    return failed([
      fault('COLLATERAL_THROTTLED', objectName(request), { expected: `a turn at ${new URL(url).hostname}`, actual }),
    ])
  }

  return async (request) => {
    const name = objectName(request)
    const known = flights.get(name)
    if (known !== undefined) return known
    const flight = fetchOnce(request).finally(() => flights.delete(name))
    flights.set(name, flight)
    return flight
  }
}

const headersOf = ({ service, contentTypes, body }: Ask, nvidiaServiceKey: string | undefined) => ({
  Accept: [...contentTypes, '*/*;q=0.1'].join(', '),
  'User-Agent': 'vouchsafe',
  ...(body === undefined ? {} : { 'Content-Type': body.type }),
  ...(nvidiaServiceKey !== undefined && (service === 'nvidia-rim' || service === 'nvidia-ocsp')
    ? { Authorization: `Bearer ${nvidiaServiceKey}` }
    : {}),
})

/** What another attempt may change; everything else is the host's last word. */
const PASSING: ReadonlySet<Fault['code']> = new Set<Fault['code']>([
  'COLLATERAL_UNAVAILABLE',
  'COLLATERAL_HOST_UNKNOWN',
  'COLLATERAL_DEADLINE_PASSED',
  'COLLATERAL_TRUNCATED',
  'COLLATERAL_EMPTY',
  'COLLATERAL_VENDOR_FAILED',
])

function attempted(problem: Fault, answer: HttpAnswer, ports: ClientPorts): Attempted<Outcome<FetchedObject>> {
  const value = failed([problem])
  if (problem.code === 'COLLATERAL_THROTTLED' && answer.kind === 'response') {
    return {
      kind: 'throttled',
      value,
      seconds: retryAfterSeconds(answer.headers.get('retry-after'), ports.wallClock()),
    }
  }
  return { kind: PASSING.has(problem.code) ? 'failed' : 'settled', value }
}

const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/** Seconds from now, of either form that the header has (RFC 9110 §10.2.3); at least one, or the pause would be none. */
export function retryAfterSeconds(value: string | undefined, now: UnixSeconds): number | undefined {
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value)) return Math.max(1, Number(value))
  const at = HTTP_DATE.test(value) ? Date.parse(value) / 1000 : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(1, at - now)
}
