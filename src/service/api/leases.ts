import { Hono, type Context as Request } from 'hono'
import { fromHex } from '../../core/encodings.ts'
import type { Json } from '../../core/json.ts'
import { attempt, type Outcome, take } from '../../core/outcome.ts'
import { GateError } from '../../gate/finding.ts'
import type { Gate } from '../../gate/gate.ts'
import type { Administration } from '../../release/index.ts'
import type { Administrators } from '../administrators.ts'
import { decodedBody } from '../body.ts'
import { faultAnswer, findingAnswer } from './answer.ts'
import { RequestMembers } from './request.ts'

const HOST_DATA_BYTES = 32

interface LeaseOpened {
  readonly lease: Json
  readonly order: Json
  readonly hostData: string | null
  /** the key under whose policy the lease's machines are judged */
  readonly key: { readonly tenant: string; readonly keyId: string }
}

/** `/v1/leases`: for the marketplace, which knows what was leased and when it ends. */
export function leaseRoutes(gate: Gate, admin: Administration, administrators: Administrators): Hono {
  const app = new Hono()

  app.post('/', async (request) => {
    const asked = administrators.ofMarketplace(request.req.header('authorization'))
    if (!asked.ok) return faultAnswer(request, asked.faults)
    const opened = await decodedBody(request, readOpened)
    if (!opened.ok) return faultAnswer(request, opened.faults)
    const { key, ...about } = opened.value
    const known = await admin.show(key)
    if (!known.ok) return faultAnswer(request, known.faults)
    return told(request, () =>
      gate.openLease({ ...(about as Parameters<Gate['openLease']>[0]), policy: known.value.policy }),
    )
  })

  app.post('/close', async (request) => {
    const asked = administrators.ofMarketplace(request.req.header('authorization'))
    if (!asked.ok) return faultAnswer(request, asked.faults)
    const closed = await decodedBody(request, readClosed)
    if (!closed.ok) return faultAnswer(request, closed.faults)
    return told(request, () => gate.closeLease(closed.value))
  })

  async function told(request: Request, change: () => Promise<void>): Promise<Response> {
    try {
      await change()
      return new Response(null, { status: 204 })
    } catch (error) {
      if (error instanceof GateError) return findingAnswer(request, error.findings)
      throw error
    }
  }
  return app
}

const readOpened = (value: Json): Outcome<LeaseOpened> =>
  attempt(() => {
    const members = new RequestMembers(value, ['lease', 'order', 'hostData', 'key'])
    const lease = members.value('lease')
    const order = members.value('order')
    const hostData = members.textOrNull('hostData')
    if (hostData !== null) take(fromHex(hostData, HOST_DATA_BYTES, 'hostData'))
    const key = members.members('key', ['tenant', 'keyId'])
    return { lease, order, hostData, key: { tenant: key.text('tenant'), keyId: key.text('keyId') } }
  })

const readClosed = (value: Json): Outcome<Json> => attempt(() => new RequestMembers(value, ['lease']).value('lease'))
